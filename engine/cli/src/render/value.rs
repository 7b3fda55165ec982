//! Values as configuration would write them.

use bimetal_model::value::{Data, Value};

/// The value over as many lines as it needs; all but the first are indented by `indent` spaces.
pub(crate) fn value_text(value: &Value, indent: usize) -> String {
    text_beside(value, None, indent)
}

/// As [`value_text`], in the columns that another value needs, too: what is the same in both reads the same.
pub(crate) fn text_beside(value: &Value, other: Option<&Value>, indent: usize) -> String {
    if value.marks.hide() {
        return "(sensitive value)".to_owned();
    }
    let other = other.filter(|other| !other.marks.hide());
    match &value.data {
        Data::Null(_) => "null".to_owned(),
        Data::Unknown(..) => "(known after apply)".to_owned(),
        Data::Handle(_) => "(handle)".to_owned(),
        Data::Bool(value) => value.to_string(),
        Data::Number(number) => number.to_string(),
        Data::String(text) => string_text(text, indent),
        Data::List(items) | Data::Set(items) | Data::Tuple(items) => items_text(items, other, indent),
        Data::Map(members) | Data::Object(members) => {
            let shown: Vec<_> = members.iter().filter(|(_, value)| !value.is_null()).collect();
            members_text(&shown, other, indent)
        }
    }
}

fn string_text(text: &str, indent: usize) -> String {
    match text.trim_end_matches('\n').contains('\n') {
        true => {
            let pad = " ".repeat(indent + 2);
            let lines: Vec<_> = text.trim_end_matches('\n').lines().map(|line| format!("{pad}{line}")).collect();
            format!("<<-EOT\n{}\n{}EOT", lines.join("\n"), " ".repeat(indent))
        }
        false => quoted(text),
    }
}

fn items_text(items: &[Value], other: Option<&Value>, indent: usize) -> String {
    if items.is_empty() {
        return "[]".to_owned();
    }
    let pad = " ".repeat(indent + 2);
    let others = other.and_then(Value::as_items).unwrap_or_default();
    let line = |(at, item)| format!("{pad}{},\n", text_beside(item, others.get(at), indent + 2));
    let lines: Vec<_> = items.iter().enumerate().map(line).collect();
    format!("[\n{}{}]", lines.concat(), " ".repeat(indent))
}

fn members_text(members: &[(&String, &Value)], other: Option<&Value>, indent: usize) -> String {
    if members.is_empty() {
        return "{}".to_owned();
    }
    let pad = " ".repeat(indent + 2);
    let names: Vec<_> = members.iter().map(|(name, _)| key_text(name)).collect();
    let others = other.and_then(Value::as_members).into_iter().flatten();
    let others = others.filter(|(_, value)| !value.is_null()).map(|(name, _)| key_text(name).len());
    let width = names.iter().map(String::len).chain(others).max().unwrap_or(0);
    let line = |(shown, (name, value)): (&String, &(&String, &Value))| {
        let other = other.and_then(|other| other.member(name));
        format!("{pad}{shown:width$} = {}\n", text_beside(value, other, indent + 2))
    };
    let lines: String = names.iter().zip(members).map(line).collect();
    format!("{{\n{lines}{}}}", " ".repeat(indent))
}

/// A key as it is, where it is a name.
pub(crate) fn key_text(name: &str) -> String {
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        && name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    match is_name {
        true => name.to_owned(),
        false => quoted(name),
    }
}

/// The text between quotes, escaped as configuration wants it.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string().replace("${", "$${").replace("%{", "%%{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_print_as_configuration_writes_them() {
        let value: Value = [
            ("list", Value::tuple([Value::from(1u64), Value::from("a")])),
            ("odd key", Value::from("${x}")),
            ("secret", Value::from("x").into_sensitive()),
            ("text", Value::from("one\ntwo\n")),
        ]
        .into_iter()
        .collect();
        insta::assert_snapshot!(value_text(&value, 0), @r#"
        {
          list      = [
            1,
            "a",
          ]
          "odd key" = "$${x}"
          secret    = (sensitive value)
          text      = <<-EOT
            one
            two
          EOT
        }
        "#);
    }
}
