//! `plugin publish`

use std::sync::Arc;

use bimetal_host::registry::{Registries, Registry};
use bimetal_host::{Artifacts, Manifest};
use bimetal_install::signature::SUFFIX;
use bimetal_install::{Component, Source};
use bimetal_model::Diagnostic;
use serde_json::json;

use crate::arguments;
use crate::failure::{Failure, io};
use crate::output::{print, print_json};
use crate::session::Session;

/// Pushes a component, with the signature that lies beside it.
pub(crate) async fn publish(session: &Session, arguments: &arguments::plugin::Publish) -> Result<(), Failure> {
    let path = session.root.join(&arguments.file);
    let wasm = std::fs::read(&path).map_err(io(&format!("reading `{}`", path.display())))?;
    let signature = std::fs::read_to_string(format!("{}{SUFFIX}", path.display())).ok();
    let (source, version) = target(&arguments.target)?;
    let mut registries = Registries::of_docker();
    let host = arguments.target.split('/').next().unwrap_or_default().to_owned();
    registries.hosts.insert(host, Registry { plain_http: arguments.plain_http.then_some(true), ..Registry::default() });
    let artifacts = Artifacts::new(Arc::new(registries));
    let is_signed = signature.is_some();
    let component = Component { wasm: wasm.into(), signature };
    if !arguments.force && bimetal_install::is_taken(&artifacts, &source, version, &component).await? {
        let error = Diagnostic::error(format!("`{source}` has another {version} already"));
        return Err(error
            .hint("who locked it would be stopped: publish a new version; `--force` writes it over")
            .into());
    }
    let digest = bimetal_install::publish(&artifacts, &source, version, &component).await?;
    let Manifest { name, .. } = Manifest::of(&component.wasm)?;
    match session.json {
        true => print_json(&json!({
            "format": 1, "name": name, "version": version, "source": source.to_string(), "digest": digest, "signed": is_signed,
        })),
        false => {
            let signed = if is_signed { "signed" } else { "not signed" };
            print(&format!("Published {name} {version} to {source} ({signed})\n  {digest}\n"));
        }
    }
    Ok(())
}

/// `registry.example.org/team/notes:1.2.0`
fn target(text: &str) -> Result<(Source, &str), Diagnostic> {
    let wrong = |why: String| {
        Diagnostic::error(format!("`{text}` is no place for a provider"))
            .because(why)
            .hint("write `registry.example.org/team/notes:1.2.0`")
    };
    // A registry's port is no version.
    let parts = text.rsplit_once(':').filter(|(_, version)| !version.contains('/'));
    let (source, version) = parts.ok_or_else(|| wrong("it has no version".to_owned()))?;
    Ok((Source::parse(source).map_err(wrong)?, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_stands_behind_the_name() {
        let told = |text| match target(text) {
            Ok((source, version)) => format!("{source} {version}"),
            Err(error) => error.detail,
        };
        assert_eq!(told("localhost:5000/team/notes:1.2.0"), "localhost:5000/team/notes 1.2.0");
        assert_eq!(told("localhost:5000/team/notes"), "it has no version");
        assert_eq!(told("registry.example.org/team/notes"), "it has no version");
    }
}
