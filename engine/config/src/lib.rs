//! Text to a module to what is desired, and the evaluator.
//!
//! The only room that names the HCL parser. Does no I/O: files that functions read come in through `ReadFiles`.

mod altered;
mod assertion;
pub mod builtin;
mod condition;
pub mod console;
mod decode;
mod derive;
mod desired;
mod encryption;
mod evaluate;
mod expand;
mod explain;
mod expression;
mod flatten;
mod functions;
mod graph;
mod import;
pub mod lock;
pub mod module;
mod package;
mod parse;
mod shape;
mod size;
mod suggest;
pub mod suite;
mod trigger;
mod types;
mod unknown;
mod variables;

pub use altered::Alterations;
pub use assertion::{Assertion, assertion, checked};
pub use condition::unmet;
pub use decode::{decode, decode_stored};
pub use derive::{derive, is_derived, lasting};
pub use desired::{Desired, Node, altered, constant, desired, providers};
pub use encryption::{key_variables, missing_variables};
pub use evaluate::{Acting, Moment, Outside, ReadFiles, Scope, evaluate};
pub use expand::{Instance, block_value, expand, expand_one};
pub use expression::{Expression, Reference, Target};
pub use flatten::{calls, missing_modules, modules};
pub use functions::function_names;
pub use import::{Claim, claims};
pub use module::{Module, SourceFile};
pub use package::{Wanted, packages};
pub use parse::package::package_of;
pub use parse::{parse, parse_expression, parse_suite};
pub use suggest::{nearest, nearest_or_all};
pub use trigger::{Trigger, trigger};
pub use unknown::{Unknown, unknown};
pub use variables::{Argument, Given, unmet_of, values};
