//! `bimetal diff`: two versions of a configuration beside each other, offline, in a real repository.

use std::path::Path;

use bimetal_tests::repository::git;
use bimetal_tests::{Bimetal, Ran};
use insta::assert_snapshot;
use serde_json::Value;

const CONFIGURATION: &str = r#"
variable "tag" {
  default = "1.27"
}

variable "password" {
  default   = "hunter2"
  sensitive = true
}

machine "docker" "m" {
  count    = 3
  host     = "ssh://pi@10.0.0.${count.index + 1}"
  platform = "linux/arm64"
}

pool "all" {
  machines = [machine.docker.m[0], machine.docker.m[1]]
}

resource "docker_volume" "data" {
  name   = "data"
  engine = machine.docker.m[0].engine
}

service "web" {
  pool     = pool.all
  image    = "nginx:${var.tag}"
  replicas = 2

  env = {
    PASSWORD = var.password
  }
}

output "password" {
  value     = var.password
  sensitive = true
}

output "tag" {
  value = var.tag
}
"#;

const LOCK: &str = r#"
image "nginx:1.27" {
  digest    = "sha256:6784fb0834aa7dbbe12e3d7471e69c290df3e6ba810dc38b34ae33d3c1c05f7d"
  platforms = {
    "linux/arm64" = "sha256:54f45dba5bda8fe6c3b4d0a5e2b8ac1b9ea5d1d2d3b5dcd4e0d0d0d0d0d0d0d0"
  }
}
"#;

const MORE_LOCKED: &str = r#"
image "nginx:1.28" {
  digest    = "sha256:9a84fb0834aa7dbbe12e3d7471e69c290df3e6ba810dc38b34ae33d3c1c05f7d"
  platforms = {
    "linux/arm64" = "sha256:9bf45dba5bda8fe6c3b4d0a5e2b8ac1b9ea5d1d2d3b5dcd4e0d0d0d0d0d0d0d0"
  }
}

image "redis:7" {
  digest    = "sha256:7284fb0834aa7dbbe12e3d7471e69c290df3e6ba810dc38b34ae33d3c1c05f7d"
  platforms = {
    "linux/arm64" = "sha256:72f45dba5bda8fe6c3b4d0a5e2b8ac1b9ea5d1d2d3b5dcd4e0d0d0d0d0d0d0d0"
  }
}
"#;

