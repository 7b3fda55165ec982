//! What happens while something runs: on a terminal lines that move, elsewhere plain ones, and few of them.

mod board;
mod digest;
mod quiet;

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bimetal_host::console::{columns, rows};
use bimetal_model::event::{Event, Notify};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::board::Board;
use self::digest::Digest;
use self::quiet::Quiet;
use super::style::{BOLD, FAINT, REMOVE, paint};
use crate::events::Events;

/// How often what moves is drawn anew.
const FRAME: Duration = Duration::from_millis(125);
/// What ended within so much time is said together.
const TOGETHER: Duration = Duration::from_millis(500);
/// Whoever reads a log hears something at least so often.
const SILENCE: Duration = Duration::from_secs(30);
/// With more actions than that, what providers say on the way is for terminals alone.
const FEW: usize = 8;

/// Draws events on standard error.
pub(crate) struct Progress {
    screen: Arc<Screen>,
    /// Where events go as data.
    pub(crate) events: Arc<Events>,
}

struct Screen {
    state: Mutex<State>,
    bar: ProgressBar,
    /// Where the bar is drawn.
    target: fn() -> ProgressDrawTarget,
    manner: Manner,
}

/// How it is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Lines that move.
    Live,
    /// Lines that stay.
    Plain,
    /// Programs have the events themselves.
    Silent,
}

struct State {
    board: Board,
    digest: Digest,
    /// When something was said the last time.
    spoke: Instant,
    /// When what had ended was said the last time.
    digested: Instant,
    /// Whether somebody looks after it from time to time.
    is_kept: bool,
    /// While something moves.
    quiet: Option<Quiet>,
}

impl Progress {
    /// On a terminal lines that move; elsewhere plain ones; none where standard error is for programs.
    pub(crate) fn new(json: bool, events: Arc<Events>) -> Self {
        let manner = match (json, std::io::stderr().is_terminal()) {
            (true, _) => Manner::Silent,
            (false, true) => Manner::Live,
            (false, false) => Manner::Plain,
        };
        Progress { screen: Arc::new(Screen::new(manner, ProgressDrawTarget::stderr)), events }
    }

    /// Something takes its time: said only where it goes away again.
    pub(crate) fn wait_for(&self, message: String) {
        if self.screen.manner == Manner::Live {
            self.screen.clone().take(Event::Busy { message });
        }
    }

    /// A line that stays, for people and programs alike.
    pub(crate) fn say(&self, text: String) {
        match self.screen.manner {
            Manner::Silent => self.notify(Event::Busy { message: text.trim().to_owned() }),
            Manner::Live | Manner::Plain => self.screen.say(&mut vec![text]),
        }
    }

    /// Says what was not said yet, and takes away what moves.
    pub(crate) fn clear(&self) {
        let mut state = self.screen.lock();
        self.screen.say(&mut state.digest.take());
        state.board.clear();
        self.screen.bar.finish_and_clear();
        // Before it is drawn again it would draw once more what it showed last, and leave it there.
        self.screen.bar.set_draw_target(ProgressDrawTarget::hidden());
        state.quiet = None;
    }
}

impl Notify for Progress {
    fn notify(&self, event: Event) {
        self.events.event(&event);
        if self.screen.manner != Manner::Silent {
            self.screen.clone().take(event);
        }
    }
}

impl Screen {
    fn new(manner: Manner, target: fn() -> ProgressDrawTarget) -> Screen {
        let now = Instant::now();
        let state = State {
            board: Board::default(),
            digest: Digest::default(),
            spoke: now,
            digested: now,
            is_kept: false,
            quiet: None,
        };
        Screen { state: Mutex::new(state), bar: ProgressBar::hidden(), target, manner }
    }

    fn take(self: Arc<Self>, event: Event) {
        let now = Instant::now();
        let mut state = self.lock();
        let is_news = match &event {
            Event::Progress { address, message, .. } => state.board.is_news(address, message),
            _ => true,
        };
        let took = state.board.take(&event, now);
        let mut lines = Vec::new();
        match (&event, took) {
            (Event::Finished { address, action }, Some(took)) if !["read", "open"].contains(action) => {
                state.digest.add(address, action, took);
            }
            (Event::Progress { address, message, .. }, _) if self.manner == Manner::Plain => {
                let is_said = is_news && state.board.running() <= FEW;
                lines.extend(is_said.then(|| format!("{}: {message}", paint(BOLD, address))));
            }
            _ => lines.extend(self.said(&event, took)),
        }
        if !lines.is_empty() {
            state.spoke = now;
            // What ended before comes before.
            lines.splice(0..0, state.digest.take());
        }
        self.say(&mut lines);
        self.keep(&mut state);
    }

