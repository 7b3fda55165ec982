//! What something else has changed since the last apply: apart from what will be done about it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bimetal_model::question::Drift;
use bimetal_model::{Address, Value};
use bimetal_plan::{Mode, Plan};

use super::change::{attribute_text, name_width};
use super::compact::{Place, addresses, place, skeleton};
use crate::arguments::Detail;
use crate::render::style::{BOLD, CHANGE, FAINT, REMOVE, paint};
use crate::render::wrap::wrap;

/// What of it matters to what will be done; all of it where everything is asked for, or where the state is all that changes.
pub(super) fn drift_text(plan: &Plan, detail: Detail, width: usize) -> String {
    let effects: BTreeSet<&Address> = plan.effects().map(|change| &change.address).collect();
    let show_all = detail == Detail::Full || plan.mode == Mode::RefreshOnly;
    let is_shown = |drift: &&Drift| detail != Detail::Summary && (show_all || effects.contains(&drift.address));
    let shown: Vec<&Drift> = plan.drift.iter().filter(is_shown).collect();
    let mut text = String::new();
    if !shown.is_empty() {
        text += "Changed outside of Bimetal since the last apply:\n\n";
        text += &alike(&shown).iter().map(|(addresses, body)| one_text(addresses, body.as_deref())).collect::<String>();
        text.push('\n');
    }
    let others = plan.drift.len() - shown.len();
    if others > 0 {
        let (what, verb) = if others == 1 { ("object", "has") } else { ("objects", "have") };
        let more = if shown.is_empty() { "" } else { " more" };
        let said = match detail {
            Detail::Summary => format!("{others} {what} {verb} changed outside of Bimetal since the last apply."),
            Detail::Grouped | Detail::Full => format!(
                "{others}{more} {what} {verb} changed outside of Bimetal, and nothing has to be done about it \
                 (`-detail=full` shows it, `apply -refresh-only` takes it into the state)."
            ),
        };
        text += &format!("{}\n\n", paint(FAINT, wrap(&said, width)));
    }
    text
}

/// What those that are shown together have in common: where their addresses don't differ, and what is shown of them.
type Class = (Address, Option<Place>, Option<String>);

/// Those that read the same, together; `None`: they are gone.
fn alike<'d>(drift: &[&'d Drift]) -> Vec<(Vec<&'d Address>, Option<String>)> {
    let mut classes: BTreeMap<Class, Vec<&Address>> = BTreeMap::new();
    for one in drift {
        let body = one.after.as_ref().map(|after| body(&one.before, after));
        classes.entry((skeleton(&one.address), place(&one.address), body)).or_default().push(&one.address);
    }
    classes.into_iter().map(|((_, _, body), addresses)| (addresses, body)).collect()
}

fn body(before: &Value, after: &Value) -> String {
    let width = name_width([before, after].into_iter());
    let names: BTreeSet<&String> =
        [before, after].into_iter().filter_map(Value::as_members).flat_map(|m| m.keys()).collect();
    names.into_iter().map(|name| attribute_text(name, width, (before.member(name), after.member(name)))).collect()
}

fn one_text(all: &[&Address], body: Option<&str>) -> String {
    let count = if all.len() > 1 { format!(" ({})", all.len()) } else { String::new() };
    let (name, mut text) = (paint(BOLD, addresses(all)), String::new());
    let _ = match body {
        None if all.len() > 1 => writeln!(text, "  {} {name} are gone{count}", paint(REMOVE, "-")),
        None => writeln!(text, "  {} {name} is gone", paint(REMOVE, "-")),
        Some(body) => write!(text, "  {} {name}{count}\n{body}", paint(CHANGE, "~")),
    };
    text
}
