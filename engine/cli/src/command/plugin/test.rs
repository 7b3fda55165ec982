//! `plugin test`: the conformance kit, for people and for continuous integration.

mod junit;

use std::process::ExitCode;

use bimetal_kit::{Check, Verdict};
use serde_json::{Value as Json, json};

use super::{Bench, cases};
use crate::arguments;
use crate::command::test::junit::File;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::render::style::{ADD, BOLD, FAINT, REMOVE, paint};
use crate::session::Session;

/// Examines a component.
pub(super) async fn test(session: &Session, arguments: &arguments::plugin::Test) -> Result<ExitCode, Failure> {
    let folder = cases::folder(session, &arguments.cases);
    let recording = cases::recording(session, &arguments.cases)?;
    let root = folder.as_ref().unwrap_or(&session.root);
    let bench = Bench::new(session, &arguments.component, root, recording.clone())?;
    // What can't be written should not be found out at the end.
    let junit = arguments.junit_xml.as_ref().map(|path| File::create(&session.root.join(path))).transpose()?;
    let stage = match &folder {
        Some(folder) => Some(cases::stage(session, &arguments.cases, folder, recording).await?),
        None => None,
    };
    let mut screen = Screen { json: session.json, about: String::new() };
    screen.begin(&bench);
    let checks = bench.examine(stage.as_ref().map(|stage| &stage.cases), |check| screen.tell(check)).await;
    if let Some(stage) = &stage {
        stage.write_recording()?;
    }
    if let Some(junit) = junit {
        junit.write(junit::document(&bench.loaded.manifest, &checks))?;
    }
    screen.end(&bench, &checks, folder.is_some());
    let passed = !checks.iter().any(|check| matches!(check.verdict, Verdict::Fail(_)));
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Screen {
    json: bool,
    /// What the last line was about.
    about: String,
}

impl Screen {
    fn begin(&self, bench: &Bench) {
        if !self.json {
            let manifest = &bench.loaded.manifest;
            print(&format!("{} {}\n{}\n", paint(BOLD, &manifest.name), manifest.version, bench.loaded.digest));
        }
    }

    fn tell(&mut self, check: &Check) {
        if self.json {
            return;
        }
        if self.about != check.about {
            print(&format!("\n{}\n", check.about));
            self.about.clone_from(&check.about);
        }
        match &check.verdict {
            Verdict::Pass => print(&format!("  {}  {}\n", paint(ADD, "pass"), check.name)),
            Verdict::Skip(why) => {
                print(&format!("  {}  {}\n        {why}\n", paint(FAINT, "skip"), check.name));
            }
            Verdict::Fail(findings) => {
                print(&format!("  {}  {}\n", paint(REMOVE, "fail"), check.name));
                findings.iter().for_each(|finding| print(&format!("        {finding}\n")));
            }
        }
    }

    fn end(&self, bench: &Bench, checks: &[Check], has_cases: bool) {
        let count = |wanted: fn(&Verdict) -> bool| checks.iter().filter(|check| wanted(&check.verdict)).count();
        let passed = count(|verdict| matches!(verdict, Verdict::Pass));
        let failed = count(|verdict| matches!(verdict, Verdict::Fail(_)));
        let skipped = count(|verdict| matches!(verdict, Verdict::Skip(_)));
        if self.json {
            return print_json(&json!({
                "format": 1,
                "provider": bench.loaded.manifest.name,
                "version": bench.loaded.manifest.version,
                "digest": bench.loaded.digest,
                "passed": passed,
                "failed": failed,
                "skipped": skipped,
                "checks": checks.iter().map(document).collect::<Vec<_>>(),
            }));
        }
        if !has_cases {
            print("\nNothing was made: without `--cases DIR` only the pure calls are examined.\n");
        }
        let word = if failed == 0 { paint(ADD, "Success!") } else { paint(REMOVE, "Failure!") };
        print(&format!("\n{word} {passed} passed, {failed} failed, {skipped} skipped.\n"));
    }
}

fn document(check: &Check) -> Json {
    let (status, said) = match &check.verdict {
        Verdict::Pass => ("pass", Vec::new()),
        Verdict::Fail(findings) => ("fail", findings.clone()),
        Verdict::Skip(why) => ("skip", vec![why.clone()]),
    };
    json!({ "about": check.about, "name": check.name, "status": status, "said": said })
}
