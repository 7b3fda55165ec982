//! One run of git: bounded in time, in what it says and in what it writes, and ended whenever nobody waits for it any more.

use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use bimetal_model::Diagnostic;

use super::{Git, Stop};
use crate::tree::human;

/// How often it is looked after.
const GLANCE: Duration = Duration::from_millis(50);
/// Of what git complains, the end.
const COMPLAINTS: usize = 64 << 10;

/// Git at work. What it writes is read from here.
pub(crate) struct Running {
    child: Child,
    chunks: Receiver<Vec<u8>>,
    current: io::Cursor<Vec<u8>>,
    complaints: Receiver<String>,
    ends: Instant,
    stop: Stop,
    watched: Option<(PathBuf, u64)>,
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) worked: bool,
    pub(crate) output: Vec<u8>,
    /// What it complained of, as it may be shown.
    pub(crate) complaint: String,
}

impl Answer {
    /// The output of what worked, as text without its last line's end.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).trim_end_matches('\n').to_owned()
    }
}

impl Running {
    pub(crate) fn start(git: &Git, mut command: Command, patience: Duration) -> Result<Running, Diagnostic> {
        let mut child = command.spawn().map_err(|error| not_there(&error))?;
        let (output, chunks) = sync_channel(4);
        let (said, complaints) = sync_channel(1);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        thread::spawn(move || stdout.map(|stdout| hand_on(stdout, &output)));
        thread::spawn(move || stderr.map(|stderr| said.send(last_of(stderr))));
        let ends = Instant::now() + patience;
        Ok(Running {
            child,
            chunks,
            current: io::Cursor::default(),
            complaints,
            ends,
            stop: git.stop.clone(),
            watched: None,
        })
    }

    /// Starts it with something to read.
    pub(crate) fn start_with(
        git: &Git,
        mut command: Command,
        input: Vec<u8>,
        patience: Duration,
    ) -> Result<Running, Diagnostic> {
        command.stdin(Stdio::piped());
        let mut running = Running::start(git, command, patience)?;
        if let Some(mut stdin) = running.child.stdin.take() {
            // Git may end before it has read everything: it says why itself.
            thread::spawn(move || stdin.write_all(&input));
        }
        Ok(running)
    }

    /// Ends it when a folder grows beyond this.
    pub(crate) fn watch(mut self, folder: &Path, bytes: u64) -> Running {
        self.watched = Some((folder.to_owned(), bytes));
        self
    }

    /// Waits for all of it.
    pub(crate) fn answer(mut self, limit: u64) -> Result<Answer, Diagnostic> {
        let mut output = Vec::new();
        let failed = |error: io::Error| Diagnostic::error(format!("git was stopped: {error}"));
        (&mut self).take(limit + 1).read_to_end(&mut output).map_err(failed)?;
        if output.len() as u64 > limit {
            return Err(Diagnostic::error(format!("git answers with more than {}", human(limit))));
        }
        let worked = self.wait().map_err(failed)?;
        // A connection that SSH keeps for later may hold this open for long.
        let complaint = self.complaints.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
        Ok(Answer { worked, output, complaint })
    }

