//! A real Docker engine with its own network, address and data.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::cell::Cell;
use crate::http::{self, Response};
use crate::lab::Lab;
use crate::wait::until;

const PORT: u16 = 2375;
const TLS_PORT: u16 = 2376;
const PATIENCE: Duration = Duration::from_secs(180);

/// A `dockerd`; it ends with this value.
#[derive(Debug)]
pub struct Engine {
    cell: Cell,
    port: u16,
}

/// What an engine shows its clients, and whose clients it believes: PEM.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Of the authority that signs clients' certificates.
    pub ca: String,
    /// The engine's own.
    pub certificate: String,
    /// Of the engine's certificate.
    pub key: String,
}

impl Engine {
    /// Starts one and waits until it answers.
    pub fn start(lab: &Lab, name: &str) -> Engine {
        let engine = Engine::begin(lab, name);
        engine.wait();
        engine
    }

    /// Starts one that takes no client without a certificate; what it needs for that depends on its address.
    pub fn start_with_tls(lab: &Lab, name: &str, tls: impl FnOnce(Ipv4Addr) -> Tls) -> Engine {
        let cell = lab.cell(name);
        let Tls { ca, certificate, key } = tls(cell.address());
        let keep = |name: &str, pem: &str| {
            let file = cell.folder().join(name);
            std::fs::write(&file, pem).unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
            file.display().to_string()
        };
        let (ca, certificate, key) =
            (keep("ca.pem", &ca), keep("certificate.pem", &certificate), keep("key.pem", &key));
        let options = format!("--tlsverify --tlscacert {ca} --tlscert {certificate} --tlskey {key}");
        let engine = Engine::begin_in(cell, TLS_PORT, &options);
        engine.wait();
        engine
    }

    /// Starts several at once.
    pub fn start_all<const N: usize>(lab: &Lab, names: [&str; N]) -> [Engine; N] {
        let engines = names.map(|name| Engine::begin(lab, name));
        engines.iter().for_each(Engine::wait);
        engines
    }

    fn begin(lab: &Lab, name: &str) -> Engine {
        Engine::begin_in(lab.cell(name), PORT, "--tls=false")
    }

    fn begin_in(mut cell: Cell, port: u16, tls: &str) -> Engine {
        let path = |name: &str| cell.folder().join(name).display().to_string();
        let options = [
            // What containerd puts there must be its own; its sockets have the same names everywhere.
            "mount -t tmpfs tmpfs /run && exec dockerd".to_owned(),
            format!("--host tcp://0.0.0.0:{port} {tls}"),
            format!("--host unix://{}", path("docker.sock")),
            format!("--data-root {} --exec-root /run/docker --pidfile /run/docker.pid", path("data")),
            format!("--cgroup-parent {}/containers --insecure-registry {}", cell.group(), cell.lab().range()),
        ];
        cell.go(&["sh", "-c", &options.join(" ")]);
        Engine { cell, port }
    }

    fn wait(&self) {
        until("dockerd to answer", PATIENCE, || match self.ask("GET", "/_ping", &[], &[]) {
            Ok(answer) if answer.status == 200 => Ok(()),
            Ok(answer) => Err(answer.text()),
            Err(error) => Err(format!("{error}; its log ends with: {}", tail(&self.cell.log()))),
        });
    }

    /// Where it answers, as machines are told: `tcp://…`.
    pub fn host(&self) -> String {
        format!("tcp://{}", self.socket())
    }

    /// Its socket on this machine.
    pub fn unix_socket(&self) -> PathBuf {
        self.cell.folder().join("docker.sock")
    }

    /// Where it answers.
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.cell.address().into(), self.port)
    }

    /// Where the ports of its containers are.
    pub fn page(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.cell.address().into(), port)
    }

    /// The namespaces it lives in.
    pub fn cell(&self) -> &Cell {
        &self.cell
    }

    /// Asks it something.
    pub fn get(&self, path: &str) -> Response {
        self.ask("GET", path, &[], &[])
            .unwrap_or_else(|error| panic!("the engine at {} doesn't answer: {error}", self.host()))
    }

    /// Changes something behind everybody's back.
    pub fn request(&self, method: &str, path: &str, body: &Value) -> Response {
        // A body that the engine does not read makes it reset the connection, sometimes before its answer is read.
        let bytes = if body.as_object().is_some_and(|body| body.is_empty()) { String::new() } else { body.to_string() };
        let headers = [("content-type", "application/json")];
        let headers = if bytes.is_empty() { &[][..] } else { &headers[..] };
        let answer = self.ask(method, path, headers, bytes.as_bytes());
        answer.unwrap_or_else(|error| panic!("the engine at {} doesn't answer: {error}", self.host()))
    }

    /// Over its own socket, which is open to us however it guards its port.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Response> {
        http::request_at(&self.unix_socket(), method, path, headers, body)
    }

    /// All its containers, stopped ones too, as it lists them.
    pub fn containers(&self) -> Vec<Value> {
        let answer = self.get("/containers/json?all=1");
        answer.json().as_array().cloned().unwrap_or_else(|| panic!("no list of containers: {}", answer.text()))
    }

    /// The names of all its containers, sorted.
    pub fn names(&self) -> Vec<String> {
        let containers = self.containers();
        let names = containers.iter().filter_map(|container| container["Names"][0].as_str());
        let mut names: Vec<_> = names.map(|name| name.trim_start_matches('/').to_owned()).collect();
        names.sort();
        names
    }
}

/// The end of a log.
pub(crate) fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}
