//! What a signal means to a command that changes something: stop, then hurry, and after that nothing more.

use std::sync::Arc;

use bimetal_apply::Stop;

use crate::output::width;
use crate::render::progress::Progress;
use crate::render::wrap::wrap;

/// What follows from the first signal, and from the second.
#[derive(Clone, Copy)]
pub(crate) struct Consequences {
    pub(crate) first: &'static str,
    pub(crate) second: &'static str,
}

/// Of an apply.
pub(crate) const APPLYING: Consequences = Consequences {
    first: "nothing new is begun, what runs may end. The next apply goes on from here",
    second: "what runs has 10 s more. What is given up is looked for by the next apply",
};

/// Of tests.
pub(crate) const TESTING: Consequences = Consequences {
    first: "nothing new is begun, and what was made is destroyed",
    second: "what runs has 10 s more, and what was made is destroyed",
};

/// Says at a signal what follows from it. The first one drains, the second one shortens that; a third one changes nothing: the
/// state is always written.
pub(crate) async fn listen(stop: Stop, consequences: Consequences, progress: Arc<Progress>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if !stop.is_stopped() {
            progress.say(said("Stopping", consequences.first));
            stop.stop();
        } else if !stop.is_hurried() {
            progress.say(said("Hurrying", consequences.second));
            stop.hurry();
        }
    }
}

fn said(what: &str, consequence: &str) -> String {
    wrap(&format!("\n{what}: {consequence}."), width())
}
