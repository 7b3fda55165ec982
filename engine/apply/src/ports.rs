//! What the world is reached through.

use std::time::Duration;

use bimetal_model::event::Notify;
use bimetal_model::port::{Edge, Lend, Operate, Predict, Remember};

use crate::CrashPoint;

/// What the world is reached through.
pub struct Ports<'a> {
    /// Plans again with real values.
    pub predict: &'a dyn Predict,
    /// Does effects.
    pub operate: &'a dyn Operate,
    /// Opens what is ephemeral.
    pub lend: &'a dyn Lend,
    /// Keeps intents and outcomes.
    pub remember: &'a dyn Remember,
    /// For new ids.
    pub edge: &'a dyn Edge,
    /// Hears what happens.
    pub notify: &'a dyn Notify,
    /// How many objects are worked on at the same time; at least 1.
    pub parallelism: usize,
    /// For tests: told each moment at which a crash would be interesting.
    pub crash: Option<&'a (dyn Fn(CrashPoint) + Send + Sync)>,
}

impl Ports<'_> {
    /// How many objects are worked on at the same time, unless somebody says otherwise.
    pub const PARALLELISM: usize = 64;

    /// How long a provider may say that an object is not ready yet.
    pub(crate) const PATIENCE: Duration = Duration::from_secs(20 * 60);

    /// `count` objects are at this point.
    pub(crate) fn pass(&self, point: CrashPoint, count: usize) {
        if let Some(crash) = self.crash {
            (0..count).for_each(|_| crash(point));
        }
    }
}
