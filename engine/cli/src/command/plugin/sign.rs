//! `plugin sign`

use bimetal_host::Manifest;
use bimetal_install::signature::{self, SUFFIX};
use serde_json::json;

use crate::arguments;
use crate::failure::{Failure, io};
use crate::output::{print, print_json};
use crate::session::Session;

/// Writes a component's signature beside it.
pub(crate) fn sign(session: &Session, arguments: &arguments::plugin::Sign) -> Result<(), Failure> {
    let (path, key) = (session.root.join(&arguments.file), session.root.join(&arguments.key));
    let wasm = std::fs::read(&path).map_err(io(&format!("reading `{}`", path.display())))?;
    let Manifest { name, version, .. } = Manifest::of(&wasm)?;
    let secret = std::fs::read_to_string(&key).map_err(io(&format!("reading the key `{}`", key.display())))?;
    let signature = signature::sign(&wasm, &secret, super::password(), &format!("{name} {version}"))?;
    let beside = format!("{}{SUFFIX}", path.display());
    std::fs::write(&beside, signature).map_err(io(&format!("writing `{beside}`")))?;
    match session.json {
        true => print_json(&json!({ "format": 1, "name": name, "version": version, "signature": beside })),
        false => print(&format!("Signed {name} {version}: `{}{SUFFIX}`\n", arguments.file.display())),
    }
    Ok(())
}
