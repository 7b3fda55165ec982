//! `fileset`: the files whose paths look like a pattern.

use bimetal_model::convert::convert;
use bimetal_model::{Type, Value};
use globset::GlobBuilder;

use super::{Arguments, Error, Result};

/// The paths, from the first argument's folder on, of the files that the second argument's pattern fits.
pub(super) fn file_set(arguments: Arguments<'_>) -> Result {
    let (folder, pattern) = (arguments.text(0), arguments.text(1));
    let pattern = negations(pattern.trim_start_matches("./"));
    let glob = GlobBuilder::new(&pattern).literal_separator(true).backslash_escape(true).build();
    let glob = glob.map_err(|error| Error::new(format!("this is no pattern: {}", error.kind())))?;
    let glob = glob.compile_matcher();
    let files = arguments.scope.outside.read.list(folder).map_err(Error::new)?;
    let found = files.into_iter().filter(|path| glob.is_match(path)).map(Value::from);
    convert(Value::list(Type::String, found), &Type::set(Type::String)).map_err(|mismatch| Error::new(mismatch.reason))
}

/// Only `^` turns a class of characters around: `!` is one of them, and stands last where it can't be misread.
fn negations(pattern: &str) -> String {
    let (mut text, mut rest) = (String::new(), pattern);
    while let Some((before, class)) = rest.split_once("[!") {
        text += before;
        text.push('[');
        match class.split_once(']') {
            Some((inner, behind)) => {
                text += inner;
                text += "!]";
                rest = behind;
            }
            None => rest = class,
        }
    }
    text + rest
}
