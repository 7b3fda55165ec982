//! What a size's slug says of it: <https://docs.digitalocean.com/reference/api/reference/sizes/>.

/// Processors, and memory in bytes; `None`: the slug does not say both.
pub(super) fn parse(slug: &str) -> Option<(u64, u64)> {
    let mut parts = slug.split('-').skip(1);
    let cpus = parts.next()?.strip_suffix("vcpu")?.parse().ok()?;
    let memory = parts.next()?;
    let bytes = match (memory.strip_suffix("gb"), memory.strip_suffix("mb")) {
        (Some(gibibytes), _) => gibibytes.parse::<u64>().ok()?.checked_mul(1 << 30)?,
        (None, Some(mebibytes)) => mebibytes.parse::<u64>().ok()?.checked_mul(1 << 20)?,
        (None, None) => return None,
    };
    Some((cpus, bytes))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn slugs_say_what_they_say() {
        assert_eq!(parse("s-1vcpu-1gb"), Some((1, 1 << 30)));
        assert_eq!(parse("s-1vcpu-512mb-10gb"), Some((1, 512 << 20)));
        assert_eq!(parse("so1_5-32vcpu-256gb"), Some((32, 256 << 30)));
        assert_eq!(parse("c-4"), None);
        assert_eq!(parse("gpu-h100x1-80gb"), None);
        assert_eq!(parse(""), None);
    }
}
