//! What went wrong at an engine, said for people.

use std::error::Error as _;
use std::time::Duration;

use bollard::errors::Error;

use super::transport::Unreached;
use crate::fault::{Code, Fault};

/// `doing` says what was tried: `starting container web`.
pub(super) fn fault(engine: &str, doing: &str, error: &Error) -> Fault {
    match error {
        Error::DockerResponseServerError { status_code, message } => refusal(engine, doing, *status_code, message),
        Error::DockerStreamError { error } => refusal(engine, doing, 500, error),
        Error::RequestTimeoutError => late(engine, doing, super::LONG_TIMEOUT),
        Error::HyperLegacyError { .. } | Error::HyperResponseError { .. } | Error::IOError { .. } => {
            lost(engine, error)
        }
        other => {
            Fault::new(Code::Protocol, format!("{engine} gave an answer that is not understood, {doing}: {other}"))
        }
    }
}

/// Nothing was heard for too long.
pub(super) fn late(engine: &str, doing: &str, limit: Duration) -> Fault {
    let message = format!("{engine} does not answer: waited {} s, {doing}", limit.as_secs());
    Fault::new(Code::Timeout, message)
}

/// No stream, or one that broke.
pub(super) fn unreachable(engine: &str, reason: &str) -> Fault {
    let fits = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    let hint = REASONS.iter().find(|(words, _)| fits(words)).map_or("", |(_, hint)| hint);
    let message = format!("the container engine at {engine} can't be reached: {reason}\n{hint}");
    Fault::new(Code::Unreachable, message.trim_end())
}

/// What the system and TLS say, and what to do. The first that fits counts.
const REASONS: &[(&[&str], &str)] = &[
    (&["Permission denied"], "add yourself to the group `docker`, or run as root"),
    (&["No such file", "refused"], "see that the engine runs there"),
    (
        &["UnknownIssuer", "BadSignature"],
        "the engine's certificate is not signed by `ca`: set `ca` to the certificate of the authority that signed it",
    ),
    (&["certificate not valid for name"], "write `host` as the engine's certificate has it, or give it another one"),
    (
        &["certificate expired", "certificate not valid yet"],
        "renew the engine's certificate, and see that clocks are right",
    ),
    (
        &["CertificateRequired", "BadCertificate", "UnknownCA", "DecryptError", "CertificateUnknown", "AccessDenied"],
        "the engine does not take our `certificate`: set `certificate` and `key` to what its own authority signed",
    ),
    (&["CertificateExpired"], "our `certificate` has expired: have a new one signed"),
    (&["InvalidContentType"], "what answers there speaks no TLS: it may be another port than the engine's"),
];

/// The connector's own fault is at the bottom of the client's errors.
fn lost(engine: &str, error: &Error) -> Fault {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(Unreached(fault)) = inner.downcast_ref() {
            return fault.clone();
        }
        reason = inner.to_string();
        source = inner.source();
    }
    unreachable(engine, &reason)
}

/// What engines and the registries behind them say in words, whatever the status: the kind, whether it may pass, and what
/// to do. The first that fits counts.
const WORDS: &[(&[&str], Code, bool, &str)] = &[
    (&["toomanyrequests", "rate limit"], Code::RateLimited, true, "log in to the registry to get more"),
    (&["no space left on device"], Code::Conflict, false, "make room on the machine's disk"),
    (
        &["manifest unknown", "manifest for", "no matching manifest", "not found: manifest"],
        Code::NotFound,
        false,
        "see that the image, its tag and the machine's platform are right",
    ),
    (
        &["pull access denied", "unauthorized", "authentication required", "no basic auth"],
        Code::Unauthorized,
        false,
        "log in to the registry, and see that the image's name is right",
    ),
    (
        &["no such host", "i/o timeout", "tls handshake timeout", "connection reset", "connection refused"],
        Code::Unreachable,
        true,
        "see that the machine can reach the registry",
    ),
    (&["is already in progress"], Code::Conflict, true, ""),
];

