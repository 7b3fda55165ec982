//! Text with something put into it.

use std::borrow::Cow;

use bimetal_model::convert::convert;
use bimetal_model::{Data, Diagnostics, Type, Value, ValueMarks};
use bimetal_syntax::{ForDirective, IfDirective, Node, Part};

use super::{Evaluated, Evaluator, Names};
use crate::size::{MOST_TEXT, too_long};

/// What a template came to so far.
#[derive(Default)]
struct Text {
    text: String,
    marks: ValueMarks,
    unknown: bool,
}

impl<'a> Evaluator<'a> {
    /// `"${x}"` alone is `x`, whatever its type.
    pub(super) fn template(&self, parts: &[Part]) -> Evaluated<'a> {
        if let [Part::Value(only)] = parts {
            return self.value(only);
        }
        let Text { text, marks, unknown } = self.text(parts)?;
        let value = if unknown { Value::unknown(Type::String) } else { Value::from(text) };
        Ok(Cow::Owned(value.with_marks(marks)))
    }

    fn text(&self, parts: &[Part]) -> Result<Text, Diagnostics> {
        let (mut text, mut diagnostics) = (Text::default(), Vec::new());
        for part in parts {
            let (result, node) = match part {
                Part::Literal(literal) => {
                    text.text.push_str(literal);
                    continue;
                }
                Part::Value(node) => (self.put_in(node, &mut text), node),
                Part::If(choice) => (self.choice(choice, &mut text), &choice.condition),
                Part::For(repeat) => (self.repeat(repeat, &mut text), &repeat.intro.collection),
            };
            diagnostics.extend(result.err().unwrap_or_default());
            if text.text.len() > MOST_TEXT {
                return Err(vec![self.error(node, too_long())]);
            }
        }
        if diagnostics.is_empty() { Ok(text) } else { Err(diagnostics) }
    }

    fn put_in(&self, node: &Node, text: &mut Text) -> Result<(), Diagnostics> {
        let value = self.value(node)?;
        text.marks |= value.marks;
        if let Some(part) = value.as_str() {
            text.text.push_str(part);
            return Ok(());
        }
        if value.is_null() {
            let error = self.error(node, "`null` can't be put into text");
            return Err(vec![error.hint("`coalesce(…, \"\")` helps where it may be `null`")]);
        }
        match convert(value.into_owned(), &Type::String) {
            Ok(Value { data: Data::String(part), .. }) => text.text.push_str(&part),
            Ok(_) => text.unknown = true,
            Err(mismatch) => {
                let error = self.error(node, format!("this can't be put into text: {}", mismatch.reason));
                return Err(vec![error.hint("`jsonencode(…)` or `join(…)` makes text of it")]);
            }
        }
        Ok(())
    }

    fn choice(&self, choice: &IfDirective, text: &mut Text) -> Result<(), Diagnostics> {
        let condition = self.value(&choice.condition)?;
        text.marks |= condition.marks;
        let chosen = match self.truth(&choice.condition, &condition)? {
            Some(true) => self.text(&choice.yes)?,
            Some(false) => self.text(&choice.no)?,
            None => {
                let marks = self.text(&choice.yes)?.marks | self.text(&choice.no)?.marks;
                Text { unknown: true, marks, ..Text::default() }
            }
        };
        text.append(chosen);
        Ok(())
    }

    fn repeat(&self, repeat: &ForDirective, text: &mut Text) -> Result<(), Diagnostics> {
        let intro = &repeat.intro;
        let collection = self.value(&intro.collection)?;
        text.marks |= collection.marks;
        let Some(pairs) = self.pairs(&intro.collection, &collection)? else {
            text.unknown = true;
            return Ok(());
        };
        let key_name = intro.key.as_ref().map_or("", |name| &name.text);
        for (key, value) in pairs {
            let outer = Names::Bound { name: key_name, value: &key, outer: self.names };
            let names = Names::Bound { name: &intro.value.text, value, outer: &outer };
            text.append(Evaluator { names: &names, ..*self }.text(&repeat.parts)?);
            if text.text.len() > MOST_TEXT {
                break;
            }
        }
        Ok(())
    }
}

impl Text {
    fn append(&mut self, other: Text) {
        self.text.push_str(&other.text);
        self.marks |= other.marks;
        self.unknown |= other.unknown;
    }
}
