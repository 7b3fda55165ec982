//! `import`: what exists already, and which objects of the configuration it is.

use bimetal_model::{Address, BlockKind, Data, Diagnostic, Diagnostics, Key, Value};
use bimetal_syntax::{Kind, Node, Step, StepKind};

use crate::evaluate::{Scope, evaluate};
use crate::expand::expand;
use crate::expression::Expression;
use crate::module::{Import, Point};

/// One object that is taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What it will be called.
    pub address: Address,
    /// What its provider knows it by.
    pub id: String,
}

impl Import {
    /// Everything that must be known: how many there are, what they are, and which instances they become.
    pub fn expressions(&self) -> Vec<Expression> {
        let own = self.repetition.expression().into_iter().chain([&self.id]).cloned();
        let nodes = steps(&self.to.node).into_iter().flat_map(|(_, steps)| steps).filter_map(index);
        own.chain(nodes.map(|node| self.part(node))).collect()
    }

    /// Whether it may be about an instance of this block.
    pub fn names(&self, block: &Address) -> bool {
        let Some(Point::Object(to)) = self.address(&|_| Ok(None)).ok().flatten() else { return false };
        let modules =
            |address: &Address| address.module.steps().iter().map(|step| step.name.clone()).collect::<Vec<_>>();
        (to.block, &to.ty, &to.name) == (block.block, &block.ty, &block.name) && modules(&to) == modules(block)
    }

    /// Where it leads, its indices as they are told.
    fn address(&self, key: &dyn Fn(&Node) -> Result<Option<Key>, Diagnostics>) -> Result<Option<Point>, Diagnostics> {
        let Some((root, steps)) = steps(&self.to.node) else { return Ok(None) };
        let mut text = root.to_owned();
        for step in steps {
            match &step.kind {
                StepKind::Attribute(name) => text += &format!(".{name}"),
                StepKind::LegacyIndex(number) => text += &format!("[{number}]"),
                StepKind::Index(node) => text += &key(node)?.map(|key| key.to_string()).unwrap_or_default(),
                StepKind::AttributeSplat | StepKind::FullSplat => return Ok(None),
            }
        }
        Ok(Point::parse(&text))
    }

    fn part(&self, node: &Node) -> Expression {
        Expression::new(&self.to.file, node.clone())
    }

    /// Says where `to` is no address of something that can be imported.
    pub(crate) fn check(&self) -> Option<Diagnostic> {
        let point = self.address(&|_| Ok(None)).ok().flatten();
        let can_be =
            matches!(point, Some(Point::Object(to)) if matches!(to.block, BlockKind::Machine | BlockKind::Resource));
        let error = || Diagnostic::error("this is no address of a machine or resource").at(self.to.span());
        (!can_be).then(|| error().hint("write `docker_volume.data`, or `docker_volume.data[\"a\"]` for one instance"))
    }
}

/// What an `import` block takes over, each of its instances.
pub fn claims(import: &Import, scope: &Scope) -> Result<Vec<Claim>, Diagnostics> {
    let instances = expand(&import.repetition, scope)?;
    let claim = |instance: crate::Instance| {
        let (each, count_index) = (instance.each, instance.count_index);
        let scope = Scope { each, count_index, ..scope.clone() };
        let id = evaluate(&import.id, &scope)?;
        let key = |node: &Node| {
            let part = import.part(node);
            let key = evaluate(&part, &scope)?;
            key_of(&key)
                .map(Some)
                .ok_or_else(|| vec![Diagnostic::error("this is no key of an instance").at(part.span())])
        };
        match import.address(&key)? {
            Some(Point::Object(address)) => Ok(Claim { address, id: id_text(&id, import)? }),
            Some(Point::Module(_)) | None => Err(import.check().into_iter().collect()),
        }
    };
    instances.into_iter().map(claim).collect()
}

fn id_text(id: &Value, import: &Import) -> Result<String, Diagnostics> {
    let wrong = |summary: &str, hint: &str| Err(vec![Diagnostic::error(summary).hint(hint).at(import.id.span())]);
    match &id.data {
        _ if id.marks.hide() => {
            wrong("an `id` is shown, and this is sensitive", "`nonsensitive(…)` says that it may be seen")
        }
        Data::Unknown(..) => {
            wrong("an `id` must be known before anything is made", "give it as a variable, or write it down")
        }
        Data::String(text) if !text.is_empty() => Ok(text.to_string()),
        Data::Number(number) => Ok(number.to_string()),
        _ => wrong("an `id` is a text", "it is what the provider knows the object by"),
    }
}

fn key_of(value: &Value) -> Option<Key> {
    match &value.data {
        Data::Number(number) => number.to_u64().map(Key::Index),
        Data::String(name) => Some(Key::Name(name.to_string())),
        _ => None,
    }
}

fn steps(node: &Node) -> Option<(&str, &[Step])> {
    match &node.kind {
        Kind::Traversal(traversal) => match &traversal.root.kind {
            Kind::Name(root) => Some((root, &traversal.steps)),
            _ => None,
        },
        _ => None,
    }
}

fn index(step: &Step) -> Option<&Node> {
    match &step.kind {
        StepKind::Index(node) => Some(node),
        _ => None,
    }
}
