//! An object as large, and as slow to look at, as its arguments say: for what calls cost, and what waits.

use std::collections::BTreeMap;
use std::time::Duration;

use bimetal_provider::capability::progress;
use bimetal_provider::{Create, Deletion, Deserialize, Outcome, Resource, Result, Schema, Serialize};

use crate::Memory;

/// So many fields
#[derive(Clone, Schema, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What there is to carry
    fields: BTreeMap<String, String>,
    /// Each look waits so long, as if for an API
    pause_ms: Option<u64>,
    /// What it is known by
    #[attr(read_only)]
    id: Option<String>,
}

impl Resource for Record {
    type Provider = Memory;
    const NAME: &'static str = "memory_record";

    /// Says when it waits, so that who listens knows how many do.
    fn read(_: &Memory, objects: Vec<Record>) -> Vec<Result<Option<Record>>> {
        for (index, pause) in (0..).zip(objects.iter().filter_map(|record| record.pause_ms)) {
            progress(index, "waiting");
            std::thread::sleep(Duration::from_millis(pause));
            progress(index, "waited");
        }
        objects.into_iter().map(|record| Ok(Some(record))).collect()
    }

    /// Nothing was made but what its caller was told of.
    fn probe(_: &Memory, _: &str, _: Record) -> Result<Option<Record>> {
        Ok(None)
    }

    fn create(_: &Memory, requests: Vec<Create<Record>>) -> Vec<Outcome<Record>> {
        let make = |request: Create<Record>| Outcome::Done(Record { id: Some(request.intent), ..request.config });
        requests.into_iter().map(make).collect()
    }

    fn update(_: &Memory, prior: Record, config: Record) -> Outcome<Record> {
        Outcome::Done(Record { id: prior.id, ..config })
    }

    fn delete(_: &Memory, _: Record) -> Deletion {
        Deletion::Done
    }
}
