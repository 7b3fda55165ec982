//! What is sensitive in what a plan would have written down, as people call it: without a key that can't be done.
//!
//! Invariant: what is stored and sensitive is named here before it is known (test: `what_only_the_effect_tells_is_named`).

use std::collections::BTreeSet;

use bimetal_model::port::Predict;
use bimetal_model::schema::{Block, NestedBlock};
use bimetal_model::{Data, Path, Value, path::Step};

use crate::data::{Action, Change, Plan};

/// What doing the plan would store.
pub fn stored_secrets(plan: &Plan, predict: &dyn Predict) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for change in &plan.changes {
        match change.action {
            Action::Create | Action::Update | Action::Replace | Action::Delete => {
                found.extend(of_change(change, predict));
            }
            // What is taken over, or called otherwise, is written down as it is.
            Action::Keep | Action::Leave => {
                let is_new = plan.imported.contains_key(&change.address) || plan.moved.contains_key(&change.address);
                found.extend(before(change).filter(|_| is_new).into_iter().flat_map(|value| of_object(change, value)));
            }
            Action::Read => {}
        }
    }
    let drifted = plan.drift.iter().filter_map(|drift| Some((drift.address.to_string(), drift.after.as_ref()?)));
    found.extend(drifted.flat_map(|(name, value)| named(&name, marked(value))));
    let outputs = plan.outputs.iter().filter_map(|(name, output)| Some((name, output.after.as_ref()?)));
    found.extend(outputs.filter(|(_, value)| value.has_sensitive()).map(|(name, _)| format!("output.{name}")));
    found
}

/// What saving the plan would store.
pub fn saved_secrets(plan: &Plan, predict: &dyn Predict) -> BTreeSet<String> {
    let variables = plan.variables.iter().map(|(name, value)| (format!("var.{name}"), value));
    let providers = plan.providers.iter().map(|(key, value)| (format!("provider.{key}"), value));
    let facts = plan.facts.iter().chain(&plan.known).map(|(address, value)| (address.to_string(), value));
    let kept = plan.changes.iter().flat_map(|change| {
        let values = before(change).into_iter().chain(&change.after).chain(&change.config);
        values.map(|value| (change.address.to_string(), value))
    });
    let all = variables.chain(providers).chain(facts).chain(kept);
    let found = all.flat_map(|(name, value)| named(&name, marked(value)));
    found.chain(stored_secrets(plan, predict)).collect()
}

fn before(change: &Change) -> Option<&Value> {
    change.before.as_ref().map(|before| &before.object.value)
}

fn of_change(change: &Change, predict: &dyn Predict) -> Vec<String> {
    let values = before(change).into_iter().chain(&change.after).chain(&change.config);
    let mut found: Vec<String> = values.flat_map(|value| of_object(change, value)).collect();
    let schema = predict.schema(&change.provider.name).ok();
    if let Some((schema, after)) =
        schema.as_ref().and_then(|schema| schema.managed.get(&change.ty)).zip(change.after.as_ref())
    {
        let mut paths = Vec::new();
        told_later(after, &schema.block, &Path::root(), &mut paths);
        found.extend(named(&change.address.to_string(), paths));
    }
    found
}

fn of_object(change: &Change, value: &Value) -> Vec<String> {
    named(&change.address.to_string(), marked(value))
}

fn named(name: &str, paths: Vec<Path>) -> Vec<String> {
    let name = |path: Path| match path.to_string() {
        path if path.is_empty() || path.starts_with('[') => format!("{name}{path}"),
        path => format!("{name}.{path}"),
    };
    paths.into_iter().map(name).collect()
}

/// Where marks are.
fn marked(value: &Value) -> Vec<Path> {
    fn walk(value: &Value, path: &Path, found: &mut Vec<Path>) {
        match value.marks.sensitive {
            true => found.push(path.clone()),
            false => value.children().for_each(|(step, child)| walk(child, &path.then(step), found)),
        }
    }
    let mut found = Vec::new();
    walk(value, &Path::root(), &mut found);
    found
}

/// Where the schema says that something sensitive may turn up.
fn told_later(value: &Value, block: &Block, path: &Path, found: &mut Vec<Path>) {
    for (name, attribute) in &block.attributes {
        let keeps_secret = !attribute.write_only && attribute.is_secret() || attribute.keeps_secret;
        let may_be = value.is_unknown() || value.member(name).is_some();
        if keeps_secret && may_be {
            found.push(path.then(Step::Attribute(name.clone())));
        }
    }
    for (name, nested) in &block.blocks {
        let path = path.then(Step::Attribute(name.clone()));
        match value.as_members().and_then(|members| members.get(name)) {
            Some(member) => told_in_block(member, nested, &path, found),
            None if value.is_unknown() => told_later(value, &nested.block, &path, found),
            None => {}
        }
    }
}

fn told_in_block(value: &Value, nested: &NestedBlock, path: &Path, found: &mut Vec<Path>) {
    match &value.data {
        Data::List(items) | Data::Tuple(items) | Data::Set(items) => {
            for (index, item) in items.iter().enumerate() {
                told_later(item, &nested.block, &path.then(Step::Index(index as u32)), found);
            }
        }
        Data::Null(_) => {}
        _ => told_later(value, &nested.block, path, found),
    }
}

#[cfg(test)]
mod tests {
    use bimetal_model::Type;
    use bimetal_model::schema::Attribute;

    use super::*;

    fn block() -> Block {
        let secret = Attribute { sensitive: true, ..Attribute::optional(Type::String) };
        let inner = Block { attributes: [("key".to_owned(), secret.clone())].into(), ..Block::default() };
        Block {
            attributes: [("password".to_owned(), secret), ("name".to_owned(), Attribute::optional(Type::String))]
                .into(),
            blocks: [("peer".to_owned(), NestedBlock { block: inner, ..NestedBlock::default() })].into(),
        }
    }

    fn told(value: Value) -> Vec<String> {
        let mut found = Vec::new();
        told_later(&value, &block(), &Path::root(), &mut found);
        named("x.y", found)
    }

    fn object(password: Value, peers: Value) -> Value {
        [("name", Value::from("n")), ("password", password), ("peer", peers)].into_iter().collect()
    }

    #[test]
    fn what_only_the_effect_tells_is_named() {
        let unknown = || Value::unknown(Type::String);
        assert_eq!(told(object(unknown(), Value::tuple([]))), ["x.y.password"]);
        assert_eq!(told(object(Value::NULL, Value::tuple([]))), [""; 0]);
        let peer = [("key", unknown())].into_iter().collect();
        assert_eq!(told(object(Value::NULL, Value::tuple([peer]))), ["x.y.peer[0].key"]);
        assert_eq!(told(object(Value::NULL, Value::unknown(Type::Any))), ["x.y.peer.key"]);
        assert_eq!(told(Value::unknown(Type::Any)), ["x.y.password", "x.y.peer.key"]);
    }

    #[test]
    fn marks_are_named_where_they_are() {
        let env: Value = [("TOKEN", Value::from("t").into_sensitive()), ("MODE", "m".into())].into_iter().collect();
        let value = [("env", env), ("all", Value::tuple(["a".into(), Value::from("b").into_sensitive()]))];
        assert_eq!(named("x.y", marked(&value.into_iter().collect())), ["x.y.all[1]", "x.y.env.TOKEN"]);
        assert_eq!(named("x.y[0]", marked(&Value::from("t").into_sensitive())), ["x.y[0]"]);
    }
}
