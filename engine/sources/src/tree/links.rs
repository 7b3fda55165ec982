//! Symbolic links: kept where they lead to somewhere inside, refused otherwise.

use super::Refusal;
use super::hash::Entries;
use super::limits::{HOPS, PATH_BYTES};

/// The text of a link, if it may be one at all.
pub(super) fn target<'t>(path: &str, target: &'t [u8]) -> Result<&'t str, Refusal> {
    let text = std::str::from_utf8(target).map_err(|_| Refusal::of(path, "is a link to a name that is no UTF-8"))?;
    match text {
        "" => Err(Refusal::of(path, "is a link to nothing")),
        _ if text.len() > PATH_BYTES => Err(Refusal::of(path, "is a link to a path that is too long")),
        _ if text.contains(['\0', '\\']) => {
            Err(Refusal::of(path, "is a link to a name with a zero byte or a backslash"))
        }
        _ if text.starts_with('/') => {
            Err(Refusal::of(path, format!("is a link to `{}`, outside", text.escape_debug())))
        }
        _ => Ok(text),
    }
}

/// That each link ends inside, also where it leads over others.
pub(super) fn check(entries: &Entries) -> Result<(), Refusal> {
    entries.links().try_for_each(|(path, target)| follow(entries, path, target))
}

/// Walks as the system would. What is not there is walked on by its name: it might be there one day.
fn follow(entries: &Entries, path: &str, target: &str) -> Result<(), Refusal> {
    let outside = || Refusal::of(path, format!("is a link to `{}`, outside", target.escape_debug()));
    let mut here: Vec<&str> = path.split('/').collect();
    here.pop();
    let mut ahead: Vec<&str> = target.split('/').rev().collect();
    let mut hops = 0;
    while let Some(name) = ahead.pop() {
        match name {
            "" | "." => continue,
            ".." => drop(here.pop().ok_or_else(outside)?),
            name if name.eq_ignore_ascii_case(".git") => {
                return Err(Refusal::of(path, "is a link to git's own folder"));
            }
            name => {
                here.push(name);
                let Some(next) = entries.link_at(&here.join("/")) else { continue };
                hops += 1;
                if hops > HOPS {
                    return Err(Refusal::of(path, "is a link that leads round and round"));
                }
                here.pop();
                ahead.extend(next.split('/').rev());
            }
        }
    }
    Ok(())
}
