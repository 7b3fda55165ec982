//! A plan as people read it, much as Terraform prints its own.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::Style;
use bimetal_model::question::Drift;
use bimetal_model::{Address, BlockKind, Path, Value};
use bimetal_plan::{Action, Change, OutputChange, Plan};

use super::left::left_text;
use super::style::{ADD, BOLD, CHANGE, FAINT, READ, REMOVE, paint};
use super::value::{quoted, value_text};

/// The whole plan; one sentence where there is nothing to do.
pub(crate) fn render(plan: &Plan) -> String {
    if plan.is_empty() {
        let done = match plan.left().next() {
            Some(_) => "No changes for now.",
            None => "No changes. What exists is what the configuration says.",
        };
        return format!("{}{}{}\n", drift_text(&plan.drift), left_text(plan), paint(BOLD, done));
    }
    let changes: Vec<String> = plan.effects().map(change_text).collect();
    let changes = match changes.is_empty() {
        true => String::new(),
        false => format!("Bimetal will do this:\n\n{}\n", changes.join("\n")),
    };
    let (before, after) = (renamed_text(plan), left_text(plan));
    format!("{}{before}{changes}{after}{}{}\n", drift_text(&plan.drift), summary(plan), outputs_text(plan))
}

/// `Plan: 12 to add, 0 to change, 1 to destroy.`, with what they are.
pub(crate) fn summary(plan: &Plan) -> String {
    let (mut add, mut change, mut destroy) = (Vec::new(), Vec::new(), Vec::new());
    for effect in plan.effects() {
        match effect.action {
            Action::Create => add.push(&effect.address),
            Action::Update => change.push(&effect.address),
            Action::Delete => destroy.push(&effect.address),
            Action::Replace => {
                add.push(&effect.address);
                destroy.push(&effect.address);
            }
            Action::Read | Action::Keep | Action::Leave => {}
        }
    }
    let part = |addresses: &[&Address], verb: &str| format!("{} to {verb}{}", addresses.len(), kinds(addresses));
    let imported: Vec<&Address> = plan.imported.keys().collect();
    let imported = (!imported.is_empty()).then(|| part(&imported, "import"));
    let parts = [part(&add, "add"), part(&change, "change"), part(&destroy, "destroy")];
    let parts: Vec<String> = imported.into_iter().chain(parts).collect();
    format!("{} {}.\n", paint(BOLD, "Plan:"), parts.join(", "))
}

/// ` (4 machines, 8 replicas)`
fn kinds(addresses: &[&Address]) -> String {
    let count = |wanted: fn(&Address) -> bool| addresses.iter().filter(|address| wanted(address)).count();
    let named = [
        (count(|a| a.block == BlockKind::Machine), "machine"),
        (count(|a| a.replica.is_some()), "replica"),
        (count(|a| a.block != BlockKind::Machine && a.replica.is_none()), "resource"),
    ];
    let parts: Vec<_> = named
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

fn change_text(change: &Change) -> String {
    let (style, sign, deed) = match (&change.resume, &change.deposed) {
        (Some(_), _) => (ADD, "  +", "will be finished: an interrupted run began it"),
        (None, Some(_)) => (REMOVE, "+/-", "must be replaced, and is made before what is there is removed"),
        (None, None) => deed(change.action),
    };
    let mut text = format!("  # {} {deed}\n", paint(BOLD, &change.address));
    for reason in reasons(change) {
        let _ = writeln!(text, "  # {}", paint(FAINT, reason));
    }
    let body = match change.action {
        Action::Delete => String::new(),
        _ => attributes_text(change),
    };
    let _ = writeln!(text, "{} {} {{{body}}}", paint(style, sign), header(&change.address));
    text
}

fn deed(action: Action) -> (Style, &'static str, &'static str) {
    match action {
        Action::Create => (ADD, "  +", "will be created"),
        Action::Read => (READ, " <=", "will be read during apply"),
        Action::Update => (CHANGE, "  ~", "will be changed in place"),
        Action::Replace => (REMOVE, "-/+", "must be replaced"),
        Action::Delete => (REMOVE, "  -", "will be destroyed"),
        Action::Keep => (FAINT, "   ", "stays as it is"),
        Action::Leave => (FAINT, "  !", "is left as it is, though something else is wanted"),
    }
}

fn reasons(change: &Change) -> Vec<String> {
    let placed = change.placement.as_ref().filter(|_| matches!(change.action, Action::Create | Action::Replace));
    let placed = placed.map(|p| format!("on {} ({}): {}", p.machine, p.platform, p.reason));
    change.reason.clone().into_iter().chain(placed).collect()
}

/// The block as the configuration writes it: `machine "docker" "here"`.
fn header(address: &Address) -> String {
    let mut text = address.block.word().to_owned();
    if address.block.has_type() {
        let _ = write!(text, " {}", quoted(&address.ty));
    }
    let _ = write!(text, " {}", quoted(&address.name));
    if let Some(replica) = &address.replica {
        let _ = write!(text, " replica{replica}");
    }
    if let Some(generation) = address.deposed {
        let _ = write!(text, " deposed[{generation}]");
    }
    text
}

fn attributes_text(change: &Change) -> String {
    let before = change.before.as_ref().map(|stored| &stored.object.value);
    let (Some(after), width) = (&change.after, name_width(before, change.after.as_ref())) else {
        return String::new();
    };
    let names: BTreeSet<&String> =
        [before, Some(after)].into_iter().flatten().filter_map(Value::as_members).flat_map(|m| m.keys()).collect();
    let (mut lines, mut hidden) = (String::new(), 0);
    for name in names {
        let pair = (before.and_then(|value| value.member(name)), after.member(name));
        let line = attribute_text(name, width, pair);
        if line.is_empty() {
            hidden += usize::from(pair.0.is_some());
        } else {
            lines += line.trim_end_matches('\n');
            lines += forced(change, name);
            lines.push('\n');
        }
    }
    if hidden > 0 {
        let _ = writeln!(lines, "      {}", paint(FAINT, format!("# ({hidden} unchanged attributes hidden)")));
    }
    format!("\n{lines}    ")
}

fn name_width(before: Option<&Value>, after: Option<&Value>) -> usize {
    let members = [before, after].into_iter().flatten().filter_map(Value::as_members).flatten();
    members.filter(|(_, value)| !value.is_null()).map(|(name, _)| name.len()).max().unwrap_or(0)
}

fn forced(change: &Change, name: &str) -> &'static str {
    let forces = change.action == Action::Replace
        && change.replace_because.iter().any(|path| Path::attribute(name).contains(path));
    if forces { " # forces replacement" } else { "" }
}

