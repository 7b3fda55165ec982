//! What is asked of DigitalOcean's API, and what its answers mean: <https://docs.digitalocean.com/reference/api/>.
//!
//! The host keeps to the documented rates, waits where an answer is 429, and asks again where asking changes nothing.

use bimetal_provider::capability::http::Request;
use bimetal_provider::{Credential, Deletion, Diagnostic, Json, Outcome};

const URL: &str = "https://api.digitalocean.com";
/// The most that a page of a list holds.
const PAGE: usize = 200;
/// When something was left open, it is asked about after so long.
const AGAIN_MS: u64 = 3000;

/// An account's API.
pub(crate) struct Api {
    url: String,
    token: Credential,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Failure {
    /// Nobody knows whether it was done: the answer is lost, or the server broke over it.
    Open(String),
    /// It can't be done while something else is as it is.
    Busy(String),
    /// It was not.
    Refused(Diagnostic),
}

type Answer<T> = Result<T, Failure>;

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Failure::Refused(diagnostic)
    }
}

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

    /// The whole of a list.
    pub(crate) fn list(&self, path: &str, noun: &str) -> Answer<Vec<Json>> {
        let mut items = Vec::new();
        let link = if path.contains('?') { '&' } else { '?' };
        for page in 1.. {
            let answer = self.get(&format!("{path}{link}per_page={PAGE}&page={page}"))?.unwrap_or_default();
            items.extend(answer[noun].as_array().cloned().unwrap_or_default());
            if answer["links"]["pages"]["next"].is_null() {
                break;
            }
        }
        Ok(items)
    }

    /// Makes something; answers what stands in the answer under that noun.
    pub(crate) fn post(&self, path: &str, noun: &str, body: &Json) -> Answer<Json> {
        let mut answer = self.send("POST", path, Some(body))?.unwrap_or_default();
        Ok(answer[noun].take())
    }

    /// Puts something in the place of what is there.
    pub(crate) fn put(&self, path: &str, noun: &str, body: &Json) -> Answer<Json> {
        let missing =
            || Diagnostic::error(format!("there is no `{path}` on DigitalOcean any more")).hint("apply again");
        let mut answer = self.send("PUT", path, Some(body))?.ok_or_else(missing)?;
        Ok(answer[noun].take())
    }

    /// What is gone counts as removed.
    pub(crate) fn delete(&self, path: &str, body: Option<&Json>) -> Answer<()> {
        self.send("DELETE", path, body).map(drop)
    }

    /// `None`: there is no such thing.
    fn send(&self, method: &str, path: &str, body: Option<&Json>) -> Answer<Option<Json>> {
        let request = Request::new(method, format!("{}/v2/{path}", self.url)).bearer(&self.token);
        let response = body.into_iter().fold(request, Request::json).send().map_err(|fault| match fault.retryable {
            true => Failure::Open(fault.message),
            false => Failure::Refused(fault.into()),
        })?;
        let said = response.json();
        match response.status() {
            200..=299 => Ok(Some(said.map_err(|fault| Failure::Open(fault.message))?)),
            404 if method != "POST" => Ok(None),
            status => Err(failure(status, said.ok().as_ref().and_then(|body| body["message"].as_str()))),
        }
    }
}

fn failure(status: u16, message: Option<&str>) -> Failure {
    let message = message.unwrap_or("without saying why");
    let refused = |diagnostic| Failure::Refused(diagnostic);
    match status {
        401 => refused(
            Diagnostic::error(format!("DigitalOcean does not accept the token: {message}"))
                .hint("make one under API in the control panel, and give it as `token` of `provider \"digitalocean\"`"),
        ),
        403 if message.contains("with members") => Failure::Busy(format!("DigitalOcean refuses for now: {message}")),
        409 | 412 => Failure::Busy(format!("DigitalOcean refuses for now: {message}")),
        403 => refused(
            Diagnostic::error(format!("the token may not do this: {message}"))
                .hint("give it the scopes that this needs"),
        ),
        429 => refused(
            Diagnostic::error(format!("DigitalOcean takes no more requests for now: {message}"))
                .hint("apply again later"),
        ),
        500.. => Failure::Open(format!("DigitalOcean answered {status}: {message}")),
        _ => refused(Diagnostic::error(format!("DigitalOcean refuses this: {message}"))),
    }
}

/// What is open is asked about again, as a create with the same intent finds what is there by then.
pub(crate) fn outcome<T>(result: Answer<T>, so_far: Option<T>) -> Outcome<T> {
    match result {
        Ok(value) => Outcome::Done(value),
        Err(Failure::Open(reason)) => Outcome::Retry { after_ms: AGAIN_MS, reason, so_far },
        Err(failure) => Outcome::Failed { diagnostics: vec![failure.into()], so_far },
    }
}

/// What something else still needs is asked about again.
pub(crate) fn deletion(result: Answer<()>) -> Deletion {
    match result {
        Ok(()) => Deletion::Done,
        Err(Failure::Open(reason) | Failure::Busy(reason)) => Deletion::Retry { after_ms: AGAIN_MS, reason },
        Err(Failure::Refused(diagnostic)) => Deletion::Failed(vec![diagnostic]),
    }
}

/// A number or a name, as text.
pub(crate) fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A number where text is one: ids are numbers to the API, and text to everybody else.
pub(crate) fn number(text: &str) -> Json {
    text.parse::<u64>().map_or_else(|_| text.into(), Json::from)
}
