//! Conversions and marks.

use bimetal_model::convert::convert;
use bimetal_model::{Type, Value};

use super::{Arguments, Error, Function, Result, shallow};

pub(super) const FUNCTIONS: &[Function] = &[
    shallow("tostring", 1, 1, |a| to(&a, &Type::String)),
    shallow("tonumber", 1, 1, |a| to(&a, &Type::Number)),
    shallow("tobool", 1, 1, |a| to(&a, &Type::Bool)),
    shallow("tolist", 1, 1, |a| to(&a, &Type::list(Type::Any))),
    shallow("toset", 1, 1, |a| to(&a, &Type::set(Type::Any))),
    shallow("tomap", 1, 1, |a| to(&a, &Type::map(Type::Any))),
    shallow("sensitive", 1, 1, |a| Ok(a.value(0).into_sensitive())),
    shallow("nonsensitive", 1, 1, |a| Ok(Value { sensitive: false, ..a.value(0) })),
    shallow("issensitive", 1, 1, |a| Ok(a.value(0).sensitive.into())),
];

fn to(arguments: &Arguments<'_>, ty: &Type) -> Result {
    convert(arguments.value(0), ty)
        .map_err(|mismatch| Error::argument(0, format!("this can't be converted: {}", mismatch.reason)))
}
