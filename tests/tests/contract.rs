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

/// Without what differs from run to run: how long it took, and what had to be compiled.
fn settled(text: &str) -> String {
    let is_time =
        |word: &str| word.trim_end_matches(['.', ';']).strip_suffix('s').is_some_and(|n| n.parse::<f64>().is_ok());
    let word = |word: &str| match is_time(word) {
        true => format!("…{}", word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')),
        false => word.to_owned(),
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().filter(|line| !line.starts_with("compiling ")).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_a_provider_can_not_say_yet_is_left_for_the_next_apply() {
    let mut bimetal = operator(CONFIGURATION);
    let planned = bimetal.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(planned.code, 2);
    assert_snapshot!(planned.stdout, @r#"
    Bimetal will do this:

      # kept_note.apart will be created
      + resource "kept_note" "apart" {
          + id   = (known after apply)
          + text = "apart"
        }

    Wanted, and left out for now:

      ! kept_note.after: deferred, as it needs `kept_note.late`
      ! kept_note.late: deferred: it is too early

    Plan: 1 to add (1 resource), 0 to change, 0 to destroy.
    "#);

    let Ran { code, stderr, .. } = bimetal.run(&["apply", "--auto-approve"]);
    assert_eq!(code, 3);
    assert_snapshot!(settled(&stderr), @r"
    kept_note.apart: created after …s

    Applied: 1 added, 0 changed, 0 destroyed, in …s; 2 are deferred. Apply again to go on.
    ");

    // Nothing more can be done by now, and that is said, too.
    let Ran { code, stdout, .. } = bimetal.run(&["apply", "--auto-approve"]);
    assert_eq!(code, 3);
    assert_snapshot!(stdout, @r"
    Wanted, and left out for now:

      ! kept_note.after: deferred, as it needs `kept_note.late`
      ! kept_note.late: deferred: it is too early

    No changes for now.
    ");

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
    assert_snapshot!(settled(&said), @r"
    error: `kept_note` can't become `docker_volume.v`
      --> main.bm.hcl:16:1
       |
    16 | moved {
       | ^^^^^ the provider `docker` takes over no `kept_note` of the provider `kept` as `docker_volume`
       |
       = hint: forget it with `removed` and `destroy = false`, and take it over with `import`
    ");
}
