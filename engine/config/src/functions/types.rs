//! Conversions and marks.

use bimetal_model::convert::convert;
use bimetal_model::{Type, Value, ValueMarks};

use super::{Arguments, Error, Function, Result, shallow};

/// These are handed marks and unknown values as they are.
pub(super) const SEES_MARKS: [&str; 4] = ["sensitive", "nonsensitive", "issensitive", "ephemeralasnull"];

pub(super) fn functions() -> Vec<Function> {
    vec![
        shallow("tostring", 1, 1, Type::String, |a| to(&a, &Type::String)),
        shallow("tonumber", 1, 1, Type::Number, |a| to(&a, &Type::Number)),
        shallow("tobool", 1, 1, Type::Bool, |a| to(&a, &Type::Bool)),
        shallow("tolist", 1, 1, Type::list(Type::Any), |a| to(&a, &Type::list(Type::Any))),
        shallow("toset", 1, 1, Type::set(Type::Any), |a| to(&a, &Type::set(Type::Any))),
        shallow("tomap", 1, 1, Type::map(Type::Any), |a| to(&a, &Type::map(Type::Any))),
        shallow("sensitive", 1, 1, Type::Any, |a| Ok(a.value(0).clone().into_sensitive())),
        shallow("nonsensitive", 1, 1, Type::Any, |a| {
            let value = a.value(0).clone();
            Ok(Value { marks: ValueMarks { sensitive: false, ..value.marks }, ..value })
        }),
        shallow("issensitive", 1, 1, Type::Bool, |a| Ok(a.value(0).marks.sensitive.into())),
        shallow("ephemeralasnull", 1, 1, Type::Any, |a| {
            Ok(a.value(0).clone().map_parts(&mut |part| match part.marks.ephemeral {
                true => Value::null(part.ty()).with_sensitivity(part.marks.sensitive),
                false => part,
            }))
        }),
    ]
}

fn to(arguments: &Arguments<'_>, ty: &Type) -> Result {
    let converted = convert(arguments.value(0).clone(), ty);
    converted.map_err(|mismatch| Error::argument(0, format!("this can't be converted: {}", mismatch.reason)))
}
