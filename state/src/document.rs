//! Rows as the text that is stored: what is sensitive of them sealed, and all of it signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::json::decode;
use bimetal_model::placement::Placement;
use bimetal_model::port::StateError;
use bimetal_model::snapshot::{Intent, Object, Revision, RevisionOutcome, Stored};
use bimetal_model::{Address, ProviderKey, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use crate::seal::{Place, Sealer};

/// What stands in the history of something that is gone. It is no JSON, so that nothing that is there looks like it.
const GONE: &str = "gone";

/// An object's row.
pub(crate) fn seal_object(sealer: &Sealer, key: &str, stored: &Stored) -> Result<String, StateError> {
    sealer.sign(&Place::row("objects", key), &object_json(sealer, key, stored)?.to_string())
}

/// What `seal_object` was given.
pub(crate) fn open_object(sealer: &Sealer, key: &str, text: &str) -> Result<(Address, Stored), StateError> {
    opened(sealer, key, parse(key, sealer.verify(&Place::row("objects", key), text)?)?)
}

fn object_json(sealer: &Sealer, key: &str, stored: &Stored) -> Result<Json, StateError> {
    let place = Place::row("objects", key);
    let mut json = to_json(stored)?;
    let private = json!(STANDARD.encode(&stored.object.private));
    let value = json["object"]["value"].take();
    json["object"] = json!({
        "value": sealer.seal_marked(&place, value)?,
        "private": sealer.seal_whole(&Place::row("private", key), &private)?,
    });
    if let Some(intent) = &stored.unfinished {
        json["unfinished"] = intent_json(sealer, &Place::row("unfinished", key), intent)?;
    }
    Ok(json)
}

/// An object whose row was verified, or stands in a document that somebody answers for.
pub(crate) fn read_object(sealer: &Sealer, key: &str, json: Json) -> Result<(Address, Stored), StateError> {
    opened(sealer, key, from_json(key, json)?)
}

/// [`Stored`] as it is written.
#[derive(Deserialize)]
struct ObjectRow {
    provider: ProviderKey,
    ty: String,
    schema_version: u64,
    object: SealedObject,
    depends_on: Vec<Address>,
    placement: Option<Box<Placement>>,
    tainted: bool,
    unfinished: Option<Json>,
    #[serde(default)]
    prevent_destroy: bool,
}

#[derive(Deserialize)]
struct SealedObject {
    value: Json,
    private: Json,
}

fn opened(sealer: &Sealer, key: &str, row: ObjectRow) -> Result<(Address, Stored), StateError> {
    let of = |error: StateError| about(key, error);
    let wrong = |reason: String| unreadable(key, &reason);
    let SealedObject { value, private } = row.object;
    let private = sealer.open_whole(&Place::row("private", key), private).map_err(of)?;
    let private = STANDARD.decode(private.as_str().unwrap_or_default()).map_err(|error| wrong(error.to_string()))?;
    let value = sealer.open_marked(&Place::row("objects", key), value).map_err(of)?;
    let unfinished = row.unfinished.map(|intent| {
        let intent = open_config(sealer, &Place::row("unfinished", key), intent).map_err(of)?;
        from_json(key, intent)
    });
    let stored = Stored {
        provider: row.provider,
        ty: row.ty,
        schema_version: row.schema_version,
        object: Object { value: decode(value).map_err(wrong)?, private },
        depends_on: row.depends_on,
        placement: row.placement,
        tainted: row.tainted,
        unfinished: unfinished.transpose()?,
        prevent_destroy: row.prevent_destroy,
    };
    Ok((key.parse().map_err(wrong)?, stored))
}

/// An intent's row.
pub(crate) fn seal_intent(sealer: &Sealer, intent: &Intent) -> Result<String, StateError> {
    let place = Place::row("intents", &intent.id.0);
    sealer.sign(&place, &intent_json(sealer, &place, intent)?.to_string())
}

/// What `seal_intent` was given.
pub(crate) fn open_intent(sealer: &Sealer, id: &str, text: &str) -> Result<Intent, StateError> {
    read_intent(sealer, id, verified(sealer, "intents", id, text)?)
}

/// As `read_object`.
pub(crate) fn read_intent(sealer: &Sealer, id: &str, json: Json) -> Result<Intent, StateError> {
    let json = open_config(sealer, &Place::row("intents", id), json);
    from_json(id, json.map_err(|error| about(id, error))?)
}

fn open_config(sealer: &Sealer, place: &Place, mut json: Json) -> Result<Json, StateError> {
    if let Some(config) = json.get_mut("config") {
        *config = sealer.open_whole(place, config.take())?;
    }
    Ok(json)
}

/// All of the arguments are sealed: marks on them may be lost on the way to a provider and back.
fn intent_json(sealer: &Sealer, place: &Place, intent: &Intent) -> Result<Json, StateError> {
    let mut json = to_json(intent)?;
    json["config"] = sealer.seal_whole(place, &json["config"])?;
    Ok(json)
}

/// An output's row.
pub(crate) fn seal_output(sealer: &Sealer, name: &str, value: &Value) -> Result<String, StateError> {
    let place = Place::row("outputs", name);
    sealer.sign(&place, &sealer.seal_marked(&place, to_json(value)?)?.to_string())
}

/// What `seal_output` was given.
pub(crate) fn open_output(sealer: &Sealer, name: &str, text: &str) -> Result<Value, StateError> {
    read_output(sealer, name, verified(sealer, "outputs", name, text)?)
}

/// As `read_object`.
pub(crate) fn read_output(sealer: &Sealer, name: &str, json: Json) -> Result<Value, StateError> {
    let json = sealer.open_marked(&Place::row("outputs", name), json);
    from_json(name, json.map_err(|error| about(name, error))?)
}

/// A revision's row.
pub(crate) fn sign_revision(sealer: &Sealer, revision: &Revision) -> Result<String, StateError> {
    sealer.sign(&Place::row("revisions", &revision.number.to_string()), &to_text(revision)?)
}

/// What `sign_revision` was given, or some of it.
pub(crate) fn open_revision<R: DeserializeOwned>(sealer: &Sealer, number: u64, text: &str) -> Result<R, StateError> {
    let number = number.to_string();
    parse(&number, sealer.verify(&Place::row("revisions", &number), text)?)
}

/// The row of how a revision ended.
pub(crate) fn sign_outcome(sealer: &Sealer, number: u64, outcome: RevisionOutcome) -> Result<String, StateError> {
    sealer.sign(&Place::row("outcomes", &number.to_string()), &to_text(&outcome)?)
}

/// What `sign_outcome` was given.
pub(crate) fn open_outcome(sealer: &Sealer, number: u64, text: &str) -> Result<RevisionOutcome, StateError> {
    let number = number.to_string();
    from_json(&number, verified(sealer, "outcomes", &number, text)?)
}

/// The row in the history of something that is gone.
pub(crate) fn sign_gone(sealer: &Sealer, table: &str, key: &str) -> Result<String, StateError> {
    sealer.sign(&Place::row(table, key), GONE)
}

/// Whether a row of the history says that.
pub(crate) fn is_gone(sealer: &Sealer, table: &str, key: &str, text: &str) -> Result<bool, StateError> {
    Ok(text.starts_with(GONE) && sealer.verify(&Place::row(table, key), text)? == GONE)
}

/// A row that is sealed as a whole.
pub(crate) fn seal_bytes(sealer: &Sealer, table: &str, key: &str, bytes: &[u8]) -> Result<String, StateError> {
    Ok(STANDARD.encode(sealer.seal(&Place::row(table, key), bytes)?))
}

/// What `seal_bytes` was given.
pub(crate) fn open_bytes(
    sealer: &Sealer,
    table: &str,
    key: &str,
    text: &str,
) -> Result<Zeroizing<Vec<u8>>, StateError> {
    let sealed = STANDARD.decode(text).map_err(|error| unreadable(key, &error.to_string()))?;
    sealer.open(&Place::row(table, key), &sealed).map(Zeroizing::new).map_err(|error| about(key, error))
}

/// The JSON of a row that was signed.
pub(crate) fn verified(sealer: &Sealer, table: &str, key: &str, text: &str) -> Result<Json, StateError> {
    parse(key, sealer.verify(&Place::row(table, key), text)?)
}

/// A row that is neither sealed nor signed.
pub(crate) fn parse<T: DeserializeOwned>(key: &str, text: &str) -> Result<T, StateError> {
    serde_json::from_str(text).map_err(|error| unreadable(key, &error.to_string()))
}

/// What `parse` reads.
pub(crate) fn to_text<T: Serialize>(value: &T) -> Result<String, StateError> {
    serde_json::to_string(value).map_err(|error| unreadable("", &error.to_string()))
}

fn to_json<T: Serialize>(value: &T) -> Result<Json, StateError> {
    serde_json::to_value(value).map_err(|error| unreadable("", &error.to_string()))
}

fn from_json<T: DeserializeOwned>(key: &str, json: Json) -> Result<T, StateError> {
    serde_json::from_value(json).map_err(|error| unreadable(key, &error.to_string()))
}

/// A row that is no text of ours.
fn unreadable(key: &str, reason: &str) -> StateError {
    StateError::Damaged(format!("the row of `{key}` can't be read: {reason}"))
}

fn about(key: &str, error: StateError) -> StateError {
    match error {
        StateError::Sealed(reason) => StateError::Sealed(format!("`{key}`: {reason}")),
        other => other,
    }
}
