//! What people see. Data in, text out; nothing here prints.

pub(crate) mod diagnostic;
pub(crate) mod left;
pub(crate) mod lock;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod value;
pub(crate) mod wrap;
