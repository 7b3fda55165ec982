//! The evaluator: a function of (expression, scope).

mod operator;
mod template;
mod traversal;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_model::convert::{convert, unify};
use bimetal_model::{Address, Data, Diagnostic, Diagnostics, Number, Span, Type, Value};
use hcl_edit::Span as _;
use hcl_edit::expr::{Conditional, Expression as Node, ForExpr, FuncCall, Object, ObjectKey};

use crate::expression::Expression;
use crate::functions;
use crate::suggest::nearest;

/// Files that functions read. Comes in from the edge.
pub trait ReadFiles: Send + Sync {
    /// The bytes of a file, relative to the configuration's root; otherwise what is wrong with it.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
    /// The configuration's root.
    fn root(&self) -> String;
}

/// No file at all, for what needs none.
pub struct NoFiles;

impl ReadFiles for NoFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("`{path}`: there are no files here"))
    }

    fn root(&self) -> String {
        ".".to_owned()
    }
}

/// What names stand for. Cheap to clone.
#[derive(Clone)]
pub struct Scope {
    /// `var.…`
    pub variables: Arc<BTreeMap<String, Value>>,
    /// `local.…`
    pub locals: Arc<BTreeMap<String, Value>>,
    /// Whole blocks.
    pub objects: Arc<BTreeMap<Address, Value>>,
    /// `each.key` and `each.value`, inside a block with `for_each`.
    pub each: Option<(Value, Value)>,
    /// `count.index`, inside a block with `count`.
    pub count_index: Option<u64>,
    /// For `file` and its like.
    pub read: Arc<dyn ReadFiles>,
}

impl Scope {
    /// Nothing but files.
    pub fn new(read: Arc<dyn ReadFiles>) -> Self {
        Scope {
            variables: Arc::default(),
            locals: Arc::default(),
            objects: Arc::default(),
            each: None,
            count_index: None,
            read,
        }
    }
}

/// The value of an expression.
///
/// Invariant: what is made from something sensitive is sensitive (test: `sensitivity_spreads`).
pub fn evaluate(expression: &Expression, scope: &Scope) -> Result<Value, Diagnostics> {
    let evaluator = Evaluator { file: &expression.file.name, scope, names: &Names::None };
    evaluator.value(&expression.node).map(Cow::into_owned)
}

/// Names that `for` expressions and template loops bind.
pub(crate) enum Names<'a> {
    None,
    Bound { name: &'a str, value: Value, outer: &'a Names<'a> },
}

impl<'a> Names<'a> {
    fn find(&self, wanted: &str) -> Option<&Value> {
        match self {
            Names::None => None,
            Names::Bound { name, value, .. } if *name == wanted => Some(value),
            Names::Bound { outer, .. } => outer.find(wanted),
        }
    }
}

pub(crate) struct Evaluator<'a> {
    pub(crate) file: &'a Arc<str>,
    pub(crate) scope: &'a Scope,
    pub(crate) names: &'a Names<'a>,
}

pub(crate) type Evaluated<'a> = Result<Cow<'a, Value>, Diagnostics>;

