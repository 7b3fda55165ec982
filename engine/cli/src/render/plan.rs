//! A plan as people read it, much as Terraform prints its own.

mod change;
mod compact;
mod drift;
mod entry;
mod group;
mod markdown;
mod merged;
mod outputs;
mod summary;
mod versions;

use bimetal_model::Address;
use bimetal_plan::{Mode, Partial, Plan};

use self::change::group_text;
use self::drift::drift_text;
use self::entry::Entry;
use self::outputs::outputs_text;
use super::left::left_text;
use super::style::{BOLD, FAINT, paint};
use super::wrap::wrap;
use crate::arguments::Detail;

pub(crate) use self::markdown::markdown;
pub(crate) use self::summary::{drift_count, state_alone, summary};
pub(crate) use self::versions::{Names, comparison, comparison_markdown};

/// The whole plan in lines of at most so many characters, where they can be broken; one sentence where there is nothing to do.
pub(crate) fn render(plan: &Plan, detail: Detail, width: usize) -> String {
    pieces(plan, detail, width).collect()
}

/// The same bit by bit: the text of very many objects need not be there as a whole.
pub(crate) fn pieces(plan: &Plan, detail: Detail, width: usize) -> Box<dyn Iterator<Item = String> + '_> {
    let drift = drift_text(plan, detail, width);
    if plan.is_empty() {
        let is_left = plan.left().next().is_some();
        let done = match (plan.mode, &plan.partial) {
            _ if is_left => "No changes for now.",
            (Mode::Apply, None) => "No changes. What exists is what the configuration says.",
            (Mode::Apply, Some(_)) => "No changes. What this plan is about is what the configuration says.",
            (Mode::Destroy, _) => "No changes. There is nothing to destroy.",
            (Mode::RefreshOnly, _) => "No changes. The state is as things are.",
        };
        let (left, partial) = (left_text(plan), partial_text(plan.partial.as_ref(), width));
        let all = format!("{drift}{left}{}\n{partial}{}", paint(BOLD, done), origin_text(plan, width));
        return Box::new(std::iter::once(all));
    }
    let mut blocks = blocks(plan.effects().map(Entry::from), detail, width).peekable();
    let (heading, end) = match blocks.peek() {
        None => ("", ""),
        Some(_) => ("Bimetal will do this:\n\n", "\n"),
    };
    let renamed = if detail == Detail::Summary { String::new() } else { renamed_text(plan) };
    let (summary, partial) = (summary(plan), partial_text(plan.partial.as_ref(), width));
    let (left, outputs, origin) = (left_text(plan), outputs_text(&plan.outputs, detail), origin_text(plan, width));
    let origin = if origin.is_empty() { origin } else { format!("\n{origin}") };
    let first = format!("{drift}{renamed}{heading}");
    let last = format!("{end}{left}{summary}{partial}{outputs}{origin}");
    Box::new(std::iter::once(first).chain(blocks).chain(std::iter::once(last)))
}

/// Objects as blocks, with an empty line between them.
fn blocks<'p>(
    entries: impl Iterator<Item = Entry<'p>>,
    detail: Detail,
    width: usize,
) -> impl Iterator<Item = String> + 'p {
    let groups = match detail {
        Detail::Full => group::single(entries),
        Detail::Grouped => group::groups(entries),
        Detail::Summary => Vec::new(),
    };
    groups.into_iter().enumerate().map(move |(at, group)| {
        let text = group_text(&group, detail, width);
        if at == 0 { text } else { format!("\n{text}") }
    })
}

/// Which commit it is of.
fn origin_text(plan: &Plan, width: usize) -> String {
    let Some(origin) = &plan.origin else { return String::new() };
    paint(FAINT, wrap(&format!("This is commit {}.", origin.in_words()), width)) + "\n"
}

fn renamed_line(new: &Address, old: &Address) -> String {
    format!("  # {old} is called {} now\n", paint(BOLD, new))
}

