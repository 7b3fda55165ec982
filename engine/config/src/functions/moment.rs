//! Points in time, of any year.
//!
//! Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March there, and repeat after 400.

const DAY: i64 = 86_400;

/// A point in time, and how clocks show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// What clocks show, in seconds since the beginning of 1970.
    shown: i64,
    pub(super) nanosecond: u32,
    /// How many seconds clocks are ahead of those of Greenwich.
    pub(super) offset: i64,
}

/// What a calendar shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: i64,
    /// From 1.
    pub(super) day: i64,
}

impl Moment {
    /// `None` where there is no such day or no such time of it. An hour, a minute, a second.
    pub(super) fn new(date: Date, time: [i64; 3], nanosecond: u32, offset: i64) -> Option<Moment> {
        let [hour, minute, second] = time;
        let exists = (1..=12).contains(&date.month)
            && (1..=days_of_month(date)).contains(&date.day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second);
        let shown = days_since_1970(date) * DAY + hour * 3600 + minute * 60 + second;
        exists.then_some(Moment { shown, nanosecond, offset })
    }

    /// So many nanoseconds later.
    pub(super) fn plus(self, nanoseconds: i64) -> Moment {
        let total = i128::from(self.nanosecond) + i128::from(nanoseconds);
        let (seconds, nanosecond) = (total.div_euclid(1_000_000_000), total.rem_euclid(1_000_000_000));
        let shown = self.shown + i64::try_from(seconds).unwrap_or(0);
        Moment { shown, nanosecond: u32::try_from(nanosecond).unwrap_or(0), ..self }
    }

    /// Those that are earlier are less, whatever clocks show.
    pub(super) fn instant(self) -> (i64, u32) {
        (self.shown - self.offset, self.nanosecond)
    }

    pub(super) fn date(self) -> Date {
        date_of(self.shown.div_euclid(DAY))
    }

    /// Hour, minute, second.
    pub(super) fn time(self) -> [i64; 3] {
        let second = self.shown.rem_euclid(DAY);
        [second / 3600, second / 60 % 60, second % 60]
    }

    /// From 0, which is Monday.
    pub(super) fn weekday(self) -> i64 {
        // The first of January 1970 was a Thursday.
        (self.shown.div_euclid(DAY) + 3).rem_euclid(7)
    }
}

fn days_of_month(Date { year, month, .. }: Date) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(Date { year, month, day }: Date) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

fn date_of(days: i64) -> Date {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    Date { year: era * 400 + year + i64::from(month <= 2), month, day }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_leap_years_and_ages() {
        for days in [-719_528, -1, 0, 58, 59, 11_016, 19_782, 2_932_896] {
            assert_eq!(days_since_1970(date_of(days)), days);
        }
        assert_eq!(date_of(19_782), Date { year: 2024, month: 2, day: 29 });
        assert_eq!(date_of(-719_528), Date { year: 0, month: 1, day: 1 });
    }

    #[test]
    fn there_are_only_the_days_that_there_are() {
        let at = |year, month, day| Moment::new(Date { year, month, day }, [0; 3], 0, 0);
        assert!(at(2024, 2, 29).is_some() && at(2000, 2, 29).is_some() && at(0, 2, 29).is_some());
        assert!(at(2023, 2, 29).is_none() && at(1900, 2, 29).is_none() && at(2023, 13, 1).is_none());
        assert_eq!(at(1970, 1, 1).unwrap().weekday(), 3);
        assert_eq!(at(1969, 12, 28).unwrap().weekday(), 6);
    }
}
