//! What is sensitive stays so: a provider gets values without marks, and its answers are marked again.

use bimetal_model::schema::Block;
use bimetal_model::{Data, Value};

/// The value with the marks that the schema asks for and those of the configuration at the same place.
pub(crate) fn remark(value: Value, block: &Block, config: Option<&Value>) -> Value {
    let value = block.marking_secrets(value);
    match config {
        Some(config) if config.has_sensitive() => by_config(value, config),
        _ => value,
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
    use bimetal_model::schema::Attribute;

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
