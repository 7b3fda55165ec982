//! What of a working tree is not committed.

use bimetal_model::Diagnostic;

use super::Repository;

/// Where to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The folder that the repository was seen from, and below.
    Folder,
    /// All of it.
    Everywhere,
}

/// A file that differs from the commit that is checked out, or is not in it. What is ignored is not told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Changed {
    /// Below the repository's root; a folder, with a `/` at its end, where all in it is new.
    pub path: String,
    /// `changed`, `new` or `gone`, for people.
    pub how: &'static str,
}

impl Repository {
    /// What differs, by path. A bare repository has nothing that could.
    pub fn changed(&self, scope: Scope) -> Result<Vec<Changed>, Diagnostic> {
        if self.root().is_none() {
            return Ok(Vec::new());
        }
        let folder = match scope {
            Scope::Folder if !self.prefix().is_empty() => format!(":(top,literal){}", self.prefix()),
            Scope::Folder | Scope::Everywhere => ":(top)".to_owned(),
        };
        let words = ["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal", "--", &folder];
        let text = self.text(&words)?;
        let mut changed: Vec<Changed> = text.split('\0').filter_map(parse).collect();
        changed.sort();
        Ok(changed)
    }

    /// Whether anything differs.
    pub fn is_dirty(&self, scope: Scope) -> Result<bool, Diagnostic> {
        Ok(!self.changed(scope)?.is_empty())
    }
}

/// `XY path`
fn parse(line: &str) -> Option<Changed> {
    let (code, path) = (line.get(..2)?, line.get(3..)?);
    let how = match code {
        "??" | "A " | "AM" => "new",
        code if code.contains('D') => "gone",
        _ => "changed",
    };
    Some(Changed { path: path.to_owned(), how })
}
