//! Which components a configuration uses: those that come with Bimetal, those named by path, those in a plugin folder.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bimetal_config::lock::{Lock, LockedProvider};
use bimetal_config::module::{Module, RequiredProvider};
use bimetal_host::credentials::Secret;
use bimetal_host::registry::{Registries, Registry};
use bimetal_host::{Host, Origin};
use bimetal_model::{Address, Diagnostic, ProviderName, Span};

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
pub(crate) fn add(
    host: &Host,
    configuration: &Configuration,
    lock: &Lock,
    unlocked: Unlocked,
    root: &Path,
) -> Result<(), Failure> {
    let module = &configuration.desired.module;
    let names: BTreeSet<_> = embedded().chain(used([&**module])).collect();
    for name in names {
        add_one(host, &name, &module.settings.required_providers, lock, unlocked, root).map_err(|failure| {
            let located = |error: Diagnostic| match (&error.span, user(&name, module)) {
                (None, Some(span)) => error.at(span),
                _ => error,
            };
            Failure::new(failure.diagnostics.into_iter().map(located).collect(), &configuration.files)
        })?;
    }
    Ok(())
}

/// Those that come with Bimetal.
pub(crate) fn embedded() -> impl Iterator<Item = ProviderName> {
    bimetal_providers::EMBEDDED.iter().map(|embedded| ProviderName(embedded.name.to_owned()))
}

/// The variable that names components for whoever works on them: `notes=/home/me/notes.wasm,…`.
pub(crate) const OVERRIDES: &str = "BIMETAL_PROVIDER_OVERRIDES";

/// The file that stands for a provider, whatever the lock file says.
fn overridden(name: &ProviderName) -> Option<PathBuf> {
    let overrides = std::env::var(OVERRIDES).ok()?;
    let mut pairs = overrides.split(',').filter_map(|pair| pair.split_once('='));
    pairs.find(|(other, _)| *other == name.0).map(|(_, path)| PathBuf::from(path))
}

/// Gives the host a provider.
///
/// Invariant: a component from a file runs only if the lock file has its digest and everything that it asks for (tests:
/// `a_component_that_changed_is_refused`, `what_was_not_agreed_to_is_refused`).
pub(crate) fn add_one(
    host: &Host,
    name: &ProviderName,
    required: &BTreeMap<String, RequiredProvider>,
    lock: &Lock,
    unlocked: Unlocked,
    root: &Path,
) -> Result<(), Failure> {
    let required = required.get(&name.0);
    if let Some(path) = overridden(name) {
        let bytes =
            std::fs::read(&path).map_err(io(&format!("reading provider `{name}` from `{}`", path.display())))?;
        return Ok(host.add_provider(name.clone(), bytes.into(), Origin::File(path))?);
    }
    match component(name, required, root)? {
        Component::Embedded(bytes) => host.add_provider(name.clone(), Cow::Borrowed(bytes), Origin::Embedded)?,
        Component::File(path) => {
            let doing = format!("reading provider `{name}` from `{}`", path.display());
            let bytes = std::fs::read(&path).map_err(io(&doing))?;
            let locked = lock.providers.get(name);
            check_digest(name, &bytes, locked, unlocked)?;
            host.add_provider(name.clone(), bytes.into(), Origin::File(path))?;
            check_grants(name, &host.provider(name)?.manifest.grants(), locked)?;
        }
    }
    check_version(name, &host.provider(name)?.manifest.version, required)
}

