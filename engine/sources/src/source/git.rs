//! The URLs that git is given.

use std::fmt;

use url::Url;

use super::{Reference, Source, cut, pairs};

/// What git may be asked to fetch over. `ext::` and other helpers run programs, so there are none.
const SCHEMES: [&str; 5] = ["https", "ssh", "http", "git", "file"];
/// How tokens of the great hosts begin, which some write as a user's name.
const TOKENS: [&str; 6] = ["ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "ATBB"];

/// Of a repository: a URL, or `user@host:path` as SSH has it. Never with a password.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GitUrl(String);

impl GitUrl {
    /// As git takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `github.com/owner/repository.git`, where that is reached by SSH or TLS and so is nobody else's.
    pub(crate) fn place(&self) -> Option<String> {
        let rest = match self.0.split_once("://") {
            Some(("https" | "ssh", rest)) => rest.to_owned(),
            Some(_) => return None,
            None => self.0.replacen(':', "/", 1),
        };
        Some(rest.split_once('@').map_or(rest.as_str(), |(_, place)| place).to_owned())
    }
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What some hosts may be called without `git::`, as a URL.
pub(super) fn short(text: &str) -> Option<String> {
    let (place, query) =
        text.split_once('?').map_or((text, String::new()), |(place, query)| (place, format!("?{query}")));
    let host = place.split('/').next().unwrap_or_default();
    if matches!(host, "github.com" | "gitlab.com" | "bitbucket.org") {
        let (repository, folder) =
            place.split_once("//").map_or((place, String::new()), |(r, f)| (r, format!("//{f}")));
        let mut parts = repository.split('/');
        let (_, owner, name) = (parts.next(), parts.next()?, parts.next()?);
        // GitHub's and Bitbucket's third part on is a folder, as Terraform reads them; GitLab has groups in groups.
        let more: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        let is_grouped = host == "gitlab.com" && !more.is_empty();
        let (path, folder) = match (is_grouped, more.is_empty()) {
            (true, _) => (format!("{owner}/{name}/{}", more.join("/")), folder),
            (false, true) => (format!("{owner}/{name}"), folder),
            (false, false) => (format!("{owner}/{name}"), format!("//{}", more.join("/"))),
        };
        let path = path.trim_end_matches('/').trim_end_matches(".git");
        return Some(format!("https://{host}/{path}.git{folder}{query}"));
    }
    let (user, rest) = text.split_once('@')?;
    (rest.contains(':') && !user.contains(['/', ':']) && !rest.contains("::")).then(|| text.to_owned())
}

/// Reads what stands behind `git::`.
pub(super) fn parse(text: &str) -> Result<Source, String> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    let is_scheme =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let (url, folder, query) = match scheme.filter(|scheme| is_scheme(scheme)) {
        Some(scheme) => {
            let (place, folder, query) = cut(text, scheme.len() + 3)?;
            (of_url(scheme, place)?, folder, query)
        }
        None => {
            let (place, folder, query) = cut(text, 0)?;
            (of_ssh_path(place)?, folder, query)
        }
    };
    Ok(Source::Git { url: GitUrl(url), folder, reference: reference(query)? })
}

fn reference(query: Option<&str>) -> Result<Option<Reference>, String> {
    let mut found = None;
    for (name, value) in pairs(query) {
        match name {
            "ref" if found.is_some() => return Err("it has `ref` twice".to_owned()),
            "ref" => found = Some(Reference::unescape(value)?),
            // Only as much history as is needed is fetched in any case.
            "depth" => {}
            "sshkey" => {
                return Err("`sshkey` would put a key into it: name the key in your SSH configuration".to_owned());
            }
            other => return Err(format!("a repository has no `{other}`, only `ref`")),
        }
    }
    Ok(found)
}

fn of_url(scheme: &str, text: &str) -> Result<String, String> {
    if !SCHEMES.contains(&scheme) {
        return Err(format!("git may not fetch over `{scheme}`, only over {}", SCHEMES.join(", ")));
    }
    let url = Url::parse(text).map_err(|error| format!("its URL can't be read: {error}"))?;
    without_password(&url)?;
    let host = url.host_str().unwrap_or_default();
    if scheme == "file" && !host.is_empty() {
        return Err("a `file` URL has three slashes: `git::file:///path`".to_owned());
    }
    if scheme != "file" && (host.is_empty() || !is_plain(host)) {
        return Err(format!("`{host}` is no host's name"));
    }
    whole_path(text, &url)?;
    Ok(url.to_string())
}

/// That a URL holds no secret: what is written in a configuration is read by many.
pub(super) fn without_password(url: &Url) -> Result<(), String> {
    let is_token = TOKENS.iter().any(|token| url.username().starts_with(token));
    if url.password().is_some() || is_token {
        return Err("there is a password in its URL: leave it to git's credential helpers, or an SSH key".to_owned());
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._-%+".contains(c);
    match url.username().starts_with('-') || !url.username().chars().all(is_name) {
        true => Err("the user's name in its URL is none".to_owned()),
        false => Ok(()),
    }
}

/// That a path is what it seems: a server would walk `..`, and an allowed folder would not be left for all to see.
pub(super) fn whole_path(text: &str, url: &Url) -> Result<(), String> {
    let path = text.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    let lower = path.to_ascii_lowercase();
    let is_step = |part: &str| part == "." || part == "..";
    let hides = ["%2e", "%2f", "%5c", "%0", "%1", "%7f"].iter().any(|hidden| lower.contains(hidden));
    if hides || path.split('/').any(is_step) {
        return Err("its path has `.` or `..`, or an escaped slash or dot".to_owned());
    }
    match url.path().trim_matches('/').is_empty() {
        true => Err("it names a server, and nothing on it".to_owned()),
        false => Ok(()),
    }
}

/// `user@host:path`
fn of_ssh_path(text: &str) -> Result<String, String> {
    let relative = "it is a path on this machine: write `./path` for a folder, or `git::file:///path` for a repository";
    if text.starts_with(['.', '/', '~']) || !text.contains(':') {
        return Err(relative.to_owned());
    }
    if text.contains("::") {
        let helper = text.split("::").next().unwrap_or_default();
        return Err(format!("`{helper}::` lets git run a program, which Bimetal does not allow"));
    }
    let (place, path) = text.split_once(':').unwrap_or((text, ""));
    let (user, host) = place.split_once('@').map_or((None, place), |(user, host)| (Some(user), host));
    if !is_plain(host) || user.is_some_and(|user| !is_plain(user)) {
        return Err(format!("`{place}` is no `user@host`"));
    }
    let is_step = |part: &str| part == "." || part == "..";
    if path.is_empty() || path.starts_with('-') || path.split('/').any(is_step) {
        return Err(format!("`{path}` is no path of a repository"));
    }
    Ok(text.to_owned())
}

/// Whether this is a name that no program takes for anything else.
pub(super) fn is_plain(name: &str) -> bool {
    let is_in_name = |c: char| c.is_ascii_alphanumeric() || "._-[]:".contains(c);
    !name.is_empty() && !name.starts_with('-') && name.chars().all(is_in_name)
}
