//! What people see: help, mistakes, plans, the state. Only the last tests need an engine.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bimetal_tests::spawn::finish;
use bimetal_tests::wait::until;
use bimetal_tests::{Bimetal, Engine, Lab, Ran, image};
use insta::assert_snapshot;
use serde_json::Value;
use xtask::web::Platform;

const COMMANDS: [&str; 25] = [
    "init",
    "validate",
    "fmt",
    "plan",
    "apply",
    "destroy",
    "diff",
    "import",
    "test",
    "plugin",
    "show",
    "console",
    "output",
    "providers",
    "state",
    "status",
    "history",
    "rollback",
    "machines",
    "ps",
    "logs",
    "exec",
    "ssh",
    "version",
    "completions",
];

/// Needs no engine, and no provider that asks anybody.
const QUIET: &str = r#"
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

output "names" {
  value = [for name in ["a", "b"] : upper(name)]
}

output "token" {
  value     = var.token
  sensitive = true
}
"#;

/// Says what a command answered, without what differs from run to run.
fn shown(ran: &Ran, folder: &Path) -> String {
    let Ran { words, code, stdout, stderr } = ran;
    let folder = folder.canonicalize().expect("our own folder").display().to_string();
    let text = format!("$ bimetal {words}\n{stdout}{stderr}({code})\n").replace(&folder, "[folder]");
    assert!(!text.contains('\u{1b}'), "colours where there is no terminal: {text:?}");
    // Said by whoever comes first, or as often as there is time for it.
    let passing = |line: &&str| line.starts_with("compiling provider") || line.contains(": uploading ");
    let lines = text.lines().filter(|line| !passing(line)).map(|line| timeless(line.trim_end()));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// `0.3s` is `[time]`.
fn timeless(line: &str) -> String {
    let word = |word: &str| {
        let core = word.trim_end_matches(['.', ',']);
        let is_time = core.strip_suffix('s').is_some_and(|number| number.parse::<f64>().is_ok());
        if is_time { word.replacen(core, "[time]", 1) } else { word.to_owned() }
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn ran(bimetal: &Bimetal, words: &[&str]) -> String {
    shown(&bimetal.run(words), bimetal.folder())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"))
}

#[test]
fn every_command_has_help() {
    let bimetal = Bimetal::new("");
    let whole = bimetal.ok(&["--help"]);
    assert_snapshot!("help", whole);
    for command in COMMANDS {
        assert!(whole.lines().any(|line| line.trim_start().starts_with(command)), "{command} is not in: {whole}");
        let help = bimetal.ok(&[command, "--help"]);
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
        assert!(help.contains(&format!("Usage: bimetal {command}")), "{help}");
        assert_snapshot!(format!("help_{command}"), help);
    }
}

#[test]
fn versions_are_told() {
    let bimetal = Bimetal::new("");
    let told = bimetal.ok(&["version"]);
    assert!(told.starts_with(&format!("bimetal {}\n", env!("CARGO_PKG_VERSION"))), "{told}");
    assert_eq!(told.matches("  provider ").count(), 3, "{told}");
    let document = json(&bimetal.ok(&["version", "-json"]));
    assert_eq!((&document["format"], &document["providers"][2]["name"]), (&1.into(), &"docker".into()));
}

#[test]
fn completions_are_programs_of_their_shell() {
    let bimetal = Bimetal::new("");
    for (shell, check) in [("bash", &["bash", "-n"][..]), ("zsh", &["zsh", "-n"]), ("fish", &["fish", "--no-execute"])]
    {
        let script = bimetal.ok(&["completions", shell]);
        assert!(COMMANDS.iter().all(|command| script.contains(command)), "{shell}: {script}");
        let file = bimetal.write(shell, &script);
        if xtask::process::exists(check[0]) {
            let checked = finish(Command::new(check[0]).args(&check[1..]).arg(&file));
            assert!(checked.status.success(), "{shell}: {}", String::from_utf8_lossy(&checked.stderr));
        }
    }
    let refused = bimetal.run(&["completions", "tcsh"]);
    assert_eq!(refused.code, 2, "{refused}");
}

/// A configuration with one mistake.
const MISTAKES: &[(&str, &str)] = &[
    ("an_attribute_misspelt", "machine \"docker\" \"a\" {\n  hots = \"unix:///s\"\n}\n"),
    ("a_block_misspelt", "servcie \"web\" {\n  image = \"nginx\"\n}\n"),
    ("a_provider_misspelt", "machine \"dokcer\" \"a\" {\n  host = \"unix:///s\"\n}\n"),
    ("a_type_misspelt", "resource \"docker_volum\" \"a\" {\n  name = \"a\"\n}\n"),
    ("a_root_that_is_unknown", "output \"a\" {\n  value = vra.a\n}\n"),
    ("a_name_that_is_not_declared", "variable \"size\" {\n  default = 1\n}\n\noutput \"a\" {\n  value = var.sise\n}\n"),
    ("a_wrong_type", "machine \"docker\" \"a\" {\n  host   = \"unix:///s\"\n  labels = \"tier\"\n}\n"),
    ("an_argument_that_is_missing", "resource \"docker_volume\" \"a\" {\n  name = \"a\"\n}\n"),
    ("a_value_that_makes_no_sense", "machine \"docker\" \"a\" {\n  host = \"docker.sock\"\n}\n"),
    ("a_circle", "locals {\n  a = local.b\n  b = local.a\n}\n\noutput \"a\" {\n  value = [local.a, uper(\"a\")]\n}\n"),
    ("a_variable_without_a_value", "variable \"a\" {\n  type = string\n}\n\noutput \"a\" {\n  value = var.a\n}\n"),
    ("a_default_of_the_wrong_type", "variable \"a\" {\n  type    = number\n  default = \"many\"\n}\n"),
    ("a_function_that_is_unknown", "output \"a\" {\n  value = uper(\"a\")\n}\n"),
    ("an_argument_too_many", "output \"a\" {\n  value = upper(\"a\", \"b\")\n}\n"),
    ("a_brace_that_is_missing", "output \"a\" {\n  value = 1\n"),
    ("the_same_twice", "output \"a\" {\n  value = 1\n}\n\noutput \"a\" {\n  value = 2\n}\n"),
    ("a_pool_of_nothing", "service \"web\" {\n  pool  = pool.all\n  image = \"nginx\"\n}\n"),
    ("a_version_that_is_not_this_one", "bimetal {\n  required_version = \">= 99\"\n}\n"),
];

#[test]
fn mistakes_are_shown_where_they_are() {
    for (name, configuration) in MISTAKES {
        let bimetal = Bimetal::new(configuration);
        // What a value is missing for is no mistake where nothing is to be done.
        let command = if *name == "a_variable_without_a_value" { "plan" } else { "validate" };
        let refused = bimetal.run(&[command]);
        assert_eq!(refused.code, 1, "{refused}");
        assert_snapshot!(format!("mistake_{name}"), shown(&refused, bimetal.folder()));
        // Programs are told the same, and where it is.
        let told = json(&bimetal.run(&[command, "-json"]).stdout);
        let first = &told["diagnostics"][0];
        assert_eq!((&told["format"], &first["severity"]), (&1.into(), &"error".into()), "{name}: {told}");
        assert!(first["line"].is_u64() && first["column"].is_u64(), "{name}: {told}");
    }
}

#[test]
fn several_mistakes_are_told_at_once() {
    let configuration: String = MISTAKES.iter().take(1).chain(&MISTAKES[4..6]).map(|(_, text)| *text).collect();
    let bimetal = Bimetal::new(&configuration.replacen("output \"a\"", "output \"b\"", 1));
    assert_eq!(bimetal.run(&["validate"]).stderr.matches("error: ").count(), 4);
    let words = "hots = \"unix:///s\"\n  engine = 1\n  cpus = 2";
    let bimetal = Bimetal::new(&MISTAKES[0].1.replace("hots = \"unix:///s\"", words));
    assert_eq!(bimetal.run(&["validate"]).stderr.matches("error: ").count(), 4);
}

#[test]
fn a_file_that_is_no_text_is_told_with_its_line() {
    let bimetal = Bimetal::new("locals {\n  a = 1\n}\n");
    std::fs::write(bimetal.folder().join("b.bm.hcl"), b"locals {\n  b = \"caf\xe9\"\n}\n")
        .expect("the folder is there");
    let error = bimetal.run(&["validate"]).failed();
    assert!(error.contains("`b.bm.hcl` is no UTF-8") && error.contains("in line 2"), "{error}");
}

#[test]
fn a_valid_configuration_is_said_to_be() {
    let bimetal = Bimetal::new(QUIET);
    assert_eq!(bimetal.ok(&["validate"]), "The configuration is valid.\n");
    assert_eq!(json(&bimetal.ok(&["validate", "--json"]))["diagnostics"], Value::Array(Vec::new()));
}

const UNTIDY: &str = "output  \"a\" {\nvalue=1\n   sensitive = false # no\n}\n";
const TIDY: &str = "output \"a\" {\n  value     = 1\n  sensitive = false # no\n}\n";

/// Two files that are not in style, one that is, one that can't be read, and some that are none of `fmt`'s business.
fn untidy() -> Bimetal {
    let bimetal = Bimetal::new(UNTIDY);
    std::fs::create_dir_all(bimetal.folder().join("deep/er")).expect("our own folder");
    std::fs::create_dir(bimetal.folder().join(".hidden")).expect("our own folder");
    bimetal.write("deep/er/some.bmvars.hcl", "a=1\n");
    bimetal.write("tidy.bm.hcl", TIDY);
    for elsewhere in [".hidden/main.bm.hcl", ".main.bm.hcl", "bimetal.lock.hcl", "notes.hcl"] {
        bimetal.write(elsewhere, UNTIDY);
    }
    bimetal
}

#[test]
fn fmt_brings_files_into_style_and_tells_which() {
    let bimetal = untidy();
    let read = |name: &str| std::fs::read_to_string(bimetal.folder().join(name)).expect("our own file");
    let lines: [&[&str]; 8] = [
        &["fmt", "-check"],
        &["fmt", "-check", "-recursive", "-diff"],
        &["fmt", "-check", "-list=false"],
        &["fmt", "-write=false", "-list=false", "main.bm.hcl"],
        &["fmt", "-write=false", "-list=false", "-diff", "deep/er"],
        &["fmt", "-json", "-check", "-diff"],
        &["fmt", "notes.hcl", "nowhere"],
        &["fmt", "-", "main.bm.hcl"],
    ];
    let all: String = lines.iter().map(|words| ran(&bimetal, words) + "\n").collect();
    assert_snapshot!(all);
    assert_eq!(read("main.bm.hcl"), UNTIDY);
    assert_eq!(bimetal.ok(&["fmt"]), "main.bm.hcl\n");
    assert_eq!((read("main.bm.hcl").as_str(), read("deep/er/some.bmvars.hcl").as_str()), (TIDY, "a=1\n"));
    assert_eq!(bimetal.ok(&["fmt", "-recursive", "."]), "./deep/er/some.bmvars.hcl\n");
    assert_eq!(bimetal.ok(&["fmt", "-recursive", "-check"]), "");
    for elsewhere in [".hidden/main.bm.hcl", ".main.bm.hcl", "bimetal.lock.hcl", "notes.hcl"] {
        assert_eq!(read(elsewhere), UNTIDY, "{elsewhere}");
    }
}

#[test]
fn fmt_reads_and_prints() {
    let bimetal = Bimetal::new("");
    let run = |words: &[&str], input: &str| bimetal.run_fed(words, input);
    assert_eq!(run(&["fmt", "-"], UNTIDY).ok(), TIDY);
    assert_eq!(run(&["fmt", "-"], "a = \"\u{1b}[1m\"").ok(), "a = \"\u{1b}[1m\"\n");
    let checked = run(&["fmt", "-check", "-"], UNTIDY);
    assert_eq!((checked.code, checked.stdout.as_str()), (3, ""), "{checked}");
    assert_eq!(run(&["fmt", "-check", "-"], TIDY).ok(), "");
    assert_snapshot!(run(&["fmt", "-diff", "-"], UNTIDY).ok());
    assert_snapshot!(run(&["fmt", "-"], "a = [1\nb {\n").failed());
    assert_eq!(json(&run(&["fmt", "-json", "-"], UNTIDY).ok())["files"][0]["text"], TIDY);
    assert_eq!(json(&run(&["fmt", "-json", "-"], "a =").failed())["diagnostics"][0]["line"], 1);
}

#[test]
fn fmt_goes_on_where_one_file_can_not_be_read() {
    let bimetal = untidy();
    bimetal.write("broken.bm.hcl", "locals {\n  a = \n  a = 1\n  a = 2\n}\n");
    std::fs::write(bimetal.folder().join("binary.bm.hcl"), b"a = \"\xff\"\n").expect("our own file");
    let refused = bimetal.run(&["fmt"]);
    assert_eq!(refused.code, 1, "{refused}");
    assert_snapshot!(shown(&refused, bimetal.folder()));
    assert_eq!(std::fs::read_to_string(bimetal.folder().join("main.bm.hcl")).expect("our own file"), TIDY);
    assert_eq!(json(&bimetal.run(&["fmt", "-json"]).stdout)["diagnostics"][1]["line"], 2);
}

#[test]
fn fmt_keeps_links_and_permissions() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let bimetal = Bimetal::without_key(TIDY);
    let (link, file) = (bimetal.folder().join("link.bm.hcl"), bimetal.folder().join("kept.hcl"));
    std::fs::write(&file, UNTIDY).expect("our own file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("our own file");
    symlink("kept.hcl", &link).expect("a link");
    assert_eq!(bimetal.ok(&["fmt"]), "link.bm.hcl\n");
    assert!(link.is_symlink());
    assert_eq!(std::fs::read_to_string(&file).expect("our own file"), TIDY);
    assert_eq!(file.metadata().expect("our own file").permissions().mode() & 0o777, 0o640);
    let left = std::fs::read_dir(bimetal.folder()).expect("our own folder").count();
    assert_eq!(left, 3, "nothing is left behind");

    std::fs::write(&file, UNTIDY).expect("our own file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o440)).expect("our own file");
    let refused = bimetal.run(&["fmt"]).failed();
    assert!(refused.contains("writing `link.bm.hcl`: it is read-only"), "{refused}");
    assert_eq!(std::fs::read_to_string(&file).expect("our own file"), UNTIDY);
}

#[test]
fn words_that_make_no_sense_are_told_with_the_nearest() {
    let bimetal = Bimetal::new(QUIET);
    let lines: [&[&str]; 8] = [
        &["plna"],
        &["plan", "--detailed-exit-code"],
        &["plan", "--var", "replicas"],
        &["apply", "--parallelism", "0"],
        &["state", "show", "web"],
        &["state", "show", "docker_volume.none"],
        &["output", "greting"],
        &["--chdir", "nowhere", "plan"],
    ];
    let all: String = lines.iter().map(|words| ran(&bimetal, words) + "\n").collect();
    assert_snapshot!(all);
}

#[test]
fn a_folder_without_a_configuration_is_told() {
    let bimetal = Bimetal::new("");
    std::fs::remove_file(bimetal.folder().join("main.bm.hcl")).expect("our own file");
    let commands = [&["init"][..], &["validate"], &["plan"], &["apply"], &["show"], &["output"], &["state", "list"]];
    let all: String = commands.iter().map(|words| ran(&bimetal, words) + "\n").collect();
    assert_snapshot!(all);
}

#[test]
fn modules_that_are_not_there_are_told_at_once() {
    let bimetal = Bimetal::new("module \"a\" {\n  source = \"./a\"\n}\nmodule \"b\" {\n  source = \"./none\"\n}\n");
    bimetal.write("a/main.bm.hcl", "module \"c\" {\n  source = \"../a/c\"\n}\n");
    let ran = bimetal.run(&["init"]);
    assert_snapshot!(shown(&ran, bimetal.folder()), @r#"
    $ bimetal init
    error: there is no module in `none`
     --> main.bm.hcl:5:12
      |
    5 |   source = "./none"
      |            ^^^^^^^^
      |
      = hint: a module is a folder with files that end with `.bm.hcl`

    error: there is no module in `a/c`
     --> a/main.bm.hcl:2:12
      |
    2 |   source = "../a/c"
      |            ^^^^^^^^
      |
      = hint: a module is a folder with files that end with `.bm.hcl`

    (1)
    "#);
}

#[test]
fn nobody_approves_where_nobody_is() {
    let bimetal = Bimetal::new(QUIET);
    let refused = bimetal.run(&["apply"]);
    assert_eq!(refused.code, 1);
    assert_snapshot!(shown(&refused, bimetal.folder()));
    assert!(bimetal.ok(&["output"]).is_empty());
}

#[test]
fn only_yes_is_taken_for_yes_at_a_terminal() {
    let bimetal = Bimetal::new(QUIET);
    let refused = bimetal.at_terminal(&["apply"], "y\n");
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stdout.contains("not approved: nothing was done"), "{refused}");
    assert!(bimetal.ok(&["output"]).is_empty());
    let unasked = bimetal.at_terminal(&["apply", "--input=false"], "yes\n");
    assert!(unasked.stdout.contains("nobody is there to approve the plan"), "{unasked}");
    let approved = bimetal.at_terminal(&["apply"], "yes\n");
    assert_eq!(approved.code, 0, "{approved}");
    assert_eq!(bimetal.output("greeting"), "hello world");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let mut bimetal = Bimetal::new(QUIET);
    assert!(!bimetal.at_terminal(&["plan"], "").stdout.contains("\u{1b}["));
    bimetal.environment("NO_COLOR", "");
    assert!(bimetal.at_terminal(&["plan"], "").stdout.contains("\u{1b}["));
    assert!(!bimetal.ok(&["plan"]).contains('\u{1b}'));
}

#[test]
fn long_words_are_broken_at_the_end_of_the_screen() {
    let bimetal = Bimetal::new(MISTAKES[2].1);
    let told = bimetal.at_terminal(&["validate"], "");
    assert!(told.stdout.contains("note: Bimetal brings"), "{told}");
    assert!(told.stdout.lines().all(|line| line.trim_end().chars().count() <= 80), "{told}");
}

#[test]
fn outputs_are_shown_and_secrets_are_not() {
    let bimetal = Bimetal::new(QUIET);
    bimetal.ok(&["apply", "-auto-approve", "-var", "who=you"]);
    let lines: [&[&str]; 6] = [
        &["output"],
        &["output", "names"],
        &["output", "greeting", "--raw"],
        &["output", "names", "--raw"],
        &["show"],
        &["state", "list"],
    ];
    let all: String = lines.iter().map(|words| ran(&bimetal, words) + "\n").collect();
    assert!(!all.contains("hunter2"), "{all}");
    assert_snapshot!(all);
    // Whoever asks for it by name gets it.
    assert_eq!(bimetal.ok(&["output", "token", "--raw"]), "hunter2");
    let outputs = json(&bimetal.ok(&["output", "--json"]));
    assert_eq!((&outputs["greeting"]["value"], &outputs["token"]["sensitive"]), (&"hello you".into(), &true.into()));
}

#[test]
fn a_saved_plan_is_shown_and_done_once() {
    let bimetal = Bimetal::new(QUIET);
    let saved = bimetal.run(&["plan", "--out", "saved", "--detailed-exitcode"]);
    assert_eq!(saved.code, 2, "{saved}");
    assert_snapshot!(shown(&saved, bimetal.folder()));
    assert_eq!(bimetal.ok(&["show", "saved"]), saved.stdout);
    assert_eq!(json(&bimetal.ok(&["show", "saved", "--json"]))["format"], 1);
    bimetal.ok(&["apply", "saved"]);
    let again = bimetal.run(&["apply", "saved"]).failed();
    assert!(again.contains("done already, by revision 1") && again.contains("plan --out"), "{again}");
    bimetal.write("saved", "something else");
    let other = bimetal.run(&["apply", "saved"]).failed();
    assert!(other.contains("`saved`") || other.contains("/saved`"), "{other}");
}

#[test]
fn a_state_that_is_in_use_says_by_whom_and_can_be_read() {
    // Takes connections, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let host = format!("tcp://{}", silent.local_addr().expect("a bound socket has an address"));
    let machine = format!(
        "machine \"docker\" \"a\" {{\n  host     = \"{host}\"\n  insecure = true\n  platform = \"linux/amd64\"\n}}\n"
    );
    let mut bimetal = Bimetal::new(QUIET);
    bimetal.environment("USER", "somebody");
    bimetal.apply();
    bimetal.write("machine.bm.hcl", &machine);
    let first = bimetal.start(&["apply", "--auto-approve"]);
    // The lock is taken before anything is done.
    silent.set_nonblocking(true).expect("our own socket");
    let _asked =
        until("the first to ask", Duration::from_secs(60), || silent.accept().map_err(|error| error.to_string()));
    let refused = bimetal.run(&["apply", "--auto-approve"]);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains(&format!("process {}", first.process())), "{refused}");
    assert!(refused.stderr.contains("somebody@") && refused.stderr.contains("bimetal apply"), "{refused}");
    assert!(refused.stderr.contains("`machine.docker.a` is locked") && refused.stderr.contains("since 2"), "{refused}");
    assert!(refused.stderr.contains("hint: "), "{refused}");
    // Who wants something else is not in its way.
    std::fs::remove_file(bimetal.folder().join("machine.bm.hcl")).expect("it was written above");
    bimetal.ok(&["apply", "--auto-approve", "--var", "who=you"]);
    assert_eq!(bimetal.output("greeting"), "hello you");
    let asked = bimetal.run(&["state", "force-unlock"]).failed();
    assert!(asked.contains("machine.docker.a") && asked.contains("--force"), "{asked}");
    first.kill();
    // The lock of a process that is gone is free.
    let unknown = bimetal.run(&["state", "rm", "docker_volume.none"]).failed();
    assert!(unknown.contains("the state does not know"), "{unknown}");
}

const FLEET: &str = r#"
variable "engine" {
  type = string
}

variable "replicas" {
  type    = number
  default = 2
}

machine "docker" "here" {
  host     = var.engine
  insecure = true
  labels   = { tier = "front" }
}

pool "all" {
  machines = [machine.docker.here]
}

resource "docker_volume" "data" {
  engine = machine.docker.here.engine
  name   = "data"
}

service "web" {
  pool     = pool.all
  image    = "oci:./image"
  replicas = var.replicas
  env      = { GREETING = "hello" }

  port {
    container = 8080
  }

  volume {
    source = docker_volume.data.name
    target = "/data"
  }
}

output "machines" {
  value = [for replica in service.web.replicas : replica.machine]
}
"#;

/// What differs between engines: ids, digests, addresses, and what the machine is like.
fn without_chance(text: &str, engine: &Engine) -> String {
    let text = text.replace(&engine.cell().address().to_string(), "[address]");
    let own = |line: &str| match line.split_once(" = ") {
        Some((name, _)) if ["cpus", "memory", "engine_version"].iter().any(|own| name.trim_end().ends_with(own)) => {
            format!("{name} = […]")
        }
        Some((name, _)) if name == "  name          " => format!("{name} = […]"),
        _ => line.to_owned(),
    };
    let text = in_order(&text).map(own).collect::<Vec<_>>().join("\n");
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let mut made = String::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find(is_digit) {
        let run = rest[start..].find(|c| !is_digit(c)).unwrap_or(rest.len() - start);
        made.push_str(&rest[..start]);
        let found = &rest[start..start + run];
        made.push_str(match run {
            64 => "[digest]",
            12 => "[short]",
            _ => found,
        });
        rest = &rest[start + run..];
    }
    made + rest
}

/// The lines, those of what happens meanwhile in the order of their words: nobody waits for another to say so.
fn in_order(text: &str) -> impl Iterator<Item = &str> {
    let happens = |line: &str| {
        let what = line.split_once(": ").map(|(_, what)| what);
        let words = ["uploading", "starting", "created after", "destroyed after"];
        what.is_some_and(|what| words.iter().any(|word| what.starts_with(word)))
    };
    let mut lines: Vec<&str> = text.lines().collect();
    let together = |one: &&str, next: &&str| happens(one) && happens(next);
    lines.chunk_by_mut(together).for_each(<[&str]>::sort_unstable);
    lines.into_iter()
}

#[test]
fn a_fleet_is_shown_from_plan_to_state() {
    let Some(lab) = Lab::start() else { return };
    let engine = Engine::start(&lab, "here");
    let mut bimetal = Bimetal::new(FLEET);
    image::layout(&bimetal.folder().join("image"), &[Platform::Amd64], "hello");
    bimetal.set("engine", engine.host());
    let see = |words: &[&str]| without_chance(&ran(&bimetal, words), &engine);

    assert_snapshot!("fleet_plan", see(&["plan"]));
    let applied = bimetal.run(&["apply", "--auto-approve", "--parallelism", "1"]);
    assert_eq!(applied.code, 0, "{applied}");
    assert_snapshot!("fleet_applied", without_chance(&shown(&applied, bimetal.folder()), &engine));
    assert_snapshot!("fleet_settled", see(&["plan"]));
    assert_snapshot!("fleet_state", see(&["state", "list"]) + &see(&["output"]));
    assert_snapshot!("fleet_machine", see(&["state", "show", "machine.docker.here"]));
    let replica = json(&bimetal.ok(&["state", "show", "service.web.replica[0]", "-json"]));
    assert_eq!(
        (&replica["provider"], &replica["placement"]["machine"]),
        (&"docker".into(), &"machine.docker.here".into())
    );

    for (words, list) in [
        (&["plan", "-json"][..], "changes"),
        (&["show", "-json"], "objects"),
        (&["machines", "-json"], "machines"),
        (&["ps", "-json"], "containers"),
    ] {
        let document = json(&bimetal.ok(words));
        assert_eq!(document["format"], 1, "{words:?}: {document}");
        assert!(document[list].is_array(), "{words:?}: {document}");
    }

    bimetal.set("replicas", 1);
    assert_snapshot!("fleet_smaller", without_chance(&ran(&bimetal, &["plan"]), &engine));
    let document = json(&bimetal.ok(&["apply", "-json", "-auto-approve"]));
    assert_eq!((&document["outcome"], &document["failed"]), (&"done".into(), &0.into()), "{document}");
    let destroyed = bimetal.run(&["destroy", "--auto-approve", "--parallelism", "1"]);
    assert_snapshot!("fleet_destroyed", without_chance(&shown(&destroyed, bimetal.folder()), &engine));
}
