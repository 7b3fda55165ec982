//! A real image registry on the laboratory's network, without TLS, and the images in it.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use xtask::image::{Blob, Image, index};
use xtask::web::Platform;

use crate::cell::Cell;
use crate::engine::tail;
use crate::http::{self, Response};
use crate::image::images;
use crate::lab::Lab;
use crate::wait::until;

const PORT: u16 = 5000;

/// Who may use a guarded one: name and password.
pub const LOGIN: (&str, &str) = ("operator", "hunter2-registry");

/// The password, as `htpasswd -B` writes it.
const HASH: &str = "$2b$04$X.Mzv1Fr2vZyebwIRyEzL.a/RowSezlnwmJvwnFxpgrhzDQIPhzhS";

/// A `docker-registry`; it ends with this value.
#[derive(Debug)]
pub struct Registry {
    cell: Cell,
}

impl Registry {
    /// Starts an empty one and waits until it answers.
    pub fn start(lab: &Lab, name: &str) -> Registry {
        let registry = Registry::begin(lab.cell(name), &format!("http: {{ addr: ':{PORT}' }}\n"));
        until("the registry to answer", Duration::from_secs(30), || match http::get(registry.socket(), "/v2/") {
            Ok(answer) if answer.status == 200 => Ok(()),
            Ok(answer) => Err(answer.text()),
            Err(error) => Err(format!("{error}; its log ends with: {}", tail(&registry.cell.log()))),
        });
        registry
    }

    /// Starts an empty one that speaks TLS, and wants [`LOGIN`]. `secure` makes a certificate and its key for an address, as
    /// PEM.
    pub fn guarded(lab: &Lab, name: &str, secure: impl FnOnce(Ipv4Addr) -> [String; 2]) -> Registry {
        let cell = lab.cell(name);
        let folder = cell.folder().to_owned();
        let write = |name: &str, text: &str| {
            let file = folder.join(name);
            std::fs::write(&file, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
            file.display().to_string()
        };
        let [certificate, key] = secure(cell.address());
        let (certificate, key) = (write("server.pem", &certificate), write("server.key", &key));
        let users = write("users", &format!("{}:{HASH}\n", LOGIN.0));
        let registry = Registry::begin(
            cell,
            &format!(
                "http: {{ addr: ':{PORT}', tls: {{ certificate: {certificate}, key: {key} }} }}\n\
                 auth: {{ htpasswd: {{ realm: registry, path: {users} }} }}\n"
            ),
        );
        until("the registry to listen", Duration::from_secs(30), || {
            let said = || format!("its log ends with: {}", tail(&registry.cell.log()));
            TcpStream::connect(registry.socket()).map(drop).map_err(|error| format!("{error}; {}", said()))
        });
        registry
    }

    fn begin(mut cell: Cell, more: &str) -> Registry {
        let (file, data) = (cell.folder().join("config.yml"), cell.folder().join("data"));
        let config = format!(
            "version: 0.1\nlog: {{ level: warn }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\n{more}",
            data.display()
        );
        std::fs::write(&file, config).unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
        cell.go(&["docker-registry", "serve", &file.display().to_string()]);
        Registry { cell }
    }

    /// The file that it keeps a blob in.
    pub fn file(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        self.cell.folder().join(format!("data/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]))
    }

    /// Starts one with `web:both`, `web:next` (both platforms), `web:amd64`, `web:arm64` and the pair `plain:latest` and
    /// `plain:latest.arm`.
    pub fn with_images(lab: &Lab, name: &str) -> Registry {
        let registry = Registry::start(lab, name);
        let [amd64, arm64] = [Platform::Amd64, Platform::Arm64];
        registry.push("web", "both", &images(&[amd64, arm64], "both"));
        registry.push("web", "next", &images(&[amd64, arm64], "next"));
        registry.push("web", "amd64", &images(&[amd64], "amd64"));
        registry.push("web", "arm64", &images(&[arm64], "arm64"));
        registry.push_one("plain", "latest", &images(&[amd64], "plain")[0]);
        registry.push_one("plain", "latest.arm", &images(&[arm64], "plain")[0]);
        registry
    }

    /// Its name in references: `10.…:5000`.
    pub fn name(&self) -> String {
        self.socket().to_string()
    }

    /// Where it answers.
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.cell.address().into(), PORT)
    }

    /// The namespaces it lives in.
    pub fn cell(&self) -> &Cell {
        &self.cell
    }

    /// Pushes a list of images under one tag, and gives its digest.
    pub fn push(&self, repository: &str, tag: &str, images: &[Image]) -> String {
        for image in images {
            self.push_one(repository, &image.manifest.digest, image);
        }
        let index = index(images);
        self.put_manifest(repository, tag, &index);
        index.digest
    }

    /// Pushes one image without a list around it.
    pub fn push_one(&self, repository: &str, reference: &str, image: &Image) {
        for part in &image.parts {
            self.put_blob(repository, part);
        }
        self.put_manifest(repository, reference, &image.manifest);
    }

    fn put_blob(&self, repository: &str, blob: &Blob) {
        let begun = self.send("POST", &format!("/v2/{repository}/blobs/uploads/"), &[], &[]);
        let location = begun.header("location").unwrap_or_else(|| panic!("no upload begins: {}", begun.text()));
        let path = location.strip_prefix(&format!("http://{}", self.name())).unwrap_or(location);
        let separator = if path.contains('?') { '&' } else { '?' };
        let headers = [("content-type", "application/octet-stream")];
        self.send("PUT", &format!("{path}{separator}digest={}", blob.digest), &headers, &blob.bytes);
    }

    fn put_manifest(&self, repository: &str, reference: &str, manifest: &Blob) {
        let headers = [("content-type", manifest.media_type)];
        self.send("PUT", &format!("/v2/{repository}/manifests/{reference}"), &headers, &manifest.bytes);
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let answer = http::request(self.socket(), method, path, headers, body);
        let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text());
        answer
    }
}
