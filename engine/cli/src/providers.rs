//! Which components a configuration uses: those that come with Bimetal, those named by path, those in a plugin folder.

use std::path::{Path, PathBuf};

use bimetal_config::Desired;
use bimetal_config::lock::{Lock, LockedProvider};
use bimetal_host::credentials::Secret;
use bimetal_host::registry::{Registries, Registry};
use bimetal_host::{Host, Origin};
use bimetal_model::{Diagnostic, ProviderName};

use crate::failure::{Failure, io};
use crate::session::{Configuration, directory};

/// Where a provider's component is.
enum Component {
    Embedded(&'static [u8]),
    File(PathBuf),
}

/// What is done about a component from a file that is not in the lock file yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unlocked {
    /// `init` locks it.
    Taken,
    /// Nobody has seen yet what it asks for.
    Refused,
}

/// Gives the host every provider that the configuration may use.
///
/// Invariant: a component from a file runs only if the lock file has its digest and everything that it asks for (tests:
/// `a_component_that_changed_is_refused`, `what_was_not_agreed_to_is_refused`).
pub(crate) fn add(
    host: &Host,
    configuration: &Configuration,
    lock: &Lock,
    unlocked: Unlocked,
    root: &Path,
) -> Result<(), Failure> {
    for (name, component) in components(configuration, root)? {
        match component {
            Component::Embedded(bytes) => host.add_provider(name.clone(), bytes.into(), Origin::Embedded)?,
            Component::File(path) => {
                let doing = format!("reading provider `{name}` from `{}`", path.display());
                let bytes = std::fs::read(&path).map_err(io(&doing))?;
                let locked = lock.providers.get(&name);
                check_digest(&name, &bytes, locked, unlocked)?;
                host.add_provider(name.clone(), bytes.into(), Origin::File(path))?;
                check_grants(&name, &host.provider(&name)?.manifest.grants(), locked)?;
            }
        }
        check_version(&name, &host.provider(&name)?.manifest.version, configuration)?;
    }
    Ok(())
}

/// What the lock file should say of each provider that the configuration names or uses.
pub(crate) fn locked(host: &Host, configuration: &Configuration) -> Result<Lock, Failure> {
    let mut lock = Lock::default();
    for name in used(&configuration.desired) {
        let provider = host.provider(&name)?;
        let digest = match provider.origin {
            Origin::Embedded => None,
            Origin::File(_) => Some(provider.digest.clone()),
        };
        let entry =
            LockedProvider { version: provider.manifest.version.clone(), digest, grants: provider.manifest.grants() };
        lock.providers.insert(name, entry);
    }
    Ok(lock)
}

fn check_digest(
    name: &ProviderName,
    bytes: &[u8],
    locked: Option<&LockedProvider>,
    unlocked: Unlocked,
) -> Result<(), Failure> {
    let found = bimetal_host::digest(bytes);
    match locked.and_then(|locked| locked.digest.as_ref()) {
        Some(locked) if *locked == found => Ok(()),
        Some(locked) => Err(Diagnostic::error(format!("provider `{name}` is not the one that is locked"))
            .because(format!("the file is {found}, the lock file says {locked}"))
            .hint("if it should be another one, `bimetal init --upgrade` shows what it asks for, and locks it")
            .into()),
        None if unlocked == Unlocked::Taken => Ok(()),
        None => Err(Diagnostic::error(format!("provider `{name}` is not locked yet"))
            .hint("`bimetal init` shows what it asks for, and locks it")
            .into()),
    }
}

/// A line that somebody took out of the lock file is not agreed to.
fn check_grants(name: &ProviderName, asked: &[String], locked: Option<&LockedProvider>) -> Result<(), Failure> {
    let Some(locked) = locked else { return Ok(()) };
    let missing: Vec<_> = asked.iter().filter(|grant| !locked.grants.contains(grant)).map(String::as_str).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let error = Diagnostic::error(format!("provider `{name}` asks for more than the lock file grants it"));
    let error = error.because(format!("it wants to {}", missing.join("; ")));
    Err(error.hint("`bimetal init --upgrade` grants it; without that it can't be used").into())
}

fn check_version(name: &ProviderName, version: &str, configuration: &Configuration) -> Result<(), Failure> {
    let Some(required) = configuration.desired.module.settings.required_providers.get(&name.0) else { return Ok(()) };
    let Some(wanted) = &required.version else { return Ok(()) };
    let error = match crate::version::allows(wanted, version) {
        Ok(true) => return Ok(()),
        Ok(false) => {
            Diagnostic::error(format!("provider `{name}` is version {version}, and the configuration wants `{wanted}`"))
                .hint("use a version that fits, or widen `version`")
        }
        Err(reason) => Diagnostic::error(format!("`{wanted}` is no version constraint")).because(reason),
    };
    Err(Failure::new(vec![error.at(&required.span)], &configuration.files))
}

