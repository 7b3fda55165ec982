//! What exists, in the form that the present schema wants.

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_model::convert::{convert, is_of};
use bimetal_model::port::Predict;
use bimetal_model::schema::{Block, NestedBlock, TypeSchema};
use bimetal_model::snapshot::{Object, Stored};
use bimetal_model::{Address, Data, Diagnostic, Diagnostics, Items, Members, Value};

use crate::marks::remark;
use crate::promises::promised;

/// A stored object with its value upgraded to the schema's version and converted to its type.
pub(crate) fn current(
    address: &Address,
    stored: &Arc<Stored>,
    schema: &TypeSchema,
    predict: &dyn Predict,
) -> Result<Arc<Stored>, Diagnostics> {
    let value = match stored.schema_version.cmp(&schema.version) {
        std::cmp::Ordering::Equal => stored.object.value.clone(),
        std::cmp::Ordering::Less => {
            predict.upgrade(&stored.provider.name, &stored.ty, stored.schema_version, &stored.object.value)?
        }
        std::cmp::Ordering::Greater => return Err(vec![newer(address, stored, schema)]),
    };
    let value = shape(value, &schema.block).map_err(|reason| vec![misshapen(address, stored, &reason)])?;
    let value = remark(schema.block.without_write_only(value), &schema.block, None);
    Ok(with(stored, value, schema.version))
}

/// The same with another value and version; itself where it has them already.
pub(crate) fn with(stored: &Arc<Stored>, value: Value, version: u64) -> Arc<Stored> {
    if stored.object.value.is_same(&value) && stored.schema_version == version {
        return stored.clone();
    }
    let object = Object { value, private: stored.object.private.clone() };
    Arc::new(Stored { object, schema_version: version, ..Stored::clone(stored) })
}

fn newer(address: &Address, stored: &Stored, schema: &TypeSchema) -> Diagnostic {
    Diagnostic::error(format!("`{address}` was made by a newer version of the provider `{}`", stored.provider))
        .because(format!("it is stored as version {}, this provider knows {}", stored.schema_version, schema.version))
        .hint("use the provider's version of `bimetal.lock.hcl`, or a newer one")
        .of(address)
}

fn misshapen(address: &Address, stored: &Stored, reason: &str) -> Diagnostic {
    Diagnostic::error(format!("what is stored of `{address}` does not fit the schema of `{}`", stored.ty))
        .because(reason)
        .hint("the provider must raise its schema's version when it changes a type: report this to its authors")
        .of(address)
}

/// What a provider answered for an object, in its schema's type, marked as the schema and its arguments say, with what they promise
/// of what is unknown in it, and without what is write-only.
///
/// Fails where the answer does not fit the schema, which is the provider's bug.
pub fn finished(value: Value, block: &Block, config: &Value) -> Result<Value, String> {
    let value = block.without_write_only(shape(value, block)?);
    Ok(promised(remark(value, block, Some(config)), block, config))
}

/// The value as the schema's type: what is missing is `null`, no blocks are an empty list.
pub(crate) fn shape(value: Value, block: &Block) -> Result<Value, String> {
    if fits(&value, block) {
        return Ok(value);
    }
    let filled = fill(value, block);
    convert(filled, &block.ty()).map_err(|mismatch| match mismatch.path.0.is_empty() {
        true => mismatch.reason,
        false => format!("`{}`: {}", mismatch.path, mismatch.reason),
    })
}

/// Whether it is of the schema's type already.
fn fits(value: &Value, block: &Block) -> bool {
    let Data::Object(members) = &value.data else { return false };
    let fits_in = |(name, member): (&String, &Value)| match (block.attributes.get(name), block.blocks.get(name)) {
        (Some(attribute), _) => is_of(member, &attribute.ty),
        (None, Some(nested)) => is_of(member, &nested.ty()),
        (None, None) => false,
    };
    members.len() == block.attributes.len() + block.blocks.len() && members.iter().all(fits_in)
}

fn fill(value: Value, block: &Block) -> Value {
    let Value { data: Data::Object(mut members) | Data::Map(mut members), marks } = value else {
        return value;
    };
    let mut filled = BTreeMap::new();
    for name in block.attributes.keys() {
        filled.insert(name.clone(), members.remove(name).unwrap_or(Value::NULL));
    }
    for (name, nested) in &block.blocks {
        filled.insert(name.clone(), fill_nested(members.remove(name).unwrap_or(Value::NULL), nested));
    }
    Value { data: Data::Object(filled.into()), marks }
}

fn fill_nested(value: Value, nested: &NestedBlock) -> Value {
    let Value { data, marks } = value;
    let data = match data {
        Data::Null(_) if !nested.single => Data::List(Items::default()),
        Data::List(items) | Data::Tuple(items) | Data::Set(items) if !nested.single => {
            Data::List(items.into_iter().map(|item| fill(item, &nested.block)).collect())
        }
        data => return fill(Value { data, marks }, &nested.block),
    };
    Value { data, marks }
}

/// An object of the schema's type where nothing is set.
pub(crate) fn nothing(block: &Block) -> Value {
    fill(Data::Object(Members::default()).into(), block)
}
