//! One value in place of many that are alike: where they differ, all of them are there.

use std::collections::BTreeSet;

use bimetal_model::{Data, Value};

use super::compact::texts;
use crate::render::value::{key_text, value_text};

/// More different values than this have a line each.
const MOST_ON_A_LINE: usize = 4;

/// What stands in front of a list of values, a line for each.
pub(super) const EACH_ITS_OWN: &str = "(each its own)";

/// As `value_text`, of as many values as there are names.
pub(super) fn merged_text(values: &[&Value], names: &[String], indent: usize) -> String {
    let Some(first) = values.first() else { return String::new() };
    let written: Vec<String> = values.iter().map(|value| value_text(value, indent)).collect();
    if written.windows(2).all(|pair| pair[0] == pair[1]) {
        return value_text(first, indent);
    }
    if values.iter().any(|value| value.marks.hide()) {
        return differing(&written, names, indent);
    }
    match &first.data {
        Data::Map(_) | Data::Object(_) if have_same_members(values) => members_text(values, names, indent),
        Data::List(items) | Data::Tuple(items) if have_same_length(values, items.len()) => {
            items_text(values, items.len(), names, indent)
        }
        _ => differing(&written, names, indent),
    }
}

fn have_same_members(values: &[&Value]) -> bool {
    let names = |value: &Value| -> Option<BTreeSet<String>> {
        let shown = value.as_members()?.iter().filter(|(_, member)| !member.is_null());
        Some(shown.map(|(name, _)| name.clone()).collect())
    };
    let all: Vec<_> = values.iter().map(|value| names(value)).collect();
    all.iter().all(Option::is_some) && all.windows(2).all(|pair| pair[0] == pair[1])
}

fn have_same_length(values: &[&Value], length: usize) -> bool {
    values.iter().all(|value| value.as_items().is_some_and(|items| items.len() == length))
}

fn members_text(values: &[&Value], names: &[String], indent: usize) -> String {
    let members = values[0].as_members().into_iter().flatten().filter(|(_, member)| !member.is_null());
    let keys: Vec<(&String, String)> = members.map(|(name, _)| (name, key_text(name))).collect();
    let width = keys.iter().map(|(_, key)| key.chars().count()).max().unwrap_or(0);
    let pad = " ".repeat(indent + 2);
    let line = |(name, key): &(&String, String)| {
        let inner: Vec<&Value> = values.iter().filter_map(|value| value.member(name)).collect();
        format!("{pad}{key:width$} = {}\n", merged_text(&inner, names, indent + 2))
    };
    format!("{{\n{}{}}}", keys.iter().map(line).collect::<String>(), " ".repeat(indent))
}

fn items_text(values: &[&Value], length: usize, names: &[String], indent: usize) -> String {
    let pad = " ".repeat(indent + 2);
    let line = |place: usize| {
        let inner: Vec<&Value> = values.iter().filter_map(|value| value.as_items()?.get(place)).collect();
        format!("{pad}{},\n", merged_text(&inner, names, indent + 2))
    };
    format!("[\n{}{}]", (0..length).map(line).collect::<String>(), " ".repeat(indent))
}

/// All of them: on a line where they count up, or are few; else a line for each.
fn differing(written: &[String], names: &[String], indent: usize) -> String {
    let parts = texts(written);
    if parts.len() <= MOST_ON_A_LINE && !written.iter().any(|text| text.contains('\n')) {
        return parts.join(", ");
    }
    let pad = " ".repeat(indent + 2);
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let lines: Vec<String> =
        names.iter().zip(written).map(|(name, text)| format!("\n{pad}{name:width$} {text}")).collect();
    format!("{EACH_ITS_OWN}{}", lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_all_there() {
        let object = |name: &str, host: &str| -> Value {
            let labels: Value = [("tier", Value::from("web")), ("name", Value::from(name))].into_iter().collect();
            [("host", Value::from(host)), ("labels", labels), ("size", Value::from(1u64))].into_iter().collect()
        };
        let values = [("a-0", "x"), ("a-1", "q"), ("a-2", "z"), ("a-3", "f"), ("a-4", "x1")].map(|(n, h)| object(n, h));
        let names = ["0", "1", "2", "3", "4"].map(|key| format!("[{key}]"));
        insta::assert_snapshot!(merged_text(&values.each_ref(), &names, 0), @r#"
        {
          host   = (each its own)
            [0] "x"
            [1] "q"
            [2] "z"
            [3] "f"
            [4] "x1"
          labels = {
            name = "a-0" … "a-4"
            tier = "web"
          }
          size   = 1
        }
        "#);
    }
}
