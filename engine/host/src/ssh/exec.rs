//! One command on a machine: its input, its output, its status.

use std::convert::Infallible;

use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};

use super::pool::{Lease, Pool};
use crate::fault::{Code, Fault};

/// Both streams of a command together.
const OUTPUT_LIMIT: usize = 16 << 20;
/// The number of a stream in SSH's extended data.
const STDERR: u32 = 1;

/// What a command said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its exit status; 128 and the signal's number where one killed it.
    pub status: i32,
    /// What is not UTF-8 in it is replaced.
    pub stdout: String,
    /// What is not UTF-8 in it is replaced.
    pub stderr: String,
}

/// The same as it came.
#[derive(Default)]
pub(crate) struct RawOutput {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// The writing half of a session's channel; the channel is closed when it is dropped, and its place is free after that.
pub(crate) struct Closing(Option<(ChannelWriteHalf<Msg>, Lease)>);

impl std::ops::Deref for Closing {
    type Target = ChannelWriteHalf<Msg>;

    fn deref(&self) -> &Self::Target {
        match &self.0 {
            Some((write, _)) => write,
            None => unreachable!("it is taken out in `drop` alone"),
        }
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        let (Some((write, lease)), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        runtime.spawn(async move {
            let _ = write.close().await;
            drop(lease);
        });
    }
}

/// A channel in its two halves.
pub(crate) async fn open(pool: &Pool) -> Result<(Closing, ChannelReadHalf), Fault> {
    let (channel, lease) = pool.session().await?;
    let (read, write) = channel.split();
    Ok((Closing(Some((write, lease))), read))
}

/// Runs a command line; its output as text.
pub(crate) async fn run(pool: &Pool, command: &str, input: &[u8]) -> Result<Output, Fault> {
    let output = run_raw(pool, command, input).await?;
    Ok(Output { status: output.status.unwrap_or(255), stdout: text(output.stdout), stderr: text(output.stderr) })
}

pub(crate) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Runs a command line; its output as it came. There is a status.
pub(crate) async fn run_raw(pool: &Pool, command: &str, input: &[u8]) -> Result<RawOutput, Fault> {
    let (write, mut read) = open(pool).await?;
    let broke = |error: russh::Error| lost(pool, &error.to_string());
    write.exec(true, command).await.map_err(broke)?;
    // A command may end without having read its input: whoever waits for its window then waits for ever.
    let sending = async {
        let _ = write.data(input).await;
        let _ = write.eof().await;
        std::future::pending::<Infallible>().await
    };
    let output = tokio::select! {
        output = collect(pool, &mut read) => output?,
        never = sending => match never {},
    };
    match output.status {
        Some(_) => Ok(output),
        None => Err(lost(pool, "the connection broke before the command ended")),
    }
}

async fn collect(pool: &Pool, read: &mut ChannelReadHalf) -> Result<RawOutput, Fault> {
    let mut output = RawOutput::default();
    while let Some(message) = read.wait().await {
        match message {
            ChannelMsg::Data { data } => output.stdout.extend_from_slice(&data),
            ChannelMsg::ExtendedData { data, ext: STDERR } => output.stderr.extend_from_slice(&data),
            ChannelMsg::ExitStatus { exit_status } => output.status = Some(exit_status as i32),
            ChannelMsg::ExitSignal { signal_name, .. } => output.status = Some(128 + number(&signal_name)),
            ChannelMsg::Failure => {
                return Err(Fault::new(Code::Denied, format!("{} runs no commands for this user", pool.endpoint)));
            }
            ChannelMsg::Close => break,
            _ => {}
        }
        if output.stdout.len() + output.stderr.len() > OUTPUT_LIMIT {
            let message = format!("a command on {} says more than {} MiB", pool.endpoint, OUTPUT_LIMIT >> 20);
            return Err(Fault::new(Code::TooLarge, message));
        }
    }
    Ok(output)
}

pub(crate) fn lost(pool: &Pool, reason: &str) -> Fault {
    Fault::new(Code::Unreachable, format!("{} was lost: {reason}", pool.endpoint))
}

pub(crate) fn number(signal: &Sig) -> i32 {
    match signal {
        Sig::HUP => 1,
        Sig::INT => 2,
        Sig::QUIT => 3,
        Sig::ILL => 4,
        Sig::ABRT => 6,
        Sig::FPE => 8,
        Sig::KILL => 9,
        Sig::USR1 => 10,
        Sig::SEGV => 11,
        Sig::PIPE => 13,
        Sig::ALRM => 14,
        Sig::TERM => 15,
        Sig::Custom(_) => 127,
    }
}
