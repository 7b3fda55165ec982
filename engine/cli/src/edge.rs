//! Time, chance and who is at the keyboard.

use std::time::{SystemTime, UNIX_EPOCH};

use bimetal_model::lease::Holder;
use bimetal_model::port::Edge;

/// The real ones.
pub(crate) struct System;

impl Edge for System {
    fn now_ms(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
    }

    fn new_id(&self) -> String {
        uuid::Uuid::new_v4().simple().to_string()
    }
}

/// Who runs this command.
pub(crate) fn holder(command: &str) -> Holder {
    Holder { who: who(), process: std::process::id(), command: format!("bimetal {command}"), since_ms: System.now_ms() }
}

/// `user@host`
pub(crate) fn who() -> String {
    let named = |variable: &str| std::env::var(variable).ok().filter(|name| !name.is_empty());
    let user = named("USER").or_else(|| named("LOGNAME")).unwrap_or_else(account);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match host.trim() {
        "" => user,
        host => format!("{user}@{host}"),
    }
}

/// What the system calls who runs this; its number, where it has no name for it.
fn account() -> String {
    let id = nix::unistd::Uid::current();
    let user = nix::unistd::User::from_uid(id).ok().flatten();
    user.map_or_else(|| format!("user {id}"), |user| user.name)
}

/// As `moment`, without seconds and without the word that it is universal time.
pub(crate) fn minute(ms: u64) -> String {
    let moment = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    moment.map_or_else(|| "at an unknown time".to_owned(), |moment| moment.strftime("%Y-%m-%d %H:%M").to_string())
}

/// A moment as people write it, in universal time.
pub(crate) fn moment(ms: u64) -> String {
    let moment = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    moment
        .map_or_else(|| "at an unknown time".to_owned(), |moment| moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn who_runs_it_has_a_name_without_the_environment() {
        assert!(!super::account().is_empty());
        assert_eq!(super::minute(0), "1970-01-01 00:00");
    }
}
