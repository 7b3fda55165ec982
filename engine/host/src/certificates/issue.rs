//! Making certificates: an authority, servers, clients.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use sha2::{Digest, Sha256};

use super::Issued;
use crate::credentials::Secret;
use crate::fault::{Code, Fault};
use crate::registry::manifest::hex;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const AUTHORITY_DAYS: u32 = 3653;
/// Browsers and some engines refuse servers' certificates that last for longer.
const SERVER_DAYS: u32 = 3650;
/// Clocks of machines differ.
const SLACK: Duration = Duration::from_secs(60 * 60);

/// An authority and its key.
pub(super) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new one: its certificate and its key, as PEM.
    pub(super) fn make(name: &str) -> Result<Secret, Fault> {
        let key = key_pair()?;
        let mut params = params(&format!("Bimetal authority {name}"), AUTHORITY_DAYS);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok(Secret::new(format!("{}{}", certificate.pem(), key.serialize_pem())))
    }

    /// One that was kept.
    pub(super) fn read(name: &str, kept: &[u8]) -> Result<Authority, Fault> {
        let broken =
            || Fault::new(Code::Invalid, format!("the key of the authority `{name}` can't be read from the state"));
        let text = std::str::from_utf8(kept).map_err(|_| broken())?;
        let (pem, key) = text.split_at(text.find("-----BEGIN PRIVATE KEY").ok_or_else(broken)?);
        let key = KeyPair::from_pem(key).map_err(|_| broken())?;
        let issuer = Issuer::from_ca_cert_pem(pem, key).map_err(|_| broken())?;
        Ok(Authority { pem: pem.to_owned(), issuer })
    }

    /// For a server with these names and addresses.
    pub(super) fn server(&self, names: &[String], days: u32) -> Result<Issued, Fault> {
        let Some(first) = names.first() else {
            return Err(Fault::new(Code::Invalid, "a server's certificate needs a name or an address"));
        };
        if days == 0 || days > SERVER_DAYS {
            return Err(Fault::new(
                Code::Invalid,
                format!("a server's certificate lasts from 1 to {SERVER_DAYS} days, not {days}"),
            ));
        }
        let mut params = CertificateParams::new(names).map_err(failed)?;
        let plain = self::params(first, days);
        (params.not_before, params.not_after) = (plain.not_before, plain.not_after);
        params.distinguished_name = plain.distinguished_name;
        self.issue(params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// For us, for a day.
    pub(super) fn client(&self) -> Result<Issued, Fault> {
        self.issue(params("bimetal", 1), ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, mut params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> Result<Issued, Fault> {
        let key = key_pair()?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        let not_after = params.not_after.unix_timestamp();
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(Issued {
            authority_pem: self.pem.clone(),
            fingerprint: fingerprint(&certificate),
            certificate_pem: certificate.pem(),
            key_pem: Secret::new(key.serialize_pem()),
            not_after_ms: u64::try_from(not_after).unwrap_or_default() * 1000,
        })
    }
}

fn key_pair() -> Result<KeyPair, Fault> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)
}

fn params(name: &str, days: u32) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name.chars().take(64).collect::<String>());
    let now = SystemTime::now().max(UNIX_EPOCH + SLACK);
    params.not_before = (now - SLACK).into();
    params.not_after = (now + DAY * days).into();
    params
}

fn fingerprint(certificate: &Certificate) -> String {
    hex(&Sha256::digest(certificate.der()))
}

fn failed(error: rcgen::Error) -> Fault {
    Fault::new(Code::Invalid, format!("a certificate can't be made: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> Authority {
        Authority::read("lab", Authority::make("lab").unwrap().expose().as_bytes()).unwrap()
    }

    #[test]
    fn a_kept_authority_issues_the_same_chain() {
        let kept = Authority::make("lab").unwrap();
        let read = || Authority::read("lab", kept.expose().as_bytes()).unwrap();
        assert_eq!(read().client().unwrap().authority_pem, read().client().unwrap().authority_pem);
    }

    #[test]
    fn servers_need_names_and_days() {
        assert!(authority().server(&[], 1).is_err());
        assert!(authority().server(&["a".to_owned()], 0).is_err());
        let issued = authority().server(&["a.example.org".to_owned(), "10.0.0.1".to_owned()], 30).unwrap();
        assert_eq!(issued.fingerprint.len(), 64);
    }

    #[test]
    fn a_broken_authority_is_an_error_without_its_text() {
        let fault = Authority::read("lab", b"-----BEGIN PRIVATE KEY-----\nhunter2").err().unwrap();
        assert!(!fault.message.contains("hunter2"));
    }
}
