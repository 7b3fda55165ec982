//! The state's own commands, on configurations that need no engine.

use std::path::Path;

use bimetal_tests::Bimetal;
use bimetal_tests::stage::{Stage, stores};
use serde_json::Value;

const GREETING: &str = r#"
variable "who" {
  type    = string
  default = "world"
}
variable "token" {
  type      = string
  sensitive = true
  default   = "hunter2"
}
output "greeting" {
  value = "hello ${var.who}"
}
output "token" {
  value     = var.token
  sensitive = true
}
"#;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("it is there")
}

#[test]
fn a_saved_plan_belongs_to_its_configuration_and_its_state() {
    use std::os::unix::fs::PermissionsExt as _;
    let bimetal = Bimetal::new(GREETING);
    bimetal.apply();
    bimetal.ok(&["plan", "--out", "saved", "--var", "who=you"]);
    let saved = bimetal.folder().join("saved");
    let mode = std::fs::metadata(&saved).expect("it was just saved").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    bimetal.write("main.bm.hcl", &GREETING.replace("hello", "good day"));
    let refused = bimetal.run(&["apply", "saved"]).failed();
    assert!(refused.contains("that this plan was made from") && refused.contains("`main.bm.hcl` has"), "{refused}");
    let other = Bimetal::new(GREETING);
    other.apply();
    std::fs::copy(&saved, other.folder().join("saved")).expect("our own file");
    other.run(&["apply", "saved"]).failed();
    bimetal.write("main.bm.hcl", GREETING);
    bimetal.ok(&["apply", "saved"]);
    assert_eq!(bimetal.output("greeting"), "hello you");
}

#[test]
fn history_tells_what_was_done_and_rollback_brings_it_back() {
    let bimetal = Bimetal::new(GREETING);
    assert_eq!(json(&bimetal.ok(&["history", "--json"]))["revisions"], Value::Array(Vec::new()));
    bimetal.ok(&["apply", "--auto-approve", "--var", "who=you"]);
    bimetal.write("main.bm.hcl", "output \"greeting\" {\n  value = \"bye\"\n}\n");
    bimetal.ok(&["apply", "--auto-approve"]);
    assert_eq!(bimetal.output("greeting"), "bye");
    let listed = bimetal.ok(&["history"]);
    assert!(listed.starts_with("REVISION") && listed.lines().count() == 3, "{listed}");
    let shown = bimetal.ok(&["history", "show", "1"]);
    assert!(
        shown.contains("main.bm.hcl") && shown.contains("(sensitive value)") && !shown.contains("hunter2"),
        "{shown}"
    );
    let source = json(&bimetal.ok(&["history", "show", "1", "--json"]));
    assert!(source["source"]["files"]["main.bm.hcl"].as_str().is_some_and(|text| text.contains("hello")), "{source}");
    let then = json(&bimetal.ok(&["state", "at", "1", "--json"]));
    assert_eq!(then["outputs"]["greeting"]["value"], "hello you");
    bimetal.ok(&["rollback", "1", "--auto-approve"]);
    assert_eq!(bimetal.output("greeting"), "hello you");
    let last = json(&bimetal.ok(&["history", "--json"]));
    assert_eq!(
        (&last["revisions"][0]["command"], &last["revisions"][0]["number"]),
        (&"bimetal rollback 1".into(), &3.into())
    );
    let unknown = bimetal.run(&["rollback", "9"]).failed();
    assert!(unknown.contains("no revision 9") && unknown.contains("bimetal history"), "{unknown}");
}

