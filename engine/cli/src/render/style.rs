//! Colours. They are always written; the stream takes them out where nobody sees them.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// Something new.
pub(crate) const ADD: Style = AnsiColor::Green.on_default();
/// Something changed.
pub(crate) const CHANGE: Style = AnsiColor::Yellow.on_default();
/// Something removed, or an error.
pub(crate) const REMOVE: Style = AnsiColor::Red.on_default();
/// Something read.
pub(crate) const READ: Style = AnsiColor::Cyan.on_default();
/// A heading.
pub(crate) const BOLD: Style = Style::new().bold();
/// Of little interest.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// The text in the style.
pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The text without any style.
pub(crate) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
