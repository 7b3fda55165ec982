//! Artifacts of one repository of a registry: which tag is meant, and the layer behind it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use bimetal_model::Diagnostic;
use sha2::{Digest as _, Sha256};

use super::choosing::newest_tag;
use super::packed::{cached, file, finish, not_kept, write};
use super::{Done, Item, Options, Shared};
use crate::cache::Cache;
use crate::source::ArtifactName;
use crate::tree::PACKED_BYTES;

/// Takes from the cache what may be taken from there, and asks for the rest; `say` is called before the registry is asked.
pub(super) async fn artifact(
    name: &ArtifactName,
    items: Vec<Item>,
    shared: Arc<Shared>,
    options: &Options<'_>,
    say: &(dyn Fn() + Sync),
) -> Done {
    let (mut done, open) = cached(items, &shared);
    if open.is_empty() {
        return done;
    }
    say();
    let needs_tags = open.iter().any(|item| item.wanted.version.is_some() && item.locked.is_none());
    let tags = match needs_tags {
        true => options.artifacts.tags(name.as_str()).await,
        false => Ok(Vec::new()),
    };
    let mut chosen: BTreeMap<Option<String>, Vec<Item>> = BTreeMap::new();
    for item in open {
        match tags.as_ref().map_err(Clone::clone).and_then(|tags| tag(&item, tags)) {
            Ok(tag) => chosen.entry(tag).or_default().push(item),
            Err(error) => done.push((item.index, Err(error))),
        }
    }
    for (tag, items) in chosen {
        let reference = tag.as_ref().map_or_else(|| name.to_string(), |tag| format!("{name}:{tag}"));
        let fetched = match layer(&reference, &shared.cache, options).await {
            Ok(file) => write(format!("oci://{reference}"), file, Arc::clone(&shared)).await,
            Err(error) => Err(error),
        };
        finish(items, tag.as_deref(), &fetched, &mut done);
    }
    done
}

/// The tag that is taken, where versions are chosen among.
fn tag(item: &Item, tags: &[String]) -> Result<Option<String>, Diagnostic> {
    let Some(constraint) = &item.wanted.version else { return Ok(None) };
    match item.locked.as_ref().and_then(|locked| locked.reference.clone()) {
        Some(locked) => Ok(Some(locked)),
        None => newest_tag(&item.wanted, constraint, tags.iter().map(String::as_str)).map(|tag| Some(tag.to_owned())),
    }
}

async fn layer(reference: &str, cache: &Cache, options: &Options<'_>) -> Result<File, Diagnostic> {
    let layer = options.artifacts.layer(reference, PACKED_BYTES).await?;
    let hash: String = Sha256::digest(&layer.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if layer.digest != format!("sha256:{hash}") || layer.bytes.len() as u64 > PACKED_BYTES {
        return Err(Diagnostic::error(format!("the layer of `oci://{reference}` is not what its manifest says"))
            .because(format!("its digest should be {}, and is sha256:{hash}", layer.digest)));
    }
    let mut file = file(cache)?;
    file.write_all(&layer.bytes).map_err(|error| not_kept(cache, &error))?;
    Ok(file)
}