    fn wait(&mut self) -> io::Result<bool> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            self.look_after()?;
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn look_after(&self) -> io::Result<()> {
        if self.stop.is_asked() {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "nobody waits for it any more"));
        }
        if Instant::now() > self.ends {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it took too long"));
        }
        match &self.watched {
            Some((folder, limit)) if size_of(folder) > *limit => {
                let what = format!("what it fetches is larger than {}, which no module may be", human(*limit));
                Err(io::Error::new(io::ErrorKind::FileTooLarge, what))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Read for Running {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.current.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.chunks.recv_timeout(GLANCE) {
                Ok(chunk) => self.current = io::Cursor::new(chunk),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
            self.look_after()?;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both do nothing where it ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The failure of a command that should have worked.
pub(crate) fn told(what: impl Into<String>, answer: &Answer) -> Diagnostic {
    let error = Diagnostic::error(what).because(answer.complaint.clone());
    match hint(&answer.complaint) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn hint(complaint: &str) -> Option<&'static str> {
    let about = [
        (
            "dubious ownership",
            "it belongs to another user: if you trust it, `git config --global --add safe.directory FOLDER`",
        ),
        ("could not read Username", "git has no credentials for it: see `git help credentials`, or use SSH"),
        ("could not read Password", "git has no credentials for it: see `git help credentials`, or use SSH"),
        ("terminal prompts disabled", "git has no credentials for it: see `git help credentials`, or use SSH"),
        ("Authentication failed", "the server does not take git's credentials for it: see `git help credentials`"),
        ("Permission denied (", "the server takes none of your SSH keys: try `ssh -T` with its name"),
        ("Host key verification failed", "SSH does not know the server: connect once by hand, and check its key"),
        ("Could not resolve host", "see that the name is right and that this machine is online"),
        ("not found", "see that the URL is right and that you may read it"),
        ("does not appear to be a git repository", "see that the URL is right and that you may read it"),
    ];
    about.iter().find(|(words, _)| complaint.contains(words)).map(|(_, hint)| *hint)
}

fn not_there(error: &io::Error) -> Diagnostic {
    match error.kind() {
        io::ErrorKind::NotFound => {
            Diagnostic::error("`git` is not there").hint("install git, or see that it is in `PATH`")
        }
        _ => Diagnostic::error(format!("`git` can't be started: {error}")),
    }
}

fn hand_on(mut stdout: impl Read, output: &SyncSender<Vec<u8>>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = stdout.read(&mut buffer) {
        let chunk = buffer.get(..read).unwrap_or_default().to_vec();
        if output.send(chunk).is_err() {
            return;
        }
    }
}

fn last_of(mut stderr: impl Read) -> String {
    let (mut said, mut buffer) = (Vec::new(), vec![0; 4 << 10]);
    while let Ok(read @ 1..) = stderr.read(&mut buffer) {
        said.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if said.len() > 2 * COMPLAINTS {
            said.drain(..said.len() - COMPLAINTS);
        }
    }
    presentable(&String::from_utf8_lossy(&said))
}

/// Without what a server might do to a terminal, and without what stands before an `@` in URLs: settings of the user may put
/// passwords there.
fn presentable(said: &str) -> String {
    let is_worth_it = |line: &&str| !line.trim().is_empty() && !line.starts_with("hint:");
    let lines: Vec<&str> = said.split(['\n', '\r']).filter(is_worth_it).collect();
    let last = lines.get(lines.len().saturating_sub(8)..).unwrap_or_default();
    let shown =
        last.iter().map(|line| without_users(line).chars().filter(|c| !c.is_control()).take(300).collect::<String>());
    shown.collect::<Vec<_>>().join("\n")
}

fn without_users(line: &str) -> String {
    let mut parts = line.split("://");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(['/', ' ', '\'', '"']).unwrap_or(part.len());
        let (authority, rest) = part.split_at(end);
        let host = authority.rsplit('@').next().unwrap_or(authority);
        clean.push_str("://");
        clean.push_str(host);
        clean.push_str(rest);
    }
    clean
}

/// Of all files below; what comes and goes meanwhile does not count.
fn size_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::SOON;

    #[test]
    fn what_git_says_is_shown_without_passwords_and_escapes() {
        let said = "remote: \u{1b}[2Jhello\nhint: x\nfatal: unable to access 'https://o:tok@en@a.b/c.git/': 403 \r\n";
        insta::assert_snapshot!(presentable(said), @"
        remote: [2Jhello
        fatal: unable to access 'https://a.b/c.git/': 403
        ");
    }

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    #[test]
    fn what_takes_too_long_or_says_too_much_is_ended() {
        let git = Git::default();
        let start = |script, patience| Running::start(&git, sh(script), patience).unwrap();
        let late = start("exec sleep 600", Duration::from_millis(1)).answer(10).unwrap_err();
        let long = start("exec yes", SOON).answer(1 << 20).unwrap_err();
        let folder = tempfile::tempdir().unwrap();
        let script = format!("head -c 2000000 /dev/zero > {}/pack; exec sleep 600", folder.path().display());
        let large = start(&script, SOON).watch(folder.path(), 1 << 20).answer(10).unwrap_err();
        git.stop.ask();
        let stopped = start("exec sleep 600", SOON).answer(10).unwrap_err();
        let said = [late, long, large, stopped].map(|error| error.summary);
        insta::assert_snapshot!(said.join("\n"), @"
        git was stopped: it took too long
        git answers with more than 1 MiB
        git was stopped: what it fetches is larger than 1 MiB, which no module may be
        git was stopped: nobody waits for it any more
        ");
    }
}
