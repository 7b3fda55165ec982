//! A person at a machine: a login shell, or a command, behind the person's own terminal.

use russh::{ChannelMsg, ChannelReadHalf, Pty};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::exec::{Closing, lost, number, open};
use super::pool::Pool;
use crate::console::{Console, Window, changed};
use crate::fault::{Code, Fault};

/// Answers the exit status.
pub(crate) async fn shell(pool: &Pool, command: Option<&str>, console: Console) -> Result<i32, Fault> {
    let (write, read) = open(pool).await?;
    let broke = |error: russh::Error| lost(pool, &error.to_string());
    if let Some(window) = &console.window {
        request_terminal(&write, *window.borrow()).await.map_err(broke)?;
    }
    match command {
        Some(command) => write.exec(true, command).await.map_err(broke)?,
        None => write.request_shell(true).await.map_err(broke)?,
    }
    converse(write, read, console).await.ok_or_else(|| lost(pool, "the connection broke"))?
}

async fn request_terminal(write: &Closing, window: Window) -> Result<(), russh::Error> {
    let term = std::env::var("TERM").unwrap_or_else(|_| "xterm".to_owned());
    let (columns, rows) = (u32::from(window.columns), u32::from(window.rows));
    let modes = [(Pty::ECHO, 1), (Pty::TTY_OP_ISPEED, 38400), (Pty::TTY_OP_OSPEED, 38400)];
    write.request_pty(false, &term, columns, rows, 0, 0, &modes).await
}

/// `None`: it ended without a status.
async fn converse(write: Closing, mut read: ChannelReadHalf, console: Console) -> Option<Result<i32, Fault>> {
    let Console { mut input, mut output, mut error, mut window, .. } = console;
    let mut buffer = vec![0; 16 << 10];
    let (mut typing, mut status) = (true, None);
    loop {
        tokio::select! {
            message = read.wait() => match message {
                Some(ChannelMsg::Data { data }) => show(&mut output, &data).await,
                Some(ChannelMsg::ExtendedData { data, .. }) => show(&mut error, &data).await,
                Some(ChannelMsg::ExitStatus { exit_status }) => status = Some(exit_status as i32),
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => status = Some(128 + number(&signal_name)),
                Some(ChannelMsg::Failure) => {
                    return Some(Err(Fault::new(Code::Denied, "the machine gives this user no shell")));
                }
                Some(ChannelMsg::Close) | None => return status.map(Ok),
                Some(_) => {}
            },
            count = input.read(&mut buffer), if typing => match count {
                Ok(count) if count > 0 => {
                    let _ = write.data(&buffer[..count]).await;
                }
                _ => {
                    typing = false;
                    let _ = write.eof().await;
                }
            },
            Some(Window { columns, rows }) = changed(&mut window) => {
                let _ = write.window_change(u32::from(columns), u32::from(rows), 0, 0).await;
            }
        }
    }
}

/// Whoever closes his terminal does not want to know that nothing could be written to it.
async fn show(to: &mut (dyn AsyncWrite + Send + Unpin), data: &[u8]) {
    let _ = to.write_all(data).await;
    let _ = to.flush().await;
}
