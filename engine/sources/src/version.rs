//! Which of a repository's tags a constraint takes: `~> 1.2`.
//!
//! Constraints are read as those of providers are (`engine/install/src/version.rs`).

use semver::Version;

/// Whether a version fits a constraint. One that is not finished, as `2.0.0-beta`, fits where it is named itself.
pub(crate) fn allows(constraint: &str, version: &Version) -> Result<bool, String> {
    let parts = constraint.split(',').map(|part| allows_one(part.trim(), version));
    parts.collect::<Result<Vec<_>, _>>().map(|parts| parts.into_iter().all(|allowed| allowed))
}

/// The version that a tag stands for: `v1.2.3` or `1.2.3`.
pub(crate) fn of_tag(tag: &str) -> Option<Version> {
    Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
}

/// The tag of the newest version that fits, with the version. Of `v1.2.3` and `1.2.3` the former.
pub(crate) fn newest<'t>(
    tags: impl IntoIterator<Item = &'t str>,
    constraint: &str,
) -> Result<Option<(Version, &'t str)>, String> {
    let mut newest: Option<(Version, &str)> = None;
    for tag in tags {
        let Some(version) = of_tag(tag) else { continue };
        let is_newer = newest.as_ref().is_none_or(|(newest, other)| (&version, tag) > (newest, *other));
        if allows(constraint, &version)? && is_newer {
            newest = Some((version, tag));
        }
    }
    Ok(newest)
}

/// Why this is no constraint, if it is none.
pub(crate) fn check(constraint: &str) -> Result<(), String> {
    allows(constraint, &Version::new(0, 0, 0)).map(|_| ())
}

fn allows_one(part: &str, version: &Version) -> Result<bool, String> {
    let split = part.find(|c: char| c.is_ascii_digit()).ok_or_else(|| format!("`{part}` names no version"))?;
    let (operator, text) = (part[..split].trim(), part[split..].trim());
    let (wanted, places) = wanted(text)?;
    let is_finished = version.pre.is_empty();
    Ok(match operator {
        "" | "=" => *version == wanted,
        "!=" => is_finished && *version != wanted,
        ">" => is_finished && *version > wanted,
        ">=" => is_finished && *version >= wanted || *version == wanted,
        "<" => is_finished && *version < wanted,
        "<=" => is_finished && *version <= wanted || *version == wanted,
        "~>" => is_finished && *version >= wanted && *version < after(&wanted, places) || *version == wanted,
        other => return Err(format!("`{other}` is no comparison")),
    })
}

/// The version, and how many of its numbers are written.
fn wanted(text: &str) -> Result<(Version, usize), String> {
    let numbers = text.split(['-', '+']).next().unwrap_or(text);
    let places = numbers.split('.').count();
    let filled = format!("{numbers}{}{}", ".0".repeat(3_usize.saturating_sub(places)), &text[numbers.len()..]);
    Version::parse(&filled).map(|version| (version, places)).map_err(|_| format!("`{text}` is no version"))
}

/// What `~>` ends before: the last number that is written may grow.
fn after(wanted: &Version, places: usize) -> Version {
    match places {
        0..=2 => Version::new(wanted.major.saturating_add(1), 0, 0),
        _ => Version::new(wanted.major, wanted.minor.saturating_add(1), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_tag_that_fits_is_taken() {
        let tags = ["latest", "v1.2.0", "1.10.0", "v1.10.0", "v1.9.3", "v2.0.0-beta", "release-3"];
        let newest = |constraint| newest(tags, constraint).map(|found| found.map(|(_, tag)| tag));
        assert_eq!(newest("~> 1.2"), Ok(Some("v1.10.0")));
        assert_eq!(newest("~> 1.9.0"), Ok(Some("v1.9.3")));
        assert_eq!(newest("2.0.0-beta"), Ok(Some("v2.0.0-beta")));
        assert_eq!(newest(">= 1.9, < 1.10"), Ok(Some("v1.9.3")));
        assert_eq!(newest("!= 1.10.0"), Ok(Some("v1.9.3")));
        assert_eq!(newest("~> 3.0"), Ok(None));
        assert!(newest("banana").is_err() && newest("~> 1.x").is_err());
    }
}
