//! The places where a test may kill the process.

/// A moment around an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// Nothing is promised yet.
    BeforeIntent,
    /// Promised, not done.
    AfterIntent,
    /// Done, not recorded.
    AfterEffect,
    /// Recorded.
    AfterOutcome,
}

impl CrashPoint {
    /// As the environment names it.
    pub fn name(self) -> &'static str {
        match self {
            CrashPoint::BeforeIntent => "before-intent",
            CrashPoint::AfterIntent => "after-intent",
            CrashPoint::AfterEffect => "after-effect",
            CrashPoint::AfterOutcome => "after-outcome",
        }
    }
}
