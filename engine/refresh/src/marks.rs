//! What is sensitive stays so: providers answer without marks, and those of what was known before are put back.

use bimetal_model::value::ValueMarks;
use bimetal_model::{Data, Value};

/// The value, sensitive where `marked` is. Items of a set have no place of their own: one makes the whole set so.
pub(crate) fn carry(mut value: Value, marked: &Value) -> Value {
    if marked.all_marks() == ValueMarks::NONE {
        return value;
    }
    if !value.is_null() {
        value.marks |= marked.marks;
    }
    match (&mut value.data, &marked.data) {
        (Data::Set(_), _) | (_, Data::Set(_)) => value.marks |= marked.all_marks(),
        (Data::List(items) | Data::Tuple(items), Data::List(marked) | Data::Tuple(marked)) => {
            for (item, marked) in items.iter_mut().zip(marked) {
                *item = carry(std::mem::replace(item, Value::NULL), marked);
            }
        }
        (Data::Map(members) | Data::Object(members), Data::Map(marked) | Data::Object(marked)) => {
            for (name, marked) in marked {
                if let Some(member) = members.get_mut(name) {
                    *member = carry(std::mem::replace(member, Value::NULL), marked);
                }
            }
        }
        _ => {}
    }
    value
}
