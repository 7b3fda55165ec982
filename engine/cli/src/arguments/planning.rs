//! What a plan is to be about, and how it is made and shown.

use std::path::PathBuf;

use bimetal_model::Selector;
use clap::{Args, ValueEnum};

use super::Variables;

/// How a plan is made and shown.
#[derive(Clone, Debug, Args)]
pub(crate) struct Planning {
    #[command(flatten)]
    pub(crate) variables: Variables,
    /// Only this and what it needs: a module, block, instance or replica; may be given several times
    #[arg(long, value_name = "ADDR", value_parser = selector)]
    pub(crate) target: Vec<Selector>,
    /// Not this, and not what needs it; may be given several times
    #[arg(long, value_name = "ADDR", value_parser = selector)]
    pub(crate) exclude: Vec<Selector>,
    /// Ask providers what exists; `false` believes the state
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    #[arg(default_value_t = true, default_missing_value = "true", hide_possible_values = true)]
    pub(crate) refresh: bool,
    /// As `--refresh=false`
    #[arg(long, hide = true, conflicts_with = "refresh")]
    pub(crate) no_refresh: bool,
    /// How many calls of providers may run at once [default: 32 to look, 64 to act]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) parallelism: Option<u16>,
    /// How much of the plan is shown: `full`, `grouped` (what is alike is one), `summary` (numbers)
    #[arg(long, value_name = "WORD", value_enum, default_value_t, hide_possible_values = true)]
    pub(crate) detail: Detail,
    /// Go on with this state though it belonged to another folder or repository: the configuration has moved
    #[arg(long)]
    pub(crate) move_state: bool,
    /// Write what happens into a file, too: a JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(crate) json_into: Option<PathBuf>,
}

impl Planning {
    /// Whether providers are asked what exists.
    pub(crate) fn looks(&self) -> bool {
        self.refresh && !self.no_refresh
    }

    /// How many calls may run at once, where nobody says so.
    pub(crate) fn at_once(&self, otherwise: usize) -> usize {
        self.parallelism.map_or(otherwise, usize::from)
    }
}

/// What else a plan may be about.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Wishes {
    /// Take the configuration of this commit, branch or tag, and not what is checked out
    #[arg(long = "ref", value_name = "REVISION")]
    pub(crate) revision: Option<String>,
    /// Make this anew, whatever its arguments say: an instance, or a service's replicas; may be given several times
    #[arg(long, value_name = "ADDR", value_parser = selector, conflicts_with = "refresh_only")]
    pub(crate) replace: Vec<Selector>,
    /// Change nothing but the state: take in what has changed outside of Bimetal
    #[arg(long, conflicts_with_all = ["no_refresh", "refresh"])]
    pub(crate) refresh_only: bool,
    /// Ask nobody while planning: only what the state and the lock file know counts
    #[arg(long, conflicts_with = "refresh_only")]
    pub(crate) offline: bool,
}

/// Two versions, and how their difference is found out and shown.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// Two revisions, also as `A..B`; `A...B` is what B has changed since it parted from A. One alone is compared with what is here,
    /// which is compared with HEAD where there is none. A source, as `plan` takes it, is a version, too
    #[arg(value_name = "VERSION", num_args = 0..=2)]
    pub(crate) versions: Vec<String>,
    #[command(flatten)]
    pub(crate) variables: Variables,
    /// How much of it is shown: `full`, `grouped` (what is alike is one), `summary` (numbers)
    #[arg(long, value_name = "WORD", value_enum, default_value_t, hide_possible_values = true)]
    pub(crate) detail: Detail,
    /// How it is printed: `text`, `markdown` for a comment on a change, or `json`
    #[arg(long, value_name = "WORD", value_enum, default_value_t, hide_possible_values = true)]
    pub(crate) format: Format,
    /// Exit with 2 where something differs
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

/// How a plan is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a terminal
    #[default]
    Text,
    /// For a comment
    Markdown,
    /// For programs, as `--json`
    Json,
}

/// How much of a plan is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Detail {
    /// Every change
    Full,
    /// Changes that are alike together
    #[default]
    Grouped,
    /// Numbers
    Summary,
}

/// As an address; a module's is one, too.
pub(super) fn selector(text: &str) -> Result<Selector, String> {
    super::requoted(text)
}
