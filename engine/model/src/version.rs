//! Versions and constraints on them, as Terraform writes them: `>= 1.2, < 2.0`, `~> 1.4`.

use std::fmt;

pub use semver::Version;

use crate::Diagnostic;

/// Which versions are wanted: all of its parts hold.
#[derive(Clone, Debug)]
pub struct Constraint {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
struct Part {
    comparison: Comparison,
    wanted: Version,
    /// How many of its numbers are written.
    places: usize,
}

#[derive(Clone, Copy, Debug)]
enum Comparison {
    Is,
    IsNot,
    After,
    From,
    Before,
    UpTo,
    /// `~>`: the last number that is written may grow.
    About,
}

impl Constraint {
    /// Reads one; the error says why it is none.
    pub fn parse(text: &str) -> Result<Constraint, Diagnostic> {
        let parts = text.split(',').map(|part| Part::parse(part.trim())).collect::<Result<Vec<_>, _>>();
        let wrong = |reason| Diagnostic::error(format!("`{text}` is no version constraint")).because(reason);
        Ok(Constraint { text: text.to_owned(), parts: parts.map_err(wrong)? })
    }

    /// Whether a version fits. One that is not finished, as `2.0.0-beta`, fits where it is named itself, and nowhere else.
    pub fn allows(&self, version: &Version) -> bool {
        self.parts.iter().all(|part| part.allows(version))
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Part {
    fn parse(part: &str) -> Result<Part, String> {
        let split = part.find(|c: char| c.is_ascii_digit()).ok_or_else(|| format!("`{part}` names no version"))?;
        let comparison = match part[..split].trim() {
            "" | "=" => Comparison::Is,
            "!=" => Comparison::IsNot,
            ">" => Comparison::After,
            ">=" => Comparison::From,
            "<" => Comparison::Before,
            "<=" => Comparison::UpTo,
            "~>" => Comparison::About,
            other => return Err(format!("`{other}` is no comparison")),
        };
        let text = part[split..].trim();
        let numbers = text.split(['-', '+']).next().unwrap_or(text);
        let places = numbers.split('.').count();
        let filled = format!("{numbers}{}{}", ".0".repeat(3_usize.saturating_sub(places)), &text[numbers.len()..]);
        let wanted = Version::parse(&filled).map_err(|_| format!("`{text}` is no version"))?;
        Ok(Part { comparison, wanted, places })
    }

    fn allows(&self, version: &Version) -> bool {
        let (wanted, is_finished) = (&self.wanted, version.pre.is_empty());
        match self.comparison {
            Comparison::Is => version == wanted,
            Comparison::IsNot => is_finished && version != wanted,
            Comparison::After => is_finished && version > wanted,
            Comparison::From => is_finished && version >= wanted || version == wanted,
            Comparison::Before => is_finished && version < wanted,
            Comparison::UpTo => is_finished && version <= wanted || version == wanted,
            Comparison::About => is_finished && version >= wanted && *version < self.end() || version == wanted,
        }
    }

    /// What `~>` ends before.
    fn end(&self) -> Version {
        match self.places {
            0..=2 => Version::new(self.wanted.major.saturating_add(1), 0, 0),
            _ => Version::new(self.wanted.major, self.wanted.minor.saturating_add(1), 0),
        }
    }
}

/// Whether a version fits, as lock files have the one and configurations the other. What is no version fits nothing.
pub fn fits(constraint: &str, version: &str) -> Result<bool, Diagnostic> {
    let constraint = Constraint::parse(constraint)?;
    Ok(Version::parse(version).is_ok_and(|version| constraint.allows(&version)))
}

/// The newest version that fits, with what it comes with; without a constraint the newest that is finished. Of two that are the same
/// the greater.
pub fn newest<T: Ord>(
    versions: impl IntoIterator<Item = (Version, T)>,
    constraint: Option<&Constraint>,
) -> Option<(Version, T)> {
    let fits = |version: &Version| match constraint {
        Some(constraint) => constraint.allows(version),
        None => version.pre.is_empty(),
    };
    versions.into_iter().filter(|(version, _)| fits(version)).max()
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
            assert_eq!(Constraint::parse(constraint).unwrap().allows(&Version::new(0, 1, 0)), allowed, "{constraint}");
        }
        for (wrong, why) in [
            ("banana", "`banana` names no version"),
            ("~> 1.x", "`1.x` is no version"),
            ("=> 1.0", "`=>` is no comparison"),
        ] {
            let error = Constraint::parse(wrong).expect_err(wrong);
            assert_eq!(error.summary, format!("`{wrong}` is no version constraint"));
            assert_eq!(error.detail, why);
        }
    }

    #[test]
    fn the_newest_that_fits_is_chosen() {
        let tags = ["latest", "1.2.0", "1.10.0", "1.9.3", "2.0.0-beta", "sha256-1.sig"];
        let newest = |constraint: Option<&str>| {
            let constraint = constraint.map(|constraint| Constraint::parse(constraint).unwrap());
            let versions = tags.into_iter().filter_map(|tag| Some((Version::parse(tag).ok()?, tag)));
            newest(versions, constraint.as_ref()).map(|(_, tag)| tag)
        };
        assert_eq!(newest(Some("~> 1.2")), Some("1.10.0"));
        assert_eq!(newest(Some("~> 1.9.0")), Some("1.9.3"));
        assert_eq!(newest(Some("2.0.0-beta")), Some("2.0.0-beta"));
        assert_eq!(newest(Some("!= 1.10.0")), Some("1.9.3"));
        assert_eq!(newest(Some(">= 2.0.0-alpha")), None);
        assert_eq!(newest(None), Some("1.10.0"));
    }
}
