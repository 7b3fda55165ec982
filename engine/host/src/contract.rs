//! Which versions of the contract this host speaks: those of `plugin-sdk/wit`, each in a folder that does not change.

use bimetal_model::Diagnostic;

use crate::wire;

/// Every released version, the oldest first.
pub(crate) const SPOKEN: [Version; 1] = [Version(0, 1, 0)];

/// A version of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u64, u64, u64);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Version {
    fn parse(text: &str) -> Option<Version> {
        let mut numbers = text.split('.').map(|number| number.parse().ok());
        let version = Version(numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(version)
    }
}

/// What is wrong with a component that was made for this version, if it is not spoken here.
pub(crate) fn check(version: &str) -> Result<(), Diagnostic> {
    let spoken = SPOKEN.map(|version| version.to_string()).join(", ");
    let named = wire::clean(version);
    let error = Diagnostic::error("this is no provider for this Bimetal")
        .because(format!("it was made for version {named} of the contract, and this Bimetal speaks {spoken}"));
    let hint = match Version::parse(version) {
        Some(version) if SPOKEN.contains(&version) => return Ok(()),
        Some(version) if SPOKEN.iter().all(|spoken| version < *spoken) => {
            "use a newer version of the provider; if it is yours, build it with the SDK that `bimetal plugin new` writes"
        }
        Some(_) => "use a newer Bimetal, or an older version of the provider",
        None => "a manifest names the version that the provider was made for, as `\"contract\": \"0.1.0\"`",
    };
    Err(error.hint(hint))
}
