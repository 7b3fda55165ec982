//! Terraform's automatic conversions: what a value of one type becomes where another is wanted.
//!
//! Source: cty's `convert` package.

mod unknown;

use std::collections::BTreeMap;

use crate::number::Number;
use crate::path::{Path, Step};
use crate::ty::{Field, Type};
pub use crate::unify::unify;
use crate::unify::{becomes, one_type_of};
use crate::value::{self, Data, Items, Kind, Members, Value, ValueMarks};
use unknown::unknown;

/// Why a value can't become what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Where in the value.
    pub path: Path,
    /// What was wanted and what was found: `number required, but have tuple`.
    pub reason: String,
}

impl Mismatch {
    /// Of something that this step leads to.
    fn inside(mut self, step: Step) -> Mismatch {
        self.path.0.insert(0, step);
        self
    }
}

/// The value as the type, by Terraform's rules. Marks stay.
pub fn convert(value: Value, ty: &Type) -> Result<Value, Mismatch> {
    match is_of(&value, ty) {
        true => Ok(value),
        false => convert_at(value, ty),
    }
}

/// Whether there is nothing to convert. Most values are looked at more often than made.
pub fn is_of(value: &Value, ty: &Type) -> bool {
    match (ty, &value.data) {
        (Type::Any, _)
        | (Type::Bool, Data::Bool(_))
        | (Type::Number, Data::Number(_))
        | (Type::String, Data::String(_))
        | (Type::Handle, Data::Handle(_)) => true,
        (ty, Data::Null(Kind(of))) => of == ty,
        (Type::List(element), Data::List(items)) => **element != Type::Any && items.element_is(element),
        (Type::Map(element), Data::Map(members)) => **element != Type::Any && members.element_is(element),
        (Type::Object(fields), Data::Object(members)) if fields.len() == members.len() => {
            fields.iter().zip(members).all(|((name, field), (own, member))| name == own && is_of(member, &field.ty))
        }
        _ => false,
    }
}

fn convert_at(value: Value, ty: &Type) -> Result<Value, Mismatch> {
    let Value { data, marks } = value;
    let data = match (ty, data) {
        (Type::Any, data) => data,
        (ty, Data::Null(Kind(from))) => Data::Null(Kind(absent(&from, ty)?)),
        (ty, Data::Unknown(from, refinement)) => {
            return Ok(unknown(&from, &refinement, absent(&from, ty)?).with_marks(marks));
        }
        (Type::List(element), data @ Data::Set(_)) if has_open_length(&data) => {
            return list_of_open_set(data.into(), element).map(|list| list.with_marks(marks));
        }
        (Type::Bool, data) => to_bool(data)?,
        (Type::Number, data) => to_number(data)?,
        (Type::String, data) => to_string(data)?,
        (Type::Handle, data @ Data::Handle(_)) => data,
        (Type::Handle, data) => return Err(mismatch("a handle", &data)),
        (Type::List(element), data) => Data::List(convert_items(items_of(data, "list")?, element)?),
        (Type::Set(element), data) => {
            let items = convert_items(items_of(data, "set")?, element)?;
            return Ok(to_set(items).with_marks(marks));
        }
        (Type::Map(element), data) => Data::Map(to_map(data, element)?),
        (Type::Tuple(types), Data::Tuple(items)) => to_tuple(items, types)?,
        (Type::Tuple(_), data) => return Err(mismatch("tuple", &data)),
        (Type::Object(fields), Data::Map(members) | Data::Object(members)) => to_object(members, fields)?,
        (Type::Object(_), data) => return Err(mismatch("object", &data)),
    };
    Ok(Value { data, marks })
}

fn has_open_length(set: &Data) -> bool {
    Value::from(set.clone()).has_open_length()
}

/// A list of what is in a set of which it is not known how many items are the same.
fn list_of_open_set(set: Value, element: &Type) -> Result<Value, Mismatch> {
    let ty = set.ty();
    let list = absent(&ty, &Type::list(element.clone()))?;
    Ok(unknown(&ty, &set.refinement(), list))
}

