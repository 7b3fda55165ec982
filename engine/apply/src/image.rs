//! Images that nobody knew when their replicas were placed.

use std::collections::BTreeMap;

use bimetal_config::Desired;
use bimetal_model::Diagnostics;
use bimetal_model::image::{ImageIndex, ImageSource};
use bimetal_model::placement::Placement;
use bimetal_model::port::Operate;
use bimetal_plan::Values;

/// What was looked up on the way.
#[derive(Default)]
pub(crate) struct Images {
    known: BTreeMap<ImageSource, ImageIndex>,
}

impl Images {
    /// The placement with the image that is for its platform; each source is asked for once.
    pub(crate) async fn settled(
        &mut self,
        placement: &Placement,
        desired: &Desired,
        values: &Values,
        operate: &dyn Operate,
    ) -> Result<Placement, Diagnostics> {
        let source = bimetal_plan::late_image(desired, placement, values)?;
        if !self.known.contains_key(&source) {
            operate.allow_images(std::slice::from_ref(&source));
            let index = operate.image(&source).await?;
            self.known.insert(source.clone(), index);
        }
        let pinned = self.known.get(&source).map(|index| bimetal_plan::pin(&source, index, &placement.platform));
        let image = pinned.transpose().map_err(|diagnostic| vec![diagnostic])?.unwrap_or_default();
        Ok(Placement { image, ..placement.clone() })
    }
}
