//! Whether what a provider made is what was planned, and how it is kept.

use bimetal_model::port::Predict;
use bimetal_model::schema::TypeSchema;
use bimetal_model::snapshot::{Intent, Object, Stored};
use bimetal_model::{BlockKind, Data, Diagnostic, Diagnostics, Path, Platform, Type, Value};
use bimetal_plan::{Change, contradictions, finished};

use crate::job::Job;

/// A value in its schema's type with its marks, and what is wrong with it.
pub(crate) struct Judged {
    pub(crate) value: Value,
    pub(crate) bugs: Vec<Diagnostic>,
}

impl Judged {
    /// The value, if nothing is wrong with it.
    pub(crate) fn result(self) -> Result<Option<Value>, Diagnostics> {
        if self.bugs.is_empty() { Ok(Some(self.value)) } else { Err(self.bugs) }
    }
}

/// What a provider answered, as it is kept. What does not fit the schema is kept too, all of it sensitive where any of it may be.
pub(crate) fn judge(change: &Change, schema: &TypeSchema, config: &Value, planned: &Value, value: Value) -> Judged {
    let mut bugs = Vec::new();
    if !value.is_wholly_known() {
        bugs.push(bug(change, "it left values unknown that an effect has to tell"));
    }
    let value = value.map_parts(&mut known);
    match finished(value.clone(), &schema.block, config) {
        Err(reason) => {
            bugs.push(bug(change, &format!("its answer does not fit its schema: {reason}")));
            Judged { value: unfit(value, schema, config), bugs }
        }
        Ok(value) => {
            let broken = contradictions(planned, &value);
            if !broken.is_empty() && bugs.is_empty() {
                bugs.push(bug(change, &format!("{} became something else than it had planned", places(&broken))));
            }
            bugs.extend(other_platform(change, &value));
            Judged { value, bugs }
        }
    }
}

fn known(value: Value) -> Value {
    match value.data {
        Data::Unknown(ty, _) => Value::null(ty).with_marks(value.marks),
        _ => value,
    }
}

/// The places where what is planned now is not what the plan says. What is unknown now was a fact then.
pub(crate) fn differences(before: &Value, now: &Value) -> Vec<Path> {
    let is_told = |path: &Path| now.at(path).is_none_or(|value| !value.is_unknown());
    contradictions(before, now).into_iter().filter(is_told).collect()
}

/// Names of places, for people.
pub(crate) fn places(paths: &[Path]) -> String {
    let name = |path: &Path| if path.0.is_empty() { "it".to_owned() } else { format!("`{path}`") };
    paths.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Placement rests on what machines said of themselves.
fn other_platform(change: &Change, value: &Value) -> Option<Diagnostic> {
    let platform = |value: &Value| value.member("platform")?.as_str()?.parse::<Platform>().ok();
    let (planned, found) = (platform(change.after.as_ref()?)?, platform(value)?);
    let (is_machine, address) = (change.address.block == BlockKind::Machine, &change.address);
    let error = || {
        Diagnostic::error(format!("`{address}` is `{found}`, and the plan rests on `{planned}`"))
            .hint("plan again: its replicas need other images, or another place")
            .of(address)
    };
    (is_machine && planned != found).then(error)
}

/// A provider that does not keep its word is named.
pub(crate) fn bug(change: &Change, what: &str) -> Diagnostic {
    Diagnostic::error(format!(
        "provider `{}` has a bug: its `{}` is not what was asked for",
        change.provider, change.ty
    ))
    .because(what)
    .hint("report this to the provider's authors; the object is there, and the state knows it")
    .of(&change.address)
}

/// The object as state keeps it.
pub(crate) fn stored(job: &Job<'_>, schema: &TypeSchema, object: Object, unfinished: Option<Intent>) -> Stored {
    let change = job.change;
    Stored {
        provider: change.provider.clone(),
        ty: change.ty.clone(),
        schema_version: schema.version,
        object,
        depends_on: change.outlived().cloned().collect(),
        placement: job.placement.clone(),
        tainted: false,
        unfinished: unfinished.map(Box::new),
        prevent_destroy: change.prevent_destroy,
    }
}

/// What a provider answered on the way, as it is kept: it may be anything, but nothing in it may leak.
pub(crate) fn so_far(schema: &TypeSchema, config: &Value, object: Object) -> Object {
    let value = object.value.map_parts(&mut known);
    let value = finished(value.clone(), &schema.block, config).unwrap_or_else(|_| unfit(value, schema, config));
    Object { value, private: object.private }
}

/// Nobody knows where in it something sensitive is.
fn unfit(value: Value, schema: &TypeSchema, config: &Value) -> Value {
    value.with_sensitivity(schema.block.has_secrets() || config.has_sensitive())
}

/// The schema of a managed type; of one that is not known any more, an empty one.
pub(crate) fn managed(predict: &dyn Predict, change: &Change) -> TypeSchema {
    let schema = predict.schema(&change.provider.name).ok();
    let found = schema.and_then(|schema| schema.managed.get(&change.ty).cloned());
    found.unwrap_or_else(nothing)
}

/// The schema of a data source.
pub(crate) fn source(predict: &dyn Predict, change: &Change) -> TypeSchema {
    let schema = predict.schema(&change.provider.name).ok();
    let found = schema.and_then(|schema| schema.data.get(&change.ty).cloned());
    found.unwrap_or_else(nothing)
}

fn nothing() -> TypeSchema {
    TypeSchema { version: 0, role: None, batch: 1, adopts: Vec::new(), block: Default::default() }
}

/// An object type says nothing of its own, so an unknown of any type stands for all.
pub(crate) fn anything() -> Value {
    Value::unknown(Type::Any)
}

#[cfg(test)]
mod tests {
    use bimetal_model::schema::{Attribute, Block, Credential};

    use super::*;

    #[test]
    fn what_does_not_fit_is_kept_sensitive_where_any_of_it_may_be() {
        let unfit_under = |credential: Option<Credential>| {
            let token = Attribute { credential, ..Attribute::required(Type::String) };
            let block = Block { attributes: [("token".to_owned(), token)].into(), ..Block::default() };
            let answer: Value = [("token", Value::from(1)), ("tokens", Value::from("t"))].into_iter().collect();
            let object = Object { value: answer, private: Vec::new() };
            so_far(&TypeSchema { block, ..nothing() }, &Value::NULL, object).value
        };
        assert!(unfit_under(Some(Credential::Value)).has_sensitive());
        assert!(!unfit_under(Some(Credential::File)).has_sensitive());
        assert!(!unfit_under(None).has_sensitive());
    }
}
