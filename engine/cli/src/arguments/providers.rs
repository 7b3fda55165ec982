//! The words of `providers`, and of whoever agrees to what providers may do.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Variables;

#[derive(Debug, Subcommand)]
pub(crate) enum Providers {
    /// List them: version, source, digest, and who signed them
    List(Variables),
    /// Lock them, and do nothing else that `init` does
    Lock(LockProviders),
    /// Print what they take: blocks, types and functions
    Schema(Variables),
    /// Write the locked ones that are from registries into a folder, to be installed from without a network
    Mirror(Mirrored),
}

/// What may be taken without a question.
#[derive(Debug, Args)]
pub(crate) struct Consent {
    /// Grant this provider what it asks for, though it is more than before; may be given several times
    #[arg(long, value_name = "PROVIDER")]
    pub(crate) grant: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct LockProviders {
    /// Take providers that changed, and choose newer versions
    #[arg(long)]
    pub(crate) upgrade: bool,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) variables: Variables,
}

#[derive(Debug, Args)]
pub(crate) struct Mirrored {
    /// The folder: what is in it already stays
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}
