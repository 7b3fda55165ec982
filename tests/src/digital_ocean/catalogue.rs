//! What can be bought: regions, sizes and images.

use serde_json::{Value, json};

/// A size: its slug, memory in MiB, processors, disk in GiB and price a month.
const SIZES: &[(&str, u64, u64, u64, f64)] = &[
    ("s-1vcpu-512mb-10gb", 512, 1, 10, 4.0),
    ("s-1vcpu-1gb", 1024, 1, 25, 6.0),
    ("s-1vcpu-2gb", 2048, 1, 50, 12.0),
    ("s-2vcpu-2gb", 2048, 2, 60, 18.0),
    ("s-2vcpu-4gb", 4096, 2, 80, 24.0),
    ("s-4vcpu-8gb", 8192, 4, 160, 48.0),
];

const REGIONS: &[(&str, &str)] =
    &[("sgp1", "Singapore 1"), ("fra1", "Frankfurt 1"), ("ams3", "Amsterdam 3"), ("nyc3", "New York 3")];

const IMAGES: &[(u64, &str, &str, &str)] = &[
    (1001, "debian-12-x64", "12 x64", "Debian"),
    (1002, "debian-13-x64", "13 x64", "Debian"),
    (1003, "ubuntu-22-04-x64", "22.04 (LTS) x64", "Ubuntu"),
    (1004, "ubuntu-24-04-x64", "24.04 (LTS) x64", "Ubuntu"),
    (1005, "fedora-42-x64", "42 x64", "Fedora"),
];

pub(crate) fn sizes() -> Vec<Value> {
    let regions: Vec<_> = REGIONS.iter().map(|(slug, _)| slug).collect();
    let size = |(slug, memory, vcpus, disk, price): &(&str, u64, u64, u64, f64)| {
        json!({
            "slug": slug, "memory": memory, "vcpus": vcpus, "disk": disk, "transfer": 1.0, "description": "Basic",
            "price_monthly": price, "price_hourly": price / 672.0, "regions": regions, "available": true,
        })
    };
    SIZES.iter().map(size).collect()
}

pub(crate) fn regions() -> Vec<Value> {
    let sizes: Vec<_> = SIZES.iter().map(|(slug, ..)| slug).collect();
    let features = ["backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"];
    let region = |(slug, name): &(&str, &str)| json!({ "slug": slug, "name": name, "features": features, "available": true, "sizes": sizes });
    REGIONS.iter().map(region).collect()
}

pub(crate) fn images() -> Vec<Value> {
    let regions: Vec<_> = REGIONS.iter().map(|(slug, _)| slug).collect();
    let image = |(id, slug, name, distribution): &(u64, &str, &str, &str)| {
        json!({
            "id": id, "slug": slug, "name": name, "distribution": distribution, "type": "base", "public": true,
            "regions": regions, "created_at": super::CREATED_AT, "min_disk_size": 7, "size_gigabytes": 2.1,
            "description": format!("{distribution} {name}"), "tags": [], "status": "available", "error_message": "",
        })
    };
    IMAGES.iter().map(image).collect()
}

/// One of a list, by a member that may be text or a number.
pub(crate) fn find(list: Vec<Value>, members: &[&str], wanted: &Value) -> Option<Value> {
    list.into_iter().find(|item| members.iter().any(|member| item[*member] == *wanted))
}
