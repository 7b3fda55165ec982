//! Values and types as a console prints them: as Terraform's does, so that what is printed can be pasted back.

use bimetal_model::{Data, Diagnostic, Diagnostics, Items, Kind, Members, Type, Value};
use bimetal_syntax::{Kind as NodeKind, Node};

use crate::evaluate::{Scope, evaluate, undeclared};
use crate::expression::{Expression, Reference, Target};

/// What an expression comes to, printed. `type(…)`, which consoles alone have, is the type of what stands in it.
pub fn run(expression: &Expression, scope: &Scope) -> Result<String, Diagnostics> {
    match type_of(&expression.node) {
        Some(inner) if type_of(inner).is_some() => Ok("type".to_owned()),
        Some(inner) => {
            let inner = Expression::new(&expression.file, inner.clone());
            Ok(print_type(&value(&inner, scope)?.ty()))
        }
        None => Ok(print(&value(expression, scope)?)),
    }
}

/// What an expression comes to that stands in no block. Not even `try` makes something of what is not declared.
pub fn value(expression: &Expression, scope: &Scope) -> Result<Value, Diagnostics> {
    let is_of_a_block = |reference: &Reference| matches!(reference.target, Target::Each | Target::Count | Target::This);
    if let Some(reference) = expression.references().into_iter().find(is_of_a_block) {
        let error = Diagnostic::error(format!("`{}` is known only in a block", reference.target));
        return Err(vec![error.at(&reference.span)]);
    }
    let undeclared = undeclared(expression, scope);
    if undeclared.is_empty() { evaluate(expression, scope) } else { Err(undeclared) }
}

/// What stands in a call of `type`.
fn type_of(node: &Node) -> Option<&Node> {
    match &node.kind {
        NodeKind::Call(call) if &*call.name.text == "type" => match &call.arguments[..] {
            [inner] if !call.expands => Some(inner),
            _ => None,
        },
        _ => None,
    }
}

/// The value as an expression.
pub fn print(value: &Value) -> String {
    value_text(value, 0)
}

/// The type as a type expression, as `type(…)` shows it.
pub fn print_type(ty: &Type) -> String {
    type_text(ty, 0)
}

fn value_text(value: &Value, indent: usize) -> String {
    match &value.data {
        Data::Unknown(..) => "(known after apply)".to_owned(),
        _ if value.marks.ephemeral => "(ephemeral value)".to_owned(),
        _ if value.marks.sensitive => "(sensitive value)".to_owned(),
        Data::Null(Kind(ty)) => null_text(ty).to_owned(),
        Data::Handle(_) => "(handle)".to_owned(),
        Data::Bool(value) => value.to_string(),
        Data::Number(number) => number.to_string(),
        Data::String(text) if text.contains('\n') => lines_text(text, indent),
        Data::String(text) => quoted(text),
        Data::List(items) => format!("tolist({})", items_text(items, indent)),
        Data::Set(items) => format!("toset({})", items_text(items, indent)),
        Data::Tuple(items) => items_text(items, indent),
        Data::Map(members) => format!("tomap({})", members_text(members, indent)),
        Data::Object(members) => members_text(members, indent),
    }
}

fn null_text(ty: &Type) -> String {
    match ty {
        Type::Any => "null".to_owned(),
        Type::String => "tostring(null)".to_owned(),
        Type::Number => "tonumber(null)".to_owned(),
        Type::Bool => "tobool(null)".to_owned(),
        Type::List(element) => format!("tolist(null) /* of {} */", friendly(element)),
        Type::Set(element) => format!("toset(null) /* of {} */", friendly(element)),
        Type::Map(element) => format!("tomap(null) /* of {} */", friendly(element)),
        Type::Tuple(_) | Type::Object(_) | Type::Handle => format!("null /* {} */", friendly(ty)),
    }
}

