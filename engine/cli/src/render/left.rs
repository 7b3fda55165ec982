//! What a plan leaves out, though it is wanted: machines do not answer, or providers can't say yet what there will be.

use bimetal_plan::{Change, Plan};

use super::style::{BOLD, FAINT, paint};

/// So many of them have a line each.
const EACH: usize = 20;

/// What is left out and why; empty where nothing is.
pub(crate) fn left_text(plan: &Plan) -> String {
    let left: Vec<&Change> = plan.left().collect();
    if left.is_empty() {
        return String::new();
    }
    let line = |change: &&Change| {
        let why = change.reason.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("  ! {}: {}\n", paint(BOLD, &change.address), paint(FAINT, why))
    };
    let lines: String = left.iter().take(EACH).map(line).collect();
    let more = left.len().saturating_sub(EACH);
    let more = if more > 0 { format!("  … and {more} more\n") } else { String::new() };
    format!("Wanted, and left out for now:\n\n{lines}{more}\n")
}
