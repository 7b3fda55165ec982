use serde_json::Value as Json;

use super::host::http;
use super::{Code, Fault, parsed};
use crate::bindings::bimetal::provider::http as wit;
use crate::schema::Credential;

/// A request in the making.
pub struct Request(wit::Request);

/// An answer of any status.
pub struct Response(wit::Response);

impl Request {
    /// To a URL whose origin the manifest names.
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Request(wit::Request {
            method: method.to_owned(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            authorization: None,
        })
    }

    /// The host adds `Authorization: Bearer <secret>`.
    #[must_use]
    pub fn bearer(mut self, credential: &Credential) -> Self {
        self.0.authorization = Some(wit::Authorization {
            credential: credential.0.clone(),
            header: "authorization".to_owned(),
            prefix: "Bearer ".to_owned(),
        });
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(mut self, body: &Json) -> Self {
        self.0.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        self.0.body = Some(body.to_string().into_bytes());
        self
    }

    /// Sends it; waits where the rate model or the server says so.
    pub fn send(self) -> Result<Response, Fault> {
        http::send(&self.0).map(Response)
    }
}

impl Response {
    /// `200`, …
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The first header of that name, written in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body; an empty one is `null`.
    pub fn json(&self) -> Result<Json, Fault> {
        match std::str::from_utf8(&self.0.body) {
            Ok("") => Ok(Json::Null),
            Ok(text) => parsed(text),
            Err(_) => {
                Err(Fault { code: Code::Protocol, message: "the answer is no text".to_owned(), retryable: false })
            }
        }
    }
}
