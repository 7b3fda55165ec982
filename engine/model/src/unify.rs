//! The one type that values of several types can all become.
//!
//! Source: cty's `convert/unify.go`, in its mode that takes conversions which may fail: text becomes a number where a number is wanted.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::ty::{Field, Type};

/// The one type that values of all these types can become, if there is one; [`Type::Any`] where that can't be said before more is known
/// of one of them.
pub fn unify(types: impl IntoIterator<Item = Type>) -> Option<Type> {
    let mut seen = BTreeSet::new();
    let mut types: Vec<Type> = types.into_iter().filter(|ty| seen.insert(ty.clone())).collect();
    match types.len() {
        0 => Some(Type::Any),
        1 => types.pop(),
        _ => unify_kinds(types),
    }
}

/// How many of which kind.
#[derive(Default)]
struct Kinds {
    maps: usize,
    lists: usize,
    sets: usize,
    objects: usize,
    tuples: usize,
    /// Of which nothing is known.
    open: usize,
}

impl Kinds {
    fn of(types: &[Type]) -> Kinds {
        let mut kinds = Kinds::default();
        for ty in types {
            match ty {
                Type::Map(_) => kinds.maps += 1,
                Type::List(_) => kinds.lists += 1,
                Type::Set(_) => kinds.sets += 1,
                Type::Object(_) => kinds.objects += 1,
                Type::Tuple(_) => kinds.tuples += 1,
                Type::Any => kinds.open += 1,
                Type::Bool | Type::Number | Type::String | Type::Handle => {}
            }
        }
        kinds
    }
}

fn unify_kinds(types: Vec<Type>) -> Option<Type> {
    let Kinds { maps, lists, sets, objects, tuples, open } = Kinds::of(&types);
    let all = types.len();
    if open > 0 && [maps, lists, sets, objects, tuples].iter().any(|count| *count > 0 && count + open == all) {
        return Some(Type::Any);
    }
    if maps == all || lists == all || sets == all {
        return unify_collections(types);
    }
    if maps > 0 && objects > 0 && maps + objects + open == all {
        return objects_as_maps(&types).or_else(|| most_general(&types));
    }
    if lists > 0 && tuples > 0 && lists + tuples + open == all {
        return tuples_as_lists(&types).or_else(|| most_general(&types));
    }
    match () {
        () if objects == all => unify_objects(types),
        () if tuples == all => unify_tuples(types),
        () if objects > 0 && tuples > 0 => None,
        () => most_general(&types),
    }
}

/// Of collections that are all of one kind.
fn unify_collections(types: Vec<Type>) -> Option<Type> {
    let around: fn(Type) -> Type = match types.first() {
        Some(Type::Map(_)) => Type::map,
        Some(Type::Set(_)) => Type::set,
        _ => Type::list,
    };
    unify(types.into_iter().flat_map(elements)).map(around)
}

/// The map that maps and objects can all become.
fn objects_as_maps(types: &[Type]) -> Option<Type> {
    let (objects, others): (Vec<_>, Vec<_>) = types.iter().cloned().partition(|ty| matches!(ty, Type::Object(_)));
    let map = common_element(objects, Type::map)?;
    unify(others.into_iter().chain([map])).filter(|ty| matches!(ty, Type::Map(_)))
}

/// The list that lists and tuples can all become.
fn tuples_as_lists(types: &[Type]) -> Option<Type> {
    let (tuples, others): (Vec<_>, Vec<_>) = types.iter().cloned().partition(|ty| matches!(ty, Type::Tuple(_)));
    let list = common_element(tuples, Type::list)?;
    unify(others.into_iter().chain([list])).filter(|ty| matches!(ty, Type::List(_)))
}

/// A list or map that all of these can become.
fn common_element(types: Vec<Type>, around: fn(Type) -> Type) -> Option<Type> {
    let common = around(unify(types.iter().cloned().flat_map(elements))?);
    types.iter().all(|ty| *ty == common || becomes(ty, &common)).then_some(common)
}

/// What is directly inside of a type, in one type's order.
fn elements(ty: Type) -> Vec<Type> {
    match ty {
        Type::List(element) | Type::Set(element) | Type::Map(element) => vec![*element],
        Type::Tuple(items) => items,
        Type::Object(fields) => fields.into_values().map(|field| field.ty).collect(),
        Type::Any | Type::Bool | Type::Number | Type::String | Type::Handle => Vec::new(),
    }
}

