//! Sets, and products of them.

use bimetal_model::convert::{convert, unify};
use bimetal_model::{Data, Type, Value};

use super::{Arguments, Error, Function, Result, any, deep, described, foretold, set_of, shallow};

/// More items than this are a mistake.
const MOST_ITEMS: usize = 1_000_000;

pub(super) fn functions() -> Vec<Function> {
    let any_set = || set_of(Type::Any).or_anything();
    let result = || Type::set(Type::Any);
    vec![
        deep("setunion", [any_set()], result(), |a| {
            combined(&a, |one, mut other| {
                other.extend(one);
                other
            })
        })
        .and_more(any_set())
        .foretelling(foretold::union),
        deep("setintersection", [any_set()], result(), |a| combined(&a, |one, other| filtered(one, &other, true)))
            .and_more(any_set())
            .foretelling(foretold::part_of_first),
        deep("setsubtract", [any_set(), any_set()], result(), |a| {
            combined(&a, |one, other| filtered(one, &other, false))
        })
        .foretelling(foretold::part_of_first),
        shallow("setproduct", [], Type::Any, product).and_more(any()).foretelling(foretold::set_product),
    ]
}

/// Those that are in the other one, or those that aren't.
fn filtered(one: Vec<Value>, other: &[Value], are_in: bool) -> Vec<Value> {
    let mut other: Vec<&Value> = other.iter().collect();
    other.sort_unstable();
    one.into_iter().filter(|item| other.binary_search(&item).is_ok() == are_in).collect()
}

fn combined(arguments: &Arguments<'_>, combine: fn(Vec<Value>, Vec<Value>) -> Vec<Value>) -> Result {
    let says_something = |ty: &Type| *ty != Type::set(Type::Any);
    let types = arguments.values.iter().map(|set| set.ty()).filter(says_something);
    let common = unify(types).ok_or_else(|| Error::new("the items have no type in common"))?;
    let common = if common == Type::Any { Type::set(Type::Any) } else { common };
    let as_common = |place: usize| {
        let set = convert(arguments.value(place).clone(), &common);
        let set = set.map_err(|mismatch| Error::argument(place, mismatch.reason))?;
        Ok(set.as_items().unwrap_or_default().to_vec())
    };
    let sets = (0..arguments.len()).map(as_common).collect::<Result<Vec<_>>>()?;
    let combined = sets.into_iter().reduce(combine).unwrap_or_default();
    convert(Value::tuple(combined), &common).map_err(|mismatch| Error::new(mismatch.reason))
}

/// Every way to take one of each.
fn product(arguments: Arguments<'_>) -> Result {
    if arguments.len() < 2 {
        return Err(Error::new("two sets or lists at least are wanted"));
    }
    let columns = (0..arguments.len()).map(|place| column(&arguments, place)).collect::<Result<Vec<_>>>()?;
    let size = columns.iter().try_fold(1usize, |size, (items, _)| size.checked_mul(items.len()));
    let cells = size.and_then(|size| size.checked_mul(columns.len())).filter(|cells| *cells <= MOST_ITEMS);
    let (Some(size), Some(_)) = (size, cells) else {
        return Err(Error::new(format!("the product has more than {MOST_ITEMS} values")));
    };
    let row = |row: usize| {
        let mut rest = row;
        let mut cells: Vec<Value> = columns
            .iter()
            .rev()
            .filter_map(|(items, _)| {
                let cell = items.get(rest % items.len());
                rest /= items.len();
                cell.cloned()
            })
            .collect();
        cells.reverse();
        Value::tuple(cells)
    };
    let ty = Type::Tuple(columns.iter().map(|(_, ty)| ty.clone()).collect());
    let product = Value::list(ty.clone(), (0..size).map(row));
    match arguments.values.iter().any(|value| matches!(value.data, Data::Set(_))) {
        true => convert(product, &Type::set(ty)).map_err(|mismatch| Error::new(mismatch.reason)),
        false => Ok(product),
    }
}

/// The items of an argument, and the one type that they have.
fn column(arguments: &Arguments<'_>, place: usize) -> Result<(Vec<Value>, Type)> {
    let value = arguments.value(place);
    let mixed = |_| Error::argument(place, "all items must have one type");
    match &value.data {
        Data::List(items) | Data::Set(items) => Ok((items.to_vec(), items.element())),
        Data::Tuple(items) => {
            let ty = unify(items.iter().map(Value::ty)).ok_or_else(|| mixed(()))?;
            let items =
                items.iter().map(|item| convert(item.clone(), &ty).map_err(|_| mixed(()))).collect::<Result<_>>()?;
            Ok((items, ty))
        }
        _ => Err(Error::argument(place, format!("a set or list is wanted here, not {}", described(value)))),
    }
}
