//! `docker_image`: an image that an engine keeps.

use bimetal_provider::capability::docker::Engine;
use bimetal_provider::{
    Create, Deletion, Deserialize, Diagnostic, Handle, Json, Outcome, Plan, Resource, Result, Schema, Serialize,
};

use crate::Docker;
use crate::access::stay;
use crate::import::missing;

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
    /// What the registry calls this version of it: `sha256:…`
    #[attr(read_only)]
    digest: Option<String>,
}

impl Image {
    /// What the operator's disk holds has no name on the engine.
    fn is_file(&self) -> bool {
        self.name.starts_with("oci:") || self.name.starts_with("oci-archive:")
    }

    fn reference(&self) -> Option<&str> {
        if self.is_file() { self.id.as_deref() } else { Some(&self.name) }
    }

    fn seen(self, image: &Json) -> Self {
        let digest =
            image["RepoDigests"][0].as_str().and_then(|name| name.split_once('@')).map(|(_, digest)| digest.to_owned());
        Image { id: image["Id"].as_str().map(str::to_owned), digest, ..self }
    }

    fn look(self) -> Result<Option<Self>> {
        let found = match self.reference() {
            Some(reference) => Engine::new(&self.engine).inspect_image(reference)?,
            None => None,
        };
        Ok(found.map(|image| self.seen(&image)))
    }

    fn make(self) -> Result<Self> {
        let image = Engine::new(&self.engine).ensure_image(&self.name, self.platform.as_deref())?;
        Ok(self.seen(&image))
    }
}

impl Resource for Image {
    type Provider = Docker;
    const NAME: &'static str = "docker_image";

    fn plan(plan: &mut Plan) -> Result<()> {
        stay(plan);
        Ok(())
    }

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
        Outcome::Done(Image { id: prior.id, digest: prior.digest, ..config })
    }

    fn import(_: &Docker, id: &str, config: Self) -> Result<Self> {
        let image = Engine::new(&config.engine).inspect_image(id)?.ok_or_else(|| missing("image", id))?;
        Ok(Image { name: id.to_owned(), ..config }.seen(&image))
    }

    fn delete(_: &Docker, object: Self) -> Deletion {
        match object.reference() {
            Some(reference) if object.keep_on_destroy != Some(true) => {
                Engine::new(&object.engine).remove_image(reference).map_err(Diagnostic::from).into()
            }
            Some(_) | None => Deletion::Done,
        }
    }
}

#[cfg(test)]
mod tests {
    use bimetal_provider::json;

    use crate::testing::Engine;

    #[test]
    fn an_image_is_pulled_kept_and_removed() {
        let engine = Engine::default();
        let driver = engine.driver();
        let config = json!({ "engine": engine.handle(), "name": "nginx:1.27" });
        let image = driver.create("docker_image", "i-1", &config).unwrap();
        assert_eq!((&image["id"], &image["digest"]), (&json!("sha256:nginx:1.27"), &json!("sha256:d")));
        assert_eq!(driver.read("docker_image", std::slice::from_ref(&image)), [Ok(Some(image.clone()))]);
        let mut kept = image.clone();
        kept["keep_on_destroy"] = json!(true);
        driver.delete("docker_image", &kept).unwrap();
        assert_eq!(driver.probe("docker_image", "i-1", &config), Ok(Some(image.clone())));
        driver.delete("docker_image", &image).unwrap();
        assert_eq!(driver.read("docker_image", &[image]), [Ok(None)]);
    }
}
