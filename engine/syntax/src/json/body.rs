//! JSON values as bodies: which member is a block and which an argument.

use bimetal_model::{Diagnostic, Diagnostics};

use super::read::{Kind, Member, Value};
use super::{BlockShape, Others, Reading, Shape};
use crate::source::{Place, SourceFile};
use crate::tree::{Attribute, Block, Body, Item, Name};

/// A member of a body that is nothing but a remark.
const COMMENT: &str = "//";

pub(super) struct Shaper<'a> {
    pub(super) file: &'a SourceFile,
    pub(super) diagnostics: &'a mut Diagnostics,
}

impl Shaper<'_> {
    pub(super) fn fail(&mut self, error: Diagnostic, place: Place) {
        self.diagnostics.push(error.at(&self.file.span(place)));
    }

    /// A file is an object, or several in an array that are read as one.
    pub(super) fn root(&mut self, value: Value, shape: &'static Shape) -> Body {
        let mut body = Body::default();
        let values = match value.kind {
            Kind::Array(items) => items,
            _ => vec![value],
        };
        for value in values {
            match value.kind {
                Kind::Object(members) => self.shaped(members, shape, &mut body),
                Kind::Broken => {}
                _ => self.fail(Diagnostic::error("a file is one object").hint("write `{ … }`"), value.place),
            }
        }
        body
    }

    fn shaped(&mut self, members: Vec<Member>, shape: &'static Shape, body: &mut Body) {
        for Member { key, value } in members.into_iter().filter(|member| member.key.value != COMMENT) {
            let name = Name { text: key.value.as_str().into(), place: key.place };
            match (shape.block(&key.value), shape.others) {
                (Some(block), _) => self.blocks(Path { block, word: name, labels: Vec::new() }, value, body),
                (None, Others::Undecided(inside)) if holds_block(&value, inside) => {
                    let block = BlockShape { word: "", labels: 0, inside };
                    self.blocks(Path { block: &block, word: name, labels: Vec::new() }, value, body);
                }
                (None, Others::Blocks) => {
                    body.items.push(Item::Block(Block { word: name, labels: Vec::new(), body: Body::default() }));
                }
                (None, Others::Arguments | Others::Undecided(_)) => {
                    let value = self.expression(value, shape.reading_of(&key.value));
                    body.items.extend(value.map(|value| Item::Attribute(Attribute { name, value })));
                }
            }
        }
    }

    /// Labels are objects within each other; what is in them is one block, or an array of some.
    fn blocks(&mut self, path: Path<'_>, value: Value, body: &mut Body) {
        if path.labels.len() < path.block.labels {
            return self.labelled(path, value, body);
        }
        match value.kind {
            Kind::Null | Kind::Broken => {}
            Kind::Object(members) => self.one(&path, path.place(), members, body),
            Kind::Array(items) => items.into_iter().for_each(|item| match item.kind {
                Kind::Object(members) => {
                    let brace = Place { end: item.place.start + 1, ..item.place };
                    self.one(&path, brace, members, body);
                }
                Kind::Broken => {}
                _ => self.fail(path.wanted(), item.place),
            }),
            Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => self.fail(path.wanted(), value.place),
        }
    }

    fn one(&mut self, path: &Path<'_>, place: Place, members: Vec<Member>, body: &mut Body) {
        let mut inner = Body::default();
        self.shaped(members, path.block.inside, &mut inner);
        let word = Name { text: path.word.text.clone(), place };
        // All of a header is where the innermost word is: the others may be far away.
        let labels = path.labels.iter().map(|label| Name { place, ..label.clone() }).collect();
        body.items.push(Item::Block(Block { word, labels, body: inner }));
    }

    fn labelled(&mut self, path: Path<'_>, value: Value, body: &mut Body) {
        let place = value.place;
        let objects = match value.kind {
            Kind::Array(items) => items,
            _ => vec![value],
        };
        let before = (body.items.len(), self.diagnostics.len());
        let mut is_empty = true;
        for object in objects {
            let members = match object.kind {
                Kind::Object(members) => members,
                Kind::Broken | Kind::Null => continue,
                _ => {
                    self.fail(path.wanted(), object.place);
                    continue;
                }
            };
            for Member { key, value } in members {
                is_empty = false;
                let label = Name { text: key.value.as_str().into(), place: key.place };
                let labels = path.labels.iter().cloned().chain([label]).collect();
                self.blocks(Path { labels, word: path.word.clone(), ..path }, value, body);
            }
        }
        if is_empty && before == (body.items.len(), self.diagnostics.len()) {
            self.fail(path.wanted(), place);
        }
    }
}

/// A way to a block.
struct Path<'a> {
    block: &'a BlockShape,
    word: Name,
    /// Those that were passed.
    labels: Vec<Name>,
}

impl Path<'_> {
    fn place(&self) -> Place {
        self.labels.last().unwrap_or(&self.word).place
    }

    /// What should stand here.
    fn wanted(&self) -> Diagnostic {
        let word = &self.word.text;
        let error = match self.block.labels - self.labels.len() {
            0 => Diagnostic::error(format!("`{word}` is a block: an object is wanted here, or an array of objects")),
            1 => Diagnostic::error(format!("`{word}` has a label that is missing here")),
            missing => Diagnostic::error(format!("`{word}` has {missing} labels that are missing here")),
        };
        let labels: String = (0..self.block.labels).map(|_| "{ \"<label>\": ").collect();
        error.hint(format!("write `\"{word}\": {labels}{{ … }}{}`", " }".repeat(self.block.labels)))
    }
}

impl Shape {
    fn block(&self, word: &str) -> Option<&'static BlockShape> {
        self.blocks.iter().find(|block| block.word == word)
    }

    fn reading_of(&self, argument: &str) -> Reading {
        let own = self.arguments.iter().find(|(name, _)| *name == argument);
        own.map_or(self.reading, |(_, reading)| *reading)
    }
}

/// Whether a block that the shape knows stands somewhere within: labels and objects, as that block has them.
fn holds_block(value: &Value, shape: &'static Shape) -> bool {
    match &value.kind {
        Kind::Array(items) => items.iter().any(|item| holds_block(item, shape)),
        Kind::Object(members) => members.iter().any(|member| {
            let block = shape.block(&member.key.value);
            block.is_some_and(|block| is_block(&member.value, block, block.labels)) || holds_block(&member.value, shape)
        }),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Broken => false,
    }
}

/// Whether this can be nothing else: there are its labels, and in them the blocks that it is made of.
fn is_block(value: &Value, block: &BlockShape, labels: usize) -> bool {
    match &value.kind {
        Kind::Array(items) => items.iter().any(|item| is_block(item, block, labels)),
        Kind::Object(members) if labels > 0 => members.iter().any(|member| is_block(&member.value, block, labels - 1)),
        Kind::Object(members) => {
            !block.inside.blocks.is_empty()
                && block.inside.blocks.iter().all(|inner| members.iter().any(|member| member.key.value == inner.word))
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Broken => false,
    }
}
