//! The story of a repository: releases that are tags, a team that applies them, and servers that change or go away meanwhile.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bimetal_tests::notes::{Server, TOKEN, component};
use bimetal_tests::repository::{GitServer, Repository, git};
use bimetal_tests::wait::until_true;
use bimetal_tests::{Bimetal, Engine, Lab, bimetal, image};
use xtask::web::Platform;

const PATIENCE: Duration = Duration::from_secs(60);

const HEAD: &str = r#"
bimetal {
  state "local" {
    path = var.state
  }
  required_providers {
    notes = { path = "./notes.wasm" }
  }
}

variable "state" {}

variable "url" {}

variable "engine" {}

variable "token" {
  sensitive = true
}

provider "notes" {
  url   = var.url
  token = var.token
}

machine "docker" "desk" {
  host = var.engine
}

pool "all" {
  machines = [machine.docker.desk]
}

module "welcome" {
  source  = "git::MODULES//welcome"
  version = "~> 1.0"
}
"#;

const MODULE: &str = r#"
resource "notes_note" "one" {
  topic = "welcome"
  text  = "hello"
}
"#;

const ONE: &str = r#"
resource "notes_note" "drink" {
  topic = "tea"
  text  = "green"
}
"#;

const TWO: &str = r#"
resource "notes_note" "tea" {
  topic = "tea"
  text  = "green"
}

moved {
  from = notes_note.drink
  to   = notes_note.tea
}

resource "notes_note" "coffee" {
  topic = "coffee"
  text  = "black"
}

service "web" {
  pool     = pool.all
  image    = "oci:./image"
  replicas = 1
}
"#;

/// Where the team's repositories are, and the one world that it works on.
struct Team {
    server: GitServer,
    modules: Repository,
    notes: Server,
    engine: Engine,
    state: tempfile::TempDir,
}

impl Team {
    fn new(lab: &Lab) -> Team {
        let team = Team {
            server: GitServer::start(),
            modules: Repository::new(),
            notes: Server::start(),
            engine: Engine::start(lab, "desk"),
            state: tempfile::tempdir().expect("a folder"),
        };
        team.modules.commit(&[("welcome/main.bm.hcl", MODULE)]);
        team.modules.git(&["tag", "v1.0.0"]);
        team.server.publish(&team.modules.path(), "modules.git");
        team
    }

    fn configuration(&self, rest: &str) -> String {
        HEAD.replace("MODULES", &format!("{}/modules.git", self.server.url())) + rest
    }

    fn equip(&self, mut bimetal: Bimetal) -> Bimetal {
        bimetal.set("url", self.notes.url()).set("token", TOKEN).set("state", self.state.path().display());
        bimetal.set("engine", format!("unix://{}", self.engine.unix_socket().display()));
        bimetal
    }

    /// Who writes the configuration.
    fn ann(&self) -> Bimetal {
        let ann = self.equip(Bimetal::new(&self.configuration(ONE)));
        ann.write(".gitignore", ".bimetal/\n.home/\n");
        std::fs::copy(component(), ann.folder().join("notes.wasm")).expect("our own folder");
        image::layout(&ann.folder().join("image"), &[Platform::Amd64], "hello");
        git(ann.folder(), &["init", "--quiet", "--initial-branch", "main"]);
        git(ann.folder(), &["remote", "add", "origin", &format!("{}/infra.git", self.server.url())]);
        ann.ok(&["init"]);
        ann
    }

    /// Who only has what is on the server.
    fn bob(&self) -> Bimetal {
        let bob = self.equip(Bimetal::new(""));
        let url = format!("{}/infra.git", self.server.url());
        for words in [
            &["init", "--quiet", "--initial-branch", "main"][..],
            &["remote", "add", "origin", &url],
            &["fetch", "--quiet", "--tags", "origin", "main"],
            &["checkout", "--quiet", "--force", "-B", "main", "FETCH_HEAD"],
        ] {
            git(bob.folder(), words);
        }
        bob
    }

    /// Commits what Ann wrote, and publishes it under a tag.
    fn release(&self, ann: &Bimetal, tag: &str) {
        git(ann.folder(), &["add", "--all"]);
        git(ann.folder(), &["commit", "--quiet", "--message", tag]);
        git(ann.folder(), &["tag", tag]);
        self.server.publish(ann.folder(), "infra.git");
    }

    /// The server goes away; what it works on stays.
    fn without_server(self) -> Team {
        Team { server: GitServer::start(), ..self }
    }

    /// Notes, and containers by their names.
    fn world(&self) -> Vec<String> {
        let mut all: Vec<_> = self.notes.notes().iter().map(|(topic, text)| format!("{topic}: {text}")).collect();
        all.extend(self.engine.names());
        all.sort();
        all
    }
}

/// Without what differs from run to run: ids, times and who it is.
fn in_words(text: &str) -> String {
    let mut plain = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let (bare, end) = word.split_at(word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len());
        let is_id = bare.len() >= 12 && bare.chars().all(|c| c.is_ascii_hexdigit());
        plain += &if is_id { format!("…{end}") } else { word.to_owned() };
    }
    plain
}

