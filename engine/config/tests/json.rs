//! The same configuration in both syntaxes.

mod common;

use bimetal_config::{Given, Outside, SourceFile, builtin, decode, desired};
use bimetal_model::BlockKind;
use common::{scope, show, source};
use insta::assert_snapshot;
use proptest::prelude::*;

/// What a configuration in one file comes to.
fn check(file: &SourceFile) -> String {
    let (desired, diagnostics) = desired(vec![file.clone()], Given::default(), Outside::default());
    let mut text: String = diagnostics.iter().map(|diagnostic| show(diagnostic, &[file]) + "\n").collect();
    for (name, variable) in &desired.module.variables {
        let (ty, value) = (&variable.ty, &desired.variables[name]);
        text += &format!("variable {name} : {ty} = {value:?} {:?} {}\n", variable.description, variable.sensitive);
    }
    for (node, needs) in desired.dependencies.iter() {
        let needs: Vec<_> = needs.iter().map(ToString::to_string).collect();
        text += &format!("{node} needs [{}]\n", needs.join(", "));
    }
    for (key, block) in &desired.module.providers {
        text += &format!("provider {key} {:?}\n", Vec::from_iter(block.body.attributes.keys()));
    }
    for (address, block) in &desired.module.objects {
        let provider = block.provider.as_ref().map(ToString::to_string);
        text += &format!("{address} by {provider:?}, {:?}\n", block.lifecycle);
        if address.block == BlockKind::Service {
            let (value, diagnostics) = decode(&block.body, builtin::service(), &scope());
            text += &format!("  {value:?}\n");
            text.extend(diagnostics.iter().map(|diagnostic| show(diagnostic, &[file]) + "\n"));
        }
    }
    text += &format!("{:?}\n", desired.module.settings.required_providers.keys());
    text
}

const NATIVE: &str = r#"
bimetal {
  required_providers {
    docker = { version = "~> 0.1" }
  }
}
variable "names" {
  type        = list(object({ a = optional(number, 3) }))
  default     = [{}]
  description = "$${x}"
  validation {
    condition     = length(var.names) > 0
    error_message = "none of ${length(var.names)}"
  }
}
locals {
  one   = 1.5
  two   = "a-${local.one}\n\"é\""
  three = { "${local.two}" = [null, true, "$${x}"] }
}
provider "docker" {
  alias = "west"
}
machine "docker" "here" {
  provider   = docker.west
  host       = "unix:///x"
  depends_on = [docker_volume.a]
  lifecycle {
    prevent_destroy = true
    ignore_changes  = [labels["a"], platform]
  }
}
resource "docker_volume" "a" {
  for_each = toset(["x"])
  name     = each.key
}
resource "docker_volume" "b" {
  name = local.two
}
service "web" {
  pool  = "p"
  image = "i"
  env   = { A = "1" }
  port {
    container = 80
  }
  port {
    container = 81
  }
  dynamic "volume" {
    for_each = { a = "/a", b = "/b" }
    iterator = it
    content {
      source = it.key
      target = it.value
    }
  }
  health {
    command = ["true"]
  }
}
output "o" {
  value       = upper(join(", ", ["a", "b"]))
  description = "d"
  depends_on  = [machine.docker.here]
}
"#;

const JSON: &str = r#"{
  "//": "the same",
  "bimetal": { "required_providers": { "docker": { "version": "~> 0.1" } } },
  "variable": {
    "names": {
      "type": "list(object({ a = optional(number, 3) }))",
      "default": [{}],
      "description": "${x}",
      "validation": {
        "condition": "${length(var.names) > 0}",
        "error_message": "none of ${length(var.names)}"
      }
    }
  },
  "locals": [
    { "one": 1.5, "two": "a-${local.one}\n\"\u00e9\"" },
    { "three": { "${local.two}": [null, true, "$${x}"] } }
  ],
  "provider": { "docker": [{ "alias": "west" }] },
  "machine": {
    "docker": {
      "here": {
        "provider": "docker.west",
        "host": "unix:///x",
        "depends_on": ["docker_volume.a"],
        "lifecycle": { "prevent_destroy": true, "ignore_changes": ["labels[\"a\"]", "platform"] }
      }
    }
  },
  "resource": {
    "docker_volume": {
      "a": { "for_each": "${toset([\"x\"])}", "name": "${each.key}" },
      "b": [{ "name": "${local.two}" }]
    }
  },
  "service": {
    "web": {
      "pool": "p",
      "image": "i",
      "env": { "A": "1" },
      "port": [{ "container": 80, "//": "plain" }, { "container": "${80 + 1}" }],
      "dynamic": {
        "volume": {
          "for_each": { "a": "/a", "b": "/b" },
          "iterator": "it",
          "content": { "source": "${it.key}", "target": "${it.value}" }
        }
      },
      "health": { "command": ["true"] }
    }
  },
  "output": {
    "o": { "value": "${upper(join(\", \", [\"a\", \"b\"]))}", "description": "d", "depends_on": ["machine.docker.here"] }
  }
}"#;

