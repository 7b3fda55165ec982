//! A plan as a comment on a change: what it comes to, and all of it folded below.

use bimetal_plan::Plan;

use super::{render, summary};
use crate::arguments::Detail;
use crate::render::style::plain;

/// Letters of a plan that are shown: services that hold comments take little more than this.
const MOST_LETTERS: usize = 60_000;
/// Where nobody knows how wide a window will be.
pub(super) const WIDTH: usize = 120;

/// The whole plan as Markdown.
pub(crate) fn markdown(plan: &Plan, detail: Detail) -> String {
    let of = plan.origin.as_ref().map(|origin| format!("Commit {}.\n\n", origin.in_words())).unwrap_or_default();
    let whole = plain(&render(plan, detail, WIDTH));
    let heading = match plan.is_empty() {
        true => whole.lines().find(|line| line.starts_with("No changes")).unwrap_or("No changes.").to_owned(),
        false => plain(&summary(plan)).trim().to_owned(),
    };
    folded(
        &heading,
        &format!("{of}<details><summary>The plan</summary>"),
        &whole,
        "`bimetal show` has all of a saved plan",
    )
}

/// A heading, and below `opening`, which unfolds it, the whole of a text.
pub(super) fn folded(heading: &str, opening: &str, whole: &str, where_all_is: &str) -> String {
    let lines = whole.lines().map(signed).collect::<Vec<_>>();
    let (shown, left_out) = shortened(&lines);
    let fence = fence(&shown);
    let more = match left_out {
        0 => String::new(),
        count => format!("\n{count} more lines: {where_all_is}.\n"),
    };
    format!("### {heading}\n\n{opening}\n\n{fence}diff\n{shown}{fence}\n{more}\n</details>\n")
}

/// Signs stand at the beginning of lines, where `diff` has them.
fn signed(line: &str) -> String {
    let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
    let sign = ["-/+ ", "+/- ", "+ ", "- ", "~ "].into_iter().find(|sign| rest.starts_with(sign));
    match sign {
        Some(sign) => {
            let first = match sign {
                "+ " => '+',
                "- " => '-',
                _ => '!',
            };
            // The longer signs stand where others are indented.
            let indent = if sign.len() > 2 { "  " } else { indent };
            format!("{first}{indent}{}", rest.strip_prefix(sign).unwrap_or_default())
        }
        None => format!(" {line}"),
    }
}

fn shortened(lines: &[String]) -> (String, usize) {
    let mut shown = String::new();
    for (index, line) in lines.iter().enumerate() {
        if shown.len() + line.len() > MOST_LETTERS {
            return (shown, lines.len() - index);
        }
        shown += line.trim_end();
        shown.push('\n');
    }
    (shown, 0)
}

/// Longer than any row of backticks in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_lead_and_fences_hold() {
        assert_eq!(signed("      + name = 1"), "+      name = 1");
        assert_eq!(signed("  ~ service \"web\" {"), "!  service \"web\" {");
        assert_eq!(signed("-/+ service \"web\" {"), "!  service \"web\" {");
        assert_eq!(signed("  # a will be created"), "   # a will be created");
        assert_eq!(fence("a ```` b"), "`````");
        let (shown, left_out) = shortened(&["x".repeat(50_000), "y".repeat(50_000), "z".to_owned()]);
        assert_eq!((shown.len(), left_out), (50_001, 2));
    }
}
