//! What providers and the APIs behind them said to each other, kept so that it can be said again where there is no API.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::Diagnostic;
use serde::{Deserialize, Serialize};

use crate::fault::{Code, Fault};
use crate::http::{Request, Response};

/// Of the document.
const FORMAT: u32 = 1;

/// They tell of the day of the recording, or are secrets.
const NOT_KEPT: [&str; 3] = ["date", "server", "set-cookie"];

/// The HTTP requests of a run with their answers. What a request was sent with, its headers and credentials, is not in it.
pub struct Recording(Tape);

enum Tape {
    Recorded(Mutex<Vec<Exchange>>),
    Played(Played),
}

/// Each request gets its answers in their order, and its last one from then on.
struct Played {
    stand_in: Option<String>,
    answers: HashMap<Asked, Vec<Answered>>,
    /// How many answers of each were given.
    given: Mutex<HashMap<Asked, usize>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    stand_in: Option<String>,
    exchanges: Vec<Exchange>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    request: Asked,
    response: Answered,
}

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    method: String,
    url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Body>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
}

/// As text, where it is that.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
enum Body {
    Text(String),
    Bytes { base64: String },
}

impl Recording {
    /// Nothing was said yet.
    pub fn begin() -> Recording {
        Recording(Tape::Recorded(Mutex::default()))
    }

    /// One that was made before. Nobody is dialled with it: what was not recorded is an error.
    pub fn read(document: &str) -> Result<Recording, Diagnostic> {
        let none = |why: String| Diagnostic::error("this is no recording").because(why);
        let Document { format, stand_in, exchanges } =
            serde_json::from_str(document).map_err(|error| none(error.to_string()))?;
        if format != FORMAT {
            return Err(none(format!("its format is {format}, and what is read is {FORMAT}")));
        }
        let mut answers: HashMap<Asked, Vec<Answered>> = HashMap::new();
        for Exchange { request, response } in exchanges {
            answers.entry(request).or_default().push(response);
        }
        Ok(Recording(Tape::Played(Played { stand_in, answers, given: Mutex::default() })))
    }

    /// Where what stood for the API listened when it was recorded.
    pub fn stand_in(&self) -> Option<&str> {
        match &self.0 {
            Tape::Recorded(_) => None,
            Tape::Played(played) => played.stand_in.as_deref(),
        }
    }

    /// What was recorded, as [`Recording::read`] reads it.
    pub fn document(&self, stand_in: Option<&str>) -> String {
        let exchanges = match &self.0 {
            Tape::Recorded(exchanges) => exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            Tape::Played(_) => Vec::new(),
        };
        let document = Document { format: FORMAT, stand_in: stand_in.map(str::to_owned), exchanges };
        serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
    }

    /// What was answered then; nothing where it is being recorded.
    pub(crate) fn answer(&self, request: &Request) -> Option<Result<Response, Fault>> {
        let Tape::Played(played) = &self.0 else { return None };
        Some(played.answer(request))
    }

    pub(crate) fn keep(&self, request: &Request, response: &Response) {
        let Tape::Recorded(exchanges) = &self.0 else { return };
        let is_kept = |(name, _): &&(String, String)| !NOT_KEPT.contains(&name.to_ascii_lowercase().as_str());
        let response = Answered {
            status: response.status,
            headers: response.headers.iter().filter(is_kept).cloned().collect(),
            body: Body::of(&response.body),
        };
        let exchange = Exchange { request: Asked::of(request), response };
        exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }
}

impl Played {
    fn answer(&self, request: &Request) -> Result<Response, Fault> {
        let asked = Asked::of(request);
        let Some(answers) = self.answers.get(&asked) else {
            let what = format!("the recording has no answer to {} {} with this body", request.method, request.url);
            return Err(Fault::new(Code::Invalid, what));
        };
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = given.entry(asked).or_default();
        let Answered { status, headers, body } = &answers[(*turn).min(answers.len() - 1)];
        *turn += 1;
        let body = body.bytes().map_err(|error| Fault::new(Code::Invalid, format!("the recording: {error}")))?;
        Ok(Response { status: *status, headers: headers.clone(), body })
    }
}

impl Asked {
    fn of(request: &Request) -> Asked {
        let Request { method, url, body, .. } = request;
        Asked { method: method.clone(), url: url.clone(), body: body.as_deref().map(Body::of) }
    }
}

impl Body {
    fn of(bytes: &[u8]) -> Body {
        match std::str::from_utf8(bytes) {
            Ok(text) => Body::Text(text.to_owned()),
            Err(_) => Body::Bytes { base64: STANDARD.encode(bytes) },
        }
    }

    fn bytes(&self) -> Result<Vec<u8>, base64::DecodeError> {
        match self {
            Body::Text(text) => Ok(text.clone().into_bytes()),
            Body::Bytes { base64 } => STANDARD.decode(base64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Secret;

    fn request(method: &str, body: Option<&[u8]>) -> Request {
        Request {
            method: method.to_owned(),
            url: "https://api.example.org/v1/things".to_owned(),
            headers: vec![("x-key".to_owned(), "hunter2".to_owned())],
            body: body.map(<[u8]>::to_vec),
            authorization: Some(("authorization".to_owned(), "Bearer ".to_owned(), Secret::new("hunter2"))),
        }
    }

    fn response(body: &[u8]) -> Response {
        let headers = [("Set-Cookie", "hunter2"), ("content-type", "text/plain")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Response { status: 200, headers, body: body.to_vec() }
    }

    #[test]
    fn what_was_said_is_said_again() {
        let recording = Recording::begin();
        let (get, post) = (request("GET", None), request("POST", Some(b"\xff\x00")));
        assert!(recording.answer(&get).is_none(), "somebody is asked");
        recording.keep(&get, &response(b"none"));
        recording.keep(&post, &response(b"\xfe"));
        recording.keep(&get, &response(b"one"));
        let document = recording.document(Some("http://127.0.0.1:1"));
        assert!(!document.contains("hunter2"), "{document}");

        let played = Recording::read(&document).unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(played.stand_in(), Some("http://127.0.0.1:1"));
        let said = |request| match played.answer(request) {
            Some(Ok(response)) => (response.headers.len(), response.body),
            Some(Err(fault)) => panic!("{}", fault.summary()),
            None => panic!("nobody was asked"),
        };
        let bodies = [&get, &post, &get, &get].map(said);
        assert_eq!(bodies, [&b"none"[..], b"\xfe", b"one", b"one"].map(|body| (1, body.to_vec())));
        let other = played.answer(&request("POST", Some(b"other"))).and_then(Result::err);
        assert!(other.is_some_and(|fault| fault.summary().contains("no answer to POST https://api")));
    }

    #[test]
    fn what_is_no_recording_is_told_apart() {
        for text in ["", "{}", r#"{ "format": 2, "exchanges": [] }"#, r#"{ "format": 1, "exchanges": [1] }"#] {
            let error = Recording::read(text).err().unwrap_or_else(|| panic!("{text} is none"));
            assert_eq!(error.summary, "this is no recording");
            assert!(!error.detail.is_empty());
        }
    }
}