/// A checkout whose first commit is tagged `v1`, and the second one `v2`: a service more, another image, a replica on another machine, a
/// resource with another name, another password.
fn two_versions() -> Bimetal {
    let bimetal = Bimetal::new(CONFIGURATION);
    bimetal.write(".gitignore", ".*\n");
    bimetal.write("bimetal.lock.hcl", LOCK);
    git(bimetal.folder(), &["init", "--quiet", "--initial-branch", "main"]);
    commit(&bimetal, "one");
    git(bimetal.folder(), &["tag", "v1"]);
    let mut text = CONFIGURATION.to_owned();
    for (old, new) in [
        ("machine.docker.m[0], machine.docker.m[1]", "machine.docker.m[0], machine.docker.m[2]"),
        ("\"docker_volume\" \"data\"", "\"docker_volume\" \"files\""),
        ("default   = \"hunter2\"", "default   = \"hunter3\""),
    ] {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    bimetal.write("main.bm.hcl", &text);
    bimetal.write("more.bm.hcl", MORE);
    // Each commit has its own values of variables, and its own lock file.
    bimetal.write("bimetal.bmvars.hcl", "tag = \"1.28\"\n");
    bimetal.write("bimetal.lock.hcl", &format!("{LOCK}{MORE_LOCKED}"));
    commit(&bimetal, "two");
    git(bimetal.folder(), &["tag", "v2"]);
    bimetal
}

const MORE: &str = r#"
moved {
  from = docker_volume.data
  to   = docker_volume.files
}

service "cache" {
  pool  = pool.all
  image = "redis:7"
}
"#;

fn commit(bimetal: &Bimetal, message: &str) {
    git(bimetal.folder(), &["add", "--all"]);
    git(bimetal.folder(), &["commit", "--quiet", "--message", message]);
}

fn shown(bimetal: &Bimetal, words: &[&str]) -> String {
    let Ran { words, code, stdout, stderr } = bimetal.run(&[&["diff"], words].concat());
    let passing = |line: &&str| !line.starts_with("compiling provider");
    let said = stderr.lines().filter(passing).map(|line| format!("{line}\n")).collect::<String>();
    let text = format!("$ bimetal {words}\n{stdout}--- stderr\n{said}({code})\n");
    without_ids(&text, bimetal.folder())
}

/// Commits differ from machine to machine with git's version; so does the folder.
fn without_ids(text: &str, folder: &Path) -> String {
    let text = text.replace(&folder.display().to_string(), "/srv/infra");
    let commits = git(folder, &["rev-list", "--all"]);
    commits.lines().fold(text, |text, commit| text.replace(commit, "…").replace(&commit[..12], "…"))
}

fn document(bimetal: &Bimetal, words: &[&str]) -> Value {
    serde_json::from_str(&bimetal.ok(&[&["diff", "--json"], words].concat())).expect("JSON")
}

#[test]
fn two_versions_are_compared_in_what_they_want() {
    let bimetal = two_versions();
    assert_snapshot!("text", shown(&bimetal, &["v1", "v2"]));
    assert_snapshot!("markdown", shown(&bimetal, &["v1..v2", "-format=markdown"]));
    assert_snapshot!("summary", shown(&bimetal, &["v1", "-detail=summary", "-detailed-exitcode"]));
    // The other way round, what was added is removed; nobody says that it was moved.
    assert_snapshot!("back", shown(&bimetal, &["v2", "v1"]));

    let document = document(&bimetal, &["v1", "v2"]);
    assert_eq!(
        document,
        serde_json::from_str::<Value>(&bimetal.ok(&["diff", "v1", "v2", "-format=json"])).expect("JSON")
    );
    assert_eq!((&document["before"]["tag"], &document["after"]["tag"]), (&"v1".into(), &"v2".into()), "{document}");
    assert_eq!(document["summary"]["all"]["moved"], 1, "{document}");
    assert!(!document.to_string().contains("hunter"), "{document}");
}

#[test]
fn what_is_the_same_is_said_in_a_sentence() {
    let bimetal = two_versions();
    assert_snapshot!(shown(&bimetal, &["v2", "-detailed-exitcode"]), @r"
    $ bimetal diff v2 -detailed-exitcode
    No differences. Both versions want the same.
    From commit … (v2) to commit … (v2, main).
    --- stderr
    (0)
    ");
    assert_snapshot!(shown(&bimetal, &["HEAD", "main", "-format=markdown"]), @r"
    $ bimetal diff HEAD main -format=markdown
    ### No differences. Both versions want the same.

    From commit … to commit … (main).
    --- stderr
    (0)
    ");
    assert_eq!(document(&bimetal, &[])["is_empty"], true);
    bimetal.write("more.bm.hcl", &format!("{MORE}\noutput \"new\" {{\n  value = 1\n}}\n"));
    let here = bimetal.ok(&["diff"]);
    assert!(here.contains("with changes that are not committed") && here.contains("+ new = 1"), "{here}");
}

#[test]
fn a_branch_is_compared_with_where_it_began() {
    let bimetal = two_versions();
    git(bimetal.folder(), &["checkout", "--quiet", "-b", "mine", "v1"]);
    bimetal.write("mine.bm.hcl", "output \"mine\" {\n  value = 1\n}\n");
    commit(&bimetal, "mine");
    assert_snapshot!(shown(&bimetal, &["main...mine"]), @r"
    $ bimetal diff main...mine
    Outputs that change:
      + mine = 1

    Difference: 0 added, 0 changed, 0 removed.
    From commit … to commit … (mine).
    --- stderr
    (0)
    ");
    // Without the point where they parted, what only `main` has is missing.
    assert_eq!(document(&bimetal, &["main..mine"])["summary"]["all"]["removed"], 2);
    git(bimetal.folder(), &["checkout", "--quiet", "--orphan", "alone"]);
    commit(&bimetal, "alone");
    assert_snapshot!(shown(&bimetal, &["main...HEAD"]), @r"
    $ bimetal diff main...HEAD
    --- stderr
    error: `main` and `HEAD` have no commit in common
     |
     = hint: `main..HEAD` compares them as they are

    (1)
    ");
}

#[test]
fn what_can_not_be_compared_is_told_with_its_side() {
    let bimetal = two_versions();
    assert_snapshot!(shown(&bimetal, &["v9", "--", "--upload-pack=evil"]), @r"
    $ bimetal diff v9 -- --upload-pack=evil
    --- stderr
    error: there is no commit `v9` in this repository
     |
     = hint: `git fetch --tags` may bring it

    error: `--upload-pack=evil` names no commit
     |
     = hint: a revision is a branch, a tag or a commit

    (1)
    ");
    bimetal.write("main.bm.hcl", "output \"tag\" {\n  value = local.nothing\n}\n");
    bimetal.write("bimetal.bmvars.hcl", "");
    commit(&bimetal, "wrong");
    bimetal.write("main.bm.hcl", "service \"web\" {\n");
    assert_snapshot!(shown(&bimetal, &["HEAD"]), @r#"
    $ bimetal diff HEAD
    --- stderr
    error: `pool.all` is not declared
     --> HEAD:more.bm.hcl:8:11
      |
    8 |   pool  = pool.all
      |           ^^^^^^^^
      |
      = hint: declare it: `pool "all" { … }`

    error: `local.nothing` is not declared
     --> HEAD:main.bm.hcl:2:11
      |
    2 |   value = local.nothing
      |           ^^^^^^^^^^^^^
      |
      = hint: there is no local at all

    error: this `{` is never closed
     --> main.bm.hcl:1:15
      |
    1 | service "web" {
      |               ^ the text ends before

    error: `pool.all` is not declared
     --> more.bm.hcl:8:11
      |
    8 |   pool  = pool.all
      |           ^^^^^^^^
      |
      = hint: declare it: `pool "all" { … }`

    (1)
    "#);
    let unlocked = CONFIGURATION.replace("nginx:${var.tag}", "nginx:1.29");
    bimetal.write("main.bm.hcl", &unlocked);
    std::fs::remove_file(bimetal.folder().join("more.bm.hcl")).expect("our own");
    assert_snapshot!(shown(&bimetal, &["v1"]), @r"
    $ bimetal diff v1
    --- stderr
    error: service.web: in the working tree: what the image `nginx:1.29` offers is not known offline
     |
     = hint: it is not in `bimetal.lock.hcl`: a plan without `--offline` puts it there

    (1)
    ");
    let nowhere = Bimetal::new(CONFIGURATION);
    assert_snapshot!(nowhere.run(&["diff"]).failed().replace(&nowhere.folder().display().to_string(), "/srv/infra"), @r"
    error: `/srv/infra` lies in no repository
     |
     = note: `HEAD` names a commit of one
    ");
}

#[test]
fn nothing_is_changed_by_looking() {
    let bimetal = two_versions();
    bimetal.ok(&["diff", "v1", "v2"]);
    let own: Vec<String> = std::fs::read_dir(bimetal.folder().join(".bimetal"))
        .expect("it is there")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert!(!own.iter().any(|name| name.starts_with("commit-")), "{own:?}");
    assert_eq!(git(bimetal.folder(), &["status", "--porcelain"]), "");
    assert_eq!(bimetal.ok(&["history", "--json"]), bimetal.ok(&["history", "--json"]));
}

/// Both versions want the same source and get it as their own lock files have it, at the same time.
#[test]
fn each_version_has_its_own_modules() {
    let modules = tempfile::tempdir().expect("a folder");
    let release = |word: &str, tag: &str| {
        std::fs::write(
            modules.path().join("main.bm.hcl"),
            "output \"word\" {\n  value = file(\"${path.module}/word\")\n}\n",
        )
        .expect("our own");
        std::fs::write(modules.path().join("word"), word).expect("our own");
        git(modules.path(), &["add", "--all"]);
        git(modules.path(), &["commit", "--quiet", "--message", word]);
        git(modules.path(), &["tag", tag]);
    };
    git(modules.path(), &["init", "--quiet"]);
    release("one", "v1.0.0");
    let source = format!("git::file://{}", modules.path().display());
    let bimetal = Bimetal::new(&format!(
        "module \"words\" {{\n  source  = \"{source}\"\n  version = \"~> 1.0\"\n}}\n\noutput \"word\" {{\n  value = module.words.word\n}}\n"
    ));
    bimetal.write(".gitignore", ".*\n");
    git(bimetal.folder(), &["init", "--quiet", "--initial-branch", "main"]);
    bimetal.ok(&["init"]);
    commit(&bimetal, "one");
    release("two", "v1.1.0");
    bimetal.ok(&["init", "--upgrade"]);
    commit(&bimetal, "two");
    let text = shown(&bimetal, &["HEAD~1", "HEAD"]);
    let commits = git(modules.path(), &["rev-list", "--all"]);
    let text = commits.lines().fold(text, |text, commit| text.replace(&commit[..12], "…"));
    assert_snapshot!(text.replace(&modules.path().display().to_string(), "/srv/words"), @r#"
    $ bimetal diff HEAD~1 HEAD
    Outputs that change:
      ~ word = "one" -> "two"

    What is locked otherwise:
      ~ module "git::file:///srv/words": 1.0.0 (commit …) -> 1.1.0 (commit …)

    Difference: 0 added, 0 changed, 0 removed.
    From commit … to commit ….
    --- stderr
    (0)
    "#);
}
