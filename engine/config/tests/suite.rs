//! Files of tests: what they say, and what is wrong with them.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_config::suite::Suite;
use bimetal_config::{Assertion, Scope, SourceFile, assertion, parse_suite};
use bimetal_model::{Address, BlockKind, Type, Value};
use common::{scope, show, source};
use insta::assert_snapshot;

/// What a file comes to, and what is said of it.
fn check(file: &SourceFile) -> String {
    let (suite, diagnostics) = parse_suite(file);
    let said: String = diagnostics.iter().map(|diagnostic| show(diagnostic, &[file]) + "\n").collect();
    text(&suite) + &said
}

fn text(suite: &Suite) -> String {
    let mut lines = format!("variables {:?}\n", Vec::from_iter(suite.variables.keys()));
    lines += &format!("providers {:?}\n", suite.providers.keys());
    for (key, mock) in &suite.mocks {
        let expression = |one: &bimetal_config::suite::Defaults| format!("{:?} from {:?}", one.values, one.during);
        lines += &format!("mock {key}: machine {:?}\n", mock.machine.as_ref().map(expression));
        for (ty, defaults) in mock.resources.iter().chain(&mock.data) {
            lines += &format!("  {ty}: {}\n", expression(defaults));
        }
        lines.extend(mock.overrides.iter().map(|by| format!("  {} is {:?}\n", by.target, by.values)));
    }
    lines.extend(suite.overrides.iter().map(|by| format!("{} is {:?} from {:?}\n", by.target, by.values, by.during)));
    for run in &suite.runs {
        let folder = run.module.as_ref().map(|source| &*source.folder);
        lines += &format!("run {} {:?} in {folder:?}, state {:?}\n", run.name, run.command, run.state_key);
        let options = &run.options;
        lines += &format!(
            "  with {:?}, refresh {}, {:?}",
            Vec::from_iter(run.variables.keys()),
            options.refresh,
            options.mode
        );
        let names = options.targets.iter().chain(&options.replace).map(ToString::to_string).collect::<Vec<_>>();
        lines += &format!(" {}\n", names.join(" "));
        lines += &format!("  providers {:?}\n", run.providers);
        lines.extend(run.asserts.iter().map(|assert| format!("  {:?}: {:?}\n", assert.condition, assert.message)));
        lines.extend(run.expected.iter().map(|expected| format!("  expects {}\n", expected.what)));
        lines.extend(run.overrides.iter().map(|by| format!("  {} is {:?}\n", by.target, by.values)));
    }
    lines
}

const NATIVE: &str = r#"
variables {
  size = 1
}
provider "docker" {
  alias = "west"
}
mock_provider "docker" {
  override_during = plan
  mock_machine {
    defaults = { platform = "linux/arm64" }
  }
  mock_resource "docker_volume" {
    override_during = apply
    defaults        = {}
  }
  mock_data "docker_engine" {}
  override_resource {
    target = docker_volume.a
    values = {}
  }
}
override_module {
  target  = module.net
  outputs = { name = "n" }
}
run "first" {
  command = plan
  variables {
    size = 2
  }
  providers = {
    docker = docker.west
  }
  plan_options {
    refresh = false
    mode    = refresh-only
    target  = [docker_volume.a["x"], service.web.replica[0], module.net]
    replace = [docker_volume.b[0]]
  }
  assert {
    condition     = output.size == var.size
    error_message = "no"
  }
  assert {
    condition     = true
    error_message = "${var.size}"
  }
  expect_failures = [var.size, output.size, check.c, docker_volume.a["x"], machine.docker.b, service.web]
  state_key       = "one"
}
run "second" {
  module {
    source = "./tests/../setup"
  }
  override_data {
    target          = data.docker_engine.here
    override_during = plan
    values          = { version = run.first.size }
  }
}
"#;

