//! Templates: text with interpolations and directives.

use bimetal_model::convert::convert;
use bimetal_model::{Data, Diagnostics, Type, Value};
use hcl_edit::template::{Directive, Element, ForDirective, IfDirective, StringTemplate, Strip, Template};

use super::{Evaluator, Names};

/// What a template came to so far.
#[derive(Default)]
struct Text {
    text: String,
    sensitive: bool,
    unknown: bool,
    /// The next literal loses its leading white space.
    strip_next: bool,
}

impl Evaluator<'_> {
    /// `"${x}"` alone is `x`, whatever its type.
    pub(super) fn quoted(&self, template: &StringTemplate) -> Result<Value, Diagnostics> {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.value(&only.expr).map(|value| value.into_owned());
        }
        let elements: Vec<&Element> = template.iter().collect();
        self.text(&elements)
    }

    pub(super) fn heredoc(&self, template: &Template) -> Result<Value, Diagnostics> {
        let elements: Vec<&Element> = template.iter().collect();
        self.text(&elements)
    }

    /// A template file's text.
    pub(crate) fn template_text(&self, template: &Template) -> Result<Value, Diagnostics> {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.value(&only.expr).map(|value| value.into_owned());
        }
        self.heredoc(template)
    }

    fn text(&self, elements: &[&Element]) -> Result<Value, Diagnostics> {
        let mut text = Text::default();
        self.elements(elements, &mut text)?;
        let value = if text.unknown { Value::unknown(Type::String) } else { Value::from(text.text) };
        Ok(value.with_sensitivity(text.sensitive))
    }

    fn elements(&self, elements: &[&Element], text: &mut Text) -> Result<(), Diagnostics> {
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

    fn interpolation(&self, node: &hcl_edit::expr::Expression, text: &mut Text) -> Result<(), Diagnostics> {
        let value = self.value(node)?.into_owned();
        text.sensitive |= value.sensitive;
        if value.is_null() {
            return Err(vec![self.error(node, "`null` can't be put into text")]);
        }
        match convert(value, &Type::String) {
            Ok(Value { data: Data::String(part), .. }) => text.push(&part),
            Ok(_) => text.unknown = true,
            Err(mismatch) => {
                return Err(vec![
                    self.error(node, format!("this can't be put into text: {}", mismatch.reason))
                        .hint("`jsonencode(…)` or `join(…)` makes text of it"),
                ]);
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
        let condition = self.value(&choice.if_expr.cond_expr)?.into_owned();
        text.sensitive |= condition.sensitive;
        let decided = self.truth(&choice.if_expr.cond_expr, condition)?;
        text.before(choice.if_expr.strip);
        let mut yes = Text { strip_next: strips_after(choice.if_expr.strip), ..Text::default() };
        self.branch(&choice.if_expr.template, &mut yes)?;
        let mut no = Text::default();
        let closing = choice.endif_expr.strip;
        match &choice.else_expr {
            Some(other) => {
                yes.before(other.strip);
                no.strip_next = strips_after(other.strip);
                self.branch(&other.template, &mut no)?;
                no.before(closing);
            }
            None => yes.before(closing),
        }
        match decided {
            Some(true) => text.append(yes),
            Some(false) => text.append(no),
            None => text.unknown = true,
        }
        text.after(closing);
        Ok(())
    }

    fn branch(&self, template: &Template, text: &mut Text) -> Result<(), Diagnostics> {
        let elements: Vec<&Element> = template.iter().collect();
        self.elements(&elements, text)
    }

    fn repeat(&self, repeat: &ForDirective, text: &mut Text) -> Result<(), Diagnostics> {
        let intro = &repeat.for_expr;
        let collection = self.value(&intro.collection_expr)?.into_owned();
        text.sensitive |= collection.sensitive;
        text.before(intro.strip);
        let Some(pairs) = self.pairs(&intro.collection_expr, collection)? else {
            text.unknown = true;
            return Ok(());
        };
        let key_name = intro.key_var.as_ref().map_or("", |name| name.as_str());
        for (key, value) in pairs {
            let outer = Names::Bound { name: intro.value_var.as_str(), value, outer: self.names };
            let names = Names::Bound { name: key_name, value: key, outer: &outer };
            let inner = Evaluator { file: self.file, scope: self.scope, names: &names };
            let mut round = Text { strip_next: strips_after(intro.strip), ..Text::default() };
            inner.branch(&intro.template, &mut round)?;
            round.before(repeat.endfor_expr.strip);
            text.append(round);
        }
        text.after(repeat.endfor_expr.strip);
        Ok(())
    }
}

fn strips_after(strip: Strip) -> bool {
    matches!(strip, Strip::End | Strip::Both)
}

impl Text {
    fn literal(&mut self, literal: &str) {
        let literal = if std::mem::take(&mut self.strip_next) { literal.trim_start() } else { literal };
        self.text.push_str(literal);
    }

    fn push(&mut self, part: &str) {
        self.strip_next = false;
        self.text.push_str(part);
    }

    fn append(&mut self, other: Text) {
        self.text.push_str(&other.text);
        self.sensitive |= other.sensitive;
        self.unknown |= other.unknown;
        self.strip_next = false;
    }

    /// `${~ …`: what stands before loses its trailing white space.
    fn before(&mut self, strip: Strip) {
        if matches!(strip, Strip::Start | Strip::Both) {
            self.text.truncate(self.text.trim_end().len());
        }
    }

    /// `… ~}`: what follows loses its leading white space.
    fn after(&mut self, strip: Strip) {
        self.strip_next = strips_after(strip);
    }
}
