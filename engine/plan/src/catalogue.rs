//! Which provider a block belongs to, and what that provider says about its type.

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_config::Desired;
use bimetal_config::module::ObjectBlock;
use bimetal_model::port::Predict;
use bimetal_model::schema::{Block, ProviderSchema, Role, TypeSchema};
use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, ProviderKey, ProviderName, Value};

use crate::prior::shape;

/// The schemas of all providers of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    schemas: BTreeMap<ProviderName, Offered>,
}

/// What one provider offers; its types are shared, as every instance looks at them.
#[derive(Clone, Debug)]
struct Offered {
    provider: Block,
    managed: Types,
    data: Types,
    ephemeral: Types,
}

type Types = BTreeMap<String, Arc<TypeSchema>>;

impl From<&ProviderSchema> for Offered {
    fn from(schema: &ProviderSchema) -> Self {
        let shared = |types: &BTreeMap<String, TypeSchema>| -> Types {
            types.iter().map(|(name, schema)| (name.clone(), Arc::new(schema.clone()))).collect()
        };
        let (managed, data) = (shared(&schema.managed), shared(&schema.data));
        Offered { provider: schema.provider.clone(), managed, data, ephemeral: shared(&schema.ephemeral) }
    }
}

/// Whose a block is, and of what type.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    /// Name and alias.
    pub(crate) provider: ProviderKey,
    /// The provider's name for the type.
    pub(crate) ty: String,
    /// Of the type.
    pub(crate) schema: Arc<TypeSchema>,
}

impl Catalogue {
    /// What all providers offer.
    pub(crate) fn new(predict: &dyn Predict) -> (Catalogue, Diagnostics) {
        let (mut schemas, mut diagnostics) = (BTreeMap::new(), Diagnostics::new());
        for name in predict.providers() {
            match predict.schema(&name) {
                Ok(schema) => drop(schemas.insert(name, Offered::from(&*schema))),
                Err(more) => diagnostics.extend(more),
            }
        }
        (Catalogue { schemas }, diagnostics)
    }

    /// Of all providers.
    pub(crate) fn names(&self) -> impl Iterator<Item = &ProviderName> {
        self.schemas.keys()
    }

    /// The arguments of a provider's block.
    pub(crate) fn provider(&self, provider: &ProviderName) -> Option<&Block> {
        self.schemas.get(provider).map(|offered| &offered.provider)
    }

    /// The owner of a machine, a resource, a data source or something ephemeral.
    pub(crate) fn owner(&self, block: &ObjectBlock) -> Result<Owner, Diagnostic> {
        let owner = match block.address.block {
            BlockKind::Machine => self.of_machine(block),
            BlockKind::Resource | BlockKind::Pool | BlockKind::Service => self.of_type(block, |schema| &schema.managed),
            BlockKind::Data => self.of_type(block, |schema| &schema.data),
            BlockKind::Ephemeral => self.of_type(block, |schema| &schema.ephemeral),
        };
        owner.map_err(|diagnostic| diagnostic.at(&block.span).of(&block.address))
    }

    /// A value that was written down, in the type that its block's schema says. A replica's is left as it is.
    pub(crate) fn shaped(&self, desired: &Desired, address: &Address, value: Value) -> Value {
        let block = desired.module.objects.get(&address.whole()).filter(|_| address.replica.is_none());
        let owner = block.and_then(|block| self.owner(block).ok());
        owner.and_then(|owner| shape(value.clone(), &owner.schema.block).ok()).unwrap_or(value)
    }

