//! YAML, as text and as values.

mod read;
mod scalar;
mod strict;
mod write;

use bimetal_model::Type;

use super::{Error, Function, any, deep, text};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("yamlencode", [any().or_null().or_anything()], Type::String, |a| Ok(write::text(a.value(0)).into())),
        deep("yamldecode", [text()], Type::Any, |a| {
            read::value(a.text(0)).map_err(|reason| Error::new(format!("this is no YAML: {reason}")))
        })
        .or_null(),
    ]
}
