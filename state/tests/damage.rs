//! A file that is not as it was written is an error that names it and its newest backup; and what is put back is whole.

mod scene;

use std::path::Path;

use bimetal_model::Value;
use bimetal_model::port::{Remember as _, StateError};
use bimetal_model::snapshot::{Revision, Snapshot};
use bimetal_state::{Keys, Location, backups, restore};
use scene::{CANARY, Scene, fill, keys, secret};

/// Everything that is remembered.
type Everything = (Snapshot, Vec<Revision>, Option<Vec<u8>>);

async fn read(scene: &Scene, keys: Keys) -> Result<Everything, StateError> {
    let store = scene.store(keys).await?;
    Ok((store.load().await?, store.revisions().await?, store.secret("ca").await?))
}

async fn filled(keys: Keys, value: &Value) -> Scene {
    let scene = Scene::new();
    let store = scene.store(keys).await.unwrap();
    fill(&store, 12, value).await.unwrap();
    store.back_up().await.unwrap().unwrap();
    scene
}

fn write(path: &Path, bytes: &[u8]) {
    for beside in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{beside}", path.display()));
    }
    std::fs::write(path, bytes).unwrap();
}

/// The right answer, or an error that says what is wrong; what counts commits and the lineage are not signed.
async fn assert_right_or_told(scene: &Scene, keys: Keys, right: &Everything, what: &str) -> bool {
    match read(scene, keys).await {
        Ok(mut found) => {
            found.0.serial = right.0.serial;
            found.0.lineage.clone_from(&right.0.lineage);
            found.0.versions.clone_from(&right.0.versions);
            assert_eq!(&found, right, "{what}");
            true
        }
        Err(StateError::Damaged(reason)) => {
            assert!(reason.contains("state.db`"), "{what}: {reason}");
            assert!(reason.contains("newest backup is") || reason.contains("key"), "{what}: {reason}");
            false
        }
        Err(StateError::Newer { .. } | StateError::Sealed(_) | StateError::Store { .. }) => false,
        Err(error) => panic!("{what}: {error:?}"),
    }
}

#[tokio::test]
async fn a_file_that_is_cut_short_anywhere_is_told() {
    let scene = filled(keys("a"), &secret()).await;
    let right = read(&scene, keys("a")).await.unwrap();
    let whole = std::fs::read(scene.path()).unwrap();
    let sizes = (0..whole.len()).step_by(512).chain([1, 15, 16, 99, 100, 101, 4095, 4097, whole.len() - 1]);
    for size in sizes {
        write(&scene.path(), &whole[..size]);
        let is_right = assert_right_or_told(&scene, keys("a"), &right, &format!("cut at {size}")).await;
        assert!(!is_right || size > whole.len() - 4096, "cut at {size}");
    }
}

#[tokio::test]
async fn a_bit_that_flipped_is_told_or_harmless() {
    for (keys, value) in [(keys("a"), secret()), (Keys::default(), Value::from("plain-canary"))] {
        let scene = filled(keys.clone(), &value).await;
        let right = read(&scene, keys.clone()).await.unwrap();
        let whole = std::fs::read(scene.path()).unwrap();
        let mut told = 0;
        for place in interesting(&whole) {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << (place % 8);
            write(&scene.path(), &bytes);
            let is_right = assert_right_or_told(&scene, keys.clone(), &right, &format!("byte {place}")).await;
            told += usize::from(!is_right);
        }
        assert!(told > 100, "{told}");
    }
}

/// The first page's header whole, the header and the first cells of each page, and a byte now and then of the rest.
fn interesting(bytes: &[u8]) -> Vec<usize> {
    let of_page = |place: &usize| {
        let within = place % 4096;
        *place < 108 || within < 32 || place.is_multiple_of(127)
    };
    (0..bytes.len()).filter(of_page).collect()
}

#[tokio::test]
async fn what_is_no_state_is_told() {
    let scene = filled(keys("a"), &secret()).await;
    let whole = std::fs::read(scene.path()).unwrap();
    let said = |result: Result<Everything, StateError>| result.unwrap_err().to_string();
    let backup = backups(&scene.path()).remove(0).path.display().to_string();

    write(&scene.path(), &b"some text that is no database, but long enough to be looked at".repeat(20));
    let error = said(read(&scene, keys("a")).await);
    assert!(error.contains("it is no database") && error.contains(&backup), "{error}");
    write(&scene.path(), b"");
    let error = said(read(&scene, keys("a")).await);
    assert!(error.contains("it is empty") && error.contains(&backup), "{error}");
    std::fs::remove_file(scene.path()).unwrap();
    let other = rusqlite::Connection::open(scene.path()).unwrap();
    other.execute_batch("CREATE TABLE other (a)").unwrap();
    drop(other);
    let error = said(read(&scene, keys("a")).await);
    assert!(error.contains("is not a state of Bimetal's") && error.contains(&backup), "{error}");
    std::fs::remove_file(scene.path()).unwrap();
    std::fs::create_dir(scene.path()).unwrap();
    let error = said(read(&scene, keys("a")).await);
    assert!(error.contains("state.db`: it can't be opened: it is a folder"), "{error}");
    std::fs::remove_dir(scene.path()).unwrap();

    write(&scene.path(), &whole);
    read(&scene, keys("a")).await.unwrap();
}

