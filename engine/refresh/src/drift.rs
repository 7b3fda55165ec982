//! What differs between what state remembers and what exists.

use bimetal_model::question::Drift;
use bimetal_model::snapshot::{Object, Stored};
use bimetal_model::{Address, Data, Value};

/// The difference, if there is one. A half made object is expected to go on changing.
pub(crate) fn between(address: &Address, before: &Stored, after: Option<&Object>) -> Option<Drift> {
    let is_same = match after {
        Some(after) => before.unfinished.is_some() || same(&before.object.value, &after.value),
        None => false,
    };
    let drift = || Drift {
        address: address.clone(),
        before: before.object.value.clone(),
        after: after.map(|object| object.value.clone()),
    };
    (!is_same).then(drift)
}

/// Whether two values are the same but for marks, what JSON can't tell apart, and members that are `null`.
fn same(one: &Value, other: &Value) -> bool {
    match (&one.data, &other.data) {
        (Data::List(a) | Data::Tuple(a) | Data::Set(a), Data::List(b) | Data::Tuple(b) | Data::Set(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Data::Map(a) | Data::Object(a), Data::Map(b) | Data::Object(b)) => {
            let agree = |name: &String| match (one.member(name), other.member(name)) {
                (Some(a), Some(b)) => same(a, b),
                (a, b) => a.is_none() && b.is_none(),
            };
            a.keys().chain(b.keys()).all(agree)
        }
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_and_marks_are_no_difference() {
        let item = || Value::from("a");
        let list = Value::from(Data::List(vec![item().into_sensitive()].into()));
        assert!(same(&list, &Value::tuple([item()])));
        let one: Value = [("a", item()), ("b", Value::NULL)].into_iter().collect();
        let other = Value::from(Data::Map([("a".to_owned(), item())].into()));
        assert!(same(&one, &other));
        assert!(!same(&one, &[("b", item())].into_iter().collect()));
    }
}
