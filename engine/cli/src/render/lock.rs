//! What differs between two locks, for people. Hashes are short here: the lock file and JSON have them whole.

use bimetal_config::lock::{Became, Change, Fact};

use crate::render::style::{ADD, BOLD, CHANGE, REMOVE, paint};

/// Digits of a hash that people compare.
const DIGITS: usize = 12;

/// One paragraph for each block that is not what it was.
pub(crate) fn difference(changes: &[Change]) -> String {
    changes.iter().map(block).collect::<Vec<_>>().join("\n")
}

fn block(change: &Change) -> String {
    let (style, sign) = match change.became {
        Became::New => (ADD, "+"),
        Became::Other => (CHANGE, "~"),
        Became::Gone => (REMOVE, "-"),
    };
    let wanted = change.wanted.as_ref().map(|wanted| format!(" ({wanted})")).unwrap_or_default();
    let title = format!("{} {}{wanted}", change.kind.word(), change.name);
    let width = change.facts.iter().map(|fact| fact.name.len()).max().unwrap_or(0);
    let facts: String = change.facts.iter().map(|one| fact(one, width)).collect();
    format!("{} {}\n{facts}", paint(style, sign), paint(BOLD, title))
}

fn fact(fact: &Fact, width: usize) -> String {
    let name = &fact.name;
    let is_grant = name == "may";
    match (&fact.old, &fact.new) {
        (Some(old), Some(new)) => format!("    {name:width$} {} -> {}\n", short(old), short(new)),
        (None, Some(new)) if is_grant => format!("  {} may {new}\n", paint(ADD, "+")),
        (Some(old), None) if is_grant => format!("  {} may {old}\n", paint(REMOVE, "-")),
        (None, Some(new)) => format!("  {} {name:width$} {}\n", paint(ADD, "+"), short(new)),
        (Some(old), None) => format!("  {} {name:width$} {}\n", paint(REMOVE, "-"), short(old)),
        (None, None) => String::new(),
    }
}

/// The beginning of a hash or of a commit; anything else as it is.
pub(crate) fn short(text: &str) -> &str {
    let (prefix, digits) = text.split_at(if text.starts_with("sha256:") { "sha256:".len() } else { 0 });
    let is_hash = digits.len() >= 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { text.get(..prefix.len() + DIGITS).unwrap_or(text) } else { text }
}

#[cfg(test)]
mod tests {
    use bimetal_config::lock::{Lock, changes};

    use super::*;
    use crate::render::style::plain;

    #[test]
    fn old_and_new_stand_beside_each_other() {
        let module = |version: &str, digit: &str| {
            let (commit, hash) = (digit.repeat(40), digit.repeat(64));
            format!(
                "module \"git::https://h/x.git\" {{\n  wanted = \"~> 1.2\"\n  version = \"{version}\"\n  commit = \"{commit}\"\n  \
                 hash = \"sha256:{hash}\"\n}}\n"
            )
        };
        let old = module("1.2.3", "a") + "provider \"notes\" {\n  version = \"1.0.0\"\n  grants = [\"listen\"]\n}\n";
        let new = module("1.3.0", "b")
            + "provider \"notes\" {\n  version = \"1.1.0\"\n  grants = [\"send\"]\n}\n"
            + "image \"nginx:1.27\" {\n  digest = \"sha256:1\"\n  platforms = { \"linux/amd64\" = \"sha256:2\" }\n}\n";
        let changes = changes(&Lock::parse(&old).unwrap(), &Lock::parse(&new).unwrap());
        insta::assert_snapshot!(plain(&difference(&changes)), @r"
        ~ module git::https://h/x.git (~> 1.2)
            version 1.2.3 -> 1.3.0
            commit  aaaaaaaaaaaa -> bbbbbbbbbbbb
            hash    sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb

        ~ provider notes
            version 1.0.0 -> 1.1.0
          + may send
          - may listen

        + image nginx:1.27
          + digest      sha256:1
          + linux/amd64 sha256:2
        ");
    }
}
