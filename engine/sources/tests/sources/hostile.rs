//! Repositories of those who mean harm. All that they bring about is an error.

use std::fs;
use std::process::Command;

use bimetal_sources::{Ask, Locked, Repository};

use crate::history::History;
use crate::world::{World, told};

/// What is said of a repository whose tree is made by hand; nothing of it is kept.
fn check_tree(make: impl Fn(&History) -> String) -> String {
    let world = World::new();
    let history = world.history("evil");
    let commit = history.commit_tree(&make(&history));
    let fetched = world.get(&history.url());
    assert!(fetched.is_err(), "{fetched:?}");
    for folder in ["git", "aside"] {
        let kept = fs::read_dir(world.path("cache/modules").join(folder)).into_iter().flatten().count();
        assert_eq!(kept, 0, "nothing of it is left in `{folder}`");
    }
    // Where it is the user's own checkout that has it, too.
    let repository = Repository::of(world.git(), &history.folder).unwrap().unwrap();
    let extracted = repository.extract(&commit, &world.path("extracted")).unwrap_err();
    assert_eq!(Some(extracted.detail.as_str()), fetched.as_ref().err().map(|error| error.detail.as_str()));
    world.said(&fetched).replace(&commit, "COMMIT").lines().nth(1).unwrap_or_default().to_owned()
}

