//! What state and saved plans are sealed with, as people meet it; and that no secret is anywhere in clear.

use std::path::{Path, PathBuf};

use bimetal_tests::bimetal::KEY_FILE;
use bimetal_tests::{Bimetal, DigitalOcean, Lab, Ran};
use insta::assert_snapshot;
use serde_json::Value;

/// Of the tests of `age`.
const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

const SECRETIVE: &str = r#"
variable "token" {
  type      = string
  sensitive = true
}

output "token" {
  value     = var.token
  sensitive = true
}

output "greeting" {
  value = "hello"
}
"#;

const OPEN: &str = "output \"greeting\" {\n  value = \"hello\"\n}\n";

const TOKEN: &str = "hunter2-is-not-to-be-seen";

fn with_encryption(blocks: &str) -> String {
    format!("bimetal {{\n{blocks}\n}}\n{SECRETIVE}")
}

fn secretive(mut bimetal: Bimetal) -> Bimetal {
    bimetal.set("token", TOKEN);
    bimetal
}

fn opens(bimetal: &Bimetal) {
    assert_eq!(bimetal.ok(&["output", "token", "--raw"]), TOKEN);
}

/// What was said, with names of folders and numbers of backups that are always the same.
fn said(bimetal: &Bimetal, ran: &Ran) -> String {
    let root = bimetal.folder().canonicalize().expect("our own folder");
    let said = ran.stderr.replace(&root.display().to_string(), "ROOT");
    let said = said.replace(&bimetal.folder().display().to_string(), "ROOT");
    let mut parts = said.split("backup-");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "backup-N" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("our own folder").flatten() {
        match entry.path().is_dir() {
            true => files.extend(self::files(&entry.path())),
            false => files.push(entry.path()),
        }
    }
    files
}

fn assert_nowhere(bimetal: &Bimetal, secret: &str) {
    for file in files(bimetal.folder()) {
        let bytes = std::fs::read(&file).expect("our own file");
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", file.display());
    }
}

#[test]
fn without_a_key_what_is_not_sensitive_is_stored_and_nothing_is_made() {
    let bimetal = Bimetal::without_key(OPEN);
    bimetal.ok(&["plan", "--out", "saved"]);
    bimetal.ok(&["apply", "saved"]);
    assert_eq!(bimetal.ok(&["output", "greeting", "--raw"]), "hello");
    bimetal.write("main.bm.hcl", &OPEN.replace("hello", "hello again"));
    bimetal.apply();
    assert!(!bimetal.folder().join(KEY_FILE).exists());
    // A plan that is not sealed is believed by who has no key alone.
    bimetal.ok(&["plan", "--out", "saved"]);
    bimetal.ok(&["state", "new-key"]);
    let refused = bimetal.run(&["apply", "saved"]).failed();
    assert!(refused.contains("anybody could have written it"), "{refused}");
}

#[test]
fn without_a_key_what_is_sensitive_is_named_before_anything_is_done() {
    let bimetal = secretive(Bimetal::without_key(SECRETIVE));
    let planned = bimetal.run(&["plan"]);
    assert_eq!(planned.code, 0, "{planned}");
    let applied = bimetal.run(&["apply", "--auto-approve"]);
    let saved = bimetal.run(&["plan", "--out", "saved"]);
    assert_eq!((applied.code, saved.code), (1, 1), "{applied}\n{saved}");
    let all = [planned, applied, saved].map(|ran| said(&bimetal, &ran)).join("----\n");
    assert_snapshot!(all);
    assert!(!bimetal.folder().join("saved").exists());
    assert!(bimetal.ok(&["output", "--json"]).trim() == "{}");
    let made = bimetal.run(&["state", "new-key"]);
    assert_snapshot!(said(&bimetal, &made));
    let again = bimetal.run(&["state", "new-key"]);
    assert_eq!(again.code, 1, "{again}");
    assert!(again.stderr.contains("there already"), "{again}");
    bimetal.apply();
    opens(&bimetal);
    std::fs::remove_file(bimetal.folder().join(KEY_FILE)).expect("it was just made");
    let missing = bimetal.run(&["output"]);
    assert_eq!(missing.code, 1, "{missing}");
    assert_snapshot!(said(&bimetal, &missing));
    assert_nowhere(&bimetal, TOKEN);
}

#[test]
fn what_only_the_effect_tells_needs_a_key_as_well() {
    let machine = r#"
machine "baremetal" "a" {
  host          = "203.0.113.1"
  agent         = true
  platform      = "linux/amd64"
  engine_access = "ACCESS"
}
"#;
    let bimetal = Bimetal::without_key(&machine.replace("ACCESS", "mtls"));
    let warned = bimetal.run(&["plan"]);
    assert!(warned.stderr.contains("`machine.baremetal.a.certificate_not_after`"), "{warned}");
    let refused = bimetal.run(&["apply", "--auto-approve"]).failed();
    assert!(refused.contains("there is no key to seal it with") && refused.contains("new-key"), "{refused}");
    bimetal.write("main.bm.hcl", &machine.replace("ACCESS", "ssh"));
    let planned = bimetal.run(&["plan"]);
    assert!(planned.code == 0 && planned.stderr.is_empty(), "{planned}");
}