#[tokio::test]
async fn a_state_that_lost_its_name_is_damaged_and_nothing_is_written_to_it() {
    let scene = filled(keys("a"), &secret()).await;
    let database = rusqlite::Connection::open(scene.path()).unwrap();
    database.execute("DELETE FROM meta", []).unwrap();
    let store = scene.store(keys("a")).await.unwrap();
    for error in [store.load().await.unwrap_err(), scene::lock(&store).await.unwrap_err()] {
        assert!(matches!(&error, StateError::Damaged(reason) if reason.contains("which state it is")), "{error}");
    }
    let rows: u32 = database.query_row("SELECT count(*) FROM meta", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn the_newest_backup_is_put_back_and_what_was_there_is_kept() {
    let scene = filled(keys("a"), &secret()).await;
    let right = read(&scene, keys("a")).await.unwrap();
    let store = scene.store(keys("a")).await.unwrap();
    let first = backups(&scene.path()).remove(0);
    assert_eq!(store.back_up().await.unwrap().unwrap(), first.path, "it is as it was");
    assert_eq!(backups(&scene.path()).len(), 1);
    drop(store);
    write(&scene.path(), b"broken");
    let restored = restore(&scene.path(), None).unwrap();
    assert_eq!(
        (restored.from, std::fs::read(restored.aside.unwrap()).unwrap(), restored.lost),
        (first.path.clone(), b"broken".to_vec(), None)
    );
    let again = read(&scene, keys("a")).await.unwrap();
    let (then, now) = (&right.0.lineage, &again.0.lineage);
    assert!(now.state == then.state && now.timeline != then.timeline, "what it counts from here on is something else");
    assert!(assert_right_or_told(&scene, keys("a"), &right, "put back").await);
    // What was copied when it had as many commits, but others, is no copy of it.
    let store = scene.store(keys("a")).await.unwrap();
    let before = std::fs::read(&first.path).unwrap();
    assert_eq!(store.back_up().await.unwrap().unwrap(), first.path);
    assert_ne!(std::fs::read(&first.path).unwrap(), before);
    drop(store);
    // A backup that is broken itself is not put back.
    std::fs::write(&first.path, "broken too").unwrap();
    let error = restore(&scene.path(), None).unwrap_err().to_string();
    assert!(error.contains("backup-") && error.contains("no database"), "{error}");
    assert_eq!(read(&scene, keys("a")).await.unwrap(), again);
    let nowhere = scene.folder.path().join("nowhere");
    let error = restore(&scene.path(), Some(&nowhere)).unwrap_err().to_string();
    assert!(error.contains("nowhere"), "{error}");
    assert!(!scene.has(CANARY));
}

#[tokio::test]
async fn the_last_few_backups_are_kept() {
    let scene = Scene::new();
    let store = scene.store(keys("a")).await.unwrap();
    assert_eq!(store.back_up().await.unwrap(), None, "there is nothing yet");
    let mut serials = Vec::new();
    for _ in 0..8 {
        fill(&store, 1, &secret()).await.unwrap();
        store.back_up().await.unwrap().unwrap();
        serials.push(store.load().await.unwrap().serial);
    }
    let kept: Vec<u64> = backups(&scene.path()).into_iter().map(|backup| backup.serial).collect();
    let newest: Vec<u64> = serials.into_iter().rev().take(5).collect();
    assert_eq!(kept, newest);
    for backup in backups(&scene.path()) {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(backup.path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

/// A file system of its own, as long as this lives.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None` where this process may not mount.
    fn mount(options: &str) -> Option<Disk> {
        let disk = Disk(tempfile::tempdir().unwrap());
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(disk.0.path())
            .output();
        mounted.is_ok_and(|ran| ran.status.success()).then_some(disk)
    }

    fn remount(&self, options: &str) {
        let ran = std::process::Command::new("mount").args(["-o", options]).arg(self.0.path()).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).output();
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_what_was_written_stays() {
    let Some(disk) = Disk::mount("size=600k") else { return };
    let path = disk.0.path().join("state.db");
    let open =
        || bimetal_state::open(Location::Sqlite(path.clone()), keys("a"), std::sync::Arc::new(scene::Clock::default()));
    let store = open().await.unwrap();
    fill(&store, 1, &secret()).await.unwrap();
    let before = store.load().await.unwrap();
    std::fs::write(disk.0.path().join("filler"), vec![0; 600 << 10]).unwrap_err();
    let said = [fill(&store, 50, &secret()).await.unwrap_err(), store.back_up().await.map(drop).unwrap_err()];
    for error in said {
        let error = error.to_string();
        assert!(error.contains("the disk is full") && error.contains("state.db"), "{error}");
    }
    std::fs::remove_file(disk.0.path().join("filler")).unwrap();
    assert_eq!(store.load().await.unwrap().objects, before.objects);
    store.back_up().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_disk_that_can_not_be_written_is_told() {
    let Some(disk) = Disk::mount("size=4m") else { return };
    let path = disk.0.path().join("state.db");
    let open =
        || bimetal_state::open(Location::Sqlite(path.clone()), keys("a"), std::sync::Arc::new(scene::Clock::default()));
    let store = open().await.unwrap();
    fill(&store, 1, &secret()).await.unwrap();
    drop(store);
    disk.remount("remount,ro");
    for error in [open().await.err().unwrap(), restore(&path, Some(&path)).unwrap_err()] {
        let error = error.to_string();
        assert!(error.contains("state.db`") && error.to_lowercase().contains("read-only"), "{error}");
    }
}

#[tokio::test]
async fn what_a_backup_does_not_know_is_named() {
    let scene = filled(keys("a"), &secret()).await;
    assert_eq!(restore(&scene.path(), None).unwrap().lost, Some(Vec::new()));
    let database = rusqlite::Connection::open(scene.path()).unwrap();
    let later = "INSERT INTO objects SELECT 'docker_volume.later', value, version FROM objects LIMIT 1";
    assert_eq!(database.execute(later, []).unwrap(), 1);
    drop(database);
    assert_eq!(restore(&scene.path(), None).unwrap().lost, Some(vec!["docker_volume.later".to_owned()]));
}
