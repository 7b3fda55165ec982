//! One file a command, or a few that belong together.

pub(crate) mod apply;
pub(crate) mod console;
pub(crate) mod diff;
pub(crate) mod fleet;
pub(crate) mod fmt;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod lock;
pub(crate) mod mend;
pub(crate) mod plan;
pub(crate) mod plugin;
pub(crate) mod providers;
pub(crate) mod reach;
pub(crate) mod rollback;
pub(crate) mod signals;
pub(crate) mod state;
pub(crate) mod status;
pub(crate) mod test;
