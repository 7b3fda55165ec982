//! What an engine tells of something that somebody else made, as it would be written.

use std::collections::BTreeMap;

use bimetal_provider::{Diagnostic, Json};

use crate::stamp::STAMPS;

/// What is found, unless nothing was written and the engine has filled in its default.
pub(crate) fn imported<T: Clone>(written: &Option<T>, found: Option<T>, is_default: impl Fn(&T) -> bool) -> Option<T> {
    found.filter(|found| written.is_some() || !is_default(found))
}

/// There is no such thing.
pub(crate) fn missing(what: &str, id: &str) -> Diagnostic {
    Diagnostic::error(format!("there is no {what} `{id}` on this engine"))
}

pub(crate) fn text(value: &Json) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Labels and options, without what Bimetal stamps: the host and this provider.
pub(crate) fn texts(value: &Json) -> Option<BTreeMap<String, String>> {
    let members = value.as_object().into_iter().flatten().filter(|(name, _)| !name.starts_with(STAMPS));
    Some(members.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect())
}
