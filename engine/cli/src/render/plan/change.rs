//! One object, or many that are alike, as a block of the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anstyle::Style;
use bimetal_model::{Address, Data, Path, Value};

use super::compact::{addresses, keys, place, texts};
use super::entry::Entry;
use super::group::Group;
use super::merged::{EACH_ITS_OWN, merged_text};
use crate::arguments::Detail;
use crate::render::style::{ADD, BOLD, CHANGE, FAINT, READ, REMOVE, paint};
use crate::render::value::{quoted, text_beside, value_text};
use crate::render::wrap::wrap;

/// What begins a line that says why.
const COMMENT: &str = "  # ";

/// The objects of a group as one block.
pub(super) fn group_text(group: &Group<'_>, detail: Detail, width: usize) -> String {
    let Entry { sign, deed, after, .. } = group.first();
    let all = group.addresses();
    let count = if all.len() > 1 { format!(" ({})", all.len()) } else { String::new() };
    let mut text = format!("{COMMENT}{} {deed}{count}\n", paint(BOLD, addresses(&all)));
    for reason in group.first().reason.clone().into_iter().chain(placed(group)) {
        for line in wrap(&reason, width.saturating_sub(COMMENT.len())).lines() {
            let _ = writeln!(text, "{COMMENT}{}", paint(FAINT, line));
        }
    }
    let body = match (after, detail) {
        (None, Detail::Grouped | Detail::Summary) => String::new(),
        (None, Detail::Full) | (Some(_), _) => attributes_text(group),
    };
    let _ = writeln!(text, "{} {} {{{body}}}", paint(style(sign), sign), header(&all));
    text
}

fn style(sign: &str) -> Style {
    match sign.trim() {
        "+" => ADD,
        "~" => CHANGE,
        "<=" => READ,
        "-" | "-/+" | "+/-" => REMOVE,
        _ => FAINT,
    }
}

/// Where the replicas of a group will run, and why.
fn placed(group: &Group<'_>) -> Vec<String> {
    let places = group.members.iter().filter_map(|entry| Some((entry.address, entry.place.as_ref()?)));
    let (mut lines, mut by_place) = (Vec::new(), BTreeMap::<(&str, &str), Vec<&Address>>::new());
    for (address, (place, reason)) in places {
        lines.push((place.as_str(), reason.as_str()));
        by_place.entry((place.as_str(), reason.as_str())).or_default().push(address);
    }
    let with = |place: &str, reason: &str| match reason {
        "" => format!("on {place}"),
        reason => format!("on {place}: {reason}"),
    };
    let Some((first, reason)) = lines.first().copied() else { return Vec::new() };
    if by_place.len() == 1 {
        return vec![with(first, reason)];
    }
    let each = by_place.iter().map(|((place, reason), all)| with(&format!("{place} [{}]", keys(all)), reason));
    let each: Vec<String> = each.collect();
    let in_order = texts(&lines.iter().map(|(place, _)| (*place).to_owned()).collect::<Vec<_>>()).join(", ");
    let have_one_reason = lines.iter().all(|(_, other)| *other == reason);
    let in_order = if have_one_reason { with(&in_order, reason) } else { with(&in_order, "") };
    if in_order.len() < each.iter().map(String::len).sum() { vec![in_order] } else { each }
}

/// The block as the configuration writes it: `machine "docker" "here"`.
fn header(all: &[&Address]) -> String {
    let Some(address) = all.first() else { return String::new() };
    let mut text = address.block.word().to_owned();
    if address.block.has_type() {
        let _ = write!(text, " {}", quoted(&address.ty));
    }
    let _ = write!(text, " {}", quoted(&address.name));
    if address.replica.is_some() {
        let _ = write!(text, " replica[{}]", keys(all));
    }
    if let Some(generation) = address.deposed {
        let _ = write!(text, " deposed[{generation}]");
    }
    text
}

/// Of each object what is there, and what will be.
type Pairs<'p> = Vec<(Option<&'p Value>, Option<&'p Value>)>;

fn attributes_text(group: &Group<'_>) -> String {
    let pairs: Pairs<'_> = group.members.iter().map(|entry| (entry.before, entry.after)).collect();
    let all = || pairs.iter().flat_map(|(before, after)| [*before, *after]).flatten();
    let names: BTreeSet<&String> = all().filter_map(Value::as_members).flat_map(|members| members.keys()).collect();
    if names.is_empty() {
        return String::new();
    }
    let names_of_members: Vec<String> = group.members.iter().map(|entry| short_name(entry.address)).collect();
    let width = name_width(all());
    let (mut lines, mut hidden) = (String::new(), 0);
    for name in names {
        let of_name: Pairs<'_> =
            pairs.iter().map(|(before, after)| (member(*before, name), member(*after, name))).collect();
        let line = match &of_name[..] {
            [pair] => attribute_text(name, width, *pair),
            _ => merged_attribute_text(name, width, &of_name, &names_of_members),
        };
        if line.is_empty() {
            hidden += usize::from(of_name.iter().any(|(before, _)| before.is_some()));
        } else {
            lines += line.trim_end_matches('\n');
            lines += forced(group.first(), name);
            lines.push('\n');
        }
    }
    if hidden > 0 {
        let word = if hidden == 1 { "attribute" } else { "attributes" };
        let _ = writeln!(lines, "      {}", paint(FAINT, format!("# ({hidden} unchanged {word} hidden)")));
    }
    format!("\n{lines}    ")
}

fn member<'v>(value: Option<&'v Value>, name: &str) -> Option<&'v Value> {
    value?.member(name)
}

/// What tells it from the others of its group: its key.
fn short_name(address: &Address) -> String {
    match place(address) {
        Some(_) => format!("[{}]", keys(&[address])),
        None => address.to_string(),
    }
}

