//! What stands for what: whole providers, and single objects.

use std::collections::BTreeMap;

use bimetal_model::address::ModuleStep;
use bimetal_model::schema::{Role, TypeSchema};
use bimetal_model::{Address, Key, ProviderKey, ProviderName, Span, Value};

/// What stands for what.
#[derive(Clone, Debug, Default)]
pub struct Doubles {
    /// Providers.
    pub mocks: BTreeMap<ProviderKey, Mock>,
    /// Objects, whoever their provider is; a later one wins.
    pub overrides: Vec<Override>,
    /// Of each block under test, by the address of the whole block.
    pub owners: BTreeMap<Address, Owner>,
}

/// Whose the objects of a block are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Name and alias.
    pub provider: ProviderKey,
    /// The provider's name for the type.
    pub ty: String,
}

/// What the objects of a provider have.
#[derive(Clone, Debug, Default)]
pub struct Mock {
    /// Its machines.
    pub machine: Option<Values>,
    /// By type.
    pub managed: BTreeMap<String, Values>,
    /// Data sources, by type.
    pub data: BTreeMap<String, Values>,
}

/// What an object has, or each of a block's.
#[derive(Clone, Debug)]
pub struct Override {
    /// A whole block, or one instance.
    pub target: Address,
    /// These.
    pub values: Values,
}

/// Attributes that only a provider could tell, by name.
#[derive(Clone, Debug)]
pub struct Values {
    /// An object.
    pub value: Value,
    /// From when on they are known.
    pub known: When,
    /// Where they are written.
    pub span: Span,
}

/// From when on something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It is planned already.
    Planned,
    /// Once it is made.
    Made,
}

/// An object that nobody makes, and what is said of it: the first that says something wins.
pub(crate) struct Double<'d> {
    pub(crate) address: &'d Address,
    pub(crate) schema: &'d TypeSchema,
    pub(crate) said: Vec<&'d Values>,
}

impl Doubles {
    /// Whether nobody is behind this object.
    pub(crate) fn is_double(&self, provider: &ProviderKey, address: &Address) -> bool {
        self.mocks.contains_key(provider) || self.overriding(address).next().is_some()
    }

    /// Whether nobody is behind this object of a provider's, whichever of its configurations the object is made with.
    pub(crate) fn is_double_of(&self, provider: &ProviderName, address: &Address) -> bool {
        self.is_double(&self.key(provider, address), address)
    }

    /// What is not declared belongs to the configuration without an alias.
    pub(crate) fn key(&self, provider: &ProviderName, address: &Address) -> ProviderKey {
        let owner = self.owners.get(&address.whole()).filter(|owner| owner.provider.name == *provider);
        owner.map_or_else(|| ProviderKey { name: provider.clone(), alias: None }, |owner| owner.provider.clone())
    }

    /// A machine, a resource or a container.
    pub(crate) fn managed<'d>(
        &'d self,
        provider: &ProviderKey,
        address: &'d Address,
        ty: &str,
        schema: &'d TypeSchema,
    ) -> Double<'d> {
        let mock = self.mocks.get(provider);
        let of_type = mock.and_then(|mock| mock.managed.get(ty));
        let of_machine = mock.filter(|_| schema.role == Some(Role::Machine)).and_then(|mock| mock.machine.as_ref());
        self.double(address, schema, of_type.into_iter().chain(of_machine))
    }

    /// A data source.
    pub(crate) fn data<'d>(
        &'d self,
        provider: &ProviderKey,
        address: &'d Address,
        ty: &str,
        schema: &'d TypeSchema,
    ) -> Double<'d> {
        let of_type = self.mocks.get(provider).and_then(|mock| mock.data.get(ty));
        self.double(address, schema, of_type.into_iter())
    }

    fn double<'d>(
        &'d self,
        address: &'d Address,
        schema: &'d TypeSchema,
        of_type: impl Iterator<Item = &'d Values>,
    ) -> Double<'d> {
        let said = self.overriding(address).map(|by| &by.values).chain(of_type).collect();
        Double { address, schema, said }
    }

    /// The strongest first.
    fn overriding<'d>(&'d self, address: &Address) -> impl Iterator<Item = &'d Override> {
        self.overrides.iter().rev().filter(move |by| is_meant(&by.target, address))
    }
}

/// Whether an address is the target, or one of its instances or containers. Where no instance of a module is named, all are meant.
pub(crate) fn is_meant(target: &Address, address: &Address) -> bool {
    let fits = |wanted: &Option<Key>, key: &Option<Key>| wanted.is_none() || wanted == key;
    let (around, wanted) = (address.module.steps(), target.module.steps());
    let is_there =
        |(step, wanted): (&ModuleStep, &ModuleStep)| step.name == wanted.name && fits(&wanted.key, &step.key);
    around.len() == wanted.len()
        && around.iter().zip(wanted).all(is_there)
        && (target.block, &target.ty, &target.name) == (address.block, &address.ty, &address.name)
        && fits(&target.key, &address.key)
        && fits(&target.replica, &address.replica)
}

impl Double<'_> {
    /// What is said of one of its attributes, as far as it is known by then.
    pub(crate) fn said_of(&self, name: &str, when: When) -> Option<&Value> {
        let is_known = |values: &&&Values| values.known == When::Planned || when == When::Made;
        self.said.iter().filter(is_known).find_map(|values| values.value.member(name))
    }
}