/// What the lock file should say of the providers that modules name, those too of which there is no instance yet.
pub(crate) fn locked(host: &Host, modules: &Modules, trusted: &Lock, root: &Path) -> Result<Lock, Failure> {
    let (mut lock, required) = (Lock::default(), required(modules));
    for name in used(modules.values()) {
        if overridden(&name).is_some() {
            // Whoever tries something out does not change what all agreed to.
            lock.providers.extend(trusted.providers.get(&name).cloned().map(|locked| (name, locked)));
            continue;
        }
        if host.provider(&name).is_err() {
            add_one(host, &name, &required, trusted, Unlocked::Taken, root)?;
        }
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

fn check_version(name: &ProviderName, version: &str, required: Option<&RequiredProvider>) -> Result<(), Failure> {
    let Some((required, wanted)) = required.and_then(|required| Some((required, required.version.as_ref()?))) else {
        return Ok(());
    };
    let error = match crate::version::allows(wanted, version) {
        Ok(true) => return Ok(()),
        Ok(false) => {
            Diagnostic::error(format!("provider `{name}` is version {version}, and the configuration wants `{wanted}`"))
                .hint("use a version that fits, or widen `version`")
        }
        Err(reason) => Diagnostic::error(format!("`{wanted}` is no version constraint")).because(reason),
    };
    Err(error.at(&required.span).into())
}

/// Modules as they are written, by folder.
pub(crate) type Modules = BTreeMap<Arc<str>, Module>;

/// What modules say of providers; those further up are right.
pub(crate) fn required(modules: &Modules) -> BTreeMap<String, RequiredProvider> {
    let mut required = BTreeMap::new();
    for (name, wanted) in modules.values().flat_map(|module| &module.settings.required_providers) {
        required.entry(name.clone()).or_insert_with(|| wanted.clone());
    }
    required
}

/// Providers that modules name, in blocks or in types.
pub(crate) fn used<'m>(modules: impl IntoIterator<Item = &'m Module>) -> BTreeSet<ProviderName> {
    let of = |module: &'m Module| {
        let required = module.settings.required_providers.keys().map(|name| ProviderName(name.clone()));
        let blocks = module.providers.keys().map(|key| key.name.clone());
        let objects = module.objects.values().filter_map(|object| {
            let implied = || implied(&object.address).map(ProviderName);
            object.provider.clone().map(|key| key.name).or_else(implied)
        });
        required.chain(blocks).chain(objects)
    };
    modules.into_iter().flat_map(of).collect()
}

fn implied(address: &Address) -> Option<String> {
    use bimetal_model::BlockKind::*;
    match address.block {
        Machine => Some(address.ty.clone()),
        Resource | Data => address.ty.split('_').next().map(str::to_owned),
        Pool => None,
        // What a service becomes: Bimetal's own container runtime, unless another is required.
        Service => Some("docker".to_owned()),
    }
}

fn component(name: &ProviderName, required: Option<&RequiredProvider>, root: &Path) -> Result<Component, Failure> {
    if let Some(path) = required.and_then(|required| required.path.as_ref()) {
        return Ok(Component::File(root.join(path)));
    }
    match bimetal_providers::EMBEDDED.iter().find(|embedded| embedded.name == name.0) {
        Some(embedded) => Ok(Component::Embedded(embedded.wasm)),
        None => Ok(Component::File(plugin(name, root)?.ok_or_else(|| unknown(name))?)),
    }
}

/// `NAME.wasm` in the configuration's plugin folder or in the user's.
fn plugin(name: &ProviderName, root: &Path) -> Result<Option<PathBuf>, Failure> {
    let folders = [root.join(".bimetal/plugins"), directory("XDG_DATA_HOME", ".local/share")?.join("plugins")];
    Ok(folders.into_iter().map(|folder| folder.join(format!("{name}.wasm"))).find(|path| path.is_file()))
}

fn unknown(name: &ProviderName) -> Diagnostic {
    let known: Vec<_> = bimetal_providers::EMBEDDED.iter().map(|embedded| format!("`{}`", embedded.name)).collect();
    let nearest = bimetal_config::nearest(&name.0, bimetal_providers::EMBEDDED.iter().map(|embedded| embedded.name));
    let hint = nearest.unwrap_or_else(|| {
        format!("name its file: `required_providers {{ {name} = {{ path = \"./{name}.wasm\" }} }}`")
    });
    Diagnostic::error(format!("there is no provider `{name}`"))
        .because(format!("Bimetal brings {}; it looked for `{name}.wasm` in the plugin folders too", known.join(", ")))
        .hint(hint)
}

/// Where the first object is of a provider's.
fn user<'m>(name: &ProviderName, module: &'m Module) -> Option<&'m Span> {
    let is_of = |address: &Address| implied(address).is_some_and(|implied| implied == name.0);
    module.objects.values().find(|object| is_of(&object.address)).map(|object| &object.span)
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
