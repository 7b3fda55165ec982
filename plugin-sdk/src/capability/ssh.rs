use serde_json::Value as Json;

use super::Fault;
use super::host::ssh;
use crate::bindings::bimetal::provider::ssh as wit;
pub use wit::Output;

type Result<T> = std::result::Result<T, Fault>;

/// A machine behind an SSH endpoint.
pub struct Machine(String);

impl Machine {
    /// The endpoint is JSON; `docs/ARCHITECTURE.md` has its members.
    pub fn new(endpoint: &Json) -> Self {
        Machine(endpoint.to_string())
    }

    /// The endpoint's JSON text.
    pub fn endpoint(&self) -> &str {
        &self.0
    }

    /// Its SSH port accepts a connection.
    pub fn answers(&self) -> Result<bool> {
        ssh::answers(&self.0)
    }

    /// The key that it shows, in OpenSSH's form.
    pub fn host_key(&self) -> Result<String> {
        ssh::host_key(&self.0)
    }

    /// Runs a command of the manifest. A status other than zero is an answer.
    pub fn run(&self, command: &str, arguments: &[&str]) -> Result<Output> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        ssh::run(&self.0, command, &arguments, None)
    }

    /// `None`: there is no such file.
    pub fn read_file(&self, path: &str) -> Result<Option<Vec<u8>>> {
        ssh::read_file(&self.0, path)
    }

    /// Whole or not at all.
    pub fn write_file(&self, path: &str, mode: u32, content: &[u8]) -> Result<()> {
        ssh::write_file(&self.0, path, mode, content)
    }

    /// One that is gone counts as removed.
    pub fn remove_file(&self, path: &str) -> Result<()> {
        ssh::remove_file(&self.0, path)
    }
}
