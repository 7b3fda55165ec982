//! Certificate authorities for engines that listen on TCP: one a name, made on first use and kept.
//!
//! Private keys never leave this file's values, but for a server's own, which goes straight to the server.

mod issue;

use std::collections::HashMap;
use std::sync::{Arc, Once};

use async_trait::async_trait;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Mutex;

use crate::credentials::Secret;
use crate::fault::{Code, Fault};
use crate::ssh::Sessions;

use issue::Authority;

/// Where authorities are kept, sealed. `Remember` of the model has these two.
#[async_trait]
pub trait Keep: Send + Sync {
    /// What is kept under a name.
    async fn secret(&self, name: &str) -> Result<Option<Vec<u8>>, Fault>;
    /// Keeps something, unless there is something of that name: answers what is kept.
    async fn keep_secret(&self, name: &str, secret: &[u8]) -> Result<Vec<u8>, Fault>;
}

/// The authorities of a state.
pub struct Authorities {
    keep: Arc<dyn Keep>,
    sessions: Arc<Sessions>,
    made: Mutex<HashMap<String, Arc<Authority>>>,
}

/// A server certificate that was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The authority's certificate.
    pub authority_pem: String,
    /// SHA-256 of the server's certificate, hexadecimal.
    pub fingerprint: String,
    /// Milliseconds since 1970.
    pub not_after_ms: u64,
}

/// A certificate with its key and the authority's certificate, as PEM.
pub struct Issued {
    /// Of the authority.
    pub authority_pem: String,
    /// The certificate.
    pub certificate_pem: String,
    /// Its key.
    pub key_pem: Secret,
    /// SHA-256 of the certificate, hexadecimal.
    pub fingerprint: String,
    /// Milliseconds since 1970.
    pub not_after_ms: u64,
}

impl Authorities {
    /// None is made yet.
    pub fn new(keep: Arc<dyn Keep>, sessions: Arc<Sessions>) -> Arc<Self> {
        Arc::new(Authorities { keep, sessions, made: Mutex::default() })
    }

    /// Issues a server certificate and writes `ca.pem`, `server-cert.pem` and `server-key.pem` below a folder of the machine's.
    pub async fn install_server(
        &self,
        authority: &str,
        endpoint: &str,
        directory: &str,
        names: &[String],
        days: u32,
    ) -> Result<Installed, Fault> {
        let issued = self.server(authority, names, days).await?;
        let folder = directory.trim_end_matches('/');
        // The key first: a certificate without its key stops an engine, a key without its certificate doesn't.
        for (name, text) in [
            ("server-key.pem", issued.key_pem.expose()),
            ("server-cert.pem", &issued.certificate_pem),
            ("ca.pem", &issued.authority_pem),
        ] {
            self.sessions.write_file(endpoint, &format!("{folder}/{name}"), 0o600, text.as_bytes()).await?;
        }
        let Issued { authority_pem, fingerprint, not_after_ms, .. } = issued;
        Ok(Installed { authority_pem, fingerprint, not_after_ms })
    }

    /// A certificate for a server with these names and addresses.
    pub async fn server(&self, authority: &str, names: &[String], days: u32) -> Result<Issued, Fault> {
        self.authority(authority).await?.server(names, days)
    }

    /// A certificate for us, for a day.
    pub async fn client(&self, authority: &str) -> Result<Issued, Fault> {
        self.authority(authority).await?.client()
    }

    /// How to speak to servers of an authority.
    pub(crate) async fn client_config(&self, authority: &str) -> Result<ClientConfig, Fault> {
        let issued = self.client(authority).await?;
        client_config(&issued.authority_pem, Some((&issued.certificate_pem, &issued.key_pem)))
    }

    async fn authority(&self, name: &str) -> Result<Arc<Authority>, Fault> {
        let mut made = self.made.lock().await;
        if let Some(authority) = made.get(name) {
            return Ok(authority.clone());
        }
        let key = format!("authority/{name}");
        let kept = match self.keep.secret(&key).await? {
            Some(kept) => kept,
            // Somebody else may have made one in between: the one that is kept counts.
            None => self.keep.keep_secret(&key, Authority::make(name)?.expose().as_bytes()).await?,
        };
        let authority = Arc::new(Authority::read(name, &kept)?);
        made.insert(name.to_owned(), authority.clone());
        Ok(authority)
    }
}

/// TLS with one authority, and with a certificate of ours if there is one.
pub(crate) fn client_config(authority: &str, ours: Option<(&str, &Secret)>) -> Result<ClientConfig, Fault> {
    use_ring();
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca", authority)? {
        roots.add(certificate).map_err(|error| wrong("ca", &error))?;
    }
    let builder = ClientConfig::builder().with_root_certificates(roots);
    let Some((certificate, key)) = ours else {
        return Ok(builder.with_no_client_auth());
    };
    // The reason could quote the key.
    let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
        .map_err(|_| Fault::new(Code::Invalid, "`key` can't be read: it must be PEM, and not encrypted"))?;
    let certificate = certificates("certificate", certificate)?;
    builder.with_client_auth_cert(certificate, key).map_err(|error| wrong("certificate", &error))
}

fn certificates(name: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let found = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    match found.map_err(|error| wrong(name, &error))? {
        found if found.is_empty() => {
            let hint = format!("give the certificate itself: `{name} = file(\"….pem\")`");
            Err(Fault::new(Code::Invalid, format!("`{name}` holds no PEM certificate\n{hint}")))
        }
        found => Ok(found),
    }
}

fn wrong(name: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::new(Code::Invalid, format!("`{name}` can't be used for TLS: {error}"))
}

/// TLS needs to be told once which cryptography it uses.
pub(crate) fn use_ring() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Somebody may have chosen already, and then that is what is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
