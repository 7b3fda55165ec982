//! `bimetal.lock.hcl`: which provider, which module and which image every name stands for.
//!
//! Reads and writes text; where the file lies is the caller's business.

mod change;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bimetal_model::image::{ImageIndex, ImageManifest, ImageSource};
use bimetal_model::{Diagnostic, Platform, ProviderName};
use bimetal_syntax::{Block, Item, Kind, Member, Node, SourceFile, parse_body};

pub use change::{Became, Change, Fact, changes};

/// What is locked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// By local name.
    pub providers: BTreeMap<ProviderName, LockedProvider>,
    /// By source, and the versions that are wanted of it.
    pub modules: BTreeMap<(String, Option<String>), LockedModule>,
    /// By the image as the configuration writes it.
    pub images: BTreeMap<ImageSource, ImageIndex>,
}

/// A provider that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedProvider {
    /// The registry and repository that it is from, if it is from one.
    pub source: Option<String>,
    /// Of its manifest.
    pub version: String,
    /// Of the component, which is one for all platforms: `sha256:…`. Those that come with Bimetal change with it, and have none.
    pub digest: Option<String>,
    /// The public key that it was signed with, where the configuration asks for that.
    pub signed_by: Option<String>,
    /// What it may do, in plain words, one line a capability. Whoever takes some out grants less.
    pub grants: Vec<String>,
}

/// A package of modules that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedModule {
    /// Of the tag that was chosen, where a version is wanted.
    pub version: Option<String>,
    /// The branch or tag that was looked at, if it is from a repository.
    pub reference: Option<String>,
    /// The commit, if it is from a repository.
    pub commit: Option<String>,
    /// Of all its files: `sha256:…`
    pub hash: String,
}

impl Lock {
    /// The lock that a file's text stands for.
    pub fn parse(text: &str) -> Result<Lock, Diagnostic> {
        let file = SourceFile { name: "bimetal.lock.hcl".into(), text: text.into() };
        let (body, errors) = parse_body(&file);
        if let Some(error) = errors.into_iter().next() {
            return Err(broken(&error.summary));
        }
        let mut lock = Lock::default();
        for item in &body.items {
            let block = match item {
                Item::Block(block) => block,
                Item::Attribute(attribute) => {
                    return Err(broken(&format!("`{}` does not belong there", attribute.name.text)));
                }
            };
            match (&*block.word.text, label(block)) {
                ("provider", Some(name)) => {
                    lock.providers.insert(ProviderName(name), provider(block)?);
                }
                ("module", Some(source)) => {
                    let wanted = attribute(block, "wanted").and_then(self::text);
                    lock.modules.insert((source, wanted), module(block)?);
                }
                ("image", Some(reference)) => {
                    lock.images.insert(reference.parse().map_err(|error: String| broken(&error))?, image(block)?);
                }
                (other, _) => return Err(broken(&format!("`{other}` does not belong there"))),
            }
        }
        Ok(lock)
    }
}

impl std::fmt::Display for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::from("# Written by `bimetal`. Keep it in version control.\n");
        for (name, provider) in &self.providers {
            write_provider(&mut text, name, provider)?;
        }
        for ((source, wanted), module) in &self.modules {
            write_module(&mut text, source, wanted.as_deref(), module)?;
        }
        for (source, index) in &self.images {
            write_image(&mut text, source, index)?;
        }
        f.write_str(&text)
    }
}

fn write_provider(text: &mut String, name: &ProviderName, provider: &LockedProvider) -> std::fmt::Result {
    writeln!(text, "\nprovider {} {{", quoted(&name.0))?;
    let attributes = [
        ("source", provider.source.as_deref()),
        ("version", Some(&*provider.version)),
        ("digest", provider.digest.as_deref()),
        ("signed_by", provider.signed_by.as_deref()),
    ];
    write_attributes(text, &attributes)?;
    match &provider.grants[..] {
        [] => {}
        grants => {
            writeln!(text, "  grants = [")?;
            for grant in grants {
                writeln!(text, "    {},", quoted(grant))?;
            }
            writeln!(text, "  ]")?;
        }
    }
    writeln!(text, "}}")
}

fn write_module(text: &mut String, source: &str, wanted: Option<&str>, module: &LockedModule) -> std::fmt::Result {
    writeln!(text, "\nmodule {} {{", quoted(source))?;
    let attributes = [
        ("wanted", wanted),
        ("version", module.version.as_deref()),
        ("reference", module.reference.as_deref()),
        ("commit", module.commit.as_deref()),
        ("hash", Some(&*module.hash)),
    ];
    write_attributes(text, &attributes)?;
    writeln!(text, "}}")
}