#[test]
fn releases_are_applied_refused_and_taken_back() {
    let Some(lab) = Lab::start() else { return };
    let team = Team::new(&lab);
    let ann = team.ann();
    team.release(&ann, "v1");
    ann.ok(&["apply", "--ref", "v1", "--auto-approve"]);
    assert_eq!(team.world(), ["tea: green", "welcome: hello"]);

    // The next release makes something, and calls something else by another name.
    ann.write("main.bm.hcl", &team.configuration(TWO));
    ann.ok(&["plan"]);
    team.release(&ann, "v2");
    ann.write("main.bm.hcl", "this is not ready");
    insta::assert_snapshot!(in_words(&ann.ok(&["diff", "v1", "v2"])), @r#"
      # notes_note.drink is called notes_note.tea now

      # service.web.replica[0] is added
      # on machine.docker.desk (linux/amd64)
      + service "web" replica[0] {
          + engine     = (handle)
          + id         = (known after apply)
          + image      = "oci:./image@sha256:…"
          + image_id   = (known after apply)
          + ip_address = (known after apply)
          + labels     = {
              "bimetal.service" = "service.web"
            }
          + name       = "web-0"
          + platform   = "linux/amd64"
          + restart    = "unless-stopped"
          + running    = true
        }

      # notes_note.coffee is added
      + resource "notes_note" "coffee" {
          + id       = (known after apply)
          + revision = 1
          + text     = "black"
          + topic    = "coffee"
        }

    Images that differ:
      + service.web: "oci:./image" (sha256:…)

    Difference: 2 added (1 replica of 1 service, 1 resource), 0 changed, 0 removed; 1 moved (1 resource).
    From commit … (v1) to commit … (v2).
    "#);
    insta::assert_snapshot!(in_words(&ann.ok(&["plan", "--ref", "v2"])), @r#"
      # notes_note.drink is called notes_note.tea now

    Bimetal will do this:

      # service.web.replica[0] will be created
      # on machine.docker.desk (linux/amd64): the only node with room
      + service "web" replica[0] {
          + engine     = (handle)
          + id         = (known after apply)
          + image      = "oci:./image@sha256:…"
          + image_id   = (known after apply)
          + ip_address = (known after apply)
          + labels     = {
              "bimetal.service" = "service.web"
            }
          + name       = "web-0"
          + platform   = "linux/amd64"
          + restart    = "unless-stopped"
          + running    = true
        }

      # notes_note.coffee will be created
      + resource "notes_note" "coffee" {
          + id       = (known after apply)
          + revision = 1
          + text     = "black"
          + topic    = "coffee"
        }

    Plan: 2 to add (1 replica of 1 service, 1 resource), 0 to change, 0 to destroy; 1 moved.

    This is commit … (v2).
    "#);
    ann.ok(&["apply", "--ref", "v2", "--auto-approve"]);
    assert_eq!(team.world(), ["coffee: black", "tea: green", "web-0", "welcome: hello"]);
    ann.write("main.bm.hcl", &team.configuration(&TWO.replace("black", "white")));
    team.release(&ann, "v3");
    let bob = team.bob();

    // Somebody moves a tag of the modules: nobody takes what is behind it by accident.
    let old = team.modules.git(&["rev-parse", "v1.0.0"]);
    let new = team.modules.commit(&[("welcome/main.bm.hcl", &MODULE.replace("hello", "evil"))]);
    team.modules.git(&["tag", "--force", "v1.0.0"]);
    team.server.publish(&team.modules.path(), "modules.git");
    let refused = ann.run(&["init"]).failed();
    assert!(refused.contains("is not where it is locked any more"), "{refused}");
    assert!(refused.contains(old.trim()) && refused.contains(&new), "{refused}");

    // The server goes away; what is locked is here.
    let team = team.without_server();
    bob.ok(&["plan", "--ref", "v2"]);
    ann.apply();
    assert_eq!(team.world(), ["coffee: white", "tea: green", "web-0", "welcome: hello"]);
    // What was called otherwise since gets its name back, and is what it was.
    let id_of_tea = || {
        let tea = team.notes.picture().into_iter().find(|note| note["topic"] == "tea");
        tea.expect("it is there")["id"].clone()
    };
    let tea = id_of_tea();
    let back = ann.ok(&["rollback", "1", "--auto-approve"]);
    assert!(back.contains("# notes_note.tea is called notes_note.drink now"), "{back}");
    assert_eq!((team.world(), id_of_tea()), (["tea: green", "welcome: hello"].map(str::to_owned).to_vec(), tea));
    let shown = ann.ok(&["history", "show", "4"]);
    assert!(shown.contains("  move    notes_note.tea to notes_note.drink\n"), "{shown}");

    two_releases_at_once(&ann, &bob, &team.notes);
    assert_eq!(team.world(), ["coffee: white", "tea: green", "web-0", "welcome: hello"]);
    let runs = bob.ok(&["status", "--ref", "v3"]);
    assert!(runs.contains("(v3)"), "{runs}");
    ann.ok(&["destroy", "--auto-approve"]);
    assert_eq!(team.world(), [""; 0]);
}

/// Whoever comes second is told who is at it, or waits and plans again.
fn two_releases_at_once(ann: &Bimetal, bob: &Bimetal, notes: &Server) {
    let before = notes.changes();
    notes.hold();
    let first = ann.start(&["apply", "--ref", "v2", "--auto-approve"]);
    until_true("the first one to make something", PATIENCE, || notes.changes() > before);
    let refused = bob.run(&["apply", "--ref", "v3", "--auto-approve"]).failed();
    assert!(refused.contains(" locked by ") && refused.contains("bimetal apply"), "{refused}");
    let second = bob.start(&["apply", "--ref", "v3", "--auto-approve", "--lock-timeout", "1m"]);
    until_true("the second one to wait", PATIENCE, || second.said().contains("Waiting:"));
    notes.release();
    first.wait().ok();
    let second = second.wait();
    assert!(second.code == 0 && second.stderr.contains("The state has changed meanwhile"), "{second}");
}

const PAGE: &str = include_str!("../../docs/repositories.md");

/// The blocks of the page's session, in their order: what is said behind the three ticks, and the text.
fn session() -> Vec<(&'static str, &'static str)> {
    let section = PAGE.split("\n## ").find(|section| section.starts_with("A session\n")).expect("it has one");
    section.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect()
}

/// A line of the session that happens elsewhere.
fn elsewhere(modules: &Repository, server: &GitServer, line: &str) {
    match line {
        "# Elsewhere, version 1.1.0 of the module is tagged." => {
            modules.commit(&[("greeting/main.bm.hcl", &greeting("good morning"))]);
            modules.git(&["tag", "v1.1.0"]);
        }
        other => panic!("nobody knows what this is: {other}"),
    }
    server.publish(&modules.path(), "team/modules.git");
}

fn greeting(hello: &str) -> String {
    format!("variable \"who\" {{}}\n\noutput \"text\" {{\n  value = \"{hello} ${{var.who}}\"\n}}\n")
}

/// As somebody types it.
fn typed(folder: &Path, line: &str) -> String {
    let program = bimetal::binary().parent().expect("a folder").display().to_string();
    let path = format!("{program}:{}", std::env::var("PATH").expect("it is set"));
    let home = folder.join(".home");
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("exec 2>&1; {line}")]).current_dir(folder).env("PATH", path).env("HOME", &home);
    shell.env("XDG_CONFIG_HOME", home.join(".config")).env("XDG_CACHE_HOME", home.join(".cache"));
    shell.env("NO_COLOR", "1").env("USER", "ann").env_remove("GIT_DIR").stdin(Stdio::null());
    let output = shell.output().expect("bash is installed");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{line}: {text}");
    // On a terminal these come and go.
    text.lines().filter(|line| !line.starts_with("fetching ")).map(|line| format!("{line}\n")).collect()
}

