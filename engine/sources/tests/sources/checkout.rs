//! The repository that a configuration lies in, in all shapes that it has.

use std::fs;

use bimetal_sources::Repository;
use bimetal_sources::checkout::{Changed, Commit, Distance, Scope};

use crate::history::History;
use crate::world::{World, told};

fn of(world: &World, history: &History, folder: &str) -> Repository {
    Repository::of(world.git(), &history.folder.join(folder)).unwrap().unwrap()
}

fn id(history: &History, name: &str) -> String {
    history.git(&["rev-parse", name])
}

#[test]
fn a_folder_of_no_repository_has_none() {
    let mut world = World::new();
    // Git is not even run.
    world.set("PATH", "/nonexistent");
    assert!(Repository::of(world.git(), &world.path("home")).unwrap().is_none());
}

#[test]
fn what_is_checked_out_is_known() {
    let world = World::new();
    let history = world.history("infra");
    let folder = history.folder.join("env/prod");
    fs::create_dir_all(&folder).unwrap();
    assert_eq!(of(&world, &history, "env/prod").head(), Ok(None), "nothing was committed yet");
    let first = history.commit_file("env/prod/main.bm.hcl", "first");
    for tag in ["v1.9.0", "v1.10.0", "prod"] {
        history.tag(tag);
    }
    let repository = of(&world, &history, "env/prod");
    assert_eq!((repository.prefix(), repository.root()), ("env/prod", Some(&*history.folder.canonicalize().unwrap())));
    let commit = |branch: Option<&str>, tag: Option<&str>| {
        Ok(Some(Commit { id: first.clone(), branch: branch.map(str::to_owned), tag: tag.map(str::to_owned) }))
    };
    assert_eq!(repository.head(), commit(Some("main"), Some("v1.10.0")));
    history.git(&["checkout", "--quiet", "--detach"]);
    assert_eq!(repository.head(), commit(None, Some("v1.10.0")));
    history.git(&["tag", "--delete", "v1.9.0", "v1.10.0", "prod"]);
    assert_eq!(repository.head(), commit(None, None));
    // Within `.git` itself, and in a bare one, there is no folder of a configuration.
    let bare = Repository::of(world.git(), &history.folder.join(".git")).unwrap().unwrap();
    assert_eq!((bare.root(), bare.head()), (None, commit(None, None)));
}

#[test]
fn a_worktree_is_a_checkout_of_its_own() {
    let world = World::new();
    let history = world.history("infra");
    history.commit_file("env/a", "first");
    let other = world.path("other");
    history.git(&["worktree", "add", "--quiet", "-b", "other", other.to_str().unwrap()]);
    let repository = Repository::of(world.git(), &other.join("env")).unwrap().unwrap();
    assert_eq!(repository.head().unwrap().unwrap().branch.as_deref(), Some("other"));
    assert_eq!(repository.prefix(), "env");
    fs::write(other.join("env/a"), "second").unwrap();
    assert!(repository.is_dirty(Scope::Folder).unwrap());
    assert!(!of(&world, &history, "env").is_dirty(Scope::Everywhere).unwrap());
}

