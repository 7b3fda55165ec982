//! Objects that are alike, together. What differs between them in more than their names keeps them apart.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_model::{Address, Value};

use super::compact::{Place, place, skeleton};
use super::entry::Entry;
use crate::render::value::value_text;

/// Objects that are shown as one; at least one, in the order of their addresses.
pub(super) struct Group<'p> {
    pub(super) members: Vec<Entry<'p>>,
}

/// Each for itself.
pub(super) fn single<'p>(entries: impl Iterator<Item = Entry<'p>>) -> Vec<Group<'p>> {
    entries.map(|entry| Group { members: vec![entry] }).collect()
}

/// In the order of their first members.
pub(super) fn groups<'p>(entries: impl Iterator<Item = Entry<'p>>) -> Vec<Group<'p>> {
    let mut kin: BTreeMap<Address, Vec<Entry<'p>>> = BTreeMap::new();
    for entry in entries {
        // Most are alone.
        kin.entry(skeleton(entry.address)).or_insert_with(|| Vec::with_capacity(1)).push(entry);
    }
    let mut groups: Vec<Group<'p>> = Vec::new();
    for members in kin.into_values() {
        match members.len() {
            1 => groups.push(Group { members }),
            _ => groups.extend(alike(members)),
        }
    }
    groups.sort_by(|one, other| one.first().address.cmp(other.first().address));
    groups
}

/// Of those that have the same name, but for their keys.
fn alike(kin: Vec<Entry<'_>>) -> impl Iterator<Item = Group<'_>> {
    let mut classes: BTreeMap<Class, Vec<Member<'_>>> = BTreeMap::new();
    for entry in kin {
        let leaves = leaves(&entry);
        classes.entry(Class::of(&entry, &leaves)).or_default().push(Member { entry, leaves });
    }
    classes.into_values().flat_map(split)
}

impl<'p> Group<'p> {
    pub(super) fn first(&self) -> &Entry<'p> {
        &self.members[0]
    }

    pub(super) fn addresses(&self) -> Vec<&'p Address> {
        self.members.iter().map(|entry| entry.address).collect()
    }
}

/// A place in what is shown of an object, and whether it is before or after.
type Leaf = (String, bool);
/// What is written there.
type Leaves = BTreeMap<Leaf, String>;

struct Member<'p> {
    entry: Entry<'p>,
    leaves: Leaves,
}

/// What must be the same, too, for objects to be shown as one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Class {
    place: Option<Place>,
    sign: &'static str,
    deed: &'static str,
    reason: Option<String>,
    forces: Vec<String>,
    leaves: Vec<Leaf>,
}

impl Class {
    fn of(entry: &Entry<'_>, leaves: &Leaves) -> Class {
        Class {
            place: place(entry.address),
            sign: entry.sign,
            deed: entry.deed,
            reason: entry.reason.clone(),
            forces: entry.forces.iter().map(ToString::to_string).collect(),
            leaves: leaves.keys().cloned().collect(),
        }
    }
}

/// Apart where a value is that of several of them, but not of all. What each has of its own is shown for each.
fn split(members: Vec<Member<'_>>) -> Vec<Group<'_>> {
    let count = members.len();
    let keys: Vec<Leaf> = members.first().map(|first| first.leaves.keys().cloned().collect()).unwrap_or_default();
    let parts_them = |leaf: &&Leaf| {
        let values: BTreeSet<&String> = members.iter().filter_map(|member| member.leaves.get(*leaf)).collect();
        values.len() > 1 && values.len() < count && values.len() <= 2.max(count / 2)
    };
    let parting: Vec<&Leaf> = keys.iter().filter(parts_them).collect();
    if parting.is_empty() {
        return vec![Group { members: members.into_iter().map(|member| member.entry).collect() }];
    }
    let mut parts: BTreeMap<Vec<String>, Vec<Member<'_>>> = BTreeMap::new();
    for member in members {
        let values = parting.iter().filter_map(|leaf| member.leaves.get(*leaf).cloned()).collect();
        parts.entry(values).or_default().push(member);
    }
    parts.into_values().flat_map(split).collect()
}

/// Everything that is shown of an object, by its place.
fn leaves(entry: &Entry<'_>) -> Leaves {
    let mut leaves = Leaves::new();
    if entry.after.is_none() {
        return leaves;
    }
    for (value, other, is_after) in [(entry.before, entry.after, false), (entry.after, entry.before, true)] {
        for (name, member) in value.and_then(Value::as_members).into_iter().flatten() {
            let other = other.and_then(|other| other.member(name));
            if other.is_none_or(|other| value_text(other, 0) != value_text(member, 0)) {
                collect(name.clone(), member, is_after, &mut leaves);
            }
        }
    }
    leaves
}

fn collect(path: String, value: &Value, is_after: bool, leaves: &mut Leaves) {
    let mut children = value.children().filter(|(_, child)| !child.is_null()).peekable();
    if value.is_null() || value.marks.hide() || children.peek().is_none() {
        if !value.is_null() {
            leaves.insert((path, is_after), value_text(value, 0));
        }
        return;
    }
    for (step, child) in children {
        collect(format!("{path}/{}", bimetal_model::Path(vec![step])), child, is_after, leaves);
    }
}