const JSON: &str = r#"{
  "variables": { "size": 1 },
  "provider": { "docker": { "alias": "west" } },
  "mock_provider": {
    "docker": {
      "override_during": "plan",
      "mock_machine": { "defaults": { "platform": "linux/arm64" } },
      "mock_resource": { "docker_volume": { "override_during": "apply", "defaults": {} } },
      "mock_data": { "docker_engine": {} },
      "override_resource": { "target": "docker_volume.a", "values": {} }
    }
  },
  "override_module": { "target": "module.net", "outputs": { "name": "n" } },
  "run": {
    "first": {
      "command": "plan",
      "variables": { "size": 2 },
      "providers": { "docker": "docker.west" },
      "plan_options": {
        "refresh": false,
        "mode": "refresh-only",
        "target": ["docker_volume.a[\"x\"]", "service.web.replica[0]", "module.net"],
        "replace": ["docker_volume.b[0]"]
      },
      "assert": [
        { "condition": "${output.size == var.size}", "error_message": "no" },
        { "condition": true, "error_message": "${var.size}" }
      ],
      "expect_failures":
        ["var.size", "output.size", "check.c", "docker_volume.a[\"x\"]", "machine.docker.b", "service.web"],
      "state_key": "one"
    },
    "second": {
      "module": { "source": "./tests/../setup" },
      "override_data": {
        "target": "data.docker_engine.here",
        "override_during": "plan",
        "values": { "version": "${run.first.size}" }
      }
    }
  }
}"#;