#[test]
fn trees_that_mean_another_place_are_refused() {
    let blob = |history: &History| history.blob(b"evil");
    let said = [
        check_tree(|history| history.tree(&[("100644", "..", &blob(history))])),
        check_tree(|history| {
            let inner = history.tree(&[("100755", "post-checkout", &blob(history))]);
            let hooks = history.tree(&[("40000", "hooks", &inner)]);
            history.tree(&[("40000", ".git", &hooks)])
        }),
        check_tree(|history| {
            let inner = history.tree(&[("100644", "config", &blob(history))]);
            history.tree(&[("40000", "GIT~1", &inner)])
        }),
        check_tree(|history| history.tree(&[("100644", ".g\u{200c}it", &blob(history))])),
        check_tree(|history| {
            let inner = history.tree(&[("100644", "passwd", &blob(history))]);
            let inner = history.tree(&[("40000", "..", &inner)]);
            history.tree(&[("40000", "sub", &inner)])
        }),
        check_tree(|history| history.tree(&[("100644", "a/../../b", &blob(history))])),
        check_tree(|history| history.tree(&[("100644", "/etc/cron.d/evil", &blob(history))])),
        check_tree(|history| {
            history.tree(&[("100644", "README", &blob(history)), ("100644", "readme", &blob(history))])
        }),
        check_tree(|history| history.tree(&[("100644", "a", &blob(history)), ("100644", "a", &blob(history))])),
        check_tree(|history| {
            // A link, and a folder of the same name: what lies in the one would be written through the other.
            let inner = history.tree(&[("100644", "evil", &blob(history))]);
            history.tree(&[("120000", "a", &history.blob(b"/tmp")), ("40000", "a", &inner)])
        }),
        check_tree(|history| history.tree(&[("120000", "a", &history.blob(b"../../etc/passwd"))])),
        check_tree(|history| history.tree(&[("120000", "a", &history.blob(b"/etc/passwd"))])),
        check_tree(|history| history.tree(&[("120000", "a", &history.blob(&b"b/".repeat(5000)))])),
        check_tree(|history| history.tree(&[("160000", "sub", &"1".repeat(40))])),
        check_tree(|history| {
            history.tree(&[("100644", "a\u{1b}[2J", &blob(history)), ("100644", "A\u{1b}[2J", &blob(history))])
        }),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    `..` has `..` in it, and would lie elsewhere
    `.git/hooks/post-checkout` would be git's own folder, whose contents git runs
    `GIT~1/config` would be git's own folder, whose contents git runs
    `.g\u{200c}it` would be git's own folder, whose contents git runs
    `sub/../passwd` has `..` in it, and would lie elsewhere
    `a/../../b` has `..` in it, and would lie elsewhere
    `/etc/cron.d/evil` is no relative path
    `readme` and `README` are one file where case does not count
    `a` is there twice
    `a` is a link to `/tmp`, outside
    `a` is a link to `../../etc/passwd`, outside
    `a` is a link to `/etc/passwd`, outside
    `a` is a link to a path that is too long
    `sub` is a submodule: what it holds is in another repository, which nothing locks
    `A\u{1b}[2J` and `a\u{1b}[2J` are one file where case does not count
    ");
}

#[test]
fn huge_blobs_are_refused_before_they_are_read() {
    let said = check_tree(|history| {
        let huge = history.folder.join("huge");
        fs::File::create(&huge).unwrap().set_len(101 << 20).unwrap();
        let blob = history.git(&["hash-object", "-w", "huge"]);
        history.tree(&[("100644", "huge", &blob)])
    });
    insta::assert_snapshot!(said, @"`huge` is larger than 100 MiB, which no file of a module may be");
}

#[test]
fn trees_of_trees_of_trees_are_refused() {
    // Ten times ten times ten …: a thousand million files in eleven objects.
    let said = check_tree(|history| {
        let leaf = history.blob(b"x");
        let names: Vec<String> = (0..10).map(|n| n.to_string()).collect();
        let ten_of = |mode: &str, object: &str| {
            history.tree(&names.iter().map(|name| (mode, name.as_str(), object)).collect::<Vec<_>>())
        };
        let mut tree = ten_of("100644", &leaf);
        for _ in 0..8 {
            tree = ten_of("40000", &tree);
        }
        tree
    });
    insta::assert_snapshot!(said, @"it has more than 50000 files, which no module may have");
}

#[test]
fn nothing_that_a_repository_brings_is_run() {
    let world = World::new();
    let history = world.history("evil");
    let evil = world.path("evil");
    let run = format!("touch {}", evil.display());
    history.write(".gitattributes", "* filter=evil diff=evil export-subst\n");
    history.write(".gitmodules", &format!("[submodule \"a\"]\npath = a\nurl = ext::{run}\n"));
    history.write(".lfsconfig", &format!("[lfs]\nurl = ext::{run}\n"));
    history.write("hooks/post-checkout", &format!("#!/bin/sh\n{run}\n"));
    history.commit("first");
    // What the server has in its own settings is the server's.
    for (name, value) in [("filter.evil.smudge", &run), ("core.fsmonitor", &run), ("core.sshCommand", &run)] {
        history.git(&["config", name, value]);
    }
    for hook in ["post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"] {
        let path = history.folder.join(".git/hooks").join(hook);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{run}\n")).unwrap();
        crate::world::run(Command::new("chmod").arg("+x").arg(&path));
    }
    // The user's own templates, too.
    world.configure(&format!(
        "[init]\ntemplateDir = {}\n[core]\nhooksPath = {}\n",
        history.folder.join(".git").display(),
        history.folder.join(".git/hooks").display()
    ));
    assert!(world.get(&history.url()).is_ok());
    let repository = Repository::of(world.git(), &history.folder).unwrap().unwrap();
    repository.extract("HEAD", &world.path("extracted")).unwrap();
    repository.head().unwrap();
    assert!(!evil.exists());
}

#[test]
fn settings_of_the_user_let_no_helper_run() {
    let mut world = World::new();
    let history = world.history("web");
    let evil = world.path("evil");
    history.commit_file("main.bm.hcl", "first");
    world.configure(&format!(
        "[protocol \"ext\"]\nallow = always\n[url \"ext::sh -c touch% {}\"]\ninsteadOf = https://example.org/\n",
        evil.display()
    ));
    world.set("GIT_ALLOW_PROTOCOL", "ext:https");
    let said = world.said(&world.get("git::https://example.org/x.git"));
    assert!(!evil.exists(), "{said}");
    insta::assert_snapshot!(said, @"
    `git::https://example.org/x.git` can't be reached
    fatal: transport 'ext' not allowed
    ");
}

#[test]
fn revisions_are_no_options() {
    let world = World::new();
    let history = world.history("web");
    history.commit_file("main.bm.hcl", "first");
    let repository = Repository::of(world.git(), &history.folder).unwrap().unwrap();
    let said = ["--output=/tmp/evil", "-h", "", ":/first", "a..b", "HEAD\n", "nothing"]
        .map(|revision| told(&repository.resolve(revision).unwrap_err()));
    insta::assert_snapshot!(said.join("\n"), @r"
    `--output=/tmp/evil` names no commit
    hint: a revision is a branch, a tag or a commit
    `-h` names no commit
    hint: a revision is a branch, a tag or a commit
    `` names no commit
    hint: a revision is a branch, a tag or a commit
    `:/first` names no commit
    hint: a revision is a branch, a tag or a commit
    `a..b` names no commit
    hint: a revision is a branch, a tag or a commit
    `HEAD\n` names no commit
    hint: a revision is a branch, a tag or a commit
    there is no commit `nothing` in this repository
    hint: `git fetch --tags` may bring it
    ");
}

#[test]
fn names_of_refs_that_look_like_options_are_not_seen() {
    let world = World::new();
    let history = world.history("evil");
    let commit = history.commit_file("main.bm.hcl", "first");
    let packed = format!("{commit} refs/tags/--upload-pack=touch\n{commit} refs/tags/v1.0.0\n");
    fs::write(history.folder.join(".git/packed-refs"), packed).unwrap();
    let fetched = world.fetch(&history.url(), Some("~> 1.0"), None, Ask::WhereMissing).unwrap();
    assert_eq!(fetched.locked.reference.as_deref(), Some("v1.0.0"));
}

#[test]
fn a_lock_that_was_written_by_hand_is_no_option() {
    let world = World::new();
    let history = world.history("web");
    history.commit_file("main.bm.hcl", "first");
    let locked = world.get(&history.url()).unwrap().locked;
    for commit in ["--upload-pack=touch", "+refs/heads/*:refs/heads/*", "../../etc"] {
        let other = Locked { commit: Some(commit.to_owned()), ..locked.clone() };
        assert_eq!(world.fetch(&history.url(), None, Some(&other), Ask::WhereMissing).unwrap().locked, locked);
    }
}

#[test]
fn a_cache_that_others_can_write_to_is_not_used() {
    let world = World::new();
    let history = world.history("web");
    history.commit_file("main.bm.hcl", "first");
    let locked = world.get(&history.url()).unwrap().locked;
    crate::world::run(Command::new("chmod").arg("777").arg(world.path("cache/modules/git")));
    insta::assert_snapshot!(world.said(&world.fetch(&history.url(), None, Some(&locked), Ask::Nobody)), @"
    the cache of modules is not this user's alone
    `WORLD/cache/modules/git` belongs to somebody else, may be written by others, or is a link
    hint: remove it, or name another folder for the cache
    ");
}
