//! What a provider may do, in plain words; and such words, narrowed by somebody, back to what they grant.
//!
//! Invariant: what words grant is never more than the manifest asks for (test: `words_grant_no_more_than_was_asked_for`).

use super::{Manifest, Request, When};

/// What stands between origins.
const OR: &str = " or ";

impl Manifest {
    /// What it may do, in plain words, one line a capability.
    pub fn grants(&self) -> Vec<String> {
        self.requests.iter().map(Request::in_words).collect()
    }

    /// The manifest with no more than what these lines grant: those of [`Manifest::grants`], or fewer, or with fewer methods,
    /// origins or paths in them. The error is the line that grants what is not asked for.
    pub fn narrowed(&self, grants: &[String]) -> Result<Manifest, String> {
        let granted = |line: &String| {
            let found = self.requests.iter().find_map(|request| request.narrowed(line));
            found.ok_or_else(|| line.clone())
        };
        Ok(Manifest { requests: grants.iter().map(granted).collect::<Result<_, _>>()?, ..self.clone() })
    }
}

impl Request {
    fn in_words(&self) -> String {
        let (text, why) = (self.deed(), self.why());
        plain(&if why.is_empty() { text } else { format!("{text} ({why})") })
    }

    fn deed(&self) -> String {
        match self {
            Request::Http { origins, from, methods, when, .. } => {
                let from = from.iter().map(|name| in_block(name));
                let targets: Vec<_> = origins.iter().cloned().chain(from).collect();
                format!("send {} requests to {}{}", methods.join(", "), targets.join(OR), occasion(*when))
            }
            Request::Docker { .. } => "use the container engines that configuration gives it".to_owned(),
            Request::Ssh { commands, files, .. } => {
                let files = match &files[..] {
                    [] => String::new(),
                    files => format!("{BELOW}{}", files.join(", ")),
                };
                let number = commands.len();
                format!("run {number} fixed commands over SSH on the machines that configuration gives it{files}")
            }
            Request::Certificates { .. } => "have certificates issued for those machines".to_owned(),
        }
    }

    fn why(&self) -> &str {
        match self {
            Request::Http { why, .. }
            | Request::Docker { why }
            | Request::Ssh { why, .. }
            | Request::Certificates { why } => why,
        }
    }

    /// As much of it as a line grants.
    fn narrowed(&self, line: &str) -> Option<Request> {
        if line == self.in_words() {
            return Some(self.clone());
        }
        let why = plain(&format!(" ({})", self.why()));
        let line = line.strip_suffix(&*why).unwrap_or(line);
        match self {
            Request::Http { origins, from, methods, credentials, when, why } => {
                let line = line.strip_suffix(occasion(*when))?;
                let (sent, targets) = line.strip_prefix("send ")?.split_once(" requests to ")?;
                let (sent, targets): (Vec<_>, Vec<_>) = (sent.split(", ").collect(), targets.split(OR).collect());
                let is_origin = |target: &&str| origins.iter().any(|origin| origin == target);
                let named = |target: &&str| from.iter().find(|name| in_block(name) == *target).cloned();
                let all_asked = sent.iter().all(|method| methods.iter().any(|asked| asked == method))
                    && targets.iter().all(|target| is_origin(target) || named(target).is_some());
                all_asked.then(|| Request::Http {
                    origins: targets.iter().filter(|target| is_origin(target)).map(ToString::to_string).collect(),
                    from: targets.iter().filter_map(named).collect(),
                    methods: sent.iter().map(ToString::to_string).collect(),
                    credentials: credentials.clone(),
                    when: *when,
                    why: why.clone(),
                })
            }
            Request::Ssh { commands, files, why } => {
                let all = Request::Ssh { commands: commands.clone(), files: Vec::new(), why: why.clone() };
                let below = line.strip_prefix(&*all.deed())?;
                let below: Vec<_> = match below {
                    "" => Vec::new(),
                    below => below.strip_prefix(BELOW)?.split(", ").map(str::to_owned).collect(),
                };
                let all_asked = below.iter().all(|path| files.contains(path));
                all_asked.then(|| Request::Ssh { commands: commands.clone(), files: below, why: why.clone() })
            }
            Request::Docker { .. } | Request::Certificates { .. } => (line == self.deed()).then(|| self.clone()),
        }
    }
}

/// What stands before the paths of files.
const BELOW: &str = ", and use files below ";

/// In which calls, where that is not told by the methods.
fn occasion(when: When) -> &'static str {
    match when {
        When::Operate => "",
        When::Open => " to open ephemeral values, in every plan",
    }
}

fn in_block(argument: &str) -> String {
    format!("what `{argument}` of its provider block says")
}

/// Nothing that a terminal would take for an order.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let text = r#"{ "format": 1, "name": "n", "version": "1.0.0", "contract": "0.1.0", "requests": [
            { "capability": "http", "origins": ["https://a", "https://b"], "from": ["url"], "methods": ["GET", "PUT"],
              "credentials": ["token"], "why": "the API" },
            { "capability": "ssh", "commands": { "x": { "run": "id" } }, "files": ["/etc/n/", "/opt/n/"] },
            { "capability": "http", "for": "open", "origins": ["https://a"], "methods": ["POST"] },
            { "capability": "docker" } ] }"#;
        serde_json::from_str(text).unwrap()
    }

    fn narrowed(grants: &[&str]) -> Result<Vec<String>, String> {
        let grants: Vec<_> = grants.iter().map(ToString::to_string).collect();
        manifest().narrowed(&grants).map(|narrowed| narrowed.grants())
    }

    #[test]
    fn its_own_words_grant_all() {
        assert_eq!(manifest().narrowed(&manifest().grants()), Ok(manifest()));
    }

    #[test]
    fn words_that_were_narrowed_grant_less() {
        let http = "send GET requests to https://b or what `url` of its provider block says (the API)";
        let ssh =
            "run 1 fixed commands over SSH on the machines that configuration gives it, and use files below /opt/n/";
        assert_eq!(narrowed(&[http, ssh]), Ok(vec![http.to_owned(), ssh.to_owned()]));
        // The reason may go, too.
        assert_eq!(
            narrowed(&["send PUT requests to https://a"]),
            Ok(vec!["send PUT requests to https://a (the API)".to_owned()])
        );
        let open = "send POST requests to https://a to open ephemeral values, in every plan";
        assert_eq!(narrowed(&[open]), Ok(vec![open.to_owned()]));
        assert_eq!(narrowed(&[]), Ok(Vec::new()));
    }

    #[test]
    fn words_grant_no_more_than_was_asked_for() {
        for line in [
            "send GET, DELETE requests to https://a (the API)",
            "send GET requests to https://c (the API)",
            "send PUT requests to https://a to open ephemeral values, in every plan",
            "send POST requests to https://a",
            "send GET requests to what `token` of its provider block says (the API)",
            "run 1 fixed commands over SSH on the machines that configuration gives it, and use files below /etc/",
            "run 2 fixed commands over SSH on the machines that configuration gives it",
            "have certificates issued for those machines",
            "everything",
            "",
        ] {
            assert_eq!(narrowed(&[line]), Err(line.to_owned()));
        }
    }
}
