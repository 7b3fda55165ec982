//! Type expressions: `list(string)`, `object({ a = optional(number) })`.

use std::collections::BTreeMap;

use bimetal_model::ty::Field;
use bimetal_model::{Diagnostic, Type};
use bimetal_syntax::{Call, Kind, Member, Node};

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
        match &node.kind {
            Kind::Name(name) => match &**name {
                "any" => Ok(Type::Any),
                "string" => Ok(Type::String),
                "number" => Ok(Type::Number),
                "bool" => Ok(Type::Bool),
                "list" => Ok(Type::list(Type::Any)),
                "set" => Ok(Type::set(Type::Any)),
                "map" => Ok(Type::map(Type::Any)),
                other => Err(self.unknown(other, node)),
            },
            Kind::Call(call) => self.constructor(call, node),
            _ => Err(self
                .error("this is no type", node)
                .hint("types are `string`, `list(string)`, `object({ name = string })`, …")),
        }
    }

    fn constructor(&self, call: &Call, node: &Node) -> Result<Type, Diagnostic> {
        let [argument] = &call.arguments[..] else {
            return Err(self.error("a type takes one argument here", node));
        };
        match &*call.name.text {
            "list" => Ok(Type::list(self.ty(argument)?)),
            "set" => Ok(Type::set(self.ty(argument)?)),
            "map" => Ok(Type::map(self.ty(argument)?)),
            "tuple" => match &argument.kind {
                Kind::Tuple(items) => {
                    Ok(Type::Tuple(items.iter().map(|item| self.ty(item)).collect::<Result<_, _>>()?))
                }
                _ => Err(self.error("`tuple` takes a list of types", argument)),
            },
            "object" => match &argument.kind {
                Kind::Object(members) => self.object(members),
                _ => Err(self.error("`object` takes attributes and their types", argument)),
            },
            other => Err(self.unknown(other, node)),
        }
    }

    fn object(&self, members: &[Member]) -> Result<Type, Diagnostic> {
        let mut fields = BTreeMap::new();
        for member in members {
            match plain(&member.key) {
                Some(name) => fields.insert(name.to_owned(), self.field(&member.value)?),
                None => return Err(self.error("this is no attribute name", &member.key)),
            };
        }
        Ok(Type::Object(fields))
    }

    fn field(&self, node: &Node) -> Result<Field, Diagnostic> {
        let Kind::Call(call) = &node.kind else { return Ok(Field { ty: self.ty(node)?, optional: false }) };
        if &*call.name.text != "optional" {
            return Ok(Field { ty: self.ty(node)?, optional: false });
        }
        match call.arguments.first() {
            Some(ty) => Ok(Field { ty: self.ty(ty)?, optional: true }),
            None => Err(self.error("`optional` takes a type", node)),
        }
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
        let Kind::Call(call) = &node.kind else { return value };
        let Some(argument) = call.arguments.first() else { return value };
        let marks = value.marks;
        let data = match (&*call.name.text, value.data) {
            ("list" | "set", Data::Tuple(items)) => {
                Data::Tuple(items.into_iter().map(|item| self.fill(argument, item)).collect())
            }
            ("list" | "set", Data::List(items)) => {
                Data::List(items.into_iter().map(|item| self.fill(argument, item)).collect())
            }
            ("map", Data::Object(members) | Data::Map(members)) => {
                Data::Map(members.into_iter().map(|(name, member)| (name, self.fill(argument, member))).collect())
            }
            ("object", Data::Object(members) | Data::Map(members)) => match &argument.kind {
                Kind::Object(fields) => Data::Object(self.fill_object(fields, members.into_inner()).into()),
                _ => Data::Object(members),
            },
            ("optional", data) => return self.fill(argument, bimetal_model::Value { data, marks }),
            (_, data) => data,
        };
        bimetal_model::Value { data, marks }
    }

    fn fill_object(
        &self,
        fields: &[Member],
        mut members: BTreeMap<String, bimetal_model::Value>,
    ) -> BTreeMap<String, bimetal_model::Value> {
        for field in fields {
            let Some(name) = plain(&field.key).map(str::to_owned) else { continue };
            let given = members.remove(&name).filter(|value| !value.is_null());
            let value = given.or_else(|| self.default_of(&field.value));
            if let Some(value) = value {
                members.insert(name, self.fill(&field.value, value));
            }
        }
        members
    }

    fn default_of(&self, node: &Node) -> Option<bimetal_model::Value> {
        let Kind::Call(call) = &node.kind else { return None };
        if &*call.name.text != "optional" {
            return None;
        }
        let default = call.arguments.get(1)?;
        (self.evaluate)(&Expression::new(&self.file.file, default.clone()))
    }
}
