//! `bimetal test`: what is played, what is said of it, and what is left of it. Only the last test needs an engine.

use std::net::TcpListener;
use std::time::Duration;

use bimetal_tests::wait::until;
use bimetal_tests::{Bimetal, Engine, Lab, Ran, image};
use insta::assert_snapshot;
use nix::sys::signal::Signal;
use serde_json::Value;
use xtask::web::Platform;

/// A service on a machine that nobody needs to reach.
const CONFIGURATION: &str = r#"
variable "port" {
  type    = number
  default = 8080

  validation {
    condition     = var.port > 1023
    error_message = "ports below 1024 need root, and ${var.port} is one"
  }
}

machine "docker" "here" {
  host = "ssh://pi@rack"
}

pool "all" {
  machines = [machine.docker.here]
}

service "web" {
  pool     = pool.all
  image    = "nginx:1.27"
  replicas = 2
}

resource "docker_volume" "data" {
  name   = "data-${var.port}"
  engine = machine.docker.here.engine

  lifecycle {
    precondition {
      condition     = var.port != 9090
      error_message = "9090 is for metrics"
    }
  }
}

check "port" {
  assert {
    condition     = var.port < 10000
    error_message = "a high port"
  }
}

output "volume" {
  value = docker_volume.data.name
}

output "platforms" {
  value = service.web.replicas[*].platform
}

output "secret" {
  value     = "hunter2"
  sensitive = true
}
"#;

const MOCK: &str = "mock_provider \"docker\" {\n}\n";

/// The configuration with one file of tests, whose `docker` is mocked.
fn with_runs(runs: &str) -> Bimetal {
    let bimetal = Bimetal::new(CONFIGURATION);
    bimetal.write("main.bmtest.hcl", &format!("{MOCK}{runs}"));
    bimetal
}

/// What a command answered.
fn shown(ran: &Ran) -> String {
    let Ran { words, code, stdout, stderr } = ran;
    let passing = |line: &&str| !line.starts_with("compiling provider");
    let said = stderr.lines().filter(passing).map(|line| format!("{line}\n")).collect::<String>();
    format!("$ bimetal {words}\n{stdout}--- stderr\n{said}({code})\n")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"))
}

