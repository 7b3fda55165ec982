//! HCL's JSON twin: one JSON value to the same tree as the native syntax.
//!
//! JSON does not say what is a block, what an argument, and which text holds an expression: a [`Shape`] does, and who asks brings it.

mod body;
mod expression;
mod read;
mod relocate;
mod text;

use bimetal_model::{Diagnostic, Diagnostics};

use crate::source::SourceFile;
use crate::tree::Body;

/// What the members of an object stand for where that object is a body.
#[derive(Debug)]
pub struct Shape {
    /// The members that are blocks.
    pub blocks: &'static [BlockShape],
    /// The arguments that are read in a way of their own.
    pub arguments: &'static [(&'static str, Reading)],
    /// How all other arguments are read.
    pub reading: Reading,
    /// What members are that nobody named.
    pub others: Others,
}

/// A block that a body may hold.
#[derive(Debug)]
pub struct BlockShape {
    /// Its name.
    pub word: &'static str,
    /// How many objects within each other its labels are.
    pub labels: usize,
    /// What is in it.
    pub inside: &'static Shape,
}

/// How the text in an argument is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// `"a-${var.b}"` is a template.
    Template,
    /// `"list(string)"` is an expression, also as an item or a member.
    Expression,
    /// Text is what it is, `${` too.
    Literal,
}

/// What members are that a shape does not name.
#[derive(Clone, Copy, Debug)]
pub enum Others {
    /// Arguments.
    Arguments,
    /// Arguments, as long as no schema says otherwise. Those in which a block of this shape stands have that shape.
    Undecided(&'static Shape),
    /// Blocks that nobody knows.
    Blocks,
}

/// A file's body. What could not be read is left out and reported.
///
/// `"//"` in a body is a comment.
pub fn parse_json_body(file: &SourceFile, shape: &'static Shape) -> (Body, Diagnostics) {
    if u32::try_from(file.text.len()).is_err() {
        let error = Diagnostic::error(format!("`{}` is larger than 4 GiB", file.name));
        return (Body::default(), vec![error.hint("is it a configuration?")]);
    }
    let (value, mut diagnostics) = read::read(file);
    let body = body::Shaper { file, diagnostics: &mut diagnostics }.root(value, shape);
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.as_ref().map(|span| span.range.start));
    (body, diagnostics)
}
