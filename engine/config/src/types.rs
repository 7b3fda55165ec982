//! Type expressions: `list(string)`, `object({ a = optional(number) })`.

mod defaults;

use std::collections::BTreeMap;

use bimetal_model::convert::convert;
use bimetal_model::ty::Field;
use bimetal_model::{Diagnostic, Diagnostics, Type, Value};
use bimetal_syntax::{Call, Kind, Member, Node};

pub(crate) use self::defaults::Defaults;
use self::defaults::Inside;
use crate::evaluate::{Outside, Scope, literal};
use crate::expression::Expression;
use crate::suggest::nearest_or_all;

/// What a type expression says. Anything goes unless it says something.
#[derive(Clone, Debug)]
pub(crate) struct Constraint {
    pub(crate) ty: Type,
    /// Of its optional attributes.
    pub(crate) defaults: Defaults,
}

impl Default for Constraint {
    fn default() -> Self {
        Constraint::plain(Type::Any)
    }
}

impl Constraint {
    fn plain(ty: Type) -> Constraint {
        Constraint { ty, defaults: Defaults::default() }
    }
}

/// What a variable's type expression says.
pub(crate) fn parse_type(expression: &Expression) -> Result<Constraint, Diagnostics> {
    match &expression.node.kind {
        // Words from a time before type expressions.
        Kind::Name(name) if &**name == "list" => Ok(Constraint::plain(Type::list(Type::Any))),
        Kind::Name(name) if &**name == "map" => Ok(Constraint::plain(Type::map(Type::Any))),
        _ => Reader { expression }.ty(&expression.node),
    }
}

struct Reader<'a> {
    expression: &'a Expression,
}

impl Reader<'_> {
    fn ty(&self, node: &Node) -> Result<Constraint, Diagnostics> {
        match &node.kind {
            Kind::Name(name) => match &**name {
                "any" => Ok(Constraint::plain(Type::Any)),
                "string" => Ok(Constraint::plain(Type::String)),
                "number" => Ok(Constraint::plain(Type::Number)),
                "bool" => Ok(Constraint::plain(Type::Bool)),
                "list" | "set" | "map" => {
                    let hint = format!("write `{name}(string)`, or of what else it is");
                    Err(vec![self.error(&format!("`{name}` takes the type of what is in it"), node).hint(hint)])
                }
                other => Err(vec![self.unknown(other, node)]),
            },
            Kind::Call(call) => bimetal_syntax::deeply(|| self.constructor(call, node)),
            _ => {
                let error = self.error("this is no type", node);
                Err(vec![error.hint("types are `string`, `list(string)`, `object({ name = string })`, …")])
            }
        }
    }

    fn constructor(&self, call: &Call, node: &Node) -> Result<Constraint, Diagnostics> {
        let name = &*call.name.text;
        let [argument] = &call.arguments[..] else {
            return Err(vec![self.error("a type takes one argument here", call.arguments.get(1).unwrap_or(node))]);
        };
        let of_elements = |collection: fn(Type) -> Type| {
            let Constraint { ty, defaults } = self.ty(argument)?;
            Ok(Constraint { ty: collection(ty), defaults: Defaults::of_elements(defaults) })
        };
        match (name, &argument.kind) {
            ("list", _) => of_elements(Type::list),
            ("set", _) => of_elements(Type::set),
            ("map", _) => of_elements(Type::map),
            ("tuple", Kind::Tuple(items)) => self.tuple(items),
            ("tuple", _) => Err(vec![self.error("`tuple` takes a list of types", argument)]),
            ("object", Kind::Object(members)) => self.object(members),
            ("object", _) => Err(vec![self.error("`object` takes attributes and their types", argument)]),
            ("any" | "string" | "number" | "bool", _) => {
                Err(vec![self.error(&format!("`{name}` takes no arguments"), argument)])
            }
            _ => Err(vec![self.unknown(name, node)]),
        }
    }

    fn tuple(&self, items: &[Node]) -> Result<Constraint, Diagnostics> {
        let items = crate::evaluate::collect(items.iter().map(|item| self.ty(item)))?;
        let (types, defaults): (Vec<_>, Vec<_>) = items.into_iter().map(|item| (item.ty, item.defaults)).unzip();
        let defaults = Defaults { values: BTreeMap::new(), inside: Inside::Items(defaults) };
        Ok(Constraint { ty: Type::Tuple(types), defaults })
    }

    fn object(&self, members: &[Member]) -> Result<Constraint, Diagnostics> {
        let (mut fields, mut values, mut inside) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut diagnostics = Vec::new();
        for member in members {
            let Kind::Name(name) = &member.key.kind else {
                diagnostics.push(self.error("this is no attribute name", &member.key));
                continue;
            };
            if fields.contains_key(&**name) {
                diagnostics.push(self.error(&format!("`{name}` is there twice"), &member.key));
                continue;
            }
            match self.field(&member.value) {
                Ok((optional, Constraint { ty, defaults }, default)) => {
                    fields.insert(name.to_string(), Field { ty, optional });
                    values.extend(default.map(|default| (name.to_string(), default)));
                    inside.insert(name.to_string(), defaults);
                }
                Err(errors) => diagnostics.extend(errors),
            }
        }
        let defaults = Defaults { values, inside: Inside::Attributes(inside) };
        if diagnostics.is_empty() { Ok(Constraint { ty: Type::Object(fields), defaults }) } else { Err(diagnostics) }
    }

    /// Whether an attribute may be left out, what it is, and what it is then.
    fn field(&self, node: &Node) -> Result<(bool, Constraint, Option<Value>), Diagnostics> {
        let call = match &node.kind {
            Kind::Call(call) if &*call.name.text == "optional" => call,
            _ => return Ok((false, self.ty(node)?, None)),
        };
        match &call.arguments[..] {
            [ty] => Ok((true, self.ty(ty)?, None)),
            [ty, default] => {
                let constraint = self.ty(ty)?;
                let default = self.default(default, &constraint.ty)?;
                Ok((true, constraint, Some(default)))
            }
            [] => Err(vec![self.error("`optional` takes a type", node)]),
            [_, _, surplus, ..] => Err(vec![self.error("`optional` takes a type and a default", surplus)]),
        }
    }

    fn default(&self, node: &Node, ty: &Type) -> Result<Value, Diagnostics> {
        let expression = Expression::new(&self.expression.file, node.clone());
        let value = literal(&expression, &Scope::new(Outside::default()))?;
        convert(value, ty).map_err(|mismatch| {
            let place = if mismatch.path.0.is_empty() { String::new() } else { format!(" (at `{}`)", mismatch.path) };
            let error = self.error(&format!("this default is not of the attribute's type{place}"), node);
            vec![error.because(mismatch.reason)]
        })
    }

    fn unknown(&self, name: &str, node: &Node) -> Diagnostic {
        let known = ["any", "string", "number", "bool", "list", "set", "map", "object", "tuple"];
        self.error(&format!("no type is called `{name}`"), node).hint(nearest_or_all(name, known, "type"))
    }

    fn error(&self, summary: &str, node: &Node) -> Diagnostic {
        Diagnostic::error(summary).at(&self.expression.file.span(node.place))
    }
}

/// A name, in quotes or without.
pub(crate) fn plain(key: &Node) -> Option<&str> {
    match &key.kind {
        Kind::Name(name) | Kind::Text(name) => Some(name),
        _ => None,
    }
}
