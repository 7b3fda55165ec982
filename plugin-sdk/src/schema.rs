//! Schemas from Rust types, in the JSON form that the host reads.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde::de::Error as _;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

/// A struct that is a type's value, or a nested block's.
pub trait Schema: 'static {
    /// Its attributes and blocks.
    fn block() -> Block;
}

/// The same, worked out once an instance: a call is about a hundred objects of one type.
pub(crate) fn block_of<T: Schema>() -> Rc<Block> {
    thread_local! {
        static BLOCKS: RefCell<BTreeMap<TypeId, Rc<Block>>> = const { RefCell::new(BTreeMap::new()) };
    }
    BLOCKS.with_borrow_mut(|blocks| blocks.entry(TypeId::of::<T>()).or_insert_with(|| T::block().into()).clone())
}

/// A Rust type that an attribute can have.
pub trait HasType {
    /// Its type, as the schema writes it.
    fn ty() -> Json;
}

macro_rules! has_type {
    ($($rust:ty => $name:literal),* $(,)?) => {$(
        impl HasType for $rust {
            fn ty() -> Json {
                json!($name)
            }
        }
    )*};
}
has_type!(
    String => "string", bool => "bool", u8 => "number", u16 => "number", u32 => "number", u64 => "number", i32 => "number", i64 => "number", f64 => "number",
    Json => "any", Handle => "handle", Credential => "string",
);

impl<T: HasType> HasType for Option<T> {
    fn ty() -> Json {
        T::ty()
    }
}

impl<T: HasType> HasType for Vec<T> {
    fn ty() -> Json {
        json!({ "list": T::ty() })
    }
}

impl<T: HasType> HasType for BTreeSet<T> {
    fn ty() -> Json {
        json!({ "set": T::ty() })
    }
}

impl<T: HasType> HasType for BTreeMap<String, T> {
    fn ty() -> Json {
        json!({ "map": T::ty() })
    }
}

/// A Rust type that a field with `#[block]` can have: `Vec<T>`, or `Option<T>` for at most one.
pub trait IsBlock {
    /// The nested block.
    fn nested() -> NestedBlock;
}

impl<T: Schema> IsBlock for Vec<T> {
    fn nested() -> NestedBlock {
        NestedBlock { flags: Map::new(), block: T::block() }
    }
}

impl<T: Schema> IsBlock for Option<T> {
    fn nested() -> NestedBlock {
        NestedBlock { flags: Map::new(), block: T::block() }.with("single")
    }
}

/// Attributes and nested blocks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// By name.
    pub attributes: Vec<(String, Attribute)>,
    /// By the word that begins them.
    pub blocks: Vec<(String, NestedBlock)>,
}

/// One attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// As the document has them.
    members: Map<String, Json>,
    changes_on_update: bool,
}

/// One nested block.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedBlock {
    flags: Map<String, Json>,
    block: Block,
}

impl Attribute {
    /// An optional attribute.
    pub fn new(ty: Json, description: &str) -> Self {
        let mut members = Map::new();
        members.insert("type".to_owned(), ty);
        if !description.is_empty() {
            members.insert("description".to_owned(), json!(description));
        }
        Attribute { members, changes_on_update: false }
    }

    /// With one of the words of `#[attr(…)]`.
    #[must_use]
    pub fn with(mut self, flag: &str) -> Self {
        let mut say = |name: &str, value: Json| self.members.insert(name.to_owned(), value);
        match flag {
            "credential" => say("credential", json!("value")),
            "credential_file" => say("credential", json!("file")),
            "read_only" => say("computed", json!(true)).or(say("read-only", json!(true))),
            "force_new" => say("force-new", json!(true)),
            "never_null" => say("never-null", json!(true)),
            "unique" => say("unique", json!("fixed")),
            "unique_name" => say("unique", json!("name")),
            "write_only" => say("write-only", json!(true)),
            "keeps_secret" => say("keeps-secret", json!(true)),
            "changes_on_update" => {
                self.changes_on_update = true;
                None
            }
            other => say(other, json!(true)),
        };
        self
    }

