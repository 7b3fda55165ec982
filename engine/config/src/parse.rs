//! Text to a module.

mod call;
mod literal;
mod moves;
mod object;
mod overrides;
pub(crate) mod package;
mod settings;
mod suite;
mod value;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, Span};
use bimetal_syntax::{self as syntax, Item, Kind};

use crate::expression::Expression;
use crate::module::*;
use crate::shape::parse_configuration;
use crate::suggest::nearest_or_all;

#[cfg(test)]
pub(crate) use suite::WORDS as SUITE_WORDS;
pub use suite::parse_suite;

/// The words that blocks begin with; `shape` says how each is written in JSON.
pub(crate) const TOP_LEVEL: [&str; 16] = [
    "bimetal",
    "variable",
    "locals",
    "output",
    "provider",
    "module",
    "machine",
    "pool",
    "service",
    "resource",
    "data",
    "ephemeral",
    "check",
    "moved",
    "removed",
    "import",
];

/// Parses the files of a folder, relative to the configuration's root. What is wrong is reported, the rest is there all the same.
pub fn parse(files: &[SourceFile], folder: &str) -> (Module, Diagnostics) {
    let files: Vec<SourceFile> = files.iter().filter(|file| folder_of(&file.name) == folder).cloned().collect();
    let module = Module { folder: folder.into(), files: files.clone(), ..Module::default() };
    let mut parser = Parser::new(module, folder);
    let (overriding, files): (Vec<_>, Vec<_>) = files.iter().partition(|file| overrides::is_one(&file.name));
    let mut blocks: Vec<NestedBody> = files.into_iter().flat_map(|file| parser.file(file)).collect();
    for block in overriding.into_iter().flat_map(|file| parser.file(file)).collect::<Vec<_>>() {
        parser.override_with(&mut blocks, block);
    }
    blocks.into_iter().for_each(|block| parser.declare(block));
    (parser.module, parser.diagnostics)
}

/// Where a file lies; empty for the root.
fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The one expression that a text holds, as that of `--var` or of a console.
pub fn parse_expression(file: &SourceFile) -> Result<Expression, Diagnostics> {
    Ok(Expression::new(file, syntax::parse_expression(file, syntax::Lines::EndIt)?))
}

struct Parser<'f> {
    module: Module,
    folder: &'f str,
    diagnostics: Diagnostics,
    /// Where each thing was declared first.
    seen: HashMap<String, Span>,
}

impl<'f> Parser<'f> {
    fn new(module: Module, folder: &'f str) -> Self {
        Parser { module, folder, diagnostics: Vec::new(), seen: HashMap::new() }
    }
}

