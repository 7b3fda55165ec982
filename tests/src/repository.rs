//! Repositories that others fetch from: on this machine, and from a server that speaks HTTP by git's own `http-backend`.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::http::Request;

/// A repository on this machine.
#[derive(Debug)]
pub struct Repository {
    folder: tempfile::TempDir,
}

impl Default for Repository {
    fn default() -> Repository {
        Repository::new()
    }
}

impl Repository {
    /// With a branch `main`, and nothing in it.
    pub fn new() -> Repository {
        let repository = Repository { folder: tempfile::tempdir().expect("a folder") };
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository
    }

    /// The folder that it is checked out in.
    pub fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// The `source` of a module in it: `//folder?ref=…` follows.
    pub fn source(&self, folder: &str) -> String {
        format!("git::file://{}{folder}", self.folder.path().display())
    }

    /// Runs git in it; gives what it printed.
    pub fn git(&self, words: &[&str]) -> String {
        git(self.folder.path(), words)
    }

    /// Writes files, and commits them; gives the commit.
    pub fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            let path = self.folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("our own folder");
            std::fs::write(path, text).expect("our own folder");
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "more"]);
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }
}

/// Runs git in a folder, as somebody without settings of their own; gives what it printed.
pub fn git(folder: &Path, words: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgSign=false"]);
    command.args(words).current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z").env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z");
    let output = command.output().expect("git is installed");
    assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Serves the repositories in a folder, for all who come; ends with this value.
#[derive(Debug)]
pub struct GitServer {
    address: SocketAddr,
    folder: tempfile::TempDir,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Default for GitServer {
    fn default() -> GitServer {
        GitServer::start()
    }
}

impl GitServer {
    /// Without any repository.
    pub fn start() -> GitServer {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let stopped = Arc::new(AtomicBool::new(false));
        let (stop, served) = (Arc::clone(&stopped), folder.path().to_owned());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let served = served.clone();
                std::thread::spawn(move || answer(&stream, &served));
            }
        });
        GitServer { address, folder, stopped, thread: Some(thread) }
    }

    /// Serves what a repository has by now, its branches and tags, under this name; gives its URL.
    pub fn publish(&self, checkout: &Path, name: &str) -> String {
        let bare = self.folder.path().join(name).display().to_string();
        git(self.folder.path(), &["init", "--quiet", "--bare", "--initial-branch", "main", &bare]);
        for what in ["--all", "--tags"] {
            git(checkout, &["push", "--quiet", "--force", &bare, what]);
        }
        format!("{}/{name}", self.url())
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        self.thread.take().map(JoinHandle::join);
    }
}

/// One request, handed to git as CGI has it.
fn answer(stream: &TcpStream, served: &Path) -> Option<()> {
    let request = Request::read(stream)?;
    let header = |name: &str| request.header(name).unwrap_or_default();
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let mut command = Command::new("git");
    command.arg("http-backend").env("GIT_PROJECT_ROOT", served).env("GIT_HTTP_EXPORT_ALL", "1");
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").env("REMOTE_ADDR", "127.0.0.1");
    command.env("REQUEST_METHOD", &request.method).env("PATH_INFO", path).env("QUERY_STRING", query);
    command.env("CONTENT_TYPE", header("content-type")).env("CONTENT_LENGTH", request.body.len().to_string());
    command.env("HTTP_CONTENT_ENCODING", header("content-encoding")).env("GIT_PROTOCOL", header("git-protocol"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let _ = child.stdin.take()?.write_all(&request.body);
    let answer = child.wait_with_output().ok()?.stdout;
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let mut stream = stream;
    stream.write_all(format!("HTTP/1.1 {status}\r\nConnection: close\r\n").as_bytes()).ok()?;
    stream.write_all(&answer).ok()
}
