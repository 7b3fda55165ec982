//! Which state something is of.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which state, and since when its versions count. Written as `state` or `state@timeline`; empty where there was no state yet.
///
/// A state that begins anew from a copy of itself counts on from there: what it called version 7 before is not what it calls so
/// later. The name is PostgreSQL's, for the same: <https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-TIMELINES>.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Lineage {
    /// A random id that the state got when it was made, and has wherever it goes.
    pub state: String,
    /// A random id that it got when it last began anew from a copy; empty where it never did.
    pub timeline: String,
}

impl Lineage {
    /// Where there is no state yet.
    pub fn is_none(&self) -> bool {
        self.state.is_empty()
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.timeline.as_str() {
            "" => f.write_str(&self.state),
            timeline => write!(f, "{}@{timeline}", self.state),
        }
    }
}

impl From<String> for Lineage {
    fn from(text: String) -> Lineage {
        match text.split_once('@') {
            Some((state, timeline)) => Lineage { state: state.to_owned(), timeline: timeline.to_owned() },
            None => Lineage { state: text, timeline: String::new() },
        }
    }
}

impl From<Lineage> for String {
    fn from(lineage: Lineage) -> String {
        lineage.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lineages_read_back_as_they_print() {
        for text in ["", "a", "a@1"] {
            assert_eq!(Lineage::from(text.to_owned()).to_string(), text);
        }
        assert_eq!(Lineage::from("a@1".to_owned()), Lineage { state: "a".to_owned(), timeline: "1".to_owned() });
    }
}
