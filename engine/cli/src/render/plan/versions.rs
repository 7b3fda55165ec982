//! Where two versions of a configuration differ, as people read it.

use std::fmt::Write as _;

use bimetal_model::Address;
use bimetal_plan::{Compared, Comparison, Image, ImageChange, Kind, LockChange, LockedName, LockedVersion};

use super::entry::Entry;
use super::markdown::{WIDTH, folded};
use super::outputs::outputs_text;
use super::summary::sorts_text;
use super::{blocks, renamed_line};
use crate::arguments::Detail;
use crate::render::style::{ADD, BOLD, CHANGE, FAINT, REMOVE, paint, plain};
use crate::render::value::quoted;
use crate::render::wrap::wrap;

/// As much of a digest or commit as people look at.
const SHORT: usize = 12;

/// Both versions' names, in the order of the comparison.
pub(crate) struct Names {
    /// As `commit 0123456789ab (v1.2.0)`.
    pub(crate) before: String,
    /// Likewise.
    pub(crate) after: String,
}

/// The whole difference in lines of at most so many characters, where they can be broken; one sentence where there is none.
pub(crate) fn comparison(comparison: &Comparison, names: &Names, detail: Detail, width: usize) -> String {
    let versions = format!("From {} to {}.", names.before, names.after);
    let versions = paint(FAINT, wrap(&versions, width));
    if comparison.is_empty() {
        return format!("{}\n{versions}\n", paint(BOLD, NONE));
    }
    let Comparison { objects, images, outputs, locked } = comparison;
    let is_renamed = |object: &&Compared| object.kind == Kind::Moved && detail != Detail::Summary;
    let renamed =
        objects.iter().filter(is_renamed).filter_map(|object| Some((&object.address, object.moved_from.as_ref()?)));
    let renamed: String = renamed.map(|(new, old)| renamed_line(new, old)).collect();
    let others = objects.iter().filter(|object| object.kind != Kind::Moved);
    let blocks = blocks(others.map(Entry::from), detail, width).collect();
    let images: Vec<String> = images.iter().map(|(service, change)| image_line(service, change)).collect();
    let locked: Vec<String> = locked.iter().map(lock_line).collect();
    let parts = [
        renamed,
        blocks,
        listed("Images that differ:", &images, detail),
        outputs_text(outputs, detail).trim_start_matches('\n').to_owned(),
        listed("What is locked otherwise:", &locked, detail),
        tally(comparison),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{}{versions}\n", parts.join("\n"))
}

const NONE: &str = "No differences. Both versions want the same.";

/// The whole difference as Markdown.
pub(crate) fn comparison_markdown(comparison: &Comparison, names: &Names, detail: Detail) -> String {
    let whole = plain(&self::comparison(comparison, names, detail, WIDTH));
    let versions = format!("From {} to {}.", names.before, names.after);
    if comparison.is_empty() {
        return format!("### {NONE}\n\n{versions}\n");
    }
    let heading = plain(&tally(comparison));
    let opening = format!("{versions}\n\n<details><summary>The difference</summary>");
    folded(heading.trim(), &opening, &whole, "`bimetal diff` prints all of them")
}

/// `Difference: 2 added (1 machine, 1 resource), 0 changed, 1 removed; 1 moved.`
fn tally(comparison: &Comparison) -> String {
    let part = |word: &str, is_meant: fn(&Compared) -> bool| {
        let meant = comparison.objects.iter().filter(|object| is_meant(object));
        let meant: Vec<&Address> = meant.map(|object| &object.address).collect();
        (meant.len(), format!("{} {word}{}", meant.len(), sorts_text(&meant)))
    };
    let (_, added) = part("added", |object| object.kind == Kind::Added);
    let (_, changed) = part("changed", |object| object.kind == Kind::Changed);
    let (replaced_count, replaced) = part("replaced", |object| object.kind == Kind::Replaced);
    let (_, removed) = part("removed", |object| object.kind == Kind::Removed);
    let (moved_count, moved) = part("moved", |object| object.moved_from.is_some());
    let replaced = if replaced_count > 0 { format!(", {replaced}") } else { String::new() };
    let moved = if moved_count > 0 { format!("; {moved}") } else { String::new() };
    format!("{} {added}, {changed}{replaced}, {removed}{moved}.\n", paint(BOLD, "Difference:"))
}

/// Lines below what they are; their number where only numbers are wanted.
fn listed(heading: &str, lines: &[String], detail: Detail) -> String {
    match (lines.len(), detail) {
        (0, _) => String::new(),
        (count, Detail::Summary) => format!("{heading} {count}\n"),
        (_, Detail::Full | Detail::Grouped) => format!("{heading}\n{}", lines.concat()),
    }
}

fn image_line(service: &Address, change: &ImageChange) -> String {
    let text =
        |images: &[Image]| (!images.is_empty()).then(|| images.iter().map(image_text).collect::<Vec<_>>().join(", "));
    signed(&service.to_string(), text(&change.before), text(&change.after))
}

/// `linux/arm64 "nginx:1.27" (sha256:0123456789ab)`
fn image_text(image: &Image) -> String {
    let platform = image.platform.as_ref().map(|platform| format!("{platform} ")).unwrap_or_default();
    let source = image.source.as_ref().map(|source| quoted(&source.to_string()));
    let digest = image.digest.as_ref().map(|digest| format!(" ({})", short(digest))).unwrap_or_default();
    format!("{platform}{}{digest}", source.unwrap_or_else(|| "(known after apply)".to_owned()))
}

fn lock_line(change: &LockChange) -> String {
    let name = match &change.name {
        LockedName::Provider(name) => format!("provider {}", quoted(&name.0)),
        LockedName::Module(source) => format!("module {}", quoted(source)),
    };
    let text = |version: &Option<LockedVersion>| version.as_ref().map(version_text);
    signed(&name, text(&change.before), text(&change.after))
}

/// `1.2.3 (commit 0123456789ab)`
fn version_text(version: &LockedVersion) -> String {
    let exactly = match (&version.commit, &version.digest) {
        (Some(commit), _) => Some(format!("commit {}", short(commit))),
        (None, digest) => digest.as_deref().map(short),
    };
    match (version.version.as_ref().or(version.reference.as_ref()), exactly) {
        (Some(name), Some(exactly)) => format!("{name} ({exactly})"),
        (Some(name), None) => name.clone(),
        (None, exactly) => exactly.unwrap_or_default(),
    }
}

/// The beginning of a digest or commit; what kind of digest it is stays.
fn short(id: &str) -> String {
    let (kind, digits) = id.split_once(':').map_or(("", id), |(kind, digits)| (kind, digits));
    let colon = if kind.is_empty() { "" } else { ":" };
    format!("{kind}{colon}{}", digits.get(..SHORT).unwrap_or(digits))
}

fn signed(name: &str, before: Option<String>, after: Option<String>) -> String {
    let (style, sign, value) = match (before, after) {
        (None, None) => return String::new(),
        (Some(before), None) => (REMOVE, '-', before),
        (None, Some(after)) => (ADD, '+', after),
        (Some(before), Some(after)) => (CHANGE, '~', format!("{before} -> {after}")),
    };
    let mut line = String::new();
    let _ = writeln!(line, "  {} {name}: {value}", paint(style, sign));
    line
}
