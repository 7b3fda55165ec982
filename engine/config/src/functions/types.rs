//! Conversions and marks.

use bimetal_model::convert::convert;
use bimetal_model::{Type, Value, ValueMarks};

use super::{Arguments, Error, Function, Result, any, shallow};

pub(super) fn functions() -> Vec<Function> {
    vec![
        conversion("tostring", Type::String, |a| to(&a, &Type::String)),
        conversion("tonumber", Type::Number, |a| to(&a, &Type::Number)),
        conversion("tobool", Type::Bool, |a| to(&a, &Type::Bool)),
        conversion("tolist", Type::list(Type::Any), |a| to(&a, &Type::list(Type::Any))),
        conversion("toset", Type::set(Type::Any), |a| to(&a, &Type::set(Type::Any))),
        conversion("tomap", Type::map(Type::Any), |a| to(&a, &Type::map(Type::Any))),
        marks("sensitive", |a| Ok(a.value(0).clone().into_sensitive())),
        marks("nonsensitive", |a| {
            let value = a.value(0).clone();
            Ok(Value { marks: ValueMarks { sensitive: false, ..value.marks }, ..value })
        }),
        // What is unknown may come with a mark.
        marks("issensitive", |a| match a.value(0).marks.sensitive {
            false if a.value(0).is_unknown() => Ok(Value::unknown(Type::Bool).not_null()),
            is_sensitive => Ok(is_sensitive.into()),
        }),
        marks("ephemeralasnull", |a| {
            Ok(a.value(0).clone().map_parts(&mut |part| match part.marks.ephemeral {
                true => Value::null(part.ty()).with_sensitivity(part.marks.sensitive),
                false => part,
            }))
        }),
    ]
}

fn conversion(name: &'static str, gives: Type, run: fn(Arguments<'_>) -> Result) -> Function {
    shallow(name, [any().or_null().or_anything()], gives, run).or_unknown()
}

/// A function that is handed marks and unknown values as they are.
fn marks(name: &'static str, run: fn(Arguments<'_>) -> Result) -> Function {
    shallow(name, [any().or_null().or_anything()], Type::Any, run).seeing_marks()
}

fn to(arguments: &Arguments<'_>, ty: &Type) -> Result {
    let converted = convert(arguments.value(0).clone(), ty);
    converted.map_err(|mismatch| Error::argument(0, format!("this can't be converted: {}", mismatch.reason)))
}
