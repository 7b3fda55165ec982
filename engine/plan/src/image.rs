//! Images of services: one for all platforms, or one for each.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_config::Desired;
use bimetal_fleet::Offer;
use bimetal_fleet::platform::{Arm32, choose, runs};
use bimetal_model::image::{ImageIndex, ImageManifest, ImageSource};
use bimetal_model::placement::Placement;
use bimetal_model::{Data, Diagnostic, Diagnostics, Platform, Value};

use crate::evaluator;
use crate::values::Values;

/// Where a service's image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Images {
    /// One source; its index says what there is for each platform.
    One(ImageSource),
    /// A source for each platform.
    Each(BTreeMap<Platform, ImageSource>),
}

impl Images {
    /// What the argument `image` says.
    pub(crate) fn of(image: &Value) -> Result<Images, Diagnostic> {
        match &image.data {
            Data::String(text) => Ok(Images::One(source(text)?)),
            Data::Map(members) | Data::Object(members) => {
                let one = |(platform, image): (&String, &Value)| {
                    let platform = platform.parse().map_err(|reason: String| Diagnostic::error(reason))?;
                    Ok((platform, source(image.as_str().ok_or_else(unclear)?)?))
                };
                Ok(Images::Each(members.iter().map(one).collect::<Result<_, _>>()?))
            }
            _ => Err(unclear()),
        }
    }

    /// Where the image for a platform comes from.
    fn source_for(&self, platform: &Platform) -> Option<&ImageSource> {
        match self {
            Images::One(source) => Some(source),
            Images::Each(sources) => {
                let named: Vec<(&Platform, &ImageSource)> = sources.iter().collect();
                choose(&runs(platform, Arm32::Known), &named, |(platform, _)| *platform).map(|(_, source)| *source)
            }
        }
    }

    /// All sources.
    pub(crate) fn sources(&self) -> Vec<&ImageSource> {
        match self {
            Images::One(source) => vec![source],
            Images::Each(sources) => sources.values().collect(),
        }
    }

    /// What there is for each platform.
    pub(crate) fn offers(&self, indexes: &BTreeMap<ImageSource, ImageIndex>) -> Result<Vec<Offer>, Diagnostic> {
        match self {
            Images::One(source) => {
                Ok(indexes.get(source).into_iter().flat_map(|index| of_index(source, index)).collect())
            }
            Images::Each(sources) => {
                let known =
                    sources.iter().filter_map(|(platform, source)| Some((platform, source, indexes.get(source)?)));
                known.map(|(platform, source, index)| for_platform(platform, source, index)).collect()
            }
        }
    }
}

fn source(text: &str) -> Result<ImageSource, Diagnostic> {
    text.parse().map_err(|reason: String| Diagnostic::error(reason))
}

fn unclear() -> Diagnostic {
    Diagnostic::error("`image` must be known before apply: text, or text for each platform")
        .hint("write `image = \"nginx:1.27\"`, or `image = { \"linux/amd64\" = \"debian:12\" }`")
}

/// What a service whose image is known only later offers: something for each platform that it names, or for each of these.
pub(crate) fn open_offers(image: &Value, platforms: impl Iterator<Item = Platform>) -> Vec<Offer> {
    let named = image.as_members().map(|members| members.keys().filter_map(|name| name.parse().ok()).collect());
    let platforms: BTreeSet<Platform> = named.unwrap_or_else(|| platforms.collect());
    let offer = |platform: Platform| Offer { built_for: platform.clone(), platform, image: String::new() };
    platforms.into_iter().map(offer).collect()
}

/// Where the image of a replica comes from that was not known when it was placed, and is now.
pub fn late_image(desired: &Desired, placement: &Placement, values: &Values) -> Result<ImageSource, Diagnostics> {
    let of = |said: Diagnostics| said.into_iter().map(|diagnostic| diagnostic.of(&placement.replica)).collect();
    let arguments = evaluator::service_arguments(desired, &placement.replica, values)?;
    let images =
        Images::of(arguments.member("image").unwrap_or(&Value::NULL)).map_err(|diagnostic| of(vec![diagnostic]))?;
    images
        .source_for(&placement.platform)
        .cloned()
        .ok_or_else(|| of(vec![Diagnostic::error(format!("there is no image for `{}`", placement.platform))]))
}

/// A source's image for a platform, pinned by digest.
pub fn pin(source: &ImageSource, index: &ImageIndex, platform: &Platform) -> Result<String, Diagnostic> {
    for_platform(platform, source, index).map(|offer| offer.image)
}

/// Signatures and build records stand in an index as images for no platform.
fn real(index: &ImageIndex) -> Vec<ImageManifest> {
    index.manifests.iter().filter(|manifest| manifest.platform.os != "unknown").cloned().collect()
}

fn of_index(source: &ImageSource, index: &ImageIndex) -> Vec<Offer> {
    let offer = |manifest: ImageManifest| Offer {
        platform: manifest.platform.clone(),
        image: source.pinned(&manifest.digest),
        built_for: manifest.platform,
    };
    real(index).into_iter().map(offer).collect()
}

/// A source with a single image is taken at the user's word: old images often say the wrong platform.
fn for_platform(platform: &Platform, source: &ImageSource, index: &ImageIndex) -> Result<Offer, Diagnostic> {
    let manifests = real(index);
    let fitting = choose(&runs(platform, Arm32::Known), &manifests, |manifest| &manifest.platform);
    let manifest = match (fitting, &manifests[..]) {
        (Some(manifest), _) | (None, [manifest]) => manifest,
        (None, _) => {
            let there: Vec<_> = manifests.iter().map(|manifest| manifest.platform.to_string()).collect();
            let message = format!("`{source}` has nothing for `{platform}`");
            return Err(Diagnostic::error(message).because(format!("there is {}", there.join(", "))));
        }
    };
    let (built_for, image) = (manifest.platform.clone(), source.pinned(&manifest.digest));
    Ok(Offer { platform: platform.clone(), built_for, image })
}
