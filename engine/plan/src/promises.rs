//! What is promised of what a provider leaves unknown: it is asked without promises, and answers without them.

use bimetal_model::schema::{Block, NestedBlock};
use bimetal_model::{Data, Members, Value};

use crate::compare::same;

/// The value with what its schema promises, and, where it is left as configured, with what the configuration does.
pub(crate) fn promised(value: Value, block: &Block, config: &Value) -> Value {
    if value.is_wholly_known() {
        return value;
    }
    let Value { data: Data::Object(members), marks } = value else { return value };
    let member = |(name, member): (String, Value)| {
        let configured = config.member(&name);
        let member = match (block.attributes.get(&name), block.blocks.get(&name), configured) {
            (Some(attribute), _, _) if attribute.computed => {
                if attribute.never_null {
                    member.not_null()
                } else {
                    member
                }
            }
            (Some(_), _, Some(configured)) if same(configured, &member) => as_configured(member, configured),
            (None, Some(nested), Some(configured)) => promised_nested(member, nested, configured),
            _ => member,
        };
        (name, member)
    };
    let members: Members = members.into_iter().map(member).collect();
    Value { data: Data::Object(members), marks }
}

fn as_configured(member: Value, configured: &Value) -> Value {
    Value { data: configured.data.clone(), marks: member.marks | configured.marks }
}

fn promised_nested(value: Value, nested: &NestedBlock, config: &Value) -> Value {
    let Value { data, marks } = value;
    let data = match (data, config.as_items()) {
        (Data::List(items), Some(configs)) if items.len() == configs.len() => {
            let pairs = items.into_iter().zip(configs);
            Data::List(pairs.map(|(item, config)| promised(item, &nested.block, config)).collect())
        }
        (Data::Unknown(..), _) if config.is_unknown() => config.data.clone(),
        (data, _) => return promised(Value { data, marks }, &nested.block, config),
    };
    Value { data, marks }
}

#[cfg(test)]
mod tests {
    use bimetal_model::schema::Attribute;
    use bimetal_model::{Refinement, Type};

    use super::*;

    #[test]
    fn what_a_provider_leaves_unknown_keeps_the_promises_of_others() {
        let always = Attribute { never_null: true, ..Attribute::read_only(Type::String) };
        let block = Block {
            attributes: [
                ("id".to_owned(), always),
                ("note".to_owned(), Attribute::read_only(Type::String)),
                ("url".to_owned(), Attribute::optional(Type::String)),
                ("alias".to_owned(), Attribute { computed: true, ..Attribute::optional(Type::String) }),
            ]
            .into(),
            ..Block::default()
        };
        let url = || Value::refined(Type::String, Refinement::beginning_with("http://"));
        let config: Value = [("url", url()), ("alias", url())].into_iter().collect();
        let unknown = |name: &str| (name.to_owned(), Value::unknown(Type::String));
        let value: Value = ["id", "note", "url", "alias"].map(unknown).into_iter().collect();
        let value = promised(value, &block, &config);
        let is_something = |name: &str| value.member(name).is_some_and(Value::is_something);
        assert_eq!(["id", "note", "url", "alias"].map(is_something), [true, false, true, false]);
        assert_eq!(value.member("url").unwrap().refinement().prefix(), "http://");
    }
}