/// Without what differs from run to run.
fn as_on_the_page(text: &str) -> String {
    let line = |line: &str| {
        let line = match line.split_once("s.").and_then(|_| line.rsplit_once(" in ")) {
            Some((did, _)) if line.starts_with("Applied:") => format!("{did} in …"),
            _ => line.to_owned(),
        };
        match line.split_once("ann@") {
            // A row of the history: when it was, and whose machine that is.
            Some((before, after)) => {
                let number = before.split(' ').next().unwrap_or_default();
                let rest: Vec<_> = after.split_whitespace().skip(1).collect();
                format!("{number} … {}\n", rest.join(" "))
            }
            None if line.starts_with("REVISION") => line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n",
            None => format!("{line}\n"),
        }
    };
    in_words(&text.lines().map(line).collect::<String>())
}

#[test]
fn the_session_of_the_page_is_what_happens() {
    let (server, modules) = (GitServer::start(), Repository::new());
    modules.commit(&[("greeting/main.bm.hcl", &greeting("hello"))]);
    modules.git(&["tag", "v1.0.0"]);
    server.publish(&modules.path(), "team/modules.git");
    let bimetal = Bimetal::new("");
    let home = format!(
        "[user]\n\tname = Ann\n\temail = ann@example.org\n[url \"{}/\"]\n\tinsteadOf = https://git.example.org/\n",
        server.url()
    );
    bimetal.write(".home/.gitconfig", &home);
    bimetal.write(".gitignore", ".bimetal/\n.home/\n");
    git(bimetal.folder(), &["init", "--quiet", "--initial-branch", "main"]);
    let (mut page, mut happened) = (String::new(), String::new());
    for (info, text) in session() {
        if let Some((_, file)) = info.split_once(' ') {
            bimetal.write(file, text);
            continue;
        }
        page += &format!("{text}\n");
        for line in text.lines().filter(|line| line.starts_with("$ ") || line.starts_with("# ")) {
            happened += &format!("{line}\n");
            match line.strip_prefix("$ ") {
                Some(command) => happened += &typed(bimetal.folder(), command),
                None => elsewhere(&modules, &server, line),
            }
        }
    }
    assert!(happened.contains("$ bimetal history"), "the session goes to its end: {happened}");
    assert_eq!(as_on_the_page(&page), as_on_the_page(&happened), "this is what happened:\n{happened}");
}
