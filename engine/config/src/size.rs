//! How large a value may become: a few lines can ask for more than there is memory.

use bimetal_model::Value;

/// Of one text, in bytes. A file may be larger, and is then left as it is.
pub(crate) const MOST_TEXT: usize = 128 << 20;
/// Of all that is in one value, in bytes, roughly; what is in it twice counts twice.
const MOST_BYTES: u64 = 1 << 30;
/// Values within each other.
const MOST_LEVELS: u32 = 1_000;

/// What is wrong with a text that is too long.
pub(crate) fn too_long() -> String {
    format!("the text would be longer than {} MiB", MOST_TEXT >> 20)
}

/// What is wrong with the size of a value, if something is.
pub(crate) fn check(value: &Value) -> Result<(), String> {
    let measure = value.measure();
    if measure.levels > MOST_LEVELS {
        return Err(format!("this value is more than {MOST_LEVELS} levels deep"));
    }
    if measure.bytes > MOST_BYTES {
        return Err(format!("this value is larger than {} GiB, what is in it twice counted twice", MOST_BYTES >> 30));
    }
    Ok(())
}
