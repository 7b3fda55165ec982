//! Which components a configuration uses: those that come with Bimetal, those named by path, those in a plugin folder.

mod locking;
mod places;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use bimetal_config::lock::{Lock, LockedProvider};
use bimetal_config::module::{Module, RequiredProvider};
use bimetal_config::{Desired, SourceFile};
use bimetal_host::credentials::Secret;
use bimetal_host::registry::{Registries, Registry};
use bimetal_host::{Host, Origin};
use bimetal_install::Source;
use bimetal_install::signature::Key;
use bimetal_model::snapshot::Snapshot;
use bimetal_model::version::fits;
use bimetal_model::{Address, Diagnostic, ProviderName, Span};

use crate::failure::{Failure, io};
use crate::session::{Configuration, directory};

pub(crate) use locking::{Grown, Locking};
pub(crate) use places::{OVERRIDES, Places};

/// Where a provider's component is.
enum Component {
    Embedded(&'static [u8]),
    File(PathBuf),
    Registry(Source),
    /// A file that counts in place of what is locked.
    Override(PathBuf),
}

/// Gives the host every provider that the configuration may use, and those that come with Bimetal and made something that
/// is in the state. Others need not be compiled.
pub(crate) fn add(
    host: &Host,
    configuration: &Configuration,
    snapshot: &Snapshot,
    lock: &Lock,
    places: &Places,
) -> Result<(), Failure> {
    let module = &configuration.desired.module;
    let made: BTreeSet<&ProviderName> = snapshot.providers().map(|key| &key.name).collect();
    let names: BTreeSet<_> = embedded().filter(|name| made.contains(name)).chain(used([&**module])).collect();
    for name in names {
        add_one(host, &name, &module.settings.required_providers, lock, places).map_err(|failure| {
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

/// Gives the host a provider.
///
/// Invariant: a component from a file or a registry runs only if the lock file has its digest, and may do no more than the
/// lock file grants it (tests: `a_component_that_changed_is_refused`, `what_was_not_agreed_to_is_refused`).
pub(crate) fn add_one(
    host: &Host,
    name: &ProviderName,
    required: &BTreeMap<String, RequiredProvider>,
    lock: &Lock,
    places: &Places,
) -> Result<(), Failure> {
    let (required, locked) = (required.get(&name.0), lock.providers.get(name));
    match component(name, required, places)? {
        Component::Embedded(bytes) => host.add_provider(name.clone(), Cow::Borrowed(bytes), Origin::Embedded)?,
        Component::Override(path) => {
            let bytes = read(name, &path)?;
            return Ok(host.add_provider(name.clone(), bytes.into(), Origin::Override(path))?);
        }
        Component::File(path) => {
            let (locked, digest) = agreed(name, locked)?;
            let bytes = read(name, &path)?;
            check_digest(name, &bytes, digest)?;
            host.add_provider_with(name.clone(), bytes.into(), Origin::File(path), &locked.grants)?;
        }
        Component::Registry(source) => {
            let (locked, digest) = agreed(name, locked)?;
            let wasm = fetched(name, &source, locked, digest, places)?;
            host.add_provider_with(
                name.clone(),
                wasm.to_vec().into(),
                Origin::Registry(source.to_string()),
                &locked.grants,
            )?;
        }
    }
    check_signer(name, required, locked)?;
    check_version(name, &host.provider(name)?.manifest.version, required)
}

/// As [`add_one`], unless the host has it: of modules that have no instance yet.
pub(crate) fn add_if_new(
    host: &Host,
    name: &ProviderName,
    modules: &Modules,
    lock: &Lock,
    places: &Places,
) -> Result<(), Failure> {
    match host.provider(name) {
        Ok(_) => Ok(()),
        Err(_) => add_one(host, name, &required(modules), lock, places),
    }
}

/// What the lock file says of a component that somebody else made.
fn agreed<'l>(
    name: &ProviderName,
    locked: Option<&'l LockedProvider>,
) -> Result<(&'l LockedProvider, &'l str), Diagnostic> {
    locked.and_then(|locked| Some((locked, locked.digest.as_deref()?))).ok_or_else(|| {
        Diagnostic::error(format!("provider `{name}` is not locked yet"))
            .hint("`bimetal init` shows what it asks for, and locks it")
    })
}

fn read(name: &ProviderName, path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(io(&format!("reading provider `{name}` from `{}`", path.display())))
}

/// The locked component, which `init` brought here.
fn fetched(
    name: &ProviderName,
    source: &Source,
    locked: &LockedProvider,
    digest: &str,
    places: &Places,
) -> Result<Arc<[u8]>, Failure> {
    if locked.source.as_deref() != Some(&*source.to_string()) {
        let error = Diagnostic::error(format!("provider `{name}` is locked from another source than `{source}`"));
        return Err(error.hint("`bimetal init --upgrade` locks it from there").into());
    }
    let component = places.cache()?.get(digest).ok_or_else(|| {
        Diagnostic::error(format!("provider `{name}` {} is not on this machine", locked.version))
            .because(format!("nothing with the digest {digest} is in the cache"))
            .hint("`bimetal init` fetches it")
    })?;
    Ok(component.wasm)
}

fn check_digest(name: &ProviderName, bytes: &[u8], locked: &str) -> Result<(), Diagnostic> {
    match bimetal_host::digest(bytes) {
        found if found == locked => Ok(()),
        found => Err(Diagnostic::error(format!("provider `{name}` is not the one that is locked"))
            .because(format!("the file is {found}, the lock file says {locked}"))
            .hint("if it should be another one, `bimetal init --upgrade` shows what it asks for, and locks it")),
    }
}

/// That the lock file has the signature of somebody whom the configuration names by now.
fn check_signer(
    name: &ProviderName,
    required: Option<&RequiredProvider>,
    locked: Option<&LockedProvider>,
) -> Result<(), Failure> {
    let keys = keys(name, required)?;
    let signed_by = locked.and_then(|locked| locked.signed_by.as_deref());
    if keys.is_empty() || keys.iter().any(|key| Some(&*key.to_string()) == signed_by) {
        return Ok(());
    }
    let error =
        Diagnostic::error(format!("provider `{name}` is not locked with a signature that the configuration wants"));
    Err(error.hint("`bimetal init` checks who signed it").into())
}

/// The keys that a provider may be signed with.
fn keys(name: &ProviderName, required: Option<&RequiredProvider>) -> Result<Vec<Key>, Diagnostic> {
    let Some(required) = required else { return Ok(Vec::new()) };
    let key = |text: &String| {
        Key::parse(text).map_err(|why| {
            Diagnostic::error(format!("`{text}` can't be a key of provider `{name}`")).because(why).at(&required.span)
        })
    };
    required.signed_by.iter().map(key).collect()
}

fn check_version(name: &ProviderName, version: &str, required: Option<&RequiredProvider>) -> Result<(), Failure> {
    let Some((required, wanted)) = required.and_then(|required| Some((required, required.version.as_ref()?))) else {
        return Ok(());
    };
    let error = match fits(wanted, version) {
        Ok(true) => return Ok(()),
        Ok(false) => {
            Diagnostic::error(format!("provider `{name}` is version {version}, and the configuration wants `{wanted}`"))
                .hint("use a version that fits, or widen `version`")
        }
        Err(error) => error,
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
        Resource | Data | Ephemeral => address.ty.split('_').next().map(str::to_owned),
        Pool => None,
        // What a service becomes: Bimetal's own container runtime, unless another is required.
        Service => Some("docker".to_owned()),
    }
}

fn component(name: &ProviderName, required: Option<&RequiredProvider>, places: &Places) -> Result<Component, Failure> {
    if let Some(path) = places.instead(name) {
        return Ok(Component::Override(path.to_owned()));
    }
    if let Some(path) = required.and_then(|required| required.path.as_ref()) {
        return Ok(Component::File(places.root.join(path)));
    }
    let source = required.and_then(|required| Some((required, required.source.as_ref()?)));
    let source = source.map(|(required, text)| (required, text, Source::parse(text)));
    if let Some((_, _, Ok(source))) = source {
        return Ok(Component::Registry(source));
    }
    if let Some(embedded) = bimetal_providers::EMBEDDED.iter().find(|embedded| embedded.name == name.0) {
        return match required.filter(|required| !required.signed_by.is_empty()) {
            Some(required) => {
                Err(Diagnostic::error(format!("provider `{name}` comes with Bimetal, and has no signature of its own"))
                    .hint("leave `signed_by` out, or name a `source`")
                    .at(&required.span)
                    .into())
            }
            None => Ok(Component::Embedded(embedded.wasm)),
        };
    }
    match (plugin(name, &places.root)?, source) {
        (Some(path), _) => Ok(Component::File(path)),
        (None, Some((required, text, Err(why)))) => {
            Err(Diagnostic::error(format!("`{text}` is no source of provider `{name}`"))
                .because(why)
                .at(&required.span)
                .into())
        }
        (None, Some((_, _, Ok(_))) | None) => Err(unknown(name).into()),
    }
}

/// `NAME.wasm` in the configuration's plugin folder or in the user's.
fn plugin(name: &ProviderName, root: &std::path::Path) -> Result<Option<PathBuf>, Failure> {
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
    registries_of(&configuration.desired, &configuration.files)
}

/// As [`registries`], where not all is known of the configuration.
pub(crate) fn registries_of(desired: &Desired, files: &[SourceFile]) -> Result<Registries, Failure> {
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
    for (host, registry) in &desired.module.settings.registries {
        let (arguments, diagnostics) = bimetal_config::constant(desired, &registry.body, &block);
        if bimetal_model::diagnostic::has_errors(&diagnostics) {
            return Err(Failure::new(diagnostics, files));
        }
        let text = |name| arguments.member(name).and_then(|value| value.as_str()).map(str::to_owned);
        let plain_http = arguments.member("plain_http").and_then(|value| value.as_bool());
        let password = text("password").map(Secret::new);
        registries.hosts.insert(host.clone(), Registry { plain_http, username: text("username"), password });
    }
    Ok(registries)
}
