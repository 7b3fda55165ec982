//! The nearest name, for who mistyped one.

/// `did you mean …?`, where something is near enough.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let distance = |name: &&str| strsim::damerau_levenshtein(given, name);
    // Any letter is one change away from any other.
    let is_alike = |name: &&str| !is_letter(given) || !is_letter(name) || last(given).eq_ignore_ascii_case(last(name));
    let best = known
        .into_iter()
        .filter(|name| distance(name) <= 1 + given.len() / 4 && is_alike(name))
        .min_by_key(distance)?;
    Some(format!("did you mean `{best}`?"))
}

/// Whether the last part of a name is one letter.
fn is_letter(name: &str) -> bool {
    last(name).chars().count() == 1
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

/// The nearest name, or all that there are.
pub fn nearest_or_all<'a>(given: &str, known: impl IntoIterator<Item = &'a str> + Clone, what: &str) -> String {
    nearest(given, known.clone()).unwrap_or_else(|| {
        let all: Vec<String> = known.into_iter().map(|name| format!("`{name}`")).collect();
        match &all[..] {
            [] => format!("there is no {what} at all"),
            [only] => format!("there is only {only}"),
            _ => format!("there are {}", all.join(", ")),
        }
    })
}
