//! `digitalocean_ssh_key`: a public key that new droplets let in.

use bimetal_provider::{
    Create, Deletion, Deserialize, Diagnostic, Json, Outcome, Resource, Result, Schema, Serialize, json,
};

use crate::DigitalOcean;
use crate::api::{Api, Failure, deletion, outcome, text};
use crate::stamp::{self, Named};

/// A key of the account.
#[derive(Clone, Debug, Schema, Serialize, Deserialize)]
pub(crate) struct SshKey {
    /// What people know it by
    name: String,
    /// `ssh-ed25519 AAAA…`
    #[attr(force_new, unique)]
    public_key: String,
    #[attr(read_only)]
    id: Option<String>,
    /// `aa:bb:…`
    #[attr(read_only)]
    fingerprint: Option<String>,
}

impl SshKey {
    /// As asked for, with what the account adds.
    fn told(&self, document: &Json) -> SshKey {
        SshKey { id: text(&document["id"]), fingerprint: text(&document["fingerprint"]), ..self.clone() }
    }
}

struct OfKey<'a>(&'a Api, &'a SshKey);

impl Named for OfKey<'_> {
    fn all(&self) -> std::result::Result<Vec<Json>, Failure> {
        self.0.list("account/keys", "ssh_keys")
    }

    fn make(&self, name: &str) -> std::result::Result<Json, Failure> {
        let made = self.0.post("account/keys", "ssh_key", &json!({ "name": name, "public_key": self.1.public_key }));
        made.map_err(|failure| match failure {
            Failure::Refused(refusal) if self.is_there().unwrap_or(false) => {
                let hint = "use it by its fingerprint in `ssh_keys`, or remove it from the account";
                let error = Diagnostic::error("the account has this key already, under another name");
                drop(refusal);
                Failure::Refused(error.hint(hint).at("public_key"))
            }
            failure => failure,
        })
    }

    fn finish(&self, id: &str) -> std::result::Result<Json, Failure> {
        self.0.put(&format!("account/keys/{id}"), "ssh_key", &json!({ "name": self.1.name }))
    }
}

impl OfKey<'_> {
    fn is_there(&self) -> std::result::Result<bool, Failure> {
        Ok(self.all()?.iter().any(|one| one["public_key"].as_str().is_some_and(|key| same(key, &self.1.public_key))))
    }
}

/// A comment at the end makes no other key.
fn same(one: &str, other: &str) -> bool {
    one.split_whitespace().take(2).eq(other.split_whitespace().take(2))
}

impl Resource for SshKey {
    type Provider = DigitalOcean;
    const NAME: &'static str = "digitalocean_ssh_key";

    fn validate(&self) -> Vec<Diagnostic> {
        let is_key = self.public_key.split_whitespace().nth(1).is_some() && !self.public_key.contains("PRIVATE");
        let error = || Diagnostic::error("this is no public key").at("public_key");
        (!is_key).then(|| error().hint("give the content of a file as `~/.ssh/id_ed25519.pub`")).into_iter().collect()
    }

    fn read(provider: &DigitalOcean, keys: Vec<SshKey>) -> Vec<Result<Option<SshKey>>> {
        let all = provider.api.list("account/keys", "ssh_keys").map_err(Diagnostic::from);
        let look = |key: SshKey| {
            let all = all.as_ref().map_err(Clone::clone)?;
            let found = all.iter().find(|one| text(&one["id"]) == key.id);
            Ok(found.map(|found| SshKey { name: text(&found["name"]).unwrap_or_default(), ..key.told(found) }))
        };
        keys.into_iter().map(look).collect()
    }

    fn probe(provider: &DigitalOcean, intent: &str, key: SshKey) -> Result<Option<SshKey>> {
        Ok(stamp::find(&OfKey(&provider.api, &key), intent)?.map(|found| key.told(&found)))
    }

    fn create(provider: &DigitalOcean, requests: Vec<Create<SshKey>>) -> Vec<Outcome<SshKey>> {
        let make = |request: Create<SshKey>| {
            let named = OfKey(&provider.api, &request.config);
            stamp::create(&request, &named, |key| key.id.as_deref(), |document| request.config.told(document))
        };
        requests.into_iter().map(make).collect()
    }

    fn update(provider: &DigitalOcean, prior: SshKey, key: SshKey) -> Outcome<SshKey> {
        let id = prior.id.clone().unwrap_or_default();
        outcome(OfKey(&provider.api, &key).finish(&id).map(|document| key.told(&document)), Some(prior))
    }

    fn delete(provider: &DigitalOcean, key: SshKey) -> Deletion {
        let Some(id) = &key.id else { return Deletion::Done };
        deletion(provider.api.delete(&format!("account/keys/{id}"), None))
    }

    /// By its number or its fingerprint.
    fn import(provider: &DigitalOcean, id: &str, _: Self) -> Result<SshKey> {
        let found = provider.api.get(&format!("account/keys/{id}"))?;
        let found = found.ok_or_else(|| Diagnostic::error(format!("the account has no key `{id}`")))?;
        let found = &found["ssh_key"];
        let member = |name: &str| text(&found[name]).unwrap_or_default();
        let key = SshKey { name: member("name"), public_key: member("public_key"), id: None, fingerprint: None };
        Ok(key.told(found))
    }
}
