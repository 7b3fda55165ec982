//! The instances of a block; where they can't be known, who is to blame.

use bimetal_config::module::ObjectBlock;
use bimetal_config::{Expression, Instance, Unknown};
use bimetal_model::{Diagnostic, Diagnostics};

use super::Planner;

impl Planner<'_> {
    /// The instances of a block; `None` where they are not known, which is said.
    pub(super) fn instances(&mut self, block: &ObjectBlock) -> Option<Vec<Instance>> {
        let instances = bimetal_config::expand(&block.repetition, &self.values.scope);
        let expression = block.repetition.expression();
        let instances = instances.map_err(|said| match expression {
            Some(expression) => self.blamed(said, expression),
            None => said,
        });
        self.noted(instances.map_err(|said| said.into_iter().map(|diagnostic| diagnostic.of(&block.address)).collect()))
    }

    /// What an expression that must be known does not know, and what to do first.
    pub(super) fn blamed(&self, said: Diagnostics, expression: &Expression) -> Diagnostics {
        let unknown = bimetal_config::unknown(&self.desired.module, expression, &self.values.scope);
        let Some(first) = unknown.first() else { return said };
        let names: Vec<String> = unknown.iter().map(Unknown::to_string).collect();
        let verb = if names.len() == 1 { "is" } else { "are" };
        let because = format!("{} {verb} known only after apply", names.join(" and "));
        let hint = format!(
            "`bimetal apply -target={}` makes that first; or use what the configuration itself knows, as names, and let \
             only the values come from elsewhere",
            first.address
        );
        let blame = |diagnostic: Diagnostic| match diagnostic.span.as_ref() == Some(expression.span()) {
            true => diagnostic.because(because.clone()).hint(hint.clone()),
            false => diagnostic,
        };
        said.into_iter().map(blame).collect()
    }
}