/// An object where all have the same attributes, otherwise a map.
fn unify_objects(types: Vec<Type>) -> Option<Type> {
    let fields: Vec<&BTreeMap<String, Field>> = types.iter().filter_map(fields_of).collect();
    let (first, rest) = fields.split_first()?;
    if rest.iter().any(|other| !other.keys().eq(first.keys())) {
        return common_element(types, Type::map);
    }
    let field = |name: &String| {
        let same_named = || fields.iter().filter_map(|fields| fields.get(name));
        let ty = unify(same_named().map(|field| field.ty.clone()))?;
        Some((name.clone(), Field { ty, optional: same_named().any(|field| field.optional) }))
    };
    Some(Type::Object(first.keys().map(field).collect::<Option<_>>()?))
}

fn fields_of(ty: &Type) -> Option<&BTreeMap<String, Field>> {
    match ty {
        Type::Object(fields) => Some(fields),
        _ => None,
    }
}

/// A tuple where all have the same length, otherwise a list.
fn unify_tuples(types: Vec<Type>) -> Option<Type> {
    let rows: Vec<Vec<Type>> = types.iter().cloned().map(elements).collect();
    let length = rows.first().map_or(0, Vec::len);
    if rows.iter().any(|row| row.len() != length) {
        return common_element(types, Type::list);
    }
    let column = |place: usize| unify(rows.iter().filter_map(|row| row.get(place).cloned()));
    Some(Type::Tuple((0..length).map(column).collect::<Option<_>>()?))
}

/// The first that all others can become, the most general ones looked at first.
fn most_general(types: &[Type]) -> Option<Type> {
    let fits = |wanted: &&Type| types.iter().all(|ty| ty == *wanted || becomes(ty, wanted));
    by_generality(types).into_iter().find(fits).cloned()
}

/// Each behind all that are more general than it.
fn by_generality(types: &[Type]) -> Vec<&Type> {
    let mut waiting: Vec<&Type> = types.iter().collect();
    let mut sorted = Vec::with_capacity(types.len());
    while !waiting.is_empty() {
        let is_behind = |ty: &Type| waiting.iter().any(|other| generality(other, ty) == Ordering::Less);
        let (behind, free): (Vec<&Type>, Vec<&Type>) = waiting.iter().partition(|ty| is_behind(ty));
        if free.is_empty() {
            break;
        }
        sorted.extend(free);
        waiting = behind;
    }
    sorted
}

/// `Less` where the first is more general. It is said as if what is inside of them could become each other.
fn generality(one: &Type, other: &Type) -> Ordering {
    use Ordering::{Equal, Greater, Less};
    match (one, other) {
        (Type::Any, Type::Any) => Equal,
        (Type::Any, _) => Greater,
        (_, Type::Any) => Less,
        (Type::String, Type::Bool | Type::Number) => Less,
        (Type::Bool | Type::Number, Type::String) => Greater,
        (Type::List(one), Type::List(other))
        | (Type::Set(one), Type::Set(other))
        | (Type::Map(one), Type::Map(other)) => generality(one, other),
        (Type::List(_), Type::Tuple(_) | Type::Set(_)) | (Type::Tuple(_), Type::Set(_)) => Less,
        (Type::Tuple(_) | Type::Set(_), Type::List(_)) | (Type::Set(_), Type::Tuple(_)) => Greater,
        (Type::Map(_), Type::Object(_)) => Less,
        (Type::Object(_), Type::Map(_)) => Greater,
        (Type::Object(one), Type::Object(other)) if one.keys().eq(other.keys()) => {
            agreed(one.values().zip(other.values()).map(|(one, other)| generality(&one.ty, &other.ty)))
        }
        (Type::Tuple(one), Type::Tuple(other)) if one.len() == other.len() => {
            agreed(one.iter().zip(other).map(|(one, other)| generality(one, other)))
        }
        _ => Equal,
    }
}

/// What all say that say something, if they agree.
fn agreed(orders: impl Iterator<Item = Ordering>) -> Ordering {
    let mut said = orders.filter(|order| order.is_ne());
    let Some(first) = said.next() else { return Ordering::Equal };
    if said.all(|order| order == first) { first } else { Ordering::Equal }
}