#[test]
fn a_state_is_pulled_pushed_and_examined() {
    let bimetal = Bimetal::new(GREETING);
    let none = bimetal.run(&["state", "pull"]).failed();
    assert!(none.contains("no state yet"), "{none}");
    bimetal.apply();
    let document = bimetal.ok(&["state", "pull"]);
    assert!(document.contains("hello world") && !document.contains("hunter2"), "{document}");
    bimetal.write("old.json", &document);
    bimetal.ok(&["apply", "--auto-approve", "--var", "who=you"]);
    let stale = bimetal.run(&["state", "push", "old.json"]).failed();
    assert!(stale.contains("changed since") && stale.contains("--force"), "{stale}");
    bimetal.ok(&["state", "push", "old.json", "--force"]);
    assert_eq!(bimetal.output("greeting"), "hello world");
    let sound = bimetal.run(&["state", "doctor"]);
    assert!(sound.code == 0, "{sound}");
    bimetal.write("bad.json", "{}");
    let bad = bimetal.run(&["state", "push", "bad.json"]).failed();
    assert!(bad.contains("the document can't be taken: it does not say its `format`"), "{bad}");
    let unlocked = bimetal.run(&["state", "force-unlock"]);
    assert!(unlocked.code == 0 && unlocked.stderr.contains("Nobody holds a lock"), "{unlocked}");
}

#[test]
fn a_state_that_was_lost_is_pushed_from_what_was_pulled() {
    let bimetal = Bimetal::new(GREETING);
    bimetal.apply();
    bimetal.write("copy.json", &bimetal.ok(&["state", "pull"]));
    std::fs::remove_dir_all(bimetal.folder().join(".bimetal")).expect("the state is there");
    bimetal.ok(&["state", "push", "copy.json"]);
    assert_eq!(bimetal.output("greeting"), "hello world");
    let (_, changes) = bimetal.plan();
    assert!(!changes, "nothing is to be done");
}

#[test]
fn a_state_moves_where_the_configuration_says() {
    let bimetal = Bimetal::new(GREETING);
    bimetal.apply();
    let block = "locals {\n  place = \"shared\"\n}\nbimetal {\n  state \"local\" {\n    path = \"${local.place}/state\"\n  }\n}\n";
    bimetal.write("state.bm.hcl", block);
    let moved = bimetal.run(&["state", "migrate"]);
    assert!(moved.code == 0 && moved.stderr.contains("shared/state"), "{moved}");
    assert_eq!(bimetal.output("greeting"), "hello world");
    assert!(read(&bimetal.folder().join("shared/state/log/00000000000000000001")).contains("lineage"));
    let again = bimetal.run(&["state", "migrate"]).failed();
    assert!(again.contains("is in file://"), "the old place says where it went: {again}");
    bimetal.write("state.bm.hcl", "");
    let old = bimetal.run(&["output"]).failed();
    assert!(old.contains("shared/state"), "{old}");
    let back = format!("file://{}/shared/state", bimetal.folder().canonicalize().expect("our own").display());
    bimetal.ok(&["state", "migrate", "--from", &back]);
    assert_eq!(bimetal.output("greeting"), "hello world");
}

#[test]
fn nobody_gets_everything_a_second_time_in_another_place() {
    let Stage { bimetal, .. } = &Stage::new();
    let want = |place: &str| {
        let block = format!("bimetal {{\n  state \"local\" {{\n    path = \"./{place}\"\n  }}\n}}\n");
        bimetal.write("state.bm.hcl", &block);
    };
    want("one");
    let refused = bimetal.run(&["plan"]).failed();
    assert!(refused.contains("but one in `.bimetal/state.db`"), "{refused}");
    assert!(refused.contains("`bimetal state migrate` brings it"), "{refused}");
    bimetal.ok(&["state", "migrate"]);
    bimetal.assert_settled();
    want("two");
    let refused = bimetal.run(&["plan"]).failed();
    assert!(refused.contains("but the one of `.bimetal/state.db` went to file://"), "{refused}");
    assert!(refused.contains("`bimetal state migrate --from file://"), "{refused}");
    bimetal.ok(&["state", "migrate", "--from", "one"]);
    bimetal.assert_settled();
}

