//! Commits and tags that have to be signed.

use std::process::Command;

use bimetal_sources::Ask;
use bimetal_sources::trust::{Pattern, Signatures, Signers};

use crate::history::History;
use crate::world::{World, run};

/// A key of its own for each name, and the history set up to sign with it.
fn signers(world: &World, history: &History, name: &str) -> Signers {
    let key = world.path(name);
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&key));
    history.git(&["config", "gpg.format", "ssh"]);
    history.git(&["config", "user.signingKey", &key.display().to_string()]);
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    Signers::Ssh(format!("alice@example.org {public}"))
}

fn need(world: &mut World, signatures: Signatures) {
    world.trust.signatures = vec![(Pattern::new("**"), signatures)];
}

fn said(world: &World, source: &str) -> String {
    let said = world.said(&world.get(source));
    let is_id = |word: &&str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lines = said.lines().filter(|line| !line.contains("SHA256:"));
    // Ids of what is signed differ from run to run.
    lines
        .map(|line| line.split(' ').find(is_id).map_or(line.to_owned(), |id| line.replace(id, "COMMIT")))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn commits_have_to_be_signed_where_that_is_asked() {
    let mut world = World::new();
    let history = world.history("web");
    history.commit_file("a", "unsigned");
    let alice = signers(&world, &history, "alice");
    history.git(&["checkout", "--quiet", "-b", "signed"]);
    history.git(&["commit", "--quiet", "--allow-empty", "-S", "-m", "signed"]);
    history.git(&["checkout", "--quiet", "-b", "stranger"]);
    signers(&world, &history, "mallory");
    history.git(&["commit", "--quiet", "--allow-empty", "-S", "-m", "signed by somebody else"]);
    need(&mut world, Signatures::Commits(alice));
    let url = history.url();
    let signed = world.get(&format!("{url}?ref=signed")).unwrap();
    let refused = ["main", "stranger"].map(|branch| said(&world, &format!("{url}?ref={branch}")));
    insta::assert_snapshot!(refused.join("\n\n"), @"
    commit COMMIT of `git::file://WORLD/served/web?ref=main` is not signed by anybody who is trusted
    it has no signature
    hint: ask who keeps the repository; the `signed` block says whose signatures count

    commit COMMIT of `git::file://WORLD/served/web?ref=stranger` is not signed by anybody who is trusted
    No principal matched.
    hint: ask who keeps the repository; the `signed` block says whose signatures count
    ");
    // What is in the cache is asked again: whom to trust may have changed since.
    need(&mut world, Signatures::Commits(Signers::Ssh(String::new())));
    assert!(world.fetch(&format!("{url}?ref=signed"), None, Some(&signed.locked), Ask::Nobody).is_err());
    need(&mut world, Signatures::None);
    assert!(world.fetch(&format!("{url}?ref=signed"), None, Some(&signed.locked), Ask::Nobody).is_ok());
}

#[test]
fn tags_have_to_be_signed_where_that_is_asked() {
    let mut world = World::new();
    let history = world.history("web");
    history.commit_file("a", "first");
    let alice = signers(&world, &history, "alice");
    history.git(&["tag", "--sign", "-m", "signed", "v1.0.0"]);
    history.git(&["tag", "plain"]);
    history.tag("unsigned");
    // The signed one under another name: the latest version, says who keeps the server.
    let object = history.git(&["rev-parse", "v1.0.0"]);
    history.git(&["update-ref", "refs/tags/v2.0.0", &object]);
    need(&mut world, Signatures::Tags(alice));
    let url = history.url();
    let signed = world.fetch(&url, Some("~> 1.0"), None, Ask::WhereMissing).unwrap();
    let refused = ["main", "plain", "unsigned", "v2.0.0"].map(|name| said(&world, &format!("{url}?ref={name}")));
    insta::assert_snapshot!(refused.join("\n\n"), @"
    `git::file://WORLD/served/web?ref=main` has no tag that is signed
    what is wanted is no tag
    hint: name a signed tag in `ref` or `version`

    `git::file://WORLD/served/web?ref=plain` has no tag that is signed
    `plain` is no tag with a signature, only a name
    hint: name a signed tag in `ref` or `version`

    tag `unsigned` of `git::file://WORLD/served/web?ref=unsigned` is not signed by anybody who is trusted
    error: no signature found
    hint: ask who keeps the repository; the `signed` block says whose signatures count

    `git::file://WORLD/served/web?ref=v2.0.0` has no tag that is signed
    what is signed there is not tag `v2.0.0` of commit COMMIT
    hint: name a signed tag in `ref` or `version`
    ");
    std::fs::rename(&history.folder, world.path("gone")).unwrap();
    assert_eq!(world.fetch(&url, Some("~> 1.0"), Some(&signed.locked), Ask::WhereMissing), Ok(signed));
}

#[test]
fn a_tag_that_was_signed_anew_is_fetched_anew() {
    let mut world = World::new();
    let history = world.history("web");
    history.commit_file("a", "first");
    signers(&world, &history, "mallory");
    history.git(&["tag", "--sign", "-m", "signed", "v1.0.0"]);
    let alice = signers(&world, &history, "alice");
    need(&mut world, Signatures::Tags(alice));
    let source = format!("{}?ref=v1.0.0", history.url());
    assert!(said(&world, &source).contains("is not signed by anybody who is trusted"));
    history.git(&["tag", "--sign", "--force", "-m", "signed", "v1.0.0"]);
    assert!(world.get(&source).is_ok(), "{}", said(&world, &source));
}

#[test]
fn a_signature_of_another_kind_is_none() {
    let mut world = World::new();
    let history = world.history("web");
    let gnupg = world.path("gnupg");
    std::fs::create_dir(&gnupg).unwrap();
    run(Command::new("chmod").arg("700").arg(&gnupg));
    let gpg = || {
        let mut command = Command::new("gpg");
        command.env("GNUPGHOME", &gnupg);
        command
    };
    run(gpg().args([
        "--batch",
        "--quiet",
        "--passphrase",
        "",
        "--quick-generate-key",
        "alice@example.org",
        "ed25519",
        "sign",
        "never",
    ]));
    history.commit_file("a", "first");
    history.git(&["config", "user.signingKey", "alice@example.org"]);
    run(history.command(&["commit", "--quiet", "--amend", "-S", "-m", "signed"]).env("GNUPGHOME", &gnupg));
    world.set("GNUPGHOME", gnupg.to_str().unwrap());
    need(&mut world, Signatures::Commits(Signers::OfGit));
    assert!(world.get(&history.url()).is_ok());
    // Keys of the user's own keyring are not those that are named.
    let keys = signers(&world, &history, "alice");
    need(&mut world, Signatures::Commits(keys));
    assert!(world.get(&history.url()).is_err());
    run(Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", &gnupg));
}
