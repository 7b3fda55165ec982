//! What a tree may hold.

use super::*;

/// A name that ends with `->target` is a link, any other a file that holds its own name.
fn check_tree(names: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut tree = Tree::create(&folder.path().join("tree")).unwrap();
    let written = names.iter().try_for_each(|name| match name.split_once("->") {
        Some((path, target)) => tree.link(path, target.as_bytes()),
        None => tree.file(name, name.ends_with(".sh"), &mut name.as_bytes()),
    });
    let outside: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(outside.len(), 1, "nothing is written elsewhere");
    match written.and_then(|()| tree.finish()) {
        Ok(written) => written.hash,
        Err(Refusal::Bad(why)) => why,
        Err(Refusal::Failed(error)) => panic!("{names:?}: {error}"),
    }
}

#[test]
fn names_that_mean_another_place_are_refused() {
    let hostile: &[&[&str]] = &[
        &["../evil"],
        &["a/../../evil"],
        &["/etc/passwd"],
        &["a//b"],
        &["a/./b"],
        &["..\\evil"],
        &[".git/config"],
        &["sub/.GIT/hooks/post-checkout"],
        &["git~1/config"],
        &[".git . ./config"],
        &[".git::$INDEX_ALLOCATION/config"],
        &[".g\u{200c}it/config"],
        &["a", "a"],
        &["a", "a/b"],
        &["a/b", "a"],
        &["README", "readme"],
        &["Lib/a", "lib/b"],
        &["stra\u{df}e", "STRASSE"],
        &["e\u{301}", "\u{e9}"],
        &[""],
    ];
    let said: Vec<String> = hostile.iter().map(|names| check_tree(names)).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    `../evil` has `..` in it, and would lie elsewhere
    `a/../../evil` has `..` in it, and would lie elsewhere
    `/etc/passwd` is no relative path
    `a//b` has a name in it that is empty
    `a/./b` has `.` in it, and would lie elsewhere
    `..\\evil` has `..` in it, and would lie elsewhere
    `.git/config` would be git's own folder, whose contents git runs
    `sub/.GIT/hooks/post-checkout` would be git's own folder, whose contents git runs
    `git~1/config` would be git's own folder, whose contents git runs
    `.git . ./config` would be git's own folder, whose contents git runs
    `.git::$INDEX_ALLOCATION/config` would be git's own folder, whose contents git runs
    `.g\u{200c}it/config` would be git's own folder, whose contents git runs
    `a` is there twice
    `a` is both a file and a folder
    `a` is both a file and a folder
    `readme` and `README` are one file where case does not count
    `lib` and `Lib` are one file where case does not count
    `STRASSE` and `straße` are one file where case does not count
    `é` and `é` are one file where case does not count
    `` is no relative path
    ");
}

#[test]
fn links_that_lead_outside_are_refused() {
    let hostile: &[&[&str]] = &[
        &["a->/etc/passwd"],
        &["a->.."],
        &["a->../b"],
        &["sub/a->../../b"],
        &["x/y/up->../..", "a->x/y/up/../q"],
        &["a->b", "b->a"],
        &["a->"],
        &["a->.git/config"],
        &["a->b", "a/c"],
        &["A->b", "a/c"],
    ];
    let said: Vec<String> = hostile.iter().map(|names| check_tree(names)).collect();
    insta::assert_snapshot!(said.join("\n"), @"
    `a` is a link to `/etc/passwd`, outside
    `a` is a link to `..`, outside
    `a` is a link to `../b`, outside
    `sub/a` is a link to `../../b`, outside
    `a` is a link to `x/y/up/../q`, outside
    `a` is a link that leads round and round
    `a` is a link to nothing
    `a` is a link to git's own folder
    `a` is both a file and a folder
    `a` and `A` are one file where case does not count
    ");
}

#[test]
fn links_inside_and_odd_names_are_kept() {
    for names in [
        &["x/y/z", "a->x/y", "b->a/../y/z", "c->not/there"][..],
        &["unit\\x2dname", "with blank", "Icon\r", ".gitignore", ".github/workflows/a.yml", "git", "~", "-rf"],
    ] {
        assert!(check_tree(names).starts_with("sha256:"), "{names:?}: {}", check_tree(names));
    }
}

#[test]
fn the_hash_is_of_what_is_there_alone() {
    let hash = check_tree(&["a", "b/c", "run.sh", "l->a"]);
    assert_eq!(hash, check_tree(&["l->a", "run.sh", "b/c", "a"]), "in whatever order it comes");
    for others in [&["a", "b/c", "run.sh", "l->b"][..], &["a", "b/c", "run.sh"], &["a", "b/d", "run.sh", "l->a"]] {
        assert_ne!(hash, check_tree(others));
    }
    // Other machines have this one, too.
    insta::assert_snapshot!(hash, @"sha256:b23cfc449032d31b5332f874d385ad3164bb35610d99857a0d68cf99f41d7823");
}

#[test]
fn what_is_too_much_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut tree = Tree::create(&folder.path().join("tree")).unwrap();
    let refused = tree.file("huge", false, &mut io::repeat(0)).unwrap_err();
    assert!(matches!(refused, Refusal::Bad(why) if why.contains("larger than 100 MiB")));
    let mut names = Names::default();
    let refused = (0..=FILES).find_map(|n| names.file(&n.to_string()).err());
    assert!(matches!(refused, Some(Refusal::Bad(why)) if why.contains("more than 50000 files")));
    let long = format!("{}/a", "a".repeat(256));
    assert!(matches!(names.file(&long), Err(Refusal::Bad(_))));
}
