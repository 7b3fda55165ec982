//! `count` and `for_each` worked out.

use std::collections::BTreeMap;

use bimetal_model::convert::convert;
use bimetal_model::{Data, Diagnostic, Diagnostics, Items, Key, Members, Type, Value};

use crate::evaluate::{Scope, evaluate};
use crate::expression::Expression;
use crate::module::Repetition;

/// More instances than this are a mistake.
const MOST_INSTANCES: u64 = 100_000;

/// One instance of a block, and what `each` and `count` are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Behind the block's address.
    pub key: Option<Key>,
    /// `each.key` and `each.value`
    pub each: Option<(Value, Value)>,
    /// `count.index`
    pub count_index: Option<u64>,
}

/// The instances of a block. Their keys must be known: unknown ones are an error that names the expression.
pub fn expand(repetition: &Repetition, scope: &Scope) -> Result<Vec<Instance>, Diagnostics> {
    match repetition {
        Repetition::Once => Ok(vec![ONLY]),
        Repetition::Enabled(expression) => Ok(if is_enabled(expression, scope)? { vec![ONLY] } else { Vec::new() }),
        Repetition::Count(expression) => count(expression, scope),
        Repetition::ForEach(expression) => for_each(expression, scope),
    }
}

/// The instance of a block that has this key, if there is one, without making the others.
pub fn expand_one(repetition: &Repetition, key: Option<&Key>, scope: &Scope) -> Result<Option<Instance>, Diagnostics> {
    match (repetition, key) {
        (Repetition::Count(expression), Some(Key::Index(index))) => {
            let is_there = *index < number_of(expression, scope)?;
            Ok(is_there.then(|| counted(*index)))
        }
        (Repetition::ForEach(expression), Some(Key::Name(name))) => {
            Ok(elements(expression, scope)?.get(name).map(|value| instance((name.clone(), value))))
        }
        _ => Ok(expand(repetition, scope)?.into_iter().find(|instance| instance.key.as_ref() == key)),
    }
}

/// The value of a whole block, put together from its instances: itself without repetition, a tuple by `count`, an object by `for_each`.
pub fn block_value(repetition: &Repetition, instances: Vec<(Option<Key>, Value)>) -> Value {
    match repetition {
        Repetition::Once | Repetition::Enabled(_) => {
            instances.into_iter().next().map_or(Value::NULL, |(_, value)| value)
        }
        Repetition::Count(_) => {
            let index = |key: Option<Key>| match key {
                Some(Key::Index(index)) => index,
                Some(Key::Name(_)) | None => u64::MAX,
            };
            let by_index: BTreeMap<u64, Value> =
                instances.into_iter().map(|(key, value)| (index(key), value)).collect();
            Value::tuple(by_index.into_values())
        }
        Repetition::ForEach(_) => {
            let named = instances.into_iter().filter_map(|(key, value)| match key {
                Some(Key::Name(name)) => Some((name, value)),
                Some(Key::Index(_)) | None => None,
            });
            named.collect()
        }
    }
}

const ONLY: Instance = Instance { key: None, each: None, count_index: None };

fn is_enabled(expression: &Expression, scope: &Scope) -> Result<bool, Diagnostics> {
    let value = evaluate(expression, scope)?;
    if value.is_unknown() {
        return Err(unknown(expression, "enabled"));
    }
    let truth = convert(value, &Type::Bool).ok().and_then(|value| value.as_bool());
    truth.ok_or_else(|| vec![Diagnostic::error("`enabled` must be `true` or `false`").at(expression.span())])
}

fn count(expression: &Expression, scope: &Scope) -> Result<Vec<Instance>, Diagnostics> {
    Ok((0..number_of(expression, scope)?).map(counted).collect())
}

fn counted(index: u64) -> Instance {
    Instance { key: Some(Key::Index(index)), each: None, count_index: Some(index) }
}

fn number_of(expression: &Expression, scope: &Scope) -> Result<u64, Diagnostics> {
    let error = |summary: &str| vec![Diagnostic::error(summary).at(expression.span())];
    let value = evaluate(expression, scope)?;
    if value.is_unknown() {
        return Err(unknown(expression, "count"));
    }
    if value.is_null() {
        return Err(error("`count` can't be `null`"));
    }
    match convert(value, &Type::Number).ok().and_then(|value| value.as_number()?.to_u64()) {
        Some(number) if number <= MOST_INSTANCES => Ok(number),
        Some(number) => Err(error(&format!("{number} instances are too many"))),
        None => Err(error("`count` must be a whole number, and not less than 0")),
    }
}

fn for_each(expression: &Expression, scope: &Scope) -> Result<Vec<Instance>, Diagnostics> {
    Ok(elements(expression, scope)?.pairs(expression)?.into_iter().map(instance).collect())
}

/// What `for_each` goes over.
enum Elements {
    Members(Members),
    Set(Items),
}

impl Elements {
    fn pairs(self, expression: &Expression) -> Result<Vec<(String, Value)>, Diagnostics> {
        match self {
            Elements::Members(members) => Ok(members.into_iter().collect()),
            Elements::Set(items) => items.into_iter().map(|item| key_of(item, expression)).collect(),
        }
    }

    /// The element of one key.
    fn get(&self, name: &str) -> Option<Value> {
        match self {
            Elements::Members(members) => members.get(name).cloned(),
            Elements::Set(items) => items.iter().find(|item| item.as_str() == Some(name)).cloned(),
        }
    }
}

fn elements(expression: &Expression, scope: &Scope) -> Result<Elements, Diagnostics> {
    let error = |summary: String| Diagnostic::error(summary).at(expression.span());
    let value = evaluate(expression, scope)?;
    match value.data {
        Data::Unknown(..) => Err(unknown(expression, "for_each")),
        _ if value.marks.hide() => {
            let hint = "the keys become addresses, and these are shown: `nonsensitive(…)` says that they may be";
            Err(vec![error("`for_each` is sensitive".to_owned()).hint(hint)])
        }
        Data::Null(_) => Err(vec![error("`for_each` can't be `null`".to_owned()).hint("use `{}` for none")]),
        Data::Map(members) | Data::Object(members) => Ok(Elements::Members(members)),
        Data::Set(items) => Ok(Elements::Set(items)),
        _ => {
            let error = error(format!("`for_each` takes a map or a set of strings, not a {}", value.ty()));
            Err(vec![error.hint("`toset([…])` makes a set of a list")])
        }
    }
}

fn instance((name, value): (String, Value)) -> Instance {
    Instance { key: Some(Key::Name(name.clone())), each: Some((Value::from(name), value)), count_index: None }
}

fn key_of(item: Value, expression: &Expression) -> Result<(String, Value), Diagnostics> {
    match &item.data {
        Data::String(name) => Ok((name.to_string(), item)),
        Data::Unknown(..) => Err(unknown(expression, "for_each")),
        _ => {
            let error = Diagnostic::error(format!("a set of strings is wanted here, and it holds a {}", item.ty()));
            Err(vec![error.at(expression.span())])
        }
    }
}

fn unknown(expression: &Expression, word: &str) -> Diagnostics {
    let error = Diagnostic::error(format!("`{word}` depends on what is known only after apply"))
        .because("which instances there are must be known to plan them")
        .hint("use keys that the configuration itself knows, as names, and let only the values come from elsewhere");
    vec![error.at(expression.span())]
}