#[test]
fn a_passphrase_may_be_a_variable_and_is_stored_nowhere() {
    let passphrase = "correct horse battery staple";
    let block = "  encryption \"passphrase\" {\n    passphrase = local.passphrase\n  }";
    let configuration = with_encryption(block)
        + "variable \"passphrase\" {\n  type      = string\n  sensitive = true\n}\nlocals {\n  passphrase = var.passphrase\n}\n";
    let mut bimetal = secretive(Bimetal::without_key(&configuration));
    let given = [("BIMETAL_VAR_passphrase", passphrase)];
    let run = |bimetal: &Bimetal, words: &[&str]| bimetal.run_with(&given, words);
    run(&bimetal, &["plan", "--out", "saved"]).ok();
    // It is not in the plan that it opens: who does that gives it again.
    let missing = bimetal.run(&["apply", "saved"]);
    assert_eq!(missing.code, 1, "{missing}");
    assert_snapshot!(said(&bimetal, &missing));
    run(&bimetal, &["apply", "saved"]).ok();
    assert_eq!(run(&bimetal, &["output", "token", "--raw"]).ok(), TOKEN);
    let missing = bimetal.run(&["state", "list"]);
    assert_eq!(missing.code, 1, "{missing}");
    assert_snapshot!(said(&bimetal, &missing));
    let wrong = bimetal.run_with(&[("BIMETAL_VAR_passphrase", "hunter3")], &["show"]);
    assert!(wrong.code == 1 && wrong.stderr.contains("is not the one they were sealed with"), "{wrong}");
    assert!(!wrong.stderr.contains("hunter3"), "{wrong}");
    // Nor does it have to come from a variable.
    bimetal.environment("BIMETAL_STATE_PASSPHRASE", passphrase);
    opens(&bimetal);
    run(&bimetal, &["plan", "--out", "saved"]).ok();
    assert_nowhere(&bimetal, passphrase);
    assert_nowhere(&bimetal, TOKEN);
}

#[test]
fn keys_of_age_and_programs_seal_and_open() {
    let age =
        format!("  encryption \"age\" {{\n    recipients = [\"{RECIPIENT}\"]\n    identity   = \"~/age.txt\"\n  }}");
    let bimetal = secretive(Bimetal::without_key(&with_encryption(&age)));
    let identity = bimetal.write(".home/age.txt", &format!("# mine\n{IDENTITY}\n"));
    bimetal.apply();
    opens(&bimetal);
    std::fs::rename(&identity, identity.with_extension("away")).expect("our own file");
    let missing = bimetal.run(&["show"]).failed();
    assert!(missing.contains("age.txt") && missing.contains(RECIPIENT), "{missing}");
    std::fs::rename(identity.with_extension("away"), &identity).expect("our own file");

    let program = "  encryption \"command\" {\n    wrap   = [\"rev\"]\n    unwrap = [\"rev\"]\n  }";
    let old = age.replace("    identity", "    old        = true\n    identity");
    bimetal.write("main.bm.hcl", &with_encryption(&format!("{program}\n{old}")));
    bimetal.ok(&["state", "rekey"]);
    bimetal.write("main.bm.hcl", &with_encryption(program));
    opens(&bimetal);
    bimetal.write("main.bm.hcl", &with_encryption(&program.replace("unwrap = [\"rev\"]", "unwrap = [\"false\"]")));
    let failed = bimetal.run(&["show"]).failed();
    assert!(failed.contains("the program `false` failed"), "{failed}");
    assert_nowhere(&bimetal, TOKEN);
}

#[test]
fn a_state_turns_from_its_key_file_to_a_passphrase() {
    let mut bimetal = secretive(Bimetal::new(SECRETIVE));
    bimetal.apply();
    bimetal.environment("BIMETAL_STATE_PASSPHRASE", "correct horse");
    let done = bimetal.run(&["state", "rekey", "--new-key"]);
    assert_eq!(done.code, 0, "{done}");
    assert_snapshot!(said(&bimetal, &done));
    let file = bimetal.folder().join(KEY_FILE);
    std::fs::rename(&file, file.with_extension("old")).expect("our own file");
    opens(&bimetal);
    bimetal.assert_settled();
    // Back, with the old key said.
    bimetal.environment("BIMETAL_STATE_PASSPHRASE", "").environment("BIMETAL_STATE_KEY", "0f".repeat(32));
    let wrong = bimetal.run(&["state", "rekey"]).failed();
    assert!(wrong.contains("they open with a passphrase"), "{wrong}");
    let wrong = bimetal.run_with(&[("BIMETAL_STATE_OLD_PASSPHRASE", "wrong horse")], &["state", "rekey"]).failed();
    assert!(wrong.contains("the passphrase in `BIMETAL_STATE_OLD_PASSPHRASE` is not the one"), "{wrong}");
    bimetal.run_with(&[("BIMETAL_STATE_OLD_PASSPHRASE", "correct horse")], &["state", "rekey"]).ok();
    opens(&bimetal);
    assert_nowhere(&bimetal, TOKEN);
}

