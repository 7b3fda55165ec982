//! A folder below the root of what was fetched.

use std::fmt;

/// Names joined by `/`, none of which leads upwards; empty for the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Folder(String);

impl Folder {
    /// Reads one. The error says why it is none.
    pub fn parse(text: &str) -> Result<Folder, String> {
        let text = text.trim_end_matches('/');
        let is_odd = |name: &str| name.is_empty() || name == "." || name == ".." || name.contains(['\\', '?', '#']);
        if text.chars().any(|c| c.is_control() || c.is_whitespace())
            || (!text.is_empty() && text.split('/').any(is_odd))
        {
            return Err(format!("`//{}` does not name a folder inside", text.escape_debug()));
        }
        Ok(Folder(text.to_owned()))
    }

    /// The names; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it stands behind a place: `//modules/web`, or nothing.
    pub(super) fn suffix(&self) -> String {
        match self.0.is_empty() {
            true => String::new(),
            false => format!("//{}", self.0),
        }
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
