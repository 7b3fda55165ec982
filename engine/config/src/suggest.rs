//! The nearest name, for who mistyped one.

/// Among more names than these nobody looks: where there are very many, there may be as many who mistyped one.
const MOST_SOUGHT: usize = 1000;

/// `did you mean …?`, where something is near enough, and no more than a thousand are known.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let some: Vec<&str> = known.into_iter().take(MOST_SOUGHT + 1).collect();
    if some.len() > MOST_SOUGHT { None } else { nearest_of_all(given, some) }
}

/// As [`nearest`], however many are known.
pub(crate) fn nearest_of_all<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let most = 1 + given.len() / 4;
    let distance = |name: &&str| strsim::damerau_levenshtein(given, name);
    let letters = Letters::of(given);
    let may_be_near = |name: &&str| name.len().abs_diff(given.len()) <= 4 * most && letters.distance(name) <= most;
    // Any letter is one change away from any other.
    let is_alike = |name: &&str| !is_letter(given) || !is_letter(name) || last(given).eq_ignore_ascii_case(last(name));
    let best = known
        .into_iter()
        .filter(|name| may_be_near(name) && distance(name) <= most && is_alike(name))
        .min_by_key(distance)?;
    Some(format!("did you mean `{best}`?"))
}

/// How often each letter occurs: that alone tells most names apart, of which there may be very many.
struct Letters {
    counts: [u32; 64],
    all: usize,
}

impl Letters {
    fn of(text: &str) -> Letters {
        let mut letters = Letters { counts: [0; 64], all: 0 };
        for letter in text.chars() {
            letters.counts[letter as usize % 64] += 1;
            letters.all += 1;
        }
        letters
    }

    /// No change of one letter brings two texts nearer by more than 1.
    fn distance(&self, other: &str) -> usize {
        let mut left = self.counts;
        let (mut all, mut common) = (0, 0);
        for letter in other.chars() {
            all += 1;
            let count = &mut left[letter as usize % 64];
            if *count > 0 {
                *count -= 1;
                common += 1;
            }
        }
        self.all.max(all) - common
    }
}

/// Whether the last part of a name is one letter.
fn is_letter(name: &str) -> bool {
    last(name).chars().count() == 1
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

/// More names nobody reads.
const MOST_NAMES: usize = 20;

/// The nearest name, or all that there are, unless there are very many.
pub fn nearest_or_all<'a>(given: &str, known: impl IntoIterator<Item = &'a str> + Clone, what: &str) -> String {
    nearest(given, known.clone()).unwrap_or_else(|| all_of(known, what))
}

pub(crate) fn all_of<'a>(known: impl IntoIterator<Item = &'a str>, what: &str) -> String {
    let mut known = known.into_iter();
    let some: Vec<String> = known.by_ref().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    match (&some[..], known.take(MOST_SOUGHT).count()) {
        ([], _) => format!("there is no {what} at all"),
        ([only], _) => format!("there is only {only}"),
        (some, 0) => format!("there are {}", some.join(", ")),
        (some, MOST_SOUGHT) => format!("there are {} and very many more", some.join(", ")),
        (some, more) => format!("there are {} and {more} more", some.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_put_right() {
        let nearest = |given, known: &[&str]| nearest(given, known.iter().copied());
        assert_eq!(
            nearest("local.colour", &["local.size", "local.color"]).as_deref(),
            Some("did you mean `local.color`?")
        );
        assert_eq!(nearest("naem", &["name"]).as_deref(), Some("did you mean `name`?"));
        assert_eq!(nearest("größe", &["grösse"]).as_deref(), Some("did you mean `grösse`?"));
        assert_eq!(nearest("engine", &["labels", "a", ""]), None);
    }

    #[test]
    fn of_very_many_names_some_are_told() {
        let names: Vec<String> = (0..30).map(|at| format!("name_{at}")).collect();
        let told = nearest_or_all("xxxxxxx", names.iter().map(String::as_str), "local");
        assert!(
            told.starts_with("there are `name_0`, `name_1`, ") && told.ends_with("`name_19` and 10 more"),
            "{told}"
        );
        let names: Vec<String> = (0..2000).map(|at| format!("name_{at}")).collect();
        let known = || names.iter().map(String::as_str);
        let told = nearest_or_all("name_0x", known(), "local");
        assert!(told.ends_with("`name_19` and very many more"), "{told}");
        assert_eq!(nearest_of_all("nmae_1999", known()).as_deref(), Some("did you mean `name_1999`?"));
    }
}
