//! What calls cost whatever a provider does in them: `cargo xtask bench overhead` runs it with the component of
//! `plugin-sdk/examples/memory`, whose path is its only argument.
//!
//! Prints one JSON document of figures on standard output.

mod calls;
mod crowd;
mod rig;

use std::path::Path;

use serde_json::json;

fn main() {
    let component = std::env::args_os().nth(1).expect("the component's path is the only argument");
    let rig = rig::Rig::new(Path::new(&component));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be had");
    // Compiles the component, if nobody did before.
    calls::plan(&rig, &rig::record("first", 0, None));
    // Before anything else has grown the heap: what instances take is told from what there was before them.
    let crowd = runtime.block_on(crowd::measure(&rig));
    let sizes = rig::SIZES.map(|size| {
        let record = rig::record("record", size, None);
        json!({
            "bytes": rig::size(&record),
            "plans_a_second": calls::a_second(|| calls::plan(&rig, &record)),
            "planned_a_second": calls::a_second(|| calls::plan_many(&rig, &record)) * calls::MANY as f64,
            "reads_a_second": runtime.block_on(calls::reads_a_second(&rig, &record)),
        })
    });
    println!("{}", json!({ "format": 1, "sizes": sizes, "crowd": crowd }));
}
