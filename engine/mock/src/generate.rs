//! Values that nobody said: of the right type, and the same from run to run.

use bimetal_model::schema::Role;
use bimetal_model::{Address, Data, Number, Type, Value};
use sha2::{Digest as _, Sha256};

const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// So many letters has a text.
const LENGTH: usize = 8;

/// What an attribute is that only the world would tell.
pub(crate) fn attribute(role: Option<Role>, address: &Address, name: &str, ty: &Type) -> Value {
    match role.filter(|role| *role == Role::Machine).and_then(|_| of_machine(name)) {
        Some(value) => value,
        None => of_type(ty, &format!("{address}#{name}")),
    }
}

/// A machine that something can be placed on.
fn of_machine(name: &str) -> Option<Value> {
    match name {
        "platform" => Some(Value::from("linux/amd64")),
        "cpus" => Some(Value::from(4u64)),
        "memory" => Some(Value::from(16 << 30)),
        _ => None,
    }
}

/// As Terraform's mocks: text looks random, numbers are 0, what holds something is empty.
pub(crate) fn of_type(ty: &Type, seed: &str) -> Value {
    match ty {
        Type::String | Type::Any => Value::from(text(seed)),
        Type::Number => Value::from(Number::from(0u64)),
        Type::Bool => Value::from(false),
        Type::List(element) => Value::list((**element).clone(), []),
        Type::Set(element) => Data::Set(bimetal_model::Items::default().of((**element).clone())).into(),
        Type::Map(element) => Value::map((**element).clone(), []),
        Type::Tuple(items) => {
            Value::tuple(items.iter().enumerate().map(|(place, item)| of_type(item, &format!("{seed}[{place}]"))))
        }
        Type::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), of_type(&field.ty, &format!("{seed}.{name}")))).collect()
        }
        Type::Handle => {
            let json = serde_json::json!({ "mock": seed });
            Data::Handle(json.to_string().into()).into()
        }
    }
}

fn text(seed: &str) -> String {
    let letters = Sha256::digest(seed).into_iter().take(LENGTH);
    letters.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()])).collect()
}
