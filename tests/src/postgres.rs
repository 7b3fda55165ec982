//! A real PostgreSQL server, which can be restarted.
//!
//! It is of the distribution (`postgresql`), listens on a socket in a folder of its own, and does not run as root, which it refuses.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// Whom it runs as, where we are root: nobody.
const NOBODY: u32 = 65_534;

/// Ends the server with the process that started it, however that ends.
const GUARD: &str =
    "while [ -e \"/proc/$1\" ]; do sleep 1; done; \"$2/pg_ctl\" -D data -m immediate stop; cd /; rm -rf \"$3\"";

/// A server, which ends with the process that started it.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    user: Option<u32>,
    /// Who ends it, and who is still there after us.
    _guard: Option<Child>,
}

impl Postgres {
    /// One server for all tests of a process, so nobody may stop it.
    ///
    /// `None` where there is no PostgreSQL, unless tests on real parts are wanted.
    pub fn shared() -> Option<&'static Postgres> {
        static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
        SERVER.get_or_init(Postgres::start).as_ref()
    }

    /// A server of one's own, which may be stopped.
    ///
    /// `None` where there is no PostgreSQL, unless tests on real parts are wanted.
    pub fn start() -> Option<Postgres> {
        let wanted = std::env::var("BIMETAL_TEST_REAL");
        let programs = programs().filter(|_| wanted.as_deref() != Ok("0"));
        let Some(programs) = programs else {
            assert!(wanted.as_deref() != Ok("1"), "PostgreSQL is missing: `cargo xtask test` installs it");
            eprintln!("left out: this test needs PostgreSQL; `cargo xtask test` installs it");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("bimetal-postgres-").tempdir().expect("a temporary folder").keep();
        let user = nix::unistd::geteuid().is_root().then_some(NOBODY);
        if let Some(user) = user {
            std::os::unix::fs::chown(&folder, Some(user), Some(user)).expect("our own folder");
        }
        let mut server = Postgres { folder, programs, user, _guard: None };
        server.run("initdb", &["-D", "data", "-U", "bimetal", "-A", "trust", "--no-sync", "-E", "UTF8"]);
        server.up();
        Some(Postgres { _guard: Some(server.guard()), ..server })
    }

    fn guard(&self) -> Child {
        let mut guard = self.command("sh");
        guard.args(["-c", GUARD, "guard", &std::process::id().to_string()]).arg(&self.programs).arg(&self.folder);
        guard.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        guard.spawn().expect("there is a shell")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env("TZ", "UTC");
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program).display().to_string();
        crate::spawn::run(self.command(&program).args(arguments));
    }

    /// Starts it again, and waits until it answers.
    pub fn up(&mut self) {
        let options = format!("-k {} -c listen_addresses= -c max_connections=200", self.folder.display());
        self.run("pg_ctl", &["-D", "data", "-w", "-t", "60", "-l", "log", "-o", &options, "start"]);
    }

    /// Stops it as a crash would.
    pub fn down(&mut self) {
        self.run("pg_ctl", &["-D", "data", "-w", "-m", "immediate", "stop"]);
    }

    /// Where it is, for clients.
    pub fn url(&self) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://bimetal@{folder}/postgres")
    }
}

/// The folder of the newest version's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let programs = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    programs.filter(|folder| folder.join("initdb").exists()).max_by_key(|folder| number(folder))
}

fn number(folder: &Path) -> u32 {
    folder.iter().filter_map(|part| part.to_str()?.parse().ok()).next().unwrap_or(0)
}
