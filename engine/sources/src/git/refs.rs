//! The branches and tags that a server has.

use std::collections::BTreeMap;

use bimetal_model::Diagnostic;

use super::{Git, LATE, Running, SHORT, told};
use crate::source::{GitUrl, Reference};

/// By their full names. Names that git would not make are left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Refs {
    objects: BTreeMap<String, String>,
    /// What tags that are objects themselves stand at.
    peeled: BTreeMap<String, String>,
}

/// What a name stands for at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) commit: String,
    pub(crate) tag: Option<Tag>,
}

/// A tag, which should stay where it is; branches move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) name: String,
    /// Itself, where it is an object; its commit otherwise.
    pub(crate) object: String,
}

/// Asks the server.
pub(crate) fn list(git: &Git, url: &GitUrl) -> Result<Refs, Diagnostic> {
    let mut command = git.command();
    command.args(["ls-remote", "--quiet", "--", url.as_str()]);
    let answer = Running::start(git, command, LATE)?.answer(SHORT)?;
    match answer.worked {
        true => Ok(Refs::parse(&answer.text())),
        false => Err(told(format!("`git::{url}` can't be reached"), &answer)),
    }
}

impl Refs {
    fn parse(text: &str) -> Refs {
        let mut refs = Refs::default();
        for (id, name) in text.lines().filter_map(|line| line.split_once('\t')) {
            if !crate::source::is_id(id) {
                continue;
            }
            let (map, name) = match name.strip_suffix("^{}") {
                Some(name) => (&mut refs.peeled, name),
                None => (&mut refs.objects, name),
            };
            if name == "HEAD" || Reference::parse(name).is_ok() {
                map.insert(name.to_owned(), id.to_owned());
            }
        }
        refs
    }

    /// What a reference means, a tag before a branch. `None` as reference is what the server has checked out.
    pub(crate) fn find(&self, reference: Option<&str>) -> Option<Target> {
        match reference {
            None | Some("HEAD") => self.at("HEAD"),
            Some(full) if full.starts_with("refs/") => self.at(full),
            Some(short) => {
                ["refs/tags/", "refs/heads/", "refs/"].iter().find_map(|place| self.at(&format!("{place}{short}")))
            }
        }
    }

    /// The short names of all tags.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &str> {
        self.objects.keys().filter_map(|name| name.strip_prefix("refs/tags/"))
    }

    /// Some names that there are, for who named another one.
    pub(crate) fn some(&self) -> String {
        let short =
            |name: &str| name.strip_prefix("refs/heads/").or(name.strip_prefix("refs/tags/")).map(str::to_owned);
        let mut names: Vec<String> = self.objects.keys().rev().filter_map(|name| short(name)).collect();
        let more = if names.len() > 8 { ", …" } else { "" };
        names.truncate(8);
        format!("{}{more}", names.join(", "))
    }

    fn at(&self, name: &str) -> Option<Target> {
        let object = self.objects.get(name)?;
        let commit = self.peeled.get(name).unwrap_or(object).clone();
        let tag = name.strip_prefix("refs/tags/").map(|name| Tag { name: name.to_owned(), object: object.clone() });
        Some(Target { commit, tag })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_tag_before_it_is_a_branch() {
        let [head, tag, commit] = ["a", "b", "c"].map(|digit| digit.repeat(40));
        let refs = Refs::parse(&format!(
            "{head}\tHEAD\n{head}\trefs/heads/v1\n{tag}\trefs/tags/v1\n{commit}\trefs/tags/v1^{{}}\n{head}\trefs/heads/--x\nzz\trefs/tags/v2"
        ));
        let found = |reference| refs.find(reference).map(|target| (target.commit, target.tag.map(|tag| tag.object)));
        assert_eq!(found(None), Some((head.clone(), None)));
        assert_eq!(found(Some("v1")), Some((commit, Some(tag))));
        assert_eq!(found(Some("refs/heads/v1")), Some((head.clone(), None)));
        assert_eq!(found(Some("heads/v1")), Some((head, None)));
        assert_eq!(found(Some("v2")), None);
        assert_eq!(refs.tags().collect::<Vec<_>>(), ["v1"]);
    }
}
