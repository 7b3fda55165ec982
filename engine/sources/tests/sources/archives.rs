//! Archives and artifacts, honest and hostile.

use std::fs;
use std::io::{Cursor, Write as _};

use bimetal_sources::trust::{Pattern, Signatures, Signers};
use bimetal_sources::{Ask, Layer, Locked};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};
use zip::write::SimpleFileOptions;

use crate::secure::SecureServer;
use crate::world::World;

fn packed(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Names are written as they are: `tar` itself would not write odd ones.
fn tar_of(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, content) in entries {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(if name.ends_with(".sh") { 0o755 } else { 0o600 });
        let is_file = *kind == EntryType::Regular;
        if !is_file {
            header.set_link_name_literal(content).unwrap();
        }
        header.set_size(if is_file { content.len() as u64 } else { 0 });
        header.set_cksum();
        builder.append(&header, if is_file { content.as_bytes() } else { &[] }).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Of a file that is to follow.
fn header(name: &str, kind: EntryType, size: u64) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn zip_of(entries: &[(&str, u32, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mode, content) in entries {
        let options = SimpleFileOptions::default().unix_permissions(*mode);
        match mode & 0o170_000 {
            0o120_000 => writer.add_symlink(*name, *content, options).unwrap(),
            _ => {
                writer.start_file(*name, options).unwrap();
                writer.write_all(content.as_bytes()).unwrap();
            }
        }
    }
    writer.finish().unwrap().into_inner()
}

const FILE: EntryType = EntryType::Regular;

#[test]
fn what_is_in_it_counts_and_not_what_it_is_packed_in() {
    let mut world = World::new();
    let history = world.history("web");
    history.write("web/main.bm.hcl", "x");
    history.write("run.sh", "y");
    std::os::unix::fs::symlink("web", history.folder.join("link")).unwrap();
    crate::world::run(std::process::Command::new("chmod").arg("+x").arg(history.folder.join("run.sh")));
    history.commit("first");
    let by_git = world.get(&history.url()).unwrap().locked;
    let server = SecureServer::open(&mut world);
    let tar = tar_of(&[
        ("./", EntryType::Directory, ""),
        ("./run.sh", FILE, "y"),
        ("./web/", EntryType::Directory, ""),
        ("./web/main.bm.hcl", FILE, "x"),
        ("./link", EntryType::Symlink, "web"),
        ("./empty/", EntryType::Directory, ""),
    ]);
    let zip = zip_of(&[("web/main.bm.hcl", 0o644, "x"), ("run.sh", 0o755, "y"), ("link", 0o120_777, "web")]);
    server.put("/web.tar.gz", packed(&tar));
    server.put("/web.zip", zip.clone());
    server.put("/download?id=7", packed(&tar));
    for source in ["/web.tar.gz//web", "/web.zip//link", "/download?id=7&archive=tgz"] {
        let package = world.get(&server.url(source)).unwrap();
        assert_eq!(package.locked.hash, by_git.hash, "{source}");
    }
    let digest =
        format!("sha256:{}", Sha256::digest(&zip).iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    *world.artifacts.0.lock().unwrap() =
        Some(("registry.example.org/web:1.0".to_owned(), Layer { bytes: zip, digest }));
    let artifact = world.get("oci://registry.example.org/web:1.0//web").unwrap();
    assert_eq!(fs::read_to_string(artifact.folder.join("main.bm.hcl")).unwrap(), "x");
    assert_eq!(artifact.locked.hash, by_git.hash);
}

#[test]
fn an_archive_that_changed_is_refused() {
    let mut world = World::new();
    let server = SecureServer::open(&mut world);
    let url = server.put("/web.tar.gz", packed(&tar_of(&[("a", FILE, "first")])));
    let locked = world.get(&url).unwrap().locked;
    server.put("/web.tar.gz", packed(&tar_of(&[("a", FILE, "second")])));
    // What is locked and here needs nobody.
    assert_eq!(world.fetch(&url, None, Some(&locked), Ask::Nobody).unwrap().locked, locked);
    world.forget();
    let changed = world.fetch(&url, None, Some(&locked), Ask::WhereMissing);
    let missing = world.said(&world.fetch(&url, None, Some(&locked), Ask::Nobody));
    insta::assert_snapshot!(format!("{}\n\n{missing}", world.said(&changed)), @"
    `https://SERVER/web.tar.gz` holds something else than what is locked
    the lock file says sha256:db9c4834b78ff91ffafc379ff350e8c5fabb9889905872ac0ac2a408e34a41b4, and what is there has sha256:01d5767aa2151f606b3bab0cb3d9748a74084cf6054cea54c1e01ab8a4fc08c8
    hint: ask who keeps it what happened; `bimetal init --upgrade` takes what is there now

    `https://SERVER/web.tar.gz` is not on this machine
    it is locked, and not in the cache
    hint: `bimetal init` fetches it
    ");
    assert_ne!(world.fetch(&url, None, Some(&locked), Ask::ForNewer).unwrap().locked, locked);
}

#[test]
fn hostile_archives_are_refused() {
    let mut world = World::new();
    let server = SecureServer::open(&mut world);
    let tars = [
        tar_of(&[("../evil", FILE, "x")]),
        tar_of(&[("/etc/evil", FILE, "x")]),
        tar_of(&[("a", EntryType::Symlink, "/tmp"), ("a/evil", FILE, "x")]),
        tar_of(&[("a", EntryType::Link, "/etc/passwd")]),
        tar_of(&[("a", EntryType::Char, "")]),
        tar_of(&[("a", EntryType::Fifo, "")]),
        tar_of(&[("a", FILE, "x"), ("A", FILE, "y")]),
        tar_of(&[("a", FILE, "x"), ("./a", FILE, "y")]),
        tar_of(&[(".git/hooks/", EntryType::Directory, "")]),
    ];
    let zips = [
        zip_of(&[("../evil", 0o644, "x")]),
        zip_of(&[("a\\..\\..\\evil", 0o644, "x")]),
        zip_of(&[("a", 0o120_777, "../evil")]),
        zip_of(&[("a", 0o644, "x"), ("./a", 0o644, "x")]),
        twice(&zip_of(&[("a", 0o644, "x"), ("b", 0o644, "y")])),
        b"PK\x05\x06".to_vec(),
        b"#!/bin/sh".to_vec(),
        packed(b"no tar at all"),
    ];
    let archives = tars.iter().map(|tar| packed(tar)).chain(zips);
    let said: Vec<String> = archives
        .map(|archive| {
            let said = world.said(&world.get(&server.put("/evil.zip", archive)));
            said.lines().nth(1).unwrap_or(&said).to_owned()
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    `../evil` has `..` in it, and would lie elsewhere
    `/etc/evil` is no relative path
    `a` is a link to `/tmp`, outside
    `a` is a hard link, which no module may have
    `a` is a device, and no file
    `a` is a device, and no file
    `A` and `a` are one file where case does not count
    `a` is there twice
    `.git/hooks` would be git's own folder, whose contents git runs
    `../evil` has `..` in it, and would lie elsewhere
    `a\\..\\..\\evil` has `..` in it, and would lie elsewhere
    `a` is a link to `../evil`, outside
    `./a` has `.` in it, and would lie elsewhere
    it has two files of one name
    it can't be unpacked: invalid Zip archive: Unexpected end of zip::format::blocks::Zip32CDEBlock
    it is neither a `.tar.gz` nor a `.zip` file
    it can't be unpacked: failed to read entire block
    ");
    let left = |folder: &str| fs::read_dir(world.path("cache/modules").join(folder)).into_iter().flatten().count();
    assert_eq!((left("trees"), left("aside")), (0, 0));
}

/// Calls the second file what the first one is called.
fn twice(zip: &[u8]) -> Vec<u8> {
    let mut zip = zip.to_vec();
    for header in [&b"PK\x03\x04"[..], b"PK\x01\x02"] {
        let at = zip.windows(4).rposition(|window| window == header).unwrap();
        let name = at + if header[2] == 3 { 30 } else { 46 };
        assert_eq!(zip[name], b'b');
        zip[name] = b'a';
    }
    zip
}

#[test]
fn bombs_do_not_go_off() {
    let mut world = World::new();
    let server = SecureServer::open(&mut world);
    let zeros = "\0".repeat(101 << 20);
    let zip = zip_of(&[("a", 0o644, &zeros)]);
    let tar = packed(&tar_of(&[("a", FILE, &zeros)]));
    // Names are read into memory.
    let name = packed(&header("././@LongLink", EntryType::GNULongName, zeros.len() as u64));
    let name = [name, packed(zeros.as_bytes())].concat();
    // Larger than any tree, of files that are small enough.
    let file = [packed(&header("a", FILE, 99 << 20)), packed(&zeros.as_bytes()[..99 << 20])].concat();
    let many = file.repeat(6);
    let size = [b"20 size=123456789012\n".to_vec(), vec![0; 491]].concat();
    let size = packed(&[header("x", EntryType::XHeader, 21), size, header("a", FILE, 0)].concat());
    assert!([&zip, &tar, &name, &many].iter().all(|bomb| bomb.len() < 8 << 20));
    let said: Vec<String> =
        [zip, tar, name, many, size].map(|archive| world.said(&world.get(&server.put("/bomb.tar.gz", archive)))).into();
    insta::assert_snapshot!(said.join("\n\n"), @"
    `https://SERVER/bomb.tar.gz` holds what no module may hold
    `a` is larger than 100 MiB, which no file of a module may be
    hint: if it is yours, take that out of it; if not, tell who keeps it

    `https://SERVER/bomb.tar.gz` holds what no module may hold
    `a` is larger than 100 MiB, which no file of a module may be
    hint: if it is yours, take that out of it; if not, tell who keeps it

    `https://SERVER/bomb.tar.gz` holds what no module may hold
    a header in it is larger than 64 KiB
    hint: if it is yours, take that out of it; if not, tell who keeps it

    `https://SERVER/bomb.tar.gz` holds what no module may hold
    it can't be unpacked: it unpacks to more than 512 MiB, which no module may
    hint: if it is yours, take that out of it; if not, tell who keeps it

    `https://SERVER/bomb.tar.gz` holds what no module may hold
    a header in it changes the size of a file
    hint: if it is yours, take that out of it; if not, tell who keeps it
    ");
}

#[test]
fn archives_come_over_tls_alone() {
    let mut world = World::new();
    let server = SecureServer::open(&mut world);
    let other = server.put("/web.zip", zip_of(&[("a", 0o644, "x")]));
    assert!(world.get(&server.redirect("/moved.zip", &other)).is_ok());
    let plain = world.said(&world.get(&server.redirect("/plain.zip", &other.replace("https", "http"))));
    let around = server.redirect("/round.zip", &server.url("/round.zip"));
    let around = world.said(&world.get(&around));
    let missing = world.said(&world.get(&server.url("/missing.zip")));
    world.authority = Some(
        reqwest::Certificate::from_der(
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.der(),
        )
        .unwrap(),
    );
    let stranger = world.said(&world.get(&other));
    insta::assert_snapshot!([plain, around, missing, stranger].join("\n\n"), @"
    `https://SERVER/plain.zip` can't be fetched: error following redirect
    URL scheme is not allowed

    `https://SERVER/round.zip` can't be fetched: error following redirect
    too many redirects

    `https://SERVER/missing.zip` can't be fetched: the server answers 404 Not Found
    hint: see that the URL is right, and that nobody needs to log in for it

    `https://SERVER/web.zip` can't be fetched: error sending request
    invalid peer certificate: BadSignature
    hint: if its authority is one of your own, name the file of that one's certificate in `SSL_CERT_FILE`
    ");
}

#[test]
fn a_layer_that_is_not_what_its_manifest_says_is_refused() {
    let world = World::new();
    let digest = format!("sha256:{}", "0".repeat(64));
    let layer = Layer { bytes: zip_of(&[("a", 0o644, "x")]), digest };
    *world.artifacts.0.lock().unwrap() = Some(("registry.example.org/web:1.0".to_owned(), layer));
    let said =
        ["web:1.0", "other:1.0"].map(|name| world.said(&world.get(&format!("oci://registry.example.org/{name}"))));
    insta::assert_snapshot!(said.join("\n\n"), @"
    the layer of `oci://registry.example.org/web:1.0` is not what its manifest says
    its digest should be sha256:0000000000000000000000000000000000000000000000000000000000000000, and is sha256:c1f524f8fea4a939fe2c35d7be29b766425d534242fde8d9ce33bcf1d7657b92

    `registry.example.org/other:1.0` is not in the registry
    ");
}

#[test]
fn only_sources_that_are_allowed_are_asked() {
    let mut world = World::new();
    world.trust.allowed_sources = Some(vec![Pattern::new("github.com/acme")]);
    let said = world.said(&world.get("https://example.org/web.zip"));
    insta::assert_snapshot!(said, @"
    `https://example.org/web.zip` is none of the sources that are allowed
    hint: see `allowed_sources` in the `bimetal` block
    ");
    assert!(world.busy.0.lock().unwrap().is_empty());
}

#[test]
fn a_version_chooses_among_the_tags_of_a_registry_and_a_tag_that_moved_is_refused() {
    let world = World::new();
    let put = |tag: &str, text: &str| {
        let bytes = zip_of(&[("main.bm.hcl", 0o644, text)]);
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let layer = Layer { bytes, digest: format!("sha256:{hash}") };
        *world.artifacts.0.lock().unwrap() = Some((format!("registry.example.org/web:{tag}"), layer));
    };
    let source = "oci://registry.example.org/web";
    let fetch = |locked: Option<&Locked>, ask| world.fetch(source, Some("~> 1.0"), locked, ask);
    put("1.2.0", "x");
    let taken = fetch(None, Ask::WhereMissing).unwrap();
    assert_eq!((taken.locked.version.as_deref(), taken.locked.reference.as_deref()), (Some("1.2.0"), Some("1.2.0")));
    assert_eq!(fetch(Some(&taken.locked), Ask::WhetherMoved), Ok(taken.clone()));

    // What is locked stays, and is not asked for; what is newer is taken where that is wanted.
    put("1.3.0", "y");
    assert_eq!(fetch(Some(&taken.locked), Ask::Nobody), Ok(taken.clone()));
    let newer = fetch(Some(&taken.locked), Ask::ForNewer).unwrap();
    assert_eq!(newer.locked.version.as_deref(), Some("1.3.0"));

    put("1.3.0", "evil");
    let moved = world.said(&fetch(Some(&newer.locked), Ask::WhetherMoved));
    assert!(moved.contains("`oci://registry.example.org/web` holds something else than what is locked"), "{moved}");
    put("2.0.0", "z");
    let none = world.said(&fetch(None, Ask::WhereMissing));
    assert!(none.contains("the newest that there is is 2.0.0"), "{none}");
}

#[test]
fn what_can_have_no_signature_is_refused_where_one_is_wanted() {
    let mut world = World::new();
    world.trust.signatures = vec![(Pattern::new("**"), Signatures::Commits(Signers::OfGit))];
    let said = ["https://example.org/web.zip", "oci://registry.example.org/web:1.0"]
        .map(|source| world.said(&world.get(source)))
        .join("\n\n");
    insta::assert_snapshot!(said, @"
    `https://example.org/web.zip` has no commit and no tag that could be signed
    a `signed` block of the `bimetal` block wants that
    hint: take it from a repository, or name in `signed` only what comes from some

    `oci://registry.example.org/web:1.0` has no commit and no tag that could be signed
    a `signed` block of the `bimetal` block wants that
    hint: take it from a repository, or name in `signed` only what comes from some
    ");
    assert!(world.busy.0.lock().unwrap().is_empty());
}
