//! `--var` and `--var-file`, in the order in which they were written: a later one wins.

use std::path::PathBuf;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// Where variables get their values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables {
    /// In their order.
    pub(crate) assignments: Vec<Assignment>,
}

/// One word about variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Assignment {
    /// `--var NAME=VALUE`
    Value(String),
    /// `--var-file FILE`
    File(PathBuf),
}

/// What clap knows of them; it keeps each option's words apart.
#[derive(Args)]
struct Words {
    /// Give a variable a value
    #[arg(long = "var", value_name = "NAME=VALUE")]
    values: Vec<String>,
    /// Read variables from a file
    #[arg(long = "var-file", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Args for Variables {
    fn augment_args(command: Command) -> Command {
        Words::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Words::augment_args_for_update(command)
    }
}

impl FromArgMatches for Variables {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let places = |option| matches.indices_of(option).into_iter().flatten();
        let words = Words::from_arg_matches(matches)?;
        let values = places("values").zip(words.values.into_iter().map(Assignment::Value));
        let files = places("files").zip(words.files.into_iter().map(Assignment::File));
        let mut assignments: Vec<_> = values.chain(files).collect();
        assignments.sort_by_key(|(place, _)| *place);
        Ok(Variables { assignments: assignments.into_iter().map(|(_, assignment)| assignment).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Variables::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        variables: Variables,
    }

    #[test]
    fn they_keep_their_order() {
        let words = "x --var-file a --var b=1 --var-file=c --var d=2 --var e=3 --var-file f";
        let line = Line::parse_from(words.split(' '));
        let text = |assignment: &Assignment| match assignment {
            Assignment::Value(text) => text.clone(),
            Assignment::File(path) => path.display().to_string(),
        };
        let order: Vec<_> = line.variables.assignments.iter().map(text).collect();
        assert_eq!(order.join(" "), "a b=1 c d=2 e=3 f");
    }
}
