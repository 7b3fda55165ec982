//! What JSON writes like an argument, and a schema knows as blocks.

use bimetal_model::{Diagnostic, Diagnostics};
use bimetal_syntax::{Kind, Member, Node};

use crate::evaluate::Scope;
use crate::expression::Expression;
use crate::module::{Body, BodyAttribute, NestedBody};
use crate::shape::is_json;
use crate::types::plain;

/// The blocks of this word that stand in the place of an argument: an object, or several in an array.
pub(super) fn in_json(name: &str, body: &Body, scope: &Scope, diagnostics: &mut Diagnostics) -> Vec<NestedBody> {
    let Some(written) = body.attributes.get(name).filter(|written| is_json(&written.expression.file)) else {
        return Vec::new();
    };
    let mut reader = Reader { name, expression: &written.expression, scope, diagnostics };
    match &written.expression.node.kind {
        Kind::Null => Vec::new(),
        Kind::Tuple(items) => items.iter().filter_map(|item| reader.block(item)).collect(),
        _ => reader.block(&written.expression.node).into_iter().collect(),
    }
}

struct Reader<'a> {
    name: &'a str,
    expression: &'a Expression,
    scope: &'a Scope,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn block(&mut self, node: &Node) -> Option<NestedBody> {
        let span = self.expression.file.span(node.place);
        let Kind::Object(members) = &node.kind else {
            let error = Diagnostic::error(format!("`{}` is a block", self.name)).at(&span);
            let hint = format!("write `\"{0}\": {{ … }}`, or `\"{0}\": [{{ … }}, …]` for several", self.name);
            self.diagnostics.push(error.hint(hint));
            return None;
        };
        let attributes = members.iter().filter_map(|member| self.attribute(member)).collect();
        let body = Body { attributes, blocks: Vec::new(), span: span.clone() };
        Some(NestedBody { name: self.name.to_owned(), labels: Vec::new(), body, span })
    }

    fn attribute(&mut self, member: &Member) -> Option<(String, BodyAttribute)> {
        let file = &self.expression.file;
        let name_span = file.span(member.key.place);
        let Some(name) = plain(&member.key) else {
            let error = Diagnostic::error("the name of an argument is plain text").at(&name_span);
            self.diagnostics.push(error.because(format!("this is a member of the block `{}`", self.name)));
            return None;
        };
        let bound: Vec<Box<str>> = self.scope.iterators.keys().map(|name| name.as_str().into()).collect();
        let expression = Expression::within(file, member.value.clone(), &bound).at_home(self.expression.home());
        (name != "//").then(|| (name.to_owned(), BodyAttribute { name_span, expression }))
    }
}
