//! Where what is write-only must not be, and where it stands for what is told later.
//!
//! Invariant: arguments that are written down have nothing write-only in them (test: `what_is_write_only_is_nowhere_else`).

use super::{Attribute, Block};
use crate::path::{Path, Step};
use crate::value::{Data, Members, Value};

impl Block {
    /// The value as what exists: `null` in place of all that is write-only.
    #[must_use]
    pub fn without_write_only(&self, value: Value) -> Value {
        self.replace_write_only(value, &|attribute, _| Value::null(attribute.ty.clone()))
    }

    /// Arguments as they may be kept: in place of what is write-only that it has to be worked out again.
    #[must_use]
    pub fn withholding_write_only(&self, value: Value) -> Value {
        let withheld = |attribute: &Attribute, value: Value| match value.is_null() {
            true => value,
            false => Value::unknown(attribute.ty.clone()),
        };
        self.replace_write_only(value, &withheld)
    }

    /// Whether any of its attributes is write-only, however deep.
    pub fn has_write_only(&self) -> bool {
        self.any_attribute(&|attribute| attribute.write_only)
    }

    /// Where in the value something write-only is.
    pub fn write_only_in(&self, value: &Value) -> Vec<Path> {
        let mut found = Vec::new();
        self.find_write_only(value, &Path::root(), &mut found);
        found
    }

    fn find_write_only(&self, value: &Value, at: &Path, found: &mut Vec<Path>) {
        for (name, attribute) in &self.attributes {
            if attribute.write_only && value.member(name).is_some() {
                found.push(at.then(Step::Attribute(name.clone())));
            }
        }
        for (name, nested) in self.blocks.iter().filter(|(_, nested)| nested.block.has_write_only()) {
            let (at, inner) = (at.then(Step::Attribute(name.clone())), value.member(name));
            match inner.map(|inner| (inner, inner.as_items())) {
                Some((_, Some(items))) => {
                    for (place, item) in items.iter().enumerate() {
                        nested.block.find_write_only(item, &at.then(Step::Index(place as u32)), found);
                    }
                }
                Some((inner, None)) => nested.block.find_write_only(inner, &at, found),
                None => {}
            }
        }
    }

    fn replace_write_only(&self, value: Value, by: &dyn Fn(&Attribute, Value) -> Value) -> Value {
        if !self.has_write_only() {
            return value;
        }
        let Value { data, marks } = value;
        let data = match data {
            Data::Object(members) => {
                let member = |(name, value): (String, Value)| {
                    let value = match (self.attributes.get(&name), self.blocks.get(&name)) {
                        (Some(attribute), _) if attribute.write_only => by(attribute, value),
                        (None, Some(nested)) => nested.block.replace_write_only(value, by),
                        (Some(_), _) | (None, None) => value,
                    };
                    (name, value)
                };
                Data::Object(members.into_iter().map(member).collect::<Members>())
            }
            Data::List(items) => Data::List(items.into_iter().map(|item| self.replace_write_only(item, by)).collect()),
            Data::Tuple(items) => {
                Data::Tuple(items.into_iter().map(|item| self.replace_write_only(item, by)).collect())
            }
            other => other,
        };
        Value { data, marks }
    }
}

#[cfg(test)]
mod tests {
    use super::super::NestedBlock;
    use super::*;
    use crate::ty::Type;

    #[test]
    fn what_is_write_only_is_nowhere_else() {
        let secret = || Attribute { write_only: true, ..Attribute::optional(Type::String) };
        let inner = Block { attributes: [("key".to_owned(), secret())].into(), ..Block::default() };
        let block = Block {
            attributes: [("name".to_owned(), Attribute::required(Type::String)), ("password".to_owned(), secret())]
                .into(),
            blocks: [("login".to_owned(), NestedBlock { block: inner, ..NestedBlock::default() })].into(),
        };
        let login = |key: &str| -> Value { [("key", Value::from(key))].into_iter().collect() };
        let value: Value =
            [("name", Value::from("n")), ("password", "p".into()), ("login", Value::tuple([login("k")]))]
                .into_iter()
                .collect();
        let paths: Vec<String> = block.write_only_in(&value).iter().map(ToString::to_string).collect();
        assert_eq!(paths, ["password", "login[0].key"]);
        let kept = block.without_write_only(value.clone());
        assert_eq!(format!("{kept:?}"), r#"{"login": [{"key": null}], "name": "n", "password": null}"#);
        assert!(block.write_only_in(&kept).is_empty());
        assert!(!block.withholding_write_only(value).is_wholly_known());
        assert_eq!(block.withholding_write_only(kept.clone()), kept);
    }
}
