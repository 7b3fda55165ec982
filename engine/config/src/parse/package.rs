//! Modules that lie elsewhere: which, and where they are looked for once they were fetched.

use bimetal_model::Diagnostic;
use bimetal_syntax::Kind;
use sha2::{Digest as _, Sha256};

use super::Parser;
use super::call::joined;
use crate::expression::Expression;
use crate::module::{PACKAGES, Package};

/// Letters of a package's digest that its folder has in its name.
const KEY_DIGITS: usize = 12;

impl Parser<'_> {
    /// The folder of a module, and what has to be fetched for it.
    pub(super) fn located(
        &mut self,
        source: Expression,
        version: Option<Expression>,
    ) -> Option<(String, Option<Package>)> {
        let written = match &source.node.kind {
            Kind::Text(text) => text.to_string(),
            _ => source.file.text.get(source.span().range.clone()).unwrap_or_default().to_owned(),
        };
        let is_literal = matches!(source.node.kind, Kind::Text(_));
        if is_literal && let Some(folder) = joined(self.folder, &written) {
            return self.local(&written, folder, &source, version);
        }
        if is_literal && !is_elsewhere(&written) {
            let error = Diagnostic::error(format!("`{written}` is no source of a module")).at(source.span());
            self.diagnostics.push(error.hint(
                "a folder beside is `./name` or `../name`; a repository is `git::https://…/name.git//folder?ref=v1.2.0`",
            ));
            return None;
        }
        if !is_literal && !self.folder.is_empty() {
            let error = Diagnostic::error("only the root module's sources may use variables").at(source.span());
            self.diagnostics.push(error.hint("write it out: a plain string"));
            return None;
        }
        let (package, below) = split(&written);
        let constraint = version.as_ref().and_then(|version| version.file.text.get(version.span().range.clone()));
        let folder = format!("{PACKAGES}/{}", key(&package, constraint.unwrap_or_default()));
        let folder = joined(&folder, &format!("./{below}")).filter(|joined| is_same_package(&folder, joined));
        let Some(folder) = folder else {
            let error = Diagnostic::error("the folder behind `//` leads out of what is fetched").at(source.span());
            self.diagnostics.push(error.hint("name a folder that lies in it"));
            return None;
        };
        Some((folder, Some(Package { below, source, version })))
    }

    fn local(
        &mut self,
        written: &str,
        folder: String,
        source: &Expression,
        version: Option<Expression>,
    ) -> Option<(String, Option<Package>)> {
        if let Some(version) = version {
            let error = Diagnostic::error("a module in a folder beside has no `version`").at(version.span());
            self.diagnostics.push(error.hint("it is what lies there; take `version` out"));
        }
        if !is_same_package(self.folder, &folder) {
            let error = Diagnostic::error(format!("`{written}` leads out of what the module was fetched with"));
            self.diagnostics
                .push(error.at(source.span()).hint("a module may call those of its own repository or archive"));
            return None;
        }
        Some((folder, None))
    }
}

/// Whether a text names what is fetched, and no folder.
fn is_elsewhere(text: &str) -> bool {
    let is_host = |first: &str| first.contains('.') && !first.starts_with('.');
    let short = text.split_once('/').is_some_and(|(first, _)| is_host(first));
    text.contains("::") || text.contains("://") || text.starts_with("git@") || short
}

/// What is fetched, and the folder in it: `…/name.git//folder?ref=v1`.
pub(crate) fn split(source: &str) -> (String, String) {
    let after_scheme = source.find("://").map_or(0, |at| at + "://".len());
    let Some(at) = source[after_scheme..].find("//").map(|at| at + after_scheme) else {
        return (source.to_owned(), String::new());
    };
    let (before, rest) = (&source[..at], &source[at + 2..]);
    let end = rest.find(['?', '"', '$', '%']).unwrap_or(rest.len());
    (format!("{before}{}", &rest[end..]), rest[..end].to_owned())
}

/// The name of a package's folder: some of its own name, and what no other has.
fn key(package: &str, version: &str) -> String {
    let path = package.split(['?', '"', '$', '%']).find(|part| !part.is_empty()).unwrap_or_default();
    let last = path.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
    let last = last.split('.').next().unwrap_or_default();
    let name: String = last.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(40).collect();
    let digest = Sha256::digest(format!("{package}\n{version}"));
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}{}{}", name, if name.is_empty() { "" } else { "-" }, &digits[..KEY_DIGITS])
}

/// Whether a folder lies in the package that another one lies in; what was not fetched may be anywhere.
fn is_same_package(folder: &str, other: &str) -> bool {
    match package_of(folder) {
        Some(package) => package_of(other) == Some(package),
        None => true,
    }
}

/// The name of the package's folder that a folder lies in, if it lies in any.
pub fn package_of(folder: &str) -> Option<&str> {
    folder.strip_prefix(PACKAGES)?.strip_prefix('/')?.split('/').next().filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_what_is_fetched_and_a_folder_in_it() {
        let split = |source| {
            let (package, folder) = split(source);
            format!("{package} {folder}")
        };
        assert_eq!(split("git::https://h/x.git//a/b?ref=v1"), "git::https://h/x.git?ref=v1 a/b");
        assert_eq!(split("git@h:x.git//a"), "git@h:x.git a");
        assert_eq!(split("github.com/a/b"), "github.com/a/b ");
        assert_eq!(split("\"git::https://h/x.git//a?ref=${var.v}\""), "\"git::https://h/x.git?ref=${var.v}\" a");
    }

    #[test]
    fn a_package_has_a_folder_of_its_own() {
        assert_eq!(key("git::https://h/net.git?ref=v1", "").split('-').next(), Some("net"));
        assert_ne!(key("git::https://h/net.git", "\"~> 1\""), key("git::https://h/net.git", ""));
        assert!(is_same_package("", ".bimetal/modules/a/b") && is_same_package("a", "../b"));
        assert!(is_same_package(".bimetal/modules/a/b", ".bimetal/modules/a"));
        assert!(!is_same_package(".bimetal/modules/a", ".bimetal/modules/b"));
        assert!(!is_same_package(".bimetal/modules/a", ".bimetal/modules"));
    }
}
