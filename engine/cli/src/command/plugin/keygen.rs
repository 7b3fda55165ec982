//! `plugin keygen`

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use bimetal_install::signature;
use serde_json::json;

use crate::arguments;
use crate::failure::{Failure, io};
use crate::output::{print, print_json, say};
use crate::session::Session;

/// Makes a pair of keys; a file that is there is never written over.
pub(crate) fn keygen(session: &Session, arguments: &arguments::plugin::Keygen) -> Result<(), Failure> {
    let password = super::password();
    let is_sealed = password.is_some();
    let pair = signature::generate(password)?;
    let (secret, public) =
        (session.root.join(&arguments.file), session.root.join(arguments.file.with_extension("pub")));
    for (path, text, mode) in [(&secret, &pair.secret, 0o600), (&public, &pair.public, 0o644)] {
        let doing = format!("writing `{}`", path.display());
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(io(&doing))?;
        file.write_all(text.as_bytes()).map_err(io(&doing))?;
    }
    let key = pair.public.lines().last().unwrap_or_default();
    match session.json {
        true => print_json(&json!({ "format": 1, "secret": secret, "public": public, "key": key })),
        false => {
            print(&format!("{key}\n"));
            say(&format!("The secret key is in `{}`; users write the other one into `signed_by`.\n", secret.display()));
            if !is_sealed {
                say("It is not sealed: keep it where nobody else reads, or set `BIMETAL_SIGNING_PASSWORD` before.\n");
            }
        }
    }
    Ok(())
}