/// The type of what is not there, or not yet: what is wanted, filled in with what it was where anything is.
fn absent(from: &Type, wanted: &Type) -> Result<Type, Mismatch> {
    match becomes(from, wanted) {
        true => Ok(filled(from, wanted)),
        false => Err(Mismatch { path: Path::root(), reason: format!("{} required, but have {from}", kind_of(wanted)) }),
    }
}

/// The wanted type with what the other says where it says nothing.
fn filled(from: &Type, wanted: &Type) -> Type {
    let of_all = |types: Vec<Type>| unify(types).unwrap_or(Type::Any);
    match (from, wanted) {
        (from, Type::Any) => from.clone(),
        (Type::List(from) | Type::Set(from), Type::List(to)) => Type::list(filled(from, to)),
        (Type::List(from) | Type::Set(from), Type::Set(to)) => Type::set(filled(from, to)),
        (Type::Tuple(items), Type::List(to)) => Type::list(filled(&of_all(items.clone()), to)),
        (Type::Tuple(items), Type::Set(to)) => Type::set(filled(&of_all(items.clone()), to)),
        (Type::Map(from), Type::Map(to)) => Type::map(filled(from, to)),
        (Type::Object(fields), Type::Map(to)) => {
            Type::map(filled(&of_all(fields.values().map(|field| field.ty.clone()).collect()), to))
        }
        (Type::Tuple(from), Type::Tuple(to)) if from.len() == to.len() => {
            Type::Tuple(from.iter().zip(to).map(|(from, to)| filled(from, to)).collect())
        }
        (Type::Object(from), Type::Object(to)) => fields_filled(to, |name| from.get(name).map(|field| &field.ty)),
        (Type::Map(from), Type::Object(to)) => fields_filled(to, |_| Some(from)),
        (_, wanted) => wanted.clone(),
    }
}

fn fields_filled<'t>(wanted: &BTreeMap<String, Field>, from: impl Fn(&str) -> Option<&'t Type>) -> Type {
    let field = |(name, field): (&String, &Field)| {
        let ty = from(name).map_or_else(|| field.ty.clone(), |from| filled(from, &field.ty));
        (name.clone(), ty)
    };
    Type::object(wanted.iter().map(field))
}

/// A set has no places to be marked one by one: where an item is, the set is.
fn to_set(items: Items) -> Value {
    let marks = items.iter().fold(ValueMarks::NONE, |marks, item| marks | item.all_marks());
    let mut items = if marks == ValueMarks::NONE { items } else { items.map(Value::without_marks) };
    value::sort(&mut items);
    // What is not known yet may turn out to be something else.
    items.dedup_by(|one, other| one == other && one.is_wholly_known());
    Value { data: Data::Set(items), marks }
}

fn to_bool(data: Data) -> Result<Data, Mismatch> {
    let Data::String(text) = &data else {
        return if matches!(data, Data::Bool(_)) { Ok(data) } else { Err(mismatch("bool", &data)) };
    };
    match &**text {
        "true" | "1" => Ok(Data::Bool(true)),
        "false" | "0" => Ok(Data::Bool(false)),
        _ => {
            let in_capitals = ["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word));
            let hint = if in_capitals { " in lower case" } else { "" };
            Err(Mismatch { path: Path::root(), reason: format!("bool required: `true` or `false`{hint}") })
        }
    }
}

fn to_number(data: Data) -> Result<Data, Mismatch> {
    match data {
        Data::Number(_) => Ok(data),
        Data::String(text) => match text.parse::<Number>() {
            Ok(number) => Ok(Data::Number(number)),
            Err(_) => Err(Mismatch { path: Path::root(), reason: "number required, and this text is none".to_owned() }),
        },
        other => Err(mismatch("number", &other)),
    }
}

fn to_string(data: Data) -> Result<Data, Mismatch> {
    match data {
        Data::String(_) => Ok(data),
        Data::Bool(value) => Ok(Data::String(value.to_string().into())),
        Data::Number(number) => Ok(Data::String(number.to_string().into())),
        other => Err(mismatch("string", &other)),
    }
}

/// The items, and what they were in.
fn items_of(data: Data, wanted: &str) -> Result<(Items, Origin), Mismatch> {
    match data {
        Data::List(items) | Data::Set(items) => Ok((items, Origin::Collection)),
        Data::Tuple(items) => Ok((items, Origin::Structure)),
        other => Err(mismatch(wanted, &other)),
    }
}

/// What the parts of a value were in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// All of one type.
    Collection,
    /// Each of its own.
    Structure,
}

