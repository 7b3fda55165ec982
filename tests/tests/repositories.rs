//! Modules that lie in repositories: chosen, locked, and used without them.

use std::path::Path;
use std::process::Command;

use bimetal_tests::Bimetal;
use bimetal_tests::repository::{Repository, git};

const GREETING: &str = r#"
variable "who" {
  type = string
}

module "words" {
  source = "../words"
}

output "text" {
  value = "${module.words.hello} ${var.who}${trimspace(file("${path.module}/end.txt"))}"
}
"#;

fn words(hello: &str) -> String {
    format!("output \"hello\" {{\n  value = \"{hello}\"\n}}\n")
}

fn greetings() -> Repository {
    let origin = Repository::new();
    origin.commit(&[
        ("greeting/main.bm.hcl", GREETING),
        ("greeting/end.txt", "!\n"),
        ("words/main.bm.hcl", &words("hello")),
    ]);
    origin.git(&["tag", "v1.0.0"]);
    origin
}

fn calling(source: &str, rest: &str) -> String {
    format!(
        "module \"greeting\" {{\n  source = \"{source}\"\n{rest}  who    = \"world\"\n}}\n\noutput \"text\" {{\n  value = \
         module.greeting.text\n}}\n"
    )
}

fn lock(bimetal: &Bimetal) -> String {
    std::fs::read_to_string(bimetal.folder().join("bimetal.lock.hcl")).expect("a lock file")
}

/// With what differs from run to run in words.
fn in_words(text: &str, origin: &Repository) -> String {
    let text = text.replace(&origin.path().display().to_string(), "/srv/greetings");
    let is_hex = |c: char| c.is_ascii_hexdigit();
    let mut words: Vec<String> = Vec::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let (bare, end) = word.split_at(word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len());
        let is_id = bare.len() >= 12 && bare.chars().all(is_hex);
        words.push(if is_id { format!("…{end}") } else { word.to_owned() });
    }
    let (mut shown, mut before) = (String::new(), ' ');
    for letter in words.concat().chars() {
        // How long a line is depends on where the repository lies.
        if letter != '^' || before != '^' {
            shown.push(letter);
        }
        before = letter;
    }
    shown
}

