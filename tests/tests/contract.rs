//! What the contract lets a provider say, as people see it: with the component that is kept of the first contract.

use bimetal_tests::{Bimetal, Ran};
use insta::assert_snapshot;

const CONFIGURATION: &str = r#"
bimetal {
  required_providers {
    kept = { path = "./kept.wasm" }
  }
}

variable "text" {
  default = "later"
}

resource "kept_note" "late" {
  text = var.text
}

resource "kept_note" "after" {
  text = "after ${kept_note.late.id}"
}

resource "kept_note" "apart" {
  text = "apart"
}

output "late" {
  value = kept_note.late.text
}
"#;

fn operator(configuration: &str) -> Bimetal {
    let bimetal = Bimetal::new(configuration);
    let component = xtask::root().join("engine/host/tests/released/0.1.0/kept.wasm");
    std::fs::copy(component, bimetal.folder().join("kept.wasm")).expect("our own folder");
    bimetal.ok(&["init"]);
    bimetal
}

/// Without what differs from run to run.
fn without_times(text: &str) -> String {
    let line = |line: &str| match (line.split_once(", in "), line.split_once("s; ")) {
        (Some((before, _)), Some((_, after))) => format!("{before}, in …s; {after}"),
        (Some((before, _)), None) if line.ends_with("s.") => format!("{before}, in …s."),
        (Some(_) | None, _) => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_a_provider_can_not_say_yet_is_left_for_the_next_apply() {
    let mut bimetal = operator(CONFIGURATION);
    let planned = bimetal.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(planned.code, 2);
    assert_snapshot!(planned.stdout, @"");

    let Ran { code, stderr, .. } = bimetal.run(&["apply", "--auto-approve"]);
    assert_eq!(code, 3);
    assert_snapshot!(without_times(&stderr), @"");

    // Nothing more can be done by now, and that is said, too.
    let Ran { code, stdout, .. } = bimetal.run(&["apply", "--auto-approve"]);
    assert_eq!(code, 3);
    assert_snapshot!(stdout, @"");

    bimetal.set("text", "now").apply();
    assert_eq!(bimetal.output("late"), "now");
    bimetal.assert_settled();
    bimetal.ok(&["destroy", "--auto-approve"]);
}

#[test]
fn what_a_type_does_not_take_over_is_an_error_at_the_move() {
    let note = |name: &str| format!("resource \"kept_note\" \"{name}\" {{\n  text = \"here\"\n}}\n");
    let head = &CONFIGURATION[..CONFIGURATION.find("variable").expect("it has one")];
    let bimetal = operator(&(head.to_owned() + &note("a")));
    bimetal.apply();
    let moved = "machine \"docker\" \"m\" {\n  host = \"unix:///var/run/docker.sock\"\n}\nresource \"docker_volume\" \"v\" \
                 {\n  name   = \"here\"\n  engine = machine.docker.m.engine\n}\n\nmoved {\n  from = kept_note.a\n  to   = \
                 docker_volume.v\n}\n";
    bimetal.write("main.bm.hcl", &(head.to_owned() + moved));
    let said = bimetal.run(&["plan"]).failed();
    assert_snapshot!(said, @"");
}
