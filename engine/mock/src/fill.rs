//! What an object is planned to be, and what becomes of it, by its type's schema.

use bimetal_model::convert::convert;
use bimetal_model::schema::{Attribute, Block, NestedBlock};
use bimetal_model::{Data, Members, Path, Step, Type, Value};

use crate::doubles::{Double, When};
use crate::generate;

impl Double<'_> {
    /// The arguments, and what exists where they are silent. What nobody knows yet is unknown.
    pub(crate) fn planned(&self, config: &Value, prior: Option<&Value>) -> Value {
        let attribute = |name: &str, ty: &Type| match self.said(name, ty, When::Planned) {
            Some(value) => value,
            None => Value::unknown(ty.clone()),
        };
        self.schema.block.without_write_only(completed(&self.schema.block, config, prior, &attribute))
    }

    /// With a value for everything that is unknown.
    pub(crate) fn made(&self, planned: Value) -> Value {
        let Value { data: Data::Object(members), marks } = planned else { return planned };
        let member = |(name, value): (String, Value)| {
            let made = match self.schema.block.attributes.get(&name) {
                Some(attribute) if value.is_unknown() => self.known(&name, &attribute.ty),
                Some(_) | None => self.without_unknowns(&name, value),
            };
            (name, made)
        };
        let members: Members = members.into_iter().map(member).collect();
        Value { data: Data::Object(members), marks }
    }

    /// What a data source answers.
    pub(crate) fn answer(&self, config: &Value) -> Value {
        completed(&self.schema.block, config, None, &|name, ty| self.known(name, ty))
    }

    /// One attribute, as it will be.
    pub(crate) fn known(&self, name: &str, ty: &Type) -> Value {
        let generated = || generate::attribute(self.schema.role, self.address, name, ty);
        self.said(name, ty, When::Made).unwrap_or_else(generated)
    }

    fn said(&self, name: &str, ty: &Type, when: When) -> Option<Value> {
        convert(self.said_of(name, when)?.clone(), ty).ok()
    }

    fn without_unknowns(&self, name: &str, value: Value) -> Value {
        let (address, mut count) = (self.address, 0);
        value.map_parts(&mut |part| match part.data {
            Data::Unknown(ty, _) => {
                count += 1;
                let generated = generate::of_type(&ty, &format!("{address}#{name}.{count}"));
                generated.with_marks(part.marks)
            }
            data => Value { data, marks: part.marks },
        })
    }
}

/// Arguments with a value for each attribute that is computed and was not given: what was there, or what `fresh` says.
fn completed(block: &Block, config: &Value, prior: Option<&Value>, fresh: &dyn Fn(&str, &Type) -> Value) -> Value {
    let Some(members) = config.as_members() else { return config.clone() };
    let member = |(name, value): (&String, &Value)| {
        let before = prior.and_then(|prior| prior.member(name));
        let completed = match (block.attributes.get(name), block.blocks.get(name)) {
            (Some(attribute), _) if attribute.computed && value.is_null() => {
                before.cloned().unwrap_or_else(|| fresh(name, &attribute.ty))
            }
            (None, Some(nested)) => completed_nested(nested, value, before, fresh),
            _ => value.clone(),
        };
        (name.clone(), completed)
    };
    let members: Members = members.iter().map(member).collect();
    Value { data: Data::Object(members), marks: config.marks }
}

/// Blocks have no names of their own: the first is the first.
fn completed_nested(
    nested: &NestedBlock,
    config: &Value,
    prior: Option<&Value>,
    fresh: &dyn Fn(&str, &Type) -> Value,
) -> Value {
    match &config.data {
        Data::List(items) => {
            let before = prior.and_then(Value::as_items).unwrap_or_default();
            let item = |(place, item)| completed(&nested.block, item, before.get(place), fresh);
            Value { data: Data::List(items.iter().enumerate().map(item).collect()), marks: config.marks }
        }
        _ => completed(&nested.block, config, prior.filter(|prior| !prior.is_null()), fresh),
    }
}

/// Where an object differs from what exists in a way that needs another one.
pub(crate) fn replacing(block: &Block, prior: &Value, planned: &Value) -> Vec<Path> {
    let differs = |name: &str| prior.member(name).map(|value| &value.data) != planned.member(name).map(|v| &v.data);
    let attributes = block.attributes.iter().filter(|(_, attribute): &(_, &Attribute)| attribute.force_new);
    let blocks = block.blocks.iter().filter(|(_, nested)| nested.force_new);
    let names = attributes.map(|(name, _)| name).chain(blocks.map(|(name, _)| name));
    names.filter(|name| differs(name)).map(|name| Path::root().then(Step::Attribute(name.clone()))).collect()
}
