//! HTTP requests of providers: to granted origins only, at a rate that the other side takes, with secrets that the host adds.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, StatusCode, Url};

use crate::client::Later;
use crate::credentials::Secret;
use crate::fault::{Code, Fault};
use crate::manifest::Rate;
use crate::recording::Recording;

/// The largest body of an answer, in bytes.
const MOST_BYTES: usize = 32 << 20;
/// A request that was refused as one too many is sent again so often.
const MOST_TRIES: u32 = 6;
/// No server may make a run wait longer than this for one request.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// A request that was checked against the manifest.
pub struct Request {
    /// `GET`, …
    pub method: String,
    /// Its origin is granted.
    pub url: String,
    /// As the provider wrote them.
    pub headers: Vec<(String, String)>,
    /// As the provider wrote it.
    pub body: Option<Vec<u8>>,
    /// Name, prefix and secret of a header that the host adds.
    pub authorization: Option<(String, String, Secret)>,
}

/// An answer.
pub struct Response {
    /// `200`, …
    pub status: u16,
    /// In the server's order.
    pub headers: Vec<(String, String)>,
    /// Whole.
    pub body: Vec<u8>,
}

/// The HTTP client of a run.
pub struct Http {
    client: Later,
    origins: Mutex<HashMap<String, Origin>>,
    recording: Option<Arc<Recording>>,
}

/// What all instances of all providers know of an origin.
#[derive(Default)]
struct Origin {
    /// When the last requests were sent.
    sent: VecDeque<Instant>,
    /// It asked to be left alone until then.
    paused: Option<Instant>,
}

/// `scheme://host[:port]` of a URL.
pub fn origin(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let has_secret = !url.username().is_empty() || url.password().is_some();
    (matches!(url.scheme(), "http" | "https") && !has_secret).then(|| url.origin().ascii_serialization())
}

impl Http {
    /// Redirects are not followed: they would leave what was granted.
    pub fn new(recording: Option<Arc<Recording>>) -> Http {
        let client = Later::new(|| {
            crate::client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(Duration::from_secs(15))
                .timeout(Duration::from_secs(60))
        });
        Http { client, origins: Mutex::default(), recording }
    }

    /// Answers as it was recorded; otherwise sends the request, waits where the rate model or the server says so, and tries again what may be tried again.
    pub async fn send(
        &self,
        request: &Request,
        rates: &[Rate],
        tell: &(dyn Fn(String) + Sync),
    ) -> Result<Response, Fault> {
        let Some(recording) = &self.recording else { return self.ask(request, rates, tell).await };
        if let Some(answer) = recording.answer(request) {
            return answer;
        }
        let response = self.ask(request, rates, tell).await?;
        recording.keep(request, &response);
        Ok(response)
    }

    async fn ask(&self, request: &Request, rates: &[Rate], tell: &(dyn Fn(String) + Sync)) -> Result<Response, Fault> {
        let origin =
            origin(&request.url).ok_or_else(|| Fault::new(Code::Invalid, format!("`{}` is no URL", request.url)))?;
        let is_safe = crate::grant::is_safe(&request.method);
        for attempt in 1.. {
            self.wait_for_turn(&origin, rates, tell).await;
            let sent = self.send_once(request).await;
            if let Ok((response, Some(pause))) = &sent
                && matches!(response.status, 429 | 503)
            {
                self.pause(&origin, *pause);
            }
            let wait = match sent {
                Ok((response, retry_after))
                    if response.status == StatusCode::TOO_MANY_REQUESTS.as_u16() && attempt < MOST_TRIES =>
                {
                    let wait = retry_after.unwrap_or(Duration::from_secs(1 << attempt)).min(LONGEST_WAIT);
                    tell(format!("{origin} takes no more requests for now, waiting {} s", wait.as_secs()));
                    wait
                }
                Ok((response, _)) if response.status >= 500 && is_safe && attempt < MOST_TRIES => {
                    Duration::from_millis(200 << attempt)
                }
                Ok((response, _)) => return Ok(response),
                Err(fault) if fault.retryable && is_safe && attempt < MOST_TRIES => {
                    Duration::from_millis(200 << attempt)
                }
                Err(fault) => return Err(fault),
            };
            tokio::time::sleep(wait).await;
        }
        unreachable!("the last try returns")
    }

    async fn send_once(&self, request: &Request) -> Result<(Response, Option<Duration>), Fault> {
        let invalid = |what: &str| Fault::new(Code::Invalid, format!("{} {}: {what}", request.method, request.url));
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| invalid("no such method"))?;
        let mut builder = self.client.get()?.request(method, &request.url);
        for (name, value) in &request.headers {
            builder =
                builder.header(header_name(name).ok_or_else(|| invalid("a header's name is not allowed"))?, value);
        }
        if let Some((name, prefix, secret)) = &request.authorization {
            let value = HeaderValue::from_str(&format!("{prefix}{}", secret.expose().trim()));
            let mut value = value.map_err(|_| invalid("the credential can't be a header"))?;
            value.set_sensitive(true);
            builder =
                builder.header(header_name(name).ok_or_else(|| invalid("a header's name is not allowed"))?, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let response = builder.send().await.map_err(|error| fault(request, &error))?;
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| retry_after(value.to_str().ok()?, jiff::Timestamp::now()));
        Ok((read(request, response).await?, retry_after))
    }

