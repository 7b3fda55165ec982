//! What a provider says of itself, in a custom section that is read before any of its code runs.

mod words;

use std::collections::BTreeMap;

use bimetal_model::Diagnostic;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::{contract, wire};

/// The section's name.
const SECTION: &str = "bimetal:manifest";
/// A larger one is refused.
const MOST_BYTES: usize = 64 * 1024;

/// What a provider says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Manifest {
    /// Of this document: 1.
    pub format: u32,
    /// The provider's name.
    pub name: String,
    /// The provider's version.
    pub version: String,
    /// The contract's version.
    pub contract: String,
    /// The capabilities that it wants.
    #[serde(default)]
    pub requests: Vec<Request>,
    /// How fast others let it go.
    #[serde(default)]
    pub rates: Vec<Rate>,
}

/// One capability that a provider wants.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "capability", rename_all = "kebab-case")]
pub enum Request {
    /// HTTP requests.
    Http {
        /// In which calls they may be sent.
        #[serde(default, rename = "for")]
        when: When,
        /// `https://api.example.org`
        #[serde(default)]
        origins: Vec<String>,
        /// Arguments of the provider block that hold a further origin.
        #[serde(default)]
        from: Vec<String>,
        /// `GET`, …
        methods: Vec<String>,
        /// Credential arguments of the provider block that are sent there.
        #[serde(default)]
        credentials: Vec<String>,
        /// For people.
        #[serde(default)]
        why: String,
    },
    /// Container engines that configuration hands to it.
    Docker {
        /// For people.
        #[serde(default)]
        why: String,
    },
    /// Commands and files on machines that configuration hands to it.
    Ssh {
        /// By name.
        commands: BTreeMap<String, Command>,
        /// Prefixes of paths.
        #[serde(default)]
        files: Vec<String>,
        /// For people.
        #[serde(default)]
        why: String,
    },
    /// Certificates for engines.
    Certificates {
        /// For people.
        #[serde(default)]
        why: String,
    },
}

/// In which calls requests may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Those that change nothing in all calls, the others where something is made, changed or removed.
    #[default]
    Operate,
    /// Where ephemeral values are opened, renewed and closed: in every plan, too.
    Open,
}

/// A command that a provider may run on a machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Command {
    /// A line of shell; `{name}` takes one argument, `{name...}` the rest.
    pub run: String,
    /// Changes nothing.
    #[serde(default)]
    pub reads: bool,
    /// Runs as root.
    #[serde(default)]
    pub root: bool,
}

/// How many requests an origin takes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Rate {
    /// `https://api.example.org`
    pub origin: String,
    /// An argument of the provider block that holds another origin.
    #[serde(default)]
    pub from: Option<String>,
    /// Requests a minute.
    #[serde(default)]
    pub per_minute: Option<u32>,
    /// Requests an hour.
    #[serde(default)]
    pub per_hour: Option<u32>,
}

/// What every manifest begins with.
#[derive(Deserialize)]
struct Header {
    format: u32,
    contract: String,
}

impl Manifest {
    /// The manifest of a component; runs none of its code.
    pub fn of(component: &[u8]) -> Result<Manifest, Diagnostic> {
        let refused = |reason: String| Diagnostic::error("this is no provider").because(wire::clean(&reason));
        let section = find(component).map_err(|error| refused(format!("it is no WebAssembly component: {error}")))?;
        let section = section.ok_or_else(|| refused(format!("it has no section `{SECTION}`")))?;
        if section.len() > MOST_BYTES {
            return Err(refused(format!("its manifest is larger than {MOST_BYTES} bytes")));
        }
        let unreadable = |error| refused(format!("its manifest can't be read: {error}"));
        // First what it was made for: a newer manifest may look different otherwise.
        let header: Header = serde_json::from_slice(&section).map_err(unreadable)?;
        contract::check(&header.contract)?;
        if header.format != 1 {
            let reason = format!("its manifest is of format {}, and this Bimetal reads 1", header.format);
            return Err(refused(reason).hint("use another version of the provider or of Bimetal"));
        }
        let manifest: Manifest = serde_json::from_slice(&section).map_err(unreadable)?;
        // They are in whatever is said of it.
        if [&manifest.name, &manifest.version].into_iter().any(|text| text.chars().any(char::is_control)) {
            return Err(refused("its name or its version can't be printed".to_owned()));
        }
        Ok(manifest)
    }

    pub(crate) fn ssh(&self) -> Option<(&BTreeMap<String, Command>, &[String])> {
        self.requests.iter().find_map(|request| match request {
            Request::Ssh { commands, files, .. } => Some((commands, &files[..])),
            Request::Http { .. } | Request::Docker { .. } | Request::Certificates { .. } => None,
        })
    }

    pub(crate) fn docker(&self) -> bool {
        self.requests.iter().any(|request| matches!(request, Request::Docker { .. }))
    }

    pub(crate) fn certificates(&self) -> bool {
        self.requests.iter().any(|request| matches!(request, Request::Certificates { .. }))
    }
}

/// The digest of a component: `sha256:…`.
pub fn digest(component: &[u8]) -> String {
    let bytes = Sha256::digest(component);
    format!("sha256:{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// The section, in the component or in a module inside of it.
fn find(component: &[u8]) -> wasmparser::Result<Option<Vec<u8>>> {
    for payload in wasmparser::Parser::new(0).parse_all(component) {
        if let wasmparser::Payload::CustomSection(section) = payload?
            && section.name() == SECTION
        {
            return Ok(Some(section.data().to_vec()));
        }
    }
    Ok(None)
}
