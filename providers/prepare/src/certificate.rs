//! When a certificate is to be made anew.

use bimetal_provider::{Json, Plan, capability};

use crate::instant::parse;

/// A certificate that ends sooner is replaced.
pub const KEEP_DAYS: u64 = 30;
/// How long a new one lasts.
pub(crate) const DAYS: u32 = 365;

const DAY_MS: u64 = 24 * 3600 * 1000;

/// Whether a certificate that ends then is to be replaced now.
pub fn is_due(not_after_ms: u64, now_ms: u64) -> bool {
    not_after_ms < now_ms + KEEP_DAYS * DAY_MS
}

/// Plans `certificate_not_after`: a certificate that is due is made anew; where there is none there is none.
pub fn plan_certificate(plan: &mut Plan) {
    match plan.value("engine_access").as_str() {
        Some("mtls") if plan.is_new() || plan.changes("engine_access") => plan.unknown("certificate_not_after"),
        Some("mtls") => {
            let not_after = plan.prior("certificate_not_after").as_str().and_then(parse);
            if not_after.is_none_or(|not_after_ms| is_due(not_after_ms, capability::now_ms())) {
                plan.unknown("certificate_not_after");
            }
        }
        _ if plan.value("engine_access").is_object() => plan.unknown("certificate_not_after"),
        _ => plan.set("certificate_not_after", Json::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_replaced_a_month_before_it_ends() {
        assert!(is_due(29 * DAY_MS, 0));
        assert!(!is_due(31 * DAY_MS, 0));
        assert!(is_due(0, DAY_MS));
    }
}
