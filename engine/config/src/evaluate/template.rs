//! Text with something put into it.

use std::borrow::Cow;

use bimetal_model::convert::convert;
use bimetal_model::{Data, Diagnostics, Refinement, Type, Value, ValueMarks};
use bimetal_syntax::{ForDirective, IfDirective, Node, Part};

use super::{Evaluated, Evaluator, Names};
use crate::size::{MOST_TEXT, too_long};

/// What a template came to so far.
#[derive(Default)]
struct Text {
    /// All of it, or its beginning.
    text: String,
    marks: ValueMarks,
    /// What follows is not known yet.
    unknown: bool,
}

impl<'a> Evaluator<'a> {
    /// `"${x}"` alone is `x`, whatever its type.
    pub(super) fn template(&self, parts: &[Part]) -> Evaluated<'a> {
        if let [Part::Value(only)] = parts {
            return self.value(only);
        }
        Ok(Cow::Owned(self.text(parts)?.into_value()))
    }

    fn text(&self, parts: &[Part]) -> Result<Text, Diagnostics> {
        let (mut text, mut diagnostics) = (Text::default(), Vec::new());
        for part in parts {
            let (result, node) = match part {
                Part::Literal(literal) => {
                    text.push(literal);
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
            text.push(part);
            return Ok(());
        }
        if value.is_null() {
            let error = self.error(node, "`null` can't be put into text");
            return Err(vec![error.hint("`coalesce(…, \"\")` helps where it may be `null`")]);
        }
        match convert(value.into_owned(), &Type::String) {
            Ok(Value { data: Data::String(part), .. }) => text.push(&part),
            Ok(later) => {
                text.push(later.refinement().prefix());
                text.unknown = true;
            }
            Err(mismatch) => {
                let error = self.error(node, format!("this can't be put into text: {}", mismatch.reason));
                return Err(vec![error.hint("`jsonencode(…)` or `join(…)` makes text of it")]);
            }
        }
        Ok(())
    }

    /// As in a conditional, what is sensitive in one side makes the other so, and what is wrong with a side is said once it is chosen.
    fn choice(&self, choice: &IfDirective, text: &mut Text) -> Result<(), Diagnostics> {
        let condition = self.value(&choice.condition)?;
        let (yes, no) = (self.text(&choice.yes), self.text(&choice.no));
        let marks_of = |side: &Result<Text, Diagnostics>| side.as_ref().map_or(ValueMarks::NONE, |text| text.marks);
        text.marks |= condition.marks | marks_of(&yes) | marks_of(&no);
        text.append(match self.truth(&choice.condition, &condition)? {
            Some(true) => yes?,
            Some(false) => no?,
            None => Text::of_either(yes.ok(), no.ok()),
        });
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
    fn into_value(self) -> Value {
        let value = match self.unknown {
            true => Value::refined(Type::String, Refinement::beginning_with(&self.text)),
            false => Value::from(self.text),
        };
        value.with_marks(self.marks)
    }

    /// Where it is not known which of two follows.
    fn of_either(yes: Option<Text>, no: Option<Text>) -> Text {
        let (Some(yes), Some(no)) = (yes, no) else { return Text { unknown: true, ..Text::default() } };
        let same = yes.text.chars().zip(no.text.chars()).take_while(|(one, other)| one == other);
        Text { text: same.map(|(c, _)| c).collect(), marks: yes.marks | no.marks, unknown: true }
    }

    fn push(&mut self, part: &str) {
        if !self.unknown {
            self.text.push_str(part);
        }
    }

    fn append(&mut self, other: Text) {
        self.push(&other.text);
        self.marks |= other.marks;
        self.unknown |= other.unknown;
    }
}
