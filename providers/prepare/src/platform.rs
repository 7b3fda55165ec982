//! From what a machine says of its processor to the platform of the images that it runs.
//!
//! A 32-bit userland on a 64-bit kernel counts as 32-bit: it is the userland that an engine is built for.

/// What a machine says of its processor and its userland; empty where it says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Processor<'a> {
    /// `uname -m`
    pub(crate) machine: &'a str,
    /// `getconf LONG_BIT`
    pub(crate) bits: &'a str,
    /// The fifth byte of `/bin/sh`: 1 in a 32-bit program.
    pub(crate) class: &'a str,
    /// `dpkg --print-architecture`
    pub(crate) dpkg: &'a str,
}

/// `linux/arm/v7`; `None`: nobody knows that processor.
pub(crate) fn platform(processor: &Processor<'_>) -> Option<String> {
    let is_32_bit = is_32_bit(processor);
    let platform = match processor.machine {
        "x86_64" | "amd64" if is_32_bit => "386",
        "x86_64" | "amd64" => "amd64",
        "i386" | "i486" | "i586" | "i686" => "386",
        "aarch64" | "arm64" if is_32_bit => "arm/v7",
        "aarch64" | "arm64" => "arm64",
        "armv6l" => "arm/v6",
        machine if machine.starts_with("armv5") => "arm/v5",
        machine if machine.starts_with("armv7") || machine.starts_with("armv8") => "arm/v7",
        "loongarch64" => "loong64",
        "" => return None,
        other => other,
    };
    Some(format!("linux/{platform}"))
}

fn is_32_bit(processor: &Processor<'_>) -> bool {
    match processor.dpkg {
        "armhf" | "armel" | "i386" => true,
        "" => processor.bits == "32" || processor.bits.is_empty() && processor.class == "1",
        _ => false,
    }
}

/// Whether a machine of one platform runs programs of another.
pub fn runs(machine: &str, arm32: bool, wanted: &str) -> bool {
    let split = |platform: &str| {
        let rest = platform.strip_prefix("linux/").unwrap_or(platform).to_owned();
        match rest.split_once("/v") {
            Some((name, version)) => (name.to_owned(), version.parse().unwrap_or(0)),
            None => (rest, 0u32),
        }
    };
    let ((has, has_version), (wants, wants_version)) = (split(machine), split(wanted));
    match (has.as_str(), wants.as_str()) {
        ("arm", "arm") => wants_version <= has_version,
        ("arm64", "arm") => arm32,
        ("amd64", "386") => true,
        (has, wants) => has == wants,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(machine: &str, bits: &str, dpkg: &str) -> String {
        platform(&Processor { machine, bits, class: "", dpkg }).unwrap_or_default()
    }

    #[test]
    fn a_32_bit_userland_on_a_64_bit_kernel_counts_as_32_bit() {
        assert_eq!(check("aarch64", "32", "armhf"), "linux/arm/v7");
        assert_eq!(check("aarch64", "32", ""), "linux/arm/v7");
        assert_eq!(check("aarch64", "64", "arm64"), "linux/arm64");
        assert_eq!(check("x86_64", "32", "i386"), "linux/386");
        let busybox = Processor { machine: "aarch64", class: "1", ..Processor::default() };
        assert_eq!(platform(&busybox).as_deref(), Some("linux/arm/v7"));
    }

    #[test]
    fn the_processor_decides_the_variant() {
        assert_eq!(check("armv6l", "32", "armhf"), "linux/arm/v6");
        assert_eq!(check("armv7l", "32", "armhf"), "linux/arm/v7");
        assert_eq!(check("armv8l", "32", "armhf"), "linux/arm/v7");
        assert_eq!(check("armv5tel", "32", "armel"), "linux/arm/v5");
    }

    #[test]
    fn others_pass_through() {
        assert_eq!(check("x86_64", "64", ""), "linux/amd64");
        assert_eq!(check("i686", "32", "i386"), "linux/386");
        assert_eq!(check("riscv64", "64", "riscv64"), "linux/riscv64");
        assert_eq!(check("ppc64le", "64", "ppc64el"), "linux/ppc64le");
        assert_eq!(check("", "", ""), "");
    }

    #[test]
    fn a_machine_runs_its_own_and_what_is_below() {
        assert!(runs("linux/arm/v7", false, "linux/arm/v6"));
        assert!(!runs("linux/arm/v6", false, "linux/arm/v7"));
        assert!(runs("linux/arm64", true, "linux/arm/v7"));
        assert!(!runs("linux/arm64", false, "linux/arm/v7"));
        assert!(!runs("linux/amd64", false, "linux/arm64"));
    }
}
