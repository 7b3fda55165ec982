//! How a thing says which intent it was made for.
//!
//! A droplet has a tag. Keys, VPCs and firewalls have nothing but a name: they are made under one that has the intent in it, are
//! noted in the state, and get their own name after that.

use bimetal_provider::{Create, Json, Outcome, Result};

use crate::api::{Failure, outcome};

/// Of a droplet.
pub(crate) fn tag(intent: &str) -> String {
    format!("bimetal:{intent}")
}

/// What a thing is called until the state knows of it.
fn name(intent: &str) -> String {
    format!("bimetal-{intent}")
}

/// What is made under an interim name.
pub(crate) trait Named {
    /// All of its kind.
    fn all(&self) -> std::result::Result<Vec<Json>, Failure>;
    /// Makes it under a name that is not its own.
    fn make(&self, name: &str) -> std::result::Result<Json, Failure>;
    /// Gives it everything that it shall have, its own name too.
    fn finish(&self, id: &str) -> std::result::Result<Json, Failure>;
}

/// What has the intent in its name.
pub(crate) fn find(named: &impl Named, intent: &str) -> Result<Option<Json>> {
    let name = name(intent);
    Ok(named.all()?.into_iter().find(|one| one["name"] == name.as_str()))
}

/// First with the intent as its name; then, when the state knows its id, with its own.
pub(crate) fn create<T: Clone>(
    request: &Create<T>,
    named: &impl Named,
    id: impl Fn(&T) -> Option<&str>,
    told: impl Fn(&Json) -> T,
) -> Outcome<T> {
    if let Some(id) = request.so_far.as_ref().and_then(id) {
        return outcome(named.finish(id).map(|document| told(&document)), request.so_far.clone());
    }
    let name = name(&request.intent);
    let made = named.all().and_then(|all| match all.into_iter().find(|one| one["name"] == name.as_str()) {
        Some(document) => Ok(document),
        None => named.make(&name),
    });
    match made {
        Ok(document) => Outcome::Retry { after_ms: 0, reason: "naming it".to_owned(), so_far: Some(told(&document)) },
        Err(failure) => outcome(Err(failure), None),
    }
}

#[cfg(test)]
mod tests {
    use bimetal_provider::{Json, json};

    use crate::testing::Account;

    const KEY: &str = "ssh-ed25519 AAAA me@here";

    fn examples() -> [(&'static str, Json, &'static str); 3] {
        let rule = json!([{ "protocol": "tcp", "port_range": "80", "source_addresses": ["0.0.0.0/0"] }]);
        [
            ("digitalocean_ssh_key", json!({ "name": "laptop", "public_key": KEY }), "POST account/keys"),
            ("digitalocean_vpc", json!({ "name": "inside", "region": "fra1" }), "POST vpcs"),
            ("digitalocean_firewall", json!({ "name": "web", "inbound_rule": rule }), "POST firewalls"),
        ]
    }

    #[test]
    fn each_lives_and_dies() {
        for (ty, config, post) in examples() {
            let account = Account::default();
            let driver = account.driver();
            let made = driver.create(ty, "i-1", &config).unwrap();
            assert_eq!((&made["name"], made["id"].is_string()), (&config["name"], true), "{ty}");
            assert_eq!(driver.plan(ty, Some(&made), &config).unwrap().value, made, "{ty}");
            assert_eq!(driver.read(ty, std::slice::from_ref(&made)), [Ok(Some(made.clone()))], "{ty}");
            let mut renamed = config.clone();
            renamed["name"] = json!("other");
            let made = driver.update(ty, &made, &renamed).unwrap();
            assert_eq!((&made["name"], account.count(post)), (&json!("other"), 1), "{ty}");
            driver.delete(ty, &made).unwrap();
            assert_eq!((account.paths(), driver.read(ty, &[made])), (vec![], vec![Ok(None)]), "{ty}");
        }
    }

    #[test]
    fn a_lost_answer_makes_nothing_twice() {
        for (ty, config, post) in examples() {
            let account = Account::default();
            account.0.borrow_mut().loses = true;
            let made = account.driver().create(ty, "i-1", &config).unwrap();
            assert_eq!((&made["name"], account.count(post)), (&config["name"], 1), "{ty}");
        }
    }

    #[test]
    fn what_an_interrupted_run_made_is_found_by_its_intent() {
        for (ty, config, _) in examples() {
            let account = Account::default();
            account.driver().create(ty, "i-0", &config).unwrap();
            assert_eq!(account.driver().probe(ty, "i-1", &config).unwrap(), None, "{ty}");
            let path = account.paths().remove(0);
            account.0.borrow_mut().things.get_mut(&path).unwrap()["name"] = json!("bimetal-i-1");
            assert!(account.driver().probe(ty, "i-1", &config).unwrap().is_some(), "{ty}");
        }
    }
}
