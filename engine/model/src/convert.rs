//! Terraform's automatic conversions: what a value of one type becomes where another is wanted.

use std::collections::BTreeMap;

use crate::number::Number;
use crate::path::{Path, Step};
use crate::ty::{Field, Type};
pub use crate::unify::unify;
use crate::value::{Data, Items, Kind, Members, Value, ValueMarks};

/// Why a value can't become what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Where in the value.
    pub path: Path,
    /// What was wanted and what was found: `string required, but have number`.
    pub reason: String,
}

/// The value as the type, by Terraform's rules. Marks stay.
pub fn convert(value: Value, ty: &Type) -> Result<Value, Mismatch> {
    convert_at(value, ty, &Path::root())
}

fn convert_at(value: Value, ty: &Type, path: &Path) -> Result<Value, Mismatch> {
    let Value { data, marks } = value;
    let data = match (ty, data) {
        (Type::Any, data) => data,
        (ty, Data::Null(_)) => Data::Null(Kind(ty.clone())),
        (_, Data::Unknown(_)) => Data::Unknown(ty.clone()),
        (Type::Bool, data) => to_bool(data, path)?,
        (Type::Number, data) => to_number(data, path)?,
        (Type::String, data) => to_string(data, path)?,
        (Type::Handle, data @ Data::Handle(_)) => data,
        (Type::Handle, data) => return Err(mismatch(path, "a handle", &data)),
        (Type::List(element), data) => Data::List(convert_items(items_of(data, "list", path)?, element, path)?),
        (Type::Set(element), data) => {
            let items = convert_items(items_of(data, "set", path)?, element, path)?;
            return Ok(to_set(items).with_marks(marks));
        }
        (Type::Map(element), Data::Map(members) | Data::Object(members)) => {
            Data::Map(convert_members(members, element, path)?)
        }
        (Type::Map(_), data) => return Err(mismatch(path, "map", &data)),
        (Type::Tuple(types), data) => to_tuple(data, types, path)?,
        (Type::Object(fields), Data::Map(members) | Data::Object(members)) => to_object(members, fields, path)?,
        (Type::Object(_), data) => return Err(mismatch(path, "object", &data)),
    };
    Ok(Value { data, marks })
}

/// A set has no places to be marked one by one: where an item is, the set is.
fn to_set(items: Items) -> Value {
    let marks = items.iter().fold(ValueMarks::NONE, |marks, item| marks | item.all_marks());
    let mut items = if marks == ValueMarks::NONE { items } else { items.map(Value::without_marks) };
    items.sort();
    items.dedup();
    Value { data: Data::Set(items), marks }
}

fn to_bool(data: Data, path: &Path) -> Result<Data, Mismatch> {
    match data {
        Data::Bool(_) => Ok(data),
        Data::String(ref text) if matches!(&**text, "true" | "1") => Ok(Data::Bool(true)),
        Data::String(ref text) if matches!(&**text, "false" | "0") => Ok(Data::Bool(false)),
        other => Err(mismatch(path, "bool", &other)),
    }
}

fn to_number(data: Data, path: &Path) -> Result<Data, Mismatch> {
    match data {
        Data::Number(_) => Ok(data),
        Data::String(ref text) => match text.parse::<Number>() {
            Ok(number) => Ok(Data::Number(number)),
            Err(_) => Err(mismatch(path, "number", &data)),
        },
        other => Err(mismatch(path, "number", &other)),
    }
}

fn to_string(data: Data, path: &Path) -> Result<Data, Mismatch> {
    match data {
        Data::String(_) => Ok(data),
        Data::Bool(value) => Ok(Data::String(value.to_string().into())),
        Data::Number(number) => Ok(Data::String(number.to_string().into())),
        other => Err(mismatch(path, "string", &other)),
    }
}

fn items_of(data: Data, wanted: &str, path: &Path) -> Result<Items, Mismatch> {
    match data {
        Data::List(items) | Data::Set(items) | Data::Tuple(items) => Ok(items),
        other => Err(mismatch(path, wanted, &other)),
    }
}

fn convert_items(items: Items, element: &Type, path: &Path) -> Result<Items, Mismatch> {
    if *element != Type::Any && items.element_is(element) {
        return Ok(items);
    }
    let one = |(index, item)| convert_at(item, element, &path.then(Step::Index(index as u32)));
    let items = items.into_iter().enumerate().map(one).collect::<Result<Vec<_>, _>>()?;
    let (items, element) = unify_any(items, element, path)?;
    Ok(Items::from(items).of(element))
}

fn convert_members(members: Members, element: &Type, path: &Path) -> Result<Members, Mismatch> {
    if *element != Type::Any && members.element_is(element) {
        return Ok(members);
    }
    let one = |(name, value): (String, Value)| {
        let at = path.then(Step::Key(name.clone()));
        Ok((name, convert_at(value, element, &at)?))
    };
    let (names, values): (Vec<String>, Vec<Value>) =
        members.into_iter().map(one).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let (values, element) = unify_any(values, element, path)?;
    Ok(names.into_iter().zip(values).collect::<Members>().of(element))
}

