//! What can be bought: the data sources `digitalocean_sizes`, `digitalocean_regions` and `digitalocean_images`.

use bimetal_provider::{DataSource, Deserialize, Json, Result, Schema, Serialize};

use crate::DigitalOcean;
use crate::api::text;

/// Sizes of droplets, the cheapest first.
#[derive(Clone, Debug, Schema, Serialize, Deserialize)]
pub(crate) struct Sizes {
    /// Only those that this region has
    region: Option<String>,
    #[attr(read_only)]
    sizes: Option<Vec<Size>>,
}

/// A size.
#[derive(Clone, Debug, Schema, Serialize, Deserialize)]
pub(crate) struct Size {
    /// `s-1vcpu-1gb`
    slug: String,
    cpus: u64,
    /// In bytes
    memory: u64,
    /// In bytes
    disk: u64,
    /// In dollars
    price_hourly: f64,
    /// In dollars
    price_monthly: f64,
    /// New droplets can have it
    available: bool,
    /// By their slugs
    regions: Vec<String>,
}

/// Regions.
#[derive(Clone, Debug, Schema, Serialize, Deserialize)]
pub(crate) struct Regions {
    #[attr(read_only)]
    regions: Option<Vec<Region>>,
}

/// A region.
#[derive(Clone, Debug, Schema, Serialize, Deserialize)]
pub(crate) struct Region {
    /// `fra1`
    slug: String,
    name: String,
    /// New droplets can be there
    available: bool,
    features: Vec<String>,
    /// By their slugs
    sizes: Vec<String>,
}

/// Images that droplets start from.
#[derive(Clone, Debug, Schema, Serialize, Deserialize)]
pub(crate) struct Images {
    /// `distribution` or `application`
    r#type: Option<String>,
    /// Only those of the account
    private: Option<bool>,
    /// `Debian`
    distribution: Option<String>,
    #[attr(read_only)]
    images: Option<Vec<Image>>,
}

/// An image.
#[derive(Clone, Debug, Schema, Serialize, Deserialize)]
pub(crate) struct Image {
    id: String,
    /// `debian-12-x64`; images of one's own have none
    slug: Option<String>,
    name: String,
    /// `Debian`
    distribution: String,
    /// In bytes: droplets with less can't have it
    min_disk_size: u64,
    /// By their slugs
    regions: Vec<String>,
}

fn texts(list: &Json) -> Vec<String> {
    let mut texts: Vec<String> = list.as_array().into_iter().flatten().filter_map(text).collect();
    texts.sort();
    texts
}

impl Size {
    fn of(size: &Json) -> Size {
        let number = |name: &str| size[name].as_u64().unwrap_or(0);
        let price = |name: &str| size[name].as_f64().unwrap_or(0.0);
        Size {
            slug: text(&size["slug"]).unwrap_or_default(),
            cpus: number("vcpus"),
            memory: number("memory") << 20,
            disk: number("disk") << 30,
            price_hourly: price("price_hourly"),
            price_monthly: price("price_monthly"),
            available: size["available"] == true,
            regions: texts(&size["regions"]),
        }
    }
}

impl Region {
    fn of(region: &Json) -> Region {
        Region {
            slug: text(&region["slug"]).unwrap_or_default(),
            name: text(&region["name"]).unwrap_or_default(),
            available: region["available"] == true,
            features: texts(&region["features"]),
            sizes: texts(&region["sizes"]),
        }
    }
}

impl Image {
    fn of(image: &Json) -> Image {
        Image {
            id: text(&image["id"]).unwrap_or_default(),
            slug: text(&image["slug"]),
            name: text(&image["name"]).unwrap_or_default(),
            distribution: text(&image["distribution"]).unwrap_or_default(),
            min_disk_size: image["min_disk_size"].as_u64().unwrap_or(0) << 30,
            regions: texts(&image["regions"]),
        }
    }
}

impl DataSource for Sizes {
    type Provider = DigitalOcean;
    const NAME: &'static str = "digitalocean_sizes";

    fn read(provider: &DigitalOcean, config: Sizes) -> Result<Sizes> {
        let all = provider.api.list("sizes", "sizes")?;
        let is_there = |size: &Size| config.region.as_ref().is_none_or(|region| size.regions.contains(region));
        let mut sizes: Vec<Size> = all.iter().map(Size::of).filter(is_there).collect();
        sizes.sort_by(|one, other| one.price_monthly.total_cmp(&other.price_monthly).then(one.slug.cmp(&other.slug)));
        Ok(Sizes { sizes: Some(sizes), ..config })
    }
}

impl DataSource for Regions {
    type Provider = DigitalOcean;
    const NAME: &'static str = "digitalocean_regions";

    fn read(provider: &DigitalOcean, _: Regions) -> Result<Regions> {
        let mut regions: Vec<Region> = provider.api.list("regions", "regions")?.iter().map(Region::of).collect();
        regions.sort_by(|one, other| one.slug.cmp(&other.slug));
        Ok(Regions { regions: Some(regions) })
    }
}

impl DataSource for Images {
    type Provider = DigitalOcean;
    const NAME: &'static str = "digitalocean_images";

    fn read(provider: &DigitalOcean, config: Images) -> Result<Images> {
        let kind = config.r#type.as_ref().map(|kind| format!("type={kind}"));
        let private = config.private.map(|private| format!("private={private}"));
        let query: Vec<String> = kind.into_iter().chain(private).collect();
        let path = if query.is_empty() { "images".to_owned() } else { format!("images?{}", query.join("&")) };
        let all = provider.api.list(&path, "images")?;
        let is_wanted = |image: &Image| config.distribution.as_ref().is_none_or(|wanted| image.distribution == *wanted);
        let mut images: Vec<Image> = all.iter().map(Image::of).filter(is_wanted).collect();
        images.sort_by(|one, other| (&one.slug, &one.id).cmp(&(&other.slug, &other.id)));
        Ok(Images { images: Some(images), ..config })
    }
}
