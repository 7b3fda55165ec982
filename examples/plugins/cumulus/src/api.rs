//! What is asked of the API, and what its answers mean.
//!
//! The host keeps to the rate of the manifest, waits where an answer is 429, and asks again where asking changes nothing.

use bimetal_provider::capability::http::Request;
use bimetal_provider::{Credential, Deletion, Diagnostic, Json, Outcome};

pub(crate) const URL: &str = "https://api.cumulus.example";
/// What is not done yet is asked about again after so long.
pub(crate) const AGAIN_MS: u64 = 500;

/// An account's API.
pub(crate) struct Api {
    url: String,
    token: Credential,
}

/// Why something was not done.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// Nobody knows whether it was done: the answer is lost, or the server broke over it.
    Open(String),
    /// It can't be done while something else is as it is.
    Busy(String),
    /// It was not.
    Refused(Diagnostic),
}

pub(crate) type Answer<T> = Result<T, Failure>;

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Open(reason) | Failure::Busy(reason) => Diagnostic::error(reason).hint("apply again"),
            Failure::Refused(diagnostic) => diagnostic,
        }
    }
}

impl Api {
    pub(crate) fn new(url: Option<&str>, token: Credential) -> Api {
        Api { url: url.unwrap_or(URL).trim_end_matches('/').to_owned(), token }
    }

    /// What is there; `None`: nothing.
    pub(crate) fn get(&self, path: &str) -> Answer<Option<Json>> {
        self.send("GET", path, None)
    }

    /// The whole of a list, which stands in the answer under that noun.
    pub(crate) fn list(&self, path: &str, noun: &str) -> Answer<Vec<Json>> {
        let answer = self.get(path)?.unwrap_or_default();
        Ok(answer[noun].as_array().cloned().unwrap_or_default())
    }

    /// Makes something; answers what there is by then.
    pub(crate) fn post(&self, path: &str, body: &Json) -> Answer<Json> {
        Ok(self.send("POST", path, Some(body))?.unwrap_or_default())
    }

    /// Changes what is there; answers what there is by then.
    pub(crate) fn put(&self, path: &str, body: &Json) -> Answer<Json> {
        let gone = || Diagnostic::error(format!("Cumulus has no `{path}` any more")).hint("apply again");
        self.send("PUT", path, Some(body))?.ok_or_else(|| Failure::Refused(gone()))
    }

    /// What is gone counts as removed.
    pub(crate) fn delete(&self, path: &str) -> Answer<()> {
        self.send("DELETE", path, None).map(drop)
    }

    /// `None`: there is no such thing.
    fn send(&self, method: &str, path: &str, body: Option<&Json>) -> Answer<Option<Json>> {
        let request = Request::new(method, format!("{}/v1/{path}", self.url)).bearer(&self.token);
        let response = body.into_iter().fold(request, Request::json).send().map_err(|fault| match fault.retryable {
            true => Failure::Open(fault.message),
            false => Failure::Refused(fault.into()),
        })?;
        let said = response.json();
        match response.status() {
            200..=299 => said.map(Some).map_err(|fault| Failure::Open(fault.message)),
            404 if method != "POST" => Ok(None),
            status => Err(failure(status, &said.unwrap_or_default())),
        }
    }
}

fn failure(status: u16, said: &Json) -> Failure {
    let message = said["message"].as_str().unwrap_or("without saying why");
    let refused = match status {
        401 => Diagnostic::error(format!("Cumulus does not accept the token: {message}"))
            .hint("give one of the account's as `token` of `provider \"cumulus\"`"),
        409 if said["error"] == "busy" => return Failure::Busy(format!("Cumulus refuses for now: {message}")),
        429 => {
            Diagnostic::error(format!("Cumulus takes no more requests for now: {message}")).hint("apply again later")
        }
        500.. => return Failure::Open(format!("Cumulus answered {status}: {message}")),
        _ => Diagnostic::error(format!("Cumulus refuses this: {message}")),
    };
    // Its fields have the names of our attributes.
    Failure::Refused(said["field"].as_str().into_iter().fold(refused, Diagnostic::at))
}

/// What is open is called again: a create with the same intent finds what there is by then, an update changes it to the same.
pub(crate) fn outcome<T>(answer: Answer<T>, so_far: Option<T>) -> Outcome<T> {
    match answer {
        Ok(value) => Outcome::Done(value),
        Err(Failure::Open(reason) | Failure::Busy(reason)) => Outcome::Retry { after_ms: AGAIN_MS, reason, so_far },
        Err(Failure::Refused(diagnostic)) => Outcome::Failed { diagnostics: vec![diagnostic], so_far },
    }
}

/// What is still in use is asked about again.
pub(crate) fn deletion(answer: Answer<()>) -> Deletion {
    match answer {
        Ok(()) => Deletion::Done,
        Err(Failure::Open(reason) | Failure::Busy(reason)) => Deletion::Retry { after_ms: AGAIN_MS, reason },
        Err(Failure::Refused(diagnostic)) => Deletion::Failed(vec![diagnostic]),
    }
}
