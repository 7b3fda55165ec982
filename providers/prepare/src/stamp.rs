//! What Bimetal put on a machine, written there before it is done.
//!
//! Invariant: what is not in the stamp is never taken off (test: `what_was_there_stays`), and what Bimetal does is in the stamp
//! before it happens, so that an interruption leaves nothing behind that nobody knows of (test: `every_interruption_ends_well`).

use bimetal_provider::{Diagnostic, Result};
use serde::{Deserialize, Serialize};

use crate::remote::Remote;

/// Where it is.
pub const STAMP: &str = "/etc/bimetal/machine.json";

/// What Bimetal put on a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    format: u32,
    /// Of the object that this machine is.
    pub intent: String,
    /// The engine is ours, and this is the package manager that it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) manager: Option<String>,
    /// What was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) wanted: Vec<String>,
    /// What that brought: these were not there before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) packages: Vec<String>,
    /// The installation has been started, and its end was not seen yet.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) installing: bool,
    /// How often it failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) failures: u32,
    /// The engine's data was not there before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) data: bool,
    /// An engine that was there, but that nothing started.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) enabled: bool,
    /// Since when we wait for the engine to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) waiting_since_ms: Option<u64>,
    /// Users who were put in the engine's group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) members: Vec<String>,
    /// Besides this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<String>,
    /// The engine's, where it listens on TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<Certificate>,
    /// The engine does not know its newest files yet.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) restart: bool,
}

/// A certificate that was installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Certificate {
    pub(crate) authority: String,
    pub(crate) names: Vec<String>,
    pub(crate) not_after_ms: u64,
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !*value
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

impl Stamp {
    fn new(intent: &str) -> Stamp {
        Stamp {
            format: 1,
            intent: intent.to_owned(),
            manager: None,
            wanted: Vec::new(),
            packages: Vec::new(),
            installing: false,
            failures: 0,
            data: false,
            enabled: false,
            waiting_since_ms: None,
            members: Vec::new(),
            files: Vec::new(),
            certificate: None,
            restart: false,
        }
    }

    /// The machine's; `None`: it has none.
    pub fn read(remote: &dyn Remote) -> Result<Option<Stamp>> {
        let Some(content) = remote.read_file(STAMP)? else { return Ok(None) };
        let stamp: Stamp = serde_json::from_slice(&content).map_err(|error| {
            Diagnostic::error(format!("`{STAMP}` can't be read: {error}")).hint("Bimetal wrote it; was it edited?")
        })?;
        match stamp.format {
            1 => Ok(Some(stamp)),
            other => Err(Diagnostic::error(format!("`{STAMP}` has format {other}"))
                .hint("a newer Bimetal wrote it; use that one")),
        }
    }

    /// The machine's, or a new one, written. A machine has one owner.
    pub(crate) fn claim(remote: &dyn Remote, intent: &str) -> Result<Stamp> {
        match Stamp::read(remote)? {
            Some(stamp) if stamp.intent == intent => Ok(stamp),
            Some(stamp) => Err(Diagnostic::error(format!("this machine is managed already, as `{}`", stamp.intent)).hint(format!(
                "destroy it where it was made, or import it, or remove `{STAMP}` there if nobody manages it any more"
            ))),
            None => {
                let stamp = Stamp::new(intent);
                stamp.write(remote)?;
                Ok(stamp)
            }
        }
    }

    pub(crate) fn write(&self, remote: &dyn Remote) -> Result<()> {
        let text =
            serde_json::to_string_pretty(self).unwrap_or_else(|error| unreachable!("its keys are text: {error}"));
        Ok(remote.write_file(STAMP, 0o644, format!("{text}\n").as_bytes())?)
    }

    /// When the engine's certificate ends, in milliseconds since 1970.
    pub fn certificate_not_after_ms(&self) -> Option<u64> {
        self.certificate.as_ref().map(|certificate| certificate.not_after_ms)
    }
}