#[test]
fn stores_that_are_unknown_or_lack_something_are_told() {
    let bimetal = Bimetal::new("bimetal {\n  state \"etcd\" {}\n}\n");
    let unknown = bimetal.run(&["output"]).failed();
    assert!(unknown.contains("`etcd`") && unknown.contains("`postgres`"), "{unknown}");
    bimetal.write("main.bm.hcl", "bimetal {\n  state \"s3\" {}\n}\n");
    let lacking = bimetal.run(&["output"]).failed();
    assert!(lacking.contains("needs `bucket`"), "{lacking}");
}

/// It says what its state is called, and what the variable file of that state has.
fn named(store: &str) -> Bimetal {
    let bimetal = Bimetal::new(&format!(
        "bimetal {{\n  {store}\n}}\n\nvariable \"size\" {{\n  default = \"small\"\n}}\n\noutput \"text\" {{\n  value = \
         \"${{bimetal.workspace}} ${{var.size}}\"\n}}\n"
    ));
    bimetal.write("prod.bmvars.hcl", "size = \"large\"\n");
    bimetal
}

#[test]
fn states_by_name_lie_beside_each_other_in_every_store() {
    for store in std::iter::once(String::new()).chain(stores()) {
        let bimetal = named(&store);
        assert_eq!(bimetal.ok(&["state", "names"]), "* default\n", "{store}");
        bimetal.apply();
        bimetal.ok(&["apply", "--auto-approve", "--state", "prod"]);
        bimetal.ok(&["apply", "--auto-approve", "--state", "prod", "--var", "size=huge"]);
        assert_eq!(bimetal.ok(&["output", "text", "--raw"]).trim(), "default small", "{store}");
        let text = bimetal.run_with(&[("BIMETAL_STATE", "prod")], &["output", "text", "--raw"]).ok();
        assert_eq!(text.trim(), "prod huge", "{store}");
        let revisions = |state: &str| {
            let listed = json(&bimetal.ok(&["history", "--json", "--state", state]));
            listed["revisions"].as_array().expect("a list").len()
        };
        assert_eq!((revisions("default"), revisions("prod"), revisions("new")), (1, 2, 0), "{store}");
        assert_eq!(bimetal.ok(&["state", "names", "--state", "prod"]), "  default\n* prod\n", "{store}");
        let names = json(&bimetal.ok(&["state", "names", "--state", "new", "--json"]));
        assert_eq!(names, serde_json::json!({ "format": 1, "names": ["default", "new", "prod"], "current": "new" }));
        // With nothing but its own files: that of another state is none of them.
        bimetal.ok(&["rollback", "1", "--auto-approve", "--state", "prod"]);
        assert_eq!(bimetal.ok(&["output", "text", "--raw", "--state", "prod"]).trim(), "prod large", "{store}");
    }
}

#[test]
fn a_saved_plan_is_for_the_state_of_its_name() {
    let bimetal = named("");
    bimetal.ok(&["plan", "--state", "prod", "--out", "saved"]);
    insta::assert_snapshot!(bimetal.run(&["apply", "saved"]).failed(), @r"
    error: the saved plan was made for the state `prod`, and this is `default`
     |
     = hint: do it with `--state prod`, or make another one for this state
    ");
    assert_eq!(bimetal.ok(&["state", "names"]), "* default\n");
    bimetal.ok(&["apply", "saved", "--state", "prod"]);
    assert_eq!(bimetal.ok(&["output", "text", "--raw", "--state", "prod"]).trim(), "prod large");
    let wrong = bimetal.run(&["plan", "--state", "../prod"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("a state's name is lower-case letters"), "{wrong}");
    insta::assert_snapshot!(bimetal.run_with(&[("BIMETAL_STATE", "Prod")], &["plan"]).failed(), @r"
    error: `BIMETAL_STATE` is `Prod`, which is no name of a state
     |
     = note: a state's name is lower-case letters, digits, `-` and `_`, begins with a letter or a digit, and has no more than 32 of them
    ");
}
