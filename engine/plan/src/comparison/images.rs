//! Images of services, as they are written and as they are locked: what is pinned has lost its tag.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_config::module::ObjectBlock;
use bimetal_config::{Desired, expand};
use bimetal_model::image::ImageSource;
use bimetal_model::{Address, BlockKind, Diagnostics, Platform, Value};
use serde::Serialize;

use super::Version;
use crate::data::Plan;
use crate::image::Images;
use crate::moves::renamed;
use crate::values::Values;
use crate::{needs, service};

/// An image that a service names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Image {
    /// What for, where the service names one for each platform.
    pub platform: Option<Platform>,
    /// As it is written; `None` where that is known only after apply.
    pub source: Option<ImageSource>,
    /// What it was resolved to.
    pub digest: Option<String>,
}

/// The images of a service in both versions; none where a version has no such service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageChange {
    /// Of the first version.
    pub before: Vec<Image>,
    /// Of the second version.
    pub after: Vec<Image>,
}

/// Services whose images differ.
pub(super) fn compared(before: &Version<'_>, after: &Version<'_>) -> BTreeMap<Address, ImageChange> {
    let (mut old, mut new) = (of(before), of(after));
    for address in old.keys().cloned().collect::<Vec<_>>() {
        let name = renamed(&after.desired.module.moved, &address);
        let is_moved = !new.contains_key(&address) && !old.contains_key(&name);
        if let Some(images) = is_moved.then(|| old.remove(&address)).flatten() {
            old.insert(name, images);
        }
    }
    let addresses: BTreeSet<Address> = old.keys().chain(new.keys()).cloned().collect();
    let change = |address: Address| {
        let taken = |all: &mut BTreeMap<Address, Vec<Image>>| all.remove(&address).unwrap_or_default();
        let change = ImageChange { before: taken(&mut old), after: taken(&mut new) };
        (change.before != change.after).then_some((address, change))
    };
    addresses.into_iter().filter_map(change).collect()
}

/// By services' instances. What can't be worked out was said when the version was planned.
fn of(version: &Version<'_>) -> BTreeMap<Address, Vec<Image>> {
    let blocks = version.desired.module.objects.values();
    let services = blocks.filter(|block| block.address.block == BlockKind::Service);
    let services: Vec<&ObjectBlock> = services.map(Box::as_ref).collect();
    if services.is_empty() {
        return BTreeMap::new();
    }
    let (values, _) = Values::of_plan(version.desired, version.plan, version.predict);
    let of_block = |block: &ObjectBlock| of_block(block, version.desired, version.plan, &values).unwrap_or_default();
    services.into_iter().flat_map(of_block).collect()
}

fn of_block(
    block: &ObjectBlock,
    desired: &Desired,
    plan: &Plan,
    values: &Values,
) -> Result<Vec<(Address, Vec<Image>)>, Diagnostics> {
    let mut start = needs::of_arguments(&desired.module, block);
    start.extend(needs::of_repetition(&desired.module, &block.repetition));
    let mut narrowed = values.narrowed(desired, start)?;
    let mut found = Vec::new();
    for instance in expand(&block.repetition, &narrowed.scope)? {
        let address = block.address.instance(instance.key.clone());
        let arguments = narrowed.within(instance, |values| service::arguments(block, &values.scope))?;
        found.push((address, images(arguments.member("image").unwrap_or(&Value::NULL), plan)));
    }
    Ok(found)
}

fn images(argument: &Value, plan: &Plan) -> Vec<Image> {
    let image = |platform: Option<&Platform>, source: &ImageSource| Image {
        platform: platform.cloned(),
        source: Some(source.clone()),
        digest: plan.images.get(source).map(|index| index.digest.clone()),
    };
    match Images::of(argument) {
        Ok(Images::One(source)) => vec![image(None, &source)],
        Ok(Images::Each(sources)) => sources.iter().map(|(platform, source)| image(Some(platform), source)).collect(),
        Err(_) => vec![Image { platform: None, source: None, digest: None }],
    }
}
