use serde_json::Value as Json;

use super::host::docker as wit;
use super::{Fault, parsed};
use crate::schema::Handle;

type Result<T> = std::result::Result<T, Fault>;

/// A container engine. Bodies and answers are those of Docker's Engine API.
pub struct Engine(String);

fn optional(text: Option<String>) -> Result<Option<Json>> {
    text.as_deref().map(parsed).transpose()
}

impl Engine {
    /// The engine behind a handle.
    pub fn new(handle: &Handle) -> Self {
        Engine(handle.0.to_string())
    }

    /// `{"info": …, "version": …}`
    pub fn info(&self) -> Result<Json> {
        parsed(&wit::info(&self.0)?)
    }

    /// All containers that match, stopped ones too.
    pub fn containers(&self, filters: &Json) -> Result<Vec<Json>> {
        list(&wit::containers(&self.0, &filters.to_string())?)
    }

    /// `None`: there is no such container.
    pub fn inspect_container(&self, id: &str) -> Result<Option<Json>> {
        optional(wit::inspect_container(&self.0, id)?)
    }

    /// `None`: the image is not there.
    pub fn inspect_image(&self, reference: &str) -> Result<Option<Json>> {
        optional(wit::inspect_image(&self.0, reference)?)
    }

    /// `None`: there is no such network.
    pub fn inspect_network(&self, id: &str) -> Result<Option<Json>> {
        optional(wit::inspect_network(&self.0, id)?)
    }

    /// All networks that match.
    pub fn networks(&self, filters: &Json) -> Result<Vec<Json>> {
        list(&wit::networks(&self.0, &filters.to_string())?)
    }

    /// `None`: there is no such volume.
    pub fn inspect_volume(&self, name: &str) -> Result<Option<Json>> {
        optional(wit::inspect_volume(&self.0, name)?)
    }

    /// All volumes that match.
    pub fn volumes(&self, filters: &Json) -> Result<Vec<Json>> {
        let answer = parsed(&wit::volumes(&self.0, &filters.to_string())?)?;
        Ok(match answer {
            Json::Object(mut members) => {
                members.remove("Volumes").and_then(|v| v.as_array().cloned()).unwrap_or_default()
            }
            Json::Array(items) => items,
            _ => Vec::new(),
        })
    }

    /// Answers its id.
    pub fn create_container(&self, name: &str, platform: Option<&str>, body: &Json) -> Result<String> {
        wit::create_container(&self.0, name, platform, &body.to_string())
    }

    /// One that runs already stays so.
    pub fn start_container(&self, id: &str) -> Result<()> {
        wit::start_container(&self.0, id)
    }

    /// Kills it where it takes longer.
    pub fn stop_container(&self, id: &str, seconds: u32) -> Result<()> {
        wit::stop_container(&self.0, id, seconds)
    }

    /// Gives it another name.
    pub fn rename_container(&self, id: &str, name: &str) -> Result<()> {
        wit::rename_container(&self.0, id, name)
    }

    /// Changes what can be changed while it runs.
    pub fn update_container(&self, id: &str, body: &Json) -> Result<()> {
        wit::update_container(&self.0, id, &body.to_string())
    }

    /// One that is gone counts as removed.
    pub fn remove_container(&self, id: &str, volumes: bool) -> Result<()> {
        wit::remove_container(&self.0, id, volumes)
    }

    /// Makes sure that an image is there: pulls it, or streams it from the operator's disk. Answers its inspection.
    pub fn ensure_image(&self, image: &str, platform: Option<&str>) -> Result<Json> {
        match image.starts_with("oci:") || image.starts_with("oci-archive:") {
            true => parsed(&wit::load_image(&self.0, image)?),
            false => parsed(&wit::pull_image(&self.0, image, platform)?),
        }
    }

    /// One that is gone counts as removed.
    pub fn remove_image(&self, reference: &str) -> Result<()> {
        wit::remove_image(&self.0, reference)
    }

    /// Answers its id.
    pub fn create_network(&self, body: &Json) -> Result<String> {
        wit::create_network(&self.0, &body.to_string())
    }

    /// One that is gone counts as removed.
    pub fn remove_network(&self, id: &str) -> Result<()> {
        wit::remove_network(&self.0, id)
    }

    /// Answers its inspection.
    pub fn create_volume(&self, body: &Json) -> Result<Json> {
        parsed(&wit::create_volume(&self.0, &body.to_string())?)
    }

    /// One that is gone counts as removed.
    pub fn remove_volume(&self, name: &str) -> Result<()> {
        wit::remove_volume(&self.0, name)
    }
}

fn list(text: &str) -> Result<Vec<Json>> {
    match parsed(text)? {
        Json::Array(items) => Ok(items),
        other => Ok(vec![other]),
    }
}
