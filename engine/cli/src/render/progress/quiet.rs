//! A terminal that does not show `^C` where it is typed: what moves would be taken away one line too low after that.

use std::io::{IsTerminal as _, stdin};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, tcgetpgrp};

/// As long as it is there.
pub(super) struct Quiet {
    before: Termios,
}

impl Quiet {
    /// Where somebody types.
    pub(super) fn begin() -> Option<Quiet> {
        let before = is_ours().then(|| tcgetattr(stdin()).ok()).flatten()?;
        let mut quiet = before.clone();
        quiet.local_flags.remove(LocalFlags::ECHOCTL);
        tcsetattr(stdin(), SetArg::TCSANOW, &quiet).ok()?;
        Some(Quiet { before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if is_ours() {
            let _ = tcsetattr(stdin(), SetArg::TCSANOW, &self.before);
        }
    }
}

/// Who runs in the background would be stopped for changing it.
fn is_ours() -> bool {
    stdin().is_terminal() && tcgetpgrp(stdin()) == Ok(getpgrp())
}
