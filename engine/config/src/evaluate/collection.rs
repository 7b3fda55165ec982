//! Tuples, objects and the `for` expressions that make them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bimetal_model::convert::convert;
use bimetal_model::{Data, Diagnostics, Type, Value, ValueMarks};
use bimetal_syntax::{For, Kind, Member, Node, Step, StepKind, Traversal};

use super::{Evaluator, Names, collect};
use crate::functions::described;

/// A key and the value that belongs to it, as a loop sees them.
pub(super) type Pair<'v> = (Value, &'v Value);

impl Evaluator<'_> {
    pub(super) fn array<'n>(&self, items: impl Iterator<Item = &'n Node>) -> Result<Value, Diagnostics> {
        Ok(Value::tuple(collect(items.map(|item| self.value(item).map(Cow::into_owned)))?))
    }

    pub(super) fn object(&self, members: &[Member]) -> Result<Value, Diagnostics> {
        let mut builder = Builder { is_object: true, ..Builder::default() };
        let mut diagnostics = Vec::new();
        for member in members {
            match (self.key(&member.key), self.value(&member.value)) {
                (Ok(key), Ok(value)) => builder.replace(key, value.into_owned()),
                (key, value) => {
                    diagnostics.extend(key.err().unwrap_or_default());
                    diagnostics.extend(value.err().unwrap_or_default());
                }
            }
        }
        if diagnostics.is_empty() { Ok(builder.finish()) } else { Err(diagnostics) }
    }

    fn key(&self, key: &Node) -> Result<MemberKey, Diagnostics> {
        match &key.kind {
            Kind::Name(name) => Ok(MemberKey::plain(name)),
            // `null`, `true` and `false` are names where a key stands.
            Kind::Null => Ok(MemberKey::plain("null")),
            Kind::Traversal(traversal) if is_ambiguous(traversal) => {
                let error = self.error(key, "this could be a name with dots in it, or a reference");
                Err(vec![error.hint("put a reference between parentheses, and a name between quotes")])
            }
            _ => self.member_key(key),
        }
    }

    fn member_key(&self, node: &Node) -> Result<MemberKey, Diagnostics> {
        let value = self.value(node)?.into_owned();
        if value.is_null() {
            return Err(vec![self.error(node, "a key can't be `null`")]);
        }
        let marks = value.marks;
        match convert(value, &Type::String) {
            Ok(Value { data: Data::String(text), .. }) => Ok(MemberKey { text: Some(text.to_string()), marks }),
            Ok(_) => Ok(MemberKey { text: None, marks }),
            Err(mismatch) => Err(vec![self.error(node, format!("this can't be a key: {}", mismatch.reason))]),
        }
    }

    pub(super) fn comprehension(&self, comprehension: &For) -> Result<Value, Diagnostics> {
        let intro = &comprehension.intro;
        let collection = self.value(&intro.collection)?;
        let is_object = comprehension.key.is_some();
        let mut builder =
            Builder { is_object, grouping: comprehension.groups, marks: collection.marks, ..Builder::default() };
        let pairs = self.pairs(&intro.collection, &collection)?;
        self.check_condition(comprehension)?;
        let Some(pairs) = pairs else { return Ok(Value::unknown(Type::Any).not_null().with_marks(collection.marks)) };
        let key_name = intro.key.as_ref().map_or("", |name| &name.text);
        let mut diagnostics = Vec::new();
        for (key, value) in pairs {
            let outer = Names::Bound { name: key_name, value: &key, outer: self.names };
            let names = Names::Bound { name: &intro.value.text, value, outer: &outer };
            let inner = Evaluator { names: &names, ..*self };
            diagnostics.extend(inner.item(comprehension, &mut builder).err().unwrap_or_default());
        }
        if diagnostics.is_empty() { Ok(builder.finish()) } else { Err(diagnostics) }
    }

    /// Says what is wrong with a condition whatever the names stand for, once and not for each item.
    fn check_condition(&self, comprehension: &For) -> Result<(), Diagnostics> {
        let Some(condition) = &comprehension.condition else { return Ok(()) };
        let unknown = Value::unknown(Type::Any);
        let key = comprehension.intro.key.as_ref().map_or("", |name| &name.text);
        let outer = Names::Bound { name: key, value: &unknown, outer: self.names };
        let names = Names::Bound { name: &comprehension.intro.value.text, value: &unknown, outer: &outer };
        let inner = Evaluator { names: &names, ..*self };
        let value = inner.value(condition)?;
        inner.truth(condition, &value).map(|_| ())
    }

    fn item(&self, comprehension: &For, builder: &mut Builder) -> Result<(), Diagnostics> {
        if let Some(condition) = &comprehension.condition {
            let value = self.value(condition)?;
            builder.marks |= value.marks;
            match self.truth(condition, &value)? {
                Some(true) => {}
                Some(false) => return Ok(()),
                None => {
                    builder.unknown = true;
                    return Ok(());
                }
            }
        }
        let Some(key_node) = &comprehension.key else {
            builder.items.push(self.value(&comprehension.value)?.into_owned());
            return Ok(());
        };
        let key = self.member_key(key_node)?;
        if key.text.is_none() {
            builder.unknown = true;
            builder.marks |= key.marks;
            return Ok(());
        }
        let value = self.value(&comprehension.value)?.into_owned();
        let hidden = (key.marks | builder.marks).hide();
        builder.put(key, value).map_err(|name| {
            let name = if hidden { "(sensitive)" } else { &name };
            let error = self.error(key_node, format!("two items have the key `{name}`"));
            vec![error.hint("group them: put `...` behind the value")]
        })
    }

    /// Keys and values of a collection; `None` where it is unknown.
    pub(super) fn pairs<'v>(&self, node: &Node, value: &'v Value) -> Result<Option<Vec<Pair<'v>>>, Diagnostics> {
        Ok(Some(match &value.data {
            Data::List(items) | Data::Tuple(items) => {
                items.iter().enumerate().map(|(index, item)| (Value::from(index as u64), item)).collect()
            }
            Data::Set(_) if value.has_open_length() => return Ok(None),
            Data::Set(items) => items.iter().map(|item| (item.clone(), item)).collect(),
            Data::Map(members) | Data::Object(members) => {
                members.iter().map(|(name, value)| (Value::from(name.as_str()), value)).collect()
            }
            Data::Unknown(Type::Bool | Type::Number | Type::String | Type::Handle, _)
            | Data::Bool(_)
            | Data::Number(_)
            | Data::String(_)
            | Data::Handle(_) => {
                let error = self.error(node, format!("can't go through {}", described(value)));
                return Err(vec![error.hint("`for` takes a list, set, map or object")]);
            }
            Data::Unknown(..) => return Ok(None),
            Data::Null(_) => {
                let error = self.error(node, "can't go through `null`");
                return Err(vec![error.hint("where it may be `null`: `coalesce(…, [])` or `…[*]`")]);
            }
        }))
    }
}

