//! Many names or values in few words, with none of them lost: `replica[0…97]`, `"10.0.0.11" … "10.0.0.60"`.

use bimetal_model::{Address, Key, ModulePath};

/// Runs shorter than this are written out.
const SHORTEST_RUN: usize = 3;

/// Where the addresses of a group differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Module,
    Instance,
    Replica,
}

/// The last key of an address.
pub(super) fn place(address: &Address) -> Option<Place> {
    let in_module = || address.module.steps().last().and_then(|step| step.key.as_ref());
    match (&address.replica, &address.key) {
        (Some(_), _) => Some(Place::Replica),
        (None, Some(_)) => Some(Place::Instance),
        (None, None) => in_module().map(|_| Place::Module),
    }
}

/// The address without its last key: alike in all of a group.
pub(super) fn skeleton(address: &Address) -> Address {
    match place(address) {
        Some(Place::Replica) => address.service(),
        Some(Place::Instance) => address.with(|parts| parts.key = None),
        Some(Place::Module) => address.within(&with_last(&address.module, None)),
        None => address.clone(),
    }
}

fn with_last(path: &ModulePath, key: Option<Key>) -> ModulePath {
    path.split_last().map_or(ModulePath::ROOT, |(outer, last)| outer.then(&last.name, key))
}

fn key(address: &Address) -> Option<&Key> {
    match place(address)? {
        Place::Replica => address.replica.as_ref(),
        Place::Instance => address.key.as_ref(),
        Place::Module => address.module.steps().last()?.key.as_ref(),
    }
}

/// Addresses of one skeleton and place, in their order, as one: `service.web.replica[0…97]`.
pub(super) fn addresses(all: &[&Address]) -> String {
    let Some((first, true)) = all.first().map(|first| (*first, all.len() > 1)) else {
        return all.first().map(ToString::to_string).unwrap_or_default();
    };
    let keys = keys(all);
    // The key stands where a key of our own stands that nobody else can have.
    let mark = Key::Name("\u{0}".to_owned());
    let marked = match place(first) {
        Some(Place::Replica) => first.with(|parts| parts.replica = Some(mark.clone())),
        Some(Place::Instance) => first.with(|parts| parts.key = Some(mark.clone())),
        Some(Place::Module) => first.within(&with_last(&first.module, Some(mark.clone()))),
        None => return first.to_string(),
    };
    marked.to_string().replacen(&mark.to_string(), &format!("[{keys}]"), 1)
}

/// What differs in addresses of one skeleton: `0…97`.
pub(super) fn keys(all: &[&Address]) -> String {
    let texts: Vec<String> = all
        .iter()
        .filter_map(|address| key(address))
        .map(|key| {
            let text = key.to_string();
            text[1..text.len() - 1].to_owned()
        })
        .collect();
    runs(&texts, "…").join(", ")
}

/// Texts in their order; where numbers in them go up in even steps, the first and the last: `"a-0" … "a-9"`.
pub(super) fn texts(all: &[String]) -> Vec<String> {
    runs(all, " … ")
}

fn runs(all: &[String], between: &str) -> Vec<String> {
    let (mut parts, mut rest) = (Vec::new(), all);
    while let Some(first) = rest.first() {
        let (length, step) = run(rest);
        match (length >= SHORTEST_RUN, step) {
            (true, 1) => parts.push(format!("{first}{between}{}", rest[length - 1])),
            (true, _) => parts.push(format!("{first}, {}, …, {}", rest[1], rest[length - 1])),
            (false, _) => {
                parts.push(first.clone());
                rest = &rest[1..];
                continue;
            }
        }
        rest = &rest[length..];
    }
    parts
}

/// How many of the first texts count up, and in which steps.
fn run(texts: &[String]) -> (usize, u64) {
    let numbered = |text: &String| {
        numbered(text).map(|(before, number, width, after)| (before.to_owned(), number, width, after.to_owned()))
    };
    let (Some(first), Some(second)) = (texts.first().and_then(numbered), texts.get(1).and_then(numbered)) else {
        return (1, 0);
    };
    let Some(step) = second.1.checked_sub(first.1).filter(|step| *step > 0) else { return (1, 0) };
    let goes_on = |(place, text): (usize, &String)| {
        let wanted = (place as u64).checked_mul(step).and_then(|distance| first.1.checked_add(distance));
        numbered(text).is_some_and(|(before, number, width, after)| {
            // `9` and `10` are no less a run than `09` and `10`.
            let same_width = width == first.2 || !(first_has_zero(&texts[0]) || first_has_zero(text));
            (&before, Some(number), &after) == (&first.0, wanted, &first.3) && same_width
        })
    };
    (texts.iter().enumerate().take_while(|one| goes_on(*one)).count(), step)
}

fn first_has_zero(text: &str) -> bool {
    numbered(text).is_some_and(|(_, number, width, _)| number.to_string().len() != width)
}

/// The last number in a text, how many digits it is written with, and what is around it.
fn numbered(text: &str) -> Option<(&str, u64, usize, &str)> {
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = text[..end]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    Some((&text[..start], text[start..end].parse().ok()?, end - start, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(all: &[&str]) -> String {
        let all: Vec<Address> = all.iter().map(|text| text.parse().unwrap()).collect();
        addresses(&all.iter().collect::<Vec<_>>())
    }

    #[test]
    fn many_addresses_are_one() {
        assert_eq!(check(&["machine.docker.a"]), "machine.docker.a");
        let replicas: Vec<String> = (0..98).map(|n| format!("service.web.replica[{n}]")).collect();
        assert_eq!(check(&replicas.iter().map(String::as_str).collect::<Vec<_>>()), "service.web.replica[0…97]");
        assert_eq!(check(&["docker_volume.v[0]", "docker_volume.v[1]"]), "docker_volume.v[0, 1]");
        let boards = ["9", "10", "11", "13"].map(|n| format!("machine.baremetal.rack[\"n-{n}\"]"));
        assert_eq!(check(&boards.each_ref().map(String::as_str)), "machine.baremetal.rack[\"n-9\"…\"n-11\", \"n-13\"]");
        assert_eq!(
            check(&["module.m[\"x\"].docker_volume.v", "module.m[\"y\"].docker_volume.v"]),
            "module.m[\"x\", \"y\"].docker_volume.v"
        );
    }

    #[test]
    fn values_that_count_up_are_a_range() {
        let check = |all: &[&str]| texts(&all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).join(", ");
        assert_eq!(
            check(&["\"10.0.0.1\"", "\"10.0.0.2\"", "\"10.0.0.3\"", "\"10.0.0.9\""]),
            "\"10.0.0.1\" … \"10.0.0.3\", \"10.0.0.9\""
        );
        assert_eq!(check(&["0", "2", "4", "6"]), "0, 2, …, 6");
        assert_eq!(check(&["a08", "a09", "a10"]), "a08 … a10");
        assert_eq!(check(&["a8", "a09", "a10"]), "a8, a09, a10");
        assert_eq!(check(&["3", "2", "1", "x"]), "3, 2, 1, x");
        assert_eq!(check(&["99999999999999999999", "ä1", "ä2", "ä3"]), "99999999999999999999, ä1 … ä3");
    }
}