    async fn wait_for_turn(&self, origin: &str, rates: &[Rate], tell: &(dyn Fn(String) + Sync)) {
        let mut said = false;
        loop {
            let Some(wait) = self.turn(origin, rates) else { return };
            if wait > Duration::from_secs(1) && !std::mem::replace(&mut said, true) {
                tell(format!("{origin} takes no more requests for now, waiting {} s", wait.as_secs()));
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Nobody sends anything there for so long.
    fn pause(&self, origin: &str, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST_WAIT);
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        let paused = &mut origins.entry(origin.to_owned()).or_default().paused;
        *paused = (*paused).max(Some(until));
    }

    /// How long to wait; `None`: the turn has come, and is taken.
    fn turn(&self, origin: &str, rates: &[Rate]) -> Option<Duration> {
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        let Origin { sent, paused } = origins.entry(origin.to_owned()).or_default();
        let now = Instant::now();
        if let Some(rest) = paused.and_then(|until| until.checked_duration_since(now)).filter(|rest| !rest.is_zero()) {
            return Some(rest);
        }
        let hour = Duration::from_secs(3600);
        while sent.front().is_some_and(|first| now.duration_since(*first) > hour) {
            sent.pop_front();
        }
        let full = |limit: Option<u32>, window: Duration| {
            let limit = limit? as usize;
            let nth = sent.len().checked_sub(limit.max(1))?;
            window.checked_sub(now.duration_since(sent[nth]))
        };
        let own = rates.iter().filter(|rate| rate.origin == origin);
        let waits = own.flat_map(|rate| [full(rate.per_minute, Duration::from_secs(60)), full(rate.per_hour, hour)]);
        let wait = waits.flatten().max();
        if wait.is_none() {
            sent.push_back(now);
        }
        wait
    }
}

/// A number of seconds, or a date.
fn retry_after(text: &str, now: jiff::Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(until.duration_since(now).try_into().unwrap_or_default())
}

/// A header that a provider may set itself.
fn header_name(name: &str) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let own = ["host", "content-length", "transfer-encoding", "connection", "upgrade"];
    (!own.contains(&name.as_str())).then_some(name)
}

async fn read(request: &Request, mut response: reqwest::Response) -> Result<Response, Fault> {
    let status = response.status().as_u16();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| fault(request, &error))? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BYTES {
            return Err(Fault::new(
                Code::TooLarge,
                format!("{} {}: the answer is larger than {} MiB", request.method, request.url, MOST_BYTES >> 20),
            ));
        }
    }
    Ok(Response { status, headers, body })
}

fn fault(request: &Request, error: &reqwest::Error) -> Fault {
    use std::error::Error as _;
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        reason = inner.to_string();
        source = inner.source();
    }
    let code = if error.is_timeout() { Code::Timeout } else { Code::Unreachable };
    Fault::new(code, format!("{} {}: {reason}", request.method, request.url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_no_path_and_no_secret() {
        assert_eq!(origin("https://API.example.org/v2/x?y"), Some("https://api.example.org".to_owned()));
        assert_eq!(origin("http://127.0.0.1:8080/"), Some("http://127.0.0.1:8080".to_owned()));
        assert_eq!(origin("https://user:secret@example.org/"), None);
        assert_eq!(origin("file:///etc/passwd"), None);
    }

    #[test]
    fn a_server_says_in_two_ways_when_to_come_again() {
        let now = "2026-11-28T12:00:00Z".parse().unwrap();
        assert_eq!(retry_after(" 120", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Sat, 28 Nov 2026 12:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sat, 28 Nov 2026 11:00:00 GMT", now), Some(Duration::ZERO), "that is over");
        assert_eq!(retry_after("soon", now), None);
    }

    #[test]
    fn who_is_told_to_wait_tells_all_others() {
        let http = Http::new(None);
        http.pause("https://a", Duration::from_secs(60));
        http.pause("https://a", Duration::from_secs(10));
        assert!(http.turn("https://a", &[]).is_some_and(|wait| wait > Duration::from_secs(50)));
        assert_eq!(http.turn("https://b", &[]), None);
        http.pause("https://c", Duration::from_secs(1 << 40));
        assert!(http.turn("https://c", &[]).is_some_and(|wait| wait <= LONGEST_WAIT), "nobody waits for ever");
    }

    #[test]
    fn the_turn_after_the_last_one_must_wait() {
        let http = Http::new(None);
        let rates = [Rate { origin: "https://a".into(), from: None, per_minute: Some(2), per_hour: None }];
        assert_eq!(http.turn("https://a", &rates), None);
        assert_eq!(http.turn("https://a", &rates), None);
        assert!(http.turn("https://a", &rates).is_some_and(|wait| wait > Duration::from_secs(50)));
        assert_eq!(http.turn("https://b", &rates), None);
    }
}
