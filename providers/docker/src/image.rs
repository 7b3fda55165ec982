//! `docker_image`: an image that an engine keeps.

use bimetal_provider::capability::docker::Engine;
use bimetal_provider::{
    Create, Deletion, Deserialize, Diagnostic, Handle, Outcome, Resource, Result, Schema, Serialize,
};

use crate::Docker;

/// An image that an engine keeps.
#[derive(Schema, Serialize, Deserialize)]
pub(crate) struct Image {
    #[attr(force_new)]
    engine: Handle,
    /// `nginx:1.27`
    #[attr(force_new)]
    name: String,
    #[attr(force_new)]
    platform: Option<String>,
    /// Stays on the engine when it is no longer wanted here
    keep_on_destroy: Option<bool>,
    #[attr(read_only)]
    id: Option<String>,
}

impl Image {
    fn look(self) -> Result<Option<Self>> {
        let found = Engine::new(&self.engine).inspect_image(&self.name)?;
        Ok(found.map(|image| Image { id: image["Id"].as_str().map(str::to_owned), ..self }))
    }

    fn make(self) -> Result<Self> {
        let image = Engine::new(&self.engine).ensure_image(&self.name, self.platform.as_deref())?;
        Ok(Image { id: image["Id"].as_str().map(str::to_owned), ..self })
    }
}

impl Resource for Image {
    type Provider = Docker;
    const NAME: &'static str = "docker_image";

    fn read(_: &Docker, objects: Vec<Self>) -> Vec<Result<Option<Self>>> {
        objects.into_iter().map(Image::look).collect()
    }

    /// An image can't be stamped; pulling it again is no harm, so that what is there counts as made.
    fn probe(_: &Docker, _: &str, config: Self) -> Result<Option<Self>> {
        config.look()
    }

    fn create(_: &Docker, requests: Vec<Create<Self>>) -> Vec<Outcome<Self>> {
        requests.into_iter().map(|request| request.config.make().into()).collect()
    }

    fn update(_: &Docker, prior: Self, config: Self) -> Outcome<Self> {
        Outcome::Done(Image { id: prior.id, ..config })
    }

    fn delete(_: &Docker, object: Self) -> Deletion {
        if object.keep_on_destroy == Some(true) {
            return Deletion::Done;
        }
        Engine::new(&object.engine).remove_image(&object.name).map_err(Diagnostic::from).into()
    }
}