fn attribute_text(name: &str, width: usize, (before, after): (Option<&Value>, Option<&Value>)) -> String {
    let line = |style, sign: &str, value: String| format!("      {} {name:width$} = {value}\n", paint(style, sign));
    match (before, after) {
        (None, None) => String::new(),
        (None, Some(after)) if is_empty(after) => String::new(),
        (Some(before), Some(after)) if is_same(before, after) => String::new(),
        (None, Some(after)) => line(ADD, "+", value_text(after, 8)),
        (Some(before), None) => line(REMOVE, "-", format!("{} -> null", value_text(before, 8))),
        (Some(before), Some(after)) => line(CHANGE, "~", difference(before, after, 8)),
    }
}

/// A list and a tuple of the same items read the same.
fn is_same(before: &Value, after: &Value) -> bool {
    before == after
        || (!before.has_sensitive() && !after.has_sensitive() && value_text(before, 0) == value_text(after, 0))
}

/// A list or map that was not written: it says nothing.
fn is_empty(value: &Value) -> bool {
    value.as_items().is_some_and(<[_]>::is_empty) || value.as_members().is_some_and(|members| members.is_empty())
}

/// `old -> new`; a text of many lines, a list or a map line by line, all but the first indented.
fn difference(before: &Value, after: &Value, indent: usize) -> String {
    let (old, new) = (value_text(before, indent), value_text(after, indent));
    if (before.marks | after.marks).hide() || !(old.contains('\n') && new.contains('\n')) {
        return format!("{old} -> {new}");
    }
    let diff = similar::TextDiff::from_lines(&old, &new);
    let lines = diff.iter_all_changes().map(|change| {
        let (style, sign) = match change.tag() {
            similar::ChangeTag::Equal => (Style::new(), ' '),
            similar::ChangeTag::Insert => (ADD, '+'),
            similar::ChangeTag::Delete => (REMOVE, '-'),
        };
        let text = change.to_string();
        let line = text.trim_end_matches('\n');
        let indent = line.len() - line.trim_start().len();
        match sign {
            ' ' => line.to_owned(),
            _ => format!("{}{} {}", " ".repeat(indent.saturating_sub(2)), paint(style, sign), line.trim_start()),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What changes in state alone.
fn renamed_text(plan: &Plan) -> String {
    let moved = plan.moved.iter().map(|(new, old)| format!("  # {old} is called {} now\n", paint(BOLD, new)));
    let forgotten = plan.forgotten.iter();
    let forgotten =
        forgotten.map(|address| format!("  # {} is forgotten, and goes on existing\n", paint(BOLD, address)));
    let imported = plan.imported.iter();
    let imported = imported.map(|(address, id)| format!("  # {} is taken over: it is {id}\n", paint(BOLD, address)));
    let lines: String = moved.chain(forgotten).chain(imported).collect();
    if lines.is_empty() { lines } else { lines + "\n" }
}

fn drift_text(drift: &[Drift]) -> String {
    if drift.is_empty() {
        return String::new();
    }
    let mut text = String::from("Changed since the last apply, by something else:\n\n");
    for Drift { address, before, after } in drift {
        let Some(after) = after else {
            let _ = writeln!(text, "  {} {} is gone", paint(REMOVE, "-"), paint(BOLD, address));
            continue;
        };
        let _ = writeln!(text, "  {} {}", paint(CHANGE, "~"), paint(BOLD, address));
        let width = name_width(Some(before), Some(after));
        for name in before.as_members().into_iter().flat_map(|members| members.keys()) {
            text += &attribute_text(name, width, (before.member(name), after.member(name)));
        }
    }
    text + "\n"
}

fn outputs_text(plan: &Plan) -> String {
    let changed: Vec<_> = plan.outputs.iter().filter(|(_, output)| output.before != output.after).collect();
    if changed.is_empty() {
        return String::new();
    }
    let width = changed.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: String = changed.into_iter().map(|(name, output)| output_text(name, width, output)).collect();
    format!("\nOutputs that change:\n{lines}")
}

fn output_text(name: &str, width: usize, output: &OutputChange) -> String {
    let (style, sign, value) = match (&output.before, &output.after) {
        (None, None) => (REMOVE, '-', "null".to_owned()),
        (Some(before), None) => (REMOVE, '-', format!("{} -> null", value_text(before, 4))),
        (None, Some(after)) => (ADD, '+', value_text(after, 4)),
        (Some(before), Some(after)) => (CHANGE, '~', difference(before, after, 4)),
    };
    format!("  {} {name:width$} = {value}\n", paint(style, sign))
}

#[cfg(test)]
mod tests {
    use super::super::style::plain;
    use super::*;
    use bimetal_model::placement::Placement;
    use bimetal_model::snapshot::{Object, Stored};
    use bimetal_model::{ProviderKey, Type};
    use bimetal_plan::Mode;

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
        };
        Change {
            address: address.parse().unwrap(),
            provider: provider.clone(),
            ty: "docker_container".to_owned(),
            action,
            before: before.map(stored),
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
        }
    }

    fn plan(changes: Vec<Change>) -> Plan {
        Plan {
            mode: Mode::Apply,
            lineage: String::new(),
            serial: 0,
            files: Vec::new(),
            planned_ms: None,
            variables: Default::default(),
            providers: Default::default(),
            images: Default::default(),
            facts: Default::default(),
            changes,
            outputs: Default::default(),
            moved: Default::default(),
            imported: Default::default(),
            forgotten: Default::default(),
            drift: Vec::new(),
            degraded: Default::default(),
            budgets: Default::default(),
        }
    }

    #[test]
    fn a_plan_says_what_and_why() {
        let text = |text: &str| Value::from(text);
        let machine: Address = "machine.docker.a".parse().unwrap();
        let replaced = Change {
            placement: Some(Placement {
                replica: "service.web.replica[0]".parse().unwrap(),
                machine,
                platform: "linux/arm64".parse().unwrap(),
                image: "web@sha256:2".to_owned(),
                reason: "stays".to_owned(),
                generation: 0,
            }),
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
            reason: Some("not in the configuration any more".to_owned()),
            ..change("docker_volume.old", Action::Delete, Some(secret.clone()), None)
        };
        let rendered = render(&plan(vec![
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
          # not in the configuration any more
          - resource "docker_volume" "old" {}

          # service.web.replica[0] must be replaced
          # on machine.docker.a (linux/arm64): stays
        -/+ service "web" replica[0] {
              ~ image = "web@sha256:1" -> "web@sha256:2" # forces replacement
              # (1 unchanged attributes hidden)
            }

        Plan: 2 to add (1 replica, 1 resource), 1 to change (1 resource), 2 to destroy (1 replica, 1 resource).
        "#);
    }

    #[test]
    fn lists_show_what_is_new_in_them() {
        let list = |items: &[&str]| Value::tuple(items.iter().map(|item| Value::from(*item)));
        let output = OutputChange { before: Some(list(&["a", "b"])), after: Some(list(&["a", "c"])) };
        let gone = OutputChange { before: Some(Value::from(1u64)), after: None };
        let outputs = [("gone".to_owned(), gone), ("names".to_owned(), output)].into();
        let rendered = render(&Plan { outputs, ..plan(Vec::new()) });
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
            reason: Some("`machine.docker.b` does not answer".to_owned()),
            ..change("service.web.replica[1]", Action::Leave, None, None)
        };
        insta::assert_snapshot!(plain(&render(&plan(vec![left]))), @"
        Wanted, and left out for now:

          ! service.web.replica[1]: `machine.docker.b` does not answer

        No changes for now.
        ");
    }

    #[test]
    fn nothing_to_do_is_one_sentence() {
        assert_eq!(plain(&render(&plan(Vec::new()))), "No changes. What exists is what the configuration says.\n");
    }
}
