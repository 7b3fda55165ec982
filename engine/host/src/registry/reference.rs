//! Names of images as Docker reads them: `nginx` is `docker.io/library/nginx:latest`.

use std::fmt;
use std::net::IpAddr;

use super::manifest::check_digest;
use crate::fault::{Code, Fault};

/// The registry that is meant when none is named.
const DEFAULT_REGISTRY: &str = "docker.io";

/// A reference with all its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// As people call it: `docker.io`, `localhost:5000`.
    pub registry: String,
    /// `library/nginx`
    pub repository: String,
    /// Absent where there is a digest and no tag.
    pub tag: Option<String>,
    /// `sha256:…`
    pub digest: Option<String>,
}

impl Reference {
    /// Reads a reference as a user writes it.
    pub fn parse(text: &str) -> Result<Reference, Fault> {
        let wrong = |why: &str| Fault::new(Code::Invalid, format!("`{text}` is not an image: {why}"));
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => {
                check_digest(digest)?;
                (name, Some(digest.to_owned()))
            }
            None => (text, None),
        };
        let repository = bimetal_model::image::repository(name);
        let tag = name[repository.len()..].strip_prefix(':').map(str::to_owned);
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong("a tag is letters, digits, `.`, `_` and `-`"));
        }
        let (registry, path) = split_registry(repository);
        if path.chars().any(|c| c.is_ascii_uppercase()) {
            return Err(wrong("the name of a repository is lower-case"));
        }
        if !is_repository(&path) {
            return Err(wrong("a name is parts of letters, digits, `.`, `_` and `-` with `/` between them"));
        }
        let tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
        Ok(Reference { registry, repository: path, tag, digest })
    }

    /// What a manifest is asked for by.
    pub(crate) fn version(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or("latest")
    }

    /// Where the registry's API is.
    pub(crate) fn api_host(&self) -> &str {
        match self.registry.as_str() {
            DEFAULT_REGISTRY => "registry-1.docker.io",
            registry => registry,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

/// A first part with a dot or a port in it, or `localhost`, is a registry.
fn split_registry(repository: &str) -> (String, String) {
    match repository.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => match first {
            "index.docker.io" | "registry-1.docker.io" | DEFAULT_REGISTRY => {
                (DEFAULT_REGISTRY.to_owned(), official(rest))
            }
            other => (other.to_owned(), rest.to_owned()),
        },
        _ => (DEFAULT_REGISTRY.to_owned(), official(repository)),
    }
}

fn official(path: &str) -> String {
    if path.contains('/') { path.to_owned() } else { format!("library/{path}") }
}

fn is_tag(tag: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=128).contains(&tag.len()) && tag.chars().all(plain) && !tag.starts_with(['.', '-'])
}

fn is_repository(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let ends = |c: char| c.is_ascii_alphanumeric();
    let is_part = |part: &str| part.chars().all(plain) && part.starts_with(ends) && part.ends_with(ends);
    path.len() <= 255 && path.split('/').all(is_part)
}

/// Whether a registry is on this machine: those are spoken to without TLS, as Docker does.
pub(crate) fn is_loopback(registry: &str) -> bool {
    let host = match registry.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => registry,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_as_docker_fills_it_in() {
        let digest = format!("sha256:{}", "0".repeat(64));
        for (text, whole) in [
            ("nginx", "docker.io/library/nginx:latest".to_owned()),
            ("nginx:1.27", "docker.io/library/nginx:1.27".to_owned()),
            ("grafana/loki", "docker.io/grafana/loki:latest".to_owned()),
            ("docker.io/nginx", "docker.io/library/nginx:latest".to_owned()),
            ("index.docker.io/a/b", "docker.io/a/b:latest".to_owned()),
            ("localhost/web", "localhost/web:latest".to_owned()),
            ("127.0.0.1:5000/a/b:x", "127.0.0.1:5000/a/b:x".to_owned()),
            (&format!("nginx@{digest}"), format!("docker.io/library/nginx@{digest}")),
            (&format!("a:1@{digest}"), format!("docker.io/library/a:1@{digest}")),
        ] {
            assert_eq!(Reference::parse(text).unwrap().to_string(), whole);
        }
    }

    #[test]
    fn what_is_no_image_is_refused() {
        for text in ["", "Nginx", "a//b", "a/../b", "a:", "a:b c", "a@sha256:1", "a/b?x=1", "-a", "x.y/"] {
            assert!(Reference::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn loopback_hosts_are_known() {
        for (registry, is) in [
            ("localhost:5000", true),
            ("127.0.0.9", true),
            ("[::1]:80", true),
            ("10.0.0.1:5000", false),
            ("a.b", false),
        ] {
            assert_eq!(is_loopback(registry), is, "{registry}");
        }
    }
}
