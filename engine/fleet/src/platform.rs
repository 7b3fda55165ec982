//! Which images a node runs, in containerd's order of preference.

use bimetal_model::Platform;

/// Whether a 64-bit ARM node runs 32-bit programs. Many cores can't, and the architecture's name doesn't tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arm32 {
    /// It does.
    Known,
    /// Nobody said so.
    NotKnown,
}

/// The platforms that a node of this one runs, best first.
///
/// Source: containerd's `platforms` package, `platformVector`; but 32-bit ARM on a 64-bit node only where known.
pub fn runs(platform: &Platform, arm32: Arm32) -> Vec<Platform> {
    let of =
        |architecture: &str, variant: Option<String>| Platform::new(&platform.os, architecture, variant.as_deref());
    let arm_from = |version: u32| (5..=version).rev().map(move |v| of("arm", Some(format!("v{v}"))));
    let version = version_of(platform);
    match (platform.architecture.as_str(), version) {
        ("amd64", version) => {
            let variants = (2..=version.unwrap_or(1)).rev().map(|v| of("amd64", Some(format!("v{v}"))));
            variants.chain([of("amd64", None), of("386", None)]).collect()
        }
        ("arm64", version) => {
            let variants = (9..=version.unwrap_or(8)).rev().map(|v| of("arm64", Some(format!("v{v}"))));
            let arm32 = arm_from(if arm32 == Arm32::Known { 7 } else { 0 });
            variants.chain([of("arm64", None)]).chain(arm32).collect()
        }
        ("arm", Some(version)) if (5..=8).contains(&version) => arm_from(version.min(7)).collect(),
        _ => vec![platform.clone()],
    }
}

/// `v7` is 7. More than any processor has counts as none, as it comes from outside.
fn version_of(platform: &Platform) -> Option<u32> {
    let digits = platform.variant.as_deref()?.strip_prefix('v')?;
    digits.parse().ok().filter(|version| *version < 100)
}

/// The best of what is offered for a node that runs these, best first.
pub fn choose<'a, T>(runs: &[Platform], offered: &'a [T], platform_of: impl Fn(&T) -> &Platform) -> Option<&'a T> {
    runs.iter().find_map(|wanted| offered.iter().find(|offer| platform_of(offer) == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_runs(node: &str, arm32: Arm32) -> String {
        let platforms: Vec<_> = runs(&node.parse().unwrap(), arm32).iter().map(Platform::to_string).collect();
        platforms.join(" ")
    }

    #[test]
    fn a_32_bit_arm_node_never_runs_64_bit_images() {
        assert_eq!(check_runs("linux/arm/v7", Arm32::Known), "linux/arm/v7 linux/arm/v6 linux/arm/v5");
        assert_eq!(check_runs("linux/arm/v6", Arm32::NotKnown), "linux/arm/v6 linux/arm/v5");
    }

    #[test]
    fn a_64_bit_arm_node_runs_32_bit_images_only_where_known() {
        assert_eq!(check_runs("linux/arm64", Arm32::NotKnown), "linux/arm64");
        assert_eq!(check_runs("linux/arm64", Arm32::Known), "linux/arm64 linux/arm/v7 linux/arm/v6 linux/arm/v5");
        assert_eq!(check_runs("linux/arm64/v9", Arm32::NotKnown), "linux/arm64/v9 linux/arm64");
    }

    #[test]
    fn a_64_bit_intel_node_runs_lower_variants_and_32_bit_images() {
        assert_eq!(check_runs("linux/amd64", Arm32::NotKnown), "linux/amd64 linux/386");
        assert_eq!(
            check_runs("linux/amd64/v3", Arm32::NotKnown),
            "linux/amd64/v3 linux/amd64/v2 linux/amd64 linux/386"
        );
    }

    #[test]
    fn what_is_not_known_runs_itself() {
        assert_eq!(check_runs("linux/riscv64", Arm32::NotKnown), "linux/riscv64");
        assert_eq!(check_runs("linux/arm/v4000000000", Arm32::NotKnown), "linux/arm/v4000000000");
    }
}
