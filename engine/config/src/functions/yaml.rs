//! YAML, as text and as values.

mod read;
mod scalar;
mod write;

use bimetal_model::Type;

use super::{Error, Function, deep};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("yamlencode", 1, 1, Type::String, |a| Ok(write::text(a.value(0)).into())),
        deep("yamldecode", 1, 1, Type::Any, |a| {
            read::value(&a.text(0)?).map_err(|reason| Error::argument(0, format!("this is no YAML: {reason}")))
        }),
    ]
}
