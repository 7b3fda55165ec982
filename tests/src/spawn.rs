//! Starting programs that end when this process does, however it ends.

use std::io;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

type Request = (Command, Sender<io::Result<Child>>);

/// A command that the kernel kills when its parent thread ends; start it with [`spawn`].
pub fn mortal(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}

/// Starts a program from the one thread that lives as long as the process: the kernel's promise is about the parent *thread*.
pub fn spawn(command: Command) -> Child {
    static SPAWNER: OnceLock<Sender<Request>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, receiver) = channel::<Request>();
        std::thread::spawn(move || {
            for (mut command, answer) in receiver {
                let _ = answer.send(command.spawn());
            }
        });
        sender
    });
    let (answer, child) = channel();
    let shown = format!("{command:?}");
    spawner.send((command, answer)).expect("the spawner never ends");
    let child = child.recv().expect("the spawner answers everyone");
    child.unwrap_or_else(|error| panic!("cannot run {shown}: {error}"))
}

/// Runs a program to its end, which must be a good one, and gives what it printed.
pub fn run(command: &mut Command) -> String {
    let output = finish(command);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}: {}", output.status, error.trim());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a program to whatever end.
pub fn finish(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"))
}
