//! HTTP clients that are made when they are first needed.
//!
//! Making one reads every authority that this machine believes: more work than all the rest of a small plan.

use std::sync::OnceLock;

use reqwest::{Client, ClientBuilder};

use crate::fault::{Code, Fault};

/// A client of this program's, which says so. TLS has been told its cryptography.
pub fn builder() -> ClientBuilder {
    crate::certificates::use_ring();
    Client::builder().user_agent(concat!("bimetal/", env!("CARGO_PKG_VERSION")))
}

/// A client that may never be needed.
pub(crate) struct Later {
    builder: fn() -> ClientBuilder,
    made: OnceLock<Result<Client, Fault>>,
}

impl Later {
    /// Nothing is made yet. TLS must have been told its cryptography by the first use.
    pub(crate) fn new(builder: fn() -> ClientBuilder) -> Later {
        Later { builder, made: OnceLock::new() }
    }

    /// The client, the same for all who ask. A failure stays one: it lies in this machine's settings.
    pub(crate) fn get(&self) -> Result<&Client, Fault> {
        let wrong = |error| Fault::new(Code::Invalid, format!("the HTTP client can't be made: {error}"));
        let make = || (self.builder)().build().map_err(wrong);
        self.made.get_or_init(make).as_ref().map_err(Clone::clone)
    }
}