pub(super) fn name_width<'v>(values: impl Iterator<Item = &'v Value>) -> usize {
    let members = values.filter_map(Value::as_members).flatten();
    members.filter(|(_, value)| !value.is_null()).map(|(name, _)| name.len()).max().unwrap_or(0)
}

fn forced(entry: &Entry<'_>, name: &str) -> &'static str {
    let forces = entry.forces.iter().any(|path| Path::attribute(name).contains(path));
    if forces { " # forces replacement" } else { "" }
}

fn line(style: Style, sign: &str, name: &str, width: usize, value: &str) -> String {
    format!("      {} {name:width$} = {value}\n", paint(style, sign))
}

/// An attribute that differs; nothing where it does not.
pub(super) fn attribute_text(name: &str, width: usize, pair: (Option<&Value>, Option<&Value>)) -> String {
    match pair {
        (None, None) => String::new(),
        (None, Some(after)) if is_empty(after) => String::new(),
        (Some(before), Some(after)) if is_same(before, after) => String::new(),
        (None, Some(after)) => line(ADD, "+", name, width, &value_text(after, 8)),
        (Some(before), None) => line(REMOVE, "-", name, width, &format!("{} -> null", value_text(before, 8))),
        (Some(before), Some(after)) => line(CHANGE, "~", name, width, &difference(before, after, 8)),
    }
}

/// The same attribute of many changes that are alike.
fn merged_attribute_text(name: &str, width: usize, pairs: &Pairs<'_>, names: &[String]) -> String {
    let each: BTreeSet<String> = pairs.iter().map(|pair| attribute_text(name, width, *pair)).collect();
    if each.len() == 1 {
        return each.into_iter().next().unwrap_or_default();
    }
    let merged = |values: Vec<&Value>| match values.len() == pairs.len() {
        true => Some(merged_text(&values, names, 8)),
        false => None,
    };
    let are_all_unknown =
        pairs.iter().all(|(_, after)| after.is_some_and(|after| matches!(after.data, Data::Unknown(..))));
    let brief = |text: String| match text.strip_prefix(EACH_ITS_OWN) {
        // What stands behind a list would seem to be of its last line alone; and nobody asks what an id was.
        Some(_) if are_all_unknown => EACH_ITS_OWN.to_owned(),
        _ => text,
    };
    let before = merged(pairs.iter().filter_map(|(before, _)| *before).collect());
    let after = merged(pairs.iter().filter_map(|(_, after)| *after).collect());
    match (before, after) {
        (None, None) => String::new(),
        (None, Some(after)) => line(ADD, "+", name, width, &after),
        (Some(before), None) => line(REMOVE, "-", name, width, &format!("{before} -> null")),
        (Some(before), Some(after)) => line(CHANGE, "~", name, width, &format!("{} -> {after}", brief(before))),
    }
}

/// A list and a tuple of the same items read the same.
fn is_same(before: &Value, after: &Value) -> bool {
    before == after
        || (!before.has_sensitive() && !after.has_sensitive() && value_text(before, 0) == value_text(after, 0))
}

/// A list or map that was not written: it says nothing.
fn is_empty(value: &Value) -> bool {
    value.as_items().is_some_and(<[_]>::is_empty) || value.as_members().is_some_and(|members| members.is_empty())
}

/// `old -> new`; a text of many lines, a list or a map line by line, all but the first indented.
pub(super) fn difference(before: &Value, after: &Value, indent: usize) -> String {
    let (old, new) = (value_text(before, indent), value_text(after, indent));
    if (before.marks | after.marks).hide() || !(old.contains('\n') && new.contains('\n')) {
        return format!("{old} -> {new}");
    }
    let (old, new) = (text_beside(before, Some(after), indent), text_beside(after, Some(before), indent));
    let diff = similar::TextDiff::from_lines(&old, &new);
    let lines = diff.iter_all_changes().map(|change| {
        let (style, sign) = match change.tag() {
            similar::ChangeTag::Equal => (Style::new(), ' '),
            similar::ChangeTag::Insert => (ADD, '+'),
            similar::ChangeTag::Delete => (REMOVE, '-'),
        };
        let text = change.to_string();
        let line = text.trim_end_matches('\n');
        let indent = line.len() - line.trim_start().len();
        match sign {
            ' ' => line.to_owned(),
            _ => format!("{}{} {}", " ".repeat(indent.saturating_sub(2)), paint(style, sign), line.trim_start()),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bimetal_model::Type;

    #[test]
    fn a_longer_name_beside_it_is_no_difference() {
        let map = |names: &[&str]| names.iter().map(|name| (*name, Value::from(1))).collect::<Value>();
        let text = difference(&map(&["blog", "shop"]), &map(&["blog", "store"]), 4);
        let lines = "{\n      blog  = 1\n    - shop  = 1\n    + store = 1\n    }";
        assert_eq!(anstream::adapter::strip_str(&text).to_string(), lines);
    }

    #[test]
    fn what_each_was_is_not_listed_where_nobody_knows_what_it_will_be() {
        let ids: Vec<Value> = ["q", "c", "x", "a", "m"].map(Value::from).to_vec();
        let unknown = Value::unknown(Type::String);
        let pairs: Pairs<'_> = ids.iter().map(|id| (Some(id), Some(&unknown))).collect();
        let names: Vec<String> = (0..5).map(|place| format!("[{place}]")).collect();
        let line = anstream::adapter::strip_str(&merged_attribute_text("id", 2, &pairs, &names)).to_string();
        assert_eq!(line, "      ~ id = (each its own) -> (known after apply)\n");
    }
}