    pub(crate) fn is(&self, flag: &str) -> bool {
        self.members.get(flag) == Some(&Json::Bool(true))
    }

    pub(crate) fn changes_on_update(&self) -> bool {
        self.changes_on_update
    }

    pub(crate) fn is_write_only(&self) -> bool {
        self.is("write-only")
    }

    pub(crate) fn is_map(&self) -> bool {
        self.members["type"].get("map").is_some()
    }

    pub(crate) fn is_handle(&self) -> bool {
        self.members["type"] == "handle"
    }
}

impl NestedBlock {
    /// With one of the words of `#[block(…)]`.
    #[must_use]
    pub fn with(mut self, flag: &str) -> Self {
        self.flags.insert(flag.replace('_', "-"), json!(true));
        self
    }

    pub(crate) fn block(&self) -> &Block {
        &self.block
    }

    pub(crate) fn is(&self, flag: &str) -> bool {
        self.flags.get(flag) == Some(&Json::Bool(true))
    }
}

impl Block {
    /// A value without what is write-only: what exists does not have it.
    pub(crate) fn without_write_only(&self, value: &mut Json) {
        match value {
            Json::Array(items) => items.iter_mut().for_each(|item| self.without_write_only(item)),
            Json::Object(members) => {
                for (name, _) in self.attributes.iter().filter(|(_, attribute)| attribute.is_write_only()) {
                    members.insert(name.clone(), Json::Null);
                }
                for (name, nested) in &self.blocks {
                    members.get_mut(name).into_iter().for_each(|inner| nested.block.without_write_only(inner));
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }

    /// As the type of an attribute: an object in which what need not be written may be left out.
    pub fn ty(&self) -> Json {
        let attributes = self.attributes.iter().map(|(name, attribute)| {
            let field = json!({ "ty": attribute.members["type"], "optional": !attribute.is("required") });
            (name.clone(), field)
        });
        json!({ "object": attributes.collect::<Map<_, _>>() })
    }

    /// As what a function takes.
    pub(crate) fn parameters(&self) -> Map<String, Json> {
        let parameter = |name: &str, ty: &Json, attribute: &Attribute| {
            let mut document = json!({ "name": name, "type": ty, "optional": !attribute.is("required") });
            if let Some(description) = attribute.members.get("description") {
                document["description"] = description.clone();
            }
            document
        };
        let (variadic, named): (Vec<_>, Vec<_>) =
            self.attributes.iter().partition(|(_, attribute)| attribute.is("variadic"));
        let named = named.iter().map(|(name, attribute)| parameter(name, &attribute.members["type"], attribute));
        let mut document = Map::new();
        document.insert("parameters".to_owned(), named.collect());
        if let Some((name, attribute)) = variadic.first() {
            document.insert("variadic".to_owned(), parameter(name, &attribute.members["type"]["list"], attribute));
        }
        document
    }

    pub(crate) fn document(&self) -> Map<String, Json> {
        let attributes: Map<_, _> = self
            .attributes
            .iter()
            .map(|(name, attribute)| (name.clone(), Json::Object(attribute.members.clone())))
            .collect();
        let blocks: Map<_, _> = self
            .blocks
            .iter()
            .map(|(name, nested)| {
                let mut document = nested.block.document();
                document.extend(nested.flags.clone());
                (name.clone(), Json::Object(document))
            })
            .collect();
        [("attributes".to_owned(), Json::Object(attributes)), ("blocks".to_owned(), Json::Object(blocks))]
            .into_iter()
            .collect()
    }
}

/// Something that configuration passes around and never looks into, as the engine of a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Handle(pub Json);

impl Serialize for Handle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("$handle", &self.0)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Handle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        json.get("$handle").cloned().map(Handle).ok_or_else(|| D::Error::custom("this is no handle"))
    }
}

/// A secret that stays in the host: its name, to be passed to capabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential(pub String);

impl Serialize for Credential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("$credential", &self.0)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Credential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let id = json.get("$credential").and_then(Json::as_str);
        id.map(|id| Credential(id.to_owned())).ok_or_else(|| D::Error::custom("this is no credential"))
    }
}
