//! The words of `plugin`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Make a pair of keys to sign providers with
    Keygen(Keygen),
    /// Sign a component: writes `FILE.minisig` beside it
    Sign(Sign),
    /// Push a component, with its signature if it has one, to a registry
    Publish(Publish),
}

#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// The file of the secret key; the public one is beside it, with `.pub` in place of `.key`
    #[arg(value_name = "FILE", default_value = "provider.key")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    pub(crate) file: PathBuf,
    /// The secret key, as `plugin keygen` or minisign made it; `BIMETAL_SIGNING_PASSWORD` opens it
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    pub(crate) file: PathBuf,
    /// Where: `registry.example.org/team/notes:1.2.0`
    #[arg(value_name = "REGISTRY/NAME:VERSION")]
    pub(crate) target: String,
    /// Speak to the registry without TLS
    #[arg(long)]
    pub(crate) plain_http: bool,
    /// Write a version over that is there
    #[arg(long)]
    pub(crate) force: bool,
}
