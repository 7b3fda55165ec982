use serde_json::Value as Json;

pub use crate::bindings::bimetal::provider::types::{Code, Fault};

/// The host's functions: imports of a component; in a native test those of the world that it entered.
#[cfg(target_family = "wasm")]
mod host {
    pub(crate) use crate::bindings::bimetal::provider::{certificates, clock, docker, http, report, ssh};
}
#[cfg(not(target_family = "wasm"))]
mod host {
    pub(crate) use crate::testing::{certificates, clock, docker, http, report, ssh};
}
use host::{clock, report};

/// Container engines.
pub mod docker;
/// HTTP requests to granted origins.
pub mod http;
/// Commands and files on machines.
pub mod ssh;

/// Certificates for engines.
pub mod certificates {
    pub use crate::bindings::bimetal::provider::certificates::Installed;

    use super::{Fault, host};

    /// Issues a server certificate of the named authority and writes it below a folder of the machine's.
    pub fn install_server(
        authority: &str,
        endpoint: &str,
        folder: &str,
        names: &[String],
        days: u32,
    ) -> Result<Installed, Fault> {
        host::certificates::install_server(authority, endpoint, folder, names, days)
    }
}

/// Milliseconds since 1970; stands still while planning.
pub fn now_ms() -> u64 {
    clock::now_ms()
}

/// So many random bytes; the same ones every time while planning.
pub fn random(length: u32) -> Vec<u8> {
    clock::random(length)
}

/// Says how far the object at `index` of a batch is.
pub fn progress(index: u32, message: &str) {
    report::progress(index, message, None, None);
}

/// Writes to the host's log.
pub fn log(message: &str) {
    report::log(report::Level::Debug, message);
}

pub(crate) fn log_error(message: &str) {
    report::log(report::Level::Error, message);
}

fn parsed(text: &str) -> Result<Json, Fault> {
    serde_json::from_str(text).map_err(|error| Fault {
        code: Code::Protocol,
        message: format!("the answer is no JSON: {error}"),
        retryable: false,
    })
}
