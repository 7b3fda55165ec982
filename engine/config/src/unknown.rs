//! What makes an expression unknown: attributes of objects that are made or changed first.

use std::collections::BTreeSet;
use std::fmt;

use bimetal_model::{Address, Value};

use crate::desired::Node;
use crate::evaluate::Scope;
use crate::explain::value_of;
use crate::expression::{Expression, Reference, Target};
use crate::module::Module;

/// An object, and what of it is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// The whole block.
    pub address: Address,
    /// As it is written: `docker_volume.data.id`.
    pub written: String,
    /// Its unknown attributes, where it is written as a whole.
    pub attributes: Vec<String>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.attributes[..] {
            [] => write!(f, "`{}`", self.written),
            attributes => {
                let names: Vec<String> = attributes.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "{} of `{}`", names.join(", "), self.written)
            }
        }
    }
}

/// What an expression does not know, through all locals, variables and outputs that stand between. Empty where all is known.
pub fn unknown(module: &Module, expression: &Expression, scope: &Scope) -> Vec<Unknown> {
    let (mut found, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![expression]);
    while let Some(expression) = open.pop() {
        for (reference, written) in expression.references().iter().zip(expression.written()) {
            match &reference.target {
                Target::Object(address) => found.extend(of_object(address, written, expression, scope)),
                Target::Variable(_) | Target::Local(_) | Target::Module(..) => {
                    let nodes = module.nodes_of(&reference.target);
                    let nodes: Vec<Node> = nodes.into_iter().filter(|node| seen.insert(node.clone())).collect();
                    open.extend(nodes.iter().flat_map(|node| module.expressions_of(node)));
                }
                Target::Each | Target::Count | Target::Path | Target::Workspace | Target::This => {}
            }
        }
    }
    found.into_iter().collect()
}

/// The longest part of what is written that has a value.
fn of_object(address: &Address, written: &Reference, expression: &Expression, scope: &Scope) -> Option<Unknown> {
    let text = expression.file.text.get(written.span.range.clone())?;
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let value = loop {
        match value_of(&text, expression, scope) {
            Some(value) => break value,
            None => text.truncate(text.rfind(['.', '['])?),
        }
    };
    if value.is_wholly_known() {
        return None;
    }
    let attributes = value.as_members().into_iter().flatten();
    let attributes = attributes.filter(|(_, value)| !Value::is_wholly_known(value)).map(|(name, _)| name.clone());
    let written = format!("{}{text}", address.module);
    Some(Unknown { address: address.clone(), written, attributes: attributes.collect() })
}
