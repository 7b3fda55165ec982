//! All test programs of the workspace, several at a time: most of them wait most of the time, for engines, machines and servers.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value as Json, json};

use crate::interrupt::Interruptible;

/// A program that cargo has built.
struct Program {
    /// `tests story`: its package's folder, and its own name.
    name: String,
    executable: PathBuf,
    /// Where its package is, and where it runs.
    folder: PathBuf,
}

/// Runs the programs that a build with `--message-format=json` told of, each with these variables. All of them are run, whatever fails.
pub fn run(interruptible: &Interruptible, messages: &str, variables: &[(&str, &OsStr)]) -> Result<()> {
    let open = Mutex::new(programs(messages)?);
    let failed = Mutex::new(Vec::new());
    let next = || open.lock().expect("nobody panics with it").pop_front();
    let work = || {
        while let Some(program) = next() {
            if !interruptible.is_stopped() && !program.passes(interruptible, variables) {
                failed.lock().expect("nobody panics with it").push(program.name);
            }
        }
    };
    std::thread::scope(|scope| {
        let workers = (0..crate::test::processors()).map(|_| scope.spawn(work)).collect::<Vec<_>>();
        workers.into_iter().for_each(|worker| worker.join().expect("a worker does not panic"));
    });
    interruptible.check()?;
    let failed = failed.into_inner().expect("nobody panics with it");
    match failed.is_empty() {
        true => Ok(()),
        false => bail!("tests failed in:\n  {}", failed.join("\n  ")),
    }
}

/// Those of `tests/` first: they take longest.
fn programs(messages: &str) -> Result<VecDeque<Program>> {
    let (mut long, mut short) = (VecDeque::new(), VecDeque::new());
    for line in messages.lines().filter(|line| line.starts_with('{')) {
        let message: Json = serde_json::from_str(line).context("cargo says what it built in JSON")?;
        if let Some(program) = Program::of(&message) {
            let is_long = program.folder == crate::root().join("tests");
            if is_long { &mut long } else { &mut short }.push_back(program);
        }
    }
    long.append(&mut short);
    Ok(long)
}

impl Program {
    /// `None` where cargo tells of something else.
    fn of(message: &Json) -> Option<Program> {
        let is_test = message["profile"]["test"] == true && message["target"]["kind"] != json!(["bench"]);
        let executable = message["executable"].as_str().filter(|_| is_test)?;
        let folder = Path::new(message["manifest_path"].as_str()?).parent()?;
        let (package, target) = (folder.strip_prefix(crate::root()).ok()?, message["target"]["name"].as_str()?);
        let name = format!("{} {target}", package.display());
        Some(Program { name, executable: executable.into(), folder: folder.to_owned() })
    }

    fn passes(&self, interruptible: &Interruptible, variables: &[(&str, &OsStr)]) -> bool {
        let mut command = Command::new(&self.executable);
        command.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        // It would ask cargo in each program.
        command.env("INSTA_WORKSPACE_ROOT", crate::root());
        command.envs(variables.iter().copied());
        let start = Instant::now();
        let ended = interruptible.output(command);
        let took = start.elapsed().as_secs_f64();
        match ended {
            Ok((passes, printed)) => {
                print!("     Running {}\n{}", self.name, String::from_utf8_lossy(&printed));
                println!("     {} {} in {took:.1} s\n", self.name, if passes { "passed" } else { "FAILED" });
                passes
            }
            Err(error) => {
                println!("     Running {}\nerror: {error:#}\n", self.name);
                false
            }
        }
    }
}
