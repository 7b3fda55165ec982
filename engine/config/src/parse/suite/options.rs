//! `plan_options`: how a run plans.

use std::fmt::Write as _;

use bimetal_model::{Diagnostic, Key, Selector};
use bimetal_syntax::{Kind, Node, StepKind};

use super::{Parser, word};
use crate::expression::Expression;
use crate::module::Body;
use crate::suite::{PlanMode, PlanOptions};

impl Parser<'_> {
    /// What a run wishes of its plan.
    pub(super) fn plan_options(&mut self, mut body: Body) -> PlanOptions {
        self.no_blocks(&body, "plan_options");
        let mut selectors = |name: &str| {
            let attribute = body.attributes.remove(name);
            attribute.map(|attribute| self.selectors(name, &attribute.expression)).unwrap_or_default()
        };
        let (targets, replace) = (selectors("target"), selectors("replace"));
        let mode = body.attributes.remove("mode").and_then(|attribute| self.plan_mode(&attribute.expression));
        let refresh = self.flag(&body, "refresh").unwrap_or(true);
        self.unsupported(&body, &["refresh", "mode", "target", "replace"]);
        PlanOptions { refresh, mode: mode.unwrap_or_default(), targets, replace }
    }

    fn plan_mode(&mut self, expression: &Expression) -> Option<PlanMode> {
        match word(expression) {
            Some("normal") => Some(PlanMode::Normal),
            Some("refresh-only") => Some(PlanMode::RefreshOnly),
            _ => {
                let error = Diagnostic::error("`mode` is `normal` or `refresh-only`").at(expression.span());
                self.diagnostics.push(error);
                None
            }
        }
    }

    fn selectors(&mut self, name: &str, expression: &Expression) -> Vec<Selector> {
        let Kind::Tuple(items) = &expression.node.kind else {
            let error = Diagnostic::error(format!("`{name}` is a list")).at(expression.span());
            self.diagnostics.push(error.hint(format!("write `{name} = [docker_volume.data]`")));
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items {
            match written(item).and_then(|text| text.parse().ok()) {
                Some(selector) => found.push(selector),
                None => {
                    let error = Diagnostic::error("this is no address").at(&expression.file.span(item.place));
                    let hint = "as `machine.docker.a`, `docker_volume.data[\"x\"]`, `service.web.replica[0]` or `module.net` are";
                    self.diagnostics.push(error.hint(hint));
                }
            }
        }
        found
    }
}

/// The address that a list's item says.
fn written(node: &Node) -> Option<String> {
    let traversal = match &node.kind {
        Kind::Text(text) => return Some(text.to_string()),
        Kind::Traversal(traversal) => traversal,
        _ => return None,
    };
    let Kind::Name(root) = &traversal.root.kind else { return None };
    let mut text = root.to_string();
    for step in &traversal.steps {
        let key = match &step.kind {
            StepKind::Attribute(name) => {
                let _ = write!(text, ".{name}");
                continue;
            }
            StepKind::LegacyIndex(number) => Key::Index(number.to_u64()?),
            StepKind::Index(index) => match &index.kind {
                Kind::Text(name) => Key::Name(name.to_string()),
                Kind::Number(number) => Key::Index(number.to_u64()?),
                _ => return None,
            },
            StepKind::AttributeSplat | StepKind::FullSplat => return None,
        };
        let _ = write!(text, "{key}");
    }
    Some(text)
}
