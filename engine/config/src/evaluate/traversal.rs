//! Ways into values: references, attributes, indices, splats.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bimetal_model::{Data, Diagnostic, Diagnostics, Key, ModulePath, Refinement, Span, Type, Value};
use bimetal_syntax::{Kind, Place, Step, StepKind, Traversal};

use super::{Evaluated, Evaluator, Names, collect};
use crate::expand::block_value;
use crate::expression::{Reference, Target, target};
use crate::module::{Call, Scoped};
use crate::suggest::{nearest, nearest_or_all};

mod step;

use step::{attribute, index, is_attribute, items};

impl<'a> Evaluator<'a> {
    pub(super) fn traversal(&self, traversal: &Traversal, whole: Place) -> Evaluated<'a> {
        let Kind::Name(root) = &traversal.root.kind else {
            let value = self.value(&traversal.root)?;
            return self.walk(value, &traversal.steps, traversal.root.place);
        };
        if let Some(value) = self.names.find(root) {
            return self.walk(Cow::Borrowed(value), &traversal.steps, traversal.root.place);
        }
        let at = |error: Diagnostic| vec![error.at(&self.place(whole))];
        if let Names::Nothing = self.names.outermost() {
            return Err(at(nothing_stands_here()));
        }
        if self.names.is_closed() {
            let hint = nearest_or_all(root, self.names.all(), "name");
            return Err(at(Diagnostic::error(format!("the template was given no `{root}`")).hint(hint)));
        }
        let (target, taken) = target(root, &traversal.steps).ok_or_else(|| at(shapeless(root)))?;
        let target = target.within(&self.home.path);
        let value = self.target(&target, traversal.steps.get(taken)).map_err(at)?;
        let taken = if matches!(target, Target::Each) { taken + 1 } else { taken };
        let walked = taken.checked_sub(1).and_then(|last| traversal.steps.get(last)).map(|step| step.place);
        let from = walked.map_or(traversal.root.place, |last| traversal.root.place.to(last));
        self.walk(value, traversal.steps.get(taken..).unwrap_or_default(), from)
    }

    fn place(&self, place: Place) -> Span {
        self.file.span(place)
    }

    pub(super) fn undeclared(&self, reference: &Reference) -> Option<Diagnostic> {
        self.target(&reference.target, None).err().map(|error| error.at(&reference.span))
    }

    fn target(&self, target: &Target, next: Option<&Step>) -> Result<Cow<'a, Value>, Diagnostic> {
        let scope = self.scope;
        match target {
            Target::Variable(name) => {
                let of_root = scope.variables.get(&name.name).filter(|_| name.module.is_root());
                let found = of_root.or_else(|| scope.inputs.get(name)).map(Cow::Borrowed);
                found.ok_or_else(|| missing("variable", &name.name, scope.variables.keys().map(String::as_str)))
            }
            Target::Local(name) => {
                let found = scope.locals.get(name).map(Cow::Borrowed);
                found.ok_or_else(|| missing("local", &name.name, names_in(&scope.locals, &name.module)))
            }
            Target::Module(name, output) => match scope.calls.get(name) {
                // How many instances it has is worked out later.
                Some(call) if !call.waits_for.is_empty() => Ok(Cow::Owned(Value::unknown(Type::Any))),
                Some(call) => Ok(Cow::Owned(self.module(name, call, output.as_deref()))),
                None => Err(missing("module", &name.name, names_in(&scope.calls, &name.module))),
            },
            Target::Object(address) => scope.objects.get(address).map(Cow::Borrowed).ok_or_else(|| {
                let known: Vec<String> = scope.objects.keys().map(ToString::to_string).collect();
                missing("block", &address.to_string(), known.iter().map(String::as_str))
            }),
            Target::This => match &scope.this {
                Some(value) => Ok(Cow::Borrowed(value)),
                None => Err(Diagnostic::error("`self` stands for something only in a `postcondition`")),
            },
            Target::Each => self.each(next),
            Target::Count => match scope.count_index {
                Some(index) => Ok(Cow::Owned([("index", Value::from(index))].into_iter().collect())),
                None => Err(Diagnostic::error("`count` is known only in a block with `count`")),
            },
            Target::Workspace => {
                let state = Value::from(&*scope.outside.state);
                Ok(Cow::Owned([("workspace", state)].into_iter().collect()))
            }
            Target::Path => {
                let folder = if self.home.folder.is_empty() { "." } else { &self.home.folder };
                let (cwd, root, module) =
                    (Value::from(scope.outside.read.root()), Value::from("."), Value::from(folder));
                Ok(Cow::Owned([("module", module), ("root", root), ("cwd", cwd)].into_iter().collect()))
            }
        }
    }

    /// The outputs of a module, or one of them: as a block has its value, of all instances.
    fn module(&self, name: &Scoped, call: &Call, output: Option<&str>) -> Value {
        let instance = |key: &Option<Key>| {
            let path = name.module.then(&name.name, key.clone());
            let from = Scoped { module: path.clone(), name: output.unwrap_or_default().to_owned() };
            let outputs = self.scope.results.range(from..).take_while(|(found, _)| found.module == path);
            let outputs = outputs.filter(|(found, _)| output.is_none_or(|wanted| found.name == wanted));
            (key.clone(), outputs.map(|(found, value)| (found.name.clone(), value.clone())).collect())
        };
        block_value(&call.repetition, call.keys.iter().map(instance).collect())
    }

    fn each(&self, next: Option<&Step>) -> Result<Cow<'a, Value>, Diagnostic> {
        let Some((key, value)) = &self.scope.each else {
            return Err(Diagnostic::error("`each` is known only in a block with `for_each`"));
        };
        match next.map(|step| &step.kind) {
            Some(StepKind::Attribute(name)) if &**name == "key" => Ok(Cow::Borrowed(key)),
            Some(StepKind::Attribute(name)) if &**name == "value" => Ok(Cow::Borrowed(value)),
            _ => Err(Diagnostic::error("`each` has `key` and `value`, and nothing else")),
        }
    }

    /// Goes these steps into a value, which is written there.
    fn walk(&self, mut value: Cow<'a, Value>, steps: &[Step], from: Place) -> Evaluated<'a> {
        let (mut rest, mut walked) = (steps, from);
        while let Some((step, tail)) = rest.split_first() {
            rest = tail;
            let at = |error: Diagnostic| vec![error.at(&self.place(step.place))];
            value = match &step.kind {
                StepKind::Attribute(name) => attribute(value, name).map_err(at)?,
                StepKind::LegacyIndex(place) => index(value, &Value::from((**place).clone())).map_err(at)?,
                StepKind::Index(node) => {
                    let key = self.value(node)?;
                    index(value, &key).map_err(at)?
                }
                StepKind::AttributeSplat => {
                    let (taken, behind) = tail.split_at(tail.iter().take_while(|step| is_attribute(step)).count());
                    rest = behind;
                    Cow::Owned(self.splat(value, taken, walked)?)
                }
                StepKind::FullSplat => return Ok(Cow::Owned(self.splat(value, tail, walked)?)),
            };
            walked = walked.to(step.place);
        }
        Ok(value)
    }

    /// `null` has no elements; what is no list is a list of one.
    fn splat(&self, value: Cow<'a, Value>, steps: &[Step], from: Place) -> Result<Value, Diagnostics> {
        let marks = value.marks;
        let result = match &value.data {
            Data::Null(bimetal_model::Kind(ty @ (Type::List(_) | Type::Set(_) | Type::Tuple(_)))) => {
                let error = Diagnostic::error(format!("this {ty} is `null`, and has no elements to go over"));
                return Err(vec![error.at(&self.place(from)).hint("`coalesce(…, [])` helps where it may be `null`")]);
            }
            Data::Unknown(Type::Any, _) => Value::unknown(Type::Any),
            Data::Unknown(Type::List(_) | Type::Set(_), _) => self.later(&value, steps, from)?,
            Data::Set(_) if value.has_open_length() => self.later(&value, steps, from)?,
            Data::List(items) | Data::Set(items) if items.is_empty() => self.later(&value, steps, from)?,
            // It may turn out to be `null`, and then has no elements.
            Data::Unknown(ty, refinement) if !refinement.is_not_null() && !matches!(ty, Type::Tuple(_)) => {
                self.walk(Cow::Owned(Value::unknown(ty.clone())), steps, from)?;
                Value::unknown(Type::Any).not_null()
            }
            data => {
                let is_list = matches!(data, Data::List(_) | Data::Set(_));
                let walked = items(value).into_iter().map(|item| self.walk(item, steps, from).map(Cow::into_owned));
                let values = collect(walked)?;
                if is_list { Value::list(Type::Any, values) } else { Value::tuple(values) }
            }
        };
        Ok(result.with_marks(marks))
    }

    /// Over items that are not there, or not yet: as many as there will be.
    fn later(&self, items: &Value, steps: &[Step], from: Place) -> Result<Value, Diagnostics> {
        let element = match items.ty() {
            Type::List(element) | Type::Set(element) => *element,
            _ => Type::Any,
        };
        let element = self.walk(Cow::Owned(Value::unknown(element)), steps, from)?;
        Ok(Value::refined(Type::list(element.ty()), Refinement::of_lengths(items.lengths().unwrap_or_default())))
    }
}

/// What is said where variables get their values.
pub(super) fn nothing_stands_here() -> Diagnostic {
    Diagnostic::error("names stand for nothing here").hint("write the value itself")
}

fn names_in<'m, V>(map: &'m BTreeMap<Scoped, V>, module: &ModulePath) -> impl Iterator<Item = &'m str> + Clone {
    map.keys().filter(move |name| name.module == *module).map(|name| name.name.as_str())
}

fn missing<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Diagnostic {
    Diagnostic::error(format!("no {what} `{name}` is declared")).hint(nearest_or_all(name, known, what))
}

/// A name that lacks what must stand behind it.
pub(crate) fn shapeless(root: &str) -> Diagnostic {
    let error = Diagnostic::error(format!("`{root}` alone stands for nothing"));
    let shape = match root {
        "machine" => "machine.<provider>.<name>".to_owned(),
        "data" => "data.<type>.<name>".to_owned(),
        other => match nearest(other, super::ROOTS) {
            Some(hint) if !super::ROOTS.contains(&other) => return error.hint(hint),
            _ => format!("{other}.<name>"),
        },
    };
    error.hint(format!("write `{shape}`"))
}