#[test]
fn what_is_not_committed_is_told_by_place() {
    let world = World::new();
    let history = world.history("infra");
    for file in ["env/prod/a", "env/prod/gone", "env/test/b", "[odd]/c"] {
        history.write(file, "x");
    }
    history.write(".gitignore", "*.log\n");
    history.commit("first");
    let repository = of(&world, &history, "env/prod");
    assert!(!repository.is_dirty(Scope::Everywhere).unwrap());
    for file in ["env/prod/a", "env/prod/new", "env/prod/ignored.log", "env/test/b", "[odd]/c", "more/d"] {
        history.write(file, "y");
    }
    fs::remove_file(history.folder.join("env/prod/gone")).unwrap();
    // Settings that hide things do not count.
    world.configure("[status]\nshowUntrackedFiles = no\nrelativePaths = true\n[core]\nquotePath = true\n");
    let changed = |repository: &Repository, scope| {
        let changed = repository.changed(scope).unwrap();
        changed.into_iter().map(|Changed { path, how }| format!("{how} {path}")).collect::<Vec<_>>().join(", ")
    };
    let odd = of(&world, &history, "[odd]");
    let said =
        [changed(&repository, Scope::Folder), changed(&odd, Scope::Folder), changed(&repository, Scope::Everywhere)];
    insta::assert_snapshot!(said.join("\n"), @"
    changed env/prod/a, gone env/prod/gone, new env/prod/new
    changed [odd]/c
    changed [odd]/c, changed env/prod/a, gone env/prod/gone, new env/prod/new, changed env/test/b, new more/
    ");
}

#[test]
fn commits_are_resolved_and_measured() {
    let world = World::new();
    let history = world.history("infra");
    history.commit_file("a", "first");
    history.tag("v1");
    history.git(&["checkout", "--quiet", "-b", "side"]);
    history.commit_file("a", "side");
    history.git(&["checkout", "--quiet", "main"]);
    history.commit_file("a", "second");
    history.commit_file("a", "third");
    let repository = of(&world, &history, "");
    for name in ["v1", "main", "HEAD~2", "main^{commit}", "refs/heads/side"] {
        assert_eq!(repository.resolve(name).unwrap(), id(&history, &format!("{name}^{{commit}}")), "{name}");
    }
    let short = &id(&history, "main")[..8];
    assert_eq!(repository.resolve(short).unwrap(), id(&history, "main"));
    let distance = |from, to| repository.distance(from, to).unwrap();
    assert_eq!(distance("v1", "main"), Some(Distance { ahead: 0, behind: 2 }));
    assert_eq!(distance("side", "main"), Some(Distance { ahead: 1, behind: 2 }));
    history.git(&["checkout", "--quiet", "--orphan", "unrelated"]);
    history.commit("unrelated");
    assert_eq!(distance("unrelated", "main"), None);

    // Where a branch began.
    assert_eq!(repository.merge_base("side", "main").unwrap(), repository.resolve("v1").unwrap());
    let none = repository.merge_base("unrelated", "main").unwrap_err();
    assert_eq!(none.summary, "`unrelated` and `main` have no commit in common");
    assert!(repository.merge_base("--all", "main").is_err());
}

#[test]
fn a_shallow_clone_says_so() {
    let world = World::new();
    let history = world.history("infra");
    history.commit_file("a", "first");
    history.tag("v1");
    history.commit_file("a", "second");
    let clone = world.path("clone");
    let url = format!("file://{}", history.folder.display());
    history.git(&["clone", "--quiet", "--depth=1", &url, clone.to_str().unwrap()]);
    let repository = Repository::of(world.git(), &clone).unwrap().unwrap();
    assert_eq!((repository.is_shallow(), repository.origin()), (Ok(true), Ok(Some(url))));
    assert_eq!(repository.resolve("main"), Ok(id(&history, "main")));
    insta::assert_snapshot!(told(&repository.resolve("v1").unwrap_err()), @"
    there is no commit `v1` in this repository
    hint: it is a shallow clone: `git fetch --unshallow` brings the rest
    ");
}

#[test]
fn a_commit_is_extracted_beside_the_working_tree() {
    let world = World::new();
    let history = world.history("infra");
    history.write("env/run.sh", "first");
    std::os::unix::fs::symlink("env/run.sh", history.folder.join("link")).unwrap();
    let first = history.commit("first");
    history.commit_file("env/run.sh", "second");
    history.write("env/run.sh", "third");
    let repository = of(&world, &history, "env");
    let extracted = repository.extract("HEAD~1", &world.path("then")).unwrap();
    assert_eq!(fs::read_to_string(world.path("then/link")).unwrap(), "first");
    assert_eq!(fs::read_to_string(history.folder.join("env/run.sh")).unwrap(), "third");
    // It has the hash that it would have as a module.
    assert_eq!(extracted.hash, world.get(&format!("{}?ref={first}", history.url())).unwrap().locked.hash);
    assert!(repository.extract("HEAD", &world.path("then")).is_err(), "what is there is not written over");
}

#[test]
fn a_repository_among_the_files_of_another_one_is_not_used() {
    let world = World::new();
    let history = world.history("infra");
    let evil = world.path("evil");
    history.commit_file("env/main.bm.hcl", "first");
    history.git(&["init", "--quiet", "--bare", "env/lib"]);
    let config = format!(
        "[core]\nbare = false\nworktree = {}\nfsmonitor = touch {evil}\n[filter \"evil\"]\nclean = touch {evil}\n",
        history.folder.display(),
        evil = evil.display()
    );
    fs::write(history.folder.join("env/lib/config"), config).unwrap();
    history.write(".gitattributes", "* filter=evil\n");
    history.write("env/lib/modules/main.bm.hcl", "x");
    assert!(Repository::of(world.git(), &history.folder.join("env/lib/modules")).is_err());
    // Where it is named itself, it is one without files.
    let bare = of(&world, &history, "env/lib");
    assert_eq!((bare.root(), bare.head(), bare.is_dirty(Scope::Everywhere)), (None, Ok(None), Ok(false)));
    assert!(!evil.exists());
}

#[test]
fn variables_of_a_hook_do_not_lead_elsewhere() {
    let mut world = World::new();
    let history = world.history("infra");
    let first = history.commit_file("a", "first");
    let other = world.history("other");
    other.commit_file("a", "other");
    world.set("GIT_DIR", other.folder.join(".git").to_str().unwrap());
    world.set("GIT_INDEX_FILE", "/nonexistent");
    let repository = of(&world, &history, "");
    assert_eq!(repository.head().unwrap().unwrap().id, first);
    assert_eq!(repository.is_dirty(Scope::Everywhere), Ok(false));
}

#[test]
fn a_repository_of_somebody_else_is_told() {
    let mut world = World::new();
    let history = world.history("infra");
    history.commit_file("a", "first");
    // As git's own tests do it.
    world.set("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    let error = Repository::of(world.git(), &history.folder).unwrap_err();
    assert!(error.hint.as_deref().unwrap_or_default().contains("safe.directory"), "{error:?}");
}
