//! The words that every room shares, and the ports to the world.
//!
//! Must not know the HCL parser, wasm, a database or the terminal; does no I/O.

pub mod address;
pub mod convert;
pub mod diagnostic;
pub mod event;
pub mod image;
pub mod json;
pub mod lease;
pub mod lineage;
pub mod number;
pub mod path;
pub mod placement;
pub mod platform;
pub mod port;
pub mod question;
pub mod schema;
pub mod selector;
pub mod snapshot;
pub mod ty;
mod unify;
pub mod value;
pub mod version;

pub use address::{Address, AddressParts, BlockKind, Key, ModulePath, ProviderKey, ProviderName};
pub use diagnostic::{Diagnostic, Diagnostics, Severity, Span};
pub use lineage::Lineage;
pub use number::Number;
pub use path::{Path, Step};
pub use platform::Platform;
pub use selector::Selector;
pub use ty::Type;
pub use value::{Bounds, Data, Items, Kind, Measure, Members, Named, Refinement, Value, ValueMarks};
