//! `state new-key`, `state rekey`, `state restore`: the state's keys, and what is done where its file is broken.

use std::path::Path;
use std::time::Duration;

use bimetal_model::lease::{Lease, Scope};
use bimetal_state::Rekey;
use serde_json::json;

use crate::arguments;
use crate::failure::Failure;
use crate::keys::{default_file, old_keys};
use crate::lease::holding;
use crate::location;
use crate::output::{print_json, say};
use crate::session::Session;

/// Makes a key file.
pub(crate) fn new_key(session: &Session, file: Option<&Path>) -> Result<(), Failure> {
    let path = match file {
        Some(file) => session.root.join(file),
        None => default_file()?,
    };
    bimetal_state::make_key_file(&path)?;
    if session.json {
        print_json(&json!({ "format": 1, "path": path.display().to_string() }));
        return Ok(());
    }
    say(&format!("A new key is in `{}`. What is sealed with it opens with nothing else:\n", path.display()));
    say("keep a copy of it where the state is not.\n");
    if file.is_some() {
        say("It is used where an `encryption \"key_file\"` block names it.\n");
    }
    Ok(())
}

/// Gives the state the keys that are named now.
pub(crate) async fn rekey(session: &Session, arguments: &arguments::Rekey) -> Result<(), Failure> {
    let configuration = session.configuration_for_state_with(&arguments.variables)?;
    let old = arguments.old_key_file.as_ref().map(|file| session.root.join(file));
    let store = session.store_with(&configuration, old_keys(old.as_deref())).await?;
    let how = if arguments.new_key { Rekey::New } else { Rekey::Wrap };
    let work = async |lease: &Lease| {
        store.back_up().await?;
        Ok(store.rekey(lease, how).await?)
    };
    let done = holding(&store, "state rekey", &Scope::Everything, Duration::ZERO, work).await?;
    let (did, words) = match done {
        Rekey::Wrap => ("wrapped", "The state"),
        Rekey::New => ("sealed", "All that is sensitive is sealed anew: the state"),
    };
    if session.json {
        print_json(&json!({ "format": 1, "did": did }));
        return Ok(());
    }
    say(&format!("{words} opens with the keys that are named now, and with no others.\n"));
    say("Backups and saved plans that were made before open with the keys that they were made with.\n");
    Ok(())
}

/// Puts a backup back.
pub(crate) fn restore(session: &Session, backup: Option<&Path>) -> Result<(), Failure> {
    let path = location::file(session, &session.configuration_for_state()?)?;
    let backup = backup.map(|backup| session.root.join(backup));
    let restored = bimetal_state::restore(&path, backup.as_deref())?;
    let aside = restored.aside.as_ref().map(|aside| aside.display().to_string());
    if session.json {
        let from = restored.from.display().to_string();
        print_json(&json!({ "format": 1, "restored": from, "aside": aside, "lost": restored.lost }));
        return Ok(());
    }
    say(&format!("The state is that of `{}` again.\n", restored.from.display()));
    if let Some(aside) = aside {
        say(&format!("What was there is in `{aside}`.\n"));
    }
    say("What was done since is not in it: look at `bimetal plan` before you apply.\n");
    say(&lost_text(&restored.lost.unwrap_or_default()));
    Ok(())
}

/// What goes on existing, and is not known any more.
fn lost_text(lost: &[String]) -> String {
    let Some(first) = lost.first() else { return String::new() };
    let named = match lost.len() - 1 {
        0 => format!("1 object, `{first}`, is"),
        1 => format!("2 objects, `{first}` and another one, are"),
        more => format!("{} objects, `{first}` and {more} others, are", more + 1),
    };
    format!(
        "{named} known there and not here, and may exist: `bimetal import` takes such a one back, before an apply makes \
         another.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_exist_is_named() {
        let told = |names: &[&str]| {
            let lost: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            lost_text(&lost).split(" known there").next().unwrap_or_default().to_owned()
        };
        assert_eq!(told(&[]), "");
        assert_eq!(told(&["a.b"]), "1 object, `a.b`, is");
        assert_eq!(told(&["a.b", "a.c"]), "2 objects, `a.b` and another one, are");
        assert_eq!(told(&["a.b", "a.c", "a.d"]), "3 objects, `a.b` and 2 others, are");
    }
}
