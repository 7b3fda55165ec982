//! What a schema says is never shown.

use super::{Attribute, Block, Credential, NestedBlock};
use crate::{Data, Value};

impl Attribute {
    /// Whether its value is never shown.
    pub fn is_secret(&self) -> bool {
        self.sensitive || self.credential == Some(Credential::Value)
    }
}

impl Block {
    /// Whether any of its attributes is never shown, however deep.
    pub fn has_secrets(&self) -> bool {
        self.any_attribute(&Attribute::is_secret)
    }

    /// The value, with what is never shown marked as sensitive.
    #[must_use]
    pub fn marking_secrets(&self, mut value: Value) -> Value {
        let (Data::Object(members) | Data::Map(members)) = &mut value.data else {
            return value;
        };
        for (name, _) in self.attributes.iter().filter(|(_, attribute)| attribute.is_secret()) {
            if let Some(member) = members.get_mut(name).filter(|member| !member.is_null()) {
                member.marks.sensitive = true;
            }
        }
        for (name, nested) in self.blocks.iter().filter(|(_, nested)| nested.block.has_secrets()) {
            if let Some(member) = members.get_mut(name) {
                *member = nested.marking_secrets(std::mem::replace(member, Value::NULL));
            }
        }
        value
    }
}

impl NestedBlock {
    fn marking_secrets(&self, mut value: Value) -> Value {
        match &mut value.data {
            Data::List(items) | Data::Tuple(items) | Data::Set(items) => {
                for item in items {
                    *item = self.block.marking_secrets(std::mem::replace(item, Value::NULL));
                }
                value
            }
            _ => self.block.marking_secrets(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Type;

    #[test]
    fn credentials_and_what_is_sensitive_are_marked_however_deep() {
        let token = Attribute { credential: Some(Credential::Value), ..Attribute::optional(Type::String) };
        let key = Attribute { sensitive: true, ..Attribute::read_only(Type::String) };
        let of = |name: &str, attribute: Attribute| Block {
            attributes: [(name.to_owned(), attribute), ("name".to_owned(), Attribute::optional(Type::String))].into(),
            ..Block::default()
        };
        let nested = NestedBlock { block: of("token", token), ..NestedBlock::default() };
        let block = Block { blocks: [("user".to_owned(), nested)].into(), ..of("key", key) };
        let user: Value = [("token", Value::from("t")), ("name", Value::from("n"))].into_iter().collect();
        let users = Value::list(Type::Any, vec![user]);
        let value = [("key", Value::from("k")), ("user", users), ("name", Value::NULL)].into_iter().collect();
        let marked = block.marking_secrets(value);
        assert_eq!(
            format!("{marked:?}"),
            r#"{"key": (sensitive), "name": null, "user": [{"name": "n", "token": (sensitive)}]}"#
        );
    }
}
