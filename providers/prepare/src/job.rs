//! Commands that take minutes: started on the machine, then asked about. A connection that breaks does not stop them, and a
//! batch of machines works at the same time.

use bimetal_provider::Result;

use crate::facts::Said;
use crate::remote::Remote;

/// How a job is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// It was never started, or a reboot has ended it.
    None,
    /// The last line that it printed.
    Running(String),
    /// Its exit status and the end of what it printed.
    Ended(i32, String),
}

impl Job {
    /// Asks the machine.
    pub(crate) fn of(remote: &dyn Remote, name: &str) -> Result<Job> {
        Ok(Job::parse(&remote.run("job", &[name])?.stdout))
    }

    fn parse(text: &str) -> Job {
        let (first, log) = text.split_once('\n').unwrap_or((text, ""));
        match Said::parse(first).one("status") {
            "" => Job::None,
            "running" => Job::Running(
                log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned(),
            ),
            status => Job::Ended(status.parse().unwrap_or(-1), log.to_owned()),
        }
    }
}

/// The end of a log, for a message.
pub(crate) fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_says_how_it_is_doing() {
        assert_eq!(Job::parse(""), Job::None);
        assert_eq!(Job::parse("status=running\nGet:1 a\nGet:2 b\n\n"), Job::Running("Get:2 b".to_owned()));
        assert_eq!(Job::parse("status=100\nE: no\n"), Job::Ended(100, "E: no\n".to_owned()));
        assert_eq!(Job::parse("status=0"), Job::Ended(0, String::new()));
    }

    #[test]
    fn a_message_has_the_end_of_a_log() {
        let log: String = (0..20).map(|line| format!("{line}\n\n")).collect();
        assert_eq!(tail(&log), "12\n13\n14\n15\n16\n17\n18\n19");
    }
}
