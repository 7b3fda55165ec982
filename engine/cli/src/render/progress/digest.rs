//! What ended, in as few lines as say it: a thousand equal things are one line now and then.

use std::collections::BTreeMap;
use std::time::Duration;

use bimetal_model::Address;

use super::super::style::{ADD, BOLD, paint};

/// So many of one kind at a time have a line each.
const EACH: usize = 4;

/// A whole block, whether it is about its replicas, and what was done.
type Kind = (Address, bool, &'static str);

/// What ended and was not said yet.
#[derive(Default)]
pub(super) struct Digest {
    ended: BTreeMap<Kind, Alike>,
}

/// What is of one kind.
struct Alike {
    /// How many kinds were there before it.
    place: usize,
    each: Vec<(Address, Duration)>,
}

impl Digest {
    pub(super) fn add(&mut self, address: &Address, action: &'static str, took: Duration) {
        let kind = (address.whole(), address.replica.is_some(), action);
        let place = self.ended.len();
        let alike = self.ended.entry(kind).or_insert_with(|| Alike { place, each: Vec::new() });
        alike.each.push((address.clone(), took));
    }

    /// What is to be said now, in the order in which it happened.
    pub(super) fn take(&mut self) -> Vec<String> {
        let mut kinds: Vec<_> = std::mem::take(&mut self.ended).into_iter().collect();
        kinds.sort_by_key(|(_, alike)| alike.place);
        kinds
            .into_iter()
            .flat_map(|((whole, is_replica, action), alike)| said(&whole, is_replica, action, &alike.each))
            .collect()
    }
}

fn said(whole: &Address, is_replica: bool, action: &str, ended: &[(Address, Duration)]) -> Vec<String> {
    let done = paint(ADD, done(action));
    if ended.len() <= EACH {
        let line = |(address, took): &(Address, Duration)| {
            format!("{}: {done} after {}", paint(BOLD, address), super::seconds(*took))
        };
        return ended.iter().map(line).collect();
    }
    let longest = ended.iter().map(|(_, took)| *took).max().unwrap_or_default();
    let what = if is_replica { "replicas" } else { "instances" };
    let count = ended.len();
    vec![format!("{}: {count} {what} {done}, each within {}", paint(BOLD, whole), super::seconds(longest))]
}

fn done(action: &str) -> &'static str {
    match action {
        "create" => "created",
        "update" => "changed",
        "delete" => "destroyed",
        "read" => "read",
        "open" => "opened",
        _ => "done",
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::style::plain;
    use super::*;

    #[test]
    fn many_of_one_kind_are_one_line() {
        let mut digest = Digest::default();
        for index in 0..37u64 {
            let address = format!("service.web.replica[{index}]").parse().unwrap();
            digest.add(&address, "create", Duration::from_millis(300 * index));
        }
        for name in ["a", "b"] {
            let address = format!("docker_volume.data[\"{name}\"]").parse().unwrap();
            digest.add(&address, "delete", Duration::from_secs(75));
        }
        insta::assert_snapshot!(plain(&digest.take().join("\n")), @r#"
        service.web: 37 replicas created, each within 10s
        docker_volume.data["a"]: destroyed after 1m15s
        docker_volume.data["b"]: destroyed after 1m15s
        "#);
        // As they ended, not as they are called.
        for address in ["service.web.replica[0]", "machine.docker.here"] {
            digest.add(&address.parse().unwrap(), "delete", Duration::ZERO);
        }
        insta::assert_snapshot!(plain(&digest.take().join("\n")), @"
        service.web.replica[0]: destroyed after 0.0s
        machine.docker.here: destroyed after 0.0s
        ");
        assert!(digest.take().is_empty());
    }
}
