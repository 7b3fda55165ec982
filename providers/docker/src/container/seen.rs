//! What an engine shows of its containers.

use std::collections::BTreeMap;

use bimetal_provider::capability::docker::Engine;
use bimetal_provider::{Diagnostic, Json, Result, json};

use crate::stamp::INTENT;

/// What is looked at of one container. What an engine adds by itself is nobody's business.
pub(super) struct Seen {
    pub(super) id: String,
    pub(super) image_id: Option<String>,
    /// The engine keeps it going: also while it is paused, or between two attempts.
    pub(super) is_running: bool,
    pub(super) exit_code: i64,
    /// Addresses by network; none while it doesn't run.
    addresses: BTreeMap<String, String>,
}

impl Seen {
    /// All of ours on one engine, by id, in one call.
    pub(super) fn all(engine: &Engine) -> Result<BTreeMap<String, Seen>> {
        let list = engine.containers(&json!({ "label": [INTENT] }))?;
        Ok(list.iter().filter_map(Seen::listed).map(|seen| (seen.id.clone(), seen)).collect())
    }

    /// The one that carries an intent.
    pub(super) fn of_intent(engine: &Engine, intent: &str) -> Result<Option<Seen>> {
        let list = engine.containers(&json!({ "label": [format!("{INTENT}={intent}")] }))?;
        Ok(list.first().and_then(Seen::listed))
    }

    pub(super) fn one(engine: &Engine, id: &str) -> Result<Seen> {
        let inspection = engine.inspect_container(id)?;
        inspection.as_ref().and_then(Seen::inspected).ok_or_else(|| {
            Diagnostic::error("the container was there a moment ago, and is gone").hint("somebody else removed it")
        })
    }

    fn listed(one: &Json) -> Option<Seen> {
        let is_running = matches!(one["State"].as_str(), Some("running" | "paused" | "restarting"));
        Some(Seen {
            id: one["Id"].as_str()?.to_owned(),
            image_id: one["ImageID"].as_str().map(str::to_owned),
            is_running,
            exit_code: 0,
            addresses: addresses(one),
        })
    }

    fn inspected(one: &Json) -> Option<Seen> {
        Some(Seen {
            id: one["Id"].as_str()?.to_owned(),
            image_id: one["Image"].as_str().map(str::to_owned),
            is_running: one["State"]["Running"] == true,
            exit_code: one["State"]["ExitCode"].as_i64().unwrap_or(0),
            addresses: addresses(one),
        })
    }

    /// On the first of these networks, or on the only one that it is on.
    pub(super) fn address(&self, networks: &[String]) -> Option<String> {
        let asked = networks.iter().find_map(|network| self.addresses.get(network));
        asked.or_else(|| self.addresses.values().next()).cloned()
    }
}

fn addresses(one: &Json) -> BTreeMap<String, String> {
    let networks = one["NetworkSettings"]["Networks"].as_object().into_iter().flatten();
    let address = |(name, network): (&String, &Json)| Some((name.clone(), network["IPAddress"].as_str()?.to_owned()));
    networks.filter_map(address).filter(|(_, address)| !address.is_empty()).collect()
}
