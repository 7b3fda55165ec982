//! Values that follow from others: locals, the variables of modules that are called, and their outputs.

use std::sync::Arc;

use bimetal_model::{Diagnostic, Diagnostics, Value};

use crate::condition::unmet;
use crate::desired::Node;
use crate::evaluate::{Scope, evaluate};
use crate::module::{Input, Module, Output, Scoped};
use crate::variables::{checked, validate};

/// Whether a node has no value of its own, but one that follows from others by expressions alone.
pub fn is_derived(node: &Node) -> bool {
    match node {
        Node::Local(_) => true,
        Node::Variable(name) | Node::Output(name) => !name.module.is_root(),
        Node::Provider(_) | Node::Object(_) => false,
    }
}

/// Works such a node out and puts it into the scope, where all that it follows from must be. Of other nodes nothing is known.
pub fn derive(module: &Module, node: &Node, scope: &mut Scope) -> Result<(), Diagnostics> {
    match node {
        Node::Local(name) => {
            let Some(expression) = module.locals.get(name) else { return Ok(()) };
            let value = evaluate(expression, scope)?;
            Arc::make_mut(&mut scope.locals).insert(name.clone(), value);
        }
        Node::Variable(name) => {
            let Some(input) = module.inputs.get(name) else { return Ok(()) };
            derive_input(name, input, scope)?;
        }
        Node::Output(name) => {
            let Some(output) = module.results.get(name) else { return Ok(()) };
            let said = unmet(&output.preconditions, "a precondition does not hold", scope);
            if !said.is_empty() {
                return Err(said);
            }
            let value = evaluate(&output.value, scope)?;
            if value.has_ephemeral() && !output.ephemeral {
                return Err(vec![lasting(&name.name, output)]);
            }
            let value = value.with_marks(output.marks());
            Arc::make_mut(&mut scope.results).insert(name.clone(), value);
        }
        Node::Provider(_) | Node::Object(_) => {}
    }
    Ok(())
}

/// An output that would make something last that must not.
pub fn lasting(name: &str, output: &Output) -> Diagnostic {
    let error = Diagnostic::error(format!("output `{name}` has something ephemeral")).at(output.value.span());
    match output.value.home().path.is_root() {
        true => error.because("it is stored").hint("`ephemeralasnull(…)` leaves out what must not last"),
        false => error.hint("write `ephemeral = true` in the output, or `ephemeralasnull(…)` here"),
    }
}

fn derive_input(name: &Scoped, input: &Input, scope: &mut Scope) -> Result<(), Diagnostics> {
    let mut diagnostics = Vec::new();
    let raw = match &input.given {
        Some(expression) => {
            let (each, count_index) = (input.instance.each.clone(), input.instance.count_index);
            Some(evaluate(expression, &Scope { each, count_index, ..scope.clone() })?)
        }
        None => None,
    };
    let variable = &input.variable;
    let value = match (&raw, &variable.default) {
        // That it is missing was said where the module is called.
        (None, None) => Value::unknown(variable.ty.clone()),
        _ => {
            let span = input.given.as_ref().map_or(&variable.span, |expression| expression.span());
            checked(&name.name, variable, raw, span, &mut diagnostics)
        }
    };
    Arc::make_mut(&mut scope.inputs).insert(name.clone(), value);
    validate(&name.name, variable, scope, &mut diagnostics);
    if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
}
