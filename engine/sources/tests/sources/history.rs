//! Histories that are the same whenever they are made.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::world::run;

pub(crate) struct History {
    pub(crate) folder: PathBuf,
    settings: Vec<(String, String)>,
}

impl History {
    pub(crate) fn begin(folder: &Path, settings: Vec<(String, String)>) -> History {
        std::fs::create_dir_all(folder).unwrap();
        let history = History { folder: folder.to_owned(), settings };
        history.git(&["init", "--quiet", "--initial-branch=main"]);
        // As all great hosts allow it.
        history.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        history
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(words).current_dir(&self.folder).envs(self.settings.iter().cloned());
        command
    }

    pub(crate) fn git(&self, words: &[&str]) -> String {
        run(&mut self.command(words))
    }

    /// Runs git with something to read.
    pub(crate) fn git_with(&self, words: &[&str], input: &[u8]) -> String {
        let mut child = self.command(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{words:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Commits all that is there.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Commits one file.
    pub(crate) fn commit_file(&self, path: &str, content: &str) -> String {
        self.write(path, content);
        self.commit(content)
    }

    /// A tag that is an object.
    pub(crate) fn tag(&self, name: &str) {
        self.git(&["tag", "--annotate", "--force", "-m", name, name]);
    }

    /// Of something that git itself would not commit: a tree, made by hand.
    pub(crate) fn commit_tree(&self, tree: &str) -> String {
        let commit = self.git(&["commit-tree", "-m", "by hand", tree]);
        self.git(&["update-ref", "refs/heads/main", &commit]);
        commit
    }

    pub(crate) fn blob(&self, content: &[u8]) -> String {
        self.git_with(&["hash-object", "-w", "--stdin"], content)
    }

    /// A tree of entries as they are, however odd: mode, name, object.
    pub(crate) fn tree(&self, entries: &[(&str, &str, &str)]) -> String {
        let mut content = Vec::new();
        for (mode, name, object) in entries {
            content.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            let byte = |at: usize| u8::from_str_radix(&object[at..at + 2], 16).unwrap();
            content.extend((0..object.len()).step_by(2).map(byte));
        }
        self.git_with(&["hash-object", "-w", "--literally", "-t", "tree", "--stdin"], &content)
    }

    /// As a file's URL.
    pub(crate) fn url(&self) -> String {
        format!("git::file://{}", self.folder.display())
    }
}
