//! Equality and differences of values, whatever their marks say.

use std::collections::BTreeSet;

use bimetal_model::{Data, Path, Step, Value};

/// One place where two values are not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub path: Path,
    /// What was there; absent where there was nothing.
    pub before: Option<Value>,
    /// What will be there; absent where there will be nothing.
    pub after: Option<Value>,
}

/// Where two values differ: as deep as both have the same shape, in the order of paths.
///
/// What is `null` counts as absent. An unknown differs from everything, as it may become anything.
pub fn diff(before: &Value, after: &Value) -> Vec<Difference> {
    let mut differences = Vec::new();
    collect(Path::root(), present(before), present(after), &mut differences);
    differences
}

/// All places where something is known only after apply.
pub fn unknown(value: &Value) -> Vec<Path> {
    let (mut paths, mut open) = (Vec::new(), vec![(Path::root(), value)]);
    while let Some((path, value)) = open.pop() {
        if value.is_unknown() {
            paths.push(path);
        } else if !value.is_wholly_known() {
            // Items of a set have no place of their own.
            match value.data {
                Data::Set(_) => paths.push(path),
                _ => open.extend(value.children().map(|(step, child)| (path.then(step), child))),
            }
        }
    }
    paths.sort();
    paths
}

fn present(value: &Value) -> Option<&Value> {
    (!value.is_null()).then_some(value)
}

fn collect(path: Path, before: Option<&Value>, after: Option<&Value>, differences: &mut Vec<Difference>) {
    match (before, after) {
        (None, None) => {}
        (Some(one), Some(other)) if same(one, other) => {}
        // What is inside may not have the mark of what holds it.
        (Some(one), Some(other)) if (one.marks | other.marks).hide() => {
            differences.push(Difference { path, before: Some(one.clone()), after: Some(other.clone()) });
        }
        (Some(one), Some(other)) if one.as_members().is_some() && other.as_members().is_some() => {
            collect_inside(&path, one, other, differences);
        }
        (Some(one), Some(other)) if is_list(one) && is_list(other) => collect_inside(&path, one, other, differences),
        (before, after) => {
            differences.push(Difference { path, before: before.cloned(), after: after.cloned() });
        }
    }
}

fn collect_inside(path: &Path, before: &Value, after: &Value, differences: &mut Vec<Difference>) {
    let steps: BTreeSet<Step> = before.children().chain(after.children()).map(|(step, _)| step).collect();
    for step in steps {
        let child = |value: &Value| value.at(&Path(vec![step.clone()])).cloned();
        let (one, other) = (child(before), child(after));
        let (one, other) = (one.as_ref().and_then(present), other.as_ref().and_then(present));
        collect(path.then(step), one, other, differences);
    }
}

fn is_list(value: &Value) -> bool {
    matches!(value.data, Data::List(_) | Data::Tuple(_))
}

/// Whether two values are the same but for their marks. An unknown is the same only as an unknown.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (&one.data, &other.data) {
        (Data::Unknown(..), Data::Unknown(..)) => true,
        (Data::List(a) | Data::Tuple(a) | Data::Set(a), Data::List(b) | Data::Tuple(b) | Data::Set(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Data::Map(a) | Data::Object(a), Data::Map(b) | Data::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((m, a), (n, b))| m == n && same(a, b))
        }
        (a, b) => a == b,
    }
}

/// Where an object is not what was planned: only what the plan left unknown may become anything that it promised.
pub fn contradictions(planned: &Value, real: &Value) -> Vec<Path> {
    let mut paths = Vec::new();
    contradict(Path::root(), planned, real, &mut paths);
    paths
}

fn contradict(path: Path, planned: &Value, real: &Value, paths: &mut Vec<Path>) {
    let has_places = planned.as_members().is_some() && real.as_members().is_some() || is_list(planned) && is_list(real);
    if !has_places {
        if !keeps(planned, real) {
            paths.push(path);
        }
        return;
    }
    let steps: BTreeSet<Step> = planned.children().chain(real.children()).map(|(step, _)| step).collect();
    for step in steps {
        let child = |value: &Value| value.at(&Path(vec![step.clone()])).cloned().unwrap_or(Value::NULL);
        contradict(path.then(step.clone()), &child(planned), &child(real), paths);
    }
}

/// Whether something without places in it is as planned, or as was promised of it.
fn keeps(planned: &Value, real: &Value) -> bool {
    match (&planned.data, &real.data) {
        (Data::Unknown(_, refinement), _) => refinement.admits(real),
        // Items of a set have no place: one unknown among them leaves the whole set open.
        (Data::Set(_), Data::Set(_)) if !planned.is_wholly_known() => true,
        _ => same(planned, real),
    }
}

/// The value in the few shapes that JSON has, as it comes back from state.
pub(crate) fn plain(value: &Value) -> Value {
    value.clone().map_parts(&mut |Value { data, marks }| {
        let data = match data {
            Data::List(items) | Data::Set(items) | Data::Tuple(items) => Data::Tuple(items),
            Data::Map(members) | Data::Object(members) => Data::Object(members),
            leaf => leaf,
        };
        Value { data, marks }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(members: &[(&str, Value)]) -> Value {
        members.iter().cloned().collect()
    }

    fn check_diff(before: &Value, after: &Value) -> String {
        let line = |d: &Difference| format!("{}: {:?} -> {:?}", d.path, d.before, d.after);
        diff(before, after).iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_difference_is_as_deep_as_both_have_the_same_shape() {
        let before = object(&[
            ("same", Value::from("x")),
            ("tags", object(&[("a", Value::from("1")), ("b", Value::from("2"))])),
            ("ports", Value::tuple([Value::from(80u64)])),
        ]);
        let after = object(&[
            ("same", Value::from("x").into_sensitive()),
            ("tags", object(&[("a", Value::from("1")), ("b", Value::from("3"))])),
            ("ports", Value::tuple([Value::from(80u64), Value::from(81u64)])),
            ("empty", Value::NULL),
        ]);
        insta::assert_snapshot!(check_diff(&before, &after), @r#"
        ports[1]: None -> Some(81)
        tags.b: Some("2") -> Some("3")
        "#);
    }

    #[test]
    fn only_what_was_unknown_may_become_anything() {
        let unknown = || Value::unknown(bimetal_model::Type::String);
        let planned = object(&[("id", unknown()), ("name", Value::from("a")), ("ips", Value::tuple([unknown()]))]);
        let real = |name: &str| {
            object(&[("id", Value::from("1")), ("name", name.into()), ("ips", Value::tuple([Value::NULL]))])
        };
        assert_eq!(contradictions(&planned, &real("a")), []);
        assert_eq!(contradictions(&planned, &real("b")), [Path::attribute("name")]);
        assert_eq!(contradictions(&real("a"), &real("b")), [Path::attribute("name")]);
    }

    #[test]
    fn what_was_promised_of_an_unknown_binds() {
        let unknown = bimetal_model::Value::unknown(bimetal_model::Type::String);
        let planned = object(&[("id", unknown.not_null())]);
        assert_eq!(contradictions(&planned, &object(&[("id", Value::from("1"))])), []);
        assert_eq!(contradictions(&planned, &object(&[("id", Value::NULL)])), [Path::attribute("id")]);
    }

    #[test]
    fn an_unknown_differs_from_what_was_known() {
        let before = object(&[("id", Value::from("x"))]);
        let after = object(&[("id", Value::unknown(bimetal_model::Type::String))]);
        assert_eq!(diff(&before, &after).len(), 1);
    }
}
