//! What runs and how far it is, as lines. Knows neither a terminal nor a clock: moments come in.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bimetal_model::Address;
use bimetal_model::event::Event;

/// Before so much time has passed nothing is said of what is left.
const TOO_EARLY: Duration = Duration::from_secs(5);
/// Before so many effects are over nothing is said of what is left.
const TOO_FEW: usize = 5;

/// What runs and how far it is.
#[derive(Default)]
pub(super) struct Board {
    running: BTreeMap<Address, Running>,
    /// Something that is no object's.
    busy: Option<(String, Instant)>,
    effects: Option<Effects>,
}

struct Running {
    since: Instant,
    action: &'static str,
    /// By its provider.
    message: Option<String>,
    share: Option<(u64, u64)>,
}

impl Running {
    fn doing(&self) -> String {
        let message = self.message.as_deref().unwrap_or(doing(self.action));
        match self.share {
            Some((done, total)) if total > 0 => format!("{message} {}%", done.min(total) * 100 / total),
            _ => message.to_owned(),
        }
    }
}

/// How many effects there are, and what became of them.
struct Effects {
    since: Instant,
    all: usize,
    done: usize,
    failed: usize,
    skipped: usize,
}

impl Board {
    /// Takes an event; where it ends something, answers how long that took.
    pub(super) fn take(&mut self, event: &Event, now: Instant) -> Option<Duration> {
        match event {
            Event::Begun { effects } => {
                self.busy = None;
                self.effects = Some(Effects { since: now, all: *effects, done: 0, failed: 0, skipped: 0 });
            }
            Event::Started { address, action } => {
                self.running.insert(address.clone(), Running { since: now, action, message: None, share: None });
            }
            Event::Progress { address, message, done, total } => {
                if let Some(running) = self.running.get_mut(address) {
                    running.message = Some(message.clone());
                    running.share = done.zip(*total);
                }
            }
            Event::Finished { address, .. } => return self.over(address, now, |effects| &mut effects.done),
            Event::Failed { address, .. } => return self.over(address, now, |effects| &mut effects.failed),
            Event::Deferred { address, .. } => return self.over(address, now, |effects| &mut effects.skipped),
            Event::Skipped { .. } => {
                if let Some(effects) = &mut self.effects {
                    effects.skipped += 1;
                }
            }
            Event::Busy { message } => self.busy = Some((message.clone(), now)),
            Event::Degraded { .. } => {}
        }
        None
    }

    fn over(&mut self, address: &Address, now: Instant, of: impl Fn(&mut Effects) -> &mut usize) -> Option<Duration> {
        if let Some(effects) = &mut self.effects {
            *of(effects) += 1;
        }
        let running = self.running.remove(address)?;
        Some(now.duration_since(running.since))
    }

    /// Whether a provider says something of an object that it did not say before.
    pub(super) fn is_news(&self, address: &Address, message: &str) -> bool {
        self.running.get(address).is_some_and(|running| running.message.as_deref() != Some(message))
    }

    /// How many actions run.
    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty() && self.busy.is_none()
    }

    /// Whether there are effects, so that silence is worth a word.
    pub(super) fn has_begun(&self) -> bool {
        self.effects.is_some()
    }

    pub(super) fn clear(&mut self) {
        *self = Board::default();
    }

    /// A line for each action, the longest first, and one of totals: as many as fit.
    pub(super) fn lines(&self, now: Instant, columns: usize, rows: usize) -> Vec<String> {
        let totals = self.totals(now);
        let busy = self.busy.iter().map(|(message, since)| line(message, now.duration_since(*since), columns));
        // One is left free, so that the screen does not roll.
        let room = rows.saturating_sub(1 + usize::from(totals.is_some()) + usize::from(self.busy.is_some())).max(1);
        let longest = self.longest();
        let shown = if longest.len() > room { room.saturating_sub(1) } else { longest.len() };
        let action = |(address, running): &(&Address, &Running)| {
            let text = format!("{address}: {}", running.doing());
            line(&text, now.duration_since(running.since), columns)
        };
        let rest = longest.len() - shown;
        let rest = (rest > 0).then(|| cut(&format!("  … and {rest} more"), columns));
        let lines = busy.chain(longest.iter().take(shown).map(action)).chain(rest);
        lines.chain(totals.map(|totals| cut(&totals, columns))).collect()
    }

    fn longest(&self) -> Vec<(&Address, &Running)> {
        let mut longest: Vec<_> = self.running.iter().collect();
        longest.sort_by_key(|(_, running)| running.since);
        longest
    }

    /// `12/98 done, 8 running, about 40 s left`
    pub(super) fn totals(&self, now: Instant) -> Option<String> {
        let effects = self.effects.as_ref()?;
        let mut parts = vec![format!("{}/{} done", effects.done, effects.all), format!("{} running", self.running())];
        parts.extend((effects.failed > 0).then(|| format!("{} failed", effects.failed)));
        parts.extend((effects.skipped > 0).then(|| format!("{} skipped", effects.skipped)));
        parts.extend(effects.left(now).map(|left| format!("about {} left", roughly(left))));
        Some(parts.join(", "))
    }

    /// For who has heard nothing for long: totals, and what takes longest.
    pub(super) fn heartbeat(&self, now: Instant) -> Option<String> {
        let totals = self.totals(now)?;
        let longest = self.longest();
        let (address, running) = longest.first()?;
        let took = super::seconds(now.duration_since(running.since));
        Some(format!("{totals}; {address}: {} for {took}", running.doing()))
    }
}

