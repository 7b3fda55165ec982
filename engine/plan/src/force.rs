//! Which differences mean a new object, by the schema.

use bimetal_model::schema::{Block, NestedBlock};
use bimetal_model::{Path, Step, Value};

use crate::compare::same;

/// What `null` in an existing object says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// There is nothing.
    Known,
    /// The object is half made: it is not told yet.
    Unknown,
}

/// The places that differ and can't be changed in place.
pub(crate) fn forced(block: &Block, config: &Value, prior: &Value, planned: &Value, nulls: Nulls) -> Vec<Path> {
    let mut paths = Vec::new();
    Finder { nulls, paths: &mut paths }.visit(block, &Path::root(), [config, prior, planned]);
    paths
}

struct Finder<'a> {
    nulls: Nulls,
    paths: &'a mut Vec<Path>,
}

impl Finder<'_> {
    fn visit(&mut self, block: &Block, at: &Path, trio: [&Value; 3]) {
        for (name, attribute) in &block.attributes {
            let [config, prior, planned] = members(trio, name);
            // The provider fills it in: what it will be is not the user's wish.
            let is_open = planned.is_unknown() && config.is_null();
            if attribute.force_new && !is_open && self.differs(prior, planned) {
                self.paths.push(at.then(Step::Attribute(name.clone())));
            }
        }
        for (name, nested) in &block.blocks {
            self.visit_nested(nested, &at.then(Step::Attribute(name.clone())), members(trio, name));
        }
    }

    fn visit_nested(&mut self, nested: &NestedBlock, at: &Path, [config, prior, planned]: [&Value; 3]) {
        if nested.force_new && self.differs(prior, planned) {
            return self.paths.push(at.clone());
        }
        match (config.as_items(), prior.as_items(), planned.as_items()) {
            (Some(config), Some(prior), Some(planned)) => {
                for (place, ((config, prior), planned)) in config.iter().zip(prior).zip(planned).enumerate() {
                    self.visit(&nested.block, &at.then(Step::Index(place as u32)), [config, prior, planned]);
                }
            }
            _ if prior.as_members().is_some() && planned.as_members().is_some() => {
                self.visit(&nested.block, at, [config, prior, planned]);
            }
            _ => {}
        }
    }

    fn differs(&self, prior: &Value, planned: &Value) -> bool {
        !(same(prior, planned) || self.nulls == Nulls::Unknown && prior.is_null())
    }
}

fn members<'v>(trio: [&'v Value; 3], name: &str) -> [&'v Value; 3] {
    trio.map(|value| value.member(name).unwrap_or(&Value::NULL))
}