    /// What is worth a line of its own at once.
    fn said(&self, event: &Event, took: Option<Duration>) -> Option<String> {
        match event {
            Event::Failed { address, action, .. } => {
                let took = took.map_or_else(String::new, |took| format!(" after {}", seconds(took)));
                Some(format!("{}: {}{took}", paint(BOLD, address), paint(REMOVE, format!("{action} failed"))))
            }
            Event::Skipped { address, because } => {
                Some(format!("{}: {}, because {because} is not done", paint(BOLD, address), paint(FAINT, "skipped")))
            }
            Event::Deferred { address, because, .. } => {
                Some(format!("{}: {}: {because}", paint(BOLD, address), paint(FAINT, "deferred")))
            }
            Event::Degraded { machine, because } => {
                Some(format!("{}: {}: {because}", paint(BOLD, machine), paint(REMOVE, "degraded")))
            }
            Event::Busy { message } => (self.manner == Manner::Plain).then(|| paint(FAINT, message)),
            Event::Begun { .. } | Event::Started { .. } | Event::Finished { .. } | Event::Progress { .. } => None,
        }
    }

    fn say(&self, lines: &mut Vec<String>) {
        if lines.is_empty() {
            return;
        }
        // What moves makes way; the stream decides about colours.
        let text = std::mem::take(lines).join("\n");
        self.bar.suspend(|| anstream::eprintln!("{text}"));
    }

    /// From the first event on somebody looks after it.
    fn keep(self: &Arc<Self>, state: &mut State) {
        if !std::mem::replace(&mut state.is_kept, true) {
            let screen = Arc::downgrade(self);
            std::thread::spawn(move || keep(&screen));
        }
    }

    /// Says what is due, and draws what moves.
    fn tick(&self, now: Instant) {
        let mut state = self.lock();
        let mut lines = Vec::new();
        if now.duration_since(state.digested) >= TOGETHER {
            state.digested = now;
            lines = state.digest.take();
        }
        if lines.is_empty() && self.manner == Manner::Plain && now.duration_since(state.spoke) >= SILENCE {
            lines.extend(state.board.heartbeat(now).filter(|_| state.board.has_begun()));
        }
        if !lines.is_empty() {
            state.spoke = now;
        }
        self.say(&mut lines);
        if self.manner == Manner::Live {
            self.draw(&mut state, now);
        }
    }

    fn draw(&self, state: &mut State, now: Instant) {
        let board = &state.board;
        if board.is_empty() && !board.has_begun() {
            return;
        }
        if self.bar.is_hidden() {
            state.quiet = Quiet::begin();
            self.bar.reset();
            self.bar.set_draw_target((self.target)());
            let style = ProgressStyle::with_template("{msg}");
            self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        }
        let size = (columns(std::io::stderr()).unwrap_or(80), rows(std::io::stderr()).unwrap_or(24));
        self.bar.set_message(board.lines(now, size.0.saturating_sub(1), size.1).join("\n"));
        self.bar.tick();
    }

    /// A panic of another thread while it drew does not make the drawing unusable.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As long as the screen is there.
fn keep(screen: &Weak<Screen>) {
    while let Some(screen) = screen.upgrade() {
        screen.tick(Instant::now());
        drop(screen);
        std::thread::sleep(FRAME);
    }
}

/// As people say it: `0.3s`, `12s`, `1m15s`.
pub(super) fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1}s", duration.as_secs_f64()),
        whole @ 10..60 => format!("{whole}s"),
        whole => format!("{}m{:02}s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use indicatif::{InMemoryTerm, TermLike as _};

    use super::*;

    /// Wider than any that the tests run in.
    static TERMINAL: LazyLock<InMemoryTerm> = LazyLock::new(|| InMemoryTerm::new(10, 1_000));

    #[test]
    fn what_moves_leaves_nothing_behind() {
        let screen = Screen::new(Manner::Live, || ProgressDrawTarget::term_like(Box::new(TERMINAL.clone())));
        // No one but us draws.
        screen.lock().is_kept = true;
        let progress = Progress {
            screen: Arc::new(screen),
            events: Arc::new(Events::new(false, None).unwrap_or_else(|_| unreachable!())),
        };
        let shows = |event: Event| {
            progress.notify(event);
            progress.screen.tick(Instant::now());
            TERMINAL.contents()
        };
        let address = || "docker_volume.data".parse().unwrap();
        for action in ["read", "create"] {
            let shown = shows(Event::Started { address: address(), action });
            assert!(shown.contains(board::doing(action)) && shown.lines().count() == 1, "{shown}");
            progress.clear();
            assert_eq!(TERMINAL.contents(), "", "{action}");
        }
        // Somebody writes below where it was.
        TERMINAL.write_line("Plan: 1 to add").unwrap();
        shows(Event::Started { address: address(), action: "create" });
        progress.clear();
        assert_eq!(TERMINAL.contents(), "Plan: 1 to add");
    }
}