impl Parser<'_> {
    /// The blocks of a file that are written as blocks of their words are.
    fn file(&mut self, file: &SourceFile) -> Vec<NestedBody> {
        let (body, errors) = parse_configuration(file);
        self.module.has_gaps |= !errors.is_empty();
        self.diagnostics.extend(errors);
        let mut blocks = Vec::new();
        for item in body.items {
            match item {
                Item::Attribute(attribute) => {
                    let name = attribute.name;
                    let error = Diagnostic::error(format!("`{}` stands outside of any block", name.text));
                    let error = error.at(&file.span(name.place));
                    self.diagnostics.push(error.hint("put it into a block, as `locals { … }`"));
                }
                Item::Block(block) => blocks.extend(self.block(file, block)),
            }
        }
        blocks
    }

    fn block(&mut self, file: &SourceFile, block: syntax::Block) -> Option<NestedBody> {
        let header = file.span(block.header());
        let word = block.word.text.to_string();
        let wanted = match word.as_str() {
            "bimetal" | "locals" | "moved" | "removed" | "import" => 0,
            "variable" | "output" | "provider" | "module" | "pool" | "service" | "check" => 1,
            "machine" | "resource" | "data" | "ephemeral" => 2,
            other => {
                let hint = match other {
                    "terraform" => "what Terraform has in it stands in `bimetal { … }` here".to_owned(),
                    _ => nearest_or_all(other, TOP_LEVEL, "block"),
                };
                let error = Diagnostic::error(format!("no block is called `{other}`")).at(&header);
                self.diagnostics.push(error.hint(hint));
                return None;
            }
        };
        self.labelled(file, block, wanted, || example(&word))
    }

    /// A block with as many labels as its word takes.
    fn labelled(
        &mut self,
        file: &SourceFile,
        block: syntax::Block,
        wanted: usize,
        example: impl Fn() -> String,
    ) -> Option<NestedBody> {
        let header = file.span(block.header());
        let word = block.word.text.to_string();
        let labels: Vec<String> = block.labels.iter().map(|label| label.text.to_string()).collect();
        if labels.len() != wanted {
            let error =
                Diagnostic::error(format!("`{word}` takes {wanted} labels, here are {}", labels.len())).at(&header);
            self.diagnostics.push(error.hint(example()));
            return None;
        }
        if let Some(bad) = labels.iter().find(|label| !is_name(label)) {
            let error = Diagnostic::error(format!("`{bad}` is no name")).at(&header);
            self.diagnostics.push(error.hint("names are letters, digits, `_` and `-`, and begin with a letter or `_`"));
            return None;
        }
        let body = self.body(file, block.body, &header, &[]);
        Some(NestedBody { name: word, labels, body, span: header })
    }

    /// Puts a block into the module.
    fn declare(&mut self, block: NestedBody) {
        let NestedBody { name: word, labels, mut body, span: header } = block;
        match word.as_str() {
            "bimetal" => self.settings(body),
            "locals" => self.locals(body),
            "variable" => self.variable(&labels[0], body, header),
            "output" => self.output(&labels[0], &mut body, header),
            "provider" => self.provider(&labels[0], &mut body, header),
            "module" => self.call(&labels[0], body, header),
            "check" => self.check(&labels[0], body, header),
            "moved" => self.moved(&body, header),
            "removed" => self.removed(body, header),
            "import" => self.import(body, header),
            "pool" => self.object(Address::new(BlockKind::Pool, "", &labels[0]), body, header),
            "service" => self.object(Address::new(BlockKind::Service, "", &labels[0]), body, header),
            "machine" => self.object(Address::new(BlockKind::Machine, &labels[0], &labels[1]), body, header),
            "resource" => self.object(Address::new(BlockKind::Resource, &labels[0], &labels[1]), body, header),
            "ephemeral" => self.object(Address::new(BlockKind::Ephemeral, &labels[0], &labels[1]), body, header),
            _ => self.object(Address::new(BlockKind::Data, &labels[0], &labels[1]), body, header),
        }
    }

    /// Names that `dynamic` blocks around it bind stand for something in it.
    fn body(&mut self, file: &SourceFile, body: syntax::Body, header: &Span, bound: &[Box<str>]) -> Body {
        let (mut attributes, mut blocks) = (BTreeMap::new(), Vec::new());
        for item in body.items {
            match item {
                Item::Attribute(attribute) => {
                    let name = attribute.name.text.to_string();
                    let name_span = file.span(attribute.name.place);
                    let expression = Expression::within(file, attribute.value, bound);
                    let twice = Diagnostic::error(format!("`{name}` is set twice")).at(&name_span);
                    match attributes.entry(name) {
                        Entry::Vacant(free) => drop(free.insert(BodyAttribute { name_span, expression })),
                        Entry::Occupied(_) => self.diagnostics.push(twice),
                    }
                }
                Item::Block(block) => {
                    let inner = self.nested(file, block, bound);
                    blocks.push(inner);
                }
            }
        }
        // As many places as there are attributes, and none for more.
        let attributes: Vec<(String, BodyAttribute)> = attributes.into_iter().collect();
        Body { attributes: Attributes::from_sorted_store_unchecked(attributes), blocks, span: header.clone() }
    }

    fn nested(&mut self, file: &SourceFile, mut block: syntax::Block, bound: &[Box<str>]) -> NestedBody {
        let span = file.span(block.header());
        let name = block.word.text.to_string();
        let labels = block.labels.iter().map(|label| label.text.to_string()).collect();
        let Some(iterator) = iterator(&block) else {
            let body = self.body(file, block.body, &span, bound);
            return NestedBody { name, labels, body, span };
        };
        // What is gone through does not know the name that is bound by going through it.
        let (outer, inner) = std::mem::take(&mut block.body.items)
            .into_iter()
            .partition(|item| matches!(item, Item::Attribute(attribute) if &*attribute.name.text == "for_each"));
        let within: Vec<_> = bound.iter().cloned().chain([iterator]).collect();
        let mut body = self.body(file, syntax::Body { items: inner }, &span, &within);
        body.attributes.extend(self.body(file, syntax::Body { items: outer }, &span, bound).attributes);
        NestedBody { name, labels, body, span }
    }

    /// Whether this is the first of its name; says so where it is not.
    fn first(&mut self, what: String, at: &Span) -> bool {
        if let Some(before) = self.seen.get(&what) {
            let error = Diagnostic::error(format!("{what} is declared twice")).at(at);
            let place = format!("the first one is in {}", self.module.place(before));
            self.diagnostics.push(error.because(place).hint("rename or remove one of them"));
            return false;
        }
        self.seen.insert(what, at.clone());
        true
    }
}

/// The name that a `dynamic` block binds.
fn iterator(block: &syntax::Block) -> Option<Box<str>> {
    let label = block.labels.first().filter(|_| &*block.word.text == "dynamic")?;
    let written = block.body.items.iter().find_map(|item| match item {
        Item::Attribute(attribute) if &*attribute.name.text == "iterator" => Some(&attribute.value.kind),
        Item::Attribute(_) | Item::Block(_) => None,
    });
    match written {
        Some(Kind::Name(name)) => Some(name.clone()),
        _ => Some(label.text.clone()),
    }
}

fn example(word: &str) -> String {
    match word {
        "machine" => "write `machine \"<provider>\" \"<name>\" { … }`".to_owned(),
        "resource" | "data" | "ephemeral" => format!("write `{word} \"<type>\" \"<name>\" {{ … }}`"),
        "bimetal" | "locals" | "moved" | "removed" | "import" => format!("write `{word} {{ … }}`"),
        _ => format!("write `{word} \"<name>\" {{ … }}`"),
    }
}

fn is_name(label: &str) -> bool {
    label.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && label.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}
