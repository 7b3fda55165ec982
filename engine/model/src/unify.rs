//! The one type that values of several types can all become.
//!
//! Source: cty's `convert/unify.go`.

use std::collections::BTreeMap;

use crate::ty::{Field, Type};

/// The one type that values of all these types can become, if there is one. Only conversions that lose nothing count.
pub fn unify(types: impl IntoIterator<Item = Type>) -> Option<Type> {
    let mut types: Vec<Type> = types.into_iter().filter(|ty| *ty != Type::Any).collect();
    types.dedup();
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
                Type::Any | Type::Bool | Type::Number | Type::String | Type::Handle => {}
            }
        }
        kinds
    }
}

fn unify_kinds(types: Vec<Type>) -> Option<Type> {
    let (kinds, all) = (Kinds::of(&types), types.len());
    if kinds.sets == all {
        return Some(Type::set(unify(types.into_iter().flat_map(elements))?));
    }
    if kinds.objects == all {
        return unify_objects(types);
    }
    if kinds.tuples == all {
        return unify_tuples(types);
    }
    if kinds.objects > 0 && kinds.tuples > 0 {
        return None;
    }
    let together = || unify(types.iter().cloned().flat_map(elements));
    let common = match kinds {
        Kinds { maps: maps @ 1.., objects, .. } if maps + objects == all => together().map(Type::map),
        Kinds { lists: lists @ 1.., tuples, .. } if lists + tuples == all => together().map(Type::list),
        _ => None,
    };
    common.or_else(|| most_general(types))
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
    let fields: Vec<BTreeMap<String, Field>> = types.into_iter().filter_map(fields_of).collect();
    let (first, rest) = fields.split_first()?;
    if rest.iter().any(|other| !other.keys().eq(first.keys())) {
        let all = fields.into_iter().flat_map(BTreeMap::into_values).map(|field| field.ty);
        return Some(Type::map(unify(all)?));
    }
    let field = |name: &String| {
        let same_named = || fields.iter().filter_map(|fields| fields.get(name));
        let ty = unify(same_named().map(|field| field.ty.clone()))?;
        Some((name.clone(), Field { ty, optional: same_named().any(|field| field.optional) }))
    };
    Some(Type::Object(first.keys().map(field).collect::<Option<_>>()?))
}

fn fields_of(ty: Type) -> Option<BTreeMap<String, Field>> {
    match ty {
        Type::Object(fields) => Some(fields),
        _ => None,
    }
}

/// A tuple where all have the same length, otherwise a list.
fn unify_tuples(types: Vec<Type>) -> Option<Type> {
    let rows: Vec<Vec<Type>> = types.into_iter().map(elements).collect();
    let length = rows.first().map_or(0, Vec::len);
    if rows.iter().any(|row| row.len() != length) {
        return Some(Type::list(unify(rows.into_iter().flatten())?));
    }
    let column = |place: usize| unify(rows.iter().filter_map(|row| row.get(place).cloned()));
    Some(Type::Tuple((0..length).map(column).collect::<Option<_>>()?))
}

/// The first that all others can become.
fn most_general(mut types: Vec<Type>) -> Option<Type> {
    types.sort_by_key(preference);
    types.iter().find(|wanted| types.iter().all(|ty| becomes(ty, wanted))).cloned()
}

fn preference(ty: &Type) -> u8 {
    match ty {
        Type::String | Type::List(_) | Type::Map(_) => 0,
        Type::Set(_) => 1,
        Type::Any | Type::Bool | Type::Number | Type::Tuple(_) | Type::Object(_) | Type::Handle => 2,
    }
}

/// Whether every value of one type can become one of the other, with nothing lost.
fn becomes(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (from, to) if from == to => true,
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::Bool | Type::Number, Type::String) => true,
        (Type::List(from) | Type::Set(from), Type::List(to)) => becomes(from, to),
        (Type::Set(from), Type::Set(to)) | (Type::Map(from), Type::Map(to)) => becomes(from, to),
        (Type::Tuple(items), Type::List(to) | Type::Set(to)) => items.iter().all(|item| becomes(item, to)),
        (Type::Object(fields), Type::Map(to)) => fields.values().all(|field| becomes(&field.ty, to)),
        (Type::Tuple(from), Type::Tuple(to)) => {
            from.len() == to.len() && from.iter().zip(to).all(|(from, to)| becomes(from, to))
        }
        (Type::Object(from), Type::Object(to)) => to.iter().all(|(name, field)| match from.get(name) {
            Some(found) => becomes(&found.ty, &field.ty),
            None => field.optional,
        }),
        _ => false,
    }
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
        check(&[a, Type::Tuple(vec![])], None);
    }

    #[test]
    fn lists_are_preferred_over_tuples_and_keep_the_order_of_sets() {
        let tuple = Type::Tuple(vec![Type::Number]);
        check(&[Type::list(Type::String), tuple.clone()], Some("list(string)"));
        check(&[Type::set(Type::String), tuple.clone()], Some("set(string)"));
        check(&[Type::set(Type::String), Type::set(Type::Number)], Some("set(string)"));
        check(&[Type::list(Type::Number), Type::set(Type::String)], None);
        check(&[tuple.clone(), Type::Tuple(vec![Type::String, Type::Bool])], Some("list(string)"));
        check(&[tuple, Type::Tuple(vec![Type::Tuple(vec![])])], None);
    }
}
