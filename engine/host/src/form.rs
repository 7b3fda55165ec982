//! What follows from a provider's schema: worked out once for all values of a type.

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_model::Type;
use bimetal_model::schema::{Block, ProviderSchema};

/// A schema, with the forms of what it speaks of.
pub(crate) struct Offer {
    pub(crate) schema: Arc<ProviderSchema>,
    /// Of the arguments of its block.
    pub(crate) provider: Form,
    /// Managed, or read by a data source: of a name that both have, the managed one.
    objects: BTreeMap<String, Arc<Form>>,
    ephemeral: BTreeMap<String, Arc<Form>>,
}

impl Offer {
    pub(crate) fn new(schema: ProviderSchema) -> Offer {
        let forms = |types: &mut dyn Iterator<Item = (&String, &Block)>| {
            types.map(|(name, block)| (name.clone(), Arc::new(Form::new(block.clone())))).collect()
        };
        let types = schema.data.iter().chain(&schema.managed).map(|(name, ty)| (name, &ty.block));
        Offer {
            provider: Form::new(schema.provider.clone()),
            objects: forms(&mut { types }),
            ephemeral: forms(&mut schema.ephemeral.iter().map(|(name, ty)| (name, &ty.block))),
            schema: Arc::new(schema),
        }
    }

    pub(crate) fn object(&self, ty: &str) -> Option<&Arc<Form>> {
        self.objects.get(ty)
    }

    pub(crate) fn ephemeral(&self, ty: &str) -> Option<&Arc<Form>> {
        self.ephemeral.get(ty)
    }
}

/// A block, and what its values are.
pub(crate) struct Form {
    pub(crate) block: Block,
    pub(crate) ty: Type,
    /// Whether an attribute is a credential, however deep.
    pub(crate) has_credentials: bool,
    /// Whether an attribute is never shown, however deep.
    pub(crate) has_secrets: bool,
}

impl Form {
    pub(crate) fn new(block: Block) -> Form {
        Form {
            ty: block.ty(),
            has_credentials: block.any_attribute(&|attribute| attribute.credential.is_some()),
            has_secrets: block.has_secrets(),
            block,
        }
    }
}
