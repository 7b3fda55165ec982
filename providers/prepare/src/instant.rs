//! Milliseconds since 1970 as people write them: `2027-01-31T12:00:00Z`.

const DAY: u64 = 24 * 3600;

/// To the second, in UTC.
pub fn format(ms: u64) -> String {
    let seconds = ms / 1000;
    let (year, month, day) = date(seconds / DAY);
    let rest = seconds % DAY;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// `None`: it is not written so, or lies before 1970.
pub fn parse(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers =
        |text: &str, by: char| text.split(by).map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
    let whole = time.split('.').next()?;
    let (date, time) = (numbers(date, '-')?, numbers(whole, ':')?);
    let ([year, month, day], [hours, minutes, seconds]) = (date[..].try_into().ok()?, time[..].try_into().ok()?);
    Some((days(year, month, day)? * DAY + hours * 3600 + minutes * 60 + seconds) * 1000)
}

/// Years begin in March here, so that leap days come last.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let is_date = (1970..10_000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    is_date.then(|| year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468)
}

fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_and_read() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_583_020_799_000, "2020-02-29T23:59:59Z"),
            (4_102_444_800_000, "2100-01-01T00:00:00Z"),
        ] {
            assert_eq!(format(ms), text);
            assert_eq!(parse(text), Some(ms));
        }
        assert_eq!(parse("2020-07-21T18:37:44.447Z"), Some(1_595_356_664_000));
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for text in [
            "",
            "2020-07-21",
            "2020-07-21T18:37:44+02:00",
            "2020-13-01T00:00:00Z",
            "1969-01-01T00:00:00Z",
            "yesterdayZ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
