//! What `plan` says, and what it can be told: nothing here needs an engine.

use bimetal_tests::{Bimetal, Ran};
use insta::assert_snapshot;
use serde_json::Value;

/// Machines that say what they are, volumes on them, and services: planned offline, with images that are locked.
const FLEET: &str = r#"
variable "tag" {
  default = "1.27"
}

machine "docker" "m" {
  count    = 4
  host     = "ssh://pi@10.0.0.${count.index + 1}"
  platform = "linux/arm64"
}

pool "all" {
  machines = [machine.docker.m]
}

resource "docker_volume" "data" {
  for_each = toset(["a", "b", "c"])
  name     = "data-${each.key}"
  engine   = machine.docker.m[0].engine
}

service "web" {
  pool     = pool.all
  image    = "nginx:${var.tag}"
  replicas = 98
}

output "volumes" {
  value = [for volume in docker_volume.data : volume.name]
}
"#;

const LOCK: &str = r#"
image "nginx:1.27" {
  digest    = "sha256:6784fb0834aa7dbbe12e3d7471e69c290df3e6ba810dc38b34ae33d3c1c05f7d"
  platforms = {
    "linux/amd64" = "sha256:53f45dba5bda8fe6c3b4d0a5e2b8ac1b9ea5d1d2d3b5dcd4e0d0d0d0d0d0d0d0"
    "linux/arm64" = "sha256:54f45dba5bda8fe6c3b4d0a5e2b8ac1b9ea5d1d2d3b5dcd4e0d0d0d0d0d0d0d0"
  }
}
"#;

fn fleet() -> Bimetal {
    let bimetal = Bimetal::new(FLEET);
    bimetal.write("bimetal.lock.hcl", LOCK);
    bimetal
}

fn shown(ran: &Ran) -> String {
    let Ran { words, code, stdout, stderr } = ran;
    let passing = |line: &&str| !line.starts_with("compiling provider");
    let said = stderr.lines().filter(passing).map(|line| format!("{line}\n")).collect::<String>();
    format!("$ bimetal {words}\n{stdout}--- stderr\n{said}({code})\n")
}

fn plan(bimetal: &Bimetal, words: &[&str]) -> String {
    shown(&bimetal.run(&[&["plan", "-offline"], words].concat()))
}

