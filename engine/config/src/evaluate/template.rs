//! Templates: text with interpolations and directives.

use std::borrow::Cow;

use bimetal_model::convert::convert;
use bimetal_model::{Data, Diagnostics, Type, Value};
use hcl_edit::expr::Expression as Node;
use hcl_edit::template::{Directive, Element, ForDirective, IfDirective, StringTemplate, Strip, Template};

use super::{Evaluated, Evaluator, Names};

/// What a template came to so far.
#[derive(Default)]
struct Text {
    text: String,
    sensitive: bool,
    unknown: bool,
    /// The next literal loses its leading white space.
    strip_next: bool,
    /// Where the literal begins that came last, if one did.
    literal: Option<usize>,
    /// In a heredoc a strip marker reaches to the end of its line, and not beyond.
    by_line: bool,
}

impl<'a> Evaluator<'a> {
    /// `"${x}"` alone is `x`, whatever its type.
    pub(super) fn quoted(&self, template: &StringTemplate) -> Evaluated<'a> {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.value(&only.expr);
        }
        self.text(template.iter(), Text::default()).map(Cow::Owned)
    }

    pub(super) fn heredoc(&self, template: &Template) -> Result<Value, Diagnostics> {
        self.text(template.iter(), Text { by_line: true, ..Text::default() })
    }

    /// A template file's text.
    pub(crate) fn template_file(&self, template: &Template) -> Evaluated<'a> {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.value(&only.expr);
        }
        self.text(template.iter(), Text::default()).map(Cow::Owned)
    }

    fn text<'n>(&self, elements: impl Iterator<Item = &'n Element>, mut text: Text) -> Result<Value, Diagnostics> {
        self.elements(elements, &mut text)?;
        let value = if text.unknown { Value::unknown(Type::String) } else { Value::from(text.text) };
        Ok(value.with_sensitivity(text.sensitive))
    }

    fn elements<'n>(&self, elements: impl Iterator<Item = &'n Element>, text: &mut Text) -> Result<(), Diagnostics> {
        let mut diagnostics = Vec::new();
        for element in elements {
            let result = match element {
                Element::Literal(literal) => {
                    text.literal(literal.as_str());
                    Ok(())
                }
                Element::Interpolation(interpolation) => {
                    text.before(interpolation.strip);
                    let result = self.interpolation(&interpolation.expr, text);
                    text.after(interpolation.strip);
                    result
                }
                Element::Directive(directive) => self.directive(directive, text),
            };
            diagnostics.extend(result.err().unwrap_or_default());
        }
        if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
    }

    fn interpolation(&self, node: &Node, text: &mut Text) -> Result<(), Diagnostics> {
        let value = self.value(node)?;
        text.sensitive |= value.sensitive;
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
            Ok(_) => text.leave_open(),
            Err(mismatch) => {
                let error = self.error(node, format!("this can't be put into text: {}", mismatch.reason));
                return Err(vec![error.hint("`jsonencode(…)` or `join(…)` makes text of it")]);
            }
        }
        Ok(())
    }

    fn directive(&self, directive: &Directive, text: &mut Text) -> Result<(), Diagnostics> {
        match directive {
            Directive::If(choice) => self.choice(choice, text),
            Directive::For(repeat) => self.repeat(repeat, text),
        }
    }

    fn choice(&self, choice: &IfDirective, text: &mut Text) -> Result<(), Diagnostics> {
        let condition = self.value(&choice.if_expr.cond_expr)?;
        text.sensitive |= condition.sensitive;
        text.before(choice.if_expr.strip);
        let closing = choice.endif_expr.strip;
        let middle = choice.else_expr.as_ref().map_or(closing, |other| other.strip);
        let yes = || self.branch(&choice.if_expr.template, choice.if_expr.strip, middle, text.by_line);
        let no = || match &choice.else_expr {
            Some(other) => self.branch(&other.template, other.strip, closing, text.by_line),
            None => Ok(Text::default()),
        };
        let chosen = match self.truth(&choice.if_expr.cond_expr, &condition)? {
            Some(true) => yes()?,
            Some(false) => no()?,
            None => Text { unknown: true, sensitive: yes()?.sensitive | no()?.sensitive, ..Text::default() },
        };
        text.append(chosen);
        text.after(closing);
        Ok(())
    }

    /// What stands between two directives.
    fn branch(&self, template: &Template, opening: Strip, closing: Strip, by_line: bool) -> Result<Text, Diagnostics> {
        let mut text = Text { strip_next: strips_after(opening), by_line, ..Text::default() };
        self.elements(template.iter(), &mut text)?;
        text.before(closing);
        Ok(text)
    }

    fn repeat(&self, repeat: &ForDirective, text: &mut Text) -> Result<(), Diagnostics> {
        let intro = &repeat.for_expr;
        let closing = repeat.endfor_expr.strip;
        let collection = self.value(&intro.collection_expr)?;
        text.sensitive |= collection.sensitive;
        text.before(intro.strip);
        let key_name = intro.key_var.as_ref().map_or("", |name| name.as_str());
        match self.pairs(&intro.collection_expr, &collection)? {
            None => text.leave_open(),
            Some(pairs) => {
                for (key, value) in pairs {
                    let outer = Names::Bound { name: key_name, value: &key, outer: self.names };
                    let names = Names::Bound { name: intro.value_var.as_str(), value, outer: &outer };
                    let inner = Evaluator { names: &names, ..*self };
                    text.append(inner.branch(&intro.template, intro.strip, closing, text.by_line)?);
                }
            }
        }
        text.after(closing);
        Ok(())
    }
}

fn strips_after(strip: Strip) -> bool {
    matches!(strip, Strip::End | Strip::Both)
}

impl Text {
    fn literal(&mut self, literal: &str) {
        self.literal = Some(self.text.len());
        let end = match (std::mem::take(&mut self.strip_next), self.by_line) {
            (false, _) => 0,
            (true, false) => literal.len(),
            (true, true) => literal.find('\n').map_or(literal.len(), |newline| newline + 1),
        };
        let (stripped, rest) = literal.split_at(end);
        self.text.push_str(stripped.trim_start());
        self.text.push_str(rest);
    }

    fn push(&mut self, part: &str) {
        (self.strip_next, self.literal) = (false, None);
        self.text.push_str(part);
    }

    /// Something here is known only after apply.
    fn leave_open(&mut self) {
        (self.strip_next, self.literal, self.unknown) = (false, None, true);
    }

    fn append(&mut self, other: Text) {
        self.push(&other.text);
        self.sensitive |= other.sensitive;
        self.unknown |= other.unknown;
    }

    /// `${~ …`: the literal before loses its trailing white space.
    fn before(&mut self, strip: Strip) {
        if !matches!(strip, Strip::Start | Strip::Both) {
            return;
        }
        let Some(mut start) = self.literal else { return };
        if self.by_line {
            let line = self.text[start..].strip_suffix('\n').unwrap_or(&self.text[start..]);
            start += line.rfind('\n').map_or(0, |newline| newline + 1);
        }
        self.text.truncate(start + self.text[start..].trim_end().len());
    }

    /// `… ~}`: what follows loses its leading white space.
    fn after(&mut self, strip: Strip) {
        self.strip_next = strips_after(strip);
    }
}
