//! `replace_triggered_by`: what must change so that an object is made anew.

use bimetal_model::{Address, BlockKind, Data, Diagnostic, Diagnostics, Key, Path, Step, Value};
use bimetal_syntax::{Kind, Node, StepKind};

use crate::evaluate::{Scope, evaluate};
use crate::expression::{Expression, Target, target};

/// What an object looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// A block, or one of its instances.
    pub address: Address,
    /// In the object; the root stands for all of it.
    pub path: Path,
}

impl Trigger {
    /// Whether it looks at this object.
    pub fn looks_at(&self, address: &Address) -> bool {
        self.address.whole() == address.whole() && (self.address.key.is_none() || self.address.key == address.key)
    }
}

/// What such an expression names, where `each` and `count` are set.
pub fn trigger(expression: &Expression, scope: &Scope) -> Result<Trigger, Diagnostics> {
    let no_trigger = || vec![no_trigger(expression)];
    let (address, steps) = named(&expression.node).ok_or_else(no_trigger)?;
    let mut trigger = Trigger { address: address.within(&expression.home().path), path: Path::root() };
    for (place, kind) in steps.into_iter().enumerate() {
        let step = match kind {
            StepKind::Attribute(name) => Some(Step::Attribute(name.to_string())),
            StepKind::LegacyIndex(number) => index(&Value::from((**number).clone())),
            StepKind::Index(node) => {
                let inner = Expression::new(&expression.file, (**node).clone()).at_home(expression.home());
                index(&evaluate(&inner, scope)?)
            }
            StepKind::AttributeSplat | StepKind::FullSplat => None,
        };
        match (place, step.ok_or_else(no_trigger)?) {
            (0, Step::Index(index)) => trigger.address = trigger.address.instance(Some(Key::Index(index.into()))),
            (0, Step::Key(name)) => trigger.address = trigger.address.instance(Some(Key::Name(name))),
            (_, step) => trigger.path = trigger.path.then(step),
        }
    }
    Ok(trigger)
}

/// The block that is named, which must be one of objects that can change, and the steps behind it.
fn named(node: &Node) -> Option<(Address, Vec<&StepKind>)> {
    let Kind::Traversal(traversal) = &node.kind else { return None };
    let Kind::Name(root) = &traversal.root.kind else { return None };
    let (Target::Object(address), taken) = target(root, &traversal.steps)? else { return None };
    let steps = traversal.steps.get(taken..).unwrap_or_default();
    let can_change = matches!(address.block, BlockKind::Machine | BlockKind::Resource | BlockKind::Service);
    can_change.then(|| (address, steps.iter().map(|step| &step.kind).collect()))
}

fn index(value: &Value) -> Option<Step> {
    match &value.data {
        Data::Number(number) => u32::try_from(number.to_u64()?).ok().map(Step::Index),
        Data::String(key) => Some(Step::Key(key.to_string())),
        _ => None,
    }
}

/// Says where something is no such expression, whatever its names stand for.
pub(crate) fn check(expression: &Expression) -> Option<Diagnostic> {
    let splat = |kind: &&StepKind| matches!(kind, StepKind::AttributeSplat | StepKind::FullSplat);
    let is_sound = named(&expression.node).is_some_and(|(_, steps)| !steps.iter().any(splat));
    (!is_sound).then(|| no_trigger(expression))
}

fn no_trigger(expression: &Expression) -> Diagnostic {
    Diagnostic::error("this names nothing that can be changed")
        .hint("name a machine, service or resource, an instance or an attribute of it: `docker_volume.data.driver`")
        .at(expression.span())
}
