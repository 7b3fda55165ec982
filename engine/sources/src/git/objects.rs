//! A commit's tree, read object by object. `git archive` and `git checkout` would do what the repository's attributes say.

use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use bimetal_model::Diagnostic;

use super::{Git, LATE, Running, SOON};
use crate::tree::{FILES, Refusal, Tree, admit};

/// A repository that has the objects.
pub(crate) struct Source<'a> {
    pub(crate) git: &'a Git,
    pub(crate) folder: &'a Path,
}

#[derive(Clone, Copy)]
enum Kind {
    File,
    Program,
    Link,
}

struct Listed {
    path: String,
    kind: Kind,
    object: String,
}

/// Writes all that a commit has. What must not be in a tree is found before anything of it is read.
pub(crate) fn write(objects: &Source<'_>, commit: &str, tree: &mut Tree) -> Result<(), Refusal> {
    let listed = list(objects, commit)?;
    let mut command = objects.git.in_repository(objects.folder);
    command.args(["cat-file", "--batch"]);
    let wanted: String = listed.iter().map(|entry| format!("{}\n", entry.object)).collect();
    let running = Running::start_with(objects.git, command, wanted.into_bytes(), LATE).map_err(failed)?;
    let mut contents = BufReader::with_capacity(64 << 10, running);
    for entry in &listed {
        let size = header(&mut contents, &entry.object)?;
        let mut content = (&mut contents).take(size);
        match entry.kind {
            Kind::File => tree.file(&entry.path, false, &mut content)?,
            Kind::Program => tree.file(&entry.path, true, &mut content)?,
            Kind::Link => {
                let mut target = Vec::new();
                // A link that is longer is none, and refused by its length.
                (&mut content).take(4096).read_to_end(&mut target)?;
                tree.link(&entry.path, &target)?;
            }
        }
        let mut end = [0];
        match content.limit() == 0 && contents.read(&mut end)? == 1 && end == *b"\n" {
            true => {}
            false => return Err(garbled(&entry.object)),
        }
    }
    Ok(())
}

fn list(objects: &Source<'_>, commit: &str) -> Result<Vec<Listed>, Refusal> {
    let mut command = objects.git.in_repository(objects.folder);
    command.args(["ls-tree", "-r", "-l", "-z", "--full-tree", "--end-of-options", commit]);
    let running = Running::start(objects.git, command, SOON).map_err(failed)?;
    // A name is at most some kilobytes: a longer one ends the reading.
    let mut lines = BufReader::new(running);
    let (mut listed, mut total) = (Vec::new(), 0_u64);
    loop {
        let mut line = Vec::new();
        (&mut lines).take(16 << 10).read_until(0, &mut line)?;
        if line.is_empty() {
            break;
        }
        if listed.len() == FILES || line.pop() != Some(0) {
            return Err(Refusal::Bad(format!("it has more than {FILES} files, which no module may have")));
        }
        let (entry, size) = parse(&line)?;
        admit(&entry.path, size, total)?;
        total = total.saturating_add(size);
        listed.push(entry);
    }
    let answer = lines.into_inner().answer(0).map_err(failed)?;
    match answer.worked {
        true => Ok(listed),
        false => Err(Refusal::Bad(format!("git can't list it: {}", answer.complaint))),
    }
}

/// `100644 blob <id> <size>\t<path>`
fn parse(line: &[u8]) -> Result<(Listed, u64), Refusal> {
    let tab = line.iter().position(|byte| *byte == b'\t').unwrap_or(line.len());
    let (head, path) = line.split_at(tab);
    let path = path.get(1..).unwrap_or_default();
    let shown = String::from_utf8_lossy(path);
    let path = std::str::from_utf8(path).map_err(|_| Refusal::of(&shown, "is a name that is no UTF-8"))?.to_owned();
    let head = String::from_utf8_lossy(head);
    let mut words = head.split_ascii_whitespace();
    let (mode, _, object, size) = (words.next(), words.next(), words.next(), words.next());
    let kind = match mode.unwrap_or_default() {
        "120000" => Kind::Link,
        "160000" => {
            return Err(Refusal::of(
                &path,
                "is a submodule: what it holds is in another repository, which nothing locks",
            ));
        }
        "100755" => Kind::Program,
        mode if mode.starts_with("100") => Kind::File,
        mode => return Err(Refusal::of(&path, format!("has the mode `{mode}`, which is that of no file"))),
    };
    let object = object.filter(|object| crate::source::is_id(object)).ok_or_else(|| garbled(&path))?.to_owned();
    let size = size.and_then(|size| size.parse().ok()).ok_or_else(|| garbled(&path))?;
    Ok((Listed { path, kind, object }, size))
}

/// `<id> blob <size>\n`
fn header(contents: &mut BufReader<Running>, object: &str) -> Result<u64, Refusal> {
    let mut line = String::new();
    contents.take(200).read_line(&mut line)?;
    let mut words = line.split_ascii_whitespace();
    let is_it = words.next() == Some(object) && words.next() == Some("blob");
    words.next().filter(|_| is_it).and_then(|size| size.parse().ok()).ok_or_else(|| garbled(object))
}

fn garbled(what: &str) -> Refusal {
    Refusal::Bad(format!("git does not give `{}` of it", what.escape_debug()))
}

fn failed(error: Diagnostic) -> Refusal {
    Refusal::Failed(io::Error::other(error.summary))
}
