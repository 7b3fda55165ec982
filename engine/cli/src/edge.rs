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
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "unknown".to_owned());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match host.trim() {
        "" => user,
        host => format!("{user}@{host}"),
    }
}

/// A moment as people write it, in universal time.
pub(crate) fn moment(ms: u64) -> String {
    let moment = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    moment
        .map_or_else(|| "at an unknown time".to_owned(), |moment| moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}