fn convert_items((items, origin): (Items, Origin), element: &Type) -> Result<Items, Mismatch> {
    if *element != Type::Any && items.element_is(element) {
        return Ok(items);
    }
    if items.is_empty() {
        return Ok(Items::default().of(of_none(&items.element(), origin, element)?));
    }
    let one = |(index, item)| convert_at(item, element).map_err(at_index(index));
    let items = items.into_iter().enumerate().map(one).collect::<Result<Vec<_>, _>>()?;
    let (items, element) = of_one_type(items, element)?;
    Ok(Items::from(items).of(element))
}

/// The type of what an empty collection would hold.
fn of_none(from: &Type, origin: Origin, wanted: &Type) -> Result<Type, Mismatch> {
    match (origin, wanted) {
        (Origin::Collection, Type::Any) => Ok(from.clone()),
        (Origin::Collection, wanted) => absent(from, wanted).map(|_| wanted.clone()),
        (Origin::Structure, wanted) => Ok(wanted.clone()),
    }
}

fn to_map(data: Data, element: &Type) -> Result<Members, Mismatch> {
    let (members, origin) = match data {
        Data::Map(members) => (members, Origin::Collection),
        Data::Object(members) => (members, Origin::Structure),
        data => return Err(mismatch("map", &data)),
    };
    if origin == Origin::Collection && *element != Type::Any && members.element_is(element) {
        return Ok(members);
    }
    if members.is_empty() {
        return Ok(Members::default().of(of_none(&members.element(), origin, element)?));
    }
    let one = |(name, value): (String, Value)| match convert_at(value, element) {
        Ok(value) => Ok((name, value)),
        Err(mismatch) => Err(mismatch.inside(Step::Key(name))),
    };
    let (names, values): (Vec<String>, Vec<Value>) =
        members.into_iter().map(one).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let (values, element) = of_one_type(values, element)?;
    Ok(names.into_iter().zip(values).collect::<Members>().of(element))
}

/// `list(any)` means one type for all: the one that all can become. Gives it, too.
fn of_one_type(items: Vec<Value>, element: &Type) -> Result<(Vec<Value>, Type), Mismatch> {
    if !element.has_any() {
        return Ok((items, element.clone()));
    }
    let Some(common) = one_type_of(items.iter().map(Value::ty)) else {
        let mut found: Vec<String> = items.iter().map(|item| kind(&item.data)).collect();
        found.dedup();
        let reason = format!("all of them must have one type, but these are {}", listed(&found));
        return Err(Mismatch { path: Path::root(), reason });
    };
    let one = |(index, item)| convert_at(item, &common).map_err(at_index(index));
    let items = items.into_iter().enumerate().map(one).collect::<Result<Vec<_>, _>>()?;
    let (mut types, first) = (items.iter().map(Value::ty), items.first().map(Value::ty));
    if !types.all(|ty| Some(ty) == first) {
        let reason = "all of them must have one type, and something in them is of several".to_owned();
        return Err(Mismatch { path: Path::root(), reason });
    }
    Ok((items, common))
}

/// Of many, the first few.
fn listed(kinds: &[String]) -> String {
    match kinds.get(..4) {
        Some(first) if kinds.len() > 4 => format!("{}, …", first.join(", ")),
        _ => kinds.join(", "),
    }
}