#[test]
fn many_alike_are_one() {
    let bimetal = fleet();
    assert_snapshot!("many_alike_are_one", plan(&bimetal, &[]));
    assert_snapshot!(plan(&bimetal, &["-detail=summary"]), @"
    $ bimetal plan -offline -detail=summary
    Plan: 105 to add (4 machines, 98 replicas of 1 service, 3 resources), 0 to change, 0 to destroy.
    1 output changes.
    --- stderr
    (0)
    ");
    let full = plan(&bimetal, &["-detail=full"]);
    assert_eq!(full.matches("will be created").count(), 4 + 3 + 98, "{full}");
}

#[test]
fn one_that_differs_is_seen() {
    let odd = |name: &str| {
        FLEET.replace(
            "name     = \"data-${each.key}\"",
            &format!("name     = each.key == \"b\" ? \"{name}\" : \"data-${{each.key}}\""),
        )
    };
    let (one, other) = (Bimetal::new(&odd("odd-1")), Bimetal::new(&odd("odd-2")));
    let words = ["-target=docker_volume.data"];
    let (one, other) = (plan(&one, &words), plan(&other, &words));
    assert_ne!(one, other);
    assert_snapshot!(one, @r#"
    $ bimetal plan -offline -target=docker_volume.data
    Bimetal will do this:

      # machine.docker.m[0…3] will be created (4)
      + machine "docker" "m" {
          + address        = "10.0.0.1" … "10.0.0.4"
          + cpus           = (known after apply)
          + engine         = (handle)
          + engine_version = (known after apply)
          + host           = "ssh://pi@10.0.0.1" … "ssh://pi@10.0.0.4"
          + memory         = (known after apply)
          + name           = (known after apply)
          + platform       = "linux/arm64"
        }

      # docker_volume.data["a", "b", "c"] will be created (3)
      + resource "docker_volume" "data" {
          + engine     = (handle)
          + mountpoint = (known after apply)
          + name       = "data-a", "odd-1", "data-c"
        }

    Plan: 7 to add (4 machines, 3 resources), 0 to change, 0 to destroy.
    1 block of the configuration is left out.

    Outputs that change:
      + volumes = [
          "data-a",
          "odd-1",
          "data-c",
        ]
    --- stderr
    warning: this plan is a part of what the configuration asks for: `-target=docker_volume.data`
     |
     = note: what is left out stays as it is, whatever the configuration says
     = hint: plan everything again when this is done

    (0)
    "#);
}

#[test]
fn a_part_may_be_planned() {
    let bimetal = fleet();
    assert_snapshot!(plan(&bimetal, &["-target=docker_volume.data[a]"]), @r#"
    $ bimetal plan -offline -target=docker_volume.data[a]
    Bimetal will do this:

      # machine.docker.m[0…3] will be created (4)
      + machine "docker" "m" {
          + address        = "10.0.0.1" … "10.0.0.4"
          + cpus           = (known after apply)
          + engine         = (handle)
          + engine_version = (known after apply)
          + host           = "ssh://pi@10.0.0.1" … "ssh://pi@10.0.0.4"
          + memory         = (known after apply)
          + name           = (known after apply)
          + platform       = "linux/arm64"
        }

      # docker_volume.data["a"] will be created
      + resource "docker_volume" "data" {
          + engine     = (handle)
          + mountpoint = (known after apply)
          + name       = "data-a"
        }

    Plan: 5 to add (4 machines, 1 resource), 0 to change, 0 to destroy.
    2 blocks of the configuration are left out, and 1 output that rests on that stays as it is.
    --- stderr
    warning: this plan is a part of what the configuration asks for: `-target=docker_volume.data["a"]`
     |
     = note: what is left out stays as it is, whatever the configuration says; the output `volumes` rests on what is left out, and stays as it is
     = hint: plan everything again when this is done

    (0)
    "#);
    assert_snapshot!(plan(&bimetal, &["-exclude=service.web", "-exclude=docker_volume.data", "-detailed-exitcode"]), @r#"
    $ bimetal plan -offline -exclude=service.web -exclude=docker_volume.data -detailed-exitcode
    Bimetal will do this:

      # machine.docker.m[0…3] will be created (4)
      + machine "docker" "m" {
          + address        = "10.0.0.1" … "10.0.0.4"
          + cpus           = (known after apply)
          + engine         = (handle)
          + engine_version = (known after apply)
          + host           = "ssh://pi@10.0.0.1" … "ssh://pi@10.0.0.4"
          + memory         = (known after apply)
          + name           = (known after apply)
          + platform       = "linux/arm64"
        }

    Plan: 4 to add (4 machines), 0 to change, 0 to destroy.
    2 blocks of the configuration are left out, and 1 output that rests on that stays as it is.
    --- stderr
    warning: this plan is a part of what the configuration asks for: `-exclude=service.web`, `-exclude=docker_volume.data`
     |
     = note: what is left out stays as it is, whatever the configuration says; the output `volumes` rests on what is left out, and stays as it is
     = hint: plan everything again when this is done

    (2)
    "#);
    assert_snapshot!(plan(&bimetal, &["-target=docker_volume.date"]), @r"
    $ bimetal plan -offline -target=docker_volume.date
    --- stderr
    error: `-target=docker_volume.date` names nothing
     |
     = note: neither the configuration nor the state knows it
     = hint: did you mean `docker_volume.data`?

    (1)
    ");
    assert_snapshot!(plan(&bimetal, &["-replace=machine.docker.m"]), @r"
    $ bimetal plan -offline -replace=machine.docker.m
    --- stderr
    error: `machine.docker.m` has several instances, and `-replace` makes one anew
     |
     = hint: name the instance, as `machine.docker.m[0]`; the option may be given several times

    (1)
    ");
}

#[test]
fn what_is_not_known_offline_is_told() {
    let bimetal = fleet();
    assert_snapshot!(plan(&bimetal, &["-var", "tag=1.28"]), @r"
    $ bimetal plan -offline -var tag=1.28
    --- stderr
    error: service.web: what the image `nginx:1.28` offers is not known offline
     |
     = hint: it is not in `bimetal.lock.hcl`: a plan without `--offline` puts it there

    (1)
    ");
    bimetal.write("main.bm.hcl", &FLEET.replace("  platform = \"linux/arm64\"\n", ""));
    assert_snapshot!(plan(&bimetal, &[]), @r#"
    $ bimetal plan -offline
    --- stderr
    error: the kind of the machine `machine.docker.m[0]` is not known offline
     --> main.bm.hcl:6:1
      |
    6 | machine "docker" "m" {
      | ^^^^^^^^^^^^^^^^^^^^
      |
      = hint: set `platform`, as `platform = "linux/arm64"`; or plan without `-offline`, or apply, once: then it is known

    error: the kind of the machine `machine.docker.m[1]` is not known offline
     --> main.bm.hcl:6:1
      |
    6 | machine "docker" "m" {
      | ^^^^^^^^^^^^^^^^^^^^
      |
      = hint: set `platform`, as `platform = "linux/arm64"`; or plan without `-offline`, or apply, once: then it is known

    error: the kind of the machine `machine.docker.m[2]` is not known offline
     --> main.bm.hcl:6:1
      |
    6 | machine "docker" "m" {
      | ^^^^^^^^^^^^^^^^^^^^
      |
      = hint: set `platform`, as `platform = "linux/arm64"`; or plan without `-offline`, or apply, once: then it is known

    error: the kind of the machine `machine.docker.m[3]` is not known offline
     --> main.bm.hcl:6:1
      |
    6 | machine "docker" "m" {
      | ^^^^^^^^^^^^^^^^^^^^
      |
      = hint: set `platform`, as `platform = "linux/arm64"`; or plan without `-offline`, or apply, once: then it is known

    (1)
    "#);
}

#[test]
fn programs_are_told_everything() {
    let bimetal = fleet();
    let text = bimetal.ok(&["plan", "-offline", "-json", "-target=docker_volume.data[\"a\"]"]);
    let document: Value = serde_json::from_str(&text).expect("a document");
    assert_snapshot!("a_plan_as_json", format!("{document:#}"));
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let bimetal = fleet();
    for words in [
        &["plan", "-destroy", "-refresh-only"][..],
        &["plan", "-refresh-only", "-replace=docker_volume.data[\"a\"]"],
        &["plan", "-offline", "-refresh-only"],
        &["plan", "-target=x"],
        &["plan", "-parallelism=0"],
        &["apply", "-target=docker_volume.data", "plan.bin"],
        &["plan", "-refresh=false", "-refresh-only"],
        &["apply", "-destroy", "plan.bin"],
        &["apply", "-destroy", "-replace=docker_volume.data[\"a\"]"],
        &["destroy", "-refresh-only"],
        &["plan", "-detail=little"],
    ] {
        assert_eq!(bimetal.run(words).code, 2, "{words:?}");
    }
}

#[test]
fn what_makes_instances_unknown_is_named() {
    let config = "machine \"docker\" \"a\" {\n  host = \"ssh://pi@rack\"\n  platform = \"linux/arm64\"\n}\n\nresource \"docker_volume\" \"a\" {\n  name   = \"data\"\n  engine = machine.docker.a.engine\n}\n\nlocals {\n  names = toset([docker_volume.a.mountpoint])\n}\n\nresource \"docker_volume\" \"b\" {\n  for_each = local.names\n  name     = each.key\n  engine   = machine.docker.a.engine\n}\n";
    assert_snapshot!(plan(&Bimetal::new(config), &[]), @r"
    $ bimetal plan -offline
    --- stderr
    error: docker_volume.b: `for_each` depends on what is known only after apply
      --> main.bm.hcl:16:14
       |
    16 |   for_each = local.names
       |              ^^^^^^^^^^^ `docker_volume.a.mountpoint` is known only after apply
       |
       = hint: `bimetal apply -target=docker_volume.a` makes that first; or use what the configuration itself knows, as names, and let only the values come from elsewhere

    (1)
    ");
}
