//! Versions as repositories and registries tag them.

use bimetal_model::version::Version;

/// The version that a tag stands for: `v1.2.3` or `1.2.3`.
pub(crate) fn of_tag(tag: &str) -> Option<Version> {
    Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
}
