//! Names of places in registries: `registry.example.org/team/notes`.

use std::fmt;

use bimetal_host::registry::Reference;

/// A repository of a registry that holds the versions of one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    reference: Reference,
}

impl Source {
    /// Reads one; the registry is named, and no version. The error says why it is none.
    pub fn parse(text: &str) -> Result<Source, String> {
        let names_registry =
            text.split_once('/').is_some_and(|(host, _)| host.contains(['.', ':']) || host == "localhost");
        if !names_registry {
            return Err("it names no registry, as in `registry.example.org/team/notes`".to_owned());
        }
        let reference = Reference::parse(text).map_err(|fault| fault.message)?;
        let has_version = text.contains('@') || !text.ends_with(&*reference.repository);
        match has_version {
            true => Err("it holds a version; that stands in `version`".to_owned()),
            false => Ok(Source { reference }),
        }
    }

    /// One version there.
    pub fn at(&self, tag: &str) -> Reference {
        Reference { tag: Some(tag.to_owned()), digest: None, ..self.reference.clone() }
    }

    /// `registry.example.org`, `localhost:5000`
    pub(crate) fn registry(&self) -> &str {
        &self.reference.registry
    }

    /// `team/notes`
    pub(crate) fn repository(&self) -> &str {
        &self.reference.repository
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry(), self.repository())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_names_a_registry_and_no_version() {
        for text in ["registry.example.org/team/notes", "localhost/notes", "10.0.0.1:5000/a/b/c"] {
            assert_eq!(Source::parse(text).unwrap().to_string(), text);
        }
        for text in ["notes", "team/notes", "a.b/notes:1.0.0", "a.b/notes@sha256:1", "a.b/", "a.b/No"] {
            assert!(Source::parse(text).is_err(), "{text}");
        }
    }
}
