//! What one call may reach: the manifest, and what configuration hands to the call.
//!
//! Invariant: a guest can name only credentials that it was handed (tests: `a_credential_that_was_not_handed_over_is_refused`,
//! `a_guest_cannot_spend_the_credentials_of_others`).

use std::collections::{HashMap, HashSet};

use bimetal_model::{Address, ProviderKey, Value};
use serde_json::Value as Json;

use crate::fault::{Code, Fault};
use crate::http::origin;
use crate::manifest::{Manifest, Rate, Request, When};
use crate::phase::Phase;

/// HTTP requests that a provider block may lead to.
pub(crate) struct HttpGrant {
    origins: Vec<String>,
    methods: Vec<String>,
    /// Ids.
    credentials: Vec<String>,
    when: When,
}

impl HttpGrant {
    /// Whether it counts in such a call: what values are opened with is good for nothing else, and nothing else changes anything then.
    pub(crate) fn is_for(&self, phase: Phase, method: &str) -> bool {
        match self.when {
            When::Open => phase == Phase::Open,
            When::Operate => phase != Phase::Open || is_safe(method),
        }
    }
}

/// Whether a request changes nothing.
pub(crate) fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

/// What a call is about, and what was handed to it.
#[derive(Default)]
pub(crate) struct Subject {
    /// The objects of the call, in the order of its requests.
    pub(crate) addresses: Vec<Address>,
    /// Those of them that are to be made, by the intent that is stamped on them.
    pub(crate) intents: HashMap<String, Address>,
    handed: HashSet<String>,
}

impl Subject {
    pub(crate) fn of(addresses: Vec<Address>) -> Self {
        Subject { addresses, ..Subject::default() }
    }

    /// The object that carries an intent, or the only one that there is.
    pub(crate) fn owner(&self, intent: Option<&str>) -> Option<&Address> {
        let only = match &self.addresses[..] {
            [only] => Some(only),
            _ => None,
        };
        intent.and_then(|intent| self.intents.get(intent)).or(only)
    }

    /// The text goes to the guest: what it names may be used.
    pub(crate) fn hand_over(&mut self, text: String) -> String {
        if text.contains("$credential")
            && let Ok(json) = serde_json::from_str(&text)
        {
            self.handed.extend(credentials(&json).map(str::to_owned));
        }
        text
    }

    /// A handle or endpoint that a guest wrote, if it names no credential but those that it was given.
    ///
    /// What is checked is what is used: the answer is written anew from what was read.
    pub(crate) fn check(&self, handle: &str) -> Result<String, Fault> {
        let invalid = |_| Fault::new(Code::Invalid, "a handle or endpoint is no JSON");
        let json: Json = serde_json::from_str(handle).map_err(invalid)?;
        match credentials(&json).find(|id| !self.handed.contains(*id)) {
            Some(id) => Err(Fault::new(Code::Denied, format!("the credential `{id}` was not given to this call"))),
            None => Ok(json.to_string()),
        }
    }
}

/// All ids of credentials in a value on its way to a guest, or in a handle.
fn credentials(json: &Json) -> Box<dyn Iterator<Item = &str> + '_> {
    match json {
        Json::Object(members) => Box::new(members.iter().flat_map(|(name, inner)| match (name.as_str(), inner) {
            ("$credential", Json::String(id)) => Box::new(std::iter::once(id.as_str())),
            _ => credentials(inner),
        })),
        Json::Array(items) => Box::new(items.iter().flat_map(credentials)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Box::new(std::iter::empty()),
    }
}

/// What the manifest asks for, for this provider block.
pub(crate) fn http(manifest: &Manifest, key: &ProviderKey, config: &Value) -> Vec<HttpGrant> {
    let grant = |request: &Request| match request {
        Request::Http { origins, from, methods, credentials, when, .. } => {
            let named = from.iter().filter_map(|name| config.member(name)?.as_str());
            Some(HttpGrant {
                origins: origins.iter().map(String::as_str).chain(named).filter_map(origin).collect(),
                methods: methods.clone(),
                credentials: credentials.iter().map(|name| format!("provider.{key}#{name}")).collect(),
                when: *when,
            })
        }
        Request::Docker { .. } | Request::Ssh { .. } | Request::Certificates { .. } => None,
    };
    manifest.requests.iter().filter_map(grant).collect()
}

/// The rates of the manifest, one an origin.
pub(crate) fn rates(manifest: &Manifest, config: &Value) -> Vec<Rate> {
    let mut rates = Vec::new();
    for rate in &manifest.rates {
        let named = rate.from.as_ref().and_then(|name| config.member(name)?.as_str());
        let origins = [rate.origin.as_str()].into_iter().chain(named).filter_map(origin);
        rates.extend(origins.map(|origin| Rate { origin, ..rate.clone() }));
    }
    rates
}

