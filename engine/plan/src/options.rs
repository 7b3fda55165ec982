//! What is wished of a plan, beyond the configuration.

use std::collections::BTreeSet;

use bimetal_config::Claim;
use bimetal_model::{Address, Selector};
use serde::{Deserialize, Serialize};

/// What is planned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// To bring the world to the configuration.
    #[default]
    Apply,
    /// To remove everything in state.
    Destroy,
    /// To bring the state to the world: nothing is done.
    RefreshOnly,
}

/// What is wished of a plan.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is planned.
    pub mode: Mode,
    /// Only these and what they need; everything, where there are none.
    pub targets: Vec<Selector>,
    /// Not these, and not what needs them.
    pub excludes: Vec<Selector>,
    /// To be made anew, whatever their arguments say.
    pub replace: Vec<Selector>,
    /// To be taken over, beside what `import` blocks name.
    pub imports: Vec<Claim>,
}

impl From<Mode> for Options {
    fn from(mode: Mode) -> Self {
        Options { mode, ..Options::default() }
    }
}

impl Options {
    /// Whether something may be left out.
    pub fn is_partial(&self) -> bool {
        !self.targets.is_empty() || !self.excludes.is_empty()
    }

    /// All that is named, by the option that names it.
    pub(crate) fn named(&self) -> [(&'static str, &[Selector]); 3] {
        [("target", &self.targets), ("exclude", &self.excludes), ("replace", &self.replace)]
    }

    /// Whether an address is asked for, as far as its name goes.
    pub(crate) fn is_targeted(&self, address: &Address) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|target| target.holds(address))
    }

    /// Whether an address is to be left out.
    pub(crate) fn is_excluded(&self, address: &Address) -> bool {
        self.excludes.iter().any(|exclude| exclude.holds(address))
    }

    /// Whether all that there is of a block is to be left out.
    pub(crate) fn excludes_all_of(&self, block: &Address) -> bool {
        self.excludes.iter().any(|exclude| exclude.holds_all_of(block))
    }
}

/// What a plan is not about, where it is not about everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partial {
    /// As they were asked for.
    pub targets: Vec<Selector>,
    /// As they were asked for.
    pub excludes: Vec<Selector>,
    /// Blocks that were not looked at, or not done as a whole.
    pub left_out: BTreeSet<Address>,
    /// Outputs that rest on those: they stay as they are.
    pub outputs: BTreeSet<String>,
}