/// `list(any)` means one type for all: the one that all can become. Gives it, too.
fn unify_any(items: Vec<Value>, element: &Type, path: &Path) -> Result<(Vec<Value>, Type), Mismatch> {
    if !element.has_any() {
        return Ok((items, element.clone()));
    }
    match unify(items.iter().map(Value::ty)) {
        Some(Type::Any) => Ok((items, element.clone())),
        Some(common) => {
            let items = items.into_iter().map(|item| convert(item, &common)).collect::<Result<_, _>>()?;
            Ok((items, common))
        }
        None => {
            let mut found: Vec<String> = items.iter().map(|item| kind(&item.data)).collect();
            found.dedup();
            let reason = format!("all of them must have one type, but these are {}", found.join(", "));
            Err(Mismatch { path: path.clone(), reason })
        }
    }
}

fn to_tuple(data: Data, types: &[Type], path: &Path) -> Result<Data, Mismatch> {
    let items = items_of(data, "tuple", path)?;
    if items.len() != types.len() {
        let reason = format!("tuple of {} elements required, but have {}", types.len(), items.len());
        return Err(Mismatch { path: path.clone(), reason });
    }
    let one = |(index, (item, ty))| convert_at(item, ty, &path.then(Step::Index(index as u32)));
    Ok(Data::Tuple(items.into_iter().zip(types).enumerate().map(one).collect::<Result<_, _>>()?))
}

/// Attributes that the type does not name are dropped, as Terraform does.
fn to_object(members: Members, fields: &BTreeMap<String, Field>, path: &Path) -> Result<Data, Mismatch> {
    let mut members = members.into_inner();
    let mut attributes = BTreeMap::new();
    for (name, field) in fields {
        let value = match members.remove(name) {
            Some(value) => convert_at(value, &field.ty, &path.then(Step::Attribute(name.clone())))?,
            None if field.optional => Value::null(field.ty.clone()),
            None => {
                let reason = format!("attribute `{name}` is required");
                return Err(Mismatch { path: path.clone(), reason });
            }
        };
        attributes.insert(name.clone(), value);
    }
    Ok(Data::Object(attributes.into()))
}

fn mismatch(path: &Path, wanted: &str, found: &Data) -> Mismatch {
    Mismatch { path: path.clone(), reason: format!("{wanted} required, but have {}", kind(found)) }
}

fn kind(data: &Data) -> String {
    match data {
        Data::Tuple(_) => "tuple".to_owned(),
        Data::Object(_) => "object".to_owned(),
        Data::Null(_) => "null".to_owned(),
        data => Value::from(data.clone()).ty().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_strings_become_each_other() {
        assert_eq!(convert(Value::from("5"), &Type::Number).unwrap(), Value::from(5u64));
        assert_eq!(convert(Value::from(5u64), &Type::String).unwrap(), Value::from("5"));
        assert_eq!(convert(Value::from("x"), &Type::Number).unwrap_err().reason, "number required, but have string");
    }

    #[test]
    fn a_set_holds_each_item_once() {
        let tuple = Value::tuple([Value::from("b"), Value::from("a"), Value::from("b")]);
        let set = convert(tuple, &Type::set(Type::String)).unwrap();
        assert_eq!(set.data, Data::Set(vec![Value::from("a"), Value::from("b")].into()));
    }

    #[test]
    fn a_set_with_a_sensitive_item_is_sensitive() {
        let tuple = Value::tuple([Value::from("a").into_sensitive(), Value::from("b")]);
        assert!(convert(tuple, &Type::set(Type::String)).unwrap().marks.sensitive);
    }

    #[test]
    fn a_list_of_any_without_one_type_is_refused() {
        let tuple = Value::tuple([Value::from(true), Value::tuple([])]);
        let error = convert(tuple, &Type::list(Type::Any)).unwrap_err();
        assert_eq!(error.reason, "all of them must have one type, but these are bool, tuple");
    }

    #[test]
    fn a_mismatch_names_the_place() {
        let tuple = Value::tuple([Value::from("1"), Value::tuple([])]);
        let error = convert(tuple, &Type::list(Type::Number)).unwrap_err();
        assert_eq!(
            (error.path.to_string().as_str(), error.reason.as_str()),
            ("[1]", "number required, but have tuple")
        );
    }

    #[test]
    fn a_list_of_any_gets_one_type() {
        let tuple = Value::tuple([Value::from(1u64), Value::from("a")]);
        let list = convert(tuple, &Type::list(Type::Any)).unwrap();
        assert_eq!(list.data, Data::List(vec![Value::from("1"), Value::from("a")].into()));
    }

    #[test]
    fn optional_attributes_become_null_and_unnamed_ones_go() {
        let field = Field { ty: Type::String, optional: true };
        let ty = Type::Object([("a".to_owned(), field)].into());
        let value: Value = [("b", Value::from(true))].into_iter().collect();
        assert_eq!(convert(value, &ty).unwrap(), [("a", Value::NULL)].into_iter().collect());
    }
}
