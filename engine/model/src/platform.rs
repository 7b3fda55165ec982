//! What a program is built for, and what a machine runs: `linux/arm/v7`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Operating system, architecture and variant, normalised as containerd does.
///
/// Invariant: two platforms that mean the same are equal (test: `names_for_the_same_are_the_same`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// `linux`
    pub os: String,
    /// `amd64`, `arm64`, `arm`, …
    pub architecture: String,
    /// `v7`, …; absent where the architecture's default is meant.
    pub variant: Option<String>,
}

impl Platform {
    /// Normalised: `aarch64` is `arm64`, `arm` without a variant is `arm/v7`, `arm64/v8` is `arm64`.
    ///
    /// Source: containerd's `platforms` package, `normalizeArch`.
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let variant = variant.filter(|v| !v.is_empty()).map(str::to_lowercase);
        let (architecture, variant) = match (architecture.to_lowercase().as_str(), variant.as_deref()) {
            ("x86_64" | "x86-64" | "amd64", None | Some("v1")) => ("amd64".to_owned(), None),
            ("x86_64" | "x86-64" | "amd64", variant) => ("amd64".to_owned(), variant.map(str::to_owned)),
            ("i386" | "i486" | "i586" | "i686" | "386", _) => ("386".to_owned(), None),
            ("aarch64" | "arm64", None | Some("8" | "v8")) => ("arm64".to_owned(), None),
            ("aarch64" | "arm64", variant) => ("arm64".to_owned(), variant.map(str::to_owned)),
            ("armhf" | "armv7l" | "armv7", None) | ("arm", None | Some("7")) => {
                ("arm".to_owned(), Some("v7".to_owned()))
            }
            ("armel" | "armv6l", None) | ("arm", Some("6")) => ("arm".to_owned(), Some("v6".to_owned())),
            ("armv5l" | "armv5tel", None) | ("arm", Some("5")) => ("arm".to_owned(), Some("v5".to_owned())),
            // A 32-bit userland on a 64-bit kernel calls itself this.
            ("armv8l", None) | ("arm", Some("8" | "v8")) => ("arm".to_owned(), Some("v7".to_owned())),
            (other, variant) => (other.to_owned(), variant.map(str::to_owned)),
        };
        Platform { os: os.to_lowercase(), architecture, variant }
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts[..] {
            [os, architecture] if !os.is_empty() && !architecture.is_empty() => {
                Ok(Platform::new(os, architecture, None))
            }
            [os, architecture, variant] if !os.is_empty() && !architecture.is_empty() && !variant.is_empty() => {
                Ok(Platform::new(os, architecture, Some(variant)))
            }
            _ => Err(format!("`{text}` is not a platform, as `linux/amd64` or `linux/arm/v7` are")),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl Serialize for Platform {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Platform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_for_the_same_are_the_same() {
        for (text, normal) in [
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/armv7l", "linux/arm/v7"),
            ("linux/arm/6", "linux/arm/v6"),
            ("Linux/x86_64", "linux/amd64"),
        ] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), normal);
        }
    }
}
