//! `provider::docker::parse_image`: the parts of what images are called by.

use bimetal_provider::{Deserialize, Diagnostic, Function, Result, Schema, Serialize};

/// The parameters of `parse_image`.
#[derive(Schema, Deserialize)]
pub(crate) struct ParseImage {
    /// As it stands in `image`: `nginx`, `ghcr.io/acme/web:1.2`, `web@sha256:…`
    image: String,
}

/// What an image is called by, with everything filled in that Docker fills in.
#[derive(Debug, PartialEq, Schema, Serialize)]
pub(crate) struct Reference {
    /// With its port, if there is one.
    registry: String,
    /// Without the registry.
    repository: String,
    /// `latest` where neither a tag nor a digest is written.
    tag: Option<String>,
    digest: Option<String>,
}

/// <https://github.com/distribution/reference>, `normalize.go`
const DOCKER_HUB: &str = "docker.io";
/// The longest name of a repository, with its registry: `NameTotalLengthMax`.
const LONGEST_NAME: usize = 255;
/// The longest tag.
const LONGEST_TAG: usize = 128;

impl Function for ParseImage {
    const NAME: &'static str = "parse_image";
    type Answer = Reference;

    fn call(self) -> Result<Reference> {
        parse(&self.image).map_err(|(reason, hint)| {
            let error = Diagnostic::error(format!("`{}` is no image: {reason}", self.image)).at("image");
            error.hint(hint)
        })
    }
}

/// Otherwise: what is wrong, and what to do.
fn parse(image: &str) -> std::result::Result<Reference, (String, &'static str)> {
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    // A colon before the last slash is a port's.
    let (name, tag) = match rest.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
        Some((name, tag)) => (name, Some(tag)),
        None => (rest, None),
    };
    let (registry, path) = match name.split_once('/').filter(|(first, _)| is_registry(first)) {
        Some(("index.docker.io", path)) => (DOCKER_HUB, path),
        Some(split) => split,
        None => (DOCKER_HUB, name),
    };
    let repository = match path.contains('/') || registry != DOCKER_HUB {
        true => path.to_owned(),
        false => format!("library/{path}"),
    };
    check_registry(registry)?;
    check_path(path)?;
    if registry.len() + 1 + repository.len() > LONGEST_NAME {
        return Err((format!("its name is longer than {LONGEST_NAME} characters"), "give it a shorter name"));
    }
    if let Some(tag) = tag {
        check_tag(tag)?;
    }
    if let Some(digest) = digest {
        check_digest(digest)?;
    }
    let tag = tag.or(digest.is_none().then_some("latest"));
    let owned = |part: Option<&str>| part.map(str::to_owned);
    Ok(Reference { registry: registry.to_owned(), repository, tag: owned(tag), digest: owned(digest) })
}

/// What comes before the first slash is a registry's name only if no user of Docker Hub can have it.
fn is_registry(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':', '[']) || first.chars().any(|c| c.is_ascii_uppercase())
}

fn check_registry(registry: &str) -> std::result::Result<(), (String, &'static str)> {
    let (host, port) = match registry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address, port.strip_prefix(':')),
        None => match registry.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (registry, None),
        },
    };
    let is_label = |label: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty() && label.chars().all(plain) && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_host = match registry.starts_with('[') {
        true => host.chars().all(|c| c.is_ascii_hexdigit() || c == ':') && host.contains(':'),
        false => host.split('.').all(is_label),
    };
    let is_port = port.is_none_or(|port| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit()));
    match is_host && is_port {
        true => Ok(()),
        false => Err((format!("`{registry}` is no registry"), "write it as `HOST` or `HOST:PORT`, without `https://`")),
    }
}

fn check_path(path: &str) -> std::result::Result<(), (String, &'static str)> {
    if path.is_empty() {
        return Err(("it has no name".to_owned(), "write `NAME`, `NAME:TAG` or `REGISTRY/NAME:TAG`"));
    }
    match path.split('/').find(|component| !is_component(component)) {
        None => Ok(()),
        Some(component) => Err((
            format!("`{component}` can't stand in its name"),
            "names are of small letters and digits, with `.`, `_`, `__` or `-` between them",
        )),
    }
}

