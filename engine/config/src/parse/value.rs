//! `variable`, `locals`, `output` and `check`: what has a value, and what must hold of it.

use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, Span, Type, Value};

use super::Parser;
use crate::evaluate::{Outside, Scope, literal};
use crate::expression::Expression;
use crate::module::*;
use crate::types::{Constraint, parse_type};
use crate::variables::fitted;

/// Names that a `module` block has a use of its own for: no variable can be given a value by them.
const RESERVED: [&str; 8] =
    ["source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"];

impl Parser<'_> {
    pub(super) fn locals(&mut self, body: Body) {
        self.no_blocks(&body, "locals");
        for (name, attribute) in body.attributes {
            if self.first(format!("local `{name}`"), &attribute.name_span) {
                self.module.locals.insert(Scoped::root(name), attribute.expression);
            }
        }
    }

    pub(super) fn variable(&mut self, name: &str, mut body: Body, span: Span) {
        if !self.first(format!("variable `{name}`"), &span) {
            return;
        }
        if RESERVED.contains(&name) {
            let reserved = format!("the name `{name}` is reserved, due to its meaning inside `module` blocks");
            self.diagnostics.push(Diagnostic::error(reserved).at(&span).hint("give the variable another name"));
        }
        let Constraint { ty, defaults } = self.constraint(&body);
        let is_simple = matches!(ty, Type::String | Type::Number | Type::Bool);
        let validations = self.conditions(&mut body, "validation", "variable");
        let mut variable = Variable {
            ty,
            defaults,
            takes_text: is_simple || !body.attributes.contains_key("type"),
            default: None,
            description: self.text(&body, "description"),
            sensitive: self.flag(&body, "sensitive").unwrap_or(false),
            ephemeral: self.flag(&body, "ephemeral").unwrap_or(false),
            nullable: self.flag(&body, "nullable").unwrap_or(true),
            validations,
            span,
        };
        if let Some(default) = body.attributes.get("default") {
            let value = default_of(name, &variable, &default.expression);
            let value = value.unwrap_or_else(|errors| {
                self.diagnostics.extend(errors);
                Value::unknown(variable.ty.clone())
            });
            variable.default = Some(value);
        }
        self.unsupported(&body, &["type", "default", "description", "sensitive", "ephemeral", "nullable"]);
        self.module.variables.insert(name.to_owned(), variable);
    }

    /// What the argument `type` says.
    fn constraint(&mut self, body: &Body) -> Constraint {
        let constraint = body.attributes.get("type").map(|attribute| parse_type(&attribute.expression));
        match constraint {
            Some(Ok(constraint)) => constraint,
            Some(Err(errors)) => {
                self.diagnostics.extend(errors);
                Constraint::default()
            }
            None => Constraint::default(),
        }
    }

    pub(super) fn output(&mut self, name: &str, body: &mut Body, span: Span) {
        if !self.first(format!("output `{name}`"), &span) {
            return;
        }
        let depends_on = self.depends_on(body);
        let description = self.text(body, "description");
        let sensitive = self.flag(body, "sensitive").unwrap_or(false);
        let ephemeral = self.flag(body, "ephemeral").unwrap_or(false);
        self.unsupported(body, &["value", "description", "sensitive", "ephemeral"]);
        if ephemeral && self.folder.is_empty() {
            let error = Diagnostic::error("an output of the root module is stored, and can't be ephemeral").at(&span);
            self.diagnostics.push(error.hint("`ephemeral = true` is for outputs of modules that are called"));
        }
        let preconditions = self.conditions(body, "precondition", "output");
        let Some(value) = body.attributes.get("value").map(|attribute| attribute.expression.clone()) else {
            return self.diagnostics.push(Diagnostic::error("`value` is missing").at(&span));
        };
        let output = Output { value, description, sensitive, ephemeral, preconditions, depends_on, span };
        self.module.outputs.insert(name.to_owned(), output);
    }

    pub(super) fn check(&mut self, name: &str, mut body: Body, span: Span) {
        if !self.first(format!("check `{name}`"), &span) {
            return;
        }
        self.unsupported(&body, &[]);
        let (data, others) = std::mem::take(&mut body.blocks).into_iter().partition(|block| block.name == "data");
        body.blocks = others;
        self.data_of_check(name, data);
        let is_without = body.blocks.iter().all(|block| block.name != "assert");
        let asserts = self.conditions(&mut body, "assert", "check");
        if is_without {
            let error = Diagnostic::error("a check needs an `assert` block").at(&span);
            self.diagnostics.push(error.hint("write `assert { condition = …, error_message = … }` over several lines"));
        }
        self.module.checks.insert(Scoped::root(name), asserts);
    }

    /// What is read for a check alone.
    fn data_of_check(&mut self, check: &str, blocks: Vec<NestedBody>) {
        for block in blocks {
            let [ty, name] = &block.labels[..] else {
                let error = Diagnostic::error(format!("`data` takes 2 labels, here are {}", block.labels.len()));
                self.diagnostics.push(error.hint("write `data \"<type>\" \"<name>\" { … }`").at(&block.span));
                continue;
            };
            let repeated = ["count", "for_each", "enabled"].iter().find_map(|word| block.body.attributes.get(*word));
            if let Some(attribute) = repeated {
                let error = Diagnostic::error("what a check reads is read once").at(&attribute.name_span);
                self.diagnostics.push(error.hint("write the block outside of the check, or one for each"));
                continue;
            }
            let address = Address::new(BlockKind::Data, ty, name);
            self.object(address.clone(), block.body, block.span);
            if let Some(object) = self.module.objects.get_mut(&address) {
                object.check = Some(Scoped::root(check));
            }
        }
    }

    /// Blocks of this name, and no others.
    pub(super) fn conditions(&mut self, body: &mut Body, name: &str, around: &str) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for block in std::mem::take(&mut body.blocks) {
            if block.name == name {
                conditions.extend(self.condition(block));
                continue;
            }
            let error = Diagnostic::error(format!("`{}` does not belong into `{around}`", block.name)).at(&block.span);
            self.diagnostics.push(error.hint(format!("there is `{name} {{ … }}`")));
        }
        conditions
    }

    pub(super) fn condition(&mut self, block: NestedBody) -> Option<Condition> {
        self.unsupported(&block.body, &["condition", "error_message"]);
        self.no_blocks(&block.body, &block.name);
        let mut take = |name: &str| {
            let found = block.body.attributes.get(name).map(|attribute| attribute.expression.clone());
            if found.is_none() {
                self.diagnostics.push(Diagnostic::error(format!("`{name}` is missing")).at(&block.span));
            }
            found
        };
        let (condition, message) = (take("condition"), take("error_message"));
        Some(Condition { condition: condition?, message: message? })
    }
}

/// What a variable is where nothing else is said: nothing stands for anything in it.
fn default_of(name: &str, variable: &Variable, expression: &Expression) -> Result<Value, Diagnostics> {
    let value = literal(expression, &Scope::new(Outside::default()))?;
    if value.is_null() && !variable.nullable {
        let error = Diagnostic::error(format!("the variable `{name}` can't be `null`")).at(expression.span());
        return Err(vec![error.hint("take out `nullable = false`, or this default")]);
    }
    fitted(name, variable, value).map_err(|error| vec![error.at(expression.span())])
}
