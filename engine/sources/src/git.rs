//! The user's own git, as a program: its credentials, proxies and SSH settings are theirs.
//!
//! What it is given was checked before (`source`), and it may do little: no hooks, no helpers that run programs, no questions.

mod fetching;
mod objects;
mod refs;
mod running;
mod scratch;
mod signatures;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bimetal_model::Diagnostic;

pub(crate) use fetching::fetch;
pub(crate) use objects::{Source as Objects, write as write_tree};
pub(crate) use refs::{Refs, Target, list};
pub(crate) use running::{Answer, Running, told};
pub(crate) use scratch::Scratch;
pub(crate) use signatures::{Signed, verify};

/// What a `git` of a hook or another git would hand down, and what would turn answers around.
const NOT_OURS: [&str; 15] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_QUARANTINE_PATH",
    "GIT_REFLOG_ACTION",
    "GIT_EXTERNAL_DIFF",
    "GIT_DEFAULT_HASH",
];

const OURS: [(&str, &str); 7] = [
    // Whatever the user's settings are: `ext::` and the like run programs that a URL names.
    ("GIT_ALLOW_PROTOCOL", "https:http:ssh:git:file"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    // Its words are read.
    ("LC_ALL", "C"),
    ("LANGUAGE", "C"),
    ("GIT_PAGER", "cat"),
];

const SETTINGS: [&str; 9] = [
    "protocol.ext.allow=never",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.recurseSubmodules=false",
    // Packs are indexed as they stream in, never unpacked in memory.
    "fetch.unpackLimit=1",
    "core.bigFileThreshold=16m",
];

/// How to run git.
#[derive(Clone, Debug)]
pub struct Git {
    program: OsString,
    environment: Vec<(OsString, OsString)>,
    stop: Stop,
}

/// Whether what runs should end, because nobody waits for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for Git {
    fn default() -> Git {
        Git { program: "git".into(), environment: Vec::new(), stop: Stop::default() }
    }
}

impl Git {
    /// With a variable of the environment beside those of this process.
    #[must_use]
    pub fn with(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Git {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// The same git, all of whose runs end when this is asked.
    pub(crate) fn stoppable(&self, stop: &Stop) -> Git {
        Git { stop: stop.clone(), ..self.clone() }
    }

    /// A command, to which its words are still to be added.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        for name in NOT_OURS {
            command.env_remove(name);
        }
        command.envs(OURS);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A command in a repository, which is named so that git looks for no other.
    pub(crate) fn in_repository(&self, folder: &Path) -> Command {
        let mut command = self.command();
        command.arg("--git-dir").arg(folder);
        command
    }

    /// Runs a command whose answer is short.
    pub(crate) fn ask(&self, command: Command) -> Result<Answer, Diagnostic> {
        Running::start(self, command, SOON)?.answer(SHORT)
    }
}

/// How long git may take for what it does on this machine.
pub(crate) const SOON: Duration = Duration::from_secs(120);
/// How long a server may take.
pub(crate) const LATE: Duration = Duration::from_secs(600);
/// The longest answer that is taken, but for contents: 64 MiB hold the names of half a million refs.
pub(crate) const SHORT: u64 = 64 << 20;