#[test]
fn a_saved_plan_that_was_altered_is_told() {
    let mut bimetal = secretive(Bimetal::new(SECRETIVE));
    bimetal.ok(&["plan", "--out", "saved"]);
    let saved = bimetal.folder().join("saved");
    let whole = std::fs::read(&saved).expect("it was just saved");
    for bytes in [whole[..whole.len() - 1].to_vec(), whole[..20].to_vec(), [&whole[..], b"x"].concat()] {
        std::fs::write(&saved, bytes).expect("our own file");
        let refused = bimetal.run(&["apply", "saved"]).failed();
        assert!(refused.contains("the saved plan") && refused.contains("cut short"), "{refused}");
    }
    std::fs::write(&saved, &whole).expect("our own file");
    bimetal.environment("BIMETAL_STATE_KEY", "0f".repeat(32));
    std::fs::remove_file(bimetal.folder().join(KEY_FILE)).expect("our own file");
    let refused = bimetal.run(&["apply", "saved"]).failed();
    assert!(refused.contains("`BIMETAL_STATE_KEY` is not the one"), "{refused}");
}

#[test]
fn a_broken_state_is_told_and_its_backup_is_put_back() {
    let bimetal = secretive(Bimetal::new(SECRETIVE));
    bimetal.apply();
    bimetal.write("more.bm.hcl", "output \"more\" {\n  value = 1\n}\n");
    bimetal.ok(&["plan", "--out", "saved"]);
    bimetal.ok(&["apply", "saved"]);
    let state = bimetal.folder().join(".bimetal/state.db");
    std::fs::write(&state, "broken").expect("our own file");
    let broken = bimetal.run(&["apply", "--auto-approve"]);
    assert_eq!(broken.code, 1, "{broken}");
    assert_snapshot!(said(&bimetal, &broken));
    let restored = bimetal.run(&["state", "restore"]);
    assert_eq!(restored.code, 0, "{restored}");
    assert_snapshot!(said(&bimetal, &restored));
    opens(&bimetal);
    // It was made before the last apply.
    assert!(!bimetal.ok(&["output"]).contains("more"));
    let done = bimetal.run(&["apply", "saved"]).failed();
    assert!(done.contains("the state went to another place, or back to a backup"), "{done}");
    bimetal.apply();
    bimetal.assert_settled();
    assert_nowhere(&bimetal, TOKEN);
}

#[test]
fn no_secret_is_in_any_byte_that_is_written_or_printed() {
    let Some(lab) = Lab::start() else { return };
    let cloud = DigitalOcean::start(&lab);
    let configuration = format!(
        r#"
bimetal {{
  registry "registry.example.org" {{
    username = "robot"
    password = var.registry_password
  }}
}}
variable "registry_password" {{
  type      = string
  sensitive = true
}}
variable "api_url" {{ type = string }}
variable "do_token" {{
  type      = string
  sensitive = true
}}
provider "digitalocean" {{
  token   = var.do_token
  api_url = var.api_url
}}
resource "digitalocean_tag" "mine" {{
  name = "mine"
}}
resource "digitalocean_vpc" "inside" {{
  name        = "inside"
  region      = "fra1"
  description = var.token
}}
{SECRETIVE}"#
    );
    let mut bimetal = secretive(Bimetal::new(&configuration));
    let secrets = [TOKEN, cloud.token(), "registry-hunter2"];
    bimetal.set("do_token", cloud.token()).set("api_url", cloud.url()).set("registry_password", secrets[2]);
    bimetal.environment("BIMETAL_LOG", "trace");
    let lines: [&[&str]; 14] = [
        &["plan"],
        &["plan", "--json"],
        &["plan", "--out", "saved"],
        &["show", "saved", "--json"],
        &["apply", "saved"],
        &["apply", "--auto-approve", "--json"],
        &["state", "list", "--json"],
        &["state", "show", "digitalocean_vpc.inside"],
        &["show", "--json"],
        &["output"],
        &["state", "rekey", "--new-key"],
        &["state", "rm", "digitalocean_tag.mine"],
        &["apply", "--auto-approve", "--var", "token=hunter2-is-not-to-be-seen-2"],
        &["destroy", "--auto-approve"],
    ];
    for words in lines {
        let ran = bimetal.run(words);
        for secret in secrets {
            assert!(!format!("{ran}").replace(&words.join(" "), "").contains(secret), "{words:?}: {secret}");
            assert_nowhere(&bimetal, secret);
            assert_nowhere(&bimetal, &encoded(secret));
        }
    }
    let backups = files(&bimetal.folder().join(".bimetal"));
    assert!(backups.iter().any(|file| file.display().to_string().contains("backup")), "{backups:?}");
}

/// As a careless program would hide it.
fn encoded(secret: &str) -> String {
    let bytes: Vec<Value> = secret.bytes().map(Value::from).collect();
    let text = Value::from(bytes).to_string();
    text.trim_matches(['[', ']']).to_owned()
}
