//! `bimetal console`: expressions, one a line.

use bimetal_tests::{Bimetal, Ran};
use insta::assert_snapshot;

const CONFIGURATION: &str = r#"
variable "names" {
  type    = list(string)
  default = ["a", "b"]
}

variable "token" {
  sensitive = true
  default   = "hunter2"
}

locals {
  upper = [for name in var.names : upper(name)]
  later = docker_volume.data.id
  lines = "a\nb"
}

resource "docker_volume" "data" {
  name   = "data"
  engine = machine.docker.here.engine
}

machine "docker" "here" {
  host = "unix:///nowhere"
}
"#;

const LINES: &str = r#"1 + 1
# a comment

"${local.upper[0]}!"
var.token
local.later
local.lines
var.nobody
{
  a = [
    1, # one

    null
  ]
}
foo
<<EOT
x
EOT
1 +
join(", ", var.names)
type(var.names)
"#;

/// What it said, without what it says where nobody used a provider before.
fn talk(ran: &Ran) -> String {
    ran.stderr.split_inclusive('\n').filter(|line| !line.starts_with("compiling provider")).collect()
}

#[test]
fn a_batch_is_evaluated_to_its_end_whatever_is_wrong() {
    let bimetal = Bimetal::new(CONFIGURATION);
    let ran = bimetal.run_fed(&["console"], LINES);
    assert_eq!(ran.code, 1, "{ran}");
    assert_snapshot!(ran.stdout, @r#"
    2
    "A!"
    (sensitive value)
    (known after apply)
    <<EOT
    a
    b
    EOT
    {
      "a" = [
        1,
        null,
      ]
    }
    <<EOT
    x

    EOT
    "a, b"
    list(string)
    "#);
    assert_snapshot!(talk(&ran), @r#"
    error: no variable `nobody` is declared
     --> <console>:1:1
      |
    1 | var.nobody
      | ^^^^^^^^^^
      |
      = hint: there are `names`, `token`

    error: `foo` stands for nothing
     --> <console>:1:1
      |
    1 | foo
      | ^^^
      |
      = hint: text stands between quotes: `"foo"`

    error: an expression is wanted here
     --> <console>:1:4
      |
    1 | 1 +
      |    ^ here the text ends
    "#);
    let ran = bimetal.run_fed(&["console", "--var", "names=[\"c\"]"], "var.names\nlength(var.names");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "tolist([\n  \"c\",\n])\n"), "{ran}");
    let ran = bimetal.run_fed(&["console"], "1\nexit\nfoo\n");
    assert_eq!((ran.code, ran.stdout.as_str(), talk(&ran).as_str()), (0, "1\n", ""), "{ran}");
}

#[test]
fn nothing_is_needed_but_expressions() {
    let bimetal = Bimetal::new("");
    std::fs::remove_file(bimetal.folder().join("main.bm.hcl")).expect("it was just written");
    let ran = bimetal.run_fed(&["console"], "max(1, 2)");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "2\n"), "{ran}");
    assert!(!bimetal.folder().join(".bimetal").exists(), "a console makes no state");
    let ran = bimetal.run_fed(&["console", "--json"], "[1, \"a\"]\n1 +");
    assert_snapshot!(ran.stdout, @r#"
    {
      "format": 1,
      "type": {
        "tuple": [
          "number",
          "string"
        ]
      },
      "value": [
        1,
        "a"
      ]
    }
    {
      "diagnostics": [
        {
          "address": null,
          "column": 4,
          "detail": "here the text ends",
          "hint": null,
          "line": 1,
          "path": [],
          "severity": "error",
          "span": {
            "file": "<console>",
            "range": {
              "end": 3,
              "start": 3
            }
          },
          "summary": "an expression is wanted here",
          "values": []
        }
      ],
      "format": 1
    }
    "#);
}

#[test]
fn what_is_typed_is_evaluated_completed_and_remembered() {
    let bimetal = Bimetal::new(CONFIGURATION);
    let ran = bimetal.at_terminal(&["console"], "upper(\"x\")\r[1,\r2]\r1 +\rlocal.up\t[1]\r 5 + 5\r\u{4}");
    assert_eq!(ran.code, 0, "{ran}");
    for answer in ["\"X\"", "  2,\r\n]", "an expression is wanted here", "\"B\"", "10"] {
        assert!(ran.stdout.contains(answer), "{answer:?} is not in: {ran}");
    }
    let history = std::fs::read_to_string(bimetal.folder().join(".home/.local/state/bimetal/console_history"));
    let history = history.expect("lines are remembered");
    assert!(history.contains("local.upper[1]") && !history.contains("5 + 5"), "{history}");
}