/// Whether it is a name with something literal behind it.
fn is_ambiguous(traversal: &Traversal) -> bool {
    let is_literal = |step: &Step| match &step.kind {
        StepKind::Attribute(_) | StepKind::LegacyIndex(_) => true,
        StepKind::Index(key) => matches!(key.kind, Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_)),
        StepKind::AttributeSplat | StepKind::FullSplat => false,
    };
    matches!(traversal.root.kind, Kind::Name(_)) && traversal.steps.iter().all(is_literal)
}

/// A key of an object; without text where it is unknown.
struct MemberKey {
    text: Option<String>,
    marks: ValueMarks,
}

impl MemberKey {
    fn plain(text: &str) -> Self {
        MemberKey { text: Some(text.to_owned()), marks: ValueMarks::NONE }
    }
}

/// What an object or a `for` expression gathers.
#[derive(Default)]
struct Builder {
    items: Vec<Value>,
    members: BTreeMap<String, Vec<Value>>,
    is_object: bool,
    grouping: bool,
    unknown: bool,
    marks: ValueMarks,
}

impl Builder {
    /// The last one counts.
    fn replace(&mut self, key: MemberKey, value: Value) {
        self.marks |= key.marks;
        match key.text {
            Some(name) => drop(self.members.insert(name, vec![value])),
            None => self.unknown = true,
        }
    }

    /// The key where it is taken already.
    fn put(&mut self, key: MemberKey, value: Value) -> Result<(), String> {
        self.marks |= key.marks;
        let Some(name) = key.text else {
            self.unknown = true;
            return Ok(());
        };
        match self.members.get_mut(&name) {
            Some(values) if self.grouping => values.push(value),
            Some(_) => return Err(name),
            None => drop(self.members.insert(name, vec![value])),
        }
        Ok(())
    }

    fn finish(self) -> Value {
        let marks = self.marks;
        let value = match (self.unknown, self.is_object) {
            (true, _) => Value::unknown(Type::Any).not_null(),
            (false, false) => Value::tuple(self.items),
            (false, true) => {
                let one = |mut values: Vec<Value>| match self.grouping {
                    true => Value::tuple(values),
                    false => values.pop().unwrap_or(Value::NULL),
                };
                self.members.into_iter().map(|(name, values)| (name, one(values))).collect()
            }
        };
        value.with_marks(marks)
    }
}
