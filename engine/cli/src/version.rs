//! Version constraints.

/// Whether a version fits a constraint, as Terraform writes it: `>= 1.2, < 2.0`, `~> 1.4`.
pub(crate) fn allows(constraint: &str, version: &str) -> Result<bool, String> {
    let version = semver::Version::parse(version).map_err(|error| error.to_string())?;
    let parts = constraint.split(',').map(|part| allows_one(part.trim(), &version));
    parts.collect::<Result<Vec<_>, _>>().map(|parts| parts.into_iter().all(|allowed| allowed))
}

fn allows_one(part: &str, version: &semver::Version) -> Result<bool, String> {
    let split = part.find(|c: char| c.is_ascii_digit()).ok_or_else(|| format!("`{part}` names no version"))?;
    let (operator, wanted) = (part[..split].trim(), part[split..].trim());
    let numbers: Vec<u64> = wanted
        .split('.')
        .map(|n| n.parse().map_err(|_| format!("`{wanted}` is no version")))
        .collect::<Result<_, _>>()?;
    let at = |place: usize| numbers.get(place).copied().unwrap_or(0);
    let wanted = semver::Version::new(at(0), at(1), at(2));
    Ok(match operator {
        "" | "=" => *version == wanted,
        "!=" => *version != wanted,
        ">" => *version > wanted,
        ">=" => *version >= wanted,
        "<" => *version < wanted,
        "<=" => *version <= wanted,
        "~>" if numbers.len() >= 3 => *version >= wanted && *version < semver::Version::new(at(0), at(1) + 1, 0),
        "~>" => *version >= wanted && *version < semver::Version::new(at(0) + 1, 0, 0),
        other => return Err(format!("`{other}` is no comparison")),
    })
}

#[cfg(test)]
mod tests {
    use super::allows;

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
}
