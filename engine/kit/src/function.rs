//! Functions: an answer or a reason for all arguments that fit, the same each time.

use bimetal_model::Value;
use bimetal_model::port::Functions;
use bimetal_model::schema::{FunctionSchema, ProviderSchema};
use bimetal_model::{Step, Type};

use crate::Subject;
use crate::ask::shown;
use crate::chance::Chance;
use crate::generate::of_type;
use crate::report::{Report, Verdict};

const TRIES: usize = 100;

pub(crate) fn check<P: Functions>(
    subject: &Subject<'_, P>,
    schema: &ProviderSchema,
    name: &str,
    report: &mut Report<'_>,
) {
    let Some(function) = schema.functions.get(name) else { return };
    let mut chance = Chance::of(name);
    let (mut broke, mut differs, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TRIES {
        let arguments = arguments(function, &mut chance);
        let call = || subject.answers.call(&subject.name, name, &arguments);
        let answer = call();
        if answer != call() {
            differs.push(format!("called twice with {}, and the answers differ", shown(&arguments)));
        }
        let Err(said) = answer else { continue };
        if let Some(what) = subject.broke(&said) {
            broke.push(format!("{what}, with {}", shown(&arguments)));
            continue;
        }
        let is_parameter = |step: &Step| matches!(step, Step::Attribute(name) if is_of(function, name));
        let lost = said.iter().filter(|one| one.path.0.first().is_some_and(|step| !is_parameter(step)));
        places.extend(
            lost.map(|one| format!("there is no parameter `{}`, which is named in: {}", one.path, one.summary)),
        );
    }
    let about = format!("provider::{}::{name}", subject.name);
    report.ended(&about, "it answers for all arguments of its types", Verdict::of(broke));
    report.ended(&about, "the same question gets the same answer", Verdict::of(differs));
    report.ended(&about, "what is wrong is said with a parameter", Verdict::of(places));
}

fn is_of(function: &FunctionSchema, name: &str) -> bool {
    function.parameters.iter().chain(&function.variadic).any(|parameter| parameter.name == name)
}

fn arguments(function: &FunctionSchema, chance: &mut Chance) -> Value {
    let mut arguments: Vec<(String, Value)> = Vec::new();
    for parameter in &function.parameters {
        let is_absent = parameter.optional && chance.one_in(2);
        let value = if is_absent { Value::NULL } else { of_type(&parameter.ty, chance) };
        arguments.push((parameter.name.clone(), value));
    }
    if let Some(rest) = &function.variadic {
        arguments.push((rest.name.clone(), of_type(&Type::list(rest.ty.clone()), chance)));
    }
    arguments.into_iter().collect()
}
