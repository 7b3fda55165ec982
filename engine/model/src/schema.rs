//! What a provider offers: the document that its `schema` call answers.
//!
//! The JSON form of these types is the contract; `plugin-sdk` writes it from Rust types.

mod secrets;
mod write_only;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::address::ProviderName;
use crate::ty::Type;

/// Everything that a provider offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ProviderSchema {
    /// The arguments of its `provider` block.
    #[serde(default)]
    pub provider: Block,
    /// Managed types by name. A type with the machine role is what `machine "<name>"` names.
    #[serde(default)]
    pub managed: BTreeMap<String, TypeSchema>,
    /// Data sources by name.
    #[serde(default)]
    pub data: BTreeMap<String, TypeSchema>,
    /// Ephemeral types by name: what `ephemeral "<name>"` opens.
    #[serde(default)]
    pub ephemeral: BTreeMap<String, TypeSchema>,
    /// Functions by name: `provider::<provider>::<name>` calls one.
    #[serde(default)]
    pub functions: BTreeMap<String, FunctionSchema>,
}

/// One function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FunctionSchema {
    /// What it takes, in their order. Those that are optional come last.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// Takes all arguments that remain, as a list of this type.
    #[serde(default)]
    pub variadic: Option<Parameter>,
    /// What it gives.
    pub returns: Type,
}

/// What a function takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Parameter {
    /// In the object of arguments that the provider is given.
    pub name: String,
    /// What an argument is converted to.
    #[serde(rename = "type")]
    pub ty: Type,
    /// May be `null`, and left out where all that follow are.
    #[serde(default)]
    pub optional: bool,
    /// For people.
    #[serde(default)]
    pub description: String,
}

/// One managed type or data source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TypeSchema {
    /// Of what is stored; `upgrade` brings older values forward.
    #[serde(default)]
    pub version: u64,
    /// What the engine may expect of it beyond its attributes.
    #[serde(default)]
    pub role: Option<Role>,
    /// How many objects one `create` call may take; at least 1.
    #[serde(default = "one")]
    pub batch: u32,
    /// Types whose objects can become one of this: those that `moved` blocks may name.
    #[serde(default)]
    pub adopts: Vec<Adopted>,
    /// Its attributes and blocks.
    #[serde(flatten)]
    pub block: Block,
}

fn one() -> u32 {
    1
}

/// A type whose objects another type takes over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Adopted {
    /// Whose.
    pub provider: ProviderName,
    /// The provider's name for it.
    #[serde(rename = "type")]
    pub ty: String,
}

/// A contract between the engine and a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Answers `platform`, `cpus`, `memory`, `labels`, `address` and `engine`; see `docs/writing-a-provider.md`.
    Machine,
    /// Takes what a replica of a service is lowered to.
    ContainerRuntime,
}

/// Attributes and nested blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Block {
    /// By name.
    #[serde(default)]
    pub attributes: BTreeMap<String, Attribute>,
    /// By the word that begins them.
    #[serde(default)]
    pub blocks: BTreeMap<String, NestedBlock>,
}

/// A block inside a block. Its value is a list of objects, or one object or `null` where `single`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NestedBlock {
    /// At most one.
    #[serde(default)]
    pub single: bool,
    /// At least one.
    #[serde(default)]
    pub required: bool,
    /// A change of it means a new object.
    #[serde(default)]
    pub force_new: bool,
    /// What is inside.
    #[serde(flatten)]
    pub block: Block,
}

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Attribute {
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Type,
    /// Must be written.
    #[serde(default)]
    pub required: bool,
    /// The provider fills it in where it isn't written. Not `required` and not `computed` means optional.
    #[serde(default)]
    pub computed: bool,
    /// May not be written at all: only the provider fills it in.
    #[serde(default)]
    pub read_only: bool,
    /// Once the object is there, it is not `null`. So what only asks whether it is `null` can be planned before.
    #[serde(default)]
    pub never_null: bool,
    /// A change of it means a new object.
    #[serde(default)]
    pub force_new: bool,
    /// Two objects can't have the same at a time.
    #[serde(default)]
    pub unique: Option<Unique>,
    /// Never shown or stored in clear.
    #[serde(default)]
    pub sensitive: bool,
    /// The provider is given it with the arguments, and it is nowhere else: `null` in what is planned, in what exists, in the state.
    #[serde(default)]
    pub write_only: bool,
    /// Where it has a value, the engine keeps a secret of its own for the object, as a certificate authority's key.
    #[serde(default)]
    pub keeps_secret: bool,
    /// Stays in the host: the provider gets a handle.
    #[serde(default)]
    pub credential: Option<Credential>,
    /// For people.
    #[serde(default)]
    pub description: String,
}

/// What becomes of something that two can't have where one is made before the other is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unique {
    /// It is a name: the successor gets another, `data-g1`.
    Name,
    /// It can't be otherwise, as an address: the successor is made last after all.
    Fixed,
}

/// What a credential attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// The secret itself.
    Value,
    /// The path of a file of the operator's that holds it.
    File,
}

impl Attribute {
    /// An optional attribute of this type.
    pub fn optional(ty: Type) -> Self {
        Attribute {
            ty,
            required: false,
            computed: false,
            read_only: false,
            never_null: false,
            force_new: false,
            unique: None,
            sensitive: false,
            write_only: false,
            keeps_secret: false,
            credential: None,
            description: String::new(),
        }
    }

    /// An attribute that must be written.
    pub fn required(ty: Type) -> Self {
        Attribute { required: true, ..Attribute::optional(ty) }
    }

    /// An attribute that only the provider fills in.
    pub fn read_only(ty: Type) -> Self {
        Attribute { computed: true, read_only: true, ..Attribute::optional(ty) }
    }
}

impl Block {
    /// Whether any of its attributes is such a one, however deep.
    pub fn any_attribute(&self, is_it: &dyn Fn(&Attribute) -> bool) -> bool {
        self.attributes.values().any(is_it) || self.blocks.values().any(|nested| nested.block.any_attribute(is_it))
    }

    /// The type of its values: every attribute there, `null` where unset.
    pub fn ty(&self) -> Type {
        let attributes = self.attributes.iter().map(|(name, attribute)| (name.clone(), attribute.ty.clone()));
        let blocks = self.blocks.iter().map(|(name, nested)| (name.clone(), nested.ty()));
        Type::object(attributes.chain(blocks))
    }
}

impl NestedBlock {
    /// The type of its value.
    pub fn ty(&self) -> Type {
        match self.single {
            true => self.block.ty(),
            false => Type::list(self.block.ty()),
        }
    }
}
