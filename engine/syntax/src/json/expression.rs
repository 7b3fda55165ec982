//! JSON values as expressions.

use std::collections::BTreeSet;

use bimetal_model::{Diagnostic, Diagnostics};

use super::Reading;
use super::body::Shaper;
use super::read::{Kind as JsonKind, Member as JsonMember, Value};
use super::relocate::relocate;
use super::text::Text;
use crate::parser::{Lines, parse_expression, parse_template};
use crate::source::SourceFile;
use crate::tree::{Kind, Member, Node, Part};

impl Shaper<'_> {
    /// The expression; none where it could not be read, which was said.
    pub(super) fn expression(&mut self, value: Value, reading: Reading) -> Option<Node> {
        crate::stack::deeply(|| {
            let place = value.place;
            let kind = match value.kind {
                JsonKind::Null => Kind::Null,
                JsonKind::Bool(value) => Kind::Bool(value),
                JsonKind::Number(number) => Kind::Number(number),
                JsonKind::Text(text) => return self.text(text, reading),
                JsonKind::Array(items) => Kind::Tuple(self.items(items, reading)?),
                JsonKind::Object(members) => Kind::Object(self.members(members, reading)?),
                JsonKind::Broken => return None,
            };
            Some(Node { place, kind })
        })
    }

    /// All of them are read, so that all mistakes are said.
    fn items(&mut self, items: Vec<Value>, reading: Reading) -> Option<Vec<Node>> {
        let read: Vec<_> = items.into_iter().map(|item| self.expression(item, reading)).collect();
        read.into_iter().collect()
    }

    fn members(&mut self, members: Vec<JsonMember>, reading: Reading) -> Option<Vec<Member>> {
        let (mut seen, mut read) = (BTreeSet::new(), Vec::new());
        for member in members {
            let key_place = member.key.place;
            let key = self.text(member.key, reading);
            if let Some(Node { kind: Kind::Text(name) | Kind::Name(name), .. }) = &key
                && !seen.insert(name.clone())
            {
                self.fail(Diagnostic::error(format!("`{name}` is set twice")).hint("remove one of them"), key_place);
            }
            let value = self.expression(member.value, reading);
            read.push(key.zip(value).map(|(key, value)| Member { key, value }));
        }
        read.into_iter().collect()
    }

    pub(super) fn text(&mut self, text: Text, reading: Reading) -> Option<Node> {
        let place = text.place;
        let parsed = match reading {
            Reading::Literal => return Some(Node { place, kind: Kind::Text(text.value.into()) }),
            Reading::Template if !text.value.contains("${") && !text.value.contains("%{") => {
                return Some(Node { place, kind: Kind::Text(text.value.into()) });
            }
            Reading::Template => parse_template(&self.inner(&text)),
            Reading::Expression => parse_expression(&self.inner(&text), Lines::DontCount),
        };
        match parsed {
            Ok(mut node) => {
                relocate(&mut node, &|place| text.locate(place));
                Some(unwrapped(Node { place, ..node }))
            }
            Err(errors) => {
                self.relocated(errors, &text);
                None
            }
        }
    }

    /// What the text stands for, as a file of its own.
    fn inner(&self, text: &Text) -> SourceFile {
        SourceFile { name: self.file.name.clone(), text: text.value.as_str().into() }
    }

    fn relocated(&mut self, errors: Diagnostics, text: &Text) {
        for error in errors {
            let span = error.span.clone();
            let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            let place = span.map(|span| (offset(span.range.start), offset(span.range.end)));
            let place = place.map_or(text.place, |(start, end)| text.locate(crate::source::Place { start, end }));
            self.fail(error, place);
        }
    }
}

/// `"${…}"` alone is what stands in it.
fn unwrapped(node: Node) -> Node {
    match node.kind {
        Kind::Template(mut parts) if matches!(parts[..], [Part::Value(_)]) => match parts.pop() {
            Some(Part::Value(inner)) => inner,
            _ => unreachable!("just seen"),
        },
        kind => Node { kind, ..node },
    }
}