/// The request's origin, if a grant covers origin, method and credential together.
pub(crate) fn covers(
    grants: &[&HttpGrant],
    method: &str,
    url: &str,
    credential: Option<&str>,
) -> Result<String, Fault> {
    let origin =
        origin(url).ok_or_else(|| Fault::new(Code::Invalid, "this is no URL of HTTP's, or it holds a password"))?;
    let denied = |what: String| Fault::new(Code::Denied, format!("not granted: {what}"));
    let covering =
        || grants.iter().filter(|grant| grant.origins.contains(&origin) && grant.methods.iter().any(|m| m == method));
    if covering().next().is_none() {
        return Err(denied(format!("{method} requests to {origin}")));
    }
    match credential {
        Some(id) if !covering().any(|grant| grant.credentials.iter().any(|granted| granted == id)) => {
            Err(denied(format!("sending the credential `{id}` to {origin}")))
        }
        Some(_) | None => Ok(origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_that_was_not_handed_over_is_refused() {
        let mut subject = Subject::default();
        subject.hand_over(
            r#"{"engine":{"$handle":{"endpoint":{"credential":{"$credential":"machine.x.a#key"}}}},"b":1}"#.to_owned(),
        );
        assert!(subject.check(r#"{"host":"h","credential":{"$credential":"machine.x.a#key"}}"#).is_ok());
        assert!(subject.check(r#"{"host":"h"}"#).is_ok());
        for sly in [
            r#"{"credential":{"$credential":"machine.x.b#key"}}"#,
            r#"{"credential":{"\u0024credential" : "machine.x.b#key"}}"#,
            r#"{"bastion":[{"credential":{"$credential":"machine.x.b#key"}}]}"#,
        ] {
            assert_eq!(subject.check(sly).unwrap_err().code, Code::Denied, "{sly}");
        }
        assert_eq!(subject.check("{").unwrap_err().code, Code::Invalid);
    }

    #[test]
    fn of_several_objects_the_intent_tells_which() {
        let address = |name| Address::new(bimetal_model::BlockKind::Resource, "t", name);
        let mut subject = Subject::of(vec![address("a"), address("b")]);
        subject.intents.insert("two".to_owned(), address("b"));
        assert_eq!(subject.owner(Some("two")), Some(&address("b")));
        assert_eq!(subject.owner(Some("three")), None);
        assert_eq!(Subject::of(vec![address("a")]).owner(None), Some(&address("a")));
    }

    #[test]
    fn a_users_own_text_hands_nothing_over() {
        let mut subject = Subject::default();
        subject.hand_over(r#"{"a":"{\"$credential\":\"x\"}","$$credential":"y"}"#.to_owned());
        assert!(subject.handed.is_empty());
    }

    #[test]
    fn what_values_are_opened_with_is_good_for_nothing_else() {
        let grant = |when| HttpGrant { origins: Vec::new(), methods: Vec::new(), credentials: Vec::new(), when };
        let phases = [Phase::Look, Phase::Open, Phase::Operate];
        let of = |when, method| phases.map(|phase| grant(when).is_for(phase, method));
        assert_eq!(of(When::Open, "POST"), [false, true, false]);
        assert_eq!(of(When::Operate, "POST"), [true, false, true]);
        assert_eq!(of(When::Operate, "GET"), [true, true, true]);
    }

    #[test]
    fn origin_method_and_credential_are_granted_together() {
        let grant = |origin: &str, method: &str, credential: &str| HttpGrant {
            origins: vec![origin.to_owned()],
            methods: vec![method.to_owned()],
            credentials: vec![credential.to_owned()],
            when: When::Operate,
        };
        let grants = [grant("https://a", "GET", "provider.x#token"), grant("https://b", "POST", "provider.x#other")];
        let grants: Vec<_> = grants.iter().collect();
        assert!(covers(&grants, "GET", "https://a/path", Some("provider.x#token")).is_ok());
        for (method, url, credential) in [
            ("POST", "https://a/", None),
            ("GET", "https://b/", None),
            ("GET", "https://a:444/", None),
            ("GET", "http://a/", None),
            ("GET", "https://a.evil/", None),
            ("POST", "https://b/", Some("provider.x#token")),
            ("GET", "https://a/", Some("provider.x.alias#token")),
        ] {
            let fault = covers(&grants, method, url, credential).unwrap_err();
            assert_eq!(fault.code, Code::Denied, "{method} {url}");
        }
    }
}
