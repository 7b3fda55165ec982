//! The words of the command line.

mod lock;
mod planning;
pub(crate) mod plugin;
mod providers;
mod variables;

use std::path::PathBuf;

use bimetal_model::Address;
use bimetal_state::StateName;
use clap::{Args, CommandFactory as _, Parser, Subcommand};

pub(crate) use lock::{Lock, LockKind, LockUpdate};
pub(crate) use planning::{Detail, Diff, Format, Planning, Wishes};
pub(crate) use plugin::PluginCommand;
pub(crate) use providers::{Consent, LockProviders, Mirrored, Providers};
pub(crate) use variables::{Assignment, Variables};

/// The heading of options that every command takes.
const EVERYWHERE: &str = "For every command";

/// What a saved plan has decided already.
const PLAN_OPTIONS: [&str; 7] = ["revision", "target", "exclude", "replace", "refresh_only", "offline", "destroy"];

/// One configuration for machines, pools and services: planned, then done.
#[derive(Debug, Parser)]
#[command(name = "bimetal", bin_name = "bimetal", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// Work as if started in this folder
    #[arg(short = 'C', long = "chdir", global = true, value_name = "DIR", help_heading = EVERYWHERE)]
    pub(crate) chdir: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(crate) json: bool,
    /// Ask where something has to be approved or agreed to
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    #[arg(default_value_t = true, default_missing_value = "true", hide_possible_values = true, help_heading = EVERYWHERE)]
    pub(crate) input: bool,
    /// Work on the state of this name, which lies beside the one called `default`; or set `BIMETAL_STATE`
    #[arg(long, global = true, value_name = "NAME", value_parser = state_name, help_heading = EVERYWHERE)]
    pub(crate) state: Option<StateName>,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// The words of this process. Terraform's `-out` is `--out`.
    pub(crate) fn of_process() -> Self {
        Arguments::parse_from(with_two_dashes(std::env::args_os()))
    }
}

