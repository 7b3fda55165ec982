//! Sizes as people write them.

/// `64MB` is 64 000 000 bytes, `64MiB` and Docker's `64m` are 67 108 864; without a unit it is bytes.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor: u64 = match unit.trim() {
        "" | "b" | "B" => 1,
        "k" | "K" | "KiB" | "Ki" => 1 << 10,
        "m" | "M" | "MiB" | "Mi" => 1 << 20,
        "g" | "G" | "GiB" | "Gi" => 1 << 30,
        "t" | "T" | "TiB" | "Ti" => 1 << 40,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return None,
    };
    scaled(number, factor)
}

fn scaled(number: &str, factor: u64) -> Option<u64> {
    match number.split_once('.') {
        None => number.parse::<u64>().ok()?.checked_mul(factor),
        Some((whole, fraction)) if !fraction.is_empty() && fraction.len() <= 9 => {
            let scale = 10u128.pow(fraction.len() as u32);
            let digits = format!("{whole}{fraction}").parse::<u128>().ok()?;
            u64::try_from(digits.checked_mul(u128::from(factor))? / scale).ok()
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, size) in [
            ("64MB", 64_000_000),
            ("64MiB", 64 << 20),
            ("512m", 512 << 20),
            ("1GiB", 1 << 30),
            ("1.5 GiB", 3 << 29),
            ("100", 100),
        ] {
            assert_eq!(bytes(text), Some(size), "{text}");
        }
        for text in ["", "MB", "1.", "x", "1XB", "99999999999999999999", "-1", "1.2.3"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
