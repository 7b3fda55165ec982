//! Type expressions: `list(string)`, `object({ a = optional(number) })`.

use std::collections::BTreeMap;

use bimetal_model::ty::Field;
use bimetal_model::{Diagnostic, Span, Type};
use hcl_edit::Span as _;
use hcl_edit::expr::{Expression as Node, FuncCall, Object};

use crate::expression::Expression;
use crate::suggest::nearest_or_all;

/// The type that an expression names.
pub(crate) fn parse_type(expression: &Expression) -> Result<Type, Diagnostic> {
    Reader { expression }.ty(&expression.node)
}

struct Reader<'a> {
    expression: &'a Expression,
}

impl Reader<'_> {
    fn ty(&self, node: &Node) -> Result<Type, Diagnostic> {
        match node {
            Node::Variable(name) => match name.as_str() {
                "any" => Ok(Type::Any),
                "string" => Ok(Type::String),
                "number" => Ok(Type::Number),
                "bool" => Ok(Type::Bool),
                "list" => Ok(Type::list(Type::Any)),
                "set" => Ok(Type::set(Type::Any)),
                "map" => Ok(Type::map(Type::Any)),
                other => Err(self.unknown(other, node)),
            },
            Node::FuncCall(call) => self.constructor(call, node),
            _ => Err(self
                .error("this is no type", node)
                .hint("types are `string`, `list(string)`, `object({ name = string })`, …")),
        }
    }

    fn constructor(&self, call: &FuncCall, node: &Node) -> Result<Type, Diagnostic> {
        let mut arguments = call.args.iter();
        let (Some(argument), None) = (arguments.next(), arguments.next()) else {
            return Err(self.error("a type takes one argument here", node));
        };
        match call.name.name.as_str() {
            "list" => Ok(Type::list(self.ty(argument)?)),
            "set" => Ok(Type::set(self.ty(argument)?)),
            "map" => Ok(Type::map(self.ty(argument)?)),
            "tuple" => match argument {
                Node::Array(items) => {
                    Ok(Type::Tuple(items.iter().map(|item| self.ty(item)).collect::<Result<_, _>>()?))
                }
                _ => Err(self.error("`tuple` takes a list of types", argument)),
            },
            "object" => match argument {
                Node::Object(members) => self.object(members),
                _ => Err(self.error("`object` takes attributes and their types", argument)),
            },
            other => Err(self.unknown(other, node)),
        }
    }

    fn object(&self, members: &Object) -> Result<Type, Diagnostic> {
        let mut fields = BTreeMap::new();
        for (key, value) in members {
            let name = match key {
                hcl_edit::expr::ObjectKey::Ident(ident) => ident.to_string(),
                hcl_edit::expr::ObjectKey::Expression(Node::String(name)) => name.to_string(),
                hcl_edit::expr::ObjectKey::Expression(other) => {
                    return Err(self.error("this is no attribute name", other));
                }
            };
            fields.insert(name, self.field(value.expr())?);
        }
        Ok(Type::Object(fields))
    }

    fn field(&self, node: &Node) -> Result<Field, Diagnostic> {
        let Node::FuncCall(call) = node else { return Ok(Field { ty: self.ty(node)?, optional: false }) };
        if call.name.name.as_str() != "optional" {
            return Ok(Field { ty: self.ty(node)?, optional: false });
        }
        match call.args.iter().next() {
            Some(ty) => Ok(Field { ty: self.ty(ty)?, optional: true }),
            None => Err(self.error("`optional` takes a type", node)),
        }
    }

    fn unknown(&self, name: &str, node: &Node) -> Diagnostic {
        let known = ["any", "string", "number", "bool", "list", "set", "map", "object", "tuple"];
        self.error(&format!("no type is called `{name}`"), node).hint(nearest_or_all(name, known, "type"))
    }

    fn error(&self, summary: &str, node: &Node) -> Diagnostic {
        let range = node.span().unwrap_or_else(|| self.expression.span().range.clone());
        Diagnostic::error(summary).at(&Span { file: self.expression.span().file.clone(), range })
    }
}

/// The default of `optional(type, default)`, for each attribute that has one, by its way into the type.
pub(crate) fn apply_defaults(
    expression: &Expression,
    value: bimetal_model::Value,
    evaluate: &dyn Fn(&Expression) -> Option<bimetal_model::Value>,
) -> bimetal_model::Value {
    Defaults { file: expression, evaluate }.fill(&expression.node, value)
}

struct Defaults<'a> {
    file: &'a Expression,
    evaluate: &'a dyn Fn(&Expression) -> Option<bimetal_model::Value>,
}

impl Defaults<'_> {
    fn fill(&self, node: &Node, value: bimetal_model::Value) -> bimetal_model::Value {
        use bimetal_model::Data;
        let Node::FuncCall(call) = node else { return value };
        let Some(argument) = call.args.iter().next() else { return value };
        let sensitive = value.sensitive;
        let data = match (call.name.name.as_str(), value.data) {
            ("list" | "set", Data::Tuple(items)) => {
                Data::Tuple(items.into_iter().map(|item| self.fill(argument, item)).collect())
            }
            ("list" | "set", Data::List(items)) => {
                Data::List(items.into_iter().map(|item| self.fill(argument, item)).collect())
            }
            ("map", Data::Object(members) | Data::Map(members)) => {
                Data::Map(members.into_iter().map(|(name, member)| (name, self.fill(argument, member))).collect())
            }
            ("object", Data::Object(members) | Data::Map(members)) => match argument {
                Node::Object(fields) => Data::Object(self.fill_object(fields, members)),
                _ => Data::Object(members),
            },
            ("optional", data) => return self.fill(argument, bimetal_model::Value { data, sensitive }),
            (_, data) => data,
        };
        bimetal_model::Value { data, sensitive }
    }

    fn fill_object(
        &self,
        fields: &Object,
        mut members: BTreeMap<String, bimetal_model::Value>,
    ) -> BTreeMap<String, bimetal_model::Value> {
        for (key, field) in fields {
            let Some(name) = key.as_ident().map(|ident| ident.to_string()) else { continue };
            let given = members.remove(&name).filter(|value| !value.is_null());
            let value = given.or_else(|| self.default_of(field.expr()));
            if let Some(value) = value {
                members.insert(name, self.fill(field.expr(), value));
            }
        }
        members
    }

    fn default_of(&self, node: &Node) -> Option<bimetal_model::Value> {
        let Node::FuncCall(call) = node else { return None };
        if call.name.name.as_str() != "optional" {
            return None;
        }
        let default = call.args.iter().nth(1)?;
        (self.evaluate)(&Expression::new(&self.file.file, default.clone()))
    }
}
