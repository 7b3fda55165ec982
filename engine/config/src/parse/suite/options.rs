//! `plan_options`: how a run plans.

use bimetal_model::Diagnostic;

use super::{Parser, word};
use crate::module::Body;

/// What Terraform has, and plans here have not.
const MISSING: [(&str, &str); 2] = [
    ("target", "test a module with less in it: `module { source = \"./…\" }`"),
    ("replace", "an object is replaced where what can't be changed in place changes"),
];

impl Parser<'_> {
    /// Whether what exists is looked at before planning.
    pub(super) fn plan_options(&mut self, mut body: Body) -> bool {
        self.no_blocks(&body, "plan_options");
        for (name, hint) in MISSING {
            if let Some(attribute) = body.attributes.remove(name) {
                let error = Diagnostic::error(format!("plans have no `{name}`")).at(&attribute.name_span);
                self.diagnostics.push(error.hint(hint));
            }
        }
        if let Some(attribute) = body.attributes.remove("mode")
            && word(&attribute.expression) != Some("normal")
        {
            let error = Diagnostic::error("plans have no other mode than `normal`").at(attribute.expression.span());
            self.diagnostics.push(error.hint("take `mode` out; `refresh = false` believes the state"));
        }
        let refresh = self.flag(&body, "refresh").unwrap_or(true);
        self.unsupported(&body, &["refresh", "mode"]);
        refresh
    }
}