#[test]
fn both_syntaxes_say_the_same() {
    let native = check(&source("main.bm.hcl", NATIVE));
    assert_eq!(check(&source("main.bm.json", JSON)), native);
    assert_snapshot!(native, @r#"
    variable names : list(object({a = optional(number)})) = [{"a": 3}] Some("${x}") false
    var.names needs []
    local.one needs []
    local.three needs [local.two]
    local.two needs [local.one]
    provider.docker.west needs []
    machine.docker.here needs [provider.docker.west, docker_volume.a]
    service.web needs []
    docker_volume.a needs []
    docker_volume.b needs [local.two]
    output.o needs [machine.docker.here]
    provider docker.west []
    machine.docker.here by Some("docker.west"), Lifecycle { prevent_destroy: true, create_before_destroy: false, ignore_changes: [Path([Attribute("labels"), Key("a")]), Path([Attribute("platform")])], replace_triggered_by: [], preconditions: [], postconditions: [] }
    service.web by None, Lifecycle { prevent_destroy: false, create_before_destroy: false, ignore_changes: [], replace_triggered_by: [], preconditions: [], postconditions: [] }
      {"command": null, "cpus": null, "entrypoint": null, "env": {"A": "1"}, "health": {"command": ["true"], "interval": null, "retries": null, "start_period": null, "timeout": null}, "hostname": null, "image": "i", "labels": null, "memory": null, "mode": null, "networks": null, "placement": null, "pool": "p", "port": [{"container": 80, "host": null, "protocol": null}, {"container": 81, "host": null, "protocol": null}], "replicas": null, "restart": null, "user": null, "volume": [{"read_only": null, "source": "a", "target": "/a"}, {"read_only": null, "source": "b", "target": "/b"}], "working_dir": null}
    docker_volume.a by None, Lifecycle { prevent_destroy: false, create_before_destroy: false, ignore_changes: [], replace_triggered_by: [], preconditions: [], postconditions: [] }
    docker_volume.b by None, Lifecycle { prevent_destroy: false, create_before_destroy: false, ignore_changes: [], replace_triggered_by: [], preconditions: [], postconditions: [] }
    ["docker"]
    "#);
}

#[test]
fn mistakes_are_said_where_the_json_is() {
    let file = source(
        "main.bm.json",
        r#"{
  "servcie": { "a": {} },
  "locals": { "a": "${var.b}", "a-b": "\u00e9 ${lcoal.a}", "c": 1, "c": 2 },
  "variable": { "x": { "type": "list(strin)", "default": 1, "sensitive": "yes" } },
  "machine": { "docker": { "x": { "depends_on": "docker_volume.a", "provider": "${docker.a}" } } },
  "service": { "web": { "pool": "p", "image": "i", "port": 80, "health": [{}, {}], "volume": [1], "env": { "A": "${x.value}" } } },
  "output": { "o": {}, "not a name": { "value": 1 } }
}"#,
    );
    assert_snapshot!(check(&file), @r#"
    error: an expression is wanted here (this is `$`) at «$» hint: references stand without a sign: `var.name`
    error: no block is called `servcie` at «"servcie"» hint: did you mean `service`?
    error: `c` is set twice at «"c"»
    error: `not a name` is no name at «"not a name"» hint: names are letters, digits, `_` and `-`, and begin with a letter or `_`
    error: no type is called `strin` at «strin» hint: did you mean `string`?
    error: `sensitive` is `true` or `false` at «"yes"»
    error: `depends_on` is a list of blocks at «"docker_volume.a"» hint: write `depends_on = [machine.docker.here]`
    error: `value` is missing at «"o"»
    error: `var.b` is not declared at «var.b» hint: there is only `var.x`
    error: `lcoal.a` is not declared at «lcoal.a» hint: did you mean `local`?
    error: `x.value` is not declared at «x.value» hint: declare it: `resource "x" "value" { … }`
    variable x : any = 1 None false
    var.x needs []
    local.a needs []
    local.a-b needs []
    local.c needs []
    machine.docker.x needs []
    service.web needs []
    machine.docker.x by None, Lifecycle { prevent_destroy: false, create_before_destroy: false, ignore_changes: [], replace_triggered_by: [], preconditions: [], postconditions: [] }
    service.web by None, Lifecycle { prevent_destroy: false, create_before_destroy: false, ignore_changes: [], replace_triggered_by: [], preconditions: [], postconditions: [] }
      {"command": null, "cpus": null, "entrypoint": null, "env": null, "health": {"command": null, "interval": null, "retries": null, "start_period": null, "timeout": null}, "hostname": null, "image": "i", "labels": null, "memory": null, "mode": null, "networks": null, "placement": null, "pool": "p", "port": [], "replicas": null, "restart": null, "user": null, "volume": [], "working_dir": null}
    error: no block `x.value` is declared at «x.value» hint: there is no block at all
    error: the argument `command` is missing at «{}» hint: add `command = …`
    error: the argument `command` is missing at «{}» hint: add `command = …`
    error: there can be one `health` block only at «{}»
    error: `port` is a block at «80» hint: write `"port": { … }`, or `"port": [{ … }, …]` for several
    error: `volume` is a block at «1» hint: write `"volume": { … }`, or `"volume": [{ … }, …]` for several
    []
    "#);
}

#[test]
fn a_block_in_json_is_one_object_or_several_in_an_array() {
    let file = source(
        "main.bm.json",
        r#"{ "service": { "web": { "pool": "p", "image": "i", "port": 80, "health": [{}, {}], "volume": [1, { "sorce": "a" }], "placement": null } } }"#,
    );
    assert_snapshot!(check(&file), @r#"
    service.web needs []
    service.web by None, Lifecycle { prevent_destroy: false, create_before_destroy: false, ignore_changes: [], replace_triggered_by: [], preconditions: [], postconditions: [] }
      {"command": null, "cpus": null, "entrypoint": null, "env": null, "health": {"command": null, "interval": null, "retries": null, "start_period": null, "timeout": null}, "hostname": null, "image": "i", "labels": null, "memory": null, "mode": null, "networks": null, "placement": null, "pool": "p", "port": [], "replicas": null, "restart": null, "user": null, "volume": [{"read_only": null, "source": null, "target": null}], "working_dir": null}
    error: the argument `command` is missing at «{}» hint: add `command = …`
    error: the argument `command` is missing at «{}» hint: add `command = …`
    error: there can be one `health` block only at «{}»
    error: `port` is a block at «80» hint: write `"port": { … }`, or `"port": [{ … }, …]` for several
    error: `volume` is a block at «1» hint: write `"volume": { … }`, or `"volume": [{ … }, …]` for several
    error: no argument is called `sorce` here at «"sorce"» hint: did you mean `source`?
    error: the argument `source` is missing at «{ "sorce": "a" }» hint: add `source = …` (a volume's name or a path of the machine's)
    error: the argument `target` is missing at «{ "sorce": "a" }» hint: add `target = …` (a path in the container)
    []
    "#);
}

/// The ports of `service.web`, as two files have them.
fn ports(first: (&str, &str), second: (&str, &str)) -> String {
    let files = vec![source(first.0, first.1), source(second.0, second.1)];
    let (module, said) = bimetal_config::parse(&files, "");
    let block = module.objects.values().next().expect("a service");
    let (value, errors) = decode(&block.body, builtin::service(), &scope());
    assert!(said.is_empty() && errors.is_empty(), "{said:?} {errors:?}");
    format!("{:?}", value.member("port").expect("a block"))
}

#[test]
fn blocks_override_each_other_in_whichever_syntax() {
    let native = "service \"web\" {\n  pool = \"p\"\n  image = \"i\"\n  port {\n    container = 1\n  }\n}\n";
    let json = r#"{ "service": { "web": { "pool": "p", "image": "i", "port": { "container": 2 } } } }"#;
    let second = r#"[{"container": 2, "host": null, "protocol": null}]"#;
    assert_eq!(ports(("main.bm.hcl", native), ("override.bm.json", json)), second);
    assert_eq!(ports(("main.bm.json", json), ("override.bm.hcl", native)), second.replace('2', "1"));
    assert_eq!(ports(("main.bm.json", json), ("override.bm.json", json)), second);
}

proptest! {
    /// Whatever is written, it is read, or said to be wrong in a place of the file.
    #[test]
    fn any_configuration_can_be_read(tokens in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "[", "]", "\"service\":{\"web\":", "\"dynamic\":{\"port\":", "\"content\":", "\"for_each\":", "\"port\":",
        "\"variable\":{\"v\":", "\"type\":", "\"locals\":", "\"lifecycle\":", "\"ignore_changes\":", "\"depends_on\":",
        "\"iterator\":", "\"module\":{\"m\":", "\"providers\":", "\"output\":{\"o\":", "\"value\":", "\"${port.value}\"",
        "\"list(string)\"", "\"a.b[0]\"", "1", "null", "true", ",", "\"//\":",
    ]), 0..30)) {
        for text in [tokens.concat(), format!("{{\"service\":{{\"web\":{{{}", tokens.concat())] {
            let file = source("main.bm.json", &text);
            let (_, diagnostics) = bimetal_config::parse(std::slice::from_ref(&file), "");
            for span in diagnostics.iter().filter_map(|diagnostic| diagnostic.span.as_ref()) {
                prop_assert!(file.text.get(span.range.clone()).is_some(), "{:?} in {}", span, text);
            }
            check(&file);
        }
    }
}
