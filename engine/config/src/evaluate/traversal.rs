//! Ways into values: attributes, indices, splats.

use std::borrow::Cow;

use bimetal_model::convert::convert;
use bimetal_model::{Data, Diagnostic, Type, Value};
use hcl_edit::expr::{Expression as Node, Traversal, TraversalOperator};
use hcl_edit::{Decorated, Span as _};

use super::{Evaluated, Evaluator};
use crate::expression::{Target, target};
use crate::suggest::nearest_or_all;

type Operators = [Decorated<TraversalOperator>];

impl<'a> Evaluator<'a> {
    pub(super) fn traversal(&self, traversal: &Traversal) -> Evaluated<'a> {
        let whole = || Node::Traversal(Box::new(traversal.clone()));
        let Node::Variable(root) = &traversal.expr else {
            let value = self.value(&traversal.expr)?;
            return self.walk(value, &traversal.operators);
        };
        if let Some(value) = self.names.find(root.as_str()) {
            return self.walk(Cow::Owned(value.clone()), &traversal.operators);
        }
        match target(root.as_str(), &traversal.operators) {
            Some((target, taken)) => {
                let value = self.target(&target).map_err(|error| vec![self.at(error, traversal)])?;
                self.walk(value, &traversal.operators[taken..])
            }
            None => {
                let error = self.error(&whole(), format!("`{root}` alone stands for nothing"));
                let shape = match root.as_str() {
                    "machine" => "machine.<provider>.<name>",
                    "data" => "data.<type>.<name>",
                    "var" => "var.<name>",
                    "local" => "local.<name>",
                    other => return Err(vec![error.hint(format!("write `{other}.<name>`"))]),
                };
                Err(vec![error.hint(format!("write `{shape}`"))])
            }
        }
    }

    fn at(&self, error: Diagnostic, traversal: &Traversal) -> Diagnostic {
        let range = traversal.span().unwrap_or(0..0);
        error.at(&bimetal_model::Span { file: self.file.clone(), range })
    }

    fn target(&self, target: &Target) -> Result<Cow<'a, Value>, Diagnostic> {
        let scope = self.scope;
        let missing = |what: &str, name: &str, hint: String| {
            Err(Diagnostic::error(format!("no {what} `{name}` is declared")).hint(hint))
        };
        match target {
            Target::Variable(name) => match scope.variables.get(name) {
                Some(value) => Ok(Cow::Borrowed(value)),
                None => missing(
                    "variable",
                    name,
                    nearest_or_all(name, scope.variables.keys().map(String::as_str), "variable"),
                ),
            },
            Target::Local(name) => match scope.locals.get(name) {
                Some(value) => Ok(Cow::Borrowed(value)),
                None => missing("local", name, nearest_or_all(name, scope.locals.keys().map(String::as_str), "local")),
            },
            Target::Object(address) => match scope.objects.get(address) {
                Some(value) => Ok(Cow::Borrowed(value)),
                None => {
                    let known: Vec<String> = scope.objects.keys().map(ToString::to_string).collect();
                    let text = address.to_string();
                    missing("block", &text, nearest_or_all(&text, known.iter().map(String::as_str), "block"))
                }
            },
            Target::Each => match &scope.each {
                Some((key, value)) => {
                    Ok(Cow::Owned([("key", key.clone()), ("value", value.clone())].into_iter().collect()))
                }
                None => Err(Diagnostic::error("`each` is known only in a block with `for_each`")),
            },
            Target::Count => match scope.count_index {
                Some(index) => Ok(Cow::Owned([("index", Value::from(index))].into_iter().collect())),
                None => Err(Diagnostic::error("`count` is known only in a block with `count`")),
            },
            Target::Path => {
                let root = Value::from(scope.read.root());
                let here = Value::from(".");
                Ok(Cow::Owned([("module", here.clone()), ("root", here), ("cwd", root)].into_iter().collect()))
            }
        }
    }

    fn walk(&self, value: Cow<'a, Value>, operators: &Operators) -> Evaluated<'a> {
        let Some((operator, rest)) = operators.split_first() else { return Ok(value) };
        match operator.value() {
            TraversalOperator::AttrSplat(_) => {
                let is_attribute =
                    |o: &Decorated<TraversalOperator>| matches!(o.value(), TraversalOperator::GetAttr(_));
                let taken = rest.iter().take_while(|operator| is_attribute(operator)).count();
                let splat = self.splat(value.into_owned(), &rest[..taken])?;
                self.walk(Cow::Owned(splat), &rest[taken..])
            }
            TraversalOperator::FullSplat(_) => Ok(Cow::Owned(self.splat(value.into_owned(), rest)?)),
            TraversalOperator::GetAttr(name) => {
                let next =
                    self.attribute(value, name.as_str()).map_err(|error| vec![self.operator_error(error, operator)])?;
                self.walk(next, rest)
            }
            TraversalOperator::LegacyIndex(index) => {
                let key = Value::from(*index.value());
                let next = self.index(value, key).map_err(|error| vec![self.operator_error(error, operator)])?;
                self.walk(next, rest)
            }
            TraversalOperator::Index(node) => {
                let key = self.value(node)?.into_owned();
                let next = self.index(value, key).map_err(|error| vec![self.operator_error(error, operator)])?;
                self.walk(next, rest)
            }
        }
    }

    fn operator_error(&self, error: Diagnostic, operator: &Decorated<TraversalOperator>) -> Diagnostic {
        let range = operator.span().unwrap_or(0..0);
        error.at(&bimetal_model::Span { file: self.file.clone(), range })
    }

    /// `null` has no elements; what is no list is a list of one.
    fn splat(&self, value: Value, operators: &Operators) -> Result<Value, bimetal_model::Diagnostics> {
        let sensitive = value.sensitive;
        let items = match value.data {
            Data::Unknown(Type::List(_) | Type::Set(_) | Type::Any) => {
                return Ok(Value::unknown(Type::Any).with_sensitivity(sensitive));
            }
            Data::Null => Vec::new(),
            Data::List(items) | Data::Set(items) | Data::Tuple(items) => items,
            data => vec![data.into()],
        };
        let walked = items.into_iter().map(|item| {
            let evaluator = Evaluator { file: self.file, scope: self.scope, names: self.names };
            evaluator.walk(Cow::Owned(item), operators).map(Cow::into_owned)
        });
        let (values, diagnostics) = super::collect(walked);
        if diagnostics.is_empty() { Ok(Value::tuple(values).with_sensitivity(sensitive)) } else { Err(diagnostics) }
    }

    fn attribute(&self, value: Cow<'a, Value>, name: &str) -> Result<Cow<'a, Value>, Diagnostic> {
        let sensitive = value.sensitive;
        match &value.data {
            Data::Map(members) | Data::Object(members) => match members.contains_key(name) {
                true => Ok(member(value, name, sensitive)),
                false => {
                    let hint = nearest_or_all(name, members.keys().map(String::as_str), "attribute");
                    Err(Diagnostic::error(format!("there is no attribute `{name}`")).hint(hint))
                }
            },
            Data::Unknown(Type::Object(fields)) => match fields.get(name) {
                Some(field) => Ok(Cow::Owned(Value::unknown(field.ty.clone()).with_sensitivity(sensitive))),
                None => Err(Diagnostic::error(format!("there is no attribute `{name}`"))),
            },
            Data::Unknown(Type::Map(element)) => {
                Ok(Cow::Owned(Value::unknown((**element).clone()).with_sensitivity(sensitive)))
            }
            Data::Unknown(Type::Any) => Ok(Cow::Owned(Value::unknown(Type::Any).with_sensitivity(sensitive))),
            Data::Null => Err(Diagnostic::error(format!("`null` has no attribute `{name}`"))
                .hint("`try(…, default)` helps where it may be `null`")),
            Data::List(_) | Data::Set(_) | Data::Tuple(_) => {
                Err(Diagnostic::error(format!("this is a list, and has no attribute `{name}`"))
                    .hint(format!("one item: `[0].{name}`; all of them: `[*].{name}`")))
            }
            Data::Handle(_) => Err(Diagnostic::error("nobody can look into a handle").hint("pass it on as it is")),
            _ => Err(Diagnostic::error(format!("a {} has no attributes", value.ty()))),
        }
    }

    fn index(&self, value: Cow<'a, Value>, key: Value) -> Result<Cow<'a, Value>, Diagnostic> {
        let sensitive = value.sensitive || key.sensitive;
        if key.is_null() {
            return Err(Diagnostic::error("an index can't be `null`"));
        }
        if key.is_unknown() || value.is_unknown() {
            let ty = match value.ty() {
                Type::List(element) | Type::Map(element) => *element,
                _ => Type::Any,
            };
            return Ok(Cow::Owned(Value::unknown(ty).with_sensitivity(sensitive)));
        }
        match &value.data {
            Data::Map(members) | Data::Object(members) => {
                let Ok(Value { data: Data::String(name), .. }) = convert(key, &Type::String) else {
                    return Err(Diagnostic::error("a map is indexed by text"));
                };
                match members.contains_key(&name) {
                    true => Ok(member(value, &name, sensitive)),
                    false => {
                        let hint = nearest_or_all(
                            &name,
                            members.keys().map(String::as_str).take(20).collect::<Vec<_>>(),
                            "key",
                        );
                        Err(Diagnostic::error(format!("there is no key `{name}`")).hint(hint))
                    }
                }
            }
            Data::List(items) | Data::Tuple(items) => {
                let Some(place) = convert(key, &Type::Number).ok().and_then(|key| key.as_number()?.to_i64()) else {
                    return Err(Diagnostic::error("a list is indexed by whole numbers"));
                };
                match usize::try_from(place).ok().filter(|place| *place < items.len()) {
                    Some(place) => Ok(item(value, place, sensitive)),
                    None => Err(Diagnostic::error(format!("there is no item {place}"))
                        .because(format!("the list has {}", items.len()))),
                }
            }
            Data::Set(_) => Err(Diagnostic::error("a set has no order").hint("`tolist(…)` makes a list of it")),
            Data::Null => Err(Diagnostic::error("`null` can't be indexed")),
            Data::Handle(_) => Err(Diagnostic::error("nobody can look into a handle").hint("pass it on as it is")),
            _ => Err(Diagnostic::error(format!("a {} can't be indexed", value.ty()))),
        }
    }
}

fn member<'a>(value: Cow<'a, Value>, name: &str, sensitive: bool) -> Cow<'a, Value> {
    match value {
        Cow::Borrowed(value) => match value.as_members().and_then(|members| members.get(name)) {
            Some(found) if sensitive && !found.sensitive => Cow::Owned(found.clone().into_sensitive()),
            Some(found) => Cow::Borrowed(found),
            None => unreachable!("the caller looked"),
        },
        Cow::Owned(Value { data: Data::Map(mut members) | Data::Object(mut members), .. }) => {
            Cow::Owned(members.remove(name).unwrap_or(Value::NULL).with_sensitivity(sensitive))
        }
        Cow::Owned(_) => unreachable!("the caller looked"),
    }
}

fn item(value: Cow<'_, Value>, place: usize, sensitive: bool) -> Cow<'_, Value> {
    match value {
        Cow::Borrowed(value) => match value.as_items().and_then(|items| items.get(place)) {
            Some(found) if sensitive && !found.sensitive => Cow::Owned(found.clone().into_sensitive()),
            Some(found) => Cow::Borrowed(found),
            None => unreachable!("the caller looked"),
        },
        Cow::Owned(Value { data: Data::List(mut items) | Data::Tuple(mut items), .. }) => {
            Cow::Owned(items.swap_remove(place).with_sensitivity(sensitive))
        }
        Cow::Owned(_) => unreachable!("the caller looked"),
    }
}
