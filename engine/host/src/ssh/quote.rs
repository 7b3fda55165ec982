//! Arguments as a POSIX shell reads them back.

use crate::fault::{Code, Fault};

/// One argument, quoted: the shell makes exactly this text of it.
///
/// Fails on a NUL, which no argument can have.
///
/// Invariant: no text can leave its quotes (test: `a_shell_reads_back_what_was_quoted`).
pub fn quote(argument: &str) -> Result<String, Fault> {
    if argument.contains('\0') {
        return Err(Fault::new(Code::Invalid, "an argument of a command has a NUL character in it"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,@%+=".contains(c);
    // `=` first would be an expansion in zsh, and `a=b` as a first word an assignment.
    let is_plain = !argument.is_empty() && !argument.contains('=') && argument.chars().all(plain);
    Ok(match is_plain {
        true => argument.to_owned(),
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    })
}

/// A command line of many.
pub fn quote_all<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<String, Fault> {
    Ok(arguments.into_iter().map(quote).collect::<Result<Vec<_>, _>>()?.join(" "))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const HOSTILE: &[&str] = &[
        "",
        " ",
        "plain",
        "two words",
        "'; rm -rf / #",
        "\"$(reboot)\"",
        "`id`",
        "a\nb\n",
        "\\",
        "'\\''",
        "*",
        "~root",
        "-n",
        "A=1",
        "=ls",
        "!!",
        "\u{1b}[31m",
        "ünïcødé 🦀",
        "${IFS}",
        "a&&b||c;d>e<f|g",
        "\r\n\t",
    ];

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for argument in HOSTILE {
            let command = format!("printf %s {}", quote(argument).unwrap());
            let output = Command::new("sh").args(["-c", &command]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), *argument, "{command}");
        }
    }

    #[test]
    fn many_stay_apart() {
        let command = format!("printf '%s\\001' {}", quote_all(HOSTILE.iter().copied()).unwrap());
        let output = Command::new("sh").args(["-c", &command]).output().unwrap();
        let expected: String = HOSTILE.iter().map(|argument| format!("{argument}\u{1}")).collect();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    }

    #[test]
    fn a_nul_is_refused() {
        assert_eq!(quote("a\0b").unwrap_err().code, Code::Invalid);
    }
}
