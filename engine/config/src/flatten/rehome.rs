//! A module as it was written, as one of its instances.

use crate::expression::Expression;
use crate::module::*;

impl Module {
    /// Everything in it in this place.
    pub(crate) fn at_home(&self, home: &Home) -> Module {
        let scoped = |name: &Scoped| name.within(&home.path);
        Module {
            folder: self.folder.clone(),
            files: Vec::new(),
            settings: self.settings.clone(),
            variables: self.variables.iter().map(|(name, variable)| (name.clone(), variable.at_home(home))).collect(),
            locals: self.locals.iter().map(|(name, expression)| (scoped(name), expression.at_home(home))).collect(),
            outputs: self.outputs.iter().map(|(name, output)| (name.clone(), output.at_home(home))).collect(),
            checks: self.checks.iter().map(|(name, asserts)| (scoped(name), conditions(asserts, home))).collect(),
            moved: self.moved.iter().map(|moved| moved.at_home(home)).collect(),
            removed: self.removed.iter().map(|removed| removed.at_home(home)).collect(),
            calls: self.calls.iter().map(|(name, call)| (scoped(name), call.at_home(home))).collect(),
            providers: self.providers.clone(),
            objects: self
                .objects
                .iter()
                .map(|(address, block)| (address.within(&home.path), Box::new(block.at_home(home))))
                .collect(),
            ..Module::default()
        }
    }
}

impl Moved {
    fn at_home(&self, home: &Home) -> Moved {
        Moved { from: self.from.within(&home.path), to: self.to.within(&home.path), span: self.span.clone() }
    }
}

impl Removed {
    fn at_home(&self, home: &Home) -> Removed {
        Removed { from: self.from.within(&home.path), ..self.clone() }
    }
}

impl Variable {
    fn at_home(&self, home: &Home) -> Variable {
        Variable { validations: conditions(&self.validations, home), ..self.clone() }
    }
}

impl Output {
    fn at_home(&self, home: &Home) -> Output {
        Output {
            value: self.value.at_home(home),
            preconditions: conditions(&self.preconditions, home),
            depends_on: self.depends_on.at_home(home),
            ..self.clone()
        }
    }
}

impl Call {
    fn at_home(&self, home: &Home) -> Call {
        let argument = |argument: &BodyAttribute| BodyAttribute {
            expression: argument.expression.at_home(home),
            name_span: argument.name_span.clone(),
        };
        Call {
            repetition: self.repetition.at_home(home),
            depends_on: self.depends_on.at_home(home),
            arguments: self.arguments.iter().map(|(name, value)| (name.clone(), argument(value))).collect(),
            ..self.clone()
        }
    }
}

impl ObjectBlock {
    fn at_home(&self, home: &Home) -> ObjectBlock {
        ObjectBlock {
            address: self.address.within(&home.path),
            repetition: self.repetition.at_home(home),
            depends_on: self.depends_on.at_home(home),
            lifecycle: Lifecycle {
                preconditions: conditions(&self.lifecycle.preconditions, home),
                postconditions: conditions(&self.lifecycle.postconditions, home),
                replace_triggered_by: expressions(&self.lifecycle.replace_triggered_by, home),
                ..self.lifecycle.clone()
            },
            check: self.check.as_ref().map(|name| name.within(&home.path)),
            body: self.body.at_home(home),
            ..self.clone()
        }
    }
}

impl Repetition {
    fn at_home(&self, home: &Home) -> Repetition {
        match self {
            Repetition::Once => Repetition::Once,
            Repetition::Enabled(expression) => Repetition::Enabled(expression.at_home(home)),
            Repetition::Count(expression) => Repetition::Count(expression.at_home(home)),
            Repetition::ForEach(expression) => Repetition::ForEach(expression.at_home(home)),
        }
    }
}

impl Dependencies {
    fn at_home(&self, home: &Home) -> Dependencies {
        Dependencies {
            written: self.written.iter().map(|written| written.within(&home.path)).collect(),
            objects: self.objects.iter().map(|address| address.within(&home.path)).collect(),
        }
    }

    pub(super) fn extend(&mut self, more: &Dependencies) {
        self.written.extend(more.written.iter().cloned());
        self.objects.extend(more.objects.iter().cloned());
    }
}

impl Body {
    fn at_home(&self, home: &Home) -> Body {
        let attribute = |attribute: &BodyAttribute| BodyAttribute {
            expression: attribute.expression.at_home(home),
            ..attribute.clone()
        };
        let nested = |nested: &NestedBody| NestedBody { body: nested.body.at_home(home), ..nested.clone() };
        Body {
            attributes: self.attributes.iter().map(|(name, value)| (name.clone(), attribute(value))).collect(),
            blocks: self.blocks.iter().map(nested).collect(),
            span: self.span.clone(),
        }
    }
}

fn conditions(conditions: &[Condition], home: &Home) -> Vec<Condition> {
    let at_home =
        |one: &Condition| Condition { condition: one.condition.at_home(home), message: one.message.at_home(home) };
    conditions.iter().map(at_home).collect()
}

fn expressions(expressions: &[Expression], home: &Home) -> Vec<Expression> {
    expressions.iter().map(|expression| expression.at_home(home)).collect()
}
