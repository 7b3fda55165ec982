//! Names of objects of an engine's.

use bimetal_provider::Diagnostic;

/// What is wrong with the name of a container or a volume, by the engine's own pattern (`RestrictedNamePattern` in
/// <https://github.com/moby/moby/blob/master/daemon/names/names.go>).
pub(crate) fn check(kind: &str, name: &str) -> Option<Diagnostic> {
    let is_name = name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    let error = || Diagnostic::error(format!("`{name}` is no name for a {kind}")).at("name");
    let hint = "letters, digits, `_`, `.` and `-` make one, at least two of them, and the first is a letter or digit";
    (!is_name).then(|| error().hint(hint))
}

/// What is wrong with the name of a network. Engines have some of their own, which nobody makes.
pub(crate) fn check_network(name: &str) -> Option<Diagnostic> {
    let error = |summary: String| Some(Diagnostic::error(summary).at("name"));
    match name {
        "bridge" | "host" | "none" | "default" => error(format!("each engine has its own network `{name}`")),
        _ if name.trim().is_empty() => error("a network needs a name".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_engines() {
        for name in ["ab", "web-1.g2", "0_"] {
            assert_eq!(check("volume", name), None);
        }
        for name in ["", "a", ".a", "-a", "a b", "a/b", "\u{e9}t\u{e9}"] {
            assert!(check("volume", name).is_some(), "{name}");
        }
        assert_eq!(check_network("back end"), None);
        for name in ["", " ", "host"] {
            assert!(check_network(name).is_some(), "{name}");
        }
    }
}
