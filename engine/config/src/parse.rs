//! Text to a module.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, Path, ProviderKey, ProviderName, Span, Step, Type};
use bimetal_syntax::{self as syntax, Item, Kind, Node, StepKind};

use crate::expression::{Expression, Target, target};
use crate::module::*;
use crate::shape::parse_configuration;
use crate::suggest::nearest_or_all;
use crate::types::{parse_type, plain};

/// The words that blocks begin with; `shape` says how each is written in JSON.
pub(crate) const TOP_LEVEL: [&str; 14] = [
    "bimetal", "variable", "locals", "output", "provider", "module", "machine", "pool", "service", "resource", "data",
    "check", "moved", "removed",
];

/// Parses the files of a folder, relative to the configuration's root. What is wrong is reported, the rest is there all the same.
pub fn parse(files: &[SourceFile], folder: &str) -> (Module, Diagnostics) {
    let files: Vec<SourceFile> = files.iter().filter(|file| folder_of(&file.name) == folder).cloned().collect();
    let module = Module { files: files.clone(), ..Module::default() };
    let mut parser = Parser { module, folder, diagnostics: Vec::new(), seen: BTreeMap::new() };
    for file in &files {
        let (body, errors) = parse_configuration(file);
        parser.diagnostics.extend(errors);
        parser.file(file, body);
    }
    (parser.module, parser.diagnostics)
}

/// Where a file lies; empty for the root.
fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The one expression that a text holds, as that of `--var` or of a console.
pub fn parse_expression(file: &SourceFile) -> Result<Expression, Diagnostics> {
    Ok(Expression::new(file, syntax::parse_expression(file)?))
}

struct Parser<'f> {
    module: Module,
    folder: &'f str,
    diagnostics: Diagnostics,
    /// Where each thing was declared first.
    seen: BTreeMap<String, Span>,
}

