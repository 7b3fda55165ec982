//! What is asked of the world: a machine over SSH, the clock, a line of progress. One face, so that tests can be the machine.

use bimetal_provider::capability::{self, certificates, ssh};
use bimetal_provider::{Fault, Json};

pub use ssh::Output;

/// A machine behind an SSH endpoint. Commands are those of the manifest.
pub trait Remote {
    /// Its SSH port accepts a connection.
    fn answers(&self) -> Result<bool, Fault>;
    /// The key that it shows.
    fn host_key(&self) -> Result<String, Fault>;
    /// A status other than zero is an answer.
    fn run(&self, command: &str, arguments: &[&str]) -> Result<Output, Fault>;
    /// `None`: there is no such file.
    fn read_file(&self, path: &str) -> Result<Option<Vec<u8>>, Fault>;
    /// Whole or not at all.
    fn write_file(&self, path: &str, mode: u32, content: &[u8]) -> Result<(), Fault>;
    /// One that is gone counts as removed.
    fn remove_file(&self, path: &str) -> Result<(), Fault>;
    /// Installs a server certificate below a folder; answers when it ends, in milliseconds since 1970.
    fn install_certificate(&self, authority: &str, folder: &str, names: &[String], days: u32) -> Result<u64, Fault>;
}

/// Machines and time.
pub trait World {
    /// The machine behind an endpoint.
    fn machine(&self, endpoint: &Json) -> Box<dyn Remote>;
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;
    /// How far the object at `index` of a batch is.
    fn progress(&self, index: u32, message: &str);
}

/// The world behind the host's capabilities.
#[derive(Clone, Copy, Debug, Default)]
pub struct Host;

impl World for Host {
    fn machine(&self, endpoint: &Json) -> Box<dyn Remote> {
        Box::new(Machine(ssh::Machine::new(endpoint)))
    }

    fn now_ms(&self) -> u64 {
        capability::now_ms()
    }

    fn progress(&self, index: u32, message: &str) {
        capability::progress(index, message);
    }
}

struct Machine(ssh::Machine);

impl Remote for Machine {
    fn answers(&self) -> Result<bool, Fault> {
        self.0.answers()
    }

    fn host_key(&self) -> Result<String, Fault> {
        self.0.host_key()
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Result<Output, Fault> {
        self.0.run(command, arguments)
    }

    fn read_file(&self, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.0.read_file(path)
    }

    fn write_file(&self, path: &str, mode: u32, content: &[u8]) -> Result<(), Fault> {
        self.0.write_file(path, mode, content)
    }

    fn remove_file(&self, path: &str) -> Result<(), Fault> {
        self.0.remove_file(path)
    }

    fn install_certificate(&self, authority: &str, folder: &str, names: &[String], days: u32) -> Result<u64, Fault> {
        let installed = certificates::install_server(authority, self.0.endpoint(), folder, names, days)?;
        Ok(installed.not_after_ms)
    }
}
