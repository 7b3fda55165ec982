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

/// Gives the host every provider that the configuration may use.
///
/// A component that is not the one in the lock file is refused.
pub(crate) fn add(host: &Host, configuration: &Configuration, lock: &Lock, root: &Path) -> Result<(), Failure> {
    for (name, component) in components(configuration, root)? {
        match component {
            Component::Embedded(bytes) => host.add_provider(name, bytes.into(), Origin::Embedded)?,
            Component::File(path) => {
                let doing = format!("reading provider `{name}` from `{}`", path.display());
                let bytes = std::fs::read(&path).map_err(io(&doing))?;
                check_digest(&name, &bytes, lock)?;
                host.add_provider(name, bytes.into(), Origin::File(path))?;
            }
        }
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

fn check_digest(name: &ProviderName, bytes: &[u8], lock: &Lock) -> Result<(), Failure> {
    let found = bimetal_host::digest(bytes);
    match lock.providers.get(name).and_then(|locked| locked.digest.as_ref()) {
        Some(locked) if *locked != found => {
            Err(Diagnostic::error(format!("provider `{name}` is not the one that is locked"))
                .because(format!("the file is {found}, the lock file says {locked}"))
                .hint("if you changed it, run `bimetal init --upgrade`")
                .into())
        }
        _ => Ok(()),
    }
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
    let user = configuration
        .desired
        .module
        .objects
        .values()
        .find(|object| object.address.ty == name.0 || object.address.ty.split('_').next() == Some(&name.0));
    let error = Diagnostic::error(format!("there is no provider `{name}`"))
        .because(format!("Bimetal brings {}; it looked for `{name}.wasm` in the plugin folders too", known.join(", ")))
        .hint(format!("name its file: `required_providers {{ {name} = {{ path = \"./{name}.wasm\" }} }}`"));
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

/// Whether a version fits a constraint, as Terraform writes it: `>= 1.2, < 2.0`, `~> 1.4`.
pub(crate) fn allows(constraint: &str, version: &str) -> Result<bool, String> {
    let version = semver::Version::parse(version).map_err(|error| error.to_string())?;
    let parts = constraint.split(',').map(|part| allows_one(part.trim(), &version));
    parts.collect::<Result<Vec<_>, _>>().map(|parts| parts.into_iter().all(|allowed| allowed))
}

fn allows_one(part: &str, version: &semver::Version) -> Result<bool, String> {
    let split = part.find(|c: char| c.is_ascii_digit()).ok_or_else(|| format!("`{part}` names no version"))?;
    let (operator, wanted) = (part[..split].trim(), part[split..].trim());
    let numbers: Vec<u64> = wanted
        .split('.')
        .map(|n| n.parse().map_err(|_| format!("`{wanted}` is no version")))
        .collect::<Result<_, _>>()?;
    let at = |place: usize| numbers.get(place).copied().unwrap_or(0);
    let wanted = semver::Version::new(at(0), at(1), at(2));
    Ok(match operator {
        "" | "=" => *version == wanted,
        "!=" => *version != wanted,
        ">" => *version > wanted,
        ">=" => *version >= wanted,
        "<" => *version < wanted,
        "<=" => *version <= wanted,
        "~>" if numbers.len() >= 3 => *version >= wanted && *version < semver::Version::new(at(0), at(1) + 1, 0),
        "~>" => *version >= wanted && *version < semver::Version::new(at(0) + 1, 0, 0),
        other => return Err(format!("`{other}` is no comparison")),
    })
}

#[cfg(test)]
mod tests {
    use super::allows;

    #[test]
    fn constraints_mean_what_they_mean_in_terraform() {
        for (constraint, allowed) in [
            (">= 0.1", true),
            ("~> 0.1", true),
            ("~> 0.1.0", true),
            ("~> 0.2", false),
            (">= 0.1.0, < 0.2", true),
            ("0.1.0", true),
            ("!= 0.1.0", false),
        ] {
            assert_eq!(allows(constraint, "0.1.0"), Ok(allowed), "{constraint}");
        }
        assert!(allows("banana", "0.1.0").is_err());
    }
}
