//! What goes wrong half-way ends in the desired world after the next apply, or in an error that says what to do.

use bimetal_tests::{Bimetal, Engine, Lab, image};
use xtask::web::Platform;

const CONFIGURATION: &str = r#"
variable "engine" {
  type = string
}

variable "replicas" {
  type    = number
  default = 3
}

machine "docker" "one" {
  host     = var.engine
  insecure = true
}

pool "all" {
  machines = [machine.docker.one]
}

resource "docker_volume" "data" {
  engine = machine.docker.one.engine
  name   = "data"
}

service "web" {
  pool     = pool.all
  image    = "oci:./image"
  replicas = var.replicas

  port {
    container = 8080
  }
}
"#;

fn operator(engine: &Engine) -> Bimetal {
    let mut bimetal = Bimetal::new(CONFIGURATION);
    image::layout(&bimetal.folder().join("image"), &[Platform::Amd64], "hello");
    bimetal.set("engine", engine.host());
    bimetal
}

#[test]
fn a_process_killed_at_any_point_is_finished_by_the_next_one() {
    let Some(lab) = Lab::start() else { return };
    let engine = Engine::start(&lab, "one");
    let bimetal = operator(&engine);
    // Machine, volume and three replicas: five of each point.
    for point in ["before-intent", "after-intent", "after-effect", "after-outcome"] {
        for nth in 1..=5 {
            let at = format!("{point}:{nth}");
            let killed = bimetal.run_with(&[("BIMETAL_CRASH_AT", &at)], &["apply", "--auto-approve"]);
            assert_ne!(killed.code, 0, "{at}: nothing was killed: {killed}");
            bimetal.run(&["state", "force-unlock"]).ok();
            bimetal.apply();
            assert_eq!(engine.names(), ["web-0", "web-1", "web-2"], "{at}");
            bimetal.assert_settled();
            bimetal.ok(&["destroy", "--auto-approve"]);
            assert_eq!(engine.containers().len(), 0, "{at}");
            assert_eq!(engine.get("/volumes").json()["Volumes"].as_array().map_or(0, Vec::len), 0, "{at}");
        }
    }
}

#[test]
fn what_is_made_first_is_there_before_the_other_goes() {
    let Some(lab) = Lab::start() else { return };
    let engine = Engine::start(&lab, "one");
    let mut bimetal = operator(&engine);
    let first = "image    = \"oci:./image\"\n  env      = { MOOD = var.mood }\n  lifecycle {\n    create_before_destroy = \
                 true\n  }";
    let configuration = CONFIGURATION.replace("image    = \"oci:./image\"", first);
    bimetal.write("main.bm.hcl", &format!("variable \"mood\" {{}}\n{configuration}"));
    bimetal.set("replicas", 1).set("mood", "calm").apply();
    let killed_at = |bimetal: &Bimetal, at: &str| {
        let killed = bimetal.run_with(&[("BIMETAL_CRASH_AT", at)], &["apply", "--auto-approve"]);
        assert_ne!(killed.code, 0, "{at}: nothing was killed: {killed}");
        bimetal.run(&["state", "force-unlock"]).ok();
    };

    bimetal.set("mood", "wild");
    let shown = bimetal.ok(&["plan"]);
    assert!(shown.contains("replica[0] must be replaced, and is made before what is there is removed"), "{shown}");
    killed_at(&bimetal, "after-outcome:1");
    assert_eq!(engine.names(), ["web-0", "web-0.g1"]);
    assert!(bimetal.ok(&["state", "list"]).contains("service.web.replica[0].deposed[0]\n"));
    let shown = bimetal.ok(&["plan"]);
    assert!(shown.contains("another `service.web.replica[0]` has taken its place"), "{shown}");
    bimetal.apply();
    assert_eq!(engine.names(), ["web-0.g1"]);
    bimetal.assert_settled();

    // Nobody was made: what is there keeps its place, and who wants it as it is has nothing to do.
    bimetal.set("mood", "calm");
    killed_at(&bimetal, "after-intent:1");
    assert_eq!(engine.names(), ["web-0.g1"]);
    bimetal.set("mood", "wild").apply();
    assert_eq!(engine.names(), ["web-0.g1"]);
    bimetal.assert_settled();
    bimetal.set("mood", "calm").apply();
    assert_eq!(engine.names(), ["web-0.g2"]);
    bimetal.assert_settled();
}

#[test]
fn an_engine_that_stops_answering_is_named_and_left_alone() {
    let Some(lab) = Lab::start() else { return };
    let engine = Engine::start(&lab, "one");
    let bimetal = operator(&engine);
    bimetal.apply();
    engine.cell().freeze();
    let error = bimetal.run(&["plan"]).failed();
    assert!(error.contains(&engine.socket().to_string()), "{error}");
    engine.cell().thaw();
    bimetal.assert_settled();
}

#[test]
fn a_name_that_somebody_else_took_is_said_and_nothing_is_leaked() {
    let Some(lab) = Lab::start() else { return };
    let engine = Engine::start(&lab, "one");
    let bimetal = operator(&engine);
    bimetal.apply();
    bimetal.run(&["state", "rm", "service.web.replica[1]"]).ok();
    let failed = bimetal.run(&["apply", "--auto-approve"]);
    assert_eq!(failed.code, 1, "{failed}");
    assert!(failed.stderr.contains("web-1"), "{failed}");
    let foreign = engine.containers().iter().find(|one| one["Names"][0] == "/web-1").expect("still there").clone();
    engine.request(
        "DELETE",
        &format!("/containers/{}?force=1", foreign["Id"].as_str().expect("an id")),
        &serde_json::json!({}),
    );
    bimetal.apply();
    bimetal.assert_settled();
    assert_eq!(engine.names(), ["web-0", "web-1", "web-2"]);
}

#[test]
fn secrets_are_neither_printed_nor_stored_in_clear() {
    let Some(lab) = Lab::start() else { return };
    let engine = Engine::start(&lab, "one");
    let secret = "hunter2-is-not-to-be-seen";
    let with_secret =
        CONFIGURATION.replace("replicas = var.replicas", "replicas = var.replicas\n  env = { TOKEN = var.token }");
    let bimetal = operator(&engine);
    bimetal.write(
        "main.bm.hcl",
        &format!("variable \"token\" {{\n  type = string\n  sensitive = true\n}}\n{with_secret}"),
    );
    let variables = [("BIMETAL_VAR_token", secret), ("BIMETAL_LOG", "trace")];
    let planned = bimetal.run_with(&variables, &["plan", "--out", "saved"]);
    assert_eq!(planned.code, 0, "{planned}");
    let applied = bimetal.run_with(&variables, &["apply", "saved"]);
    assert_eq!(applied.code, 0, "{applied}");
    let shown = bimetal.run_with(&variables, &["show", "--json"]);
    for ran in [&planned, &applied, &shown] {
        assert!(!format!("{ran}").contains(secret), "{ran}");
    }
    for entry in walk(bimetal.folder()) {
        let bytes = std::fs::read(&entry).expect("our own file");
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", entry.display());
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("our own folder").flatten() {
        match entry.path().is_dir() {
            true => files.extend(walk(&entry.path())),
            false => files.push(entry.path()),
        }
    }
    files
}
