//! The program itself, in a folder of its own, with a deadline.

use std::fs::{self, File};
use std::io::{IsTerminal as _, Read, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Where the key file is looked for, in the folder.
pub const KEY_FILE: &str = ".home/.config/bimetal/state.key";

const PATIENCE: Duration = Duration::from_secs(300);

/// As a terminal sends that there is nothing more.
const CTRL_D: &[u8] = b"\x04";

/// A folder with a configuration, and whoever works in it.
#[derive(Debug)]
pub struct Bimetal {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
    /// Whose file systems it sees, where they are not ours.
    mounts_of: Option<u32>,
}

impl Bimetal {
    /// With this `main.bm.hcl`, by somebody who has a key file.
    pub fn new(configuration: &str) -> Bimetal {
        let bimetal = Bimetal::without_key(configuration);
        let key = bimetal.write(KEY_FILE, &format!("{}\n", "5e".repeat(32)));
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("our own file");
        bimetal
    }

    /// With this `main.bm.hcl`, by somebody who has no key yet.
    pub fn without_key(configuration: &str) -> Bimetal {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bimetal = Bimetal { folder, environment: Vec::new(), mounts_of: None };
        bimetal.write("main.bm.hcl", configuration);
        bimetal
    }

    /// Sets a variable of the configuration for all later runs, in place of an earlier value.
    pub fn set(&mut self, variable: &str, value: impl ToString) -> &mut Bimetal {
        self.environment(&format!("BIMETAL_VAR_{variable}"), value)
    }

    /// Sets a variable of the environment for all later runs.
    pub fn environment(&mut self, name: &str, value: impl ToString) -> &mut Bimetal {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_string()));
        self
    }

    /// From now on it sees the file systems that this process sees.
    pub fn with_mounts_of(&mut self, process: u32) -> &mut Bimetal {
        self.mounts_of = Some(process);
        self
    }

    /// The folder it works in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file there.
    pub fn write(&self, path: &str, text: &str) -> PathBuf {
        let file = self.folder().join(path);
        let folder = file.parent().expect("it lies in the configuration's folder");
        fs::create_dir_all(folder).unwrap_or_else(|error| panic!("cannot make {}: {error}", folder.display()));
        fs::write(&file, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
        file
    }

    /// Runs a command to its end.
    pub fn run(&self, words: &[&str]) -> Ran {
        self.start(words).wait()
    }

    /// As [`Bimetal::run`], with more in the environment of this run alone.
    pub fn run_with(&self, environment: &[(&str, &str)], words: &[&str]) -> Ran {
        let mut command = self.command(binary(), words);
        command.envs(environment.iter().copied());
        Running::start(command, words).wait()
    }

    /// Runs a command to its end, with this on its standard input.
    pub fn run_fed(&self, words: &[&str], input: &str) -> Ran {
        let mut command = self.command(binary(), words);
        command.stdin(Stdio::piped());
        let mut running = Running::start(command, words);
        running.type_in(input);
        running.wait()
    }

    /// Starts a command.
    pub fn start(&self, words: &[&str]) -> Running {
        Running::start(self.command(binary(), words), words)
    }

    /// Runs a command at a terminal of 80 columns, with these words typed. What it says and what it prints come as one.
    pub fn at_terminal(&self, words: &[&str], typed: &str) -> Ran {
        let mut running = self.start_at_terminal(words);
        running.type_in(typed);
        running.wait()
    }

    /// Starts a command at such a terminal.
    pub fn start_at_terminal(&self, words: &[&str]) -> Running {
        let size = Winsize { ws_row: 0, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let terminal = openpty(Some(&size), None).expect("the system has terminals");
        let there = || File::from(terminal.slave.try_clone().expect("it is open"));
        let program = binary().display().to_string();
        let mut command = self.command("setsid", &[&["--ctty", &program], words].concat());
        command.env("TERM", "xterm").stdin(there()).stdout(there()).stderr(there());
        drop(terminal.slave);
        Running::start_at(command, words, File::from(terminal.master))
    }

    /// A command that must end well; gives what it printed.
    pub fn ok(&self, words: &[&str]) -> String {
        self.run(words).ok()
    }

    /// `apply`, which must end well.
    pub fn apply(&self) -> String {
        self.ok(&["apply", "--auto-approve"])
    }

    /// `plan`, as data, and whether it changes something.
    pub fn plan(&self) -> (Value, bool) {
        let ran = self.run(&["plan", "--json", "--detailed-exitcode"]);
        assert!([0, 2].contains(&ran.code), "{ran}");
        let document = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {ran}"));
        (document, ran.code == 2)
    }

    /// Fails where a plan would change something.
    pub fn assert_settled(&self) {
        let ran = self.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(ran.code, 0, "the plan is not empty: {ran}");
    }

    /// An output's value.
    pub fn output(&self, name: &str) -> Value {
        let text = self.ok(&["output", name, "--json"]);
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"));
        document.get("value").cloned().unwrap_or(document)
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>, words: &[&str]) -> Command {
        // Who ignores Ctrl-C, as what runs in the background does, hands that on to whatever it starts.
        let mut command = match self.mounts_of {
            None => Command::new("env"),
            Some(process) => {
                let mut command = Command::new("nsenter");
                let folder = format!("--wd={}", self.folder().display());
                command.args(["--target", &process.to_string(), "--mount", &folder, "env"]);
                command
            }
        };
        let home = self.folder().join(".home");
        command
            .arg("--default-signal=INT,TERM")
            .arg(program)
            .args(words)
            .current_dir(self.folder())
            .env("HOME", &home)
            .env("NO_COLOR", "1");
        command.env("XDG_CONFIG_HOME", home.join(".config")).env("XDG_DATA_HOME", home.join(".local/share"));
        // Compiled providers: the same for all tests, as they are for all of a person's configurations.
        command.env("XDG_CACHE_HOME", xtask::target().join("lab/cache"));
        command.env_remove("SSH_AUTH_SOCK").env_remove("DOCKER_HOST").env_remove("COLUMNS");
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command
    }
}

/// A run that goes on.
#[derive(Debug)]
pub struct Running {
    words: String,
    child: Child,
    /// What it reads: a pipe, or a terminal.
    keyboard: Option<File>,
    stdout: Collected,
    stderr: Collected,
}

impl Running {
    fn start(mut command: Command, words: &[&str]) -> Running {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let stdout = Collected::of(child.stdout.take().expect("it is a pipe"));
        let stderr = Collected::of(child.stderr.take().expect("it is a pipe"));
        let keyboard = child.stdin.take().map(|pipe| File::from(OwnedFd::from(pipe)));
        Running { words: words.join(" "), child, keyboard, stdout, stderr }
    }

    /// At a terminal. What is on its way to it when a run ends is still read.
    fn start_at(mut command: Command, words: &[&str], terminal: File) -> Running {
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let (stdout, stderr) = (terminal.try_clone().expect("it is open"), Collected::of(std::io::empty()));
        Running { words: words.join(" "), child, keyboard: Some(terminal), stdout: Collected::of(stdout), stderr }
    }

    /// Types something, where somebody reads it.
    pub fn type_in(&mut self, text: &str) {
        let keyboard = self.keyboard.as_mut().expect("it was started to be typed at");
        // Whoever does not read is none of our business.
        let _ = keyboard.write_all(text.as_bytes());
    }

    /// Its process, for signals.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed until now.
    pub fn printed(&self) -> String {
        self.stdout.text()
    }

    /// What it has said until now.
    pub fn said(&self) -> String {
        self.stderr.text()
    }

    /// Sends it a signal, as Ctrl-C does.
    pub fn signal(&self, signal: Signal) {
        let process = Pid::from_raw(self.process().try_into().expect("a process id is small"));
        kill(process, signal).unwrap_or_else(|error| panic!("cannot send {signal} to {process}: {error}"));
    }

    /// Whether it has come to its end.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("our own child").is_some()
    }

    /// `kill -9`.
    pub fn kill(mut self) -> Ran {
        let _ = self.child.kill();
        self.wait()
    }

    /// Waits for its end; a run that takes too long is killed, and the test fails.
    pub fn wait(mut self) -> Ran {
        // A pipe ends; at a terminal somebody says so, and again: what comes before somebody reads may be taken for nothing.
        let mut keyboard = self.keyboard.take().filter(File::is_terminal);
        let deadline = Instant::now() + PATIENCE;
        let mut turns = 0..;
        let status = loop {
            let turn: u32 = turns.next().unwrap_or_default();
            match self.child.try_wait().expect("our own child") {
                Some(status) => break Some(status),
                None if Instant::now() > deadline => {
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    break None;
                }
                None => {
                    if turn.is_multiple_of(10) {
                        let _ = keyboard.as_mut().map(|keyboard| keyboard.write_all(CTRL_D));
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        };
        drop(keyboard);
        let (stdout, stderr) = (self.stdout.all(), self.stderr.all());
        let code = status.and_then(|status| status.code()).unwrap_or(-1);
        let ran = Ran { words: std::mem::take(&mut self.words), code, stdout, stderr };
        assert!(status.is_some(), "not ended after {PATIENCE:?}: {ran}");
        ran
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A run that ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What was asked.
    pub words: String,
    /// The exit code; -1 where a signal ended it.
    pub code: i32,
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
}

impl Ran {
    /// What it printed, if it ended well.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self}");
        self.stdout
    }

    /// What it printed and said, if it failed.
    pub fn failed(self) -> String {
        assert!(self.code > 0, "it didn't fail: {self}");
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ran { words, code, stdout, stderr } = self;
        write!(formatter, "`bimetal {words}` ended with {code}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// What a stream has said, read as it comes.
#[derive(Debug)]
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Collected {
    fn of(mut stream: impl Read + Send + 'static) -> Collected {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let kept = bytes.clone();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..count]);
            }
        });
        Collected { bytes, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Everything: waits for the stream's end.
    fn all(&mut self) -> String {
        let _ = self.reader.take().map(JoinHandle::join);
        self.text()
    }
}

/// The program: the one that is named, or the one that cargo builds now.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(named) = std::env::var_os("BIMETAL_TEST_BINARY") {
            return named.into();
        }
        let mut build = xtask::process::cargo();
        let built = xtask::process::run(build.args(["build", "--quiet", "--package", "bimetal"]));
        built.unwrap_or_else(|error| panic!("cannot build bimetal: {error:#}"));
        xtask::target().join("debug/bimetal")
    })
}
