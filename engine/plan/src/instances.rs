//! The instances of a block: `count` and `for_each` worked out.

use bimetal_config::module::ObjectBlock;
use bimetal_config::{Desired, Scope};
use bimetal_model::{Diagnostics, Key, Value};

/// One instance of a block, and what `each` and `count` are there.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) key: Option<Key>,
    pub(crate) each: Option<(Value, Value)>,
    pub(crate) count_index: Option<u64>,
}

/// The variables of a configuration, and nothing else.
pub(crate) fn scope_of(desired: &Desired) -> Scope {
    Scope { variables: std::sync::Arc::new(desired.variables.clone()), ..Scope::new(desired.read.clone()) }
}

/// All instances of a block, in the order of their keys.
pub(crate) fn expand(block: &ObjectBlock, scope: &Scope) -> Result<Vec<Instance>, Diagnostics> {
    bimetal_config::expand(&block.repetition, scope)
}
