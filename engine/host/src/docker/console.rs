//! A person, or a program, in a container: commands that are run in one that runs already.

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::{CreateExecOptions, ResizeExecOptions, StartExecOptions, StartExecResults};
use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Engine, failure, plain};
use crate::console::{Console, Window, changed};
use crate::fault::{Code, Fault};

impl Engine {
    /// Runs a command in a container, with a terminal if the console has one. Answers its exit status.
    pub async fn exec(&self, id: &str, command: &[String], user: Option<&str>, console: Console) -> Result<i32, Fault> {
        let doing = format!("running `{}` in container {id}", command.first().map_or("", String::as_str));
        let tty = console.window.is_some();
        let options = options(command, user, tty);
        let made = self.ask(&doing, self.docker.create_exec(plain(id)?, options)).await?;
        let start = StartExecOptions { detach: false, tty, output_capacity: None };
        let started = self.ask(&doing, self.docker.start_exec(&made.id, Some(start))).await?;
        if let StartExecResults::Attached { output, input } = started {
            let attached = Attached { engine: self, exec: &made.id, output, input };
            let ended = attached.converse(console).await;
            ended.map_err(|error| failure::fault(&self.name, &doing, &error))?;
        }
        let ended = self.ask(&doing, self.docker.inspect_exec(&made.id)).await?;
        let status = ended.exit_code.and_then(|code| i32::try_from(code).ok());
        let lost = format!("{}, {doing}: it ended without a status", self.name);
        status.ok_or_else(|| Fault::new(Code::Protocol, lost))
    }
}

fn options(command: &[String], user: Option<&str>, tty: bool) -> CreateExecOptions<String> {
    CreateExecOptions {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(tty),
        cmd: Some(command.to_vec()),
        user: user.map(str::to_owned),
        ..Default::default()
    }
}

struct Attached<'a> {
    engine: &'a Engine,
    exec: &'a str,
    output: std::pin::Pin<Box<dyn futures::Stream<Item = Result<LogOutput, Error>> + Send>>,
    input: std::pin::Pin<Box<dyn tokio::io::AsyncWrite + Send>>,
}

impl Attached<'_> {
    async fn converse(mut self, console: Console) -> Result<(), Error> {
        let Console { input: mut typed, mut output, mut error, mut window, restore: _restore } = console;
        if let Some(window) = &window {
            let now = *window.borrow();
            self.resize(now).await;
        }
        let mut buffer = vec![0; 16 << 10];
        let mut typing = true;
        loop {
            tokio::select! {
                said = self.output.next() => {
                    // Whoever closes his terminal does not want to know that nothing could be written to it.
                    let _ = match said.transpose()? {
                        None => return Ok(()),
                        Some(LogOutput::StdErr { message }) => write(&mut error, &message).await,
                        Some(other) => write(&mut output, &other.into_bytes()).await,
                    };
                }
                count = typed.read(&mut buffer), if typing => {
                    let count = count.unwrap_or_default();
                    typing = count > 0 && write(&mut self.input, &buffer[..count]).await.is_ok();
                    if !typing {
                        let _ = self.input.shutdown().await;
                    }
                }
                Some(window) = changed(&mut window) => self.resize(window).await,
            }
        }
    }

    /// A terminal of the wrong size is no reason to stop.
    async fn resize(&self, Window { columns, rows }: Window) {
        let size = ResizeExecOptions { height: rows, width: columns };
        let _ = self.engine.ask("resizing a terminal", self.engine.docker.resize_exec(self.exec, size)).await;
    }
}

async fn write(to: &mut (impl tokio::io::AsyncWrite + Unpin + ?Sized), bytes: &[u8]) -> std::io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}
