//! Version constraints, as Terraform writes them: `>= 1.2, < 2.0`, `~> 1.4`.

use semver::Version;

/// Whether a version fits a constraint.
///
/// A version that is not finished, as `2.0.0-beta`, fits where it is named itself, and nowhere else.
pub fn allows(constraint: &str, version: &str) -> Result<bool, String> {
    let version = Version::parse(version).map_err(|error| error.to_string())?;
    let parts = constraint.split(',').map(|part| allows_one(part.trim(), &version));
    parts.collect::<Result<Vec<_>, _>>().map(|parts| parts.into_iter().all(|allowed| allowed))
}

/// The newest of these tags that is a version and fits; none need be.
pub fn newest<'t>(
    tags: impl IntoIterator<Item = &'t str>,
    constraint: Option<&str>,
) -> Result<Option<Version>, String> {
    let mut newest = None;
    for tag in tags {
        let Ok(version) = Version::parse(tag) else { continue };
        let fits = match constraint {
            Some(constraint) => allows(constraint, tag)?,
            None => version.pre.is_empty(),
        };
        if fits && newest.as_ref().is_none_or(|newest| version > *newest) {
            newest = Some(version);
        }
    }
    Ok(newest)
}

fn allows_one(part: &str, version: &Version) -> Result<bool, String> {
    let split = part.find(|c: char| c.is_ascii_digit()).ok_or_else(|| format!("`{part}` names no version"))?;
    let (operator, text) = (part[..split].trim(), part[split..].trim());
    let (wanted, places) = wanted(text)?;
    let is_finished = version.pre.is_empty();
    Ok(match operator {
        "" | "=" => *version == wanted,
        "!=" => *version != wanted,
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
    let wrong = |_| format!("`{text}` is no version");
    let numbers = text.split(['-', '+']).next().unwrap_or(text);
    let places = numbers.split('.').count();
    let filled = format!("{numbers}{}{}", ".0".repeat(3_usize.saturating_sub(places)), &text[numbers.len()..]);
    Version::parse(&filled).map(|version| (version, places)).map_err(wrong)
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
    fn constraints_mean_what_they_mean_in_terraform() {
        for (constraint, allowed) in [
            (">= 0.1", true),
            ("~> 0.1", true),
            ("~> 0.1.0", true),
            ("~> 0.2", false),
            (">= 0.1.0, < 0.2", true),
            ("0.1.0", true),
            ("!= 0.1.0", false),
        ] {
            assert_eq!(allows(constraint, "0.1.0"), Ok(allowed), "{constraint}");
        }
        assert!(allows("banana", "0.1.0").is_err());
    }

    #[test]
    fn the_newest_that_fits_is_chosen() {
        let tags = ["latest", "1.2.0", "1.10.0", "1.9.3", "2.0.0-beta", "sha256-1.sig"];
        let newest = |constraint| newest(tags, constraint).unwrap().map(|version| version.to_string());
        assert_eq!(newest(Some("~> 1.2")), Some("1.10.0".to_owned()));
        assert_eq!(newest(Some("~> 1.9.0")), Some("1.9.3".to_owned()));
        assert_eq!(newest(Some("2.0.0-beta")), Some("2.0.0-beta".to_owned()));
        assert_eq!(newest(Some(">= 2.0.0-alpha")), None);
        assert_eq!(newest(None), Some("1.10.0".to_owned()));
    }
}
