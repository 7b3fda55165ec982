//! Which sources may be used, and whose signatures their commits need.

use crate::source::Source;

/// What a configuration, or whoever runs it, trusts.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Any source where there is none.
    pub allowed_sources: Option<Vec<Pattern>>,
    /// The first that fits counts; where none does, no signature is needed.
    pub signatures: Vec<(Pattern, Signatures)>,
}

/// What has to be signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Signatures {
    /// Nothing.
    None,
    /// The commit.
    Commits(Signers),
    /// The tag, which then has to be what is wanted.
    Tags(Signers),
}

/// Who may have signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Signers {
    /// Whom the user's own git takes: the keys of their `gpg`, and `gpg.ssh.allowedSignersFile`.
    OfGit,
    /// SSH keys, in the text of an `allowed_signers` file; nobody else.
    Ssh(String),
}

/// Some sources: `git::https://github.com/acme/*`.
///
/// It fits a source as it is displayed, or, where that is reached by TLS or SSH, its place alone (`github.com/acme/*`). A `*`
/// stands for anything within one name, `**` for anything; what follows in a longer source has to begin with `/`, `?` or `:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Any text is one.
    pub fn new(text: impl Into<String>) -> Pattern {
        Pattern(text.into())
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a source is one of these.
    pub fn fits(&self, source: &Source) -> bool {
        let place = place(source);
        fits(self.0.as_bytes(), source.to_string().as_bytes())
            || place.is_some_and(|place| fits(self.0.as_bytes(), place.as_bytes()))
    }
}

impl Trust {
    /// Whether this source may be used at all.
    pub fn allows(&self, source: &Source) -> bool {
        self.allowed_sources.as_ref().is_none_or(|allowed| allowed.iter().any(|pattern| pattern.fits(source)))
    }

    /// What has to be signed of this source.
    pub(crate) fn signatures(&self, source: &Source) -> &Signatures {
        self.signatures.iter().find(|(pattern, _)| pattern.fits(source)).map_or(&Signatures::None, |(_, needed)| needed)
    }
}

fn place(source: &Source) -> Option<String> {
    match source {
        Source::Git { url, folder, .. } => url.place().map(|place| format!("{place}{}", slashed(folder.as_str()))),
        Source::Archive { url, .. } => Some(url.place().to_owned()),
        Source::Artifact { reference, .. } => Some(reference.to_string()),
    }
}

fn slashed(folder: &str) -> String {
    if folder.is_empty() { String::new() } else { format!("//{folder}") }
}

/// Whether a pattern fits the beginning of a text, up to one of its seams.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    // Where to go on if the last `*` took one more: the pattern behind it, and the text.
    let (mut retry, mut all) = (None, None);
    let (mut p, mut t) = (0, 0);
    loop {
        let is_fit = match pattern.get(p..).unwrap_or_default() {
            [] => ends(pattern, text.get(t..).unwrap_or_default()),
            [b'*', b'*', ..] => {
                (all, retry, p) = (Some((p + 2, t)), None, p + 2);
                continue;
            }
            [b'*', ..] => {
                (retry, p) = (Some((p + 1, t)), p + 1);
                continue;
            }
            [wanted, ..] if text.get(t) == Some(wanted) => {
                (p, t) = (p + 1, t + 1);
                continue;
            }
            [..] => false,
        };
        if is_fit {
            return true;
        }
        // The nearer star first; it takes no slash.
        match (retry, all) {
            (Some((behind, at)), _) if text.get(at).is_some_and(|byte| *byte != b'/') => {
                (retry, p, t) = (Some((behind, at + 1)), behind, at + 1);
            }
            (_, Some((behind, at))) if at < text.len() => {
                (all, retry, p, t) = (Some((behind, at + 1)), None, behind, at + 1);
            }
            _ => return false,
        }
    }
}

fn ends(pattern: &[u8], rest: &[u8]) -> bool {
    let is_seam = |byte: &u8| b"/?:".contains(byte);
    rest.first().is_none_or(is_seam) || pattern.last() == Some(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_end_at_seams() {
        for (pattern, source, expected) in [
            ("github.com/acme/*", "github.com/acme/web", true),
            ("github.com/acme", "github.com/acme/web//sub?ref=v1", true),
            ("github.com/acme/", "github.com/acme/web", true),
            ("github.com/acme", "github.com/acme-evil/web", false),
            ("github.com/acme/web.git", "github.com/acme/web.git.evil", false),
            ("github.com/*/web.git", "github.com/a/web", true),
            ("github.com/*/web.git", "gitlab.com/a/b/web", false),
            ("github.com/acme/*", "git@github.com:acme/web.git", true),
            ("github.com/acme/*", "git::http://github.com/acme/web.git", false),
            ("git::http://github.com/acme", "git::http://github.com/acme/web.git", true),
            ("git::https://**/web.git", "gitlab.com/a/b/web", true),
            ("github.com", "git::https://github.com@evil.org/a", false),
            ("github.com", "git::https://github.com.evil.org/a", false),
            ("*.acme.org", "https://evil.org/x.acme.org/a.zip", false),
            ("*.acme.org", "https://cdn.acme.org/a.zip", true),
            ("registry.acme.org/team/*", "oci://registry.acme.org/team/web:1.0", true),
            ("**", "github.com/a/b", true),
            ("", "github.com/a/b", false),
        ] {
            let source = Source::parse(source).unwrap().unwrap();
            assert_eq!(Pattern::new(pattern).fits(&source), expected, "{pattern} {source}");
        }
    }
}
