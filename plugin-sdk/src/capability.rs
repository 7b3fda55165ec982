use serde_json::Value as Json;

pub use crate::bindings::bimetal::provider::types::{Code, Fault};
use crate::bindings::bimetal::provider::{clock, report};

/// Container engines.
pub mod docker;
/// HTTP requests to granted origins.
pub mod http;
/// Commands and files on machines.
pub mod ssh;

/// Certificates for engines.
pub mod certificates {
    pub use crate::bindings::bimetal::provider::certificates::{Installed, install_server};
}

/// Milliseconds since 1970; stands still while planning.
pub fn now_ms() -> u64 {
    clock::now_ms()
}

/// Says how far the object at `index` of a batch is.
pub fn progress(index: u32, message: &str) {
    report::progress(index, message, None, None);
}

/// Writes to the host's log.
pub fn log(message: &str) {
    report::log(report::Level::Debug, message);
}

fn parsed(text: &str) -> Result<Json, Fault> {
    serde_json::from_str(text).map_err(|error| Fault {
        code: Code::Protocol,
        message: format!("the answer is no JSON: {error}"),
        retryable: false,
    })
}
