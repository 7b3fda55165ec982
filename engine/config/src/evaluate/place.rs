//! Where an argument begins, as Terraform sees it: what is said of one points there.

use bimetal_syntax::{Kind, Node, Part, Place, Step, StepKind, Traversal};

use super::Evaluator;

impl Evaluator<'_> {
    /// From where the argument begins to its end; of text without its quotation marks.
    pub(super) fn start_of(&self, node: &Node) -> Place {
        let start = self.start(node);
        let is_text = matches!(node.kind, Kind::Text(_) | Kind::Template(_)) && start > node.place.start;
        let end = if is_text && self.written(node).ends_with('"') { node.place.end - 1 } else { node.place.end };
        Place { start, end: end.max(start) }
    }

    fn written(&self, node: &Node) -> &str {
        self.file.text.get(std::ops::Range::from(node.place)).unwrap_or_default()
    }

    fn start(&self, node: &Node) -> u32 {
        match &node.kind {
            Kind::Text(_) => self.inside(node),
            Kind::Template(parts) => match &parts[..] {
                [Part::Value(_)] | [] => node.place.start,
                [Part::Literal(_), ..] => self.inside(node),
                [Part::Value(first), ..] => self.start(first),
                [Part::If(choice), ..] => self.start(&choice.condition),
                [Part::For(_), ..] => self.inside(node),
            },
            Kind::Parentheses(inner) => self.start(inner),
            Kind::Conditional(conditional) => self.start(&conditional.condition),
            Kind::Binary(operation) => self.start(&operation.left),
            Kind::Traversal(traversal) => start_of_way(traversal, node),
            Kind::Null
            | Kind::Bool(_)
            | Kind::Number(_)
            | Kind::Tuple(_)
            | Kind::Object(_)
            | Kind::Name(_)
            | Kind::Call(_)
            | Kind::Unary(_)
            | Kind::For(_) => node.place.start,
        }
    }

    /// Behind the quotation mark, or on the first line of a heredoc.
    fn inside(&self, node: &Node) -> u32 {
        let written = self.written(node);
        let skipped = match written.starts_with("<<") {
            true => written.find('\n').map_or(0, |end| end + 1),
            false => usize::from(written.starts_with('"')),
        };
        node.place.start + u32::try_from(skipped).unwrap_or(0)
    }
}

/// A way begins at its root, unless its last step is worked out, or goes over all: then it begins with that step.
fn start_of_way(traversal: &Traversal, node: &Node) -> u32 {
    let mut steps = traversal.steps.iter();
    let mut start = node.place.start;
    while let Some(step) = steps.next() {
        start = match &step.kind {
            StepKind::FullSplat => return step.place.start,
            StepKind::AttributeSplat => {
                let is_taken = |step: &&Step| matches!(step.kind, StepKind::Attribute(_) | StepKind::LegacyIndex(_));
                let behind = steps.as_slice().iter().take_while(is_taken).count();
                steps = steps.as_slice().get(behind..).unwrap_or_default().iter();
                step.place.start
            }
            StepKind::Index(key) if !is_literal(key) => step.place.start,
            StepKind::Index(_) | StepKind::Attribute(_) | StepKind::LegacyIndex(_) => node.place.start,
        };
    }
    start
}

fn is_literal(key: &Node) -> bool {
    matches!(key.kind, Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_))
}
