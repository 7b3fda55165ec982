//! Every place of an expression, moved.

use crate::source::Place;
use crate::tree::*;

/// Changes all places in an expression.
pub(super) fn relocate(node: &mut Node, locate: &dyn Fn(Place) -> Place) {
    Mover { locate }.node(node);
}

struct Mover<'a> {
    locate: &'a dyn Fn(Place) -> Place,
}

impl Mover<'_> {
    fn node(&self, node: &mut Node) {
        crate::stack::deeply(|| {
            node.place = (self.locate)(node.place);
            self.kind(&mut node.kind);
        });
    }

    fn kind(&self, kind: &mut Kind) {
        match kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Name(_) => {}
            Kind::Template(parts) => self.parts(parts),
            Kind::Tuple(items) => self.nodes(items),
            Kind::Object(members) => members.iter_mut().for_each(|member| {
                self.node(&mut member.key);
                self.node(&mut member.value);
            }),
            Kind::Parentheses(inner) => self.node(inner),
            Kind::Traversal(traversal) => self.traversal(traversal),
            Kind::Call(call) => {
                self.name(&mut call.name);
                call.parentheses = (self.locate)(call.parentheses);
                self.nodes(&mut call.arguments);
            }
            Kind::Conditional(choice) => {
                [&mut choice.condition, &mut choice.yes, &mut choice.no].into_iter().for_each(|node| self.node(node));
            }
            Kind::Unary(operation) => self.node(&mut operation.operand),
            Kind::Binary(operation) => {
                self.node(&mut operation.left);
                self.node(&mut operation.right);
            }
            Kind::For(comprehension) => {
                self.intro(&mut comprehension.intro);
                self.nodes(&mut comprehension.key);
                self.node(&mut comprehension.value);
                self.nodes(&mut comprehension.condition);
            }
        }
    }

    fn nodes<'n>(&self, nodes: impl IntoIterator<Item = &'n mut Node>) {
        nodes.into_iter().for_each(|node| self.node(node));
    }

    fn name(&self, name: &mut Name) {
        name.place = (self.locate)(name.place);
    }

    fn intro(&self, intro: &mut Intro) {
        intro.key.iter_mut().for_each(|name| self.name(name));
        self.name(&mut intro.value);
        self.node(&mut intro.collection);
    }

    fn traversal(&self, traversal: &mut Traversal) {
        self.node(&mut traversal.root);
        for step in &mut traversal.steps {
            step.place = (self.locate)(step.place);
            match &mut step.kind {
                StepKind::Index(index) => self.node(index),
                StepKind::Attribute(_) | StepKind::LegacyIndex(_) | StepKind::AttributeSplat | StepKind::FullSplat => {}
            }
        }
    }

    fn parts(&self, parts: &mut [Part]) {
        for part in parts {
            match part {
                Part::Literal(_) => {}
                Part::Value(node) => self.node(node),
                Part::If(choice) => {
                    self.node(&mut choice.condition);
                    self.parts(&mut choice.yes);
                    self.parts(&mut choice.no);
                }
                Part::For(repeat) => {
                    self.intro(&mut repeat.intro);
                    self.parts(&mut repeat.parts);
                }
            }
        }
    }
}
