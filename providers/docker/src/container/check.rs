//! What is wrong with a container before anybody is asked.

use bimetal_provider::{Diagnostic, Result};

use super::{Container, Health, Mount, Port};
use crate::name;
use crate::stamp::{IMAGE, INTENT};

/// Engines refuse a smaller one.
const LEAST_MEMORY: u64 = 6 << 20;
const POLICIES: [&str; 4] = ["no", "on-failure", "always", "unless-stopped"];

pub(super) fn check(container: &Container) -> Vec<Diagnostic> {
    let mut wrong = Vec::from_iter(name::check("container", &container.name));
    if let Some(word) = container.restart.as_deref().filter(|word| !POLICIES.contains(word)) {
        let error = Diagnostic::error(format!("`{word}` is no restart policy")).at("restart");
        wrong.push(error.hint("there are `no`, `on-failure`, `always` and `unless-stopped`"));
    }
    if container.memory.is_some_and(|memory| memory < LEAST_MEMORY) {
        wrong.push(Diagnostic::error("a container needs at least 6 MiB of memory").at("memory"));
    }
    if container.cpus.is_some_and(|cpus| cpus <= 0.0) {
        wrong.push(Diagnostic::error("a container needs some of a processor").at("cpus"));
    }
    for key in
        container.labels.iter().flatten().map(|(key, _)| key).filter(|key| [INTENT, IMAGE].contains(&key.as_str()))
    {
        wrong.push(Diagnostic::error(format!("the label `{key}` is Bimetal's own")).at("labels").key(key));
    }
    wrong.extend(container.port.iter().enumerate().flat_map(port));
    wrong.extend(container.volume.iter().enumerate().filter_map(mount));
    wrong.extend(container.health.iter().flat_map(health));
    wrong
}

fn port((place, port): (usize, &Port)) -> Vec<Diagnostic> {
    let at = |summary: String, name: &str| Diagnostic::error(summary).at("port").index(place).at(name);
    let protocol = port.protocol.iter().filter(|word| !["tcp", "udp", "sctp"].contains(&word.as_str()));
    let protocol =
        protocol.map(|word| at(format!("`{word}` is no protocol: there are `tcp`, `udp` and `sctp`"), "protocol"));
    let zero = (port.container == 0).then(|| at("there is no port 0".to_owned(), "container"));
    protocol.chain(zero).collect()
}

fn mount((place, mount): (usize, &Mount)) -> Option<Diagnostic> {
    let error = || Diagnostic::error(format!("`{}` is no path in a container", mount.target));
    (!mount.target.starts_with('/')).then(|| error().at("volume").index(place).at("target"))
}

fn health(health: &Health) -> Vec<Diagnostic> {
    let durations =
        [("interval", &health.interval), ("timeout", &health.timeout), ("start_period", &health.start_period)];
    let durations = durations
        .into_iter()
        .filter_map(|(name, text)| nanoseconds(text.as_deref()?).err().map(|error| error.at("health").at(name)));
    let empty = health.command.is_empty().then(|| Diagnostic::error("there is no command").at("health").at("command"));
    durations.chain(empty).collect()
}

/// `10s`, `1m30s`, `500ms`
pub(super) fn nanoseconds(text: &str) -> Result<u64> {
    let wrong = || Diagnostic::error(format!("`{text}` is no duration")).hint("write `10s`, `1m30s` or `500ms`");
    let (mut total, mut rest) = (0u64, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |end| digits + end);
        let unit = match &rest[digits..unit_end] {
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err(wrong()),
        };
        total = number.checked_mul(unit).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        rest = &rest[unit_end..];
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}