/// Long options that were written with one dash, with two. What stands behind the words of another command is left alone.
fn with_two_dashes(words: impl IntoIterator<Item = std::ffi::OsString>) -> Vec<std::ffi::OsString> {
    let root = Arguments::command();
    let commands = std::iter::once(&root)
        .chain(root.get_subcommands())
        .flat_map(|c| std::iter::once(c).chain(c.get_subcommands()));
    let known: Vec<&str> =
        commands.flat_map(|command| command.get_arguments()).filter_map(|option| option.get_long()).collect();
    let mut foreign = false;
    let change = |word: std::ffi::OsString| {
        let Some(text) = word.to_str() else { return word };
        foreign |= matches!(text, "--" | "exec" | "ssh");
        let name = text.strip_prefix('-').filter(|name| name.len() > 1 && !name.starts_with('-'));
        match name.and_then(|name| name.split('=').next()) {
            Some(name) if !foreign && known.contains(&name) => format!("-{text}").into(),
            _ => word,
        }
    };
    words.into_iter().map(change).collect()
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find the providers that the configuration needs, show what they ask for, and lock them
    Init(Init),
    /// Check the configuration; needs neither network nor state
    Validate(Variables),
    /// Write configuration files in the canonical style
    Fmt(Fmt),
    /// Show what would be done
    Plan(Plan),
    /// Show what would be done, ask, and do it
    Apply(Apply),
    /// Show everything that the state knows, ask, and remove it
    Destroy(Destroy),
    /// Show where two versions of the configuration differ in what they want
    Diff(Diff),
    /// Take something that exists into the state
    Import(Import),
    /// Play the configuration's tests
    Test(Test),
    /// Write, examine, sign and publish providers
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Show the state, or a saved plan
    Show(Show),
    /// Evaluate expressions, one a line
    Console(Variables),
    /// Print the outputs of the last apply
    Output(Output),
    /// List, lock and mirror the providers that the configuration uses
    #[command(subcommand)]
    Providers(Providers),
    /// Choose what is locked anew, and show what differs
    #[command(subcommand)]
    Lock(Lock),
    /// Look at the state, and mend it
    #[command(subcommand)]
    State(State),
    /// Say which commit runs, and how far it is from another one
    Status(Status),
    /// List who changed the state, when, and how it ended
    #[command(args_conflicts_with_subcommands = true)]
    History(History),
    /// Plan what brings back the configuration of an earlier revision, ask, and do it
    Rollback(Rollback),
    /// List the machines: provider, platform, address, engine
    Machines,
    /// List every container of the fleet
    Ps(Ps),
    /// Print what a container of the fleet printed
    Logs(Logs),
    /// Run a command in a container of the fleet
    Exec(Exec),
    /// Open a shell on a machine, or run a command there
    Ssh(Ssh),
    /// Print the version of Bimetal and of its providers
    Version,
    /// Print a completion script
    Completions {
        /// For this shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// As it is typed.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Command::Init(_) => "init",
            Command::Validate(_) => "validate",
            Command::Fmt(_) => "fmt",
            Command::Plan(_) => "plan",
            Command::Apply(_) => "apply",
            Command::Destroy(_) => "destroy",
            Command::Diff(_) => "diff",
            Command::Import(_) => "import",
            Command::Test(_) => "test",
            Command::Plugin(_) => "plugin",
            Command::Show(_) => "show",
            Command::Console(_) => "console",
            Command::Output(_) => "output",
            Command::Providers(_) => "providers",
            Command::Lock(_) => "lock",
            Command::State(_) => "state",
            Command::Status(_) => "status",
            Command::History(_) => "history",
            Command::Rollback(_) => "rollback",
            Command::Machines => "machines",
            Command::Ps(_) => "ps",
            Command::Logs(_) => "logs",
            Command::Exec(_) => "exec",
            Command::Ssh(_) => "ssh",
            Command::Version => "version",
            Command::Completions { .. } => "completions",
        }
    }

    /// The file that what happens is to be written into, of commands that plan or apply.
    pub(crate) fn events_into(&self) -> Option<&std::path::Path> {
        let planning = match self {
            Command::Plan(Plan { planning, .. }) => planning,
            Command::Apply(Apply { planning, .. }) => planning,
            Command::Destroy(Destroy { planning, .. }) => planning,
            Command::Rollback(Rollback { planning, .. }) => planning,
            _ => return None,
        };
        planning.json_into.as_deref()
    }
}

fn state_name(text: &str) -> Result<StateName, String> {
    text.parse()
}

/// An address. Shells take the quotes away that nobody protects: `machine.docker.rack[a]` is taken for `…["a"]`.
fn address(text: &str) -> Result<Address, String> {
    requoted(text)
}

fn requoted<A: std::str::FromStr<Err = String>>(text: &str) -> Result<A, String> {
    let with_quotes = || text.replace('[', "[\"").replace(']', "\"]").parse().ok();
    text.parse().or_else(|error: String| with_quotes().ok_or(error))
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Choose modules, providers and images anew, and show what differs
    #[arg(long)]
    pub(crate) upgrade: bool,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) variables: Variables,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Fmt {
    /// Files and folders, or `-` for standard input [default: the folder]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Change nothing; exit with 3 where something would change
    #[arg(long)]
    pub(crate) check: bool,
    /// Show what changes
    #[arg(long)]
    pub(crate) diff: bool,
    /// Go through the folders within folders too
    #[arg(long)]
    pub(crate) recursive: bool,
    /// Print the names of files that are not in style
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    #[arg(default_value_t = true, default_missing_value = "true", hide_possible_values = true)]
    pub(crate) list: bool,
    /// Change the files
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    #[arg(default_value_t = true, default_missing_value = "true", hide_possible_values = true)]
    pub(crate) write: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// A configuration that lies elsewhere: `git::https://…/infra.git//env/prod?ref=v1.4.0`
    #[arg(value_name = "SOURCE", conflicts_with = "revision")]
    pub(crate) source: Option<String>,
    #[command(flatten)]
    pub(crate) planning: Planning,
    #[command(flatten)]
    pub(crate) wishes: Wishes,
    /// Save the plan, sealed, for `apply`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Plan to remove everything
    #[arg(long, conflicts_with_all = ["replace", "refresh_only"])]
    pub(crate) destroy: bool,
    /// How it is printed: `text`, `markdown` for a comment on a change, or `json`
    #[arg(long, value_name = "WORD", value_enum, default_value_t, hide_possible_values = true)]
    pub(crate) format: Format,
    /// Exit with 2 where something would change
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// A plan that `plan --out` saved, or a configuration that lies elsewhere, as `plan` takes it
    #[arg(value_name = "PLAN", conflicts_with_all = PLAN_OPTIONS)]
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) planning: Planning,
    #[command(flatten)]
    pub(crate) wishes: Wishes,
    /// Remove everything, as `destroy` does
    #[arg(long, conflicts_with_all = ["replace", "refresh_only"])]
    pub(crate) destroy: bool,
    #[command(flatten)]
    pub(crate) doing: Doing,
}

