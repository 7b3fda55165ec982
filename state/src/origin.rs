//! Which process holds a lease, so that another one on this machine sees that it died.

use serde::{Deserialize, Serialize};

/// A process, told apart from all that have or had its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// Of the machine's present life.
    boot: String,
    /// In which `process` is a number.
    namespace: String,
    process: u32,
    /// When it began, in ticks.
    started: String,
}

impl Origin {
    /// This process; `None` where the system can't tell.
    pub(crate) fn here() -> Option<Origin> {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
        let process = std::process::id();
        let (boot, namespace) = (boot.trim().to_owned(), namespace.display().to_string());
        Some(Origin { boot, namespace, process, started: started(process)? })
    }

    /// Whether that process is certainly gone. Of one on another machine nobody here can say so.
    pub(crate) fn is_gone(&self, here: Option<&Origin>) -> bool {
        let is_visible = |here: &Origin| here.boot == self.boot && here.namespace == self.namespace;
        // Where the first process can't be seen, others may be hidden, too.
        here.is_some_and(is_visible) && started(1).is_some() && started(self.process).as_ref() != Some(&self.started)
    }
}

/// When a process began; `None`: it is no more, or only its parent has yet to learn that.
fn started(process: u32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name stands in brackets and may have anything in it.
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_lives_is_not_gone_and_one_with_its_number_is_another() {
        let here = Origin::here().unwrap();
        assert!(!here.is_gone(Some(&here)));
        assert!(!here.is_gone(None), "nobody can say");
        let other = Origin { started: "1".to_owned(), ..here.clone() };
        assert!(other.is_gone(Some(&here)));
        let elsewhere = Origin { boot: "other".to_owned(), ..other };
        assert!(!elsewhere.is_gone(Some(&here)), "on another machine");
    }
}