#[test]
fn runs_say_what_is_not_as_it_should_be() {
    let bimetal = with_runs(
        r#"
variables {
  port = 8081
}

run "plans" {
  command = plan

  assert {
    condition     = docker_volume.data.name == "data-8081" && output.volume == docker_volume.data.name
    error_message = "a wrong name"
  }
  assert {
    condition     = output.platforms == ["linux/amd64", "linux/arm64"]
    error_message = "wrong platforms"
  }
}

run "applies" {
  variables {
    port = 8082
  }

  assert {
    condition     = output.volume == "data-${var.port}"
    error_message = "a wrong name"
  }
  assert {
    condition     = run.plans.volume == output.volume
    error_message = "it was another one: ${run.plans.volume}"
  }
  assert {
    condition     = output.secret == ""
    error_message = "a secret"
  }
}

run "is_played_all_the_same" {
  command = plan

  variables {
    prot = 1
  }
}

run "does_not_know_yet" {
  command   = plan
  state_key = "another"

  assert {
    condition     = machine.docker.here.address == "10.0.0.1"
    error_message = "a wrong address"
  }
}

run "is_skipped" {
}
"#,
    );
    assert_snapshot!(shown(&bimetal.run(&["test"])), @r#"
    $ bimetal test
    main.bmtest.hcl... in progress
      run "plans"... fail
      run "applies"... fail
      run "is_played_all_the_same"... pass
      run "does_not_know_yet"... fail
      run "is_skipped"... skip
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 1 passed, 3 failed, 1 skipped.
    --- stderr
    error: the assertion does not hold
      --> main.bmtest.hcl:16:21
       |
    16 |     condition     = output.platforms == ["linux/amd64", "linux/arm64"]
       |                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ wrong platforms
       |
       = value: output.platforms is a tuple with 2 elements

    error: the assertion does not hold
      --> main.bmtest.hcl:31:21
       |
    31 |     condition     = run.plans.volume == output.volume
       |                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ it was another one: data-8081
       |
       = value: output.volume is "data-8082"
       = value: run.plans.volume is "data-8081"

    error: the assertion does not hold
      --> main.bmtest.hcl:35:21
       |
    35 |     condition     = output.secret == ""
       |                     ^^^^^^^^^^^^^^^^^^^ a secret
       |
       = value: output.secret has a sensitive value

    warning: no variable `prot` is declared
      --> main.bmtest.hcl:44:5
       |
    44 |     prot = 1
       |     ^^^^
       |
       = hint: did you mean `port`?

    error: this is known only after apply
      --> main.bmtest.hcl:53:21
       |
    53 |     condition     = machine.docker.here.address == "10.0.0.1"
       |                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = value: machine.docker.here.address is known only after apply
       = hint: write `command = apply`, or give what is unknown a value with `override_during = plan`

    (1)
    "#);
}

#[test]
fn what_is_expected_to_fail_must_fail() {
    let run = |name: &str, command: &str, port: u32, expected: &str| {
        format!(
            "run \"{name}\" {{\n  command = {command}\n  variables {{\n    port = {port}\n  }}\n  expect_failures = [{expected}]\n}}\n"
        )
    };
    let bimetal = with_runs(
        &[
            run("of_a_variable", "plan", 80, "var.port"),
            run("of_a_precondition", "plan", 9090, "docker_volume.data"),
            run("of_a_check", "apply", 10000, "check.port"),
        ]
        .concat(),
    );
    assert_snapshot!(shown(&bimetal.run(&["test"])), @r#"
    $ bimetal test
    main.bmtest.hcl... in progress
      run "of_a_variable"... pass
      run "of_a_precondition"... pass
      run "of_a_check"... pass
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... pass

    Success! 3 passed, 0 failed.
    --- stderr
    (0)
    "#);
    let wrong = [
        ("does not fail", run("a", "plan", 8080, "var.port")),
        ("another one fails", run("a", "plan", 80, "check.port")),
        ("a check fails that nobody expected", "run \"a\" {\n  variables {\n    port = 10000\n  }\n}\n".to_owned()),
        ("fails before there is something to apply", run("a", "apply", 80, "var.port")),
        ("is not declared", run("a", "plan", 8080, "var.prot")),
        ("has no conditions", run("a", "plan", 8080, "output.volume, machine.docker.here")),
    ];
    let one = |(why, runs): &(&str, String)| format!("{why}\n{}\n", shown(&with_runs(runs).run(&["test"])));
    assert_snapshot!(wrong.iter().map(one).collect::<String>(), @r#"
    does not fail
    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 0 passed, 1 failed.
    --- stderr
    error: `var.port` was expected to fail, and did not
     --> main.bmtest.hcl:8:22
      |
    8 |   expect_failures = [var.port]
      |                      ^^^^^^^^

    (1)

    another one fails
    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 0 passed, 1 failed.
    --- stderr
    error: the value of `port` is not allowed
     --> main.bm.hcl:7:21
      |
    7 |     condition     = var.port > 1023
      |                     ^^^^^^^^^^^^^^^ ports below 1024 need root, and 80 is one
      |
      = value: var.port is 80

    error: `check.port` was expected to fail, and did not
     --> main.bmtest.hcl:8:22
      |
    8 |   expect_failures = [check.port]
      |                      ^^^^^^^^^^

    (1)

    a check fails that nobody expected
    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 0 passed, 1 failed.
    --- stderr
    error: check `port` fails
      --> main.bm.hcl:40:21
       |
    40 |     condition     = var.port < 10000
       |                     ^^^^^^^^^^^^^^^^ a high port
       |
       = value: var.port is 10000

    (1)

    fails before there is something to apply
    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 0 passed, 1 failed.
    --- stderr
    error: what was expected to fail fails while planning: nothing could be applied
     --> main.bmtest.hcl:8:22
      |
    8 |   expect_failures = [var.port]
      |                      ^^^^^^^^
      |
      = hint: write `command = plan`

    (1)

    is not declared
    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 0 passed, 1 failed.
    --- stderr
    error: `var.prot` is not declared
     --> main.bmtest.hcl:8:22
      |
    8 |   expect_failures = [var.prot]
      |                      ^^^^^^^^

    (1)

    has no conditions
    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 0 passed, 1 failed.
    --- stderr
    error: `output.volume` has no conditions that could fail
     --> main.bmtest.hcl:8:22
      |
    8 |   expect_failures = [output.volume, machine.docker.here]
      |                      ^^^^^^^^^^^^^

    error: `machine.docker.here` has no conditions that could fail
     --> main.bmtest.hcl:8:37
      |
    8 |   expect_failures = [output.volume, machine.docker.here]
      |                                     ^^^^^^^^^^^^^^^^^^^

    (1)
    "#);
}

#[test]
fn runs_go_on_from_each_other_and_leave_nothing() {
    let bimetal = with_runs(
        r#"
run "first" {
  assert {
    condition     = machine.docker.here.address != ""
    error_message = "it was made, and has no address"
  }
}

run "second" {
  variables {
    port = 8081
  }

  assert {
    condition     = run.first.volume == "data-8080" && output.volume == "data-8081"
    error_message = "nothing changed"
  }
}

run "elsewhere" {
  module {
    source = "./tests/setup"
  }

  variables {
    name = run.second.volume
  }

  assert {
    condition     = output.name == "DATA-8081" && output.where == "tests/setup"
    error_message = "not what the module makes of it: ${output.name} in ${output.where}"
  }
}

run "with_its_output" {
  command = plan

  variables {
    port = length(run.elsewhere.name) + 2000
  }

  assert {
    condition     = var.port == 2009
    error_message = "another port"
  }
}
"#,
    );
    bimetal.write(
        "tests/setup/main.bm.hcl",
        "variable \"name\" {}\noutput \"name\" {\n  value = upper(var.name)\n}\noutput \"where\" {\n  value = path.module\n}\n",
    );
    assert_snapshot!(shown(&bimetal.run(&["test"])), @r#"
    $ bimetal test
    main.bmtest.hcl... in progress
      run "first"... pass
      run "second"... pass
      run "elsewhere"... pass
      run "with_its_output"... pass
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... pass

    Success! 4 passed, 0 failed.
    --- stderr
    (0)
    "#);
    assert!(!bimetal.folder().join(".bimetal/state.db").exists(), "what tests make is not the configuration's");
    assert!(!bimetal.folder().join("bimetal.lock.hcl").exists(), "images of mocks are none");
    let verbose = bimetal.run(&["test", "-verbose"]).ok();
    assert!(verbose.contains("Plan:") && verbose.contains("docker_volume.data"), "{verbose}");
}

#[test]
fn what_a_provider_would_tell_is_told_by_the_test() {
    let bimetal = Bimetal::new(
        r#"
machine "docker" "here" {
  host = "ssh://pi@rack"
}

data "docker_engine" "here" {
  engine = machine.docker.here.engine
}

module "net" {
  source = "./net"
  engine = machine.docker.here.engine
}

output "all" {
  value = [machine.docker.here.platform, data.docker_engine.here.version, module.net.name]
}
"#,
    );
    bimetal.write(
        "net/main.bm.hcl",
        "variable \"engine\" {}\nresource \"docker_network\" \"a\" {\n  name   = \"a\"\n  engine = var.engine\n}\noutput \"name\" {\n  value = docker_network.a.name\n}\n",
    );
    bimetal.write(
        "main.bmtest.hcl",
        r#"
mock_provider "docker" {
  mock_machine {
    defaults = {
      platform = "linux/arm64"
    }
  }
  mock_data "docker_engine" {
    defaults = {
      version = "27.0"
    }
  }
}

run "mocked" {
  assert {
    condition     = output.all == ["linux/arm64", "27.0", "a"]
    error_message = jsonencode(output.all)
  }
}

run "overridden" {
  state_key = "another"

  override_resource {
    target          = machine.docker.here
    override_during = plan
    values = {
      platform = "linux/${var.cpu}"
    }
  }
  override_data {
    target = data.docker_engine.here
    values = {
      version = "28.${length(run.mocked.all)}"
    }
  }
  override_module {
    target = module.net
    outputs = {
      name = "nothing was made"
    }
  }

  variables {
    cpu = "arm/v7"
  }

  assert {
    condition     = output.all == ["linux/arm/v7", "28.3", "nothing was made"]
    error_message = jsonencode(output.all)
  }
}
"#,
    );
    assert_snapshot!(shown(&bimetal.run(&["test"])), @r#"
    $ bimetal test
    main.bmtest.hcl... in progress
      run "mocked"... pass
      run "overridden"... pass
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... pass

    Success! 2 passed, 0 failed.
    --- stderr
    warning: no variable `cpu` is declared
      --> main.bmtest.hcl:46:5
       |
    46 |     cpu = "arm/v7"
       |     ^^^
       |
       = hint: there is no variable at all

    (0)
    "#);
}

#[test]
fn what_mocks_can_not_say_is_told() {
    let mistakes = [
        "mock_provider \"docker\" {\n  mock_resource \"docker_volum\" {\n  }\n}\nrun \"a\" {\n}\n",
        "mock_provider \"docker\" {\n  mock_machine {\n    defaults = {\n      platfrom = 1\n      host     = \"a\"\n      cpus     = \"many\"\n    }\n  }\n}\nrun \"a\" {\n}\n",
        "mock_provider \"docker\" {\n  mock_machine {\n    defaults = [1]\n  }\n}\nrun \"a\" {\n}\n",
        "mock_provider \"docker\" {\n}\noverride_resource {\n  target = docker_volume.none\n}\nrun \"a\" {\n}\n",
        "mock_provider \"docker\" {\n}\noverride_module {\n  target = module.none\n}\nrun \"a\" {\n}\n",
        "run \"a\" {\n  providers = {\n    docker = docker.fake\n  }\n}\n",
        "mock_provider \"docker\" {\n}\nrun \"a\" {\n  module {\n    source = \"./none\"\n  }\n}\n",
        "mock_provider \"docker\" {\n}\nrun \"a\" {\n  variables {\n    port = run.b.port\n  }\n}\n",
    ];
    let one = |text: &&str| {
        let bimetal = Bimetal::new(CONFIGURATION);
        bimetal.write("main.bmtest.hcl", text);
        shown(&bimetal.run(&["test"])) + "\n"
    };
    assert_snapshot!(mistakes.iter().map(one).collect::<String>(), @r#"
    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 0 passed, 1 failed.
    --- stderr
    error: provider `docker` has no `docker_volum`
     --> main.bmtest.hcl:2:3
      |
    2 |   mock_resource "docker_volum" {
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it has `docker_container`, `docker_image`, `docker_machine`, `docker_network`, `docker_volume`

    (1)

    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 0 passed, 1 failed.
    --- stderr
    error: the value of `cpus` does not fit its type
     --> main.bmtest.hcl:3:16
      |
    3 |       defaults = {
      |  ________________^
    4 | |       platfrom = 1
    5 | |       host     = "a"
    6 | |       cpus     = "many"
    7 | |     }
      | |_____^ number required, and this text is none

    error: `host` of `docker_machine` is what its block says, and nothing else
     --> main.bmtest.hcl:3:16
      |
    3 |       defaults = {
      |  ________________^
    4 | |       platfrom = 1
    5 | |       host     = "a"
    6 | |       cpus     = "many"
    7 | |     }
      | |_____^
      |
      = hint: a provider computes `address`, `cpus`, `engine`, `engine_version`, `memory`, `name`, `platform`

    error: `docker_machine` has no attribute `platfrom`
     --> main.bmtest.hcl:3:16
      |
    3 |       defaults = {
      |  ________________^
    4 | |       platfrom = 1
    5 | |       host     = "a"
    6 | |       cpus     = "many"
    7 | |     }
      | |_____^
      |
      = hint: a provider computes `address`, `cpus`, `engine`, `engine_version`, `memory`, `name`, `platform`

    (1)

    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 0 passed, 1 failed.
    --- stderr
    error: values by the names of attributes are wanted here
     --> main.bmtest.hcl:3:16
      |
    3 |     defaults = [1]
      |                ^^^
      |
      = hint: write `{ name = value }`

    (1)

    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 0 passed, 1 failed.
    --- stderr
    error: `docker_volume.none` is not declared
     --> main.bmtest.hcl:3:1
      |
    3 | override_resource {
      | ^^^^^^^^^^^^^^^^^
      |
      = hint: a test can only stand for what is under test

    (1)

    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 0 passed, 1 failed.
    --- stderr
    error: `module.none` is not declared
     --> main.bmtest.hcl:3:1
      |
    3 | override_module {
      | ^^^^^^^^^^^^^^^

    (1)

    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 0 passed, 1 failed.
    --- stderr
    error: the file has no provider `docker.fake`
     --> main.bmtest.hcl:1:1
      |
    1 | run "a" {
      | ^^^^^^^
      |
      = hint: there is no provider in the file at all

    (1)

    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 0 passed, 1 failed.
    --- stderr
    error: there is no module in `none`
     --> main.bmtest.hcl:5:14
      |
    5 |     source = "./none"
      |              ^^^^^^^^
      |
      = hint: a module is a folder with files that end with `.bm.hcl`; the path leads on from the root

    (1)

    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 0 passed, 1 failed.
    --- stderr
    error: no run `b` came before this one
     --> main.bmtest.hcl:5:12
      |
    5 |     port = run.b.port
      |            ^^^^^^^^^^
      |
      = hint: there is no run at all

    (1)
    "#);
}

#[test]
fn values_come_from_outside_too() {
    let mut bimetal = with_runs("run \"a\" {\n  command = plan\n}\n");
    let named = |name: &str| {
        format!(
            "{MOCK}run \"a\" {{\n  command = plan\n\n  assert {{\n    condition     = output.volume == \"{name}\"\n    error_message = output.volume\n  }}\n}}\n"
        )
    };
    bimetal.write("main.bmtest.hcl", &named("data-8080"));
    bimetal.ok(&["test"]);
    bimetal.set("port", 8001);
    bimetal.write("main.bmtest.hcl", &named("data-8001"));
    bimetal.ok(&["test"]);
    bimetal.write("bimetal.bmvars.hcl", "port = 8002\n");
    bimetal.write("main.bmtest.hcl", &named("data-8002"));
    bimetal.ok(&["test"]);
    bimetal.write("tests/bimetal.bmvars.hcl", "port = 8003\n");
    bimetal.ok(&["test"]);
    bimetal.write("tests/other.bmtest.hcl", &named("data-8003"));
    bimetal.ok(&["test"]);
    bimetal.write("main.bmtest.hcl", &named("data-8004"));
    bimetal.ok(&["test", "-var", "port=8004", "-filter=main.bmtest.hcl"]);
    let refused = bimetal.run(&["test", "-var", "prot=1"]);
    assert!(refused.stderr.contains("did you mean `port`?"), "{refused}");
    let of_var = "variables {\n  port = var.port + 1\n}\n";
    bimetal.write("main.bmtest.hcl", &(of_var.to_owned() + &named("data-8006")));
    bimetal.ok(&["test", "-var", "port=8005", "-filter", "./main.bmtest.hcl"]);
}

#[test]
fn files_are_found_and_chosen() {
    let bimetal = Bimetal::new("output \"a\" {\n  value = 1\n}\n");
    assert_eq!(bimetal.ok(&["test"]), "\nSuccess! 0 passed, 0 failed.\n");
    let passing = "run \"a\" {\n  command = plan\n}\n";
    for name in ["b.bmtest.hcl", "a.bmtest.hcl", "tests/c.bmtest.hcl", "tests/deep/d.bmtest.hcl", "more/e.bmtest.hcl"] {
        bimetal.write(name, passing);
    }
    bimetal.write(
        "f.bmtest.json",
        "{ \"run\": { \"a\": { \"assert\": { \"condition\": \"${output.a == 2}\", \"error_message\": \"two\" } } } }",
    );
    let lines: [&[&str]; 5] = [
        &["test"],
        &["test", "-filter=a.bmtest.hcl", "-filter", "tests/c.bmtest.hcl"],
        &["test", "-test-directory=./more", "-filter=more/e.bmtest.hcl"],
        &["test", "-filter=none.bmtest.hcl"],
        &["test", "-test-directory=none", "-filter=tests/c.bmtest.hcl"],
    ];
    assert_snapshot!(lines.iter().map(|words| shown(&bimetal.run(words)) + "\n").collect::<String>(), @r#"
    $ bimetal test
    a.bmtest.hcl... in progress
      run "a"... pass
    a.bmtest.hcl... tearing down
    a.bmtest.hcl... pass
    b.bmtest.hcl... in progress
      run "a"... pass
    b.bmtest.hcl... tearing down
    b.bmtest.hcl... pass
    f.bmtest.json... in progress
      run "a"... fail
    f.bmtest.json... tearing down
    f.bmtest.json... fail
    tests/c.bmtest.hcl... in progress
      run "a"... pass
    tests/c.bmtest.hcl... tearing down
    tests/c.bmtest.hcl... pass

    Failure! 3 passed, 1 failed.
    --- stderr
    error: the assertion does not hold
     --> f.bmtest.json:1:47
      |
    1 | { "run": { "a": { "assert": { "condition": "${output.a == 2}", "error_message": "two" } } } }
      |                                               ^^^^^^^^^^^^^ two
      |
      = value: output.a is 1

    (1)

    $ bimetal test -filter=a.bmtest.hcl -filter tests/c.bmtest.hcl
    a.bmtest.hcl... in progress
      run "a"... pass
    a.bmtest.hcl... tearing down
    a.bmtest.hcl... pass
    tests/c.bmtest.hcl... in progress
      run "a"... pass
    tests/c.bmtest.hcl... tearing down
    tests/c.bmtest.hcl... pass

    Success! 2 passed, 0 failed.
    --- stderr
    (0)

    $ bimetal test -test-directory=./more -filter=more/e.bmtest.hcl
    more/e.bmtest.hcl... in progress
      run "a"... pass
    more/e.bmtest.hcl... tearing down
    more/e.bmtest.hcl... pass

    Success! 1 passed, 0 failed.
    --- stderr
    (0)

    $ bimetal test -filter=none.bmtest.hcl
    --- stderr
    error: `none.bmtest.hcl` is no file of tests
     |
     = hint: did you mean `a.bmtest.hcl`?

    (1)

    $ bimetal test -test-directory=none -filter=tests/c.bmtest.hcl
    --- stderr
    error: `tests/c.bmtest.hcl` is no file of tests
     |
     = hint: there are `a.bmtest.hcl`, `b.bmtest.hcl`, `f.bmtest.json`

    (1)
    "#);
}

#[test]
fn a_warning_is_given_once_a_file_and_the_version_is_looked_at() {
    let bimetal = Bimetal::new("output \"a\" {\n  value = 1\n}\n");
    bimetal.write("bimetal.bmvars.hcl", "nobody = 1\n");
    bimetal.write("a.bmtest.hcl", "run \"a\" {\n  command = plan\n}\nrun \"b\" {\n}\n");
    let ran = bimetal.run(&["test"]);
    assert_eq!((ran.code, ran.stderr.matches("no variable `nobody`").count()), (0, 1), "{ran}");
    bimetal.write("more.bm.hcl", "bimetal {\n  required_version = \">= 99\"\n}\n");
    let refused = bimetal.run(&["test"]);
    assert!(refused.code == 1 && refused.stderr.contains("`>= 99`"), "{refused}");
}

#[test]
fn mistakes_in_any_file_are_told_by_validate_too() {
    let bimetal = with_runs("run \"a\" {\n  comand = plan\n}\n");
    bimetal.write("tests/other.bmtest.hcl", "run \"a\" {\n  expect_failures = [1]\n}\n");
    let (of_test, of_validate) = (bimetal.run(&["test", "-filter=main.bmtest.hcl"]), bimetal.run(&["validate"]));
    assert_eq!((of_test.code, of_validate.code), (1, 1));
    let said = |ran: &Ran| shown(ran).split_once("--- stderr").map(|(_, said)| said.trim_start().to_owned());
    assert_eq!(said(&of_test), said(&of_validate));
    assert_snapshot!(said(&of_test).unwrap_or_default(), @r#"
    error: `plan` stands for nothing
     --> main.bmtest.hcl:4:12
      |
    4 |   comand = plan
      |            ^^^^
      |
      = hint: text stands between quotes: `"plan"`

    error: no argument is called `comand` here
     --> main.bmtest.hcl:4:3
      |
    4 |   comand = plan
      |   ^^^^^^
      |
      = hint: did you mean `command`?

    error: this has no conditions that could fail
     --> tests/other.bmtest.hcl:2:22
      |
    2 |   expect_failures = [1]
      |                      ^
      |
      = hint: there are `var.<name>`, `output.<name>`, `check.<name>`, and blocks: `docker_volume.a`

    (1)
    "#);
}

#[test]
fn programs_are_told_the_same() {
    let bimetal = with_runs(
        "run \"good\" {\n  command = plan\n}\nrun \"bad\" {\n  command = plan\n  assert {\n    condition     = output.volume == \"<\u{1}&>\"\n    error_message = \"a \\\"quoted\\\" name]]>\"\n  }\n}\nrun \"worse\" {\n  expect_failures = [var.port]\n}\nrun \"none\" {\n}\n",
    );
    let ran = bimetal.run(&["test", "-json", "-junit-xml=results.xml"]);
    let mut document = json(&ran.stdout);
    for run in document["files"][0]["runs"].as_array_mut().expect("runs") {
        assert!(run["milliseconds"].take().is_u64(), "{ran}");
    }
    assert_snapshot!(format!("{document:#}"), @r#"
    {
      "failed": 2,
      "files": [
        {
          "diagnostics": [],
          "left": [],
          "path": "main.bmtest.hcl",
          "runs": [
            {
              "command": "plan",
              "diagnostics": [],
              "milliseconds": null,
              "name": "good",
              "status": "pass"
            },
            {
              "command": "plan",
              "diagnostics": [
                {
                  "address": null,
                  "column": 21,
                  "detail": "a \"quoted\" name]]>",
                  "hint": null,
                  "line": 9,
                  "path": [],
                  "severity": "error",
                  "span": {
                    "file": "main.bmtest.hcl",
                    "range": {
                      "end": 142,
                      "start": 119
                    }
                  },
                  "summary": "the assertion does not hold",
                  "values": [
                    "output.volume is \"data-8080\""
                  ]
                }
              ],
              "milliseconds": null,
              "name": "bad",
              "status": "fail"
            },
            {
              "command": "apply",
              "diagnostics": [
                {
                  "address": null,
                  "column": 22,
                  "detail": "",
                  "hint": null,
                  "line": 14,
                  "path": [],
                  "severity": "error",
                  "span": {
                    "file": "main.bmtest.hcl",
                    "range": {
                      "end": 235,
                      "start": 227
                    }
                  },
                  "summary": "`var.port` was expected to fail, and did not",
                  "values": []
                }
              ],
              "milliseconds": null,
              "name": "worse",
              "status": "error"
            },
            {
              "command": "apply",
              "diagnostics": [],
              "milliseconds": null,
              "name": "none",
              "status": "skip"
            }
          ],
          "status": "error"
        }
      ],
      "format": 1,
      "passed": 1,
      "skipped": 1,
      "status": "fail"
    }
    "#);
    let results = std::fs::read_to_string(bimetal.folder().join("results.xml")).expect("it was written");
    assert_snapshot!(timeless(&results), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
      <testsuite name="main.bmtest.hcl" tests="4" failures="1" errors="1" skipped="1">
        <testcase name="good" classname="main.bmtest.hcl" time="…" timestamp="…"/>
        <testcase name="bad" classname="main.bmtest.hcl" time="…" timestamp="…">
          <failure message="the assertion does not hold">error: the assertion does not hold
     --&gt; main.bmtest.hcl:9:21
      |
    9 |     condition     = output.volume == &quot;&lt;␁&amp;&gt;&quot;
      |                     ^^^^^^^^^^^^^^^^^^^^^^^ a &quot;quoted&quot; name]]&gt;
      |
      = value: output.volume is &quot;data-8080&quot;

    </failure>
        </testcase>
        <testcase name="worse" classname="main.bmtest.hcl" time="…" timestamp="…">
          <error message="`var.port` was expected to fail, and did not">error: `var.port` was expected to fail, and did not
      --&gt; main.bmtest.hcl:14:22
       |
    14 |   expect_failures = [var.port]
       |                      ^^^^^^^^

    </error>
        </testcase>
        <testcase name="none" classname="main.bmtest.hcl" time="…" timestamp="…">
          <skipped message="a run before it could not be played to its end"/>
        </testcase>
      </testsuite>
    </testsuites>
    "#);
    let verbose = json(&bimetal.run(&["test", "-json", "-verbose"]).stdout);
    assert!(verbose["files"][0]["runs"][0]["plan"]["changes"].is_array(), "{verbose}");
    let refused = bimetal.run(&["test", "-junit-xml=none/results.xml"]);
    assert!(refused.stderr.contains("none/results.xml"), "{refused}");
}

/// Without the moments that are attributes of XML.
fn timeless(text: &str) -> String {
    let attribute = |word: &str| match word.split_once("=\"") {
        Some((name @ ("time" | "timestamp"), rest)) => {
            format!("{name}=\"…\"{}", rest.split_once('"').map_or("", |(_, rest)| rest))
        }
        _ => word.to_owned(),
    };
    text.lines().map(|line| line.split(' ').map(attribute).collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[test]
fn what_can_not_be_destroyed_is_named() {
    let mut bimetal = with_runs("run \"a\" {\n}\n");
    let protected = CONFIGURATION.replace("  lifecycle {\n", "  lifecycle {\n    prevent_destroy = true\n");
    bimetal.write("main.bm.hcl", &protected);
    let temporary = bimetal.folder().join("temporary");
    std::fs::create_dir(&temporary).expect("our own folder");
    bimetal.environment("TMPDIR", temporary.display());
    let ran = bimetal.run(&["test", "-junit-xml=results.xml"]);
    let left: Vec<_> = std::fs::read_dir(&temporary).expect("our own folder").collect();
    let [Ok(left)] = &left[..] else { panic!("{ran}") };
    let shown = shown(&ran).replace(&left.path().display().to_string(), "[folder]");
    assert_snapshot!(shown, @r#"
    $ bimetal test -junit-xml=results.xml
    main.bmtest.hcl... in progress
      run "a"... pass
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 1 passed, 0 failed.
    --- stderr
    error: `docker_volume.data` would be destroyed, but `prevent_destroy` protects it
     |
     = hint: remove `prevent_destroy` from its `lifecycle` block if that is meant

    error: not destroyed: `machine.docker.here`, `service.web.replica[0]`, `service.web.replica[1]`, `docker_volume.data`
     |
     = note: what is there is remembered in `[folder]/0.db`, sealed with `[folder]/state.key`
     = hint: `state "sqlite" { path = … }` and `encryption "key_file" { path = … }` in the `bimetal` block make that the state of `bimetal destroy`

    (1)
    "#);
}

#[test]
fn who_interrupts_leaves_nothing() {
    // Takes connections, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let host = format!("tcp://{}", silent.local_addr().expect("a bound socket has an address"));
    silent.set_nonblocking(true).expect("our own socket");
    let bimetal = with_runs(
        "run \"made\" {\n}\nrun \"waits\" {\n  module {\n    source = \"./slow\"\n  }\n  providers = {}\n}\nrun \"never\" {\n}\n",
    );
    bimetal.write(
        "slow/main.bm.hcl",
        &format!("machine \"docker\" \"a\" {{\n  host     = \"{host}\"\n  insecure = true\n}}\n"),
    );
    let running = bimetal.start(&["test"]);
    let _asked = until("it to ask", Duration::from_secs(60), || silent.accept().map_err(|error| error.to_string()));
    running.signal(Signal::SIGINT);
    assert_snapshot!(shown(&running.wait()), @r#"
    $ bimetal test
    main.bmtest.hcl... in progress
      run "made"... pass
      run "waits"... fail
      run "never"... skip
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 1 passed, 1 failed, 1 skipped.
    --- stderr

    Stopping: nothing new is begun, and what was made is destroyed.
    error: interrupted

    (1)
    "#);
}

#[test]
fn mocks_are_chosen_by_name_and_need_no_arguments() {
    let bimetal = Bimetal::new(
        r#"
provider "digitalocean" {
  token = file("nowhere")
}

provider "digitalocean" {
  alias = "west"
  token = file("nowhere")
}

resource "digitalocean_vpc" "here" {
  name   = "here"
  region = "fra1"
}

resource "digitalocean_vpc" "west" {
  provider = digitalocean.west
  name     = "west"
  region   = "sfo3"
}

output "ids" {
  value = [digitalocean_vpc.here.id, digitalocean_vpc.west.id]
}
"#,
    );
    bimetal.write(
        "main.bmtest.hcl",
        r#"
mock_provider "digitalocean" {
  mock_resource "digitalocean_vpc" {
    defaults = {
      id = "first"
    }
  }
}

mock_provider "digitalocean" {
  alias = "other"

  mock_resource "digitalocean_vpc" {
    defaults = {
      id = "other"
    }
  }
}

run "both" {
  providers = {
    digitalocean      = digitalocean
    digitalocean.west = digitalocean.other
  }

  assert {
    condition     = output.ids == ["first", "other"]
    error_message = jsonencode(output.ids)
  }
}

run "exchanged" {
  providers = {
    digitalocean      = digitalocean.other
    digitalocean.west = digitalocean
  }
  state_key = "exchanged"

  assert {
    condition     = output.ids == ["other", "first"]
    error_message = jsonencode(output.ids)
  }
}

run "one_is_missing" {
  command = plan
}
"#,
    );
    let folder = bimetal.folder().canonicalize().expect("our own folder").display().to_string();
    assert_snapshot!(shown(&bimetal.run(&["test"])).replace(&folder, "[folder]"), @r#"
    $ bimetal test
    main.bmtest.hcl... in progress
      run "both"... pass
      run "exchanged"... pass
      run "one_is_missing"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 2 passed, 1 failed.
    --- stderr
    error: `[folder]/nowhere`: No such file or directory (os error 2)
     --> main.bm.hcl:8:17
      |
    8 |   token = file("nowhere")
      |                 ^^^^^^^

    (1)
    "#);
}

#[test]
fn what_was_made_is_looked_at_too() {
    let bimetal = Bimetal::new(
        r#"
variable "names" {
  type = list(string)
}

machine "docker" "here" {
  host = "ssh://pi@rack"

  lifecycle {
    postcondition {
      condition     = self.address == "10.0.0.1"
      error_message = "another address: ${self.address}"
    }
  }
}

resource "docker_volume" "data" {
  for_each = toset(var.names)
  name     = each.key
  engine   = machine.docker.here.engine
}
"#,
    );
    bimetal.write(
        "main.bmtest.hcl",
        &format!(
            r#"{MOCK}
variables {{
  names = ["one", "two"]
}}

run "expected" {{
  expect_failures = [machine.docker.here]
}}

run "mended" {{
  override_resource {{
    target = machine.docker.here
    values = {{
      address = "10.0.0.1"
    }}
  }}
  state_key = "mended"

  assert {{
    condition     = keys(docker_volume.data) == ["one", "two"] && machine.docker.here.address == "10.0.0.1"
    error_message = "not what was asked for"
  }}
}}

run "with_a_wrong_value" {{
  variables {{
    names = true
  }}
}}
"#
        ),
    );
    assert_snapshot!(shown(&bimetal.run(&["test"])), @r#"
    $ bimetal test
    main.bmtest.hcl... in progress
      run "expected"... pass
      run "mended"... pass
      run "with_a_wrong_value"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 2 passed, 1 failed.
    --- stderr
    error: the value of `names` does not fit its type
      --> main.bmtest.hcl:29:13
       |
    29 |     names = true
       |             ^^^^ list required, but have bool; the type is list(string)

    (1)
    "#);
}

#[test]
fn on_a_real_engine_nothing_is_left() {
    let Some(lab) = Lab::start() else { return };
    let engine = Engine::start(&lab, "tests");
    let mut bimetal = Bimetal::new(
        r#"
variable "engine" {
  type = string
}

machine "docker" "here" {
  host     = var.engine
  insecure = true
}

pool "all" {
  machines = [machine.docker.here]
}

service "web" {
  pool  = pool.all
  image = "oci:./image"
}
"#,
    );
    image::layout(&bimetal.folder().join("image"), &[Platform::Amd64], "hello");
    bimetal.set("engine", engine.host());
    bimetal.write(
        "main.bmtest.hcl",
        r#"
run "runs" {
  assert {
    condition     = service.web.replicas[0].platform == "linux/amd64"
    error_message = "a wrong platform"
  }
}

run "fails" {
  module {
    source = "./setup"
  }

  assert {
    condition     = output.name == "made"
    error_message = "another name"
  }
  assert {
    condition     = output.name == "something else"
    error_message = "as it should be"
  }
}
"#,
    );
    bimetal.write(
        "setup/main.bm.hcl",
        "variable \"engine\" {}\nmachine \"docker\" \"here\" {\n  host     = var.engine\n  insecure = true\n}\nresource \"docker_volume\" \"a\" {\n  name   = \"made\"\n  engine = machine.docker.here.engine\n}\noutput \"name\" {\n  value = docker_volume.a.name\n}\n",
    );
    assert_snapshot!(shown(&bimetal.run(&["test"])), @r#"
    $ bimetal test
    main.bmtest.hcl... in progress
      run "runs"... pass
      run "fails"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 1 passed, 1 failed.
    --- stderr
    error: the assertion does not hold
      --> main.bmtest.hcl:19:21
       |
    19 |     condition     = output.name == "something else"
       |                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ as it should be
       |
       = value: output.name is "made"

    (1)
    "#);
    assert_eq!(engine.names(), Vec::<String>::new());
    let volumes = engine.get("/volumes");
    assert!(!volumes.text().contains("made"), "{volumes:?}");
}

#[test]
fn runs_may_plan_a_part() {
    let bimetal = with_runs(
        r#"
run "only_the_volume" {
  plan_options {
    target = [docker_volume.data]
  }
  assert {
    condition     = output.volume == "data-8080"
    error_message = "the volume is planned"
  }
}

run "everything" {
}

run "anew" {
  command = plan
  plan_options {
    replace = [service.web.replica[0]]
    target  = [service.web.replica[0]]
  }
}

run "nothing_is_done" {
  plan_options {
    mode = refresh-only
  }
  variables {
    port = 8081
  }
  assert {
    condition     = docker_volume.data.name == "data-8080"
    error_message = "nothing is done"
  }
}

run "a_name_that_means_nothing" {
  command = plan
  plan_options {
    target = [docker_volume.date]
  }
}
"#,
    );
    assert_snapshot!(shown(&bimetal.run(&["test", "-verbose"])), @r#"
    $ bimetal test -verbose
    main.bmtest.hcl... in progress
      run "only_the_volume"... pass

    machine.docker.here (docker_machine, provider docker)
    {
      address        = "evdq6ss4"
      cpus           = 4
      engine         = (handle)
      engine_version = "z9tuoinn"
      host           = "ssh://pi@rack"
      memory         = 17179869184
      name           = "76dztc92"
      platform       = "linux/amd64"
    }

    docker_volume.data (docker_volume, provider docker)
    {
      engine     = (handle)
      mountpoint = "noj22v9a"
      name       = "data-8080"
    }

    secret = (sensitive value)
    volume = "data-8080"

      run "everything"... pass

    machine.docker.here (docker_machine, provider docker)
    {
      address        = "evdq6ss4"
      cpus           = 4
      engine         = (handle)
      engine_version = "z9tuoinn"
      host           = "ssh://pi@rack"
      memory         = 17179869184
      name           = "76dztc92"
      platform       = "linux/amd64"
    }

    service.web.replica[0] (docker_container, provider docker)
      on machine.docker.here (linux/amd64)
    {
      engine     = (handle)
      id         = "duumvakv"
      image      = "nginx@sha256:dd3ab2e7bf7a68e5313a08f0cd4d61a1a9b65113ebcdc1714091a92a35aa01e2"
      image_id   = "uut17yhm"
      ip_address = "k1xa08hg"
      labels     = {
        "bimetal.service" = "service.web"
      }
      name       = "web-0"
      platform   = "linux/amd64"
      port       = []
      restart    = "unless-stopped"
      running    = false
      volume     = []
    }

    service.web.replica[1] (docker_container, provider docker)
      on machine.docker.here (linux/amd64)
    {
      engine     = (handle)
      id         = "vfl7ytmc"
      image      = "nginx@sha256:dd3ab2e7bf7a68e5313a08f0cd4d61a1a9b65113ebcdc1714091a92a35aa01e2"
      image_id   = "lk6ojo0d"
      ip_address = "jrx0xdx9"
      labels     = {
        "bimetal.service" = "service.web"
      }
      name       = "web-1"
      platform   = "linux/amd64"
      port       = []
      restart    = "unless-stopped"
      running    = false
      volume     = []
    }

    docker_volume.data (docker_volume, provider docker)
    {
      engine     = (handle)
      mountpoint = "noj22v9a"
      name       = "data-8080"
    }

    platforms = [
      "linux/amd64",
      "linux/amd64",
    ]
    secret    = (sensitive value)
    volume    = "data-8080"

      run "anew"... pass

    Bimetal will do this:

      # service.web.replica[0] must be replaced
      # asked for with `-replace`
      # on machine.docker.here (linux/amd64): stays
    -/+ service "web" replica[0] {
          ~ id         = "duumvakv" -> (known after apply)
          ~ image_id   = "uut17yhm" -> (known after apply)
          ~ ip_address = "k1xa08hg" -> (known after apply)
          ~ running    = false -> (known after apply)
          # (8 unchanged attributes hidden)
        }

    Plan: 1 to add (1 replica of 1 service), 0 to change, 1 to destroy (1 replica of 1 service).
    1 block of the configuration is left out, and 1 output that rests on that stays as it is.

      run "nothing_is_done"... pass

    machine.docker.here (docker_machine, provider docker)
    {
      address        = "evdq6ss4"
      cpus           = 4
      engine         = (handle)
      engine_version = "z9tuoinn"
      host           = "ssh://pi@rack"
      memory         = 17179869184
      name           = "76dztc92"
      platform       = "linux/amd64"
    }

    service.web.replica[0] (docker_container, provider docker)
      on machine.docker.here (linux/amd64)
    {
      engine     = (handle)
      id         = "duumvakv"
      image      = "nginx@sha256:dd3ab2e7bf7a68e5313a08f0cd4d61a1a9b65113ebcdc1714091a92a35aa01e2"
      image_id   = "uut17yhm"
      ip_address = "k1xa08hg"
      labels     = {
        "bimetal.service" = "service.web"
      }
      name       = "web-0"
      platform   = "linux/amd64"
      port       = []
      restart    = "unless-stopped"
      running    = false
      volume     = []
    }

    service.web.replica[1] (docker_container, provider docker)
      on machine.docker.here (linux/amd64)
    {
      engine     = (handle)
      id         = "vfl7ytmc"
      image      = "nginx@sha256:dd3ab2e7bf7a68e5313a08f0cd4d61a1a9b65113ebcdc1714091a92a35aa01e2"
      image_id   = "lk6ojo0d"
      ip_address = "jrx0xdx9"
      labels     = {
        "bimetal.service" = "service.web"
      }
      name       = "web-1"
      platform   = "linux/amd64"
      port       = []
      restart    = "unless-stopped"
      running    = false
      volume     = []
    }

    docker_volume.data (docker_volume, provider docker)
    {
      engine     = (handle)
      mountpoint = "noj22v9a"
      name       = "data-8080"
    }

    platforms = [
      "linux/amd64",
      "linux/amd64",
    ]
    secret    = (sensitive value)
    volume    = "data-8080"

      run "a_name_that_means_nothing"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail

    Failure! 4 passed, 1 failed.
    --- stderr
    warning: this plan is a part of what the configuration asks for: `-target=docker_volume.data`
     |
     = note: what is left out stays as it is, whatever the configuration says; the output `platforms` rests on what is left out, and stays as it is
     = hint: plan everything again when this is done

    warning: this plan is a part of what the configuration asks for: `-target=service.web.replica[0]`
     |
     = note: what is left out stays as it is, whatever the configuration says; the output `volume` rests on what is left out, and stays as it is
     = hint: plan everything again when this is done

    error: `-target=docker_volume.date` names nothing
     |
     = note: neither the configuration nor the state knows it
     = hint: did you mean `docker_volume.data`?

    (1)
    "#);
}

#[test]
fn an_image_may_be_known_only_while_applying() {
    let configuration = r#"
machine "docker" "here" {
  host = "ssh://pi@rack"
}

pool "all" {
  machines = [machine.docker.here]
}

resource "docker_volume" "data" {
  name   = "data"
  engine = machine.docker.here.engine
}

service "web" {
  pool     = pool.all
  image    = docker_volume.data.mountpoint
  replicas = 2
  env      = { WHERE = docker_volume.data.mountpoint }

  port {
    container = length(docker_volume.data.mountpoint)
  }
}

output "image" {
  value = split("@", service.web.replicas[0].image)[0]
}
"#;
    let bimetal = Bimetal::new(configuration);
    let runs = r#"
mock_provider "docker" {
  mock_resource "docker_volume" {
    defaults = { mountpoint = "nginx:1.27" }
  }
}

run "applies" {
  assert {
    condition     = output.image == "nginx"
    error_message = "it is ${output.image}"
  }
}

run "has_nothing_left_to_do" {
  command = plan
}
"#;
    bimetal.write("main.bmtest.hcl", runs);
    let ran = bimetal.run(&["test", "-verbose"]);
    assert!(ran.stdout.contains("No changes."), "{ran}");
    assert_eq!(ran.code, 0, "{ran}");
}

#[test]
fn files_of_tests_may_share_what_is_mocked() {
    let bimetal = Bimetal::new(CONFIGURATION);
    for folder in ["mocks", "tests"] {
        std::fs::create_dir(bimetal.folder().join(folder)).expect("our own folder");
    }
    let suite = |condition: &str| {
        format!(
            "mock_provider \"docker\" {{\n  source = \"./mocks\"\n}}\nrun \"a\" {{\n  assert {{\n    condition     = {condition}\n    \
             error_message = \"no\"\n  }}\n}}\n"
        )
    };
    bimetal.write("main.bmtest.hcl", &suite("machine.docker.here.cpus == 8"));
    bimetal.write("tests/more.bmtest.hcl", &suite("machine.docker.here.platform == \"linux/arm64\""));
    assert_snapshot!(shown(&bimetal.run(&["test"])), @r#"
    $ bimetal test
    --- stderr
    error: `mocks` has no files of mocks
     --> main.bmtest.hcl:2:12
      |
    2 |   source = "./mocks"
      |            ^^^^^^^^^
      |
      = hint: their names end in `.bmmock.hcl`

    error: `mocks` has no files of mocks
     --> tests/more.bmtest.hcl:2:12
      |
    2 |   source = "./mocks"
      |            ^^^^^^^^^
      |
      = hint: their names end in `.bmmock.hcl`

    (1)
    "#);
    bimetal.write("mocks/all.bmmock.hcl", "mock_machine {\n  defaults={ cpus=8,platform=\"linux/arm64\" }\n}\n");
    assert_snapshot!(shown(&bimetal.run(&["test"])), @r#"
    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... pass
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... pass
    tests/more.bmtest.hcl... in progress
      run "a"... pass
    tests/more.bmtest.hcl... tearing down
    tests/more.bmtest.hcl... pass

    Success! 2 passed, 0 failed.
    --- stderr
    (0)
    "#);
    assert_eq!(bimetal.ok(&["fmt", "-recursive"]), "mocks/all.bmmock.hcl\n");
    bimetal.write("mocks/all.bmmock.hcl", "mock_machine {\n  defaults = { cpus = \"many\" }\n}\n");
    assert_snapshot!(shown(&bimetal.run(&["test"])), @r#"
    $ bimetal test
    main.bmtest.hcl... in progress
      run "a"... fail
    main.bmtest.hcl... tearing down
    main.bmtest.hcl... fail
    tests/more.bmtest.hcl... in progress
      run "a"... fail
    tests/more.bmtest.hcl... tearing down
    tests/more.bmtest.hcl... fail

    Failure! 0 passed, 2 failed.
    --- stderr
    error: the value of `cpus` does not fit its type
     --> mocks/all.bmmock.hcl:2:14
      |
    2 |   defaults = { cpus = "many" }
      |              ^^^^^^^^^^^^^^^^^ number required, and this text is none

    error: the value of `cpus` does not fit its type
     --> mocks/all.bmmock.hcl:2:14
      |
    2 |   defaults = { cpus = "many" }
      |              ^^^^^^^^^^^^^^^^^ number required, and this text is none

    (1)
    "#);
}

#[test]
fn nothing_but_numbers_must_be_known() {
    let configuration = r#"
resource "docker_volume" "data" {
  name   = "data"
  engine = machine.docker.here.engine
}

machine "docker" "here" {
  host     = "ssh://pi@rack"
  platform = "linux/arm64"
}

provider "digitalocean" {
  token = docker_volume.data.mountpoint
}

module "more" {
  source = "./more"
  name   = docker_volume.data.mountpoint
  engine = machine.docker.here.engine
}

data "docker_engine" "there" {
  engine     = machine.docker.here.engine
  depends_on = [docker_volume.data]
}

machine "digitalocean" "ocean" {
  region = "sgp1"
  size   = "s-1vcpu-512mb-10gb"
  image  = "debian-12-x64"
}

output "more" {
  value = module.more.name
}
"#;
    let bimetal = Bimetal::new(configuration);
    std::fs::create_dir(bimetal.folder().join("more")).expect("our own folder");
    bimetal.write(
        "more/main.bm.hcl",
        "variable \"name\" {}\nvariable \"engine\" {}\nresource \"docker_volume\" \"v\" {\n  name   = var.name\n  engine = var.engine\n}\noutput \"name\" {\n  value = docker_volume.v.name\n}\n",
    );
    assert_snapshot!(shown(&bimetal.run(&["plan"])), @r#"
    $ bimetal plan
    Bimetal will do this:

      # machine.digitalocean.ocean will be created
      + machine "digitalocean" "ocean" {
          + address         = (known after apply)
          + cpus            = 1
          + engine          = (known after apply)
          + engine_version  = (known after apply)
          + host_key        = (known after apply)
          + id              = (known after apply)
          + image           = "debian-12-x64"
          + intent          = (known after apply)
          + ipv6_address    = (known after apply)
          + memory          = 536870912
          + name            = (known after apply)
          + platform        = "linux/amd64"
          + private_address = (known after apply)
          + region          = "sgp1"
          + size            = "s-1vcpu-512mb-10gb"
        }

      # machine.docker.here will be created
      + machine "docker" "here" {
          + address        = "rack"
          + cpus           = (known after apply)
          + engine         = (handle)
          + engine_version = (known after apply)
          + host           = "ssh://pi@rack"
          + memory         = (known after apply)
          + name           = (known after apply)
          + platform       = "linux/arm64"
        }

      # docker_volume.data will be created
      + resource "docker_volume" "data" {
          + engine     = (handle)
          + mountpoint = (known after apply)
          + name       = "data"
        }

      # data.docker_engine.there will be read during apply
      # what it depends on changes
     <= data "docker_engine" "there" {
          + containers = (known after apply)
          + cpus       = (known after apply)
          + engine     = (handle)
          + memory     = (known after apply)
          + name       = (known after apply)
          + platform   = (known after apply)
          + version    = (known after apply)
        }

      # module.more.docker_volume.v will be created
      + resource "docker_volume" "v" {
          + engine     = (handle)
          + mountpoint = (known after apply)
          + name       = (known after apply)
        }

    Plan: 4 to add (2 machines, 2 resources), 0 to change, 0 to destroy.

    Outputs that change:
      + more = (known after apply)
    --- stderr
    (0)
    "#);
}

#[test]
fn a_module_needs_no_provider_that_is_mocked_for_others() {
    let bimetal = Bimetal::new("");
    bimetal.write("words/main.bm.hcl", "output \"word\" {\n  value = \"yes\"\n}\n");
    bimetal.write(
        "main.bmtest.hcl",
        "mock_provider \"elsewhere\" {\n}\nrun \"words\" {\n  module {\n    source = \"./words\"\n  }\n  assert {\n    \
         condition     = output.word == \"yes\"\n    error_message = \"no\"\n  }\n}\n",
    );
    let ran = bimetal.run(&["test"]);
    assert!(ran.code == 0 && ran.stdout.contains("Success! 1 passed"), "{ran}");
}
