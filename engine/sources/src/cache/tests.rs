//! What of a cache is believed.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::tree::Tree;

fn put(cache: &Cache, content: &str) -> Entry {
    let aside = cache.aside().unwrap();
    let mut tree = Tree::create(&aside.path().join("tree")).unwrap();
    tree.file("a", false, &mut content.as_bytes()).unwrap();
    let written = tree.finish().unwrap();
    cache.keep(aside, &key(), &written).unwrap()
}

fn key() -> Key {
    Key::Commit("a".repeat(40))
}

#[test]
fn who_comes_second_takes_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::below(folder.path());
    assert!(cache.find(&key()).unwrap().is_none());
    let first = put(&cache, "first");
    assert_eq!(put(&cache, "second").hash, first.hash);
    assert_eq!(fs::read_to_string(first.tree().join("a")).unwrap(), "first");
    assert_eq!(fs::read_dir(folder.path().join("modules/aside")).unwrap().count(), 0);
}

#[test]
fn what_is_not_whole_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::below(folder.path());
    let entry = put(&cache, "first");
    fs::remove_file(entry.folder.join("mark.json")).unwrap();
    assert!(cache.find(&key()).unwrap().is_none());
    assert_ne!(put(&cache, "second").hash, entry.hash);
}

#[test]
fn what_others_could_have_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::below(folder.path());
    let entry = put(&cache, "first");
    for place in [entry.folder.clone(), entry.tree(), folder.path().join("modules/git")] {
        fs::set_permissions(&place, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(cache.find(&key()).is_err(), "{place:?}");
        fs::set_permissions(&place, fs::Permissions::from_mode(0o700)).unwrap();
    }
    assert!(cache.find(&key()).unwrap().is_some());
    assert!(cache.find(&Key::Commit("../../etc".to_owned())).unwrap().is_none());
}

#[test]
fn what_was_left_over_long_ago_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::below(folder.path());
    let old = cache.aside().unwrap().keep();
    let long_ago = SystemTime::now() - 2 * LEFT_OVER;
    fs::File::open(&old).unwrap().set_modified(long_ago).unwrap();
    let new = cache.aside().unwrap();
    assert!(!old.exists() && new.path().exists());
}
