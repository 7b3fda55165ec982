//! When a certificate is to be made anew.

/// A certificate that ends sooner is replaced.
pub const KEEP_DAYS: u64 = 30;
/// How long a new one lasts.
pub(crate) const DAYS: u32 = 365;

const DAY_MS: u64 = 24 * 3600 * 1000;

/// Whether a certificate that ends then is to be replaced now.
pub fn is_due(not_after_ms: u64, now_ms: u64) -> bool {
    not_after_ms < now_ms + KEEP_DAYS * DAY_MS
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