/// Those that there are, with their `=` below each other.
fn write_attributes(text: &mut String, attributes: &[(&str, Option<&str>)]) -> std::fmt::Result {
    let written: Vec<_> = attributes.iter().filter_map(|(name, value)| Some((name, (*value)?))).collect();
    let width = written.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    written.into_iter().try_for_each(|(name, value)| writeln!(text, "  {name:width$} = {}", quoted(value)))
}

fn write_image(text: &mut String, source: &ImageSource, index: &ImageIndex) -> std::fmt::Result {
    writeln!(text, "\nimage {} {{", quoted(&source.to_string()))?;
    writeln!(text, "  digest = {}", quoted(&index.digest))?;
    writeln!(text, "  platforms = {{")?;
    for manifest in &index.manifests {
        writeln!(text, "    {} = {}", quoted(&manifest.platform.to_string()), quoted(&manifest.digest))?;
    }
    writeln!(text, "  }}\n}}")
}

/// As an HCL string, nothing in it interpolated.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string().replace("${", "$${").replace("%{", "%%{")
}

fn label(block: &Block) -> Option<String> {
    block.labels.first().map(|label| label.text.to_string())
}

fn provider(block: &Block) -> Result<LockedProvider, Diagnostic> {
    let grants = match attribute(block, "grants").map(|node| &node.kind) {
        Some(Kind::Tuple(items)) => items.iter().filter_map(text).collect(),
        _ => Vec::new(),
    };
    let optional = |name| attribute(block, name).and_then(text);
    Ok(LockedProvider {
        source: optional("source"),
        version: required(block, "version")?,
        digest: optional("digest"),
        signed_by: optional("signed_by"),
        grants,
    })
}

fn module(block: &Block) -> Result<LockedModule, Diagnostic> {
    let optional = |name| attribute(block, name).and_then(text);
    Ok(LockedModule {
        version: optional("version"),
        reference: optional("reference"),
        commit: optional("commit"),
        hash: required(block, "hash")?,
    })
}

fn image(block: &Block) -> Result<ImageIndex, Diagnostic> {
    let Some(Kind::Object(platforms)) = attribute(block, "platforms").map(|node| &node.kind) else {
        return Err(broken("an image lacks `platforms`"));
    };
    let manifest = |member: &Member| {
        let key = text(&member.key).ok_or_else(|| broken("a platform is no string"))?;
        let platform: Platform = key.parse().map_err(|error: String| broken(&error))?;
        let digest = text(&member.value).ok_or_else(|| broken("a digest is no string"))?;
        Ok(ImageManifest { platform, digest })
    };
    Ok(ImageIndex {
        digest: required(block, "digest")?,
        manifests: platforms.iter().map(manifest).collect::<Result<_, _>>()?,
    })
}

fn attribute<'a>(block: &'a Block, name: &str) -> Option<&'a Node> {
    block.body.items.iter().find_map(|item| match item {
        Item::Attribute(attribute) if &*attribute.name.text == name => Some(&attribute.value),
        Item::Attribute(_) | Item::Block(_) => None,
    })
}

fn required(block: &Block, name: &str) -> Result<String, Diagnostic> {
    attribute(block, name).and_then(text).ok_or_else(|| broken(&format!("`{name}` is missing")))
}

fn text(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Text(text) => Some(text.to_string()),
        _ => None,
    }
}

fn broken(reason: &str) -> Diagnostic {
    Diagnostic::error("`bimetal.lock.hcl` can't be read")
        .because(reason)
        .hint("take it from version control again, or remove it and run `bimetal init`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_reads_back_as_it_was_written() {
        let manifest =
            |platform: &str| ImageManifest { platform: platform.parse().unwrap(), digest: "sha256:1".into() };
        let lock = Lock {
            providers: [(
                ProviderName("docker".into()),
                LockedProvider {
                    source: Some("registry.example.org/team/docker".into()),
                    version: "0.1.0".into(),
                    digest: None,
                    signed_by: Some("RWkey".into()),
                    grants: vec!["engines \"${x}\"".into()],
                },
            )]
            .into(),
            modules: [(
                ("git::https://h/x.git".into(), Some("~> 1.2".into())),
                LockedModule {
                    version: Some("1.2.3".into()),
                    reference: Some("v1.2.3".into()),
                    commit: Some("0123".into()),
                    hash: "sha256:2".into(),
                },
            )]
            .into(),
            images: [(
                "nginx:1.27".parse().unwrap(),
                ImageIndex {
                    digest: "sha256:0".into(),
                    manifests: vec![manifest("linux/arm64"), manifest("linux/amd64")],
                },
            )]
            .into(),
        };
        assert_eq!(Lock::parse(&lock.to_string()).unwrap(), lock);
    }

    #[test]
    fn a_broken_lock_says_what_to_do() {
        let error = Lock::parse("image \"nginx\" {}").unwrap_err();
        assert_eq!(error.detail, "an image lacks `platforms`");
        assert!(error.hint.unwrap().contains("bimetal init"));
    }
}
