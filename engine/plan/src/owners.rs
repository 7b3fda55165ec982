//! Whose everything is that a configuration declares.

use std::collections::BTreeMap;

use bimetal_config::Desired;
use bimetal_model::port::Predict;
use bimetal_model::{Address, BlockKind, ProviderKey};

use crate::catalogue::Catalogue;

/// The provider of each block's objects, and its name for their type: of a service, those of its containers. Left out is
/// what nobody provides.
pub fn owners(desired: &Desired, predict: &dyn Predict) -> BTreeMap<Address, (ProviderKey, String)> {
    let (catalogue, _) = Catalogue::new(predict);
    let owner = |address: &Address| {
        let owner = match address.block {
            BlockKind::Pool => return None,
            BlockKind::Service => catalogue.runtime(),
            BlockKind::Machine | BlockKind::Resource | BlockKind::Data | BlockKind::Ephemeral => {
                catalogue.owner(desired.module.objects.get(address)?)
            }
        };
        owner.ok().map(|owner| (address.clone(), (owner.provider, owner.ty)))
    };
    desired.module.objects.keys().filter_map(owner).collect()
}
