//! The nearest name, for who mistyped one.

/// `did you mean …?`, where something is near enough.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let distance = |name: &&str| strsim::damerau_levenshtein(given, name);
    let best = known.into_iter().filter(|name| distance(name) <= 1 + given.len() / 4).min_by_key(distance)?;
    Some(format!("did you mean `{best}`?"))
}

/// The nearest name, or all that there are.
pub fn nearest_or_all<'a>(given: &str, known: impl IntoIterator<Item = &'a str> + Clone, what: &str) -> String {
    nearest(given, known.clone()).unwrap_or_else(|| {
        let all: Vec<String> = known.into_iter().map(|name| format!("`{name}`")).collect();
        match all.is_empty() {
            true => format!("there is no {what} at all"),
            false => format!("there are {}", all.join(", ")),
        }
    })
}
