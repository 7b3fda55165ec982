//! What a call of a provider costs, whatever the provider does in it: an example of the host's measures that, with the provider that keeps
//! nothing but state.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::report::{Line, Report};
use super::{Bench, scale};
use crate::process::output;

/// The example of `engine/host` that measures.
pub(crate) const EXAMPLE: &str = "overhead";

/// Adds its lines to the report.
pub(crate) fn measure(_: &Bench, report: &mut Report) -> Result<()> {
    super::say("calling a provider");
    let program = crate::target().join("release/examples").join(EXAMPLE);
    let figures = output(Command::new(program).arg(scale::component()))?;
    let figures = serde_json::from_str(&figures).context("the example prints one document")?;
    lines(&figures)?.into_iter().for_each(|line| report.add(line));
    Ok(())
}

fn lines(figures: &Value) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for size in figures["sizes"].as_array().context("it has figures of each size")? {
        let kilobytes = number(&size["bytes"])? / 1e3;
        let rates = [
            ("plans, one object a call", "plans_a_second"),
            ("objects planned, 100 a call", "planned_a_second"),
            ("looks, each by an instance of its own", "reads_a_second"),
        ];
        for (what, key) in rates {
            lines.push(line(format!("{what}, of {kilobytes:.0} KB: a second"), format!("{:.0}", number(&size[key])?)));
        }
    }
    let crowd = &figures["crowd"];
    let reads = number(&crowd["reads"])?;
    lines.push(line(format!("{reads} looks at once that wait: instances in flight"), crowd["in_flight"].to_string()));
    let kilobytes = number(&crowd["bytes_an_instance"])? / 1e3;
    lines.push(line("memory of an instance that waits".to_owned(), format!("{kilobytes:.0} KB")));
    Ok(lines)
}

fn number(figure: &Value) -> Result<f64> {
    figure.as_f64().with_context(|| format!("{figure} is no figure"))
}

/// Nobody said what it should be.
fn line(what: String, figure: String) -> Line {
    Line { what, figure, target: "-".to_owned(), is_met: true, peer: None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_figure_has_its_line() {
        let sizes =
            json!([{ "bytes": 1021, "plans_a_second": 9000.4, "planned_a_second": 2e4, "reads_a_second": 3000 }]);
        let crowd = json!({ "reads": 1000, "in_flight": 512, "bytes_an_instance": 350_000 });
        let lines = lines(&json!({ "sizes": sizes, "crowd": crowd })).expect("it is whole");
        let lines: Vec<_> = lines.iter().map(|line| format!("{} {}", line.what, line.figure)).collect();
        let wanted = [
            "plans, one object a call, of 1 KB: a second 9000",
            "objects planned, 100 a call, of 1 KB: a second 20000",
            "looks, each by an instance of its own, of 1 KB: a second 3000",
            "1000 looks at once that wait: instances in flight 512",
            "memory of an instance that waits 350 KB",
        ];
        assert_eq!(lines, wanted);
        assert!(super::lines(&json!({ "sizes": [{}] })).is_err());
    }
}