/// A type in a few words.
pub(crate) fn friendly(ty: &Type) -> String {
    match ty {
        Type::Any => "dynamic".to_owned(),
        Type::Bool | Type::Number | Type::String | Type::Handle => ty.to_string(),
        Type::List(element) => format!("list of {}", friendly(element)),
        Type::Set(element) => format!("set of {}", friendly(element)),
        Type::Map(element) => format!("map of {}", friendly(element)),
        Type::Tuple(_) => "tuple".to_owned(),
        Type::Object(_) => "object".to_owned(),
    }
}

/// A value's type in a few words. What is in a structure is not looked at: there may be much of it.
pub(crate) fn friendly_of(value: &Value) -> String {
    match &value.data {
        Data::Tuple(_) => "tuple".to_owned(),
        Data::Object(_) => "object".to_owned(),
        _ => friendly(&value.ty()),
    }
}

fn items_text(items: &Items, indent: usize) -> String {
    if items.is_empty() {
        return "[]".to_owned();
    }
    let pad = " ".repeat(indent);
    let lines: String = items.iter().map(|item| format!("{pad}  {},\n", value_text(item, indent + 2))).collect();
    format!("[\n{lines}{pad}]")
}

fn members_text(members: &Members, indent: usize) -> String {
    if members.is_empty() {
        return "{}".to_owned();
    }
    let pad = " ".repeat(indent);
    let line =
        |(name, value): (&String, &Value)| format!("{pad}  {} = {}\n", quoted(name), value_text(value, indent + 2));
    let lines: String = members.iter().map(line).collect();
    format!("{{\n{lines}{pad}}}")
}

fn lines_text(text: &str, indent: usize) -> String {
    let mut word = "EOT".to_owned();
    while text.lines().any(|line| line.trim() == word) {
        word.push('_');
    }
    let pad = " ".repeat(indent);
    let lines: String = text.split('\n').map(|line| format!("{pad}{line}\n")).collect();
    format!("{}{word}\n{lines}{pad}{word}", if indent == 0 { "<<" } else { "<<-" })
}

/// Source: Go's `strconv.Quote`.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\n' => quoted.push_str("\\n"),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0b' => quoted.push_str("\\v"),
            '\x0c' => quoted.push_str("\\f"),
            c if c == '\'' || is_printable(c) => quoted.push(c),
            c if u32::from(c) < 0x80 => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) < 0x1_0000 => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

/// The standard library knows, and says so only by what it escapes; marks it escapes only at the beginning.
fn is_printable(c: char) -> bool {
    format!("a{c}").escape_debug().count() == 2
}

fn type_text(ty: &Type, indent: usize) -> String {
    let (pad, inner) = (" ".repeat(indent), indent + 4);
    let around = |word: &str, element: &Type| match element {
        Type::Tuple(_) | Type::Object(_) => format!("{word}(\n{pad}    {},\n{pad})", type_text(element, inner)),
        Type::Any
        | Type::Bool
        | Type::Number
        | Type::String
        | Type::Handle
        | Type::List(_)
        | Type::Set(_)
        | Type::Map(_) => format!("{word}({})", type_text(element, indent)),
    };
    match ty {
        Type::Any => "dynamic".to_owned(),
        Type::Bool | Type::Number | Type::String | Type::Handle => ty.to_string(),
        Type::List(element) => around("list", element),
        Type::Set(element) => around("set", element),
        Type::Map(element) => around("map", element),
        Type::Tuple(items) if items.is_empty() => "tuple([])".to_owned(),
        Type::Tuple(items) => {
            let lines: String = items.iter().map(|item| format!("{pad}    {},\n", type_text(item, inner))).collect();
            format!("tuple([\n{lines}{pad}])")
        }
        Type::Object(fields) if fields.is_empty() => "object({})".to_owned(),
        Type::Object(fields) => {
            let line = |(name, ty): (&String, &Type)| format!("{pad}    {name}: {},\n", type_text(ty, inner));
            let lines: String = fields.iter().map(|(name, field)| line((name, &field.ty))).collect();
            format!("object({{\n{lines}{pad}}})")
        }
    }
}