impl Parser<'_> {
    fn file(&mut self, file: &SourceFile, body: syntax::Body) {
        for item in body.items {
            match item {
                Item::Attribute(attribute) => {
                    let name = attribute.name;
                    let error = Diagnostic::error(format!("`{}` stands outside of any block", name.text));
                    let error = error.at(&file.span(name.place));
                    self.diagnostics.push(error.hint("put it into a block, as `locals { … }`"));
                }
                Item::Block(block) => self.block(file, block),
            }
        }
    }

    fn block(&mut self, file: &SourceFile, block: syntax::Block) {
        let header = file.span(block.header());
        let word = block.word.text.to_string();
        let labels: Vec<String> = block.labels.iter().map(|label| label.text.to_string()).collect();
        let wanted = match word.as_str() {
            "bimetal" | "locals" | "moved" | "removed" => 0,
            "variable" | "output" | "provider" | "module" | "pool" | "service" | "check" => 1,
            "machine" | "resource" | "data" => 2,
            other => {
                let hint = nearest_or_all(other, TOP_LEVEL, "block");
                return self
                    .diagnostics
                    .push(Diagnostic::error(format!("no block is called `{other}`")).at(&header).hint(hint));
            }
        };
        if labels.len() != wanted {
            let error =
                Diagnostic::error(format!("`{word}` takes {wanted} labels, here are {}", labels.len())).at(&header);
            return self.diagnostics.push(error.hint(example(&word)));
        }
        if let Some(bad) = labels.iter().find(|label| !is_name(label)) {
            let error = Diagnostic::error(format!("`{bad}` is no name")).at(&header);
            return self
                .diagnostics
                .push(error.hint("names are letters, digits, `_` and `-`, and begin with a letter or `_`"));
        }
        let mut body = self.body(file, block.body, &header, &[]);
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
            "pool" => self.object(Address::new(BlockKind::Pool, "", &labels[0]), body, header),
            "service" => self.object(Address::new(BlockKind::Service, "", &labels[0]), body, header),
            "machine" => self.object(Address::new(BlockKind::Machine, &labels[0], &labels[1]), body, header),
            "resource" => self.object(Address::new(BlockKind::Resource, &labels[0], &labels[1]), body, header),
            _ => self.object(Address::new(BlockKind::Data, &labels[0], &labels[1]), body, header),
        }
    }

    /// Names that `dynamic` blocks around it bind stand for something in it.
    fn body(&mut self, file: &SourceFile, body: syntax::Body, header: &Span, bound: &[Box<str>]) -> Body {
        let mut parsed = Body { attributes: BTreeMap::new(), blocks: Vec::new(), span: header.clone() };
        for item in body.items {
            match item {
                Item::Attribute(attribute) => {
                    let name = attribute.name.text.to_string();
                    let name_span = file.span(attribute.name.place);
                    let expression = Expression::within(file, attribute.value, bound);
                    let twice = Diagnostic::error(format!("`{name}` is set twice")).at(&name_span);
                    match parsed.attributes.entry(name) {
                        Entry::Vacant(free) => drop(free.insert(BodyAttribute { name_span, expression })),
                        Entry::Occupied(_) => self.diagnostics.push(twice),
                    }
                }
                Item::Block(block) => {
                    let inner = self.nested(file, block, bound);
                    parsed.blocks.push(inner);
                }
            }
        }
        parsed
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
            let place = format!("the first one is in `{}`, line {}", before.file, self.line(before));
            self.diagnostics.push(error.because(place).hint("rename or remove one of them"));
            return false;
        }
        self.seen.insert(what, at.clone());
        true
    }

    fn line(&self, span: &Span) -> usize {
        let file = self.module.files.iter().find(|file| file.name == span.file);
        let before = file.and_then(|file| file.text.get(..span.range.start)).unwrap_or_default();
        before.matches('\n').count() + 1
    }

    fn settings(&mut self, mut body: Body) {
        if let Some(attribute) = body.attributes.remove("required_version")
            && let Some(text) = self.literal(&attribute.expression)
        {
            self.module.settings.required_version = Some((text, attribute.expression.span().clone()));
        }
        self.unsupported(&body, &["required_version"]);
        for block in std::mem::take(&mut body.blocks) {
            match (block.name.as_str(), &block.labels[..]) {
                ("required_providers", []) => self.required_providers(block.body),
                ("state", [kind]) => {
                    self.module.settings.state = Some(StateBlock { kind: kind.clone(), body: block.body });
                }
                ("registry", [host]) => {
                    self.module.settings.registries.insert(host.clone(), Registry { body: block.body });
                }
                (name, _) => {
                    let hint = nearest_or_all(name, ["required_providers", "state", "registry"], "block");
                    let error = Diagnostic::error(format!("`{name}` does not belong into `bimetal`")).at(&block.span);
                    self.diagnostics.push(error.hint(hint));
                }
            }
        }
    }

    fn required_providers(&mut self, body: Body) {
        for (name, attribute) in body.attributes {
            let span = attribute.name_span.clone();
            let mut required = RequiredProvider { source: None, version: None, path: None, span };
            let Kind::Object(members) = &attribute.expression.node.kind else {
                let error = Diagnostic::error(format!("`{name}` must be an object")).at(attribute.expression.span());
                self.diagnostics.push(error.hint(format!("write `{name} = {{ version = \"~> 1.0\" }}`")));
                continue;
            };
            for member in members {
                let value = Expression::new(&attribute.expression.file, member.value.clone());
                let Some(text) = self.literal(&value) else { continue };
                match plain(&member.key) {
                    Some("source") => required.source = Some(text),
                    Some("version") => required.version = Some(text),
                    Some("path") => required.path = Some(text),
                    _ => {
                        let error = Diagnostic::error("a provider has `source`, `version` and `path`").at(value.span());
                        self.diagnostics.push(error);
                    }
                }
            }
            self.module.settings.required_providers.insert(name, required);
        }
    }

    fn locals(&mut self, body: Body) {
        self.no_blocks(&body, "locals");
        for (name, attribute) in body.attributes {
            if self.first(format!("local `{name}`"), &attribute.name_span) {
                self.module.locals.insert(Scoped::root(name), attribute.expression);
            }
        }
    }

    fn variable(&mut self, name: &str, mut body: Body, span: Span) {
        if !self.first(format!("variable `{name}`"), &span) {
            return;
        }
        let ty = body.attributes.get("type").map(|attribute| parse_type(&attribute.expression));
        let ty = match ty {
            Some(Err(diagnostic)) => {
                self.diagnostics.push(diagnostic);
                Type::Any
            }
            Some(Ok(ty)) => ty,
            None => Type::Any,
        };
        let validations = self.conditions(&mut body, "validation", "variable");
        let variable = Variable {
            ty,
            type_expression: body.attributes.get("type").map(|attribute| attribute.expression.clone()),
            default: body.attributes.get("default").map(|attribute| attribute.expression.clone()),
            description: self.text(&body, "description"),
            sensitive: self.flag(&body, "sensitive").unwrap_or(false),
            nullable: self.flag(&body, "nullable").unwrap_or(true),
            validations,
            span,
        };
        self.unsupported(&body, &["type", "default", "description", "sensitive", "nullable"]);
        self.module.variables.insert(name.to_owned(), variable);
    }

    /// Blocks of this name, and no others.
    fn conditions(&mut self, body: &mut Body, name: &str, around: &str) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for block in std::mem::take(&mut body.blocks) {
            if block.name == name {
                conditions.extend(self.condition(block));
                continue;
            }
            let error = Diagnostic::error(format!("`{}` does not belong into `{around}`", block.name)).at(&block.span);
            self.diagnostics.push(error.hint(format!("there is `{name} {{ … }}`")));
        }
        conditions
    }

    fn condition(&mut self, block: NestedBody) -> Option<Condition> {
        self.unsupported(&block.body, &["condition", "error_message"]);
        self.no_blocks(&block.body, &block.name);
        let mut take = |name: &str| {
            let found = block.body.attributes.get(name).map(|attribute| attribute.expression.clone());
            if found.is_none() {
                self.diagnostics.push(Diagnostic::error(format!("`{name}` is missing")).at(&block.span));
            }
            found
        };
        let (condition, message) = (take("condition"), take("error_message"));
        Some(Condition { condition: condition?, message: message? })
    }

    fn output(&mut self, name: &str, body: &mut Body, span: Span) {
        if !self.first(format!("output `{name}`"), &span) {
            return;
        }
        let depends_on = self.depends_on(body);
        let description = self.text(body, "description");
        let sensitive = self.flag(body, "sensitive").unwrap_or(false);
        self.unsupported(body, &["value", "description", "sensitive"]);
        let preconditions = self.conditions(body, "precondition", "output");
        let Some(value) = body.attributes.get("value").map(|attribute| attribute.expression.clone()) else {
            return self.diagnostics.push(Diagnostic::error("`value` is missing").at(&span));
        };
        self.module
            .outputs
            .insert(name.to_owned(), Output { value, description, sensitive, preconditions, depends_on, span });
    }

    fn provider(&mut self, name: &str, body: &mut Body, span: Span) {
        let alias = body.attributes.remove("alias").and_then(|attribute| self.literal(&attribute.expression));
        let key = ProviderKey { name: ProviderName(name.to_owned()), alias };
        if self.first(format!("provider `{key}`"), &span) {
            let block = ProviderBlock { key: key.clone(), body: body.clone(), span };
            self.module.providers.insert(key, block);
        }
    }

    fn check(&mut self, name: &str, mut body: Body, span: Span) {
        if !self.first(format!("check `{name}`"), &span) {
            return;
        }
        self.unsupported(&body, &[]);
        let asserts = self.conditions(&mut body, "assert", "check");
        if asserts.is_empty() {
            let error = Diagnostic::error("a check needs an `assert` block").at(&span);
            self.diagnostics.push(error.hint("write `assert { condition = …, error_message = … }` over several lines"));
        }
        self.module.checks.insert(Scoped::root(name), asserts);
    }

    fn moved(&mut self, body: &Body, span: Span) {
        self.unsupported(body, &["from", "to"]);
        self.no_blocks(body, "moved");
        let (Some(from), Some(to)) = (self.point(body, "from"), self.point(body, "to")) else { return };
        let are_alike = match (&from, &to) {
            (Point::Module(_), Point::Module(_)) => true,
            (Point::Object(from), Point::Object(to)) => (from.block, &from.ty) == (to.block, &to.ty),
            (Point::Module(_), Point::Object(_)) | (Point::Object(_), Point::Module(_)) => false,
        };
        if !are_alike {
            let error = Diagnostic::error(format!("`{from}` can't become `{to}`")).at(&span);
            return self.diagnostics.push(error.because("both must be of the same kind, and of the same type"));
        }
        self.module.moved.push(Moved { from, to, span });
    }

    fn removed(&mut self, mut body: Body, span: Span) {
        self.unsupported(&body, &["from"]);
        let mut destroy = true;
        for block in std::mem::take(&mut body.blocks) {
            match block.name.as_str() {
                "lifecycle" => {
                    self.unsupported(&block.body, &["destroy"]);
                    self.no_blocks(&block.body, "lifecycle");
                    destroy = self.flag(&block.body, "destroy").unwrap_or(destroy);
                }
                name => {
                    let error = Diagnostic::error(format!("`{name}` does not belong into `removed`")).at(&block.span);
                    self.diagnostics.push(error.hint("there is `lifecycle { destroy = false }`"));
                }
            }
        }
        if let Some(from) = self.point(&body, "from") {
            self.module.removed.push(Removed { from, destroy, span });
        }
    }

    /// An address, as it is written.
    fn point(&mut self, body: &Body, name: &str) -> Option<Point> {
        let Some(attribute) = body.attributes.get(name) else {
            self.diagnostics.push(Diagnostic::error(format!("`{name}` is missing")).at(&body.span));
            return None;
        };
        let expression = &attribute.expression;
        let written = match &expression.node.kind {
            Kind::Text(text) => Some(&**text),
            _ => expression.file.text.get(expression.span().range.clone()),
        };
        let point = written.and_then(Point::parse);
        if point.is_none() {
            let error = Diagnostic::error("this is no address").at(expression.span());
            self.diagnostics.push(error.hint("write `docker_volume.data`, `machine.docker.a[0]` or `module.net`"));
        }
        point
    }

    fn call(&mut self, name: &str, mut body: Body, span: Span) {
        if !self.first(format!("module `{name}`"), &span) {
            return;
        }
        self.no_blocks(&body, "module");
        let repetition = self.repetition(&mut body);
        let depends_on = self.depends_on(&mut body);
        let providers = body.attributes.remove("providers");
        let providers = providers.map(|attribute| self.providers(&attribute.expression)).unwrap_or_default();
        let Some(source) = body.attributes.remove("source") else {
            let error = Diagnostic::error("`source` is missing").at(&span);
            return self.diagnostics.push(error.hint("write `source = \"./modules/name\"`"));
        };
        let source_span = source.expression.span().clone();
        let Some(text) = self.literal(&source.expression) else { return };
        let Some(folder) = joined(self.folder, &text) else {
            let error = Diagnostic::error(format!("`{text}` is no local path")).at(&source_span);
            return self.diagnostics.push(error.hint("a module lies in a folder beside: `./name` or `../name`"));
        };
        let (keys, arguments) = (Vec::new(), body.attributes);
        let call = Call {
            folder: folder.into(),
            source_span,
            repetition,
            keys,
            depends_on,
            providers: Providers::new(providers),
            arguments,
            span,
        };
        self.module.calls.insert(Scoped::root(name), call);
    }

    /// `{ docker = docker.west }`
    fn providers(&mut self, expression: &Expression) -> BTreeMap<ProviderKey, ProviderKey> {
        let error = Diagnostic::error("this must say which provider is which").at(expression.span());
        let error = error.hint("write `providers = { docker = docker.west }`");
        let members = match &expression.node.kind {
            Kind::Object(members) => members,
            _ => {
                self.diagnostics.push(error);
                return BTreeMap::new();
            }
        };
        let mut providers = BTreeMap::new();
        for member in members {
            match (provider_key(&member.key), provider_key(&member.value)) {
                (Some(inside), Some(outside)) => drop(providers.insert(inside, outside)),
                _ => self.diagnostics.push(error.clone().at(&expression.file.span(member.value.place))),
            }
        }
        providers
    }

    fn object(&mut self, address: Address, mut body: Body, span: Span) {
        if !self.first(format!("`{address}`"), &span) {
            return;
        }
        let repetition = self.repetition(&mut body);
        let has_provider = !matches!(address.block, BlockKind::Pool | BlockKind::Service);
        let provider = if has_provider { body.attributes.remove("provider") } else { None };
        let provider = provider.and_then(|attribute| self.provider_key(&attribute.expression));
        let depends_on = self.depends_on(&mut body);
        let lifecycle = self.lifecycle(&mut body);
        let providers = Providers::default();
        let address_of = address.clone();
        let object =
            ObjectBlock { address: address_of, provider, providers, repetition, depends_on, lifecycle, body, span };
        self.module.objects.insert(address, object);
    }

    /// `count`, `for_each` or `enabled`, taken out of the body.
    fn repetition(&mut self, body: &mut Body) -> Repetition {
        type Make = fn(Expression) -> Repetition;
        let words: [(&str, Make); 3] =
            [("count", Repetition::Count), ("for_each", Repetition::ForEach), ("enabled", Repetition::Enabled)];
        let mut found: Option<(&str, Repetition)> = None;
        for (word, make) in words {
            let Some(attribute) = body.attributes.remove(word) else { continue };
            match &found {
                Some((first, _)) => {
                    let error = Diagnostic::error(format!("`{first}` and `{word}` can't go together"));
                    self.diagnostics.push(error.at(&attribute.name_span).hint("remove one of them"));
                }
                None => found = Some((word, make(attribute.expression))),
            }
        }
        found.map_or(Repetition::Once, |(_, repetition)| repetition)
    }

    fn provider_key(&mut self, expression: &Expression) -> Option<ProviderKey> {
        let key = provider_key(&expression.node);
        if key.is_none() {
            let error = Diagnostic::error("this names no provider").at(expression.span());
            self.diagnostics.push(error.hint("write `provider = digitalocean` or `provider = digitalocean.alias`"));
        }
        key
    }

    fn depends_on(&mut self, body: &mut Body) -> Dependencies {
        let Some(attribute) = body.attributes.remove("depends_on") else { return Dependencies::default() };
        let Kind::Tuple(items) = &attribute.expression.node.kind else {
            let error = Diagnostic::error("`depends_on` is a list of blocks").at(attribute.expression.span());
            self.diagnostics.push(error.hint("write `depends_on = [machine.docker.here]`"));
            return Dependencies::default();
        };
        let mut found = Dependencies::default();
        for item in items.iter() {
            let named = match &item.kind {
                Kind::Traversal(traversal) => match &traversal.root.kind {
                    Kind::Name(root) => target(root, &traversal.steps),
                    _ => None,
                },
                _ => None,
            };
            match named {
                Some((Target::Object(address), _)) => found.objects.push(address),
                Some((Target::Module(name, _), _)) => found.modules.push(name),
                _ => {
                    let at = attribute.expression.file.span(item.place);
                    self.diagnostics.push(Diagnostic::error("this is no block that can be waited for").at(&at));
                }
            }
        }
        found
    }

    fn lifecycle(&mut self, body: &mut Body) -> Lifecycle {
        let (found, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut body.blocks).into_iter().partition(|block| block.name == "lifecycle");
        body.blocks = rest;
        let mut lifecycle = Lifecycle::default();
        for mut block in found {
            self.unsupported(&block.body, &["prevent_destroy", "ignore_changes"]);
            for inner in std::mem::take(&mut block.body.blocks) {
                match inner.name.as_str() {
                    "precondition" => lifecycle.preconditions.extend(self.condition(inner)),
                    "postcondition" => lifecycle.postconditions.extend(self.condition(inner)),
                    name => {
                        let error = Diagnostic::error(format!("`{name}` does not belong into `lifecycle`"));
                        let error = error.hint("there are `precondition { … }` and `postcondition { … }`");
                        self.diagnostics.push(error.at(&inner.span));
                    }
                }
            }
            lifecycle.prevent_destroy |= self.flag(&block.body, "prevent_destroy").unwrap_or(false);
            if let Some(attribute) = block.body.attributes.get("ignore_changes") {
                lifecycle.ignore_changes.extend(self.paths(&attribute.expression));
            }
        }
        lifecycle
    }

    /// `[tags, env["A"]]`
    fn paths(&mut self, expression: &Expression) -> Vec<Path> {
        let Kind::Tuple(items) = &expression.node.kind else {
            let error = Diagnostic::error("this must be a list of attribute names").at(expression.span());
            self.diagnostics.push(error.hint("write `ignore_changes = [labels, env]`"));
            return Vec::new();
        };
        let mut paths = Vec::new();
        for item in items.iter() {
            match path(item) {
                Some(path) => paths.push(path),
                None => {
                    let at = expression.file.span(item.place);
                    self.diagnostics.push(Diagnostic::error("this names no attribute").at(&at));
                }
            }
        }
        paths
    }

    fn text(&mut self, body: &Body, name: &str) -> Option<String> {
        let expression = body.attributes.get(name)?.expression.clone();
        self.literal(&expression)
    }

    /// The text of a plain string; anything else is an error.
    fn literal(&mut self, expression: &Expression) -> Option<String> {
        match &expression.node.kind {
            Kind::Text(text) => Some(text.to_string()),
            _ => {
                let error = Diagnostic::error("a plain string is wanted here").at(expression.span());
                self.diagnostics
                    .push(error.hint("it is read before anything is evaluated: no references, no functions"));
                None
            }
        }
    }

    fn flag(&mut self, body: &Body, name: &str) -> Option<bool> {
        let expression = &body.attributes.get(name)?.expression;
        match &expression.node.kind {
            Kind::Bool(value) => Some(*value),
            _ => {
                self.diagnostics
                    .push(Diagnostic::error(format!("`{name}` is `true` or `false`")).at(expression.span()));
                None
            }
        }
    }

    fn unsupported(&mut self, body: &Body, known: &[&'static str]) {
        for (name, attribute) in &body.attributes {
            if !known.contains(&name.as_str()) {
                let hint = nearest_or_all(name, known.to_vec(), "argument");
                self.diagnostics.push(
                    Diagnostic::error(format!("no argument is called `{name}` here"))
                        .at(&attribute.name_span)
                        .hint(hint),
                );
            }
        }
    }

    fn no_blocks(&mut self, body: &Body, word: &str) {
        for block in &body.blocks {
            self.diagnostics
                .push(Diagnostic::error(format!("`{}` does not belong into `{word}`", block.name)).at(&block.span));
        }
    }
}

