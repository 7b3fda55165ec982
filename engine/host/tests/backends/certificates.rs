//! Certificates that are made, and installed through a private `sshd`.

use std::process::Command;
use std::sync::Arc;

use bimetal_host::certificates::Authorities;
use bimetal_host::ssh::Sessions;
use serde_json::json;

use super::docker::Kept;
use super::parts::{endpoint, have, sessions, sshd};

#[tokio::test]
async fn an_authority_is_made_once() {
    let kept = Arc::new(Kept::default());
    let authorities = || Authorities::new(kept.clone(), Sessions::with_home(Arc::default(), None));
    let first = authorities().client("lab").await.unwrap();
    let second = authorities().client("lab").await.unwrap();
    assert_eq!(first.authority_pem, second.authority_pem);
    assert_ne!(first.fingerprint, second.fingerprint);
    assert_ne!(authorities().client("other").await.unwrap().authority_pem, first.authority_pem);
}

#[tokio::test]
async fn openssl_believes_what_was_issued() {
    if !have(&["openssl"]) {
        return;
    }
    let authorities = Authorities::new(Arc::new(Kept::default()), Sessions::with_home(Arc::default(), None));
    let folder = tempfile::tempdir().unwrap();
    let (ca, certificate) = (folder.path().join("ca.pem"), folder.path().join("cert.pem"));
    let server = authorities.server("lab", &["a.example.org".to_owned(), "10.1.2.3".to_owned()], 90).await.unwrap();
    std::fs::write(&ca, &server.authority_pem).unwrap();
    std::fs::write(&certificate, &server.certificate_pem).unwrap();
    let verify = |arguments: &[&str]| {
        let mut command = Command::new("openssl");
        command.arg("verify").args(["-x509_strict", "-CAfile"]).arg(&ca).args(arguments).arg(&certificate);
        command.output().unwrap().status.success()
    };
    assert!(verify(&["-purpose", "sslserver", "-verify_hostname", "a.example.org"]));
    assert!(verify(&["-purpose", "sslserver", "-verify_ip", "10.1.2.3"]));
    assert!(!verify(&["-purpose", "sslclient"]));
    assert!(!verify(&["-verify_ip", "10.1.2.4"]));
    std::fs::write(&certificate, authorities.client("lab").await.unwrap().certificate_pem).unwrap();
    assert!(verify(&["-purpose", "sslclient"]) && !verify(&["-purpose", "sslserver"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_gets_its_three_files() {
    let Some(sshd) = sshd() else { return };
    let authorities = Authorities::new(Arc::new(Kept::default()), sessions(sshd));
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().join("tls").to_string_lossy().into_owned();
    let names = ["10.0.0.1".to_owned()];
    let installed = authorities.install_server("lab", &endpoint(sshd, json!({})), &shown, &names, 30).await.unwrap();
    for name in ["ca.pem", "server-cert.pem", "server-key.pem"] {
        let metadata = std::fs::metadata(folder.path().join("tls").join(name)).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&metadata) & 0o777, 0o600, "{name}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("tls/ca.pem")).unwrap(), installed.authority_pem);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let days = (u128::from(installed.not_after_ms) - now) / 86_400_000;
    assert!((29..=30).contains(&days), "{days}");
}
