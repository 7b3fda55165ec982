//! The words of `lock`.

use clap::{Args, Subcommand, ValueEnum};

use super::{Consent, Variables};

#[derive(Debug, Subcommand)]
pub(crate) enum Lock {
    /// Take what is newest of all that is locked, of one kind, or of one; show what differs, and write it
    Update(LockUpdate),
}

#[derive(Debug, Args)]
pub(crate) struct LockUpdate {
    /// Only these: `modules`, `providers` or `images`
    #[arg(value_name = "KIND", value_enum, hide_possible_values = true)]
    pub(crate) kind: Option<LockKind>,
    /// Only this one of them, as the lock file labels it
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) variables: Variables,
}

/// What is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LockKind {
    Modules,
    Providers,
    Images,
}
