//! From a passphrase to a key: Argon2id.

use argon2::{Algorithm, Argon2, Params, Version};
use bimetal_model::port::StateError;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Bytes, Secret, sealed};

/// What guessing costs. It is kept beside what was sealed, so that it can grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Who can write the state could make its reader work for ever.
const MOST: Cost = Cost { memory_kib: 1 << 20, passes: 16, lanes: 16 };

impl Cost {
    /// The second recommendation of RFC 9106: where 2 GiB are too much.
    pub(crate) const PRESENT: Cost = Cost { memory_kib: 64 << 10, passes: 3, lanes: 4 };

    /// The key that follows from a passphrase. The name is said where it can't be one.
    pub(super) fn stretch(self, name: &str, passphrase: &Secret, salt: &[u8]) -> Result<Bytes, StateError> {
        if passphrase.expose().is_empty() {
            return Err(sealed(format!("the passphrase in {name} is empty")));
        }
        if self.memory_kib > MOST.memory_kib || self.passes > MOST.passes || self.lanes > MOST.lanes {
            return Err(sealed("a passphrase would need more time or memory than any of ours".to_owned()));
        }
        let wrong = |error: argon2::Error| sealed(format!("the passphrase can't be used: {error}"));
        let parameters = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(wrong)?;
        let mut key = Zeroizing::new([0; 32]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
        argon2.hash_password_into(passphrase.expose().as_bytes(), salt, &mut key[..]).map_err(wrong)?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the reference implementation answers it.
    #[test]
    fn it_is_argon2id() {
        let cost = Cost { memory_kib: 32, passes: 3, lanes: 4 };
        let key = cost.stretch("`x`", &Secret::new("password"), b"somesaltsomesalt").unwrap();
        let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digits, "f25048ec48311a804ea9edd74e08c30765aa0f8d47c2a5b5a6097243cdf2e5ce");
    }

    #[test]
    fn a_cost_that_nobody_of_ours_asked_for_is_refused() {
        let cost = Cost { memory_kib: u32::MAX, ..Cost::PRESENT };
        assert!(cost.stretch("`x`", &Secret::new("password"), b"somesaltsomesalt").is_err());
        let error = Cost::PRESENT.stretch("`x`", &Secret::new(""), b"somesaltsomesalt").unwrap_err();
        assert!(error.to_string().contains("`x` is empty"), "{error}");
    }
}
