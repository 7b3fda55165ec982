//! A server with TLS that has files, and its authority.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::world::World;

/// What it answers, by path: a head and a body.
type Files = Arc<Mutex<BTreeMap<String, (String, Vec<u8>)>>>;

pub(crate) struct SecureServer {
    address: SocketAddr,
    files: Files,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl SecureServer {
    /// The world believes its authority from now on.
    pub(crate) fn open(world: &mut World) -> SecureServer {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
        let chain = vec![certified.cert.der().clone()];
        let config = Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap());
        world.authority = Some(reqwest::Certificate::from_der(certified.cert.der()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (files, stopped) = (Files::default(), Arc::new(AtomicBool::new(false)));
        let (served, stop) = (Arc::clone(&files), Arc::clone(&stopped));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (config, served) = (Arc::clone(&config), Arc::clone(&served));
                let stream = stream.unwrap();
                thread::spawn(move || answer(stream, config, &served));
            }
        });
        let server = SecureServer { address, files, stopped, thread: Some(thread) };
        world.show(&format!("localhost:{}", address.port()), "SERVER");
        server
    }

    pub(crate) fn put(&self, path: &str, content: Vec<u8>) -> String {
        self.files.lock().unwrap().insert(path.to_owned(), ("200 OK".to_owned(), content));
        self.url(path)
    }

    pub(crate) fn redirect(&self, path: &str, to: &str) -> String {
        self.files.lock().unwrap().insert(path.to_owned(), (format!("302 Found\r\nLocation: {to}"), Vec::new()));
        self.url(path)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }
}

impl Drop for SecureServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        self.thread.take().map(JoinHandle::join);
    }
}

fn answer(stream: TcpStream, config: Arc<ServerConfig>, files: &Files) -> Option<()> {
    let mut stream = BufReader::new(StreamOwned::new(ServerConnection::new(config).ok()?, stream));
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut header = String::new();
    while stream.read_line(&mut header).ok()? > 2 {
        header.clear();
    }
    let none = ("404 Not Found".to_owned(), Vec::new());
    let (head, body) = files.lock().unwrap().get(&path).cloned().unwrap_or(none);
    let stream = stream.get_mut();
    stream
        .write_all(format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len()).as_bytes())
        .ok()?;
    stream.write_all(&body).ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()?;
    let _ = stream.sock.read(&mut [0]);
    Some(())
}
