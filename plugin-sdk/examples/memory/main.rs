//! A provider whose objects are nowhere but in state: what the benchmark measures with it is Bimetal alone.
//!
//! `cargo build --package bimetal-provider --example memory --target wasm32-wasip2` makes the component.

mod record;

use bimetal_provider::{
    Create, Deletion, Deserialize, Outcome, Plan, Provider, Resource, Result, Schema, Serialize, Type,
};

/// It needs nothing.
pub struct Memory;

/// The arguments of `provider "memory"`: there are none.
#[derive(Schema, Deserialize)]
pub struct Config {}

impl Provider for Memory {
    type Config = Config;

    fn configure(_: Config) -> Result<Self> {
        Ok(Memory)
    }

    fn types() -> Vec<Type<Self>> {
        vec![Type::of::<Item>(), Type::of::<record::Record>()]
    }
}

/// Something to remember.
#[derive(Clone, Schema, Serialize, Deserialize)]
pub struct Item {
    /// Another one makes another item
    #[attr(force_new)]
    name: String,
    /// May change
    text: Option<String>,
    /// For references
    after: Option<String>,
    /// What it is known by
    #[attr(read_only)]
    id: Option<String>,
    /// Counts the changes
    #[attr(read_only, changes_on_update)]
    revision: Option<u64>,
}

impl Resource for Item {
    type Provider = Memory;
    const NAME: &'static str = "memory_item";
    const BATCH: u32 = 50;

    fn plan(plan: &mut Plan) -> Result<()> {
        if plan.is_new() {
            plan.set("revision", 1);
        }
        Ok(())
    }

    fn read(_: &Memory, objects: Vec<Item>) -> Vec<Result<Option<Item>>> {
        objects.into_iter().map(|item| Ok(Some(item))).collect()
    }

    /// Nothing was made but what its caller was told of.
    fn probe(_: &Memory, _: &str, _: Item) -> Result<Option<Item>> {
        Ok(None)
    }

    fn create(_: &Memory, requests: Vec<Create<Item>>) -> Vec<Outcome<Item>> {
        let make = |request: Create<Item>| {
            let id = Some(request.intent);
            Outcome::Done(Item { id, revision: Some(1), ..request.config })
        };
        requests.into_iter().map(make).collect()
    }

    fn update(_: &Memory, prior: Item, config: Item) -> Outcome<Item> {
        Outcome::Done(Item { id: prior.id, revision: prior.revision.map(|count| count + 1), ..config })
    }

    fn delete(_: &Memory, _: Item) -> Deletion {
        Deletion::Done
    }
}

bimetal_provider::export_provider!(crate::Memory, "manifest.json");

#[cfg(test)]
mod tests {
    use bimetal_provider::json;
    use bimetal_provider::testing::{Driver, World};

    use super::*;

    #[test]
    fn an_item_lives_and_dies() {
        let driver = Driver::<Memory>::new(World::default(), &json!({})).unwrap();
        let item = driver.create("memory_item", "i-1", &json!({ "name": "a" })).unwrap();
        assert_eq!((&item["id"], &item["revision"]), (&json!("i-1"), &json!(1)));
        let item = driver.update("memory_item", &item, &json!({ "name": "a", "text": "b" })).unwrap();
        assert_eq!((&item["id"], &item["revision"]), (&json!("i-1"), &json!(2)));
        driver.delete("memory_item", &item).unwrap();
    }

    #[test]
    fn a_record_is_looked_at_as_it_is() {
        let driver = Driver::<Memory>::new(World::default(), &json!({})).unwrap();
        let record = driver.create("memory_record", "i-1", &json!({ "fields": { "a": "b" }, "pause_ms": 1 })).unwrap();
        assert_eq!(driver.read("memory_record", std::slice::from_ref(&record)), [Ok(Some(record))]);
    }
}