impl<'a> Evaluator<'a> {
    pub(crate) fn value(&self, node: &Node) -> Evaluated<'a> {
        let owned = |value: Value| Ok(Cow::Owned(value));
        match node {
            Node::Null(_) => owned(Value::NULL),
            Node::Bool(value) => owned(Value::from(*value.value())),
            Node::Number(_) => owned(self.number(node)?),
            Node::String(text) => owned(Value::from(text.as_str())),
            Node::Array(items) => owned(self.array(items.iter())?),
            Node::Object(members) => owned(self.object(members)?),
            Node::StringTemplate(template) => owned(self.quoted(template)?),
            Node::HeredocTemplate(heredoc) => owned(self.heredoc(&heredoc.template)?),
            Node::Parenthesis(inner) => self.value(inner.inner()),
            Node::Variable(name) => self.name(name.as_str(), node),
            Node::Conditional(conditional) => self.conditional(conditional),
            Node::FuncCall(call) => owned(self.call(call, node)?),
            Node::Traversal(traversal) => self.traversal(traversal),
            Node::UnaryOp(operation) => owned(self.unary(operation)?),
            Node::BinaryOp(operation) => owned(self.binary(operation)?),
            Node::ForExpr(comprehension) => owned(self.comprehension(comprehension)?),
        }
    }

    pub(crate) fn span(&self, node: &Node) -> Span {
        Span { file: self.file.clone(), range: node.span().unwrap_or(0..0) }
    }

    pub(crate) fn error(&self, node: &Node, summary: impl Into<String>) -> Diagnostic {
        Diagnostic::error(summary).at(&self.span(node))
    }

    /// The literal digit by digit: no detour over a double.
    fn number(&self, node: &Node) -> Result<Value, Diagnostics> {
        let Node::Number(literal) = node else { unreachable!("called for numbers only") };
        let written = literal.as_repr().map(|repr| repr.to_string());
        let text = written.unwrap_or_else(|| literal.value().to_string());
        text.trim().parse::<Number>().map(Value::from).map_err(|reason| vec![self.error(node, reason)])
    }

    fn array<'n>(&self, items: impl Iterator<Item = &'n Node>) -> Result<Value, Diagnostics> {
        let (values, diagnostics) = collect(items.map(|item| self.value(item).map(Cow::into_owned)));
        if diagnostics.is_empty() { Ok(Value::tuple(values)) } else { Err(diagnostics) }
    }

    fn object(&self, members: &Object) -> Result<Value, Diagnostics> {
        let mut object = BTreeMap::new();
        let mut sensitive = false;
        let mut diagnostics = Vec::new();
        for (key, value) in members {
            match (self.key(key), self.value(value.expr())) {
                (Ok(Some((name, is_sensitive))), Ok(value)) => {
                    sensitive |= is_sensitive;
                    object.insert(name, value.into_owned());
                }
                (Ok(None), Ok(_)) => return Ok(Value::unknown(Type::Any)),
                (key, value) => {
                    diagnostics.extend(key.err().unwrap_or_default());
                    diagnostics.extend(value.err().unwrap_or_default());
                }
            }
        }
        match diagnostics.is_empty() {
            true => Ok(Value::from(Data::Object(object)).with_sensitivity(sensitive)),
            false => Err(diagnostics),
        }
    }

    /// `None`: the key is unknown.
    fn key(&self, key: &ObjectKey) -> Result<Option<(String, bool)>, Diagnostics> {
        let node = match key {
            ObjectKey::Ident(name) => return Ok(Some((name.to_string(), false))),
            ObjectKey::Expression(node) => node,
        };
        self.map_key(node, self.value(node)?.into_owned())
    }

    fn map_key(&self, node: &Node, value: Value) -> Result<Option<(String, bool)>, Diagnostics> {
        if value.is_null() {
            return Err(vec![self.error(node, "a key can't be `null`")]);
        }
        let sensitive = value.sensitive;
        match convert(value, &Type::String) {
            Ok(Value { data: Data::String(text), .. }) => Ok(Some((text, sensitive))),
            Ok(_) => Ok(None),
            Err(mismatch) => Err(vec![self.error(node, format!("this can't be a key: {}", mismatch.reason))]),
        }
    }

    fn name(&self, name: &str, node: &Node) -> Evaluated<'a> {
        if let Some(value) = self.names.find(name) {
            return Ok(Cow::Owned(value.clone()));
        }
        let mut known: Vec<&str> = vec!["var", "local", "machine", "pool", "service", "data"];
        let mut names = self.names;
        while let Names::Bound { name, outer, .. } = names {
            known.push(name);
            names = outer;
        }
        let error = self.error(node, format!("`{name}` stands for nothing"));
        let hint = nearest(name, known).unwrap_or_else(|| format!("text stands between quotes: `\"{name}\"`"));
        Err(vec![error.hint(hint)])
    }

    fn conditional(&self, conditional: &Conditional) -> Evaluated<'a> {
        let condition = self.value(&conditional.cond_expr)?.into_owned();
        let (sensitive, decided) = (condition.sensitive, self.truth(&conditional.cond_expr, condition)?);
        // The other side is not evaluated for its value, but for its type: `true ? 1 : "a"` is a string.
        let (yes, no) = match decided {
            Some(true) => (Some(self.value(&conditional.true_expr)?), self.value(&conditional.false_expr).ok()),
            Some(false) => (self.value(&conditional.true_expr).ok(), Some(self.value(&conditional.false_expr)?)),
            None => (Some(self.value(&conditional.true_expr)?), Some(self.value(&conditional.false_expr)?)),
        };
        let ty = match (&yes, &no) {
            (Some(yes), Some(no)) => match unify_sides(yes, no) {
                Some(ty) => ty,
                None => {
                    let error = self.error(&conditional.true_expr, "the two sides of this choice have different types");
                    let detail = format!("one is {}, the other is {}", yes.ty(), no.ty());
                    return Err(vec![error.because(detail)]);
                }
            },
            _ => Type::Any,
        };
        let chosen = match decided {
            Some(true) => yes,
            Some(false) => no,
            None => return Ok(Cow::Owned(Value::unknown(ty).with_sensitivity(sensitive))),
        };
        let Some(chosen) = chosen else { unreachable!("the chosen side was evaluated") };
        if !sensitive && (ty == Type::Any || chosen.ty() == ty || chosen.is_null()) {
            return Ok(chosen);
        }
        let original = chosen.into_owned();
        let converted = convert(original.clone(), &ty).unwrap_or(original);
        Ok(Cow::Owned(converted.with_sensitivity(sensitive)))
    }

    /// `None`: unknown.
    pub(crate) fn truth(&self, node: &Node, value: Value) -> Result<Option<bool>, Diagnostics> {
        if value.is_null() {
            return Err(vec![self.error(node, "a condition can't be `null`")]);
        }
        match convert(value, &Type::Bool) {
            Ok(value) => Ok(value.as_bool()),
            Err(mismatch) => Err(vec![self.error(node, format!("this is no condition: {}", mismatch.reason))]),
        }
    }

    fn call(&self, call: &FuncCall, node: &Node) -> Result<Value, Diagnostics> {
        let namespace = call.name.namespace.iter().map(|part| format!("{}::", part.as_str()));
        let name = &namespace.chain([call.name.name.to_string()]).collect::<String>();
        let nodes: Vec<&Node> = call.args.iter().collect();
        match name.as_str() {
            "try" => return self.try_each(&nodes, node),
            "can" => return Ok(Value::from(nodes.first().is_some_and(|only| self.value(only).is_ok()))),
            _ => {}
        }
        let (mut values, diagnostics) = collect(nodes.iter().map(|argument| self.value(argument).map(Cow::into_owned)));
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
        if call.args.expand_final()
            && let Some(last) = values.pop()
        {
            match last.as_items() {
                Some(items) => values.extend(items.iter().cloned().map(|item| item.with_sensitivity(last.sensitive))),
                None if last.is_unknown() => return Ok(Value::unknown(Type::Any)),
                None => return Err(vec![self.error(node, "only a list can be spread over arguments")]),
            }
        }
        functions::call(name, values, self.scope).map_err(|error| vec![self.function_error(error, &nodes, node)])
    }

    fn function_error(&self, error: functions::Error, arguments: &[&Node], node: &Node) -> Diagnostic {
        let at = error.argument.and_then(|place| arguments.get(place).copied()).unwrap_or(node);
        let diagnostic = self.error(at, error.reason);
        match error.hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        }
    }

    fn try_each(&self, nodes: &[&Node], node: &Node) -> Result<Value, Diagnostics> {
        let mut diagnostics = vec![self.error(node, "none of the arguments of `try` has a value")];
        for argument in nodes {
            match self.value(argument) {
                Ok(value) => return Ok(value.into_owned()),
                Err(errors) => diagnostics.extend(errors),
            }
        }
        Err(diagnostics)
    }

    fn comprehension(&self, comprehension: &ForExpr) -> Result<Value, Diagnostics> {
        let intro = &comprehension.intro;
        let collection = self.value(&intro.collection_expr)?.into_owned();
        let sensitive = collection.sensitive;
        let Some(pairs) = self.pairs(&intro.collection_expr, collection)? else {
            return Ok(Value::unknown(Type::Any).with_sensitivity(sensitive));
        };
        let key_name = intro.key_var.as_ref().map(|name| name.as_str());
        let mut builder = Builder::new(comprehension.key_expr.is_some(), comprehension.grouping);
        let mut diagnostics = Vec::new();
        for (key, value) in pairs {
            let value_names = Names::Bound { name: intro.value_var.as_str(), value, outer: self.names };
            let names = match key_name {
                Some(name) => Names::Bound { name, value: key, outer: &value_names },
                None => Names::Bound { name: "", value: Value::NULL, outer: &value_names },
            };
            let inner = Evaluator { file: self.file, scope: self.scope, names: &names };
            if let Err(errors) = inner.item(comprehension, &mut builder) {
                diagnostics.extend(errors);
            }
        }
        match diagnostics.is_empty() {
            true => Ok(builder.finish().with_sensitivity(sensitive)),
            false => Err(diagnostics),
        }
    }

    fn item(&self, comprehension: &ForExpr, builder: &mut Builder) -> Result<(), Diagnostics> {
        if let Some(condition) = &comprehension.cond {
            let value = self.value(&condition.expr)?.into_owned();
            match self.truth(&condition.expr, value)? {
                Some(true) => {}
                Some(false) => return Ok(()),
                None => {
                    builder.unknown = true;
                    return Ok(());
                }
            }
        }
        let value = self.value(&comprehension.value_expr)?.into_owned();
        let Some(key_node) = &comprehension.key_expr else {
            builder.items.push(value);
            return Ok(());
        };
        let key = self.value(key_node)?.into_owned();
        match self.map_key(key_node, key)? {
            None => builder.unknown = true,
            Some((name, sensitive)) => {
                builder.sensitive |= sensitive;
                if !builder.put(name.clone(), value) {
                    let error = self.error(key_node, format!("two items have the key `{name}`"));
                    return Err(vec![error.hint("group them: put `...` behind the value")]);
                }
            }
        }
        Ok(())
    }

    /// Keys and values of a collection; `None` where it is unknown.
    fn pairs(&self, node: &Node, value: Value) -> Result<Option<Vec<(Value, Value)>>, Diagnostics> {
        let ty = value.ty();
        Ok(Some(match value.data {
            Data::List(items) | Data::Tuple(items) => {
                items.into_iter().enumerate().map(|(index, item)| (Value::from(index as u64), item)).collect()
            }
            Data::Set(items) => items.into_iter().map(|item| (item.clone(), item)).collect(),
            Data::Map(members) | Data::Object(members) => {
                members.into_iter().map(|(name, value)| (Value::from(name), value)).collect()
            }
            Data::Unknown(_) => return Ok(None),
            Data::Null => return Err(vec![self.error(node, "can't go through `null`")]),
            _ => {
                return Err(vec![
                    self.error(node, format!("can't go through a {ty}")).hint("`for` takes a list, set, map or object"),
                ]);
            }
        }))
    }
}