/// How a plan is done.
#[derive(Clone, Debug, Args)]
pub(crate) struct Doing {
    /// Don't ask before doing it
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Wait so long (`90s`, `5m`) for others who work on the same objects
    #[arg(long, default_value = "0s", value_name = "DURATION", value_parser = crate::lease::duration)]
    pub(crate) lock_timeout: std::time::Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Destroy {
    #[command(flatten)]
    pub(crate) planning: Planning,
    #[command(flatten)]
    pub(crate) doing: Doing,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// What it becomes: the configuration has its block
    #[arg(value_name = "ADDR", value_parser = address)]
    pub(crate) address: Address,
    /// What its provider knows it by
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) variables: Variables,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Only this file; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) filter: Vec<PathBuf>,
    /// Where tests lie, beside those in the folder of the configuration
    #[arg(long, value_name = "DIR", default_value = "tests")]
    pub(crate) test_directory: PathBuf,
    /// Show what each run planned or made
    #[arg(long)]
    pub(crate) verbose: bool,
    /// Write the results into a file, as JUnit has them
    #[arg(long, value_name = "FILE")]
    pub(crate) junit_xml: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) variables: Variables,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A saved plan; the state where none is named
    #[arg(value_name = "PLAN")]
    pub(crate) plan: Option<PathBuf>,
    /// How much of a plan is shown: `full`, `grouped` (what is alike is one), `summary` (numbers)
    #[arg(long, value_name = "WORD", value_enum, default_value_t, hide_possible_values = true)]
    pub(crate) detail: Detail,
    /// How a plan is printed: `text`, `markdown` for a comment on a change, or `json`
    #[arg(long, value_name = "WORD", value_enum, default_value_t, hide_possible_values = true, requires = "plan")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Output {
    /// Only this one
    pub(crate) name: Option<String>,
    /// Print a string as it is, without quotes
    #[arg(long, requires = "name")]
    pub(crate) raw: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The branch, tag or commit to compare with
    #[arg(long = "ref", value_name = "REVISION", default_value = "HEAD")]
    pub(crate) revision: String,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    #[command(subcommand)]
    pub(crate) command: Option<OneRevision>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OneRevision {
    /// Show one revision: what it did, and what it was made from
    Show {
        /// Its number, as `history` prints it
        number: u64,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The revision's number, as `history` prints it
    pub(crate) number: u64,
    #[command(flatten)]
    pub(crate) planning: Planning,
    #[command(flatten)]
    pub(crate) doing: Doing,
}

#[derive(Debug, Subcommand)]
pub(crate) enum State {
    /// List the addresses of all objects
    List,
    /// List the states that lie beside each other: `--state NAME` chooses among them
    Names,
    /// Show one object
    Show {
        /// As `state list` prints it
        #[arg(value_parser = address)]
        address: Address,
    },
    /// Forget an object: it goes on existing, unknown to Bimetal
    Rm {
        /// As `state list` prints it
        #[arg(value_parser = address)]
        address: Address,
    },
    /// Give an object another address
    Mv {
        /// As `state list` prints it
        #[arg(value_parser = address)]
        from: Address,
        /// The new one
        #[arg(value_parser = address)]
        to: Address,
    },
    /// Show what there was when a revision ended
    At {
        /// Its number, as `history` prints it
        number: u64,
    },
    /// Print the state as a document; what is sensitive stays sealed
    Pull,
    /// Write a document that `pull` printed over the state
    Push {
        /// The document, or `-` for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Though it is of another state, or older than this one
        #[arg(long)]
        force: bool,
    },
    /// Look for what is wrong with the state, and say what to do
    Doctor,
    /// Bring the state from where it was to where the configuration says now
    Migrate {
        /// The store where it was: a path, or an address such as `postgres://…` or `s3://…`
        #[arg(long, value_name = "PLACE", default_value = ".bimetal/state.db")]
        from: String,
    },
    /// Break locks that nobody holds any more
    ForceUnlock {
        /// Don't ask
        #[arg(long)]
        force: bool,
    },
    /// Make a key file, to seal what is sensitive with
    NewKey {
        /// Where [default: where it is looked for]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Make the state open with the keys that are named now, and no others
    Rekey(Rekey),
    /// Put a backup of the state's file back; what is there is kept aside
    Restore {
        /// Which [default: the newest]
        #[arg(value_name = "BACKUP")]
        backup: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Rekey {
    /// Seal everything anew, so that who had an old key and a copy of the state can open nothing that comes later
    #[arg(long)]
    pub(crate) new_key: bool,
    /// The key file that opens it still; or set `BIMETAL_STATE_OLD_KEY` or `BIMETAL_STATE_OLD_PASSPHRASE`
    #[arg(long, value_name = "FILE")]
    pub(crate) old_key_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) variables: Variables,
}

#[derive(Debug, Args)]
pub(crate) struct Ps {
    /// Those that have stopped, too
    #[arg(short, long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// A container's name, or its address
    pub(crate) container: String,
    /// Go on printing
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only the last lines
    #[arg(short = 'n', long, value_name = "LINES")]
    pub(crate) tail: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// A container's name, or its address
    pub(crate) container: String,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Ssh {
    /// The machine's address: `machine.baremetal.rack["a"]`
    #[arg(value_parser = address)]
    pub(crate) machine: Address,
    /// A command to run instead of a shell
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_may_have_one_dash() {
        let words = |line: &str| with_two_dashes(line.split(' ').map(Into::into));
        let text = |line: &str| words(line).join(" ".as_ref()).into_string().unwrap();
        assert_eq!(text("bimetal plan -out=x -var a=-b -json -C dir"), "bimetal plan --out=x --var a=-b --json -C dir");
        assert_eq!(text("bimetal exec web-0 prog -json"), "bimetal exec web-0 prog -json");
        let apply =
            Arguments::parse_from(words("bimetal apply -auto-approve -parallelism=4 -refresh=false -target=a.b"));
        let Command::Apply(Apply { doing: Doing { auto_approve: true, .. }, planning, .. }) = apply.command else {
            panic!("not understood")
        };
        assert_eq!((planning.parallelism, planning.refresh, planning.target.len()), (Some(4), false, 1));
    }

    #[test]
    fn quotes_that_a_shell_took_are_put_back() {
        assert_eq!(address("machine.docker.rack[a]").unwrap().to_string(), "machine.docker.rack[\"a\"]");
        assert_eq!(address("service.web.replica[0]").unwrap().to_string(), "service.web.replica[0]");
        assert!(address("rack").is_err());
    }

    #[test]
    fn the_words_fit_together() {
        Arguments::command().debug_assert();
    }
}