#[test]
fn a_module_is_chosen_locked_and_used_without_its_repository() {
    let origin = greetings();
    let bimetal = Bimetal::new(&calling(&origin.source("//greeting"), "  version = \"~> 1.0\"\n"));
    insta::assert_snapshot!(in_words(&bimetal.run(&["plan"]).failed(), &origin), @r#"
    error: `git::file:///srv/greetings` is not locked as it is wanted
     --> main.bm.hcl:2:12
      |
    2 |   source = "git::file:///srv/greetings//greeting"
      |            ^
      |
      = hint: `bimetal init` fetches and locks it
    "#);
    insta::assert_snapshot!(in_words(&bimetal.ok(&["init"]), &origin), @"git::file:///srv/greetings 1.0.0, commit …");
    insta::assert_snapshot!(in_words(&lock(&bimetal), &origin), @r#"
    # Written by `bimetal`. Keep it in version control.

    module "git::file:///srv/greetings" {
      wanted    = "~> 1.0"
      version   = "1.0.0"
      reference = "v1.0.0"
      commit    = "…"
      hash      = "sha256:…"
    }
    "#);
    bimetal.apply();
    assert_eq!(bimetal.output("text"), "hello world!");

    // What is newer is taken when somebody asks for it.
    let newer = origin.commit(&[("words/main.bm.hcl", &words("good morning"))]);
    origin.git(&["tag", "v1.1.0"]);
    let before = lock(&bimetal);
    bimetal.ok(&["init"]);
    assert_eq!(lock(&bimetal), before);
    bimetal.ok(&["init", "--upgrade"]);
    assert!(lock(&bimetal).contains(&format!("commit    = \"{newer}\"")), "{}", lock(&bimetal));
    bimetal.apply();
    assert_eq!(bimetal.output("text"), "good morning world!");

    // Whoever goes back to the old lock file has the old module, and needs nobody for that.
    let there = origin.path();
    std::fs::rename(&there, there.with_extension("away")).expect("our own folder");
    bimetal.write("bimetal.lock.hcl", &before);
    bimetal.apply();
    assert_eq!(bimetal.output("text"), "hello world!");
    std::fs::rename(there.with_extension("away"), &there).expect("our own folder");
}

#[test]
fn what_an_update_changes_is_shown_and_written() {
    let origin = greetings();
    let bimetal = Bimetal::new(&calling(&origin.source("//greeting"), "  version = \"~> 1.0\"\n"));
    bimetal.ok(&["init"]);
    let unchanged = bimetal.run(&["lock", "update"]);
    assert!(unchanged.stdout.is_empty() && unchanged.stderr.contains("Nothing has changed"), "{unchanged}");
    let before = lock(&bimetal);

    let newer = origin.commit(&[("words/main.bm.hcl", &words("good morning"))]);
    origin.git(&["tag", "v1.1.0"]);
    for words in [&["lock", "update", "providers"][..], &["lock", "update", "images"]] {
        bimetal.ok(words);
        assert_eq!(lock(&bimetal), before, "{words:?} is about something else");
    }
    let name = origin.source("");
    let shown = bimetal.ok(&["lock", "update", "modules", &name]);
    insta::assert_snapshot!(in_words(&shown, &origin), @r"
    ~ module git::file:///srv/greetings (~> 1.0)
        version   1.0.0 -> 1.1.0
        reference v1.0.0 -> v1.1.0
        commit    … -> …
        hash      sha256:… -> sha256:…
    ");
    assert!(lock(&bimetal).contains(&newer), "{}", lock(&bimetal));

    // The same by the older word, and for programs.
    bimetal.write("bimetal.lock.hcl", &before);
    assert_eq!(bimetal.ok(&["init", "--upgrade"]), shown);
    bimetal.write("bimetal.lock.hcl", &before);
    let document: serde_json::Value = serde_json::from_str(&bimetal.ok(&["lock", "update", "--json"])).expect("JSON");
    let change = &document["changes"][0];
    assert_eq!(
        (&change["kind"], &change["name"], &change["became"]),
        (&"module".into(), &name.into(), &"other".into())
    );
    let commit = change["facts"].as_array().expect("facts").iter().find(|fact| fact["name"] == "commit");
    assert_eq!(commit.expect("it differs")["new"], newer, "{document}");

    insta::assert_snapshot!(bimetal.run(&["lock", "update", "providers", "dokcer"]).failed(), @r"
    error: no provider `dokcer` is locked
     |
     = hint: there is no provider in `bimetal.lock.hcl` at all
    ");
}

#[test]
fn a_tag_that_was_moved_is_refused() {
    let origin = greetings();
    let bimetal = Bimetal::new(&calling(&origin.source("//greeting?ref=v1.0.0"), ""));
    bimetal.ok(&["init"]);
    let before = lock(&bimetal);
    origin.commit(&[("words/main.bm.hcl", &words("evil"))]);
    origin.git(&["tag", "--force", "v1.0.0"]);
    insta::assert_snapshot!(in_words(&bimetal.run(&["init"]).failed(), &origin), @r#"
    fetching `git::file:///srv/greetings`
    error: tag `v1.0.0` of `git::file:///srv/greetings?ref=v1.0.0` is not where it is locked any more
     --> main.bm.hcl:2:12
      |
    2 |   source = "git::file:///srv/greetings//greeting?ref=v1.0.0"
      |            ^ the lock file says …, and it stands at … now
      |
      = hint: a tag should never move: ask who keeps the repository; `bimetal init --upgrade` takes the new commit
    "#);
    assert_eq!(lock(&bimetal), before);
    bimetal.apply();
    assert_eq!(bimetal.output("text"), "hello world!");
    bimetal.ok(&["init", "--upgrade"]);
    bimetal.apply();
    assert_eq!(bimetal.output("text"), "evil world!");
}

#[test]
fn sources_may_use_variables_of_the_root_module() {
    let origin = greetings();
    let source = format!("{}?ref=${{var.release}}", origin.source("//greeting"));
    let variable = "variable \"release\" {\n  type    = string\n  default = \"v1.0.0\"\n}\n";
    let bimetal = Bimetal::new(&format!("{variable}{}", calling(&source, "")));
    bimetal.ok(&["init"]);
    bimetal.apply();
    assert_eq!(bimetal.output("text"), "hello world!");
    origin.commit(&[("words/main.bm.hcl", &words("good evening"))]);
    origin.git(&["tag", "v2.0.0"]);
    let error = bimetal.run(&["plan", "--var", "release=v2.0.0"]).failed();
    assert!(error.contains("is not locked as it is wanted"), "{error}");
    bimetal.ok(&["init", "--var", "release=v2.0.0"]);
    bimetal.ok(&["apply", "--auto-approve", "--var", "release=v2.0.0"]);
    assert_eq!(bimetal.output("text"), "good evening world!");
}

#[test]
fn what_may_not_be_fetched_is_said_where_it_is_called() {
    let origin = greetings();
    let configuration = calling(&origin.source("//greeting?ref=v1.0.0"), "");
    let bimetal =
        Bimetal::new(&format!("bimetal {{\n  allowed_sources = [\"github.com/team/*\"]\n}}\n\n{configuration}"));
    insta::assert_snapshot!(in_words(&bimetal.run(&["init"]).failed(), &origin), @r#"
    error: `git::file:///srv/greetings?ref=v1.0.0` is none of the sources that are allowed
     --> main.bm.hcl:6:12
      |
    6 |   source = "git::file:///srv/greetings//greeting?ref=v1.0.0"
      |            ^
      |
      = hint: see `allowed_sources` in the `bimetal` block
    "#);

    for (number, source) in
        ["modules/net", "git::ext::sh -c evil", "git::https://user:secret@h/x.git", "github.com/a/b//../c"]
            .iter()
            .enumerate()
    {
        bimetal.write("main.bm.hcl", &calling(source, ""));
        let error = bimetal.run(&["init"]).failed();
        assert!(!error.contains("secret") || source.contains("secret"), "{error}");
        insta::assert_snapshot!(format!("refused_{number}"), in_words(&error, &origin));
    }
    let out =
        origin.commit(&[("greeting/out/main.bm.hcl", "module \"out\" {\n  source = \"../../../elsewhere\"\n}\n")]);
    bimetal.write("main.bm.hcl", &calling(&origin.source(&format!("//greeting/out?ref={out}")), ""));
    let error = bimetal.run(&["init"]).failed();
    assert!(error.contains("leads out of what the module was fetched with"), "{error}");
}

/// A checkout with a configuration of one output, whose first commit is tagged `v1`.
fn checkout() -> Bimetal {
    let bimetal = Bimetal::new(&text("one"));
    bimetal.write(".gitignore", ".*\n*.plan\n");
    for words in [
        &["init", "--quiet", "--initial-branch", "main"][..],
        &["remote", "add", "origin", "https://somebody:secret@example.org/infra.git"],
        &["add", "--all"],
        &["commit", "--quiet", "--message", "one"],
        &["tag", "v1"],
    ] {
        git(bimetal.folder(), words);
    }
    bimetal
}

fn text(word: &str) -> String {
    format!("output \"text\" {{\n  value = \"{word}\"\n}}\n")
}

fn commit(bimetal: &Bimetal, word: &str) -> String {
    bimetal.write("main.bm.hcl", &text(word));
    git(bimetal.folder(), &["commit", "--quiet", "--all", "--message", word]);
    git(bimetal.folder(), &["rev-parse", "HEAD"]).trim().to_owned()
}

#[test]
fn what_runs_is_a_commit() {
    let bimetal = checkout();
    let applied = bimetal.ok(&["apply", "--auto-approve"]);
    assert!(applied.contains("(v1, main)."), "{applied}");
    let two = commit(&bimetal, "two");
    bimetal.ok(&["apply", "--auto-approve"]);
    bimetal.write("main.bm.hcl", &text("three"));
    let planned = bimetal.ok(&["plan"]);
    assert!(planned.contains(&format!("This is commit {} (main), with changes that are not", &two[..12])), "{planned}");
    bimetal.ok(&["apply", "--auto-approve"]);

    let history: serde_json::Value = serde_json::from_str(&bimetal.ok(&["history", "--json"])).expect("JSON");
    let origins: Vec<_> = history["revisions"].as_array().expect("a list").iter().rev().map(|r| &r["origin"]).collect();
    assert_eq!((&origins[0]["tag"], &origins[0]["dirty"]), (&"v1".into(), &false.into()), "{history}");
    assert_eq!((&origins[1]["commit"], &origins[2]["dirty"]), (&two.clone().into(), &true.into()), "{history}");
    assert_eq!(origins[0]["repository"], "https://example.org/infra.git", "{history}");
    let shown = bimetal.ok(&["history", "show", "2"]);
    assert!(shown.contains(&format!("commit {} (main) of https://example.org/infra.git", &two[..12])), "{shown}");
    let listed = bimetal.ok(&["history"]);
    assert!(listed.contains(&format!("{}+", &two[..12])), "{listed}");

    // What goes back is that commit again.
    bimetal.ok(&["rollback", "1", "--auto-approve"]);
    assert_eq!(bimetal.output("text"), "one");
    let shown = bimetal.ok(&["history", "show", "4"]);
    assert!(shown.contains("(v1, main)") && !shown.contains("not committed"), "{shown}");
}

#[test]
fn a_commit_is_planned_and_applied_whatever_is_checked_out() {
    let bimetal = checkout();
    bimetal.ok(&["apply", "--auto-approve"]);
    let two = commit(&bimetal, "two");
    bimetal.write("main.bm.hcl", &text("not ready"));
    let planned = bimetal.ok(&["plan", "-ref", "HEAD"]);
    assert!(planned.contains("\"one\" -> \"two\""), "{planned}");
    assert!(planned.contains(&format!("This is commit {}.", &two[..12])), "{planned}");
    assert!(bimetal.ok(&["plan", "--ref", "main"]).contains(&format!("This is commit {} (main).", &two[..12])));
    bimetal.ok(&["plan", "--ref", &two, "--out", "two.plan"]);
    bimetal.ok(&["apply", "two.plan"]);
    assert_eq!(bimetal.output("text"), "two");

    // It is reached by another name: that it is the same has to be said.
    let source = format!("git::file://{}?ref=v1", bimetal.folder().display());
    let planned = bimetal.ok(&["plan", &source, "--move-state"]);
    assert!(planned.contains("\"two\" -> \"one\"") && planned.contains("(v1)"), "{planned}");
    bimetal.ok(&["apply", &source, "--auto-approve", "--move-state"]);
    assert_eq!(bimetal.output("text"), "one");

    // A folder of it, and what that has from outside of itself.
    let elsewhere = Bimetal::new("");
    bimetal.write("modules/hello/main.bm.hcl", &text("hello from a folder"));
    let call = "module \"hello\" {\n  source = \"../../modules/hello\"\n}\noutput \"said\" {\n  value = module.hello.text\n}\n";
    bimetal.write("env/prod/main.bm.hcl", call);
    for words in [&["add", "modules", "env"][..], &["commit", "--quiet", "--message", "an environment"], &["tag", "v3"]]
    {
        git(bimetal.folder(), words);
    }
    let source = format!("git::file://{}//env/prod?ref=v3", bimetal.folder().display());
    let planned = elsewhere.ok(&["plan", &source, "--out", "three.plan"]);
    assert!(planned.contains("said = \"hello from a folder\"") && planned.contains("(v3)"), "{planned}");
    elsewhere.ok(&["apply", "three.plan"]);
    assert_eq!(elsewhere.output("said"), "hello from a folder");

    // Nothing of it is left, and what is checked out is as it was.
    assert_eq!(std::fs::read_to_string(bimetal.folder().join("main.bm.hcl")).expect("our own"), text("not ready"));
    let own: Vec<_> = std::fs::read_dir(bimetal.folder().join(".bimetal")).expect("it is there").collect();
    let is_view = |entry: &std::io::Result<std::fs::DirEntry>| {
        entry.as_ref().expect("an entry").file_name().to_string_lossy().starts_with("commit-")
    };
    assert!(!own.iter().any(is_view), "{own:?}");

    for (words, error) in [
        (["plan", "--ref", "v9"], "v9"),
        (["plan", "--ref", "--upload-pack=evil"], "--upload-pack=evil"),
        (["plan", "git::file:///nowhere", "--json"], "/nowhere"),
    ] {
        let said = bimetal.run(&words);
        assert!(said.code != 0 && format!("{said}").contains(error), "{said}");
    }
}

#[test]
fn what_functions_read_goes_back_too() {
    let bimetal = checkout();
    bimetal.write("main.bm.hcl", "output \"text\" {\n  value = file(\"${path.module}/greeting.txt\")\n}\n");
    let release = |greeting: &str, tag: &str| {
        bimetal.write("greeting.txt", greeting);
        for words in
            [&["add", "main.bm.hcl", "greeting.txt"][..], &["commit", "--quiet", "--message", tag], &["tag", tag]]
        {
            git(bimetal.folder(), words);
        }
    };
    release("hello", "v7");
    bimetal.apply();
    release("good morning", "v8");
    bimetal.apply();
    assert_eq!(bimetal.output("text"), "good morning");
    bimetal.ok(&["rollback", "1", "--auto-approve"]);
    assert_eq!(bimetal.output("text"), "hello");

    // Where nothing is checked out, it is what was fetched then, whatever has become of the repository.
    let elsewhere = Bimetal::new("");
    let repository = tempfile::tempdir().expect("a folder");
    let path = repository.path().join("infra");
    git(bimetal.folder(), &["clone", "--quiet", ".", path.to_str().expect("UTF-8")]);
    for tag in ["v7", "v8"] {
        let source = format!("git::file://{}?ref={tag}", path.display());
        elsewhere.ok(&["apply", &source, "--auto-approve"]);
    }
    drop(repository);
    elsewhere.ok(&["rollback", "1", "--auto-approve"]);
    assert_eq!(elsewhere.output("text"), "hello");
}

#[test]
fn only_a_commit_is_planned_where_that_is_wanted() {
    let bimetal = checkout();
    let clean = format!("bimetal {{\n  require_clean = true\n}}\n\n{}", text("clean"));
    bimetal.write("main.bm.hcl", &clean);
    bimetal.write("more.bm.hcl", "locals {\n}\n");
    insta::assert_snapshot!(bimetal.run(&["plan"]).failed(), @r"
    error: what is here is not what is committed, and `require_clean` wants a commit
     |
     = note: `main.bm.hcl` is changed, `more.bm.hcl` is new
     = hint: commit first, or plan a commit with `--ref REVISION`
    ");
    git(bimetal.folder(), &["add", "--all"]);
    git(bimetal.folder(), &["commit", "--quiet", "--message", "clean"]);
    bimetal.ok(&["apply", "--auto-approve"]);
    bimetal.write("main.bm.hcl", &text("dirty"));
    bimetal.ok(&["rollback", "1", "--auto-approve"]);
    bimetal.ok(&["plan", "--ref", "main"]);
    let alone = Bimetal::new(&clean);
    insta::assert_snapshot!(alone.run(&["plan"]).failed(), @r"
    error: this configuration lies in no repository, and `require_clean` wants a commit
     |
     = hint: commit first, or plan a commit with `--ref REVISION`
    ");
}

/// The commands of a workflow file, job by job.
fn commands(file: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(xtask::root().join("examples/ci").join(file)).expect("it is there");
    let mut jobs: Vec<Vec<String>> = Vec::new();
    for line in text.lines() {
        if line.trim() == "steps:" {
            jobs.push(Vec::new());
        } else if let (Some(command), Some(job)) = (line.trim().strip_prefix("run: "), jobs.last_mut()) {
            job.push(command.to_owned());
        }
    }
    jobs
}

/// Runs commands as a runner does, in a clone of its own.
fn run_job(origin: &Path, commands: &[String], bring: Option<&Path>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    git(folder.path(), &["clone", "--quiet", &origin.display().to_string(), "."]);
    if let Some(plan) = bring {
        std::fs::copy(plan, folder.path().join("bimetal.plan")).expect("the plan of the job before");
    }
    let program = bimetal_tests::bimetal::binary();
    let path =
        format!("{}:{}", program.parent().expect("a folder").display(), std::env::var("PATH").expect("it is set"));
    for command in commands.iter().filter(|command| !command.starts_with("gh ")) {
        let mut shell = Command::new("bash");
        shell.args(["-e", "-c", command]).current_dir(folder.path()).env("PATH", &path);
        shell.env("HOME", folder.path().join(".home")).env("XDG_CACHE_HOME", xtask::target().join("tmp/ci-cache"));
        shell.env("GITHUB_STEP_SUMMARY", folder.path().join("summary.md")).env("BIMETAL_STATE_KEY", "ab".repeat(32));
        let output = shell.output().expect("bash is installed");
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
    folder
}

#[test]
fn the_workflows_of_the_examples_plan_and_apply() {
    let state = tempfile::tempdir().expect("a folder");
    let origin = Repository::new();
    let shared = format!("bimetal {{\n  state \"local\" {{\n    path = \"{}\"\n  }}\n}}\n\n", state.path().display());
    let lock = "# Written by `bimetal`. Keep it in version control.\n";
    origin.commit(&[("main.bm.hcl", &format!("{shared}{}", text("merged"))), ("bimetal.lock.hcl", lock)]);

    let (plan, apply) = (commands("plan.yml"), commands("apply.yml"));
    assert_eq!((plan.len(), apply.len()), (1, 2));
    let planned = run_job(&origin.path(), &plan[0], None);
    let comment = std::fs::read_to_string(planned.path().join("plan.md")).expect("it was planned");
    insta::assert_snapshot!(in_words(&comment, &origin), @r#"
    ### Plan: 0 to add, 0 to change, 0 to destroy.

    Commit … (main).

    <details><summary>The plan</summary>

    ```diff
     Plan: 0 to add, 0 to change, 0 to destroy.

     Outputs that change:
    +  text = "merged"

     This is commit … (main).
    ```

    </details>

    ### No differences. Both versions want the same.

    From commit … to commit ….
    "#);

    let first = run_job(&origin.path(), &apply[0], None);
    assert!(first.path().join("summary.md").is_file());
    let second = run_job(&origin.path(), &apply[1], Some(&first.path().join("bimetal.plan")));
    let output = run_job(
        &origin.path(),
        &["bimetal output text --raw > said".to_owned(), "bimetal status > status".to_owned()],
        None,
    );
    assert_eq!(std::fs::read_to_string(output.path().join("said")).expect("it was said").trim(), "merged");
    let status = std::fs::read_to_string(output.path().join("status")).expect("it was said");
    assert!(status.contains("that is what runs") && status.contains("(main)"), "{status}");
    drop(second);
}

#[test]
fn how_far_what_runs_is_from_a_commit_is_told() {
    let bimetal = checkout();
    let nothing = bimetal.run(&["status"]);
    assert!(nothing.stderr.contains("Nothing was applied from a repository yet."), "{nothing}");
    bimetal.ok(&["apply", "--auto-approve"]);
    commit(&bimetal, "two");
    commit(&bimetal, "three");
    let status = bimetal.ok(&["status"]);
    assert!(
        status.contains("(v1, main) of https://example.org/infra.git") && status.contains("2 commits behind"),
        "{status}"
    );
    let document: serde_json::Value =
        serde_json::from_str(&bimetal.ok(&["status", "--ref", "HEAD~1", "--json"])).expect("JSON");
    assert_eq!((&document["beside"]["behind"], &document["beside"]["ahead"]), (&1.into(), &0.into()), "{document}");
    assert_eq!(document["origin"]["tag"], "v1");
}

#[test]
fn two_environments_are_not_confused() {
    let (state, origin) = (tempfile::tempdir().expect("a folder"), Repository::new());
    let configuration = |word: &str| {
        format!(
            "bimetal {{\n  state \"sqlite\" {{\n    path = \"{}/s.db\"\n  }}\n}}\n\n{}",
            state.path().display(),
            text(word)
        )
    };
    origin.commit(&[("prod/main.bm.hcl", &configuration("prod")), ("dev/main.bm.hcl", &configuration("dev"))]);
    let bimetal = Bimetal::new("");
    let folder = |name: &str| origin.path().join(name).display().to_string();
    bimetal.ok(&["--chdir", &folder("prod"), "apply", "--auto-approve"]);
    let error = bimetal.run(&["--chdir", &folder("dev"), "plan"]).failed();
    insta::assert_snapshot!(in_words(&error, &origin), @r"
    error: this state belongs to another configuration
     |
     = note: it was made from `prod`, and this is `dev`
     = hint: name another state in the `state` block; if the configuration has moved, `--move-state` says so
    ");
    bimetal.ok(&["--chdir", &folder("prod"), "plan"]);
    bimetal.ok(&["--chdir", &folder("dev"), "apply", "--auto-approve", "--move-state"]);
    bimetal.ok(&["--chdir", &folder("dev"), "plan"]);
}

/// Somebody's key, for signing with SSH; gives what an `allowed_signers` file says of it.
fn signing_key(origin: &Repository, folder: &Path) -> String {
    let key = folder.join("signing");
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "ann", "-f"]).arg(&key);
    assert!(keygen.status().expect("ssh-keygen is installed").success());
    origin.git(&["config", "gpg.format", "ssh"]);
    origin.git(&["config", "user.signingKey", &key.display().to_string()]);
    let public = std::fs::read_to_string(key.with_extension("pub")).expect("it was made");
    format!("ann@example.org {public}")
}

#[test]
fn commits_and_tags_have_to_be_signed_where_that_is_said() {
    let origin = greetings();
    let signed_by = |what: &str| {
        format!(
            "bimetal {{\n  signed \"git::file://**\" {{\n    what            = \"{what}\"\n    allowed_signers = \
             \"allowed_signers\"\n  }}\n}}\n\n"
        )
    };
    let wanting =
        |what: &str, tag: &str| signed_by(what) + &calling(&origin.source(&format!("//greeting?ref={tag}")), "");
    let mut bimetal = Bimetal::new(&wanting("tags", "v1.0.0"));
    // Commits are the same from run to run, and the key is not.
    let cache = bimetal.folder().join(".home/.cache");
    bimetal.environment("XDG_CACHE_HOME", cache.display());
    let signers = signing_key(&origin, bimetal.folder());
    bimetal.write("allowed_signers", &signers);

    // The tag of the greetings is a name only; the next one is signed.
    let refused = bimetal.run(&["init"]).failed();
    insta::assert_snapshot!(in_words(&refused, &origin), @r#"
    fetching `git::file:///srv/greetings`
    error: `git::file:///srv/greetings?ref=v1.0.0` has no tag that is signed
     --> main.bm.hcl:9:12
      |
    9 |   source = "git::file:///srv/greetings//greeting?ref=v1.0.0"
      |            ^ `v1.0.0` is no tag with a signature, only a name
      |
      = hint: name a signed tag in `ref` or `version`
    "#);
    assert!(!bimetal.folder().join("bimetal.lock.hcl").exists());
    origin.git(&["tag", "--sign", "--message", "signed", "v1.1.0"]);
    bimetal.write("main.bm.hcl", &wanting("tags", "v1.1.0"));
    bimetal.ok(&["init"]);
    bimetal.apply();
    assert_eq!(bimetal.output("text"), "hello world!");

    // Its commit is not; the next one is.
    bimetal.write("main.bm.hcl", &wanting("commits", "v1.1.0"));
    let refused = bimetal.run(&["plan"]).failed();
    assert!(refused.contains("is not signed by anybody who is trusted"), "{refused}");
    origin.git(&["commit", "--quiet", "--allow-empty", "--message", "signed", "-S"]);
    origin.git(&["tag", "v1.2.0"]);
    bimetal.write("main.bm.hcl", &wanting("commits", "v1.2.0"));
    bimetal.ok(&["init"]);
    bimetal.ok(&["plan"]);

    // Who is trusted no more is not trusted with what is here already.
    bimetal.write("allowed_signers", "");
    let refused = bimetal.run(&["plan"]).failed();
    assert!(refused.contains("is not signed by anybody who is trusted"), "{refused}");
}

#[test]
fn a_state_knows_what_it_is_called() {
    let bimetal = checkout();
    bimetal.ok(&["apply", "--auto-approve"]);
    let copy = |from: &str, to: &str| {
        let own = bimetal.folder().join(".bimetal");
        std::fs::copy(own.join(from), own.join(to)).expect("our own file");
    };
    copy("state.db", "state.prod.db");
    insta::assert_snapshot!(bimetal.run(&["plan", "--state", "prod"]).failed(), @r"
    error: this is the state `default`, and not `prod`
     |
     = note: that is what it was called when something was last applied
     = hint: name it with `--state default`; if it has got another name, `--move-state` says so
    ");
    commit(&bimetal, "two");
    bimetal.ok(&["apply", "--auto-approve", "--state", "prod", "--move-state"]);
    bimetal.ok(&["plan", "--state", "prod"]);
    bimetal.ok(&["plan"]);
}
