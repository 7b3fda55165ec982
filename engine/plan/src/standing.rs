//! What is wrong with a configuration as it stands there, whatever exists.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use bimetal_config::module::{ObjectBlock, Repetition};
use bimetal_config::{Desired, Instance, Node, Scope};
use bimetal_model::diagnostic::has_errors;
use bimetal_model::port::Predict;
use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, Span, Type, Value};

use crate::evaluator::{self, object_config, output_value, sound};
use crate::proposed::misnamed;
use crate::values::Values;
use crate::{needs, pool, service};

/// Every part looked at by itself, where of no object more is known than its type: a part that is wrong keeps no other from being
/// looked at. What a plan finds besides is not said here.
pub fn standing(desired: &Desired, predict: &dyn Predict) -> Diagnostics {
    let (mut values, mut said) = Values::new(desired, predict);
    for node in desired.order.iter() {
        let found = match node {
            Node::Output(name) if name.module.is_root() => match desired.module.outputs.get(&name.name) {
                Some(output) => output_value(&name.name, output, &values.scope).map(drop),
                None => Ok(()),
            },
            Node::Local(_) | Node::Variable(_) | Node::Output(_) => values.derive(desired, node),
            Node::Provider(key) => match (desired.module.providers.get(key), values.catalogue.provider(&key.name)) {
                (Some(block), Some(schema)) => {
                    sound(bimetal_config::decode(&block.body, schema, &values.scope)).map(drop)
                }
                (None, _) | (_, None) => Ok(()),
            },
            Node::Object(address) => match desired.module.objects.get(address) {
                Some(block) => of_block(block, &mut values),
                None => Ok(()),
            },
        };
        if let Err(errors) = found {
            if needs::is_derived(node) {
                values.put_unknown(node);
            }
            said.extend(errors);
        }
    }
    said
}

/// Adds what is said of places of which nothing was said yet.
pub fn add_new(diagnostics: &mut Diagnostics, more: Diagnostics) {
    let mut told = Told::default();
    for one in diagnostics.iter() {
        told.tell(one);
    }
    for one in more {
        if !told.knows(&one) {
            told.tell(&one);
            diagnostics.push(one);
        }
    }
}

/// Of what something was said.
#[derive(Default)]
struct Told {
    /// By file: from where to where. None of them overlap.
    places: HashMap<Arc<str>, BTreeMap<usize, usize>>,
    /// What was said of which object, and whether without a place.
    sentences: HashMap<(String, Option<Address>), bool>,
}

impl Told {
    fn knows(&self, one: &Diagnostic) -> bool {
        let sentence = self.sentences.get(&(one.summary.clone(), one.address.clone()));
        match &one.span {
            Some(span) => sentence == Some(&true) || self.overlapping(span).is_some(),
            None => sentence.is_some(),
        }
    }

    fn tell(&mut self, one: &Diagnostic) {
        let is_placeless = self.sentences.entry((one.summary.clone(), one.address.clone())).or_default();
        *is_placeless |= one.span.is_none();
        let Some(span) = &one.span else { return };
        let Range { mut start, mut end } = span.range;
        while let Some((known_start, known_end)) =
            self.overlapping(&Span { file: span.file.clone(), range: start..end })
        {
            (start, end) = (start.min(known_start), end.max(known_end));
            self.places.entry(span.file.clone()).or_default().remove(&known_start);
        }
        self.places.entry(span.file.clone()).or_default().insert(start, end);
    }

    fn overlapping(&self, span: &Span) -> Option<(usize, usize)> {
        let (start, end) = self.places.get(&span.file)?.range(..span.range.end).next_back()?;
        (*end > span.range.start).then_some((*start, *end))
    }
}

/// Looks at a block, and makes its value what can be said of it.
fn of_block(block: &ObjectBlock, values: &mut Values) -> Result<(), Diagnostics> {
    let repetition = block.repetition.expression().map(|expression| {
        let value = bimetal_config::evaluate(expression, &values.scope)?;
        // How many there are may be known only later.
        if value.is_wholly_known() {
            bimetal_config::expand(&block.repetition, &values.scope).map(drop)
        } else {
            Ok(())
        }
    });
    let found = values.within(any_instance(&block.repetition), |values| {
        let arguments = match block.address.block {
            BlockKind::Pool => pool::standing(block, values),
            BlockKind::Service => service::arguments(block, &values.scope).map(drop),
            BlockKind::Machine | BlockKind::Resource | BlockKind::Data | BlockKind::Ephemeral => {
                object_config(block, values).map(drop)
            }
        };
        [arguments, lifecycle(block, values)]
    });
    let whole = standing_value(block, values);
    values.put_whole(&block.address, whole);
    let mut said: Diagnostics = found.into_iter().filter_map(Result::err).flatten().collect();
    said.extend(repetition.and_then(Result::err).unwrap_or_default());
    let said: Diagnostics = said.into_iter().map(|one: Diagnostic| one.of(&block.address)).collect();
    if has_errors(&said) { Err(said) } else { Ok(()) }
}

/// What a block says of changes and conditions.
fn lifecycle(block: &ObjectBlock, values: &Values) -> Result<(), Diagnostics> {
    let Some(ty) = shape(block, values) else { return Ok(()) };
    let mut said = evaluator::before(block, values).err().unwrap_or_default();
    let scope = Scope { this: Some(Value::unknown(ty)), ..values.scope.clone() };
    said.extend(bimetal_config::unmet(&block.lifecycle.postconditions, "a postcondition does not hold", &scope));
    if let Ok(owner) = values.catalogue.owner(block) {
        said.extend(misnamed(&block.lifecycle.ignore_changes, &owner.schema.block));
    }
    if said.is_empty() { Ok(()) } else { Err(said) }
}

/// The type of an instance that a provider makes, or knows.
fn shape(block: &ObjectBlock, values: &Values) -> Option<Type> {
    match block.address.block {
        BlockKind::Machine | BlockKind::Resource | BlockKind::Data | BlockKind::Ephemeral => {
            Some(values.catalogue.owner(block).ok()?.schema.block.ty())
        }
        BlockKind::Pool | BlockKind::Service => None,
    }
}

/// Unknown, of the type that its schema says.
fn standing_value(block: &ObjectBlock, values: &Values) -> Value {
    let Some(ty) = shape(block, values) else { return Value::unknown(Type::Any) };
    match &block.repetition {
        Repetition::Once => Value::unknown(ty),
        Repetition::Enabled(_) => Value::unknown(Type::Any),
        Repetition::Count(_) => Value::unknown(Type::list(ty)),
        Repetition::ForEach(_) => Value::unknown(Type::Map(Box::new(ty))),
    }
}

/// What `each` and `count` stand for in any of the instances.
fn any_instance(repetition: &Repetition) -> Instance {
    let each = (Value::unknown(Type::String), Value::unknown(Type::Any));
    match repetition {
        Repetition::Once | Repetition::Enabled(_) => Instance { key: None, each: None, count_index: None },
        Repetition::Count(_) => Instance { key: None, each: None, count_index: Some(0) },
        Repetition::ForEach(_) => Instance { key: None, each: Some(each), count_index: None },
    }
}