fn refusal(engine: &str, doing: &str, status: u16, message: &str) -> Fault {
    let message = message.trim();
    let lower = message.to_lowercase();
    if let Some(fault) = taken(engine, message, &lower) {
        return fault;
    }
    let fits = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let said = WORDS.iter().find(|(words, ..)| fits(words));
    let (code, retryable, hint) = match said {
        Some((_, code, retryable, hint)) => (*code, *retryable, *hint),
        None => (code_of(status), matches!(status, 429 | 502..=504), ""),
    };
    let message = format!("{engine}, {doing}: {message}\n{hint}");
    Fault { code, message: message.trim_end().to_owned(), retryable }
}

fn code_of(status: u16) -> Code {
    match status {
        400 => Code::Invalid,
        401 | 403 => Code::Unauthorized,
        404 => Code::NotFound,
        409 => Code::Conflict,
        413 => Code::TooLarge,
        429 => Code::RateLimited,
        502..=504 => Code::Unreachable,
        _ => Code::Protocol,
    }
}

/// A name or a port that somebody else has.
fn taken(engine: &str, message: &str, lower: &str) -> Option<Fault> {
    if lower.contains("is already in use by container") {
        let mut quoted = message.split('"').skip(1).step_by(2);
        let name = quoted.next().unwrap_or_default().trim_start_matches('/');
        let other: String = quoted.next().unwrap_or_default().chars().take(12).collect();
        let hint = "remove or rename that container, or choose another `name`";
        return Some(Fault::new(
            Code::Conflict,
            format!("the container name `{name}` is taken at {engine}, by {other}\n{hint}"),
        ));
    }
    if lower.contains("port is already allocated") || lower.contains("address already in use") {
        let port = port_in(message).map_or_else(|| "a port".to_owned(), |port| format!("port {port}"));
        let hint = "stop what uses it there, or choose another `host` port";
        return Some(Fault::new(Code::Conflict, format!("{port} is already taken at {engine}: {message}\n{hint}")));
    }
    None
}

/// `Bind for 0.0.0.0:8080 failed`, `listen tcp4 0.0.0.0:8080: bind: …`: the number after the last address's colon.
fn port_in(message: &str) -> Option<u16> {
    let address =
        |word: &&str| word.contains(':') && word.starts_with(|c: char| c.is_ascii_digit() || c == '[' || c == ':');
    let word = message.split_whitespace().rfind(address)?;
    word.trim_end_matches([':', ',', '.']).rsplit(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, message: &str) -> Fault {
        let error = Error::DockerResponseServerError { status_code: status, message: message.to_owned() };
        fault("unix:///d.sock", "starting container web", &error)
    }

    #[test]
    fn a_taken_port_is_named() {
        for message in [
            "driver failed programming external connectivity on endpoint web (abc): Bind for 0.0.0.0:8080 failed: port is already allocated",
            "driver failed programming: Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use",
            "failed to set up container networking: Bind for [::]:8080 failed: port is already allocated",
        ] {
            let fault = said(500, message);
            assert_eq!(fault.code, Code::Conflict);
            assert!(fault.message.starts_with("port 8080 is already taken at unix:///d.sock"), "{}", fault.message);
        }
    }

    #[test]
    fn a_taken_name_is_named() {
        let fault = said(
            409,
            "Conflict. The container name \"/web\" is already in use by container \"0123456789abcdef\". You have to remove (or rename) that container to be able to reuse that name.",
        );
        assert!(fault.message.starts_with("the container name `web` is taken at unix:///d.sock, by 0123456789ab\n"));
    }

    #[test]
    fn refusals_are_told_apart() {
        for (status, message, code, retryable) in [
            (404, "No such container: x", Code::NotFound, false),
            (500, "toomanyrequests: You have reached your pull rate limit", Code::RateLimited, true),
            (404, "manifest for a@sha256:0 not found: manifest unknown", Code::NotFound, false),
            (404, "pull access denied for a, repository does not exist", Code::Unauthorized, false),
            (500, "Get \"https://r/v2/\": dial tcp: lookup r: no such host", Code::Unreachable, true),
            (409, "removal of container x is already in progress", Code::Conflict, true),
            (400, "invalid restart policy", Code::Invalid, false),
            (500, "oops", Code::Protocol, false),
        ] {
            let fault = said(status, message);
            assert_eq!((fault.code, fault.retryable), (code, retryable), "{message}");
            assert!(fault.message.contains("unix:///d.sock, starting container web"), "{}", fault.message);
        }
    }
}
