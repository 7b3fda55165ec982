//! What must be known before there is a plan: how many instances a module has.

use bimetal_model::{Diagnostic, Diagnostics};

use super::Flattener;
use crate::derive::{derive, is_derived};
use crate::desired::Node;
use crate::expression::{Expression, Reference, Target};

impl Flattener {
    /// Works out all that an expression refers to.
    pub(super) fn prepare(&mut self, expression: &Expression) -> Result<(), Diagnostics> {
        for reference in expression.references() {
            bimetal_syntax::deeply(|| self.reference(&reference))?;
        }
        Ok(())
    }

    fn reference(&mut self, reference: &Reference) -> Result<(), Diagnostics> {
        match &reference.target {
            Target::Variable(name) => self.node(Node::Variable(name.clone()), reference),
            Target::Local(name) => self.node(Node::Local(name.clone()), reference),
            Target::Module(name, output) => {
                self.call(name);
                for node in self.module.outputs_of(name, output.as_deref()) {
                    self.node(node, reference)?;
                }
                Ok(())
            }
            Target::Object(address) => {
                let error = Diagnostic::error("how many instances a module has can't depend on objects");
                let error = error.because(format!("`{address}` is known only while planning"));
                let hint = "use variables and locals here, or put `count` or `for_each` on the blocks in the module";
                Err(vec![error.at(&reference.span).hint(hint)])
            }
            Target::Each | Target::Count | Target::Path | Target::This => Ok(()),
        }
    }

    fn node(&mut self, node: Node, reference: &Reference) -> Result<(), Diagnostics> {
        if !is_derived(&node) || self.derived.contains(&node) {
            return Ok(());
        }
        if !self.open.insert(node.clone()) {
            let error = Diagnostic::error(format!("`{node}` depends on itself")).at(&reference.span);
            return Err(vec![error]);
        }
        let expressions: Vec<Expression> = self.module.expressions_of(&node).into_iter().cloned().collect();
        let prepared = expressions.iter().try_for_each(|expression| self.prepare(expression));
        self.open.remove(&node);
        prepared?;
        derive(&self.module, &node, &mut self.scope)?;
        self.derived.insert(node);
        Ok(())
    }
}