/// Small letters and digits, and single dots, one or two underscores, or dashes between them.
fn is_component(component: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut separators = component.split(is_plain).collect::<Vec<_>>();
    let starts_and_ends_plain = component.starts_with(is_plain) && component.ends_with(is_plain);
    separators.retain(|separator| !separator.is_empty());
    let is_separator = |text: &&str| matches!(*text, "." | "_" | "__") || text.chars().all(|c| c == '-');
    starts_and_ends_plain && separators.iter().all(is_separator)
}

fn check_tag(tag: &str) -> std::result::Result<(), (String, &'static str)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match tag.len() <= LONGEST_TAG
        && tag.starts_with(is_word)
        && tag.chars().all(|c| is_word(c) || c == '.' || c == '-')
    {
        true => Ok(()),
        false => Err((
            format!("`{tag}` is no tag"),
            "tags are of letters, digits, `_`, `.` and `-`, begin with neither of the last two, and have at most 128 characters",
        )),
    }
}

fn check_digest(digest: &str) -> std::result::Result<(), (String, &'static str)> {
    let lengths = [("sha256", 64), ("sha384", 96), ("sha512", 128)];
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let is_digest = digest
        .split_once(':')
        .is_some_and(|(algorithm, hex)| lengths.contains(&(algorithm, hex.len())) && hex.chars().all(is_hex));
    match is_digest {
        true => Ok(()),
        false => Err((format!("`{digest}` is no digest"), "a digest is `sha256:` and 64 hexadecimal digits")),
    }
}

#[cfg(test)]
mod tests {
    use bimetal_provider::json;

    use crate::testing::Engine;

    fn said(image: &str) -> String {
        match Engine::default().driver().call("parse_image", &json!({ "image": image })) {
            Ok(reference) => {
                let part = |name: &str| reference[name].as_str().unwrap_or("-").to_owned();
                ["registry", "repository", "tag", "digest"].map(part).join(" ")
            }
            Err(wrong) => wrong,
        }
    }

    #[test]
    fn an_image_has_parts() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for (image, parts) in [
            ("nginx", "docker.io library/nginx latest -"),
            ("acme/web:1.2", "docker.io acme/web 1.2 -"),
            ("index.docker.io/nginx:1", "docker.io library/nginx 1 -"),
            ("localhost/web", "localhost web latest -"),
            ("registry.lan:5000/a/b__c/d--e:v1.0-rc_1", "registry.lan:5000 a/b__c/d--e v1.0-rc_1 -"),
            ("[fd00::1]:5000/web", "[fd00::1]:5000 web latest -"),
            ("Rack/web", "Rack web latest -"),
        ] {
            assert_eq!(said(image), parts, "{image}");
        }
        assert_eq!(said(&format!("web@{digest}")), format!("docker.io library/web - {digest}"));
        assert_eq!(said(&format!("ghcr.io/a/web:2@{digest}")), format!("ghcr.io a/web 2 {digest}"));
    }

    #[test]
    fn what_is_no_image_says_why() {
        for (image, reason) in [
            ("", "it has no name"),
            ("https://ghcr.io/web", "`https:` is no registry"),
            ("Web", "`Web` can't stand in its name"),
            ("a//b", "`` can't stand in its name"),
            ("a._b", "`a._b` can't stand in its name"),
            ("-a", "`-a` can't stand in its name"),
            ("web:", "`` is no tag"),
            ("web:.1", "`.1` is no tag"),
            ("web@sha256:12", "`sha256:12` is no digest"),
            ("web@sha256:12@", "`sha256:12@` is no digest"),
        ] {
            assert_eq!(said(image), format!("image: `{image}` is no image: {reason}"), "{image}");
        }
        assert!(said(&format!("a.b/{}", "a".repeat(255))).ends_with("its name is longer than 255 characters"));
        assert!(said(&format!("a:{}", "1".repeat(129))).ends_with("is no tag"));
    }
}
