//! Commands, files, host keys and forwarding, against a private `sshd`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bimetal_host::console::Console;
use bimetal_host::credentials::{Credentials, Secret};
use bimetal_host::fault::Code;
use bimetal_host::ssh::{Endpoint, quote};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::parts::{endpoint, sessions, sshd, unused_port};

pub(crate) fn credentials_of<const N: usize>(secrets: [(&str, String); N]) -> Arc<Credentials> {
    let credentials = Credentials::default();
    for (name, text) in secrets {
        credentials.put(name, Secret::new(text));
    }
    Arc::new(credentials)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_has_input_output_and_status() {
    let Some(sshd) = sshd() else { return };
    let (sessions, endpoint) = (sessions(sshd), endpoint(sshd, json!({})));
    let output = sessions.run(&endpoint, "cat; echo bad >&2; exit 3", Some(b"given")).await.unwrap();
    assert_eq!((output.status, output.stdout.as_str(), output.stderr.as_str()), (3, "given", "bad\n"));
    let output = sessions.run(&endpoint, "kill -9 $$", None).await.unwrap();
    assert_eq!(output.status, 137);
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_arrive_as_they_were() {
    let Some(sshd) = sshd() else { return };
    let (sessions, endpoint) = (sessions(sshd), endpoint(sshd, json!({})));
    let hostile = "a'b\"c $(id) `id` \\ \n; * ~ ! 🦀";
    let output = sessions.run(&endpoint, &format!("printf %s {}", quote(hostile).unwrap()), None).await.unwrap();
    assert_eq!(output.stdout, hostile);
}

#[tokio::test(flavor = "multi_thread")]
async fn input_that_nobody_reads_does_not_hang() {
    let Some(sshd) = sshd() else { return };
    let (sessions, endpoint) = (sessions(sshd), endpoint(sshd, json!({})));
    let output = sessions.run(&endpoint, "exit 4", Some(&vec![b'x'; 8 << 20])).await.unwrap();
    assert_eq!(output.status, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_never_stops_talking_is_stopped() {
    let Some(sshd) = sshd() else { return };
    let (sessions, endpoint) = (sessions(sshd), endpoint(sshd, json!({})));
    let fault = sessions.run(&endpoint, "yes", None).await.unwrap_err();
    assert_eq!(fault.code, Code::TooLarge);
    assert!(sessions.run(&endpoint, "true", None).await.is_ok());
}

/// The private `sshd` has `MaxSessions 4`.
#[tokio::test(flavor = "multi_thread")]
async fn more_commands_than_a_connection_takes() {
    let Some(sshd) = sshd() else { return };
    let (sessions, endpoint) = (sessions(sshd), endpoint(sshd, json!({})));
    let run = |number: usize| {
        let (sessions, endpoint) = (sessions.clone(), endpoint.clone());
        async move { sessions.run(&endpoint, &format!("sleep 0.2; echo {number}"), None).await }
    };
    let outputs = futures::future::join_all((0..60).map(run)).await;
    for (number, output) in outputs.into_iter().enumerate() {
        assert_eq!(output.unwrap().stdout.trim(), number.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_written_whole_or_not_at_all() {
    let Some(sshd) = sshd() else { return };
    let (sessions, endpoint) = (sessions(sshd), endpoint(sshd, json!({})));
    let path = sshd.path("made/it's \"here\"/file");
    assert_eq!(sessions.read_file(&endpoint, &path).await, Ok(None));
    let content: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    sessions.write_file(&endpoint, &path, 0o600, &content).await.unwrap();
    assert_eq!(sessions.read_file(&endpoint, &path).await.unwrap().as_deref(), Some(&content[..]));
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
    assert_eq!(mode & 0o7777, 0o600);
    sessions.write_file(&endpoint, &path, 0o644, b"").await.unwrap();
    assert_eq!(sessions.read_file(&endpoint, &path).await, Ok(Some(Vec::new())));
    let left: Vec<_> = std::fs::read_dir(std::path::Path::new(&path).parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file stays: {left:?}");
    sessions.remove_file(&endpoint, &path).await.unwrap();
    sessions.remove_file(&endpoint, &path).await.unwrap();
    assert_eq!(sessions.read_file(&endpoint, &path).await, Ok(None));
    // A folder can't be replaced by a file.
    let fault = sessions.write_file(&endpoint, "/proc/nothing/here", 0o600, b"x").await.unwrap_err();
    assert_eq!(fault.code, Code::Invalid, "{}", fault.message);
    assert_eq!(sessions.read_file(&endpoint, "relative").await.unwrap_err().code, Code::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_kinds_of_keys_let_in() {
    let Some(sshd) = sshd() else { return };
    for name in ["client", "rsa", "ecdsa"] {
        let endpoint = endpoint(sshd, json!({ "credential": { "$credential": name } }));
        assert_eq!(sessions(sshd).run(&endpoint, "echo in", None).await.unwrap().stdout, "in\n", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_does_not_help_says_why() {
    let Some(sshd) = sshd() else { return };
    for (name, words) in [("stranger", "authorized_keys"), ("locked", "encrypted with a passphrase")] {
        let endpoint = endpoint(sshd, json!({ "credential": { "$credential": name } }));
        let fault = sessions(sshd).run(&endpoint, "true", None).await.unwrap_err();
        assert!(fault.message.contains(words), "{}", fault.message);
        assert!(!fault.message.contains("PRIVATE"), "{}", fault.message);
    }
    let endpoint = endpoint(sshd, json!({ "credential": null }));
    let fault = sessions(sshd).run(&endpoint, "true", None).await.unwrap_err();
    assert!(fault.message.contains("there is no key to log in"), "{}", fault.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_lets_in() {
    let Some(sshd) = sshd() else { return };
    // The agent is found through the environment, which is one for all tests: this one asks in a process of its own.
    if std::env::var_os("BIMETAL_TEST_AGENT").is_some() {
        let endpoint = std::env::var("BIMETAL_TEST_AGENT").unwrap();
        assert_eq!(sessions(sshd).run(&endpoint, "echo in", None).await.unwrap().stdout, "in\n");
        return;
    }
    if !super::parts::have(&["ssh-agent", "ssh-add"]) {
        return;
    }
    let endpoint = endpoint(sshd, json!({ "credential": null, "agent": true }));
    let this = std::env::current_exe().unwrap();
    let script = format!("ssh-add -q {} && exec {} --exact ssh::an_agent_lets_in", sshd.path("client"), this.display());
    let output = tokio::process::Command::new("ssh-agent")
        .args(["sh", "-c", &script])
        .env("BIMETAL_TEST_AGENT", endpoint)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn host_keys_are_checked() {
    let Some(sshd) = sshd() else { return };
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("known_hosts").to_string_lossy().into_owned();
    let with = |check: &str| endpoint(sshd, json!({ "host_key": null, "host_key_check": check, "known_hosts": known }));
    let run = |endpoint: String| async move { sessions(sshd).run(&endpoint, "true", None).await };

    let fault = run(with("strict")).await.unwrap_err();
    assert!(fault.message.contains("is not known"), "{}", fault.message);
    run(with("accept-new")).await.unwrap();
    run(with("strict")).await.unwrap();

    let hashed = std::process::Command::new("ssh-keygen").args(["-q", "-H", "-f", &known]).status().unwrap();
    assert!(hashed.success() && std::fs::read_to_string(&known).unwrap().starts_with("|1|"));
    run(with("strict")).await.unwrap();

    let stranger = std::fs::read_to_string(sshd.folder.join("stranger.pub")).unwrap();
    std::fs::write(&known, format!("# changed\n[127.0.0.1]:{} {stranger}", sshd.port)).unwrap();
    for check in ["strict", "accept-new"] {
        let fault = run(with(check)).await.unwrap_err();
        assert!(fault.message.contains("has changed") && fault.message.contains("known_hosts:2"), "{}", fault.message);
    }
    run(with("off")).await.unwrap();
    let fault = run(endpoint(sshd, json!({ "host_key": stranger }))).await.unwrap_err();
    assert!(fault.message.contains("is not its `host_key`"), "{}", fault.message);
}

/// The private `sshd` has two keys and would show the other one first.
#[tokio::test(flavor = "multi_thread")]
async fn the_kind_of_key_that_is_known_is_asked_for() {
    let Some(sshd) = sshd() else { return };
    let known = tempfile::NamedTempFile::new().unwrap();
    let key = std::fs::read_to_string(sshd.folder.join("host-ecdsa.pub")).unwrap();
    std::fs::write(known.path(), format!("[127.0.0.1]:{} {key}", sshd.port)).unwrap();
    let endpoint = endpoint(sshd, json!({ "host_key": null, "known_hosts": known.path() }));
    let shown = sessions(sshd).host_key(&endpoint).await.unwrap();
    assert!(key.starts_with(&shown), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_key_is_shown_once_it_is_checked() {
    let Some(sshd) = sshd() else { return };
    let shown = sessions(sshd).host_key(&endpoint(sshd, json!({}))).await.unwrap();
    assert!(std::fs::read_to_string(sshd.folder.join("host.pub")).unwrap().starts_with(&shown), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bastion_leads_on() {
    let Some(sshd) = sshd() else { return };
    let sessions = sessions(sshd);
    let bastion = |port: u16| {
        let bastion: serde_json::Value = serde_json::from_str(&endpoint(sshd, json!({}))).unwrap();
        // Through the same server twice: the middle one has a bastion too.
        let middle: serde_json::Value = serde_json::from_str(&endpoint(sshd, json!({ "bastion": bastion }))).unwrap();
        endpoint(sshd, json!({ "bastion": middle, "port": port }))
    };
    assert_eq!(sessions.run(&bastion(sshd.port), "echo through", None).await.unwrap().stdout, "through\n");
    assert_eq!(sessions.answers(&bastion(sshd.port)).await, Ok(true));
    assert_eq!(sessions.answers(&bastion(unused_port())).await, Ok(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_answers_or_not() {
    let Some(sshd) = sshd() else { return };
    let sessions = sessions(sshd);
    assert_eq!(sessions.answers(&endpoint(sshd, json!({}))).await, Ok(true));
    let closed = endpoint(sshd, json!({ "port": unused_port() }));
    assert_eq!(sessions.answers(&closed).await, Ok(false));
    let fault = sessions.run(&closed, "true", None).await.unwrap_err();
    assert_eq!((fault.code, fault.retryable), (Code::Unreachable, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_is_replaced() {
    let Some(sshd) = sshd() else { return };
    let (sessions, endpoint) = (sessions(sshd), endpoint(sshd, json!({})));
    let pid = sessions.run(&endpoint, "echo $PPID", None).await.unwrap();
    let fault = sessions.run(&endpoint, &format!("kill -9 {}; sleep 60", pid.stdout.trim()), None).await.unwrap_err();
    assert_eq!((fault.code, fault.retryable), (Code::Unreachable, true), "{}", fault.message);
    let began = Instant::now();
    while sessions.run(&endpoint, "true", None).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "no new connection is made");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_and_ports_are_forwarded() {
    let Some(sshd) = sshd() else { return };
    let sessions = sessions(sshd);
    let endpoint = Endpoint::parse(&endpoint(sshd, json!({}))).unwrap();
    let path = sshd.path("echo.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut read, mut write) = stream.split();
            let _ = tokio::io::copy(&mut read, &mut write).await;
        }
    });
    let mut stream = sessions.forward_socket(&endpoint, &path).await.unwrap();
    stream.write_all(b"to and fro").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut back = String::new();
    stream.read_to_string(&mut back).await.unwrap();
    assert_eq!(back, "to and fro");

    let mut stream = sessions.forward_port(&endpoint, "127.0.0.1", sshd.port).await.unwrap();
    let mut hello = [0; 4];
    stream.read_exact(&mut hello).await.unwrap();
    assert_eq!(&hello, b"SSH-");

    let fault = sessions.forward_socket(&endpoint, "/nowhere.sock").await.err().unwrap();
    assert!(fault.message.contains("/nowhere.sock"), "{}", fault.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_has_a_terminal_where_one_is_wanted() {
    let Some(sshd) = sshd() else { return };
    let (sessions, endpoint) = (sessions(sshd), endpoint(sshd, json!({})));
    for (columns, said) in [(None, "not a tty"), (Some(91), "91")] {
        let (mut near, far) = tokio::io::duplex(1 << 16);
        let window = columns.map(|columns| {
            let (sender, receiver) = tokio::sync::watch::channel(bimetal_host::console::Window { columns, rows: 20 });
            std::mem::forget(sender);
            receiver
        });
        let console =
            Console { window, ..Console::of(&b"tty; stty size 2>/dev/null; exit 5\n"[..], far, tokio::io::sink()) };
        let command = if columns.is_some() { None } else { Some("sh") };
        assert_eq!(sessions.shell(&endpoint, command, console).await, Ok(5));
        let mut output = String::new();
        near.read_to_string(&mut output).await.unwrap();
        assert!(output.contains(said), "{output}");
    }
}