fn to_tuple(items: Items, types: &[Type]) -> Result<Data, Mismatch> {
    if items.len() != types.len() {
        let reason = format!("tuple of {} elements required, but have {}", types.len(), items.len());
        return Err(Mismatch { path: Path::root(), reason });
    }
    let one = |(index, (item, ty))| convert_at(item, ty).map_err(at_index(index));
    Ok(Data::Tuple(items.into_iter().zip(types).enumerate().map(one).collect::<Result<_, _>>()?))
}

/// Attributes that the type does not name are dropped, as Terraform does.
fn to_object(members: Members, fields: &BTreeMap<String, Field>) -> Result<Data, Mismatch> {
    // Both are in the order of their names; what no field has is left out.
    let mut members = members.into_iter().peekable();
    let mut attributes = Vec::with_capacity(fields.len());
    for (name, field) in fields {
        while members.next_if(|(own, _)| own < name).is_some() {}
        attributes.push(match members.next_if(|(own, _)| own == name) {
            Some((own, value)) => match convert_at(value, &field.ty) {
                Ok(value) => (own, value),
                Err(mismatch) => return Err(mismatch.inside(Step::Attribute(own))),
            },
            None if field.optional => (name.clone(), Value::null(field.ty.clone())),
            None => {
                let reason = format!("attribute `{name}` is required");
                return Err(Mismatch { path: Path::root(), reason });
            }
        });
    }
    Ok(Data::Object(attributes.into()))
}

fn at_index(index: usize) -> impl FnOnce(Mismatch) -> Mismatch {
    move |mismatch| mismatch.inside(Step::Index(index as u32))
}

fn mismatch(wanted: &str, found: &Data) -> Mismatch {
    Mismatch { path: Path::root(), reason: format!("{wanted} required, but have {}", kind(found)) }
}

fn kind(data: &Data) -> String {
    match data {
        Data::Null(Kind(Type::Any)) => "null".to_owned(),
        data => kind_of(&Value::from(data.clone()).ty()),
    }
}

/// Structures in one word: they may be long.
fn kind_of(ty: &Type) -> String {
    match ty {
        Type::Tuple(_) => "tuple".to_owned(),
        Type::Object(_) => "object".to_owned(),
        ty => ty.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(value: Value, ty: &Type) -> String {
        convert(value, ty).unwrap_err().reason
    }

    #[test]
    fn numbers_and_strings_become_each_other() {
        assert_eq!(convert(Value::from("5"), &Type::Number).unwrap(), Value::from(5u64));
        assert_eq!(convert(Value::from(5u64), &Type::String).unwrap(), Value::from("5"));
        assert_eq!(reason(Value::from("x"), &Type::Number), "number required, and this text is none");
        assert_eq!(reason(Value::from("True"), &Type::Bool), "bool required: `true` or `false` in lower case");
        assert_eq!(reason(Value::tuple([]), &Type::Number), "number required, but have tuple");
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
        let tuple = |items: [Value; 2]| Value::tuple(items);
        let any = Type::list(Type::Any);
        assert_eq!(
            reason(tuple([Value::from(true), Value::tuple([])]), &any),
            "all of them must have one type, but these are bool, tuple"
        );
        let object: Value = [("a", Value::from(1u64))].into_iter().collect();
        assert!(convert(tuple([object, Value::NULL]), &any).is_err());
        assert_eq!(convert(tuple([Value::NULL, Value::NULL]), &any).unwrap().ty(), any);
        assert_eq!(convert(tuple([Value::NULL, Value::from(true)]), &any).unwrap().ty(), Type::list(Type::Bool));
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

    #[test]
    fn what_is_not_there_is_of_a_type_all_the_same() {
        let strings = Type::list(Type::String);
        assert!(convert(Value::null(strings.clone()), &Type::Number).is_err());
        assert!(convert(Value::unknown(strings.clone()), &Type::map(Type::String)).is_err());
        assert!(convert(Value::list(Type::String, []), &Type::list(strings.clone())).is_err());
        assert_eq!(convert(Value::unknown(strings), &Type::set(Type::Any)).unwrap().ty(), Type::set(Type::String));
        assert_eq!(convert(Value::tuple([]), &Type::list(Type::Any)).unwrap().ty(), Type::list(Type::Any));
    }
}