/// What changes in state alone.
fn renamed_text(plan: &Plan) -> String {
    let moved = plan.moved.iter().map(|(new, old)| renamed_line(new, old));
    let forgotten = plan.forgotten.iter();
    let forgotten =
        forgotten.map(|address| format!("  # {} is forgotten, and goes on existing\n", paint(BOLD, address)));
    let imported = plan.imported.iter();
    let imported = imported.map(|(address, id)| format!("  # {} is taken over: it is {id}\n", paint(BOLD, address)));
    let lines: String = moved.chain(forgotten).chain(imported).collect();
    if lines.is_empty() { lines } else { lines + "\n" }
}

/// That it is not about everything.
fn partial_text(partial: Option<&Partial>, width: usize) -> String {
    let Some(Partial { left_out, outputs, .. }) = partial else { return String::new() };
    let blocks = match left_out.len() {
        0 => return String::new(),
        1 => "1 block of the configuration is left out".to_owned(),
        count => format!("{count} blocks of the configuration are left out"),
    };
    let outputs = match outputs.len() {
        0 => String::new(),
        1 => ", and 1 output that rests on that stays as it is".to_owned(),
        count => format!(", and {count} outputs that rest on them stay as they are"),
    };
    paint(FAINT, wrap(&format!("{blocks}{outputs}."), width)) + "\n"
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bimetal_model::placement::Placement;
    use bimetal_model::question::Drift;
    use bimetal_model::snapshot::{Object, Stored};
    use bimetal_model::{Lineage, Path, ProviderKey, Type, Value};
    use bimetal_plan::{Action, Change, OutputChange, Reason};

    use super::super::style::plain;
    use super::*;

    fn shown(plan: &Plan) -> String {
        render(plan, Detail::Grouped, 80)
    }

    fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
        members.into_iter().collect()
    }

    fn change(address: &str, action: Action, before: Option<Value>, after: Option<Value>) -> Change {
        let provider = ProviderKey::default_of("docker");
        let stored = |value| Stored {
            provider: provider.clone(),
            ty: "docker_container".to_owned(),
            schema_version: 0,
            object: Object { value, private: Vec::new() },
            depends_on: Vec::new(),
            placement: None,
            tainted: false,
            unfinished: None,
            prevent_destroy: false,
        };
        Change {
            address: address.parse().unwrap(),
            provider: provider.clone(),
            ty: "docker_container".to_owned(),
            action,
            before: before.map(stored).map(Arc::new),
            after,
            config: None,
            private: Vec::new(),
            replace_because: vec![Path::attribute("image")],
            reason: None,
            resume: None,
            depends_on: Vec::new(),
            after_removal_of: Vec::new(),
            placement: None,
            deposed: None,
            prevent_destroy: false,
        }
    }

    fn plan(changes: Vec<Change>) -> Plan {
        Plan {
            mode: Mode::Apply,
            lineage: Lineage::default(),
            files: Vec::new(),
            origin: None,
            planned_ms: None,
            variables: Default::default(),
            providers: Default::default(),
            images: Default::default(),
            facts: Default::default(),
            known: Default::default(),
            changes,
            outputs: Default::default(),
            moved: Default::default(),
            imported: Default::default(),
            forgotten: Default::default(),
            drift: Vec::new(),
            considered: Default::default(),
            reads: Default::default(),
            users: Default::default(),
            partial: None,
            degraded: Default::default(),
            budgets: Default::default(),
        }
    }

    #[test]
    fn a_plan_says_what_and_why() {
        let text = |text: &str| Value::from(text);
        let machine: Address = "machine.docker.a".parse().unwrap();
        let replaced = Change {
            placement: Some(Box::new(Placement {
                replica: "service.web.replica[0]".parse().unwrap(),
                machine,
                platform: "linux/arm64".parse().unwrap(),
                image: "web@sha256:2".to_owned(),
                reason: "stays".to_owned(),
                generation: 0,
            })),
            ..change(
                "service.web.replica[0]",
                Action::Replace,
                Some(object([("image", text("web@sha256:1")), ("name", text("web-0"))])),
                Some(object([("image", text("web@sha256:2")), ("name", text("web-0"))])),
            )
        };
        let volume = object([
            ("name", text("data")),
            ("mountpoint", Value::unknown(Type::String)),
            ("labels", Value::tuple([])),
        ]);
        let secret = object([("token", text("hunter2").into_sensitive())]);
        let removed = Change {
            reason: Some(Reason::BlockGone { block: "docker_volume.old".parse().unwrap() }),
            ..change("docker_volume.old", Action::Delete, Some(secret.clone()), None)
        };
        let rendered = shown(&plan(vec![
            change("docker_volume.data", Action::Create, None, Some(volume)),
            change(
                "docker_volume.key",
                Action::Update,
                Some(secret),
                Some(object([("token", text("*******").into_sensitive())])),
            ),
            removed,
            replaced,
        ]));
        insta::assert_snapshot!(plain(&rendered), @r#"
        Bimetal will do this:

          # service.web.replica[0] must be replaced
          # on machine.docker.a (linux/arm64): stays
        -/+ service "web" replica[0] {
              ~ image = "web@sha256:1" -> "web@sha256:2" # forces replacement
              # (1 unchanged attribute hidden)
            }

          # docker_volume.data will be created
          + resource "docker_volume" "data" {
              + mountpoint = (known after apply)
              + name       = "data"
            }

          # docker_volume.key will be changed in place
          ~ resource "docker_volume" "key" {
              ~ token = (sensitive value) -> (sensitive value)
            }

          # docker_volume.old will be destroyed
          # `docker_volume.old` is not in the configuration any more
          - resource "docker_volume" "old" {}

        Plan: 2 to add (1 replica of 1 service, 1 resource), 1 to change (1 resource), 2 to destroy (1 replica of 1 service, 1 resource).
        "#);
    }

    #[test]
    fn lists_show_what_is_new_in_them() {
        let list = |items: &[&str]| Value::tuple(items.iter().map(|item| Value::from(*item)));
        let output = OutputChange {
            before: Some(list(&["a", "b"])),
            after: Some(list(&["a", "c"])),
            depends_on: Default::default(),
        };
        let gone = OutputChange { before: Some(Value::from(1u64)), after: None, depends_on: Default::default() };
        let outputs = [("gone".to_owned(), gone), ("names".to_owned(), output)].into();
        let rendered = shown(&Plan { outputs, ..plan(Vec::new()) });
        insta::assert_snapshot!(plain(&rendered), @r#"
        Plan: 0 to add, 0 to change, 0 to destroy.

        Outputs that change:
          - gone  = 1 -> null
          ~ names = [
              "a",
            - "b",
            + "c",
            ]
        "#);
    }

    #[test]
    fn what_is_left_out_is_said() {
        let left = Change {
            reason: Some(Reason::MachineSilent { machine: "machine.docker.b".parse().unwrap() }),
            ..change("service.web.replica[1]", Action::Leave, None, None)
        };
        insta::assert_snapshot!(plain(&shown(&plan(vec![left]))), @"
        Wanted, and left out for now:

          ! service.web.replica[1]: `machine.docker.b` does not answer

        No changes for now.
        ");
    }

    #[test]
    fn nothing_to_do_is_one_sentence() {
        assert_eq!(plain(&shown(&plan(Vec::new()))), "No changes. What exists is what the configuration says.\n");
    }

    fn replica(place: u64, machine: &str, image: &str) -> Change {
        let address = format!("service.web.replica[{place}]");
        let name = Value::from(format!("web-{place}"));
        let placement = Placement {
            replica: address.parse().unwrap(),
            machine: machine.parse().unwrap(),
            platform: "linux/arm64".parse().unwrap(),
            image: image.to_owned(),
            reason: "least loaded of 3 nodes".to_owned(),
            generation: 0,
        };
        let after = object([("image", Value::from(image)), ("name", name)]);
        let created = change(&address, Action::Create, None, Some(after));
        Change { placement: Some(placement.into()), replace_because: Vec::new(), ..created }
    }

    #[test]
    fn what_is_alike_is_one_block() {
        let machine = |place: u64| format!("machine.docker.m[{}]", place % 3);
        let replicas = (0..12).map(|place| replica(place, &machine(place), if place == 7 { "odd" } else { "web" }));
        insta::assert_snapshot!(plain(&shown(&plan(replicas.collect()))), @r#"
        Bimetal will do this:

          # service.web.replica[0…6, 8…11] will be created (11)
          # on machine.docker.m[0] (linux/arm64) [0, 3, …, 9]: least loaded of 3 nodes
          # on machine.docker.m[1] (linux/arm64) [1, 4, 10]: least loaded of 3 nodes
          # on machine.docker.m[2] (linux/arm64) [2, 5, …, 11]: least loaded of 3 nodes
          + service "web" replica[0…6, 8…11] {
              + image = "web"
              + name  = "web-0" … "web-6", "web-8" … "web-11"
            }

          # service.web.replica[7] will be created
          # on machine.docker.m[1] (linux/arm64): least loaded of 3 nodes
          + service "web" replica[7] {
              + image = "odd"
              + name  = "web-7"
            }

        Plan: 12 to add (12 replicas of 1 service), 0 to change, 0 to destroy.
        "#);
    }

    #[test]
    fn what_changed_outside_stands_apart() {
        let drift = |address: &str, after: Option<Value>| Drift {
            address: address.parse().unwrap(),
            before: object([("size", Value::from(1u64))]),
            after,
        };
        let size = |size: u64| Some(object([("size", Value::from(size))]));
        let lost = (0..4)
            .map(|place| Change { reason: Some(Reason::RemovedOutside), ..replica(place, "machine.docker.a", "web") });
        let gone = (0..4).map(|place| drift(&format!("service.web.replica[{place}]"), None));
        let others = [drift("docker_volume.a", size(2)), drift("docker_volume.b", size(3))];
        let plan = Plan { drift: gone.chain(others).collect(), ..plan(lost.collect()) };
        insta::assert_snapshot!(plain(&shown(&plan)), @r#"
        Changed outside of Bimetal since the last apply:

          - service.web.replica[0…3] are gone (4)

        2 more objects have changed outside of Bimetal, and nothing has to be done about
        it (`-detail=full` shows it, `apply -refresh-only` takes it into the state).

        Bimetal will do this:

          # service.web.replica[0…3] will be created (4)
          # something else has removed it
          # on machine.docker.a (linux/arm64): least loaded of 3 nodes
          + service "web" replica[0…3] {
              + image = "web"
              + name  = "web-0" … "web-3"
            }

        Plan: 4 to add (4 replicas of 1 service), 0 to change, 0 to destroy.
        "#);
        insta::assert_snapshot!(plain(&render(&plan, Detail::Summary, 80)), @r"
        6 objects have changed outside of Bimetal since the last apply.

        Plan: 4 to add (4 replicas of 1 service), 0 to change, 0 to destroy.
        ");
        let only = Plan { mode: Mode::RefreshOnly, changes: Vec::new(), ..plan };
        insta::assert_snapshot!(plain(&shown(&only)), @r"
        Changed outside of Bimetal since the last apply:

          - service.web.replica[0…3] are gone (4)
          ~ docker_volume.a
              ~ size = 1 -> 2
          ~ docker_volume.b
              ~ size = 1 -> 3

        Plan: 6 changes to take into the state; nothing else is done.
        ");
    }
}
