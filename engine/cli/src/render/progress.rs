//! What happens while something runs: a line for each effect, and on a terminal a line for each that is under way.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bimetal_model::Address;
use bimetal_model::event::{Event, Notify};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::style::{ADD, BOLD, FAINT, REMOVE, paint};

/// Draws events on standard error.
pub(crate) struct Progress {
    bars: MultiProgress,
    running: Mutex<BTreeMap<Address, Running>>,
    busy: Mutex<Option<ProgressBar>>,
    live: bool,
    /// Reading is worth a line only while it lasts.
    json: bool,
}

struct Running {
    since: Instant,
    bar: ProgressBar,
    said: String,
}

impl Progress {
    /// On a terminal lines that move; elsewhere plain ones; with `json` one JSON object a line.
    pub(crate) fn new(json: bool) -> Self {
        let live = std::io::stderr().is_terminal() && !json;
        Progress { bars: MultiProgress::new(), running: Mutex::default(), busy: Mutex::default(), live, json }
    }

    /// Something takes its time: said only where it goes away again.
    pub(crate) fn wait_for(&self, message: String) {
        if self.live {
            self.busy(message);
        }
    }

    /// Takes away what moves.
    pub(crate) fn clear(&self) {
        lock(&self.busy).take();
        lock(&self.running).clear();
        let _ = self.bars.clear();
    }

    fn line(&self, text: String) {
        // What moves makes way; the stream decides about colours.
        match self.live {
            true => self.bars.suspend(|| anstream::eprintln!("{text}")),
            false => anstream::eprintln!("{text}"),
        }
    }

    fn bar(&self, message: String) -> ProgressBar {
        if !self.live {
            return ProgressBar::hidden();
        }
        let bar = self.bars.add(ProgressBar::new_spinner());
        bar.set_style(
            ProgressStyle::with_template("{spinner} {wide_msg} {elapsed:>4}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.set_message(message);
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    fn started(&self, address: Address, action: &'static str) {
        if action == "read" && !self.live {
            return;
        }
        let bar = self.bar(format!("{address}: {}", doing(action)));
        if !self.live {
            self.line(format!("{}: {} …", paint(BOLD, &address), doing(action)));
        }
        lock(&self.running).insert(address, Running { since: Instant::now(), bar, said: String::new() });
    }

    fn progress(&self, address: Address, message: String, share: Option<(u64, u64)>) {
        let text = match share {
            Some((done, total)) if total > 0 => format!("{message} {}%", done.min(total) * 100 / total),
            _ => message.clone(),
        };
        let mut running = lock(&self.running);
        let Some(entry) = running.get_mut(&address) else { return };
        entry.bar.set_message(format!("{address}: {text}"));
        let is_new = entry.said != message;
        entry.said = message;
        drop(running);
        if is_new && !self.live {
            self.line(format!("{}: {text}", paint(BOLD, &address)));
        }
    }

    /// How long it took; empty for what was never announced.
    fn ended(&self, address: &Address) -> Option<String> {
        let entry = lock(&self.running).remove(address)?;
        entry.bar.finish_and_clear();
        Some(seconds(entry.since.elapsed()))
    }

    fn busy(&self, message: String) {
        let mut busy = lock(&self.busy);
        match (&*busy, self.live) {
            (_, false) => self.line(paint(FAINT, message)),
            (Some(bar), true) => bar.set_message(message),
            (None, true) => *busy = Some(self.bar(message)),
        }
    }
}

impl Notify for Progress {
    fn notify(&self, event: Event) {
        if self.json {
            if let Ok(line) = serde_json::to_string(&event) {
                eprintln!("{line}");
            }
            return;
        }
        match event {
            Event::Started { address, action } => self.started(address, action),
            Event::Progress { address, message, done, total } => self.progress(address, message, done.zip(total)),
            Event::Finished { address, action } => {
                let took = self.ended(&address);
                if let (Some(took), false) = (took, action == "read") {
                    self.line(format!("{}: {} after {took}", paint(BOLD, &address), paint(ADD, done(action))));
                }
            }
            Event::Failed { address, action, .. } => {
                let took = self.ended(&address).map_or_else(String::new, |took| format!(" after {took}"));
                self.line(format!("{}: {}{took}", paint(BOLD, &address), paint(REMOVE, format!("{action} failed"))));
            }
            Event::Skipped { address, because } => {
                self.line(format!("{}: {}, because {because} failed", paint(BOLD, &address), paint(FAINT, "skipped")));
            }
            Event::Busy { message } => self.busy(message),
        }
    }
}

fn doing(action: &str) -> &'static str {
    match action {
        "create" => "creating",
        "update" => "changing",
        "delete" => "destroying",
        "read" => "reading",
        _ => "working",
    }
}

fn done(action: &str) -> &'static str {
    match action {
        "create" => "created",
        "update" => "changed",
        "delete" => "destroyed",
        "read" => "read",
        _ => "done",
    }
}

fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1}s", duration.as_secs_f64()),
        whole @ 10..60 => format!("{whole}s"),
        whole => format!("{}m{:02}s", whole / 60, whole % 60),
    }
}

/// A panic of another thread while it drew does not make the drawing unusable.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