/// Providers that the configuration names, in blocks or in types.
pub(crate) fn used(desired: &Desired) -> Vec<ProviderName> {
    let module = &desired.module;
    let required = module.settings.required_providers.keys().map(|name| ProviderName(name.clone()));
    let blocks = module.providers.keys().map(|key| key.name.clone());
    let objects = module.objects.values().filter_map(|object| {
        use bimetal_model::BlockKind::*;
        let ty = &object.address.ty;
        let implied = match object.address.block {
            Machine => Some(ty.clone()),
            Resource | Data => ty.split('_').next().map(str::to_owned),
            Pool => None,
            // What a service becomes: Bimetal's own container runtime, unless another is required.
            Service => Some("docker".to_owned()),
        };
        object.provider.clone().map(|key| key.name).or(implied.map(ProviderName))
    });
    let mut names: Vec<_> = required.chain(blocks).chain(objects).collect();
    names.sort();
    names.dedup();
    names
}

fn components(configuration: &Configuration, root: &Path) -> Result<Vec<(ProviderName, Component)>, Failure> {
    let required = &configuration.desired.module.settings.required_providers;
    let mut found = Vec::new();
    for embedded in bimetal_providers::EMBEDDED {
        if required.get(embedded.name).is_none_or(|required| required.path.is_none()) {
            found.push((ProviderName(embedded.name.to_owned()), Component::Embedded(embedded.wasm)));
        }
    }
    for name in used(&configuration.desired) {
        let path = required.get(&name.0).and_then(|required| required.path.as_ref());
        if let Some(path) = path {
            found.push((name, Component::File(root.join(path))));
        } else if !found.iter().any(|(known, _)| *known == name) {
            let path = plugin(&name, root)?.ok_or_else(|| unknown(&name, configuration))?;
            found.push((name, Component::File(path)));
        }
    }
    Ok(found)
}

/// `NAME.wasm` in the configuration's plugin folder or in the user's.
fn plugin(name: &ProviderName, root: &Path) -> Result<Option<PathBuf>, Failure> {
    let folders = [root.join(".bimetal/plugins"), directory("XDG_DATA_HOME", ".local/share")?.join("plugins")];
    Ok(folders.into_iter().map(|folder| folder.join(format!("{name}.wasm"))).find(|path| path.is_file()))
}

fn unknown(name: &ProviderName, configuration: &Configuration) -> Failure {
    let known: Vec<_> = bimetal_providers::EMBEDDED.iter().map(|embedded| format!("`{}`", embedded.name)).collect();
    let nearest = bimetal_config::nearest(&name.0, bimetal_providers::EMBEDDED.iter().map(|embedded| embedded.name));
    let hint = nearest.unwrap_or_else(|| {
        format!("name its file: `required_providers {{ {name} = {{ path = \"./{name}.wasm\" }} }}`")
    });
    let user = configuration
        .desired
        .module
        .objects
        .values()
        .find(|object| object.address.ty == name.0 || object.address.ty.split('_').next() == Some(&name.0));
    let error = Diagnostic::error(format!("there is no provider `{name}`"))
        .because(format!("Bimetal brings {}; it looked for `{name}.wasm` in the plugin folders too", known.join(", ")))
        .hint(hint);
    let error = match user {
        Some(object) => error.at(&object.span),
        None => error,
    };
    Failure::new(vec![error], &configuration.files)
}

/// How the configuration says that registries are reached.
pub(crate) fn registries(configuration: &Configuration) -> Result<Registries, Failure> {
    use bimetal_model::Type;
    use bimetal_model::schema::{Attribute, Block};
    let secret = Attribute { sensitive: true, ..Attribute::optional(Type::String) };
    let block = Block {
        attributes: [
            ("plain_http".to_owned(), Attribute::optional(Type::Bool)),
            ("username".to_owned(), Attribute::optional(Type::String)),
            ("password".to_owned(), secret),
        ]
        .into(),
        blocks: Default::default(),
    };
    let mut registries = Registries::of_docker();
    for (host, registry) in &configuration.desired.module.settings.registries {
        let (arguments, diagnostics) = bimetal_config::constant(&configuration.desired, &registry.body, &block);
        if bimetal_model::diagnostic::has_errors(&diagnostics) {
            return Err(Failure::new(diagnostics, &configuration.files));
        }
        let text = |name| arguments.member(name).and_then(|value| value.as_str()).map(str::to_owned);
        let plain_http = arguments.member("plain_http").and_then(|value| value.as_bool()).unwrap_or(false);
        let password = text("password").map(Secret::new);
        registries.hosts.insert(host.clone(), Registry { plain_http, username: text("username"), password });
    }
    Ok(registries)
}
