//! `moved`, `removed` and `import`: what was declared otherwise before, and what was not declared at all.

use bimetal_model::{Address, Diagnostic, Span};
use bimetal_syntax::Kind;

use super::Parser;
use crate::module::*;

impl Parser<'_> {
    pub(super) fn moved(&mut self, body: &Body, span: Span) {
        self.unsupported(body, &["from", "to"]);
        self.no_blocks(body, "moved");
        let (Some(from), Some(to)) = (self.point(body, "from"), self.point(body, "to")) else { return };
        let are_alike = match (&from, &to) {
            (Point::Module(_), Point::Module(_)) => true,
            // Whether one type takes over another is for its provider to say.
            (Point::Object(from), Point::Object(to)) => {
                from.block == to.block && (from.ty == to.ty || has_objects(from))
            }
            (Point::Module(_), Point::Object(_)) | (Point::Object(_), Point::Module(_)) => false,
        };
        if !are_alike {
            let error = Diagnostic::error(format!("`{from}` can't become `{to}`")).at(&span);
            return self.diagnostics.push(error.because("both must be of the same kind"));
        }
        self.module.moved.push(Moved { from, to, span });
    }

    pub(super) fn removed(&mut self, mut body: Body, span: Span) {
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
            if from.is_of_instance() {
                let error = Diagnostic::error(format!("`{from}` is one instance, and `removed` is of all")).at(&span);
                return self.diagnostics.push(error.hint("name the whole block, or the module, without a key"));
            }
            self.module.removed.push(Removed { from, destroy, span });
        }
    }

    pub(super) fn import(&mut self, mut body: Body, span: Span) {
        self.no_blocks(&body, "import");
        let repetition = self.repetition(&mut body);
        self.unsupported(&body, &["to", "id"]);
        let mut required = |name: &str| {
            let found = body.attributes.remove(name).map(|attribute| attribute.expression);
            if found.is_none() {
                let error = Diagnostic::error(format!("`{name}` is missing")).at(&body.span);
                self.diagnostics.push(error.hint("write `import { to = docker_volume.data, id = \"data\" }`"));
            }
            found
        };
        let (Some(to), Some(id)) = (required("to"), required("id")) else { return };
        if !self.folder.is_empty() {
            let error = Diagnostic::error("`import` belongs into the root module").at(&span);
            return self.diagnostics.push(error.hint("`to` may lead into a module: `module.net.docker_network.a`"));
        }
        let import = Import { to, id, repetition, span };
        self.diagnostics.extend(import.check());
        self.module.imports.push(import);
    }

    /// An address, as it is written.
    pub(super) fn point(&mut self, body: &Body, name: &str) -> Option<Point> {
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
}

/// Whether something of a provider's exists because of the block.
fn has_objects(address: &Address) -> bool {
    address.block.has_objects() && address.block.has_type()
}
