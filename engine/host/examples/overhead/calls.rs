//! Calls a second.

use std::time::{Duration, Instant};

use bimetal_model::Value;
use bimetal_model::port::{Operate as _, PlanRequest, Predict as _};
use futures::StreamExt as _;

use crate::rig::{Rig, TYPE, address, key, name, object};

/// Each figure takes so long.
const LONG: Duration = Duration::from_secs(3);
/// Objects of one call, as the planner has them together.
pub(crate) const MANY: usize = 100;
/// Looks at the same time, as `plan` has them.
const AT_ONCE: usize = 32;

/// How often a second something is done, by one thread after the other.
pub(crate) fn a_second(mut work: impl FnMut()) -> f64 {
    let started = Instant::now();
    let mut count = 0.0;
    while started.elapsed() < LONG {
        work();
        count += 1.0;
    }
    count / started.elapsed().as_secs_f64()
}

/// Plans to change nothing of one object: a call on an instance that served before.
pub(crate) fn plan(rig: &Rig, record: &Value) {
    planned(rig, &[request(record)]);
}

/// The same of many, in one call.
pub(crate) fn plan_many(rig: &Rig, record: &Value) {
    planned(rig, &vec![request(record); MANY]);
}

fn planned(rig: &Rig, requests: &[PlanRequest]) {
    for answer in rig.host.plan(&name(), requests) {
        answer.unwrap_or_else(|said| panic!("{said:?}"));
    }
}

fn request(record: &Value) -> PlanRequest {
    PlanRequest {
        address: address("it"),
        ty: TYPE.to_owned(),
        prior: Some(object(record)),
        config: record.clone(),
        proposed: record.clone(),
    }
}

/// Looks at one object a call, each on an instance of its own that is configured first, on all processors.
pub(crate) async fn reads_a_second(rig: &Rig, record: &Value) -> f64 {
    let started = Instant::now();
    let looks = futures::stream::iter(0..).take_while(|_| std::future::ready(started.elapsed() < LONG));
    let count = looks.map(|_| read(rig, record)).buffer_unordered(AT_ONCE).count().await;
    count as f64 / started.elapsed().as_secs_f64()
}

/// Looks at one object.
pub(crate) async fn read(rig: &Rig, record: &Value) {
    for answer in rig.host.read(&key(), TYPE, &[(address("it"), object(record))]).await {
        assert!(answer.unwrap_or_else(|said| panic!("{said:?}")).is_some(), "it exists in state, and nowhere else");
    }
}