/// `name` or `name.alias`
fn provider_key(node: &Node) -> Option<ProviderKey> {
    match &node.kind {
        Kind::Name(name) => Some(ProviderKey::default_of(&**name)),
        Kind::Traversal(traversal) => match (&traversal.root.kind, &traversal.steps[..]) {
            (Kind::Name(name), [syntax::Step { kind: StepKind::Attribute(alias), .. }]) => {
                Some(ProviderKey { name: ProviderName(name.to_string()), alias: Some(alias.to_string()) })
            }
            _ => None,
        },
        _ => None,
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

/// A way into an object, as it is written: `env["A"]`.
fn path(node: &Node) -> Option<Path> {
    let (root, steps) = match &node.kind {
        Kind::Traversal(traversal) => (&traversal.root, &traversal.steps[..]),
        _ => (node, &[][..]),
    };
    let root = Path::attribute(plain(root)?);
    steps.iter().try_fold(root, |path, next| Some(path.then(step(&next.kind)?)))
}

fn step(kind: &StepKind) -> Option<Step> {
    let index = |number: &bimetal_model::Number| u32::try_from(number.to_u64()?).ok().map(Step::Index);
    match kind {
        StepKind::Attribute(name) => Some(Step::Attribute(name.to_string())),
        StepKind::LegacyIndex(place) => index(place),
        StepKind::Index(node) => match &node.kind {
            Kind::Text(key) => Some(Step::Key(key.to_string())),
            Kind::Number(place) => index(place),
            _ => None,
        },
        StepKind::AttributeSplat | StepKind::FullSplat => None,
    }
}

/// A path that begins with `./` or `../`, from a folder on. Steps up may lead out of the root.
fn joined(folder: &str, path: &str) -> Option<String> {
    if !(path.starts_with("./") || path.starts_with("../") || path == "." || path == "..") {
        return None;
    }
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in path.split('/').filter(|step| !matches!(*step, "" | ".")) {
        match (step, steps.last()) {
            ("..", Some(last)) if *last != ".." => drop(steps.pop()),
            _ => steps.push(step),
        }
    }
    Some(steps.join("/"))
}

fn example(word: &str) -> String {
    match word {
        "machine" => "write `machine \"<provider>\" \"<name>\" { … }`".to_owned(),
        "resource" | "data" => format!("write `{word} \"<type>\" \"<name>\" {{ … }}`"),
        "bimetal" | "locals" | "moved" | "removed" => format!("write `{word} {{ … }}`"),
        _ => format!("write `{word} \"<name>\" {{ … }}`"),
    }
}

fn is_name(label: &str) -> bool {
    label.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && label.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}
