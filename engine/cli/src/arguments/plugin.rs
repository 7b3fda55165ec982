//! The words of `plugin`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Write the project of a new provider into a folder of its name
    New(New),
    /// Build, check and replan whenever a source file of the provider's changes
    Dev(Dev),
    /// Examine a component: whether it keeps the contract
    Test(Test),
    /// Print the reference of a provider, as Markdown
    Docs(Docs),
    /// Make a pair of keys to sign providers with
    Keygen(Keygen),
    /// Sign a component: writes `FILE.minisig` beside it
    Sign(Sign),
    /// Push a component, with its signature if it has one, to a registry
    Publish(Publish),
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The provider's name: small letters, digits and `_`
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// The configuration that is planned with what was built
    #[arg(value_name = "DIR")]
    pub(crate) configuration: PathBuf,
    /// The provider's project
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) project: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The component
    #[arg(value_name = "FILE")]
    pub(crate) component: PathBuf,
    #[command(flatten)]
    pub(crate) cases: Cases,
    /// Write the results into a file, as JUnit has them
    #[arg(long, value_name = "FILE")]
    pub(crate) junit_xml: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Docs {
    /// The component, or the name of a provider that comes with Bimetal
    #[arg(value_name = "FILE")]
    pub(crate) component: PathBuf,
    #[command(flatten)]
    pub(crate) cases: Cases,
}

/// What a provider is tried with.
#[derive(Clone, Debug, Args)]
pub(crate) struct Cases {
    /// A folder with a configuration of one object a block, made and removed for the test [default: `cases`, where there is one]
    #[arg(long, value_name = "DIR")]
    pub(crate) cases: Option<PathBuf>,
    /// A program that stands for the provider's API: it prints its URL, which becomes `var.stand_in`
    #[arg(long, value_name = "COMMAND")]
    pub(crate) stand_in: Option<String>,
    /// Write what the provider and the API say to each other over HTTP into a file
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Ask no API: its answers are those that `--record` wrote
    #[arg(long, value_name = "FILE", conflicts_with_all = ["record", "stand_in"])]
    pub(crate) recorded: Option<PathBuf>,
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
