//! Another program that wraps a data key, as one that speaks to a key service does.
//!
//! It is given the data key as base64 on its standard input and prints the wrapped one; to unwrap it is given what it
//! printed, and prints the data key (as base64, hexadecimal digits, or as it is).

use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::port::StateError;
use zeroize::Zeroizing;

use super::{Bytes, file, sealed};

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much it may print.
const MOST_BYTES: u64 = 64 << 10;

/// The data key, wrapped.
pub(super) fn wrap(words: &[String], data: &Bytes) -> Result<Vec<u8>, StateError> {
    let text = Zeroizing::new(STANDARD.encode(&data[..]));
    let printed = run(words, text.as_bytes(), Some(data), PATIENCE)?;
    if printed.is_empty() {
        return Err(failed(words, "it printed nothing"));
    }
    Ok(printed.to_vec())
}

/// What `wrap` was given.
pub(super) fn unwrap(words: &[String], wrapped: &[u8]) -> Result<Bytes, StateError> {
    let printed = run(words, wrapped, None, PATIENCE)?;
    if let Ok(bytes) = printed[..].try_into() {
        return Ok(Zeroizing::new(bytes));
    }
    let text = std::str::from_utf8(&printed).ok();
    text.and_then(file::parse).ok_or_else(|| failed(words, "it printed no key"))
}

/// Runs a program to its end; answers what it printed. What it said is shown where it fails, without `secret`.
fn run(
    words: &[String],
    input: &[u8],
    secret: Option<&Bytes>,
    patience: Duration,
) -> Result<Zeroizing<Vec<u8>>, StateError> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(sealed("a program to wrap and unwrap with is missing".to_owned()));
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Of its own group: what it starts is ended with it.
    let mut child = command.process_group(0).spawn().map_err(|error| failed(words, &error.to_string()))?;
    let end = Instant::now() + patience;
    let (printed, said) = (collect(child.stdout.take()), collect(child.stderr.take()));
    feed(child.stdin.take(), input);
    let left = || end.saturating_duration_since(Instant::now());
    let printed = printed.recv_timeout(left());
    let said = said.recv_timeout(left());
    let (Ok(printed), Ok(said), Some(success)) = (printed, said, ended(&mut child, end)) else {
        kill(&mut child);
        return Err(failed(words, &format!("it did not end within {} seconds", patience.as_secs())));
    };
    if !success {
        let said = censored(&String::from_utf8_lossy(&said), secret);
        return Err(failed(words, if said.is_empty() { "it failed without a word" } else { &said }));
    }
    if printed.len() as u64 > MOST_BYTES {
        return Err(failed(words, "it printed far too much"));
    }
    Ok(printed)
}

fn feed(stdin: Option<std::process::ChildStdin>, input: &[u8]) {
    let input = Zeroizing::new(input.to_vec());
    std::thread::spawn(move || {
        // Whoever does not read says why, or prints something else.
        let _ = stdin.map(|mut stdin| stdin.write_all(&input));
    });
}

fn collect(stream: Option<impl Read + Send + 'static>) -> Receiver<Zeroizing<Vec<u8>>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::new());
        if let Some(stream) = stream {
            let _ = stream.take(MOST_BYTES + 1).read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

/// Whether it ended well; `None`: it goes on. Its output has ended, so that this is a matter of moments.
fn ended(child: &mut Child, end: Instant) -> Option<bool> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(1)),
            Ok(None) | Err(_) => return None,
        }
    }
}

fn kill(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

/// The end of what a program said, with nothing in it that could be the key.
fn censored(said: &str, secret: Option<&Bytes>) -> String {
    let said = said.trim();
    let start = said.char_indices().rev().nth(1999).map_or(0, |(place, _)| place);
    let mut said = said.get(start..).unwrap_or_default().to_owned();
    if let Some(secret) = secret {
        let digits: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = STANDARD.encode(&secret[..]);
        for text in [base64.trim_end_matches('='), &digits, &digits.to_uppercase()] {
            said = said.replace(text, "(sensitive)");
        }
    }
    said
}

fn failed(words: &[String], reason: &str) -> StateError {
    sealed(format!("the program `{}` failed: {reason}", words.first().map_or("", |word| word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(line: &str) -> Vec<String> {
        ["sh", "-c", line].map(str::to_owned).to_vec()
    }

    fn key() -> Bytes {
        Zeroizing::new([7; 32])
    }

    #[test]
    fn what_a_program_wraps_it_unwraps() {
        let wrapped = wrap(&shell("tr A-Za-z0-9 N-ZA-Mn-za-m5-90-4"), &key()).unwrap();
        assert!(!wrapped.is_empty() && wrapped != STANDARD.encode([7; 32]).into_bytes());
        assert_eq!(unwrap(&shell("tr N-ZA-Mn-za-m5-90-4 A-Za-z0-9"), &wrapped).unwrap(), key());
        assert_eq!(unwrap(&shell("tr N-ZA-Mn-za-m5-90-4 A-Za-z0-9 | base64 -d"), &wrapped).unwrap(), key());
    }

    #[test]
    fn what_it_says_is_shown_without_the_key() {
        let error = wrap(&shell("read -r key; echo \"no $key here\" >&2; exit 3"), &key()).unwrap_err().to_string();
        assert!(error.contains("`sh` failed: no (sensitive)") && error.contains("here"), "{error}");
        assert!(!error.contains("BwcHBw"), "{error}");
        let error = wrap(&["./nothing-of-this-name".to_owned()], &key()).unwrap_err().to_string();
        assert!(error.contains("nothing-of-this-name"), "{error}");
        let error = unwrap(&shell("echo hello"), b"x").unwrap_err().to_string();
        assert!(error.contains("printed no key") && !error.contains("hello"), "{error}");
        assert!(wrap(&shell("true"), &key()).unwrap_err().to_string().contains("printed nothing"));
    }

    #[test]
    fn one_that_does_not_end_is_ended_with_all_that_it_started() {
        let begun = Instant::now();
        let error = run(&shell("sleep 600 & sleep 600"), b"", None, Duration::from_millis(200)).unwrap_err();
        assert!(error.to_string().contains("did not end"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn one_that_prints_for_ever_is_ended() {
        let error = run(&shell("yes"), b"", None, Duration::from_secs(20)).unwrap_err().to_string();
        assert!(error.contains("failed"), "{error}");
    }
}