/// Whether values of one type may become ones of another; it may turn out that one of them does not.
pub(crate) fn becomes(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (_, Type::Any) | (Type::Any, _) => true,
        (from, to) if from == to => true,
        (Type::Bool | Type::Number, Type::String) | (Type::String, Type::Bool | Type::Number) => true,
        (Type::List(from) | Type::Set(from), Type::List(to) | Type::Set(to)) => becomes(from, to),
        (Type::Map(from), Type::Map(to)) => becomes(from, to),
        (Type::Tuple(items), Type::List(to) | Type::Set(to)) => match **to {
            Type::Any => one_type_of(items.iter().cloned()).is_some(),
            _ => items.iter().all(|item| becomes(item, to)),
        },
        (Type::Object(fields), Type::Map(to)) => match **to {
            Type::Any => unify(fields.values().map(|field| field.ty.clone())).is_some(),
            _ => fields.values().all(|field| becomes(&field.ty, to)),
        },
        (Type::Tuple(from), Type::Tuple(to)) => {
            from.len() == to.len() && from.iter().zip(to).all(|(from, to)| becomes(from, to))
        }
        (Type::Object(from), Type::Object(to)) => to.iter().all(|(name, field)| match from.get(name) {
            Some(found) => becomes(&found.ty, &field.ty),
            None => field.optional,
        }),
        (Type::Map(from), Type::Object(to)) => to.values().all(|field| field.optional || becomes(from, &field.ty)),
        _ => false,
    }
}

/// The type that the items of a list of any type have. What is open stays open only where all of it is.
pub(crate) fn one_type_of(types: impl IntoIterator<Item = Type>) -> Option<Type> {
    let mut all_open = true;
    let common = unify(types.into_iter().inspect(|ty| all_open &= *ty == Type::Any))?;
    (common != Type::Any || all_open).then_some(common)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(types: &[Type], common: Option<&str>) {
        assert_eq!(unify(types.iter().cloned()).map(|ty| ty.to_string()).as_deref(), common, "{types:?}");
    }

    #[test]
    fn text_is_what_simple_values_have_in_common() {
        check(&[Type::Number, Type::String], Some("string"));
        check(&[Type::Bool, Type::Any, Type::String], Some("string"));
        check(&[Type::Bool, Type::Number], None);
        check(&[Type::Bool, Type::Number, Type::String], Some("string"));
    }

    #[test]
    fn objects_stay_objects_or_become_maps() {
        let a = Type::object([("a", Type::Number)]);
        check(&[a.clone(), Type::object([("a", Type::String)])], Some("object({a = string})"));
        check(&[a.clone(), Type::object([("b", Type::Number)])], Some("map(number)"));
        check(&[a.clone(), Type::map(Type::String)], Some("map(string)"));
        check(&[a, Type::Tuple(vec![])], None);
    }

    #[test]
    fn lists_are_preferred_over_tuples_and_both_over_sets() {
        let tuple = Type::Tuple(vec![Type::Number]);
        check(&[Type::list(Type::String), tuple.clone()], Some("list(string)"));
        check(&[Type::set(Type::String), tuple.clone()], Some("set(string)"));
        check(&[Type::set(Type::String), Type::set(Type::Number)], Some("set(string)"));
        check(&[Type::list(Type::Number), Type::set(Type::String)], Some("list(number)"));
        check(&[tuple.clone(), Type::Tuple(vec![Type::String, Type::Bool])], Some("list(string)"));
        check(&[tuple, Type::Tuple(vec![Type::Tuple(vec![])])], None);
    }

    #[test]
    fn what_is_open_leaves_a_structure_open() {
        let object = |ty: Type| Type::object([("a", ty)]);
        check(&[object(Type::Any), object(Type::Tuple(vec![Type::String]))], Some("object({a = any})"));
        check(&[Type::Tuple(vec![Type::Any]), Type::Tuple(vec![Type::Tuple(vec![])])], Some("tuple([any])"));
        check(&[Type::list(Type::String), Type::Any], Some("any"));
        check(&[Type::String, Type::list(Type::String), Type::Any], Some("any"));
        check(&[Type::Any, Type::Number], Some("number"));
    }
}
