//! What a guest writes to standard error: into the log, and the last of it kept for when it crashes.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// So much is kept, in bytes.
const KEPT: usize = 8 << 10;
/// A guest may write so much at once, in bytes.
const AT_ONCE: usize = 4 << 10;
/// A call's further lines do not go to the log.
const MOST_LINES: usize = 1000;

/// Standard error of a guest. Clones are the same stream.
#[derive(Clone)]
pub(crate) struct Tail(Arc<Mutex<Written>>);

struct Written {
    provider: String,
    kept: VecDeque<u8>,
    line: Vec<u8>,
    lines: usize,
}

impl Tail {
    pub(crate) fn new(provider: String) -> Self {
        Tail(Arc::new(Mutex::new(Written { provider, kept: VecDeque::new(), line: Vec::new(), lines: 0 })))
    }

    /// Another call begins.
    pub(crate) fn clear(&self) {
        let mut written = self.written();
        (written.lines, written.line, written.kept) = (0, Vec::new(), VecDeque::new());
    }

    /// The last line that says something.
    pub(crate) fn last_line(&self) -> Option<String> {
        let kept: Vec<u8> = self.written().kept.iter().copied().collect();
        let text = String::from_utf8_lossy(&kept);
        let says_something = |line: &&str| !line.trim().is_empty() && !line.starts_with("note: ");
        text.lines().rev().find(says_something).map(str::to_owned)
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    fn take(&mut self, bytes: &[u8]) {
        self.kept.extend(bytes);
        let excess = self.kept.len().saturating_sub(KEPT);
        self.kept.drain(..excess);
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = KEPT.saturating_sub(self.line.len());
            self.line.extend(part.iter().take(room));
            if part.ends_with(b"\n") {
                self.log();
            }
        }
    }

    fn log(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.lines += 1;
        if self.lines <= MOST_LINES {
            let provider = &self.provider;
            tracing::debug!(provider, stderr = %String::from_utf8_lossy(&line).trim_end().escape_debug());
        }
    }
}

impl IsTerminal for Tail {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Tail {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Tail {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.written().take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(AT_ONCE)
    }
}

#[async_trait::async_trait]
impl Pollable for Tail {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Tail {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.written().take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_kept_however_much_was_written() {
        let tail = Tail::new("x".to_owned());
        (0..10_000).for_each(|line| tail.written().take(format!("line {line}\n").as_bytes()));
        assert_eq!(tail.last_line().as_deref(), Some("line 9999"));
        assert!(tail.written().kept.len() <= KEPT);
        tail.written().take(b"panicked\nnote: run with `RUST_BACKTRACE=1`\n\n");
        assert_eq!(tail.last_line().as_deref(), Some("panicked"));
        tail.clear();
        assert_eq!(tail.last_line(), None);
    }
}
