//! What an object will be as long as its provider says nothing of it.

use bimetal_model::schema::Block;
use bimetal_model::{Data, Members, Value};

use crate::marks::remark;
use crate::promises::promised;

/// What was written, and unknowns for what only the provider fills in.
pub(crate) fn untold(block: &Block, config: &Value) -> Value {
    let attributes = block.attributes.iter().map(|(name, attribute)| {
        let value = match config.member(name) {
            Some(value) => value.clone(),
            None if attribute.computed => Value::unknown(attribute.ty.clone()),
            None => Value::NULL,
        };
        (name.clone(), value)
    });
    let blocks = block.blocks.keys().map(|name| (name.clone(), config.member(name).cloned().unwrap_or(Value::NULL)));
    let members: Members = attributes.chain(blocks).collect();
    let value = block.without_write_only(Data::Object(members).into());
    promised(remark(value, block, Some(config)), block, config)
}