    /// The type that replicas of services are lowered to.
    pub(crate) fn runtime(&self) -> Result<Owner, Diagnostic> {
        let runs = |(_, schema): &(&String, &Arc<TypeSchema>)| schema.role == Some(Role::ContainerRuntime);
        let of = |(name, schema): (&ProviderName, &Offered)| {
            let (ty, schema) = schema.managed.iter().find(runs)?;
            Some(owner_of(ProviderKey { name: name.clone(), alias: None }, ty, schema))
        };
        let mut found: Vec<Owner> = self.schemas.iter().filter_map(of).collect();
        match (found.pop(), found.pop()) {
            (Some(owner), None) => Ok(owner),
            (None, _) => {
                Err(Diagnostic::error("no provider runs containers").hint("add `docker` to `required_providers`"))
            }
            (Some(one), Some(other)) => Err(Diagnostic::error(format!(
                "the providers `{}` and `{}` both run containers, but there can be only one",
                other.provider, one.provider
            ))),
        }
    }

    /// `machine "x"`: the type with the machine role of the provider `x`.
    fn of_machine(&self, block: &ObjectBlock) -> Result<Owner, Diagnostic> {
        let label = &block.address.ty;
        let provider = block.provider.clone().unwrap_or_else(|| ProviderKey::default_of(label.as_str()));
        let provider = block.in_root(provider);
        let machine = |schema: &Offered| {
            let (ty, schema) = schema.managed.iter().find(|(_, schema)| schema.role == Some(Role::Machine))?;
            Some((ty.clone(), schema.clone()))
        };
        match self.schemas.get(&provider.name).and_then(machine) {
            Some((ty, schema)) => Ok(owner_of(provider, &ty, &schema)),
            None => {
                let with_machines = self.schemas.iter().filter(|(_, schema)| machine(schema).is_some());
                let names = with_machines.map(|(name, _)| name.0.as_str());
                Err(unknown(format!("no provider `{}` makes machines", provider.name), &provider.name.0, names))
            }
        }
    }

    fn of_type(&self, block: &ObjectBlock, types: impl Fn(&Offered) -> &Types) -> Result<Owner, Diagnostic> {
        let ty = &block.address.ty;
        let of = |provider: ProviderKey| {
            let schema = types(self.schemas.get(&provider.name)?).get(ty)?;
            Some(owner_of(block.in_root(provider), ty, schema))
        };
        if let Some(provider) = &block.provider {
            let known = self.schemas.get(&provider.name).map(&types).into_iter().flatten();
            let message = format!("provider `{provider}` has no `{ty}`");
            return of(provider.clone()).ok_or_else(|| unknown(message, ty, known.map(|(ty, _)| ty.as_str())));
        }
        let prefix = ty.split_once('_').map_or(ty.as_str(), |(prefix, _)| prefix);
        let named = of(ProviderKey::default_of(prefix));
        let any = || self.schemas.keys().find_map(|name| of(ProviderKey { name: name.clone(), alias: None }));
        named.or_else(any).ok_or_else(|| {
            let known = self.schemas.values().flat_map(|schema| types(schema).keys());
            unknown(format!("no provider has `{ty}`"), ty, known.map(String::as_str))
        })
    }

    /// The type of something that exists, if its provider is still there and still has it.
    pub(crate) fn managed(&self, provider: &ProviderKey, ty: &str) -> Option<&TypeSchema> {
        self.schemas.get(&provider.name)?.managed.get(ty).map(|schema| &**schema)
    }
}

fn owner_of(provider: ProviderKey, ty: &str, schema: &Arc<TypeSchema>) -> Owner {
    Owner { provider, ty: ty.to_owned(), schema: schema.clone() }
}

fn unknown<'a>(summary: String, wanted: &str, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let nearest = known.map(|name| (strsim::damerau_levenshtein(name, wanted), name)).min();
    let diagnostic = Diagnostic::error(summary);
    match nearest {
        Some((distance, name)) if distance <= wanted.len().div_ceil(3) => {
            diagnostic.hint(format!("did you mean `{name}`?"))
        }
        _ => diagnostic.hint("name its provider in `required_providers` and run `bimetal init`"),
    }
}

/// The machine's own word for a provider is its label; the address stays the user's.
pub(crate) fn is_machine(address: &Address) -> bool {
    address.block == BlockKind::Machine
}
