//! What is sensitive stays so: a provider gets values without marks, and its answers are marked again.

use bimetal_model::schema::{Attribute, Block, Credential, NestedBlock};
use bimetal_model::{Data, Value};

/// The value with the marks that the schema asks for and those of the configuration at the same place.
pub(crate) fn remark(value: Value, block: &Block, config: Option<&Value>) -> Value {
    let value = by_schema(value, block);
    match config {
        Some(config) if config.has_sensitive() => by_config(value, config),
        _ => value,
    }
}

fn by_schema(mut value: Value, block: &Block) -> Value {
    let (Data::Object(members) | Data::Map(members)) = &mut value.data else {
        return value;
    };
    for (name, _) in block.attributes.iter().filter(|(_, attribute)| is_secret(attribute)) {
        if let Some(member) = members.get_mut(name).filter(|member| !member.is_null()) {
            member.marks.sensitive = true;
        }
    }
    for (name, nested) in block.blocks.iter().filter(|(_, nested)| has_secrets(&nested.block)) {
        if let Some(member) = members.get_mut(name) {
            *member = nested_by_schema(std::mem::replace(member, Value::NULL), nested);
        }
    }
    value
}

fn is_secret(attribute: &Attribute) -> bool {
    attribute.sensitive || attribute.credential == Some(Credential::Value)
}

fn has_secrets(block: &Block) -> bool {
    block.attributes.values().any(is_secret) || block.blocks.values().any(|nested| has_secrets(&nested.block))
}

fn nested_by_schema(mut value: Value, nested: &NestedBlock) -> Value {
    match &mut value.data {
        Data::List(items) | Data::Tuple(items) | Data::Set(items) => {
            for item in items {
                *item = by_schema(std::mem::replace(item, Value::NULL), &nested.block);
            }
            value
        }
        _ => by_schema(value, &nested.block),
    }
}

/// Items of a set have no place of their own: one that is sensitive makes the whole set so.
fn by_config(mut value: Value, config: &Value) -> Value {
    if !value.is_null() {
        value.marks |= config.marks;
    }
    match (&mut value.data, &config.data) {
        (Data::Set(_), _) | (_, Data::Set(_)) => value.marks |= config.all_marks(),
        (Data::List(items) | Data::Tuple(items), Data::List(marked) | Data::Tuple(marked)) => {
            for (item, marked) in items.iter_mut().zip(marked) {
                *item = by_config(std::mem::replace(item, Value::NULL), marked);
            }
        }
        (Data::Map(members) | Data::Object(members), Data::Map(marked) | Data::Object(marked)) => {
            for (name, marked) in marked {
                if let Some(member) = members.get_mut(name) {
                    *member = by_config(std::mem::replace(member, Value::NULL), marked);
                }
            }
        }
        _ => {}
    }
    value
}

#[cfg(test)]
mod tests {
    use bimetal_model::Type;

    use super::*;

    #[test]
    fn schema_and_configuration_both_mark() {
        let block = Block {
            attributes: [
                ("key".to_owned(), Attribute { sensitive: true, ..Attribute::read_only(Type::String) }),
                ("env".to_owned(), Attribute::optional(Type::map(Type::String))),
            ]
            .into(),
            ..Block::default()
        };
        let env = |value: Value| -> Value { [("A", Value::from("1")), ("B", value)].into_iter().collect() };
        let config = [("env", env(Value::from("2").into_sensitive()))].into_iter().collect();
        let planned = [("key", Value::from("k")), ("env", env(Value::from("2")))].into_iter().collect();
        let marked = remark(planned, &block, Some(&config));
        assert_eq!(format!("{marked:?}"), r#"{"env": {"A": "1", "B": (sensitive)}, "key": (sensitive)}"#);
    }
}
