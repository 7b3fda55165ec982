//! A lease on some of the state, for as long as something is done.

use std::time::Duration;

use bimetal_model::lease::{Lease, Scope};
use bimetal_model::port::{Remember as _, StateError};
use bimetal_state::State;
use tokio::time::Instant;

use crate::edge::holder;
use crate::failure::Failure;
use crate::output::say;

/// How often a lease is renewed; it lasts three times as long.
const EVERY: Duration = Duration::from_secs(20);

/// How often somebody who waits asks again.
const AGAIN: Duration = Duration::from_millis(500);

/// Does something with a lease that is kept until that ends. Waits so long for others to give back what clashes with it.
pub(crate) async fn holding<T>(
    store: &State,
    command: &str,
    scope: &Scope,
    patience: Duration,
    work: impl AsyncFnOnce(&Lease) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let lease = take(store, command, scope, patience).await?;
    let result = tokio::select! {
        result = work(&lease) => result,
        failure = renew(store, &lease) => Err(failure),
    };
    let given = store.unlock(lease).await;
    // What went wrong first tells more.
    let done = result?;
    given?;
    Ok(done)
}

async fn take(store: &State, command: &str, scope: &Scope, patience: Duration) -> Result<Lease, Failure> {
    let (end, mut said) = (Instant::now() + patience, false);
    loop {
        match store.lock(&holder(command), scope).await {
            Err(StateError::Locked(clash)) if Instant::now() < end => {
                if !std::mem::replace(&mut said, true) {
                    say(&format!("Waiting: {clash}.\n"));
                }
                tokio::time::sleep(AGAIN).await;
            }
            taken => return Ok(taken?),
        }
    }
}

/// Keeps the lease; ends only with a failure.
async fn renew(store: &State, lease: &Lease) -> Failure {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = store.renew(lease).await {
            return error.into();
        }
    }
}

/// `90s`, `5m`, `1h`; a number alone is of seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| "write it as `90s`, `5m` or `1h`".to_owned())?;
    let seconds = match &text[digits.len()..] {
        "" | "s" => number,
        "m" => number.saturating_mul(60),
        "h" => number.saturating_mul(3600),
        other => return Err(format!("`{other}` is no unit: there are `s`, `m` and `h`")),
    };
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let seconds = |text: &str| duration(text).map(|duration| duration.as_secs());
        assert_eq!((seconds("7"), seconds("90s"), seconds("5m"), seconds("2h")), (Ok(7), Ok(90), Ok(300), Ok(7200)));
        assert!(duration("").is_err() && duration("5d").is_err() && duration("s").is_err());
    }
}
