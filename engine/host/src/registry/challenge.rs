//! What a registry says when it wants to know who we are: the `WWW-Authenticate` header.

/// How to answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Challenge {
    /// Name and password with every request.
    Basic,
    /// A token from another server.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// Reads one header; `None`: it is of a kind that we don't know.
    pub(crate) fn parse(header: &str) -> Option<Challenge> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        for (name, value) in parameters(rest) {
            match name.to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value),
                "service" => service = Some(value),
                "scope" => scope = Some(value),
                _ => {}
            }
        }
        Some(Challenge::Bearer { realm: realm?, service, scope })
    }
}

/// `name="value",…`; a quoted value may have commas in it.
fn parameters(mut text: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    while let Some((name, rest)) = text.split_once('=') {
        let (value, rest) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let (value, rest) = rest.split_once(',').unwrap_or((rest, ""));
                (value.trim().to_owned(), rest)
            }
        };
        found.push((name.trim().trim_start_matches(',').trim(), value));
        text = rest.trim_start().trim_start_matches(',');
    }
    found
}

fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return (value, &text[index + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer = |scope: Option<&str>| Challenge::Bearer {
            realm: "https://auth.example.org/token".to_owned(),
            service: Some("reg".to_owned()),
            scope: scope.map(str::to_owned),
        };
        let realm = r#"realm="https://auth.example.org/token",service="reg""#;
        for (header, challenge) in [
            ("Basic realm=\"x\"", Some(Challenge::Basic)),
            (&format!("Bearer {realm}"), Some(bearer(None))),
            (
                &format!("bearer {realm}, scope=\"repository:a/b:pull,push\""),
                Some(bearer(Some("repository:a/b:pull,push"))),
            ),
            (&format!("Bearer {realm},scope=pull,error=invalid"), Some(bearer(Some("pull")))),
            ("Bearer service=\"x\"", None),
            ("Negotiate", None),
            ("", None),
        ] {
            assert_eq!(Challenge::parse(header), challenge, "{header}");
        }
    }
}
