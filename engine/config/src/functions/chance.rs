//! What is decided once something is done: the time, and what nobody can guess. Until then it is unknown.
//!
//! Nothing here asks a clock or a die: both come in with the scope, once for a run. The same call in the same instance gives the
//! same answer again, so that all that is made in a run agrees.

use bcrypt::Version;
use bimetal_model::{Type, Value};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{Arguments, Error, Function, Result, deep, number, text};
use crate::evaluate::Acting;

/// Source: Go's `bcrypt.DefaultCost`, which stands in for all that is less than its `MinCost`, too.
const COST: u32 = 10;
const LEAST_COST: i64 = 4;
const MOST_COST: u32 = 31;

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("plantimestamp", [], Type::String, |a| {
            a.scope.moment.planned_ms.map_or_else(|| Ok(Value::unknown(Type::String).not_null()), time)
        }),
        deep("timestamp", [], Type::String, |a| acting(&a, |acting| time(acting.now_ms))),
        deep("uuid", [], Type::String, |a| acting(&a, |acting| Ok(uuid(first_16(chance(&a, acting))).into()))),
        deep("bcrypt", [text()], Type::String, hashed).and_more(number()),
    ]
}

fn hashed(arguments: Arguments<'_>) -> Result {
    if arguments.len() > 2 {
        return Err(Error::new(format!("`bcrypt` takes 1 to 2 arguments, here are {}", arguments.len())));
    }
    let cost = if arguments.len() > 1 { arguments.whole(1)? } else { COST.into() };
    let cost = if cost < LEAST_COST { Ok(COST) } else { u32::try_from(cost) };
    let Some(cost) = cost.ok().filter(|cost| *cost <= MOST_COST) else {
        return Err(Error::new(format!("a cost is {LEAST_COST} to {MOST_COST}")));
    };
    let text = arguments.text(0);
    if text.len() > 72 {
        return Err(Error::new("bcrypt takes at most 72 bytes"));
    }
    acting(&arguments, |acting| {
        let hashed = bcrypt::hash_with_salt(text.as_bytes(), cost, first_16(chance(&arguments, acting)));
        let hashed = hashed.map_err(|error| Error::new(error.to_string()))?;
        Ok(hashed.format_for_version(Version::TwoA).into())
    })
}

fn acting(arguments: &Arguments<'_>, work: impl FnOnce(&Acting) -> Result) -> Result {
    arguments.scope.moment.acting.as_ref().map_or_else(|| Ok(Value::unknown(Type::String).not_null()), work)
}

fn time(milliseconds: u64) -> Result {
    let second = i64::try_from(milliseconds / 1000).ok().and_then(|second| Timestamp::from_second(second).ok());
    second.map(|time| time.to_string().into()).ok_or_else(|| Error::new("the clock is wrong".to_owned()))
}

/// As if it were thrown for this call in this instance in this run.
fn chance(arguments: &Arguments<'_>, acting: &Acting) -> [u8; 32] {
    Sha256::digest(format!("{} {}", acting.seed, (arguments.site)())).into()
}

fn first_16([bytes @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _]: [u8; 32]) -> [u8; 16] {
    bytes
}

/// Source: RFC 9562, version 4.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = super::encoding::hexadecimal(&bytes);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}