#[test]
fn a_file_is_read_whole() {
    assert_snapshot!(check(&source("a.bmtest.hcl", NATIVE)), @r#"
    variables ["size"]
    providers [ProviderKey { name: ProviderName("docker"), alias: Some("west") }]
    mock docker: machine Some("Some(\"{ platform = \\\"linux/arm64\\\" }\") from Plan")
      docker_volume: Some("{}") from Apply
      docker_engine: None from Plan
      docker_volume.a is Some("{}")
    module.net is Some("{ name = \"n\" }") from Apply
    run first Plan in None, state Some("one")
      with ["size"], refresh false, RefreshOnly docker_volume.a["x"] service.web.replica[0] module.net docker_volume.b[0]
      providers Some({ProviderKey { name: ProviderName("docker"), alias: None }: ProviderKey { name: ProviderName("docker"), alias: Some("west") }})
      "output.size == var.size": "\"no\""
      "true": "\"${var.size}\""
      expects var.size
      expects output.size
      expects check.c
      expects docker_volume.a["x"]
      expects machine.docker.b
      expects service.web
    run second Apply in Some("setup"), state None
      with [], refresh true, Normal 
      providers None
      data.docker_engine.here is Some("{ version = run.first.size }")
    "#);
}

#[test]
fn json_is_its_twin() {
    // Expressions print as they were written: what there is of them is compared, not their text.
    let bare = |text: String| {
        let is_text = |line: &&str| !line.contains("\": ") && !line.contains("Some(");
        text.lines().filter(is_text).map(str::to_owned).collect::<Vec<_>>()
    };
    let (native, json) = (check(&source("a.bmtest.hcl", NATIVE)), check(&source("a.bmtest.json", JSON)));
    assert!(!json.contains("error: "), "{json}");
    assert_eq!(native.lines().count(), json.lines().count(), "{json}");
    assert_eq!(bare(native), bare(json));
}

#[test]
fn mistakes() {
    let texts = [
        "runs \"a\" {\n}",
        "run {\n}",
        "run \"a b\" {\n}",
        "size = 1",
        "run \"a\" {\n}\nrun \"a\" {\n}",
        "variables {\n}\nvariables {\n}",
        "mock_provider \"docker\" {\n}\nprovider \"docker\" {\n}",
        "run \"a\" {\n command = destroy\n}",
        "run \"a\" {\n comand = plan\n}",
        "run \"a\" {\n asert {\n }\n}",
        "run \"a\" {\n assert {\n condition = true\n }\n}",
        "run \"a\" {\n assert {\n condition = size == 1\n error_message = \"\"\n }\n}",
        "run \"a\" {\n module {\n }\n}",
        "run \"a\" {\n module {\n source = \"registry/x\"\n }\n}",
        "run \"a\" {\n module {\n source = \"./${var.a}\"\n }\n}",
        "run \"a\" {\n variables {\n }\n variables {\n }\n}",
        "run \"a\" {\n plan_options {\n target = [docker_volume]\n replace = docker_volume.a\n }\n}",
        "run \"a\" {\n plan_options {\n mode = destroy\n }\n}",
        "run \"a\" {\n plan_options {\n refresh = maybe\n }\n}",
        "run \"a\" {\n expect_failures = var.a\n}",
        "run \"a\" {\n expect_failures = [local.a, module.b]\n}",
        "run \"a\" {\n providers = [docker]\n}",
        "mock_provider \"docker\" {\n mock_resource {\n }\n}",
        "mock_provider \"docker\" {\n mock_machine \"docker_machine\" {\n }\n}",
        "mock_provider \"docker\" {\n mock_data \"a\" {\n }\n mock_data \"a\" {\n }\n}",
        "mock_provider \"docker\" {\n mock_resource \"a\" {\n values = {}\n }\n}",
        "mock_provider \"docker\" {\n mock_volume \"a\" {\n }\n}",
        "mock_provider \"docker\" {\n sorce = \"./mocks\"\n}",
        "override_resource {\n values = {}\n}",
        "override_resource {\n target = data.a.b\n}",
        "override_data {\n target = a.b\n}",
        "override_module {\n target = a.b\n}",
        "override_module {\n target = module.a\n values = {}\n}",
        "override_resource {\n target = 1\n}",
    ];
    let one = |text: &&str| {
        let file = source("a.bmtest.hcl", text);
        let (_, said) = parse_suite(&file);
        assert!(!said.is_empty(), "{text}");
        let said: String = said.iter().map(|diagnostic| format!("  {}\n", show(diagnostic, &[&file]))).collect();
        format!("{}\n{said}", text.replace('\n', "\\n"))
    };
    assert_snapshot!(texts.iter().map(one).collect::<String>(), @r#"
    runs "a" {\n}
      error: no block of tests is called `runs` at «runs "a"» hint: did you mean `run`?
    run {\n}
      error: `run` takes 1 labels, here are 0 at «run» hint: write `run "<name>" { … }`
    run "a b" {\n}
      error: `a b` is no name at «run "a b"» hint: names are letters, digits, `_` and `-`, and begin with a letter or `_`
    size = 1
      error: `size` stands outside of any block at «size» hint: put it into a block, as `variables { … }`
    run "a" {\n}\nrun "a" {\n}
      error: run `a` is declared twice (the first one is in `a.bmtest.hcl`, line 1) at «run "a"» hint: rename or remove one of them
    variables {\n}\nvariables {\n}
      error: the block `variables` is declared twice (the first one is in `a.bmtest.hcl`, line 1) at «variables» hint: rename or remove one of them
    mock_provider "docker" {\n}\nprovider "docker" {\n}
      error: provider `docker` is declared twice (the first one is in `a.bmtest.hcl`, line 1) at «provider "docker"» hint: rename or remove one of them
    run "a" {\n command = destroy\n}
      error: `command` is `plan` or `apply` at «destroy»
    run "a" {\n comand = plan\n}
      error: `plan` stands for nothing at «plan» hint: text stands between quotes: `"plan"`
      error: no argument is called `comand` here at «comand» hint: did you mean `command`?
    run "a" {\n asert {\n }\n}
      error: `asert` does not belong into `run` at «asert» hint: did you mean `assert`?
    run "a" {\n assert {\n condition = true\n }\n}
      error: `error_message` is missing at «assert»
    run "a" {\n assert {\n condition = size == 1\n error_message = ""\n }\n}
      error: `size` stands for nothing at «size» hint: text stands between quotes: `"size"`
    run "a" {\n module {\n }\n}
      error: `source` is missing at «module» hint: write `source = "./tests/setup"`
    run "a" {\n module {\n source = "registry/x"\n }\n}
      error: `registry/x` is no local path at «"registry/x"» hint: it begins with `./` or `../`, and leads on from the root
    run "a" {\n module {\n source = "./${var.a}"\n }\n}
      error: a plain string is wanted here at «"./${var.a}"» hint: it is read before anything is evaluated: no references, no functions
    run "a" {\n variables {\n }\n variables {\n }\n}
      error: `variables` is there twice at «variables» hint: put what is in them into one
    run "a" {\n plan_options {\n target = [docker_volume]\n replace = docker_volume.a\n }\n}
      error: this is no address at «docker_volume» hint: as `machine.docker.a`, `docker_volume.data["x"]`, `service.web.replica[0]` or `module.net` are
      error: `replace` is a list at «docker_volume.a» hint: write `replace = [docker_volume.data]`
    run "a" {\n plan_options {\n mode = destroy\n }\n}
      error: `mode` is `normal` or `refresh-only` at «destroy»
    run "a" {\n plan_options {\n refresh = maybe\n }\n}
      error: `maybe` stands for nothing at «maybe» hint: text stands between quotes: `"maybe"`
      error: `refresh` is `true` or `false` at «maybe»
    run "a" {\n expect_failures = var.a\n}
      error: `expect_failures` is a list at «var.a» hint: write `expect_failures = [var.size, check.health]`
    run "a" {\n expect_failures = [local.a, module.b]\n}
      error: this has no conditions that could fail at «local.a» hint: there are `var.<name>`, `output.<name>`, `check.<name>`, and blocks: `docker_volume.a`
      error: this has no conditions that could fail at «module.b» hint: there are `var.<name>`, `output.<name>`, `check.<name>`, and blocks: `docker_volume.a`
    run "a" {\n providers = [docker]\n}
      error: this must say which provider is which at «[docker]» hint: write `providers = { docker = docker.west }`
    mock_provider "docker" {\n mock_resource {\n }\n}
      error: `mock_resource` takes 1 labels, here are 0 at «mock_resource» hint: the label is the type
    mock_provider "docker" {\n mock_machine "docker_machine" {\n }\n}
      error: `mock_machine` takes 0 labels, here are 1 at «mock_machine "docker_machine"» hint: take them out
    mock_provider "docker" {\n mock_data "a" {\n }\n mock_data "a" {\n }\n}
      error: `mock_data "a"` is there twice at «mock_data "a"» hint: remove one of them
    mock_provider "docker" {\n mock_resource "a" {\n values = {}\n }\n}
      error: no argument is called `values` here at «values» hint: there are `defaults`, `override_during`
    mock_provider "docker" {\n mock_volume "a" {\n }\n}
      error: `mock_volume` does not belong into `mock_provider` at «mock_volume "a"» hint: there are `mock_machine`, `mock_resource`, `mock_data`, `override_resource`, `override_data`, `override_module`
    mock_provider "docker" {\n sorce = "./mocks"\n}
      error: no argument is called `sorce` here at «sorce» hint: did you mean `source`?
    override_resource {\n values = {}\n}
      error: `target` is missing at «override_resource»
    override_resource {\n target = data.a.b\n}
      error: `data.a.b` is nothing that `override_resource` could stand for at «override_resource» hint: write `target = docker_volume.data`
    override_data {\n target = a.b\n}
      error: `a.b` is nothing that `override_data` could stand for at «override_data» hint: write `target = data.docker_engine.here`
    override_module {\n target = a.b\n}
      error: `a.b` is nothing that `override_module` could stand for at «override_module» hint: write `target = module.net`
    override_module {\n target = module.a\n values = {}\n}
      error: no argument is called `values` here at «values» hint: there are `target`, `override_during`, `outputs`
    override_resource {\n target = 1\n}
      error: this is no address at «1» hint: write `docker_volume.data`, `machine.docker.a[0]` or `module.net`
    "#);
}

#[test]
fn who_stands_for_whom_in_a_run() {
    let text = r#"
provider "docker" {
  alias = "west"
}
mock_provider "docker" {
  override_resource {
    target = docker_volume.a
  }
}
mock_provider "digitalocean" {
  alias = "fake"
}
override_resource {
  target = docker_volume.b
}
run "a" {
  override_resource {
    target = docker_volume.c
  }
}
run "b" {
  providers = {
    docker            = docker.west
    digitalocean.west = digitalocean.fake
  }
}
run "c" {
  providers = {
    docker = docker.east
  }
}
"#;
    let file = source("a.bmtest.hcl", text);
    let (suite, said) = parse_suite(&file);
    assert!(said.is_empty(), "{said:?}");
    let one = |run| match suite.in_force(run) {
        Ok(in_force) => {
            let mocks: Vec<String> = in_force.mocks.keys().map(ToString::to_string).collect();
            let providers: Vec<String> = in_force.providers.keys().map(ToString::to_string).collect();
            let targets: Vec<String> = in_force.overrides.iter().map(|by| by.target.to_string()).collect();
            format!("{providers:?}, mocked {mocks:?}, instead of {targets:?}\n")
        }
        Err(said) => said.iter().map(|diagnostic| show(diagnostic, &[&file]) + "\n").collect(),
    };
    assert_snapshot!(suite.runs.iter().map(one).collect::<String>(), @r#"
    ["digitalocean.fake", "docker", "docker.west"], mocked ["digitalocean.fake", "docker"], instead of ["docker_volume.a", "docker_volume.b", "docker_volume.c"]
    ["digitalocean.west", "docker"], mocked ["digitalocean.west"], instead of ["docker_volume.b"]
    error: the file has no provider `docker.east` at «run "c"» hint: did you mean `docker.west`?
    "#);
}

/// What comes of `condition`, where `run.first` and `output.size` are there.
fn assert_that(condition: &str) -> String {
    let text = format!("run \"a\" {{\n assert {{\n condition = {condition}\n error_message = \"no\"\n }}\n}}");
    let file = source("a.bmtest.hcl", &text);
    let (suite, said) = parse_suite(&file);
    let shown = |said: &[bimetal_model::Diagnostic]| -> String {
        let one = |diagnostic: &bimetal_model::Diagnostic| {
            let values: String = diagnostic.values.iter().map(|value| format!("; {value}")).collect();
            show(diagnostic, &[&file]) + &values
        };
        said.iter().map(one).collect::<Vec<_>>().join(" | ")
    };
    match suite.runs.first().and_then(|run| run.asserts.first()).filter(|_| said.is_empty()) {
        None => shown(&said),
        Some(assert) => match assertion(assert, &named()) {
            Assertion::Holds => "holds".to_owned(),
            Assertion::Fails(diagnostic) => format!("fails: {}", shown(&[*diagnostic])),
            Assertion::Broken(diagnostics) => format!("broken: {}", shown(&diagnostics)),
        },
    }
}

fn named() -> Scope {
    let mut scope = scope();
    let long: Value = (0..40).map(|n| (format!("name{n}"), Value::from(n as u64))).collect();
    let of_run: Value = [("size", Value::from(1u64)), ("later", Value::unknown(Type::Number))].into_iter().collect();
    let list = Value::list(Type::String, ["a".into()]);
    Arc::make_mut(&mut scope.variables).insert("list".to_owned(), list);
    scope.objects = Arc::new(BTreeMap::from([
        (Address::new(BlockKind::Resource, "run", "first"), of_run),
        (Address::new(BlockKind::Resource, "output", "size"), Value::from(2u64)),
        (Address::new(BlockKind::Resource, "output", "long"), long),
    ]));
    scope
}

#[test]
fn assertions_say_what_they_refer_to() {
    let conditions = [
        "output.size == 2",
        "output.size == run.first.size",
        "run.first.later == 1",
        "var.nothing",
        "\"x\"",
        "output.sise == 1",
        "run.secnod.size == 1",
        "run.first.sise == 1",
        "var.secret == \"x\"",
        "length(output.long) == 1",
        "alltrue([for n in [1, 2] : n == output.size])",
        "upper(1, 2) == output.size",
        "var.list == [\"a\"]",
    ];
    let one = |condition: &&str| format!("{condition} => {}\n", assert_that(condition));
    assert_snapshot!(conditions.iter().map(one).collect::<String>(), @r#"
    output.size == 2 => holds
    output.size == run.first.size => fails: error: the assertion does not hold (no) at «output.size == run.first.size»; output.size is 2; run.first.size is 1
    run.first.later == 1 => broken: error: this is known only after apply at «run.first.later == 1» hint: write `command = apply`, or give what is unknown a value with `override_during = plan`; run.first.later is known only after apply
    var.nothing => broken: error: a condition can't be `null` at «var.nothing»; var.nothing is null
    "x" => broken: error: this is no condition (bool required: `true` or `false`) at «"x"»
    output.sise == 1 => broken: error: no output `sise` is declared at «output.sise» hint: did you mean `size`?
    run.secnod.size == 1 => broken: error: no run `secnod` came before this one at «run.secnod.size» hint: there is only `first`
    run.first.sise == 1 => broken: error: there is no attribute `sise` at «.sise» hint: did you mean `size`?; run.first is an object with 2 attributes
    var.secret == "x" => fails: error: the assertion does not hold (no) at «var.secret == "x"»; var.secret has a sensitive value
    length(output.long) == 1 => fails: error: the assertion does not hold (no) at «length(output.long) == 1»; output.long is an object with 40 attributes
    alltrue([for n in [1, 2] : n == output.size]) => fails: error: the assertion does not hold (no) at «alltrue([for n in [1, 2] : n == output.size])»; output.size is 2
    upper(1, 2) == output.size => broken: error: `upper` takes 1 argument, here are 2 at «2»
    var.list == ["a"] => fails: error: the assertion does not hold (no) at «var.list == ["a"]»; var.list is a list of string with 1 element
    "#);
}

/// A file of tests whose mock has its files read, and what is said of it.
fn check_mock(suite: &str, files: &[(&str, &str)]) -> String {
    let file = source("main.bmtest.hcl", suite);
    let (mut suite, mut said) = parse_suite(&file);
    let files: Vec<SourceFile> = files.iter().map(|(name, text)| source(name, text)).collect();
    for mock in suite.mocks.values_mut() {
        said.extend(mock.read(&files));
    }
    let sources: Vec<&SourceFile> = files.iter().chain([&file]).collect();
    let said: String = said.iter().map(|diagnostic| show(diagnostic, &sources) + "\n").collect();
    text(&suite) + &said
}

#[test]
fn files_of_mocks_say_what_the_mock_does_not() {
    let suite = "mock_provider \"docker\" {\n  source          = \"./mocks\"\n  override_during = plan\n  \
                 mock_resource \"docker_volume\" {\n    defaults = { name = \"own\" }\n  }\n}\n";
    let volumes = "mock_resource \"docker_volume\" {\n  defaults = { name = \"shared\" }\n}\n\
                   mock_resource \"docker_network\" {\n  defaults = { name = \"shared\" }\n}\n";
    let more = r#"{"mock_machine": {"defaults": {"cpus": 2}}, "override_data": {"target": "data.docker_engine.a"}}"#;
    assert_snapshot!(check_mock(suite, &[("mocks/a.bmmock.hcl", volumes), ("mocks/b.bmmock.json", more)]), @r#"
    variables []
    providers []
    mock docker: machine Some("Some(\"{\\\"cpus\\\": 2}\") from Plan")
      docker_network: Some("{ name = \"shared\" }") from Plan
      docker_volume: Some("{ name = \"own\" }") from Plan
      data.docker_engine.a is None
    "#);
    let wrong = "x = 1\nmock_machin {\n}\nmock_resource \"docker_network\" {\n  alias = \"a\"\n}\n";
    assert_snapshot!(check_mock(suite, &[("mocks/a.bmmock.hcl", volumes), ("mocks/b.bmmock.hcl", wrong)]), @r#"
    variables []
    providers []
    mock docker: machine None
      docker_network: Some("{ name = \"shared\" }") from Plan
      docker_volume: Some("{ name = \"own\" }") from Plan
    error: `x` stands outside of any block at «x» hint: put it into a block, as `mock_resource "<type>" { … }`
    error: `mock_machin` does not belong into `mock_provider` at «mock_machin» hint: did you mean `mock_machine`?
    error: `mock_resource "docker_network"` is there twice at «mock_resource "docker_network"» hint: remove one of them
    "#);
    assert_snapshot!(check_mock("mock_provider \"docker\" {\n  source = \"mocks\"\n}\n", &[]), @r#"
    variables []
    providers []
    mock docker: machine None
    error: `mocks` is no local path at «"mocks"» hint: it begins with `./` or `../`, and leads on from the root
    "#);
}
