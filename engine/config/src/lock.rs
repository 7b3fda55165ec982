//! `bimetal.lock.hcl`: which provider and which image every name stands for.
//!
//! Reads and writes text; where the file lies is the caller's business.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bimetal_model::image::{ImageIndex, ImageManifest, ImageSource};
use bimetal_model::{Diagnostic, Platform, ProviderName};
use bimetal_syntax::{Block, Item, Kind, Member, Node, SourceFile, parse_body};

/// What is locked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// By local name.
    pub providers: BTreeMap<ProviderName, LockedProvider>,
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
        for (source, index) in &self.images {
            write_image(&mut text, source, index)?;
        }
        f.write_str(&text)
    }
}

fn write_provider(text: &mut String, name: &ProviderName, provider: &LockedProvider) -> std::fmt::Result {
    writeln!(text, "\nprovider {} {{", quoted(&name.0))?;
    let optional = |text: &Option<String>| text.as_deref().map(quoted);
    let attributes = [
        ("source", optional(&provider.source)),
        ("version", Some(quoted(&provider.version))),
        ("digest", optional(&provider.digest)),
        ("signed_by", optional(&provider.signed_by)),
    ];
    let written: Vec<_> = attributes.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let width = written.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in written {
        writeln!(text, "  {name:width$} = {value}")?;
    }
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
