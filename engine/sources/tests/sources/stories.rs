//! What teams do with modules: choose them, lock them, lose them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use bimetal_sources::{Ask, Locked};

use crate::http::Server;
use crate::world::{World, wanted};

#[test]
fn a_constraint_picks_among_the_tags() {
    let world = World::new();
    let history = world.history("web");
    for version in ["v1.0.0", "1.2.0", "v1.10.0", "v2.0.0-beta", "v2.0.0"] {
        history.commit_file("main.bm.hcl", version);
        history.tag(version);
    }
    let server = Server::open(&world);
    let fetch = |version| world.fetch(&server.url("web"), Some(version), None, Ask::WhereMissing);
    let said: Vec<String> =
        ["~> 1.2", "< 1.10", "2.0.0-beta", "~> 3.0", "x"].map(|version| world.said(&fetch(version))).into();
    insta::assert_snapshot!(said.join("\n\n"), @r#"
    WORLD/cache/modules/git/d676b4a2992c0537bba11722312150df60c34ee7/tree/ Locked { version: Some("1.10.0"), commit: Some("d676b4a2992c0537bba11722312150df60c34ee7"), reference: Some("v1.10.0"), hash: "sha256:cae02b086877a5f9cc7636de72b8dd780202364ca59f353614db107bfad2b034" }

    WORLD/cache/modules/git/aaacb7d84adb936bfd16b45d4386cca3ba1cd243/tree/ Locked { version: Some("1.2.0"), commit: Some("aaacb7d84adb936bfd16b45d4386cca3ba1cd243"), reference: Some("1.2.0"), hash: "sha256:9e8f09e4057eefc63405a3ba25ffd5bf9559b26218f1cf100f8cef2e5a7b048e" }

    WORLD/cache/modules/git/9264e00c74aa9399cc579c2bfdbb83eb4a02de99/tree/ Locked { version: Some("2.0.0-beta"), commit: Some("9264e00c74aa9399cc579c2bfdbb83eb4a02de99"), reference: Some("v2.0.0-beta"), hash: "sha256:c2a537b8439adab136324bb0b1c123a7804788af0d9b03c8d32e0c3f73f1f2ff" }

    `git::http://SERVER/web/.git` has no version that fits `~> 3.0`
    the newest that there is is 2.0.0
    hint: see that `source` is right, or widen `version`

    `x` is no version constraint
    `x` names no version
    "#);
}

#[test]
fn a_reference_is_a_tag_a_branch_or_a_commit() {
    let world = World::new();
    let history = world.history("web");
    let first = history.commit_file("web/main.bm.hcl", "first");
    history.git(&["tag", "plain"]);
    history.git(&["branch", "feature/a"]);
    history.commit_file("web/main.bm.hcl", "second");
    history.tag("v2");
    let server = Server::open(&world);
    let content = |reference: &str| -> Result<String, bimetal_model::Diagnostic> {
        let package = world.get(&format!("{}//web?ref={reference}", server.url("web")))?;
        Ok(fs::read_to_string(package.folder.join("main.bm.hcl")).unwrap())
    };
    for (reference, expected) in [
        ("plain", "first"),
        ("feature/a", "first"),
        (&first, "first"),
        ("v2", "second"),
        ("refs/tags/v2", "second"),
        ("main", "second"),
    ] {
        assert_eq!(content(reference), Ok(expected.to_owned()), "{reference}");
    }
    let said = ["nothing", &first[..8], &"0".repeat(40)]
        .map(|reference| world.said(&world.get(&format!("{}//web?ref={reference}", server.url("web")))));
    let folder = world.said(&world.get(&format!("{}//wep", server.url("web"))));
    let server = world.said(&world.get(&server.url("other")));
    insta::assert_snapshot!(format!("{}\n\n{folder}\n\n{server}", said.join("\n\n")), @"
    there is no branch or tag `nothing` in `git::http://SERVER/web/.git//web?ref=nothing`
    it has v2, plain, main, feature/a

    there is no branch or tag `4ae37d65` in `git::http://SERVER/web/.git//web?ref=4ae37d65`
    hint: servers know commits by their whole ids only: write all 40 digits

    `git::http://SERVER/web/.git` has no commit 0000000000000000000000000000000000000000
    hint: see that it was pushed, and that all its digits are right

    there is no folder `wep` in `git::http://SERVER/web/.git//wep`
    at its root there are `web/`
    hint: see what stands behind `//`

    `git::http://SERVER/other/.git` can't be reached
    fatal: repository 'http://SERVER/other/.git/' not found
    hint: see that the URL is right and that you may read it
    ");
}

#[test]
fn a_tag_that_moved_is_refused() {
    let world = World::new();
    let history = world.history("web");
    history.commit_file("main.bm.hcl", "first");
    history.tag("v1.0.0");
    let server = Server::open(&world);
    let (url, by_ref) = (server.url("web"), format!("{}?ref=v1.0.0", server.url("web")));
    let locked = world.fetch(&url, Some("1.0.0"), None, Ask::WhereMissing).unwrap().locked;
    let locked_by_ref = world.get(&by_ref).unwrap().locked;
    history.commit_file("main.bm.hcl", "second");
    history.tag("v1.0.0");
    // What is locked and here is as good as ever.
    assert_eq!(world.fetch(&url, Some("1.0.0"), Some(&locked), Ask::WhereMissing).unwrap().locked, locked);
    let looked = world.fetch(&url, Some("1.0.0"), Some(&locked), Ask::WhetherMoved);
    world.forget();
    let fetched = world.fetch(&by_ref, None, Some(&locked_by_ref), Ask::WhereMissing);
    insta::assert_snapshot!(format!("{}\n\n{}", world.said(&looked), world.said(&fetched)), @"
    tag `v1.0.0` of `git::http://SERVER/web/.git` is not where it is locked any more
    the lock file says 6c94bc3f0db9566bbe3ee2a95d8bb06d519e9b7c, and it stands at 90029eee3f33232070ae71b6b626930ce0174c47 now
    hint: a tag should never move: ask who keeps the repository; `bimetal init --upgrade` takes the new commit

    tag `v1.0.0` of `git::http://SERVER/web/.git?ref=v1.0.0` is not where it is locked any more
    the lock file says 6c94bc3f0db9566bbe3ee2a95d8bb06d519e9b7c, and it stands at 90029eee3f33232070ae71b6b626930ce0174c47 now
    hint: a tag should never move: ask who keeps the repository; `bimetal init --upgrade` takes the new commit
    ");
    let upgraded = world.fetch(&url, Some("1.0.0"), Some(&locked), Ask::ForNewer).unwrap();
    assert_ne!(upgraded.locked.commit, locked.commit);
    assert_eq!(fs::read_to_string(upgraded.folder.join("main.bm.hcl")).unwrap(), "second");
}

#[test]
fn a_branch_may_move_and_what_is_locked_stays() {
    let world = World::new();
    let history = world.history("web");
    history.commit_file("main.bm.hcl", "first");
    let server = Server::open(&world);
    let main = format!("{}?ref=main", server.url("web"));
    let first = world.get(&main).unwrap();
    history.commit_file("main.bm.hcl", "second");
    world.forget();
    for ask in [Ask::WhereMissing, Ask::WhetherMoved, Ask::Nobody] {
        let again = world.fetch(&main, None, Some(&first.locked), ask).unwrap();
        assert_eq!(again, first, "{ask:?}");
    }
    let newer = world.fetch(&main, None, Some(&first.locked), Ask::ForNewer).unwrap();
    assert_ne!(newer.locked.commit, first.locked.commit);
    // Another wish than the one that is locked is a new one.
    let other = world.fetch(&server.url("web"), None, Some(&first.locked), Ask::WhereMissing).unwrap();
    assert_eq!(other.locked.commit, newer.locked.commit);
}

#[test]
fn a_locked_commit_that_is_gone_is_named() {
    let world = World::new();
    let history = world.history("web");
    history.commit_file("main.bm.hcl", "first");
    let server = Server::open(&world);
    let main = format!("{}?ref=main", server.url("web"));
    let locked = world.get(&main).unwrap().locked;
    history.write("main.bm.hcl", "instead");
    history.git(&["commit", "--quiet", "--all", "--amend", "-m", "instead"]);
    history.git(&["reflog", "expire", "--expire=now", "--all"]);
    history.git(&["gc", "--quiet", "--prune=now"]);
    world.forget();
    let gone = world.fetch(&main, None, Some(&locked), Ask::WhereMissing);
    insta::assert_snapshot!(world.said(&gone), @"
    `git::http://SERVER/web/.git` has no commit 6c94bc3f0db9566bbe3ee2a95d8bb06d519e9b7c
    it is locked, and no branch or tag of the repository has it any more
    hint: ask who keeps the repository what happened; `bimetal init --upgrade` takes what is there now
    ");
}

#[test]
fn with_the_server_gone_all_goes_on_from_the_cache() {
    let world = World::new();
    let history = world.history("web");
    history.commit_file("main.bm.hcl", "first");
    history.tag("v1.0.0");
    let server = Server::open(&world);
    let url = server.url("web");
    let package = world.fetch(&url, Some("~> 1.0"), None, Ask::WhereMissing).unwrap();
    drop(server);
    world.busy.0.lock().unwrap().clear();
    for ask in [Ask::Nobody, Ask::WhereMissing] {
        assert_eq!(world.fetch(&url, Some("~> 1.0"), Some(&package.locked), ask), Ok(package.clone()));
    }
    assert!(world.busy.0.lock().unwrap().is_empty());
    let asked = world.fetch(&url, Some("~> 1.0"), Some(&package.locked), Ask::WhetherMoved).unwrap();
    let warning = asked.unasked.as_ref().map(|warning| warning.summary.replace(&url, "URL"));
    assert_eq!(warning.as_deref(), Some("`URL` can't be reached"));
    assert_eq!((&asked.folder, &asked.locked), (&package.folder, &package.locked));
    let unlocked = world.fetch(&url, Some("~> 1.0"), None, Ask::Nobody);
    let unreached = world.fetch(&url, Some("~> 1.0"), Some(&package.locked), Ask::ForNewer).unwrap_err();
    world.forget();
    assert!(world.fetch(&url, Some("~> 1.0"), Some(&package.locked), Ask::WhetherMoved).is_err(), "nothing is there");
    let missing = world.fetch(&url, Some("~> 1.0"), Some(&package.locked), Ask::Nobody);
    insta::assert_snapshot!(format!("{}\n\n{}\n\n{}", world.said(&unlocked), world.said(&missing), unreached.summary.replace(&url, "URL")), @"
    `git::http://SERVER/web/.git` is not locked as it is wanted
    hint: `bimetal init` fetches and locks it

    `git::http://SERVER/web/.git` is not on this machine
    commit 6c94bc3f0db9566bbe3ee2a95d8bb06d519e9b7c is locked, and not in the cache
    hint: `bimetal init` fetches it

    `URL` can't be reached
    ");
}

#[test]
fn what_is_in_the_lock_is_compared_with_what_is_there() {
    let world = World::new();
    let history = world.history("web");
    history.commit_file("main.bm.hcl", "first");
    let locked = world.get(&history.url()).unwrap().locked;
    let other = Locked { hash: format!("sha256:{}", "0".repeat(64)), ..locked };
    insta::assert_snapshot!(world.said(&world.fetch(&history.url(), None, Some(&other), Ask::WhereMissing)), @"
    `git::file://WORLD/served/web` holds something else than what is locked
    the lock file says sha256:0000000000000000000000000000000000000000000000000000000000000000, and what is there has sha256:a0e46e40cdb1d9fd1e4d2dae0859599ef45fc7fd4f2eb65d88a3a2886dfabb88
    hint: ask who keeps it what happened; `bimetal init --upgrade` takes what is there now
    ");
}

#[test]
fn each_repository_is_fetched_once() {
    let world = World::new();
    for n in 0..10 {
        let history = world.history(&format!("r{n}"));
        (0..10).for_each(|module| history.write(&format!("m{module}/main.bm.hcl"), "x"));
        history.commit("first");
        history.tag("v1.0.0");
    }
    let server = Server::open(&world);
    let module = |n: usize| format!("{}//m{}", server.url(&format!("r{}", n % 10)), n / 10);
    let all: Vec<_> = (0..100).map(|n| (wanted(&module(n), Some("~> 1.0")), None)).collect();
    let cold = world.fetch_all(&all, Ask::WhereMissing);
    let requests = server.requests();
    for n in 0..10 {
        let of_one = requests.iter().filter(|request| request.contains(&format!("/r{n}/")));
        // Its refs are listed once, and one fetch follows: each looks around first.
        let posts = of_one.clone().filter(|request| request.starts_with("POST")).count();
        assert!(of_one.count() <= 5 && posts <= 3, "{requests:#?}");
    }
    assert_eq!(world.busy.0.lock().unwrap().len(), 10);
    let all: Vec<_> = all
        .into_iter()
        .zip(&cold)
        .map(|((wanted, _), package)| (wanted, Some(package.clone().unwrap().locked)))
        .collect();
    let warm = world.fetch_all(&all, Ask::WhereMissing);
    assert_eq!(warm, cold);
    assert_eq!(server.requests(), [""; 0]);
}

/// Run by the next test, in processes of its own.
#[test]
fn one_of_many() {
    let Ok(url) = std::env::var("BIMETAL_TEST_SOURCE") else { return };
    let mut world = World::new();
    let cache = std::env::var("BIMETAL_TEST_CACHE").unwrap();
    std::os::unix::fs::symlink(&cache, world.path("link")).unwrap();
    fs::remove_dir(world.path("cache")).unwrap();
    fs::rename(world.path("link"), world.path("cache")).unwrap();
    world.set("GIT_TRACE", "0");
    let package = world.get(&url).unwrap();
    assert_eq!(fs::read_dir(package.folder).unwrap().count(), 200);
}

#[test]
fn many_processes_at_once_share_one_copy() {
    let world = World::new();
    let history = world.history("web");
    (0..200).for_each(|n| history.write(&format!("f{n}"), "x"));
    history.commit("first");
    let process = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "stories::one_of_many"]).env("BIMETAL_TEST_SOURCE", history.url());
        command.env("BIMETAL_TEST_CACHE", world.path("cache")).stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let processes = [process(), process(), process(), process()];
    assert!(processes.into_iter().all(|mut process| process.wait().unwrap().success()));
    let left = |folder: &str| fs::read_dir(world.path("cache/modules").join(folder)).unwrap().count();
    assert_eq!((left("git"), left("aside")), (1, 0));
}

#[test]
fn the_hash_is_the_same_however_git_is_set_up() {
    let world = World::new();
    let history = world.history("web");
    history.write(".gitattributes", "* text eol=crlf\n*.txt export-subst\nhidden export-ignore\n*.bin filter=lfs\n");
    history.write("a.txt", "$Format:%H$\n");
    history.write("hidden", "kept\n");
    history.write("b.bin", "version https://git-lfs.github.com/spec/v1\n");
    history.write("run.sh", "#!/bin/sh\n");
    fs::set_permissions(history.folder.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("a.txt", history.folder.join("link")).unwrap();
    history.commit("first");
    let first = world.get(&history.url()).unwrap();
    world.configure("[core]\nautocrlf = true\neol = crlf\n[filter \"lfs\"]\nsmudge = touch evil\nrequired = true\n");
    world.forget();
    assert_eq!(world.get(&history.url()).unwrap(), first);
    let mode = |name: &str| fs::symlink_metadata(first.folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("a.txt"), mode("run.sh")), (0o444, 0o555));
    assert_eq!(fs::read_to_string(first.folder.join("a.txt")).unwrap(), "$Format:%H$\n");
    assert_eq!(fs::read_to_string(first.folder.join("hidden")).unwrap(), "kept\n");
    assert_eq!(fs::read_link(first.folder.join("link")).unwrap().to_str(), Some("a.txt"));
    insta::assert_snapshot!(world.said(&Ok(first)), @r#"WORLD/cache/modules/git/127d35dacd161d6f5d4f9c10241397dac989c051/tree/ Locked { version: None, commit: Some("127d35dacd161d6f5d4f9c10241397dac989c051"), reference: None, hash: "sha256:1df3d13c573befe8d9ba6b28f0beb248f1e8b42b2ae2d5d324773ceb5373c4ef" }"#);
}

#[test]
fn servers_that_give_no_single_commits_are_asked_for_all() {
    let world = World::new();
    let history = world.history("web");
    let first = history.commit_file("main.bm.hcl", "first");
    history.commit_file("main.bm.hcl", "second");
    history.git(&["config", "uploadpack.allowAnySHA1InWant", "false"]);
    // Version 2 of git's protocol gives any commit: this is how older servers are.
    world.configure("[protocol]\nversion = 0\n");
    let server = Server::open(&world);
    let package = world.get(&format!("{}?ref={first}", server.url("web"))).unwrap();
    assert_eq!(fs::read_to_string(package.folder.join("main.bm.hcl")).unwrap(), "first");
    world.forget();
    let both =
        [(wanted(&format!("{}?ref={first}", server.url("web")), None), None), (wanted(&server.url("web"), None), None)];
    assert!(world.fetch_all(&both, Ask::WhereMissing).iter().all(Result::is_ok));
}

#[test]
fn one_that_is_wrong_is_not_in_the_way_of_the_others() {
    let world = World::new();
    let history = world.history("web");
    let first = history.commit_file("main.bm.hcl", "first");
    history.commit_file("main.bm.hcl", "second");
    let server = Server::open(&world);
    let url = server.url("web");
    let references = [first, "0".repeat(40), "main".to_owned(), "nothing".to_owned()];
    let all: Vec<_> =
        references.iter().map(|reference| (wanted(&format!("{url}?ref={reference}"), None), None)).collect();
    let fetched = world.fetch_all(&all, Ask::WhereMissing);
    assert_eq!(fetched.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false]);
}

#[test]
fn a_version_and_a_reference_contradict_each_other() {
    let world = World::new();
    let said = ["git::https://e.org/x.git?ref=v1", "https://e.org/x.zip", "oci://e.org/x:1.0"]
        .map(|source| world.said(&world.fetch(source, Some("~> 1.0"), None, Ask::WhereMissing)));
    insta::assert_snapshot!(said.join("\n\n"), @"
    `version` does not go with `git::https://e.org/x.git?ref=v1`
    `ref` says already which commit it is
    hint: leave out one of the two

    `version` does not go with `https://e.org/x.zip`
    an archive has no tags to choose among
    hint: write the version into `source`

    `version` does not go with `oci://e.org/x:1.0`
    `source` says already which tag it is
    hint: leave out one of the two
    ");
}
