//! Where components lie: the configuration's folder, the cache, and what a user or the environment says of mirrors and overrides.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bimetal_install::{Cache, Mirror};
use bimetal_model::{Diagnostic, ProviderName};
use bimetal_syntax::{Body, Item, Kind, SourceFile, parse_body};

use crate::failure::{Failure, io};
use crate::session::directory;

/// Overrides the user's own file.
const MIRROR: &str = "BIMETAL_PROVIDER_MIRROR";
/// Components for whoever works on them, whatever the lock file says: `NAME=FILE`, with commas between.
pub(crate) const OVERRIDES: &str = "BIMETAL_PROVIDER_OVERRIDES";

/// Where components lie.
#[derive(Debug)]
pub(crate) struct Places {
    /// Of the configuration.
    pub(crate) root: PathBuf,
    /// Nobody else is asked where there is one.
    mirror: Option<PathBuf>,
    /// Files that count in place of what is locked.
    overrides: BTreeMap<ProviderName, PathBuf>,
}

impl Places {
    /// What `config.hcl` of the user says, and the environment before that.
    pub(crate) fn read(root: &Path) -> Result<Places, Failure> {
        let mut places = Places { root: root.to_owned(), mirror: None, overrides: BTreeMap::new() };
        if let Ok(path) = directory("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("config.hcl")) {
            match std::fs::read_to_string(&path) {
                Ok(text) => places.take(&path, &text)?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(io(&format!("reading `{}`", path.display()))(error)),
            }
        }
        if let Some(mirror) = std::env::var_os(MIRROR).filter(|mirror| !mirror.is_empty()) {
            places.mirror = Some(root.join(mirror));
        }
        let overrides = std::env::var(OVERRIDES).unwrap_or_default();
        for pair in overrides.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let wrong = || Diagnostic::error(format!("`{OVERRIDES}` has `{pair}`, and wants `NAME=FILE`"));
            let (name, path) = pair.split_once('=').ok_or_else(wrong)?;
            places.overrides.insert(ProviderName(name.trim().to_owned()), root.join(path.trim()));
        }
        Ok(places)
    }

    /// The components that were fetched.
    pub(crate) fn cache(&self) -> Result<Cache, Failure> {
        Ok(Cache::below(directory("XDG_CACHE_HOME", ".cache")?))
    }

    /// The mirror that is asked in place of registries.
    pub(crate) fn mirror(&self) -> Option<Mirror> {
        self.mirror.clone().map(Mirror::at)
    }

    /// The file that counts in place of what is locked.
    pub(crate) fn instead(&self, name: &ProviderName) -> Option<&Path> {
        self.overrides.get(name).map(PathBuf::as_path)
    }

    /// That files count in place of what is locked.
    pub(crate) fn warnings<'n>(&self, used: impl IntoIterator<Item = &'n ProviderName>) -> Vec<Diagnostic> {
        let warning = |name: &ProviderName| {
            let path = self.instead(name)?.display();
            let warning = Diagnostic::warning(format!("provider `{name}` is `{path}`, and not the one that is locked"));
            Some(warning.because("it may do all that it asks for; `dev_overrides` or the environment says so"))
        };
        used.into_iter().filter_map(warning).collect()
    }

    fn take(&mut self, path: &Path, text: &str) -> Result<(), Failure> {
        let wrong = |why: &str| {
            Diagnostic::error(format!("`{}` can't be read", path.display()))
                .because(why)
                .hint("it may have `provider_mirror = \"DIR\"` and `dev_overrides { name = \"FILE\" }`")
        };
        let (body, errors) = parse_body(&SourceFile { name: path.display().to_string().into(), text: text.into() });
        if let Some(error) = errors.into_iter().next() {
            return Err(wrong(&error.summary).into());
        }
        let below = path.parent().unwrap_or(Path::new(".")).to_owned();
        for item in &body.items {
            match item {
                Item::Attribute(attribute) if &*attribute.name.text == "provider_mirror" => {
                    let Kind::Text(mirror) = &attribute.value.kind else {
                        return Err(wrong("a path is no string").into());
                    };
                    self.mirror = Some(below.join(&**mirror));
                }
                Item::Block(block) if &*block.word.text == "dev_overrides" => {
                    self.overrides.extend(overrides(&block.body, &below).ok_or_else(|| wrong("a path is no string"))?);
                }
                Item::Attribute(attribute) => {
                    return Err(wrong(&format!("`{}` does not belong there", attribute.name.text)).into());
                }
                Item::Block(block) => {
                    return Err(wrong(&format!("`{}` does not belong there", block.word.text)).into());
                }
            }
        }
        Ok(())
    }
}

/// Names and paths; `None`: something else is there, too.
fn overrides(body: &Body, below: &Path) -> Option<BTreeMap<ProviderName, PathBuf>> {
    let pair = |item: &Item| match item {
        Item::Attribute(attribute) => match &attribute.value.kind {
            Kind::Text(path) => Some((ProviderName(attribute.name.text.to_string()), below.join(&**path))),
            _ => None,
        },
        Item::Block(_) => None,
    };
    body.items.iter().map(pair).collect()
}
