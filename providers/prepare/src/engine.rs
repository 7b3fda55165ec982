//! Whether there is an engine, and whether it answers: from the lines that the command `engine` prints.

use crate::facts::Said;

/// The engine of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Engine {
    /// Its program is installed, or its socket is there.
    pub is_installed: bool,
    /// Its socket is there, and the user may not use it.
    pub(crate) is_closed: bool,
    /// The version with which it answers.
    pub version: Option<String>,
}

impl Engine {
    pub(crate) fn parse(text: &str) -> Engine {
        let said = Said::parse(text);
        let has = |name| said.one(name) == "yes";
        let version = Some(said.one("answers")).filter(|version| !version.is_empty());
        Engine {
            is_installed: has("daemon") || has("socket"),
            is_closed: has("socket") && !has("writable"),
            version: version.map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_answers_has_a_version() {
        let engine = Engine::parse("daemon=yes\nsocket=yes\nwritable=yes\nanswers=26.1.5+dfsg1\n");
        assert_eq!(engine.version.as_deref(), Some("26.1.5+dfsg1"));
        assert!(engine.is_installed && !engine.is_closed);
    }

    #[test]
    fn an_engine_may_be_closed_stopped_or_missing() {
        assert!(Engine::parse("daemon=yes\nsocket=yes\nanswers=\n").is_closed);
        assert_eq!(Engine::parse("daemon=yes\n"), Engine { is_installed: true, ..Engine::default() });
        assert_eq!(Engine::parse(""), Engine::default());
    }
}
