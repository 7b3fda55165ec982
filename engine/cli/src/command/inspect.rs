//! `output`, and how objects and outputs are shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_model::json::{Marks, encode};
use bimetal_model::port::Remember as _;
use bimetal_model::snapshot::{Snapshot, Stored};
use bimetal_model::{Address, Diagnostic, Value};
use serde_json::{Value as Json, json};

use crate::arguments;
use crate::failure::Failure;
use crate::output::{print, print_json, say};
use crate::render::style::{BOLD, FAINT, paint};
use crate::render::value::value_text;
use crate::session::Session;

/// Prints outputs. A sensitive one is printed only when it is asked for by name.
pub(crate) async fn output(session: &Session, arguments: &arguments::Output) -> Result<(), Failure> {
    let outputs = snapshot(session).await?.outputs;
    let Some(name) = &arguments.name else {
        match session.json {
            true => print_json(&outputs.iter().map(|(name, value)| (name.clone(), output_document(value))).collect()),
            false if outputs.is_empty() => say("There are no outputs.\n"),
            false => print(&outputs_text(&outputs)),
        }
        return Ok(());
    };
    let Some(value) = outputs.get(name) else {
        let known: Vec<_> = outputs.keys().map(|name| format!("`{name}`")).collect();
        let error = Diagnostic::error(format!("the state has no output `{name}`"));
        return Err(match known.is_empty() {
            true => error.hint("it is empty: apply first").into(),
            false => error.hint(format!("it has {}", known.join(", "))).into(),
        });
    };
    match (arguments.raw, value.as_str()) {
        _ if session.json => print_json(&encode(value, Marks::Drop)),
        (true, Some(text)) => print(text),
        (true, None) => {
            return Err(Diagnostic::error(format!("output `{name}` is no string")).hint("use `--json`").into());
        }
        (false, _) => print(&format!("{}\n", value_text(&revealed(value), 0))),
    }
    Ok(())
}

fn revealed(value: &Value) -> Value {
    value.clone().without_marks()
}

fn output_document(value: &Value) -> Json {
    json!({ "value": encode(value, Marks::Redact), "sensitive": value.has_sensitive(), "type": value.ty() })
}

/// `name = value`, a line each.
pub(crate) fn outputs_text(outputs: &BTreeMap<String, Value>) -> String {
    let width = outputs.keys().map(String::len).max().unwrap_or(0);
    outputs.iter().map(|(name, value)| format!("{name:width$} = {}\n", value_text(value, 0))).collect()
}

pub(crate) async fn snapshot(session: &Session) -> Result<Snapshot, Failure> {
    let store = session.store(&session.configuration_for_state()?).await?;
    Ok(store.load().await?)
}

pub(crate) fn find<'a>(snapshot: &'a Snapshot, address: &Address) -> Result<&'a Stored, Failure> {
    snapshot.objects.get(address).map(Arc::as_ref).ok_or_else(|| {
        let error = Diagnostic::error(format!("the state does not know `{address}`"));
        error.hint("`bimetal state list` shows what it knows").into()
    })
}

/// One object, as configuration would write it.
pub(crate) fn object_text(address: &Address, stored: &Stored) -> String {
    let mut head = format!(
        "{} {}\n",
        paint(BOLD, address),
        paint(FAINT, format!("({}, provider {})", stored.ty, stored.provider))
    );
    if stored.tainted || stored.unfinished.is_some() {
        head += "  (half made: the next apply mends it)\n";
    }
    if let Some(placement) = &stored.placement {
        head += &format!("  on {} ({})\n", placement.machine, placement.platform);
    }
    format!("{head}{}\n\n", value_text(&stored.object.value, 0))
}

pub(crate) fn object_document(address: &Address, stored: &Stored) -> Json {
    json!({
        "address": address,
        "provider": stored.provider,
        "type": stored.ty,
        "value": encode(&stored.object.value, Marks::Redact),
        "depends_on": stored.depends_on,
        "placement": stored.placement,
        "tainted": stored.tainted,
        "unfinished": stored.unfinished.is_some(),
    })
}

/// The whole state without what is sensitive.
pub(crate) fn state_document(snapshot: &Snapshot) -> Json {
    json!({
        "format": 1,
        "lineage": snapshot.lineage,
        "serial": snapshot.serial,
        "objects": snapshot.objects.iter().map(|(address, stored)| object_document(address, stored)).collect::<Vec<_>>(),
        "outputs": snapshot.outputs.iter().map(|(name, value)| (name.clone(), output_document(value))).collect::<serde_json::Map<_, _>>(),
        "unfinished_intents": snapshot.intents.len(),
    })
}
