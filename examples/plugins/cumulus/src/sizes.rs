//! `cumulus_sizes`: what machines there are to be had.

use bimetal_provider::{DataSource, Deserialize, Diagnostic, Json, Result, Schema, Serialize, json};

use crate::Cumulus;
use crate::api::Api;

/// The sizes of machines.
#[derive(Schema, Serialize, Deserialize)]
pub(crate) struct Sizes {
    /// Only those of this platform: `linux/amd64`
    platform: Option<String>,
    /// The smallest first; `memory` is in bytes
    #[attr(read_only)]
    sizes: Option<Vec<Size>>,
}

/// A size.
#[derive(Schema, Serialize, Deserialize)]
pub(crate) struct Size {
    name: String,
    platform: String,
    cpus: u64,
    /// In bytes
    memory: u64,
}

impl Size {
    fn of(document: &Json) -> Result<Size> {
        Size::deserialize(document).map_err(|error| Diagnostic::error(format!("this is no size: {error}")))
    }

    fn all(api: &Api) -> Result<Vec<Size>> {
        let mut sizes = api.list("sizes", "sizes")?.iter().map(Size::of).collect::<Result<Vec<_>>>()?;
        sizes.sort_by(|one, other| (one.memory, &one.name).cmp(&(other.memory, &other.name)));
        Ok(sizes)
    }

    /// What a machine of that size will be, before there is one.
    pub(crate) fn facts(api: &Api, name: &str) -> Result<Json> {
        let sizes = Size::all(api)?;
        let unknown = || {
            let names: Vec<String> = sizes.iter().map(|size| format!("`{}`", size.name)).collect();
            let error = Diagnostic::error(format!("Cumulus has no size `{name}`")).at("size");
            error.hint(format!("there are {}", names.join(", ")))
        };
        let size = sizes.iter().find(|size| size.name == name).ok_or_else(unknown)?;
        Ok(json!({ "platform": size.platform, "cpus": size.cpus, "memory": size.memory }))
    }
}

impl DataSource for Sizes {
    type Provider = Cumulus;
    const NAME: &'static str = "cumulus_sizes";

    fn read(cumulus: &Cumulus, config: Sizes) -> Result<Sizes> {
        let mut sizes = Size::all(&cumulus.api)?;
        sizes.retain(|size| config.platform.as_ref().is_none_or(|platform| size.platform == *platform));
        Ok(Sizes { sizes: Some(sizes), ..config })
    }
}
