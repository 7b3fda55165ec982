//! A person's terminal, or what stands in for one: where the input of a shell comes from and its output goes.
//!
//! While a `Console` of a terminal lives, the terminal is raw; dropping it brings the old mode back.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

/// The size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Characters in a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
}

/// The near end of a shell or an exec.
pub struct Console {
    /// What is typed.
    pub input: Box<dyn AsyncRead + Send + Unpin>,
    /// Where output goes; all of it, where there is a terminal.
    pub output: Box<dyn AsyncWrite + Send + Unpin>,
    /// Where errors go.
    pub error: Box<dyn AsyncWrite + Send + Unpin>,
    /// The terminal's size as it changes; `None`: no terminal is wanted at the far end either.
    pub window: Option<watch::Receiver<Window>>,
    /// Restores the terminal.
    pub restore: Option<Restore>,
}

impl Console {
    /// Text for a program and nowhere for its output.
    pub fn of(
        input: impl AsyncRead + Send + Unpin + 'static,
        output: impl AsyncWrite + Send + Unpin + 'static,
        error: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Console {
        Console {
            input: Box::new(input),
            output: Box::new(output),
            error: Box::new(error),
            window: None,
            restore: None,
        }
    }

    /// The process's own input and output, without a terminal at the far end.
    pub fn pipes() -> Console {
        Console::of(tokio::io::stdin(), tokio::io::stdout(), tokio::io::stderr())
    }

    /// The process's own terminal, raw from now on; as `pipes` where input or output is none.
    #[cfg(unix)]
    pub fn terminal() -> Console {
        let Some((restore, window)) = Restore::raw().zip(unix::follow_size()) else {
            return Console::pipes();
        };
        Console { window: Some(window), restore: Some(restore), ..Console::pipes() }
    }

    /// The process's own input and output.
    #[cfg(not(unix))]
    pub fn terminal() -> Console {
        Console::pipes()
    }
}

/// How many characters a line of a terminal has; `None` where that is none.
#[cfg(unix)]
pub fn columns(of: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(of).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Terminals of this system are not asked.
#[cfg(not(unix))]
pub fn columns<T>(_of: T) -> Option<usize> {
    None
}

/// How many lines a terminal has; `None` where that is none.
#[cfg(unix)]
pub fn rows(of: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(of).ok()?;
    Some(usize::from(size.ws_row)).filter(|rows| *rows > 0)
}

/// Terminals of this system are not asked.
#[cfg(not(unix))]
pub fn rows<T>(_of: T) -> Option<usize> {
    None
}

/// The next size. Never, once the terminal is gone.
pub(crate) async fn changed(window: &mut Option<watch::Receiver<Window>>) -> Option<Window> {
    let receiver = window.as_mut()?;
    match receiver.changed().await {
        Ok(()) => Some(*receiver.borrow_and_update()),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(unix)]
pub use unix::Restore;

/// Nothing to restore on this system.
#[cfg(not(unix))]
pub struct Restore(());

#[cfg(unix)]
mod unix {
    use rustix::stdio::{stdin, stdout};
    use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};
    use tokio::signal::unix::{SignalKind, signal};
    use tokio::sync::watch;

    use super::Window;

    /// Gives the terminal its old mode back when it is dropped.
    pub struct Restore(Termios);

    impl Restore {
        pub(super) fn raw() -> Option<Restore> {
            if !isatty(stdin()) || !isatty(stdout()) {
                return None;
            }
            let before = tcgetattr(stdin()).ok()?;
            let mut raw = before.clone();
            raw.make_raw();
            tcsetattr(stdin(), OptionalActions::Flush, &raw).ok()?;
            Some(Restore(before))
        }
    }

    impl Drop for Restore {
        fn drop(&mut self) {
            let _ = tcsetattr(stdin(), OptionalActions::Flush, &self.0);
        }
    }

    fn size() -> Option<Window> {
        let size = tcgetwinsize(stdout()).ok()?;
        Some(Window { columns: size.ws_col, rows: size.ws_row })
    }

    /// The size now, and again whenever the terminal says that it changed.
    pub(super) fn follow_size() -> Option<watch::Receiver<Window>> {
        let (sender, receiver) = watch::channel(size()?);
        let mut signals = signal(SignalKind::window_change()).ok()?;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = sender.closed() => return,
                    Some(()) = signals.recv() => {
                        if let Some(size) = size() {
                            let _ = sender.send(size);
                        }
                    }
                }
            }
        });
        Some(receiver)
    }
}
