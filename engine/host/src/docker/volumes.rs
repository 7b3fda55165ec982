//! Networks and volumes.

use bollard::models::{NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::{InspectNetworkOptions, ListNetworksOptions, ListVolumesOptions, RemoveVolumeOptions};
use serde_json::Value;

use super::containers::filters;
use super::{Engine, body, plain, value};
use crate::fault::Fault;

impl Engine {
    /// Networks that fit.
    pub async fn networks(&self, filters: Value) -> Result<Value, Fault> {
        let options = ListNetworksOptions { filters: self::filters(filters)? };
        value(&self.ask("listing networks", self.docker.list_networks(Some(options))).await?)
    }

    /// One network; `None`: there is none.
    pub async fn inspect_network(&self, id: &str) -> Result<Option<Value>, Fault> {
        let call = self.docker.inspect_network(plain(id)?, None::<InspectNetworkOptions>);
        self.look(&format!("looking at network {id}"), call).await
    }

    /// Makes a network, and answers its id.
    pub async fn create_network(&self, body: Value) -> Result<String, Fault> {
        let body: NetworkCreateRequest = self::body(body, "a network")?;
        let doing = format!("making network {}", body.name);
        Ok(self.ask(&doing, self.docker.create_network(body)).await?.id)
    }

    /// One that is gone already counts as removed.
    pub async fn remove_network(&self, id: &str) -> Result<(), Fault> {
        self.remove(&format!("removing network {id}"), self.docker.remove_network(plain(id)?)).await
    }

    /// Volumes that fit, as a list.
    pub async fn volumes(&self, filters: Value) -> Result<Value, Fault> {
        let options = ListVolumesOptions { filters: self::filters(filters)? };
        let list = self.ask("listing volumes", self.docker.list_volumes(Some(options))).await?;
        value(&list.volumes.unwrap_or_default())
    }

    /// One volume; `None`: there is none.
    pub async fn inspect_volume(&self, name: &str) -> Result<Option<Value>, Fault> {
        self.look(&format!("looking at volume {name}"), self.docker.inspect_volume(plain(name)?)).await
    }

    /// Makes a volume, and answers it.
    pub async fn create_volume(&self, body: Value) -> Result<Value, Fault> {
        let body: VolumeCreateRequest = self::body(body, "a volume")?;
        let doing = format!("making volume {}", body.name.as_deref().unwrap_or("without a name"));
        value(&self.ask(&doing, self.docker.create_volume(body)).await?)
    }

    /// One that is gone already counts as removed.
    pub async fn remove_volume(&self, name: &str) -> Result<(), Fault> {
        let call = self.docker.remove_volume(plain(name)?, None::<RemoveVolumeOptions>);
        self.remove(&format!("removing volume {name}"), call).await
    }
}