/// `{}` and `[]` take the type of the other side.
fn unify_sides(yes: &Value, no: &Value) -> Option<Type> {
    if yes.is_null() || no.is_null() {
        return unify([yes.ty(), no.ty()]);
    }
    let (one, other) = (yes.ty(), no.ty());
    match (&one, &other) {
        (Type::Tuple(_), Type::Tuple(_)) if one != other => unify([one, other]).or(Some(Type::Any)),
        (Type::Object(_), Type::Object(_)) if one != other => unify([one, other]).or(Some(Type::Any)),
        _ => unify([one, other]),
    }
}

/// What a `for` expression gathers.
struct Builder {
    items: Vec<Value>,
    members: BTreeMap<String, Vec<Value>>,
    is_object: bool,
    grouping: bool,
    unknown: bool,
    sensitive: bool,
}

impl Builder {
    fn new(is_object: bool, grouping: bool) -> Self {
        Builder { items: Vec::new(), members: BTreeMap::new(), is_object, grouping, unknown: false, sensitive: false }
    }

    /// `false`: the key is taken.
    fn put(&mut self, name: String, value: Value) -> bool {
        let values = self.members.entry(name).or_default();
        let is_free = values.is_empty() || self.grouping;
        values.push(value);
        is_free
    }

    fn finish(self) -> Value {
        if self.unknown {
            return Value::unknown(Type::Any);
        }
        if !self.is_object {
            return Value::tuple(self.items);
        }
        let one = |mut values: Vec<Value>| match self.grouping {
            true => Value::tuple(values),
            false => values.pop().unwrap_or(Value::NULL),
        };
        let object: Value = self.members.into_iter().map(|(name, values)| (name, one(values))).collect();
        object.with_sensitivity(self.sensitive)
    }
}

fn collect<T>(results: impl Iterator<Item = Result<T, Diagnostics>>) -> (Vec<T>, Diagnostics) {
    let (mut values, mut diagnostics) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(errors) => diagnostics.extend(errors),
        }
    }
    (values, diagnostics)
}
