//! Providers on their way: signed, published to a real registry, chosen by version, locked, mirrored, and taken by others.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bimetal_tests::notes::{Server, TOKEN, component};
use bimetal_tests::registry::LOGIN;
use bimetal_tests::{Bimetal, Lab, Registry};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// A registry, and where people find it.
struct Shop {
    registry: Registry,
    _lab: Lab,
}

impl Shop {
    fn open() -> Option<Shop> {
        let lab = Lab::start()?;
        Some(Shop { registry: Registry::start(&lab, "registry"), _lab: lab })
    }

    fn source(&self) -> String {
        format!("{}/team/notes", self.registry.name())
    }

    /// Publishes what lies in a folder.
    fn publish(&self, bimetal: &Bimetal, file: &str, version: &str, more: &[&str]) -> String {
        let target = format!("{}:{version}", self.source());
        bimetal.ok(&[&["plugin", "publish", file, &target, "--plain-http"], more].concat())
    }

    fn in_words(&self, text: &str) -> String {
        in_words(text, &self.registry.name())
    }
}

/// What differs from run to run, replaced.
fn in_words(text: &str, registry: &str) -> String {
    let text = text.replace(registry, "registry.example.org");
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("sha256:") {
        plain += &format!("{before}sha256:…");
        rest = after.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    plain + rest
}

/// How long a line is depends on where the registry is.
fn without_width(text: &str) -> String {
    let mut text = text.to_owned();
    while text.contains("^^") {
        text = text.replace("^^", "^");
    }
    text
}

fn configuration(registry: &str, required: &str) -> String {
    format!(
        r#"
bimetal {{
  required_providers {{
    notes = {{ {required} }}
  }}
  registry "{registry}" {{
    plain_http = true
  }}
}}

variable "url" {{
  type = string
}}

provider "notes" {{
  url   = var.url
  token = "{TOKEN}"
}}

resource "notes_note" "tea" {{
  topic = "tea"
  text  = "green"
}}
"#
    )
}

/// Somebody with a cache of their own.
fn person(configuration: &str, server: &Server) -> Bimetal {
    let mut bimetal = Bimetal::new(configuration);
    let cache = bimetal.folder().join(".home/.cache");
    bimetal.environment("XDG_CACHE_HOME", cache.display()).set("url", server.url());
    bimetal
}

/// Who makes the provider: their folder has these versions of it. Those before 1.10 don't ask to `DELETE`.
fn maker() -> Bimetal {
    let bimetal = Bimetal::new("");
    for version in ["1.2.0", "1.10.0", "2.0.0"] {
        let bytes = std::fs::read(component()).expect("it was built");
        // As long as it was.
        let stamp = format!("\"version\":{}", [" ", ""][version.len() - 5]) + &format!("\"{version}\"");
        let bytes = replaced(bytes, b"\"version\": \"0.1.0\"", stamp.as_bytes());
        let bytes = match version {
            "1.2.0" => replaced(bytes, b"\"DELETE\"", b"\"OPTION\""),
            _ => bytes,
        };
        std::fs::write(bimetal.folder().join(format!("{version}.wasm")), bytes).expect("our own folder");
    }
    bimetal
}

fn replaced(mut bytes: Vec<u8>, old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let places: Vec<_> = (0..=bytes.len() - old.len()).filter(|&at| bytes[at..].starts_with(old)).collect();
    assert!(!places.is_empty(), "the manifest says it");
    for at in places {
        bytes[at..at + old.len()].copy_from_slice(new);
    }
    bytes
}

fn lock(bimetal: &Bimetal) -> String {
    std::fs::read_to_string(bimetal.folder().join("bimetal.lock.hcl")).expect("a lock file")
}

/// The digest in the lock file.
fn digest(bimetal: &Bimetal) -> String {
    let lock = lock(bimetal);
    let line = lock.lines().find(|line| line.contains("sha256:")).expect("it is from a registry");
    line.split('"').nth(1).expect("a string").to_owned()
}

#[test]
fn a_provider_from_a_registry_is_chosen_locked_and_used_without_it() {
    let Some(shop) = Shop::open() else { return };
    let (server, maker) = (Server::start(), maker());
    let published = shop.publish(&maker, "1.2.0.wasm", "1.2.0", &[]);
    insta::assert_snapshot!(shop.in_words(&published), @r"
    Published notes 1.2.0 to registry.example.org/team/notes (not signed)
      sha256:…
    ");
    shop.publish(&maker, "1.10.0.wasm", "1.10.0", &[]);
    shop.publish(&maker, "2.0.0.wasm", "2.0.0", &[]);
    // Nobody publishes under a version that it is not.
    let wrong = format!("{}:3.0.0", shop.source());
    let error = maker.run(&["plugin", "publish", "2.0.0.wasm", &wrong, "--plain-http"]).failed();
    insta::assert_snapshot!(error, @r"
    error: this is `notes` 2.0.0, and not 3.0.0
     |
     = hint: the version stands in the component's manifest; publish it under that one
    ");

    let required = format!("source = \"{}\", version = \"~> 1.2\"", shop.source());
    let bimetal = person(&configuration(&shop.registry.name(), &required), &server);
    let error = bimetal.run(&["plan"]).failed();
    assert!(error.contains("provider `notes` is not locked yet"), "{error}");
    insta::assert_snapshot!(shop.in_words(&bimetal.ok(&["init"])), @r"
    notes 1.10.0
      from registry.example.org/team/notes
      may send GET, POST, PUT, DELETE requests to https://notes.example.org or what `url` of its provider block says (the API of the notes)
      may send POST, PUT, DELETE requests to https://notes.example.org or what `url` of its provider block says to open ephemeral values, in every plan (sessions of readers)
    ");
    insta::assert_snapshot!(shop.in_words(&lock(&bimetal)), @r#"
    # Written by `bimetal`. Keep it in version control.

    provider "notes" {
      source  = "registry.example.org/team/notes"
      version = "1.10.0"
      digest  = "sha256:…"
      grants = [
        "send GET, POST, PUT, DELETE requests to https://notes.example.org or what `url` of its provider block says (the API of the notes)",
        "send POST, PUT, DELETE requests to https://notes.example.org or what `url` of its provider block says to open ephemeral values, in every plan (sessions of readers)",
      ]
    }
    "#);
    let listed = bimetal.ok(&["providers", "list"]);
    let short = &digest(&bimetal)["sha256:".len()..][..12];
    insta::assert_snapshot!(shop.in_words(&listed).replace(short, "123456789abc"), @r"
    PROVIDER  VERSION  SOURCE                      DIGEST        SIGNED BY
    notes     1.10.0   registry.example.org/team/notes  123456789abc  -
    ");
    let schema = bimetal.ok(&["providers", "schema"]);
    insta::assert_snapshot!(schema, @r"
    notes
      provider: token, url
      resource notes_note: id, revision, text, topic
      ephemeral notes_session: reader, ticket
      function provider::notes::topic
    ");
    assert!(bimetal.ok(&["providers", "schema", "-json"]).contains("\"notes_note\""));

    // From now on nobody needs the registry.
    let name = shop.registry.name();
    drop(shop);
    bimetal.apply();
    assert_eq!(server.notes(), [("tea".to_owned(), "green".to_owned())]);
    bimetal.assert_settled();
    bimetal.ok(&["init"]);
    bimetal.ok(&["destroy", "--auto-approve"]);

    // But who has nothing yet needs it.
    let other = person(&configuration(&name, &required), &server);
    other.write("bimetal.lock.hcl", &lock(&bimetal));
    let error = other.run(&["plan"]).failed();
    insta::assert_snapshot!(in_words(&error, &name), @r#"
    error: provider `notes` 1.10.0 is not on this machine
      --> main.bm.hcl:20:1
       |
    20 | resource "notes_note" "tea" {
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing with the digest sha256:… is in the cache
       |
       = hint: `bimetal init` fetches it
    "#);
}

#[test]
fn a_tag_that_moved_is_refused() {
    let Some(shop) = Shop::open() else { return };
    let (server, maker) = (Server::start(), maker());
    shop.publish(&maker, "1.10.0.wasm", "1.10.0", &[]);
    let required = format!("source = \"{}\"", shop.source());
    let first = person(&configuration(&shop.registry.name(), &required), &server);
    first.ok(&["init"]);

    let bytes = std::fs::read(maker.folder().join("1.10.0.wasm")).expect("our own file");
    let other = replaced(bytes, b"the API of the notes", b"the API of my notes!");
    std::fs::write(maker.folder().join("other.wasm"), other).expect("our own folder");
    let target = format!("{}:1.10.0", shop.source());
    let error = maker.run(&["plugin", "publish", "other.wasm", &target, "--plain-http"]).failed();
    insta::assert_snapshot!(shop.in_words(&error), @r"
    error: `registry.example.org/team/notes` has another 1.10.0 already
     |
     = hint: who locked it would be stopped: publish a new version; `--force` writes it over
    ");
    shop.publish(&maker, "other.wasm", "1.10.0", &["--force"]);

    // Who has the locked one goes on with it; who has not takes no other.
    first.ok(&["init"]);
    let second = person(&configuration(&shop.registry.name(), &required), &server);
    second.write("bimetal.lock.hcl", &lock(&first));
    let error = second.run(&["init"]).failed();
    insta::assert_snapshot!(shop.in_words(&error), @r#"
    looking for provider `notes` in `registry.example.org/team/notes`
    error: `registry.example.org/team/notes` 1.10.0 is not the one that is locked any more
     --> main.bm.hcl:4:5
      |
    4 |     notes = { source = "registry.example.org/team/notes" }
      |     ^^^^^ the lock file says sha256:…, and the registry has sha256:… now
      |
      = hint: a version should never change: ask who makes it; `bimetal init --upgrade` takes the new one
    "#);
    assert!(error.contains(&digest(&first)), "{error}");
    assert_eq!(lock(&second), lock(&first));

    // It says otherwise why it wants what it wants: that is agreed to, or not.
    let error = second.run(&["init", "--upgrade", "-input=false"]).failed();
    assert!(error.contains("asks for more than 1.10.0 was granted"), "{error}");
    second.ok(&["init", "--upgrade", "--grant", "notes"]);
    assert_ne!(digest(&second), digest(&first));
}

#[test]
fn what_is_corrupt_or_comes_half_is_refused_and_nothing_is_kept_of_it() {
    let Some(shop) = Shop::open() else { return };
    let (server, maker) = (Server::start(), maker());
    shop.publish(&maker, "1.10.0.wasm", "1.10.0", &[]);
    let leak = Leak::in_front_of(shop.registry.socket());
    let required = format!("source = \"{}/team/notes\"", leak.address);
    let bimetal = person(&configuration(&leak.address.to_string(), &required), &server);

    leak.let_through(10_000);
    let error = bimetal.run(&["init"]).failed();
    insta::assert_snapshot!(in_words(&error, &leak.address.to_string()), @r#"
    looking for provider `notes` in `registry.example.org/team/notes`
    error: the registry `registry.example.org` can't be reached for `registry.example.org/team/notes:1.10.0`: end of file before message length reached
     --> main.bm.hcl:4:5
      |
    4 |     notes = { source = "registry.example.org/team/notes" }
      |     ^^^^^
    "#);
    assert!(!bimetal.folder().join("bimetal.lock.hcl").exists());

    leak.let_through(usize::MAX);
    let locked = person(&configuration(&leak.address.to_string(), &required), &server);
    locked.ok(&["init"]);
    let file = shop.registry.file(&digest(&locked));
    let whole = std::fs::read(&file).expect("it keeps it");
    let mut bytes = whole.clone();
    *bytes.last_mut().expect("some bytes") ^= 1;
    std::fs::write(&file, bytes).expect("our own registry");
    let error = bimetal.run(&["init"]).failed();
    insta::assert_snapshot!(in_words(&error, &leak.address.to_string()), @r#"
    looking for provider `notes` in `registry.example.org/team/notes`
    error: `registry.example.org/team/notes:1.10.0` should have the digest sha256:…, but has sha256:…
     --> main.bm.hcl:4:5
      |
    4 |     notes = { source = "registry.example.org/team/notes" }
      |     ^^^^^
    "#);
    assert!(!bimetal.folder().join("bimetal.lock.hcl").exists());

    std::fs::write(&file, whole).expect("our own registry");
    bimetal.ok(&["init"]);
    assert_eq!(lock(&bimetal), lock(&locked));
}

#[test]
fn a_registry_with_tls_wants_a_login() {
    let Some(lab) = Lab::start() else { return };
    let (server, maker) = (Server::start(), maker());
    let mut authority = String::new();
    let registry = Registry::guarded(&lab, "registry", |address| {
        let [root, certificate, key] = certificates(address);
        authority = root;
        [certificate, key]
    });
    let source = format!("{}/team/notes", registry.name());
    let plain = configuration(&registry.name(), &format!("source = \"{source}\""));
    let mut bimetal = person(&plain.replace("    plain_http = true\n", ""), &server);
    let error = bimetal.run(&["init"]).failed();
    assert!(error.contains("can't be reached") && error.to_lowercase().contains("certificate"), "{error}");

    let root = bimetal.write("root.pem", &authority);
    bimetal.environment("SSL_CERT_FILE", root.display());
    let error = bimetal.run(&["init"]).failed();
    insta::assert_snapshot!(in_words(&error, &registry.name()), @r#"
    looking for provider `notes` in `registry.example.org/team/notes`
    error: the registry `registry.example.org` does not show `team/notes` (tags): it isn't there, or needs a login
     --> main.bm.hcl:4:5
      |
    4 |     notes = { source = "registry.example.org/team/notes" }
      |     ^^^^^
      |
      = hint: log in with `docker login registry.example.org`, or set `username` and `password` for the registry
    "#);

    let config = bimetal.write("docker/config.json", &docker_login(&registry.name()));
    let folder = config.parent().expect("a folder").display().to_string();
    bimetal.environment("DOCKER_CONFIG", &folder);
    let target = format!("{source}:1.10.0");
    let publishing = [("DOCKER_CONFIG", &*folder), ("SSL_CERT_FILE", root.to_str().expect("our own path"))];
    maker.run_with(&publishing, &["plugin", "publish", "1.10.0.wasm", &target]).ok();
    bimetal.ok(&["init"]);
    bimetal.apply();
    assert_eq!(server.notes().len(), 1);
}

#[test]
fn an_upgrade_that_wants_more_is_agreed_to_or_not_done() {
    let Some(shop) = Shop::open() else { return };
    let (server, maker) = (Server::start(), maker());
    shop.publish(&maker, "1.2.0.wasm", "1.2.0", &[]);
    let required = format!("source = \"{}\", version = \"~> 1.2\"", shop.source());
    let bimetal = person(&configuration(&shop.registry.name(), &required), &server);
    bimetal.ok(&["init"]);
    let before = lock(&bimetal);
    shop.publish(&maker, "1.10.0.wasm", "1.10.0", &[]);
    bimetal.ok(&["init"]);
    assert_eq!(lock(&bimetal), before, "what is locked stays");

    for words in
        [&["init", "-upgrade", "-input=false"][..], &["init", "--upgrade"], &["providers", "lock", "--upgrade"]]
    {
        let error = bimetal.run(words).failed();
        assert!(error.contains("asks for more than 1.2.0 was granted"), "{error}");
        assert_eq!(lock(&bimetal), before);
    }
    insta::assert_snapshot!(shop.in_words(&bimetal.run(&["init", "--upgrade"]).failed()), @r"
    looking for provider `notes` in `registry.example.org/team/notes`
    error: provider `notes` 1.10.0 asks for more than 1.2.0 was granted
     |
     = note: it wants to send GET, POST, PUT, DELETE requests to https://notes.example.org or what `url` of its provider block says (the API of the notes); it wants to send POST, PUT, DELETE requests to https://notes.example.org or what `url` of its provider block says to open ephemeral values, in every plan (sessions of readers); no more: send GET, POST, PUT, OPTION requests to https://notes.example.org or what `url` of its provider block says (the API of the notes); no more: send POST, PUT, OPTION requests to https://notes.example.org or what `url` of its provider block says to open ephemeral values, in every plan (sessions of readers)
     = hint: `bimetal init --upgrade --grant notes` grants it; until then 1.2.0 stays locked
    ");
    let shown = bimetal.at_terminal(&["init", "--upgrade"], "no\n").failed();
    assert!(shown.contains("+ may send GET, POST, PUT, DELETE requests") && shown.contains("not approved"), "{shown}");
    assert_eq!(lock(&bimetal), before);
    bimetal.at_terminal(&["init", "--upgrade"], "yes\n").ok();
    assert!(lock(&bimetal).contains("\"1.10.0\""), "{}", lock(&bimetal));

    // A version that is not wanted any more is not used.
    bimetal.write("main.bm.hcl", &configuration(&shop.registry.name(), &required.replace("~> 1.2", "~> 2.0")));
    let error = bimetal.run(&["init"]).failed();
    insta::assert_snapshot!(shop.in_words(&error), @r#"
    looking for provider `notes` in `registry.example.org/team/notes`
    error: provider `notes` is locked in a version that is not wanted any more
     --> main.bm.hcl:4:5
      |
    4 |     notes = { source = "registry.example.org/team/notes", version = "~> 2.0" }
      |     ^^^^^ the lock file has 1.10.0, the configuration wants `~> 2.0`
      |
      = hint: `bimetal init --upgrade` chooses anew, and locks what it finds
    "#);
    let error = bimetal.run(&["init", "--upgrade"]).failed();
    insta::assert_snapshot!(shop.in_words(&error), @r#"
    looking for provider `notes` in `registry.example.org/team/notes`
    error: the registry has no version that fits `~> 2.0` of provider `notes`
     --> main.bm.hcl:4:5
      |
    4 |     notes = { source = "registry.example.org/team/notes", version = "~> 2.0" }
      |     ^^^^^ of `registry.example.org/team/notes`: the newest that there is is 1.10.0
      |
      = hint: see that `source` is right, or widen `version`
    "#);
}

#[test]
fn what_the_lock_file_leaves_out_is_not_had() {
    let Some(shop) = Shop::open() else { return };
    let (server, maker) = (Server::start(), maker());
    shop.publish(&maker, "1.10.0.wasm", "1.10.0", &[]);
    let required = format!("source = \"{}\"", shop.source());
    let bimetal = person(&configuration(&shop.registry.name(), &required), &server);
    bimetal.ok(&["init"]);
    bimetal.apply();
    let narrowed = lock(&bimetal).replace("GET, POST, PUT, DELETE", "GET, POST");
    bimetal.write("bimetal.lock.hcl", &narrowed);
    bimetal.assert_settled();
    let error = bimetal.run(&["destroy", "--auto-approve"]).failed();
    insta::assert_snapshot!(in_words(&error, &server.url()).lines().filter(|l| l.contains("granted")).collect::<Vec<_>>().join("\n"), @"error: notes_note.tea: provider `notes`: not granted: DELETE requests to registry.example.org (`bimetal.lock.hcl` grants it less than it asks for)");
    assert_eq!(server.notes().len(), 1);
    // Nothing gives it back unasked.
    bimetal.ok(&["init"]);
    bimetal.ok(&["init", "--upgrade"]);
    assert_eq!(lock(&bimetal), narrowed);

    bimetal.write("bimetal.lock.hcl", &narrowed.replace("GET, POST", "GET, PATCH"));
    let error = bimetal.run(&["plan"]).failed();
    insta::assert_snapshot!(error, @r#"
    error: `bimetal.lock.hcl` grants provider `notes` what it does not ask for
      --> main.bm.hcl:20:1
       |
    20 | resource "notes_note" "tea" {
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^ it does not ask to send GET, PATCH requests to https://notes.example.org or what `url` of its provider block says (the API of the notes)
       |
       = hint: leave lines of `grants` out, or methods, origins and paths in them; `bimetal init --upgrade` writes them anew
    "#);
}

#[test]
fn a_mirror_is_all_that_is_needed() {
    let Some(shop) = Shop::open() else { return };
    let (server, maker) = (Server::start(), maker());
    shop.publish(&maker, "1.10.0.wasm", "1.10.0", &[]);
    let (name, required) = (shop.registry.name(), format!("source = \"{}\"", shop.source()));
    let first = person(&configuration(&name, &required), &server);
    first.ok(&["init"]);
    insta::assert_snapshot!(shop.in_words(&first.ok(&["providers", "mirror", "mirror"])), @"notes 1.10.0 registry.example.org/team/notes");
    drop(shop);

    let mirror = first.folder().join("mirror");
    let layout = mirror.join(name.replace(':', "+")).join("team/notes");
    let index = std::fs::read_to_string(layout.join("index.json")).expect("an OCI layout");
    assert!(index.contains("\"org.opencontainers.image.ref.name\": \"1.10.0\""), "{index}");
    assert!(layout.join("oci-layout").is_file());

    let mut second = person(&configuration(&name, &required), &server);
    second.environment("BIMETAL_PROVIDER_MIRROR", mirror.display());
    second.ok(&["init"]);
    assert_eq!(lock(&second), lock(&first));
    second.apply();
    assert_eq!(server.notes().len(), 1);

    // The user's own file says it as well.
    let third = person(&configuration(&name, &required), &server);
    third.write(".home/.config/bimetal/config.hcl", &format!("provider_mirror = \"{}\"\n", mirror.display()));
    third.ok(&["init"]);
    third.write("main.bm.hcl", &configuration(&name, &format!("{required}, version = \"~> 3.0\"")));
    let error = third.run(&["init", "--upgrade"]).failed();
    insta::assert_snapshot!(in_words(&error, &name), @r#"
    looking for provider `notes` in `registry.example.org/team/notes`
    error: the mirror has no version that fits `~> 3.0` of provider `notes`
     --> main.bm.hcl:4:5
      |
    4 |     notes = { source = "registry.example.org/team/notes", version = "~> 3.0" }
      |     ^^^^^ of `registry.example.org/team/notes`: the newest that there is is 1.10.0
      |
      = hint: see that `source` is right, or widen `version`
    "#);

    let blob = layout.join("blobs/sha256").join(digest(&first).trim_start_matches("sha256:"));
    std::fs::write(&blob, "evil").expect("our own mirror");
    let mut fourth = person(&configuration(&name, &required), &server);
    fourth.environment("BIMETAL_PROVIDER_MIRROR", mirror.display());
    let error = fourth.run(&["init"]).failed();
    assert!(error.contains("the mirror is damaged") && error.contains("its digest is"), "{error}");
}

#[test]
fn what_somebody_works_on_comes_before_what_is_locked_and_is_told() {
    let (server, maker) = (Server::start(), maker());
    let mut bimetal =
        person(&configuration("registry.example.org", "source = \"registry.example.org/team/notes\""), &server);
    let file: PathBuf = maker.folder().join("1.10.0.wasm");
    bimetal.environment("BIMETAL_PROVIDER_OVERRIDES", format!("notes={}", file.display()));
    let init = bimetal.run(&["init"]);
    let shown = init.stderr.replace(&maker.folder().display().to_string(), "/home/me");
    insta::assert_snapshot!(shown, @r"
    warning: provider `notes` is `/home/me/1.10.0.wasm`, and not the one that is locked
     |
     = note: it may do all that it asks for; `dev_overrides` or the environment says so


    Ready. `bimetal plan` shows what would be done.
    ");
    assert!(!bimetal.folder().join("bimetal.lock.hcl").exists(), "nothing was to be locked");
    let applied = bimetal.run(&["apply", "--auto-approve"]);
    assert!(applied.stderr.contains("and not the one that is locked"), "{applied}");
    assert_eq!(server.notes().len(), 1);
    let listed = bimetal.ok(&["providers", "list"]);
    assert!(listed.contains("(override)"), "{listed}");

    bimetal.environment("BIMETAL_PROVIDER_OVERRIDES", "");
    bimetal.write(
        ".home/.config/bimetal/config.hcl",
        &format!("dev_overrides {{\n  notes = \"{}\"\n}}\n", file.display()),
    );
    bimetal.assert_settled();
    bimetal.write(".home/.config/bimetal/config.hcl", "dev_override {}\n");
    let error = bimetal.run(&["plan"]).failed();
    assert!(error.contains("`dev_override` does not belong there"), "{error}");
}

#[test]
fn who_signed_it_is_checked_and_locked() {
    let Some(shop) = Shop::open() else { return };
    let (server, maker) = (Server::start(), maker());
    let key = maker.ok(&["plugin", "keygen"]).trim().to_owned();
    let other = maker.ok(&["plugin", "keygen", "other.key"]).trim().to_owned();
    assert!(key.starts_with("RW") && key.len() == 56, "{key}");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(maker.folder().join("provider.key")).expect("it was made").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let error = maker.run(&["plugin", "keygen"]).failed();
    assert!(error.contains("File exists"), "{error}");

    let required = |keys: &str| format!("source = \"{}\", version = \"~> 1.2\", signed_by = [{keys}]", shop.source());
    let wanted = |keys: &str| configuration(&shop.registry.name(), &required(keys));
    let bimetal = person(&wanted(&format!("\"{key}\"")), &server);
    let plain = |text: &str| {
        let text = shop.in_words(text).replace(&key, "RWkey").replace(&other, "RWother");
        // How much of a key is left of a line that is cut is nobody's business.
        let cut = |line: &str| match line.split_once("signed_by = [\"") {
            Some((before, _)) if line.ends_with("...") => format!("{before}signed_by = …\n"),
            _ => format!("{line}\n"),
        };
        text.lines().map(cut).collect::<String>()
    };

    shop.publish(&maker, "1.2.0.wasm", "1.2.0", &[]);
    insta::assert_snapshot!(plain(&bimetal.run(&["init"]).failed()), @r#"
    looking for provider `notes` in `registry.example.org/team/notes`
    error: provider `notes` is not signed
     --> main.bm.hcl:4:5
      |
    4 |     notes = { source = "registry.example.org/team/notes", version = "~> 1.2", signed_by = …
      |     ^^^^^ the configuration wants it signed by RWkey
      |
      = hint: get it from who makes it, or leave `signed_by` out to take it unsigned
    "#);

    // Signed later, it is the same component.
    maker.ok(&["plugin", "sign", "1.2.0.wasm", "-key=other.key"]);
    shop.publish(&maker, "1.2.0.wasm", "1.2.0", &[]);
    let error = plain(&bimetal.run(&["init"]).failed());
    insta::assert_snapshot!(without_ids(&error), @r#"
    looking for provider `notes` in `registry.example.org/team/notes`
    error: provider `notes` is signed with another key
     --> main.bm.hcl:4:5
      |
    4 |     notes = { source = "registry.example.org/team/notes", version = "~> 1.2", signed_by = …
      |     ^^^^^ with the key with the id …; the configuration wants it signed by RWkey
      |
      = hint: if its makers have a new key, add that to `signed_by`: ask them, and not the registry
    "#);

    let signed = maker.ok(&["plugin", "sign", "1.2.0.wasm", "--key", "provider.key"]);
    insta::assert_snapshot!(signed, @"Signed notes 1.2.0: `1.2.0.wasm.minisig`");
    shop.publish(&maker, "1.2.0.wasm", "1.2.0", &[]);
    insta::assert_snapshot!(plain(&bimetal.ok(&["init"])), @r"
    notes 1.2.0
      from registry.example.org/team/notes
      signed by RWkey
      may send GET, POST, PUT, OPTION requests to https://notes.example.org or what `url` of its provider block says (the API of the notes)
      may send POST, PUT, OPTION requests to https://notes.example.org or what `url` of its provider block says to open ephemeral values, in every plan (sessions of readers)
    ");
    assert!(lock(&bimetal).contains(&format!("signed_by = \"{key}\"")), "{}", lock(&bimetal));
    bimetal.apply();

    // Another's signature beside this component.
    std::fs::copy(maker.folder().join("1.2.0.wasm.minisig"), maker.folder().join("1.10.0.wasm.minisig"))
        .expect("our own");
    shop.publish(&maker, "1.10.0.wasm", "1.10.0", &[]);
    let error = plain(&bimetal.run(&["init", "--upgrade"]).failed());
    insta::assert_snapshot!(without_ids(&error), @r#"
    looking for provider `notes` in `registry.example.org/team/notes`
    error: the signature of provider `notes` is wrong
     --> main.bm.hcl:4:5
      |
    4 |     notes = { source = "registry.example.org/team/notes", version = "~> 1.2", signed_by = …
      |     ^^^^^ the component is not what the key with the id … signed
      |
      = hint: it was changed after it was signed, or the signature is another one's: don't use it
    "#);

    // Who is not trusted any more.
    bimetal.write("main.bm.hcl", &wanted(&format!("\"{other}\"")));
    insta::assert_snapshot!(plain(&bimetal.run(&["plan"]).failed()), @r#"
    error: provider `notes` is not locked with a signature that the configuration wants
      --> main.bm.hcl:20:1
       |
    20 | resource "notes_note" "tea" {
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = hint: `bimetal init` checks who signed it
    "#);
    bimetal.write("main.bm.hcl", &wanted("\"RWbanana\""));
    insta::assert_snapshot!(plain(&bimetal.run(&["plan"]).failed()), @r#"
    error: `RWbanana` can't be a key of provider `notes`
     --> main.bm.hcl:4:5
      |
    4 |     notes = { source = "registry.example.org/team/notes", version = "~> 1.2", signed_by = ["RWbanana"] }
      |     ^^^^^ it is no public key of minisign's, which begin with `RW`
    "#);
}

#[test]
fn a_file_has_its_signature_beside_it() {
    let (server, maker) = (Server::start(), maker());
    let key = maker.ok(&["plugin", "keygen"]).trim().to_owned();
    maker.ok(&["plugin", "sign", "1.10.0.wasm", "--key", "provider.key"]);
    let required = format!("path = \"./notes.wasm\", signed_by = [\"{key}\"]");
    let bimetal = person(&configuration("registry.example.org", &required), &server);
    let copy = |from: &str, to: &str| {
        std::fs::copy(maker.folder().join(from), bimetal.folder().join(to)).expect("our own folders");
    };
    copy("1.10.0.wasm", "notes.wasm");
    let error = bimetal.run(&["init"]).failed();
    assert!(error.contains("provider `notes` is not signed"), "{error}");
    copy("1.10.0.wasm.minisig", "notes.wasm.minisig");
    bimetal.ok(&["init"]);
    assert!(lock(&bimetal).contains(&key), "{}", lock(&bimetal));
    bimetal.apply();
    assert_eq!(server.notes().len(), 1);
}

/// The ids of keys are random.
fn without_ids(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("the id ") {
        plain += &format!("{before}the id …");
        rest = after.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    plain + rest
}

#[test]
fn an_image_that_is_locked_moves_when_somebody_says_so() {
    use bimetal_tests::image::images;
    use xtask::web::Platform::{Amd64, Arm64};
    let Some(shop) = Shop::open() else { return };
    let name = shop.registry.name();
    let first = shop.registry.push("web", "stable", &images(&[Amd64], "first"));
    let other = shop.registry.push("web", "other", &images(&[Amd64], "other"));
    let bimetal = Bimetal::new(&format!("bimetal {{\n  registry \"{name}\" {{\n    plain_http = true\n  }}\n}}\n"));
    let block = |tag: &str, digest: &str| {
        format!("\nimage \"{name}/web:{tag}\" {{\n  digest = \"{digest}\"\n  platforms = {{\n  }}\n}}\n")
    };
    bimetal.write("bimetal.lock.hcl", &(block("other", &other) + &block("stable", &first)));
    bimetal.ok(&["lock", "update", "images"]);
    let before = lock(&bimetal);
    assert!(before.contains("\"linux/amd64\" = "), "{before}");

    let second = shop.registry.push("web", "stable", &images(&[Amd64, Arm64], "second"));
    shop.registry.push("web", "other", &images(&[Arm64], "second"));
    bimetal.ok(&["init"]);
    assert_eq!(lock(&bimetal), before, "what is locked stays");
    let shown = bimetal.ok(&["lock", "update", "images", &format!("{name}/web:stable")]);
    let short = |digest: &str| digest["sha256:".len()..][..12].to_owned();
    assert!(shown.contains(&short(&first)) && shown.contains(&short(&second)), "{shown}");
    assert!(shown.contains("+ linux/arm64 ") && !shown.contains("other"), "{shown}");
    assert!(lock(&bimetal).contains(&second) && lock(&bimetal).contains(&other), "{}", lock(&bimetal));

    let with_gone = lock(&bimetal) + &block("gone", &first);
    bimetal.write("bimetal.lock.hcl", &with_gone);
    let error = bimetal.run(&["lock", "update", "images"]).failed();
    assert!(error.contains("web:gone"), "{error}");
    assert!(lock(&bimetal).contains(&other), "nothing is written where something is wrong");
}

/// A module that says which one it is, pushed as an artifact with one layer: by the registry's own API, as any client does.
fn push_module(registry: &Registry, tag: &str, text: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("our own folder");
    std::fs::create_dir(folder.path().join("web")).expect("our own folder");
    write("web/main.bm.hcl", &format!("output \"text\" {{\n  value = \"{text}\"\n}}\n"));
    write("empty", "{}");
    let run = |program: &str, words: &[&str]| {
        let mut command = std::process::Command::new(program);
        let output = command.args(words).current_dir(folder.path()).output();
        let output = output.unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
        assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    run("tar", &["czf", "layer", "web"]);
    let login = format!("{}:{}", LOGIN.0, LOGIN.1);
    let send = |words: &[&str]| run("curl", &[&["-sS", "--fail", "--insecure", "-u", &login], words].concat());
    let base = format!("https://{}/v2/team/web", registry.name());
    let described = ["empty", "layer"].map(|name| {
        let sum = run("sha256sum", &[name]);
        let digest = format!("sha256:{}", sum.split(' ').next().expect("a sum"));
        let begun = send(&["-X", "POST", "-D", "-", "-o", "/dev/null", &format!("{base}/blobs/uploads/")]);
        let header = |line: &str| {
            Some(line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("location"))?.1.trim().to_owned())
        };
        let place = begun.lines().find_map(header).expect("it says where");
        let binary = "content-type: application/octet-stream";
        send(&["-X", "PUT", "-H", binary, "--data-binary", &format!("@{name}"), &format!("{place}&digest={digest}")]);
        let size = std::fs::metadata(folder.path().join(name)).expect("our own file").len();
        (digest, size)
    });
    let [(config, config_size), (layer, layer_size)] = described;
    let media = "application/vnd.oci.image.manifest.v1+json";
    write(
        "manifest",
        &format!(
            "{{\"schemaVersion\":2,\"mediaType\":\"{media}\",\"artifactType\":\"application/vnd.example.module\",\"config\":\
             {{\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"digest\":\"{config}\",\"size\":{config_size}}},\"layers\":\
             [{{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"{layer}\",\"size\":{layer_size}}}]}}"
        ),
    );
    let kind = format!("content-type: {media}");
    send(&["-X", "PUT", "-H", &kind, "--data-binary", "@manifest", &format!("{base}/manifests/{tag}")]);
}

#[test]
fn a_module_from_a_registry_is_chosen_locked_and_used_without_it() {
    let Some(lab) = Lab::start() else { return };
    let server = Server::start();
    let mut authority = String::new();
    let registry = Registry::guarded(&lab, "registry", |address| {
        let [root, certificate, key] = certificates(address);
        authority = root;
        [certificate, key]
    });
    let name = registry.name();
    let calling = |login: &str, source: &str, version: &str| {
        format!(
            "bimetal {{\n  registry \"{name}\" {{\n{login}  }}\n}}\n\nlocals {{\n  who = \"{}\"\n}}\n\nmodule \"web\" {{\n  source \
             = \"oci://{name}/team/web{source}//web\"\n{version}}}\n\noutput \"text\" {{\n  value = module.web.text\n}}\n",
            LOGIN.0
        )
    };
    let version = "  version = \"~> 1.0\"\n";
    let mut bimetal = person(&calling("", "", version), &server);
    let root = bimetal.write("root.pem", &authority);
    push_module(&registry, "1.0.0", "one");
    push_module(&registry, "1.9.0", "nine");
    push_module(&registry, "v1.10.0", "ten");
    push_module(&registry, "2.0.0", "two");
    let plain = bimetal.run(&["init"]).failed();
    assert!(plain.to_lowercase().contains("certificate"), "{plain}");
    bimetal.environment("SSL_CERT_FILE", root.display());
    insta::assert_snapshot!(without_width(&in_words(&bimetal.run(&["init"]).failed(), &name)), @r#"
    fetching `oci://registry.example.org/team/web`
    error: the registry `registry.example.org` does not show `team/web` (tags): it isn't there, or needs a login
      --> main.bm.hcl:11:12
       |
    11 |   source = "oci://registry.example.org/team/web//web"
       |            ^
       |
       = hint: log in with `docker login registry.example.org`, or set `username` and `password` for the registry
    "#);

    let login = format!("    username = local.who\n    password = \"{}\"\n", LOGIN.1);
    bimetal.write("main.bm.hcl", &calling(&login, "", version));
    insta::assert_snapshot!(in_words(&bimetal.ok(&["init"]), &name), @"oci://registry.example.org/team/web 1.10.0, sha256:…");
    insta::assert_snapshot!(in_words(&lock(&bimetal), &name), @r#"
    # Written by `bimetal`. Keep it in version control.

    module "oci://registry.example.org/team/web" {
      wanted    = "~> 1.0"
      version   = "1.10.0"
      reference = "v1.10.0"
      hash      = "sha256:…"
    }
    "#);
    bimetal.apply();
    assert_eq!(bimetal.output("text"), "ten");

    // A tag that moved is refused, also where the module is here.
    push_module(&registry, "v1.10.0", "evil");
    insta::assert_snapshot!(without_width(&in_words(&bimetal.run(&["init"]).failed(), &name)), @r#"
    fetching `oci://registry.example.org/team/web`
    error: `oci://registry.example.org/team/web` holds something else than what is locked
      --> main.bm.hcl:13:12
       |
    13 |   source = "oci://registry.example.org/team/web//web"
       |            ^ the lock file says sha256:…, and what is there has sha256:…
       |
       = hint: ask who keeps it what happened; `bimetal init --upgrade` takes what is there now
    "#);
    push_module(&registry, "1.11.0", "eleven");
    let shown = bimetal.ok(&["lock", "update", "modules"]);
    assert!(shown.contains("1.10.0 -> 1.11.0"), "{shown}");
    bimetal.apply();
    assert_eq!(bimetal.output("text"), "eleven");

    // By its tag, and by Docker's login.
    bimetal.write("main.bm.hcl", &calling("", ":2.0.0", ""));
    let config = bimetal.write("docker/config.json", &docker_login(&name));
    bimetal.environment("DOCKER_CONFIG", config.parent().expect("a folder").display());
    bimetal.ok(&["init"]);

    // From now on nobody needs the registry.
    drop(registry);
    bimetal.apply();
    assert_eq!(bimetal.output("text"), "two");
    bimetal.assert_settled();
    let gone = bimetal.run(&["init"]).failed();
    assert!(gone.contains("can't be reached"), "{gone}");
}

fn docker_login(registry: &str) -> String {
    // `operator:hunter2-registry`
    assert_eq!(LOGIN, ("operator", "hunter2-registry"));
    format!("{{\"auths\":{{\"{registry}\":{{\"auth\":\"b3BlcmF0b3I6aHVudGVyMi1yZWdpc3RyeQ==\"}}}}}}")
}

/// An authority, and a server's certificate of it with its key.
fn certificates(address: Ipv4Addr) -> [String; 3] {
    let key = || KeyPair::generate().expect("a key");
    let (authority_key, server_key) = (key(), key());
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).expect("an authority");
    let issuer = Issuer::new(authority, authority_key);
    let server = CertificateParams::new(vec![address.to_string()]).expect("a name");
    let server = server.signed_by(&server_key, &issuer).expect("a certificate");
    [root.pem(), server.pem(), server_key.serialize_pem()]
}

/// What stands between a registry and people, and loses what is too much of an answer.
struct Leak {
    address: SocketAddr,
    most: Arc<AtomicUsize>,
}

impl Leak {
    fn in_front_of(registry: SocketAddr) -> Leak {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let most = Arc::new(AtomicUsize::new(usize::MAX));
        let shared = most.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let most = shared.clone();
                std::thread::spawn(move || pass(stream, registry, most.load(Ordering::SeqCst)));
            }
        });
        Leak { address, most }
    }

    fn let_through(&self, bytes: usize) {
        self.most.store(bytes, Ordering::SeqCst);
    }
}

/// One request without a body, and so much of its answer.
fn pass(stream: TcpStream, registry: SocketAddr, most: usize) -> Option<()> {
    let mut reader = BufReader::new(&stream);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim_end().is_empty() {
            break;
        }
        head += &line;
    }
    let mut server = TcpStream::connect(registry).ok()?;
    server.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).ok()?;
    let mut answer = Vec::new();
    server.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut answer).ok()?;
    (&stream).write_all(&answer).ok()
}
