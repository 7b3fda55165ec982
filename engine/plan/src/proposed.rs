//! What a provider is asked for: the configuration, with what exists where the configuration is silent.

use bimetal_config::module::Ignored;
use bimetal_config::nearest_or_all;
use bimetal_model::schema::{Attribute, Block, NestedBlock};
use bimetal_model::value::Named;
use bimetal_model::{Data, Diagnostic, Diagnostics, Members, Path, Step, Value};

/// The configuration, with the prior value of each computed attribute that it does not set, and without what is write-only.
pub fn propose(block: &Block, config: &Value, prior: Option<&Value>) -> Value {
    let Some(prior) = prior else {
        return block.without_write_only(config.clone());
    };
    let (Some(members), false) = (config.as_members(), prior.is_null()) else {
        return block.without_write_only(config.clone());
    };
    if config.marks == prior.marks && prior.as_members().is_some_and(|priors| is_as_it_was(block, members, priors)) {
        return prior.clone();
    }
    let member = |(name, value): (&String, &Value)| {
        let prior = prior.member(name);
        let proposed = match (block.attributes.get(name), block.blocks.get(name)) {
            (Some(attribute), _) => propose_attribute(attribute, value, prior),
            (None, Some(nested)) => propose_nested(nested, value, prior),
            (None, None) => value.clone(),
        };
        (name.clone(), proposed)
    };
    let members: Members = members.iter().map(member).collect();
    Value { data: Data::Object(members), marks: config.marks }
}

/// Whether nothing else would be proposed than what is there, which then need not be made anew.
fn is_as_it_was(block: &Block, config: &Named, prior: &Named) -> bool {
    let is_same = |((name, value), (of_prior, prior)): ((&String, &Value), (&String, &Value))| {
        name == of_prior
            && match block.attributes.get(name) {
                Some(attribute) if attribute.write_only => prior.is_null(),
                Some(attribute) if attribute.computed && value.is_null() => true,
                _ => value == prior,
            }
    };
    config.len() == prior.len() && config.iter().zip(prior).all(is_same)
}

fn propose_attribute(attribute: &Attribute, config: &Value, prior: Option<&Value>) -> Value {
    match prior {
        _ if attribute.write_only => Value::null(attribute.ty.clone()),
        Some(prior) if config.is_null() && attribute.computed => prior.clone(),
        _ => config.clone(),
    }
}

/// Blocks have no names of their own: the first is the first.
fn propose_nested(nested: &NestedBlock, config: &Value, prior: Option<&Value>) -> Value {
    let Some(prior) = prior else {
        return nested.block.without_write_only(config.clone());
    };
    match (&config.data, prior.as_items()) {
        (Data::List(items), Some(priors)) => {
            let item = |(place, item)| propose(&nested.block, item, priors.get(place));
            Value { data: Data::List(items.iter().enumerate().map(item).collect()), marks: config.marks }
        }
        _ => propose(&nested.block, config, Some(prior)),
    }
}

/// The configuration as if the ignored places were still as they are. The root stands for all that can be written.
pub fn ignore(block: &Block, config: Value, prior: &Value, ignored: &[Ignored]) -> Value {
    let written = || {
        let attributes = block.attributes.iter().filter(|(_, attribute)| !attribute.read_only).map(|(name, _)| name);
        attributes.chain(block.blocks.keys()).map(Path::attribute).collect()
    };
    let named: Vec<Path> = ignored.iter().map(|one| one.path.clone()).collect();
    let all = if named.contains(&Path::root()) { written() } else { named };
    all.iter().fold(config, |config, path| match prior.at(path) {
        Some(kept) => replace_at(config, &path.0, kept),
        None => config,
    })
}

/// What is to be ignored, and no object of the block has.
pub(crate) fn misnamed(ignored: &[Ignored], block: &Block) -> Diagnostics {
    let names: Vec<&str> = block.attributes.keys().chain(block.blocks.keys()).map(String::as_str).collect();
    let error = |one: &Ignored| {
        let Some(Step::Attribute(name)) = one.path.0.first() else { return None };
        let error = Diagnostic::error(format!("no argument is called `{name}` here")).at(&one.span);
        (!names.contains(&name.as_str())).then(|| error.hint(nearest_or_all(name, names.clone(), "argument")))
    };
    ignored.iter().filter_map(error).collect()
}

fn replace_at(mut value: Value, steps: &[Step], kept: &Value) -> Value {
    let Some((step, rest)) = steps.split_first() else {
        return kept.clone();
    };
    let inner = match (step, &mut value.data) {
        (Step::Attribute(name) | Step::Key(name), Data::Object(members)) => members.get_mut(name),
        (Step::Attribute(name) | Step::Key(name), Data::Map(members)) => {
            Some(members.entry(name.clone()).or_insert(Value::NULL))
        }
        (Step::Index(index), Data::List(items) | Data::Tuple(items)) => items.get_mut(*index as usize),
        _ => None,
    };
    if let Some(inner) = inner {
        *inner = replace_at(std::mem::replace(inner, Value::NULL), rest, kept);
    }
    value
}