impl Effects {
    /// At the pace until now. `None`: that can't be known yet.
    fn left(&self, now: Instant) -> Option<Duration> {
        let (passed, over) = (now.duration_since(self.since), self.done + self.failed);
        let left = self.all.saturating_sub(over + self.skipped);
        if passed < TOO_EARLY || over < TOO_FEW || over * 10 < self.all || left == 0 {
            return None;
        }
        Some(passed.mul_f64(left as f64 / over as f64))
    }
}

/// The text, and at the end of the line how long it has been so.
fn line(text: &str, since: Duration, columns: usize) -> String {
    let took = super::seconds(since);
    let room = columns.saturating_sub(took.len() + 4);
    format!("  {:<room$} {took:>4}", cut(text, room))
}

fn cut(text: &str, columns: usize) -> String {
    match text.chars().count() > columns {
        true => text.chars().take(columns.saturating_sub(1)).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// Nobody knows it better than that.
fn roughly(left: Duration) -> String {
    match left.as_secs() {
        0..60 => format!("{} s", left.as_secs().div_ceil(5).max(1) * 5),
        seconds @ 60..3600 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3600)),
    }
}

/// What an action is called while it lasts.
pub(super) fn doing(action: &str) -> &'static str {
    match action {
        "create" => "creating",
        "update" => "changing",
        "delete" => "destroying",
        "read" => "reading",
        "open" => "opening",
        _ => "working",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(index: usize) -> Address {
        format!("service.web.replica[{index}]").parse().unwrap()
    }

    /// `running` of `all` begin, and `done` of them end after so many seconds each.
    fn board(all: usize, running: usize, start: Instant) -> Board {
        let mut board = Board::default();
        board.take(&Event::Begun { effects: all }, start);
        for index in 0..running {
            let since = start + Duration::from_secs(index as u64 % 3);
            board.take(&Event::Started { address: address(index), action: "create" }, since);
        }
        board
    }

    #[test]
    fn a_line_an_action_as_long_as_they_fit() {
        let start = Instant::now();
        let mut board = board(98, 8, start);
        let message = "pulling registry.example.org/a-rather-long-name/of-an-image:with-a-tag".to_owned();
        board.take(&Event::Progress { address: address(3), message, done: Some(1), total: Some(3) }, start);
        let lines = board.lines(start + Duration::from_secs(75), 60, 8).join("\n");
        insta::assert_snapshot!(lines, @r"
          service.web.replica[0]: creating                    1m15s
          service.web.replica[3]: pulling registry.example.o… 1m15s
          service.web.replica[6]: creating                    1m15s
          service.web.replica[1]: creating                    1m14s
          service.web.replica[4]: creating                    1m14s
          … and 3 more
        0/98 done, 8 running
        ");
        assert_eq!(board.lines(start, 60, 2).len(), 2, "on the smallest of screens");
    }

    #[test]
    fn what_is_left_is_said_once_it_can_be_known() {
        let start = Instant::now();
        let mut board = board(98, 20, start);
        let after = |seconds| start + Duration::from_secs(seconds);
        for index in 0..12 {
            assert!(!board.totals(after(9)).unwrap().contains("left"), "{index}");
            if index == 9 {
                break;
            }
            board.take(&Event::Finished { address: address(index), action: "create" }, after(9));
        }
        board.take(&Event::Finished { address: address(10), action: "create" }, after(10));
        board.take(&Event::Failed { address: address(11), action: "create", diagnostics: Vec::new() }, after(10));
        board.take(&Event::Skipped { address: address(90), because: address(11) }, after(10));
        let totals = board.totals(after(10)).unwrap();
        assert_eq!(totals, "10/98 done, 9 running, 1 failed, 1 skipped, about 2 min left");
        assert!(!board.totals(after(4)).unwrap().contains("left"), "too early");
    }

    #[test]
    fn nobody_says_more_than_they_know() {
        for (seconds, said) in [(1, "5 s"), (37, "40 s"), (61, "2 min"), (3599, "60 min"), (7201, "3 h")] {
            assert_eq!(roughly(Duration::from_secs(seconds)), said);
        }
    }
}
