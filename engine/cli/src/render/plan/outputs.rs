//! Outputs that change.

use std::collections::BTreeMap;

use bimetal_plan::OutputChange;

use super::change::difference;
use crate::arguments::Detail;
use crate::render::style::{ADD, CHANGE, REMOVE, paint};
use crate::render::value::value_text;

pub(super) fn outputs_text(outputs: &BTreeMap<String, OutputChange>, detail: Detail) -> String {
    let changed: Vec<_> = outputs.iter().filter(|(_, output)| output.before != output.after).collect();
    match (changed.len(), detail) {
        (0, _) => return String::new(),
        (1, Detail::Summary) => return "1 output changes.\n".to_owned(),
        (count, Detail::Summary) => return format!("{count} outputs change.\n"),
        (_, Detail::Full | Detail::Grouped) => {}
    }
    let width = changed.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: String = changed.into_iter().map(|(name, output)| output_text(name, width, output)).collect();
    format!("\nOutputs that change:\n{lines}")
}

fn output_text(name: &str, width: usize, output: &OutputChange) -> String {
    let (style, sign, value) = match (&output.before, &output.after) {
        (None, None) => (REMOVE, '-', "null".to_owned()),
        (Some(before), None) => (REMOVE, '-', format!("{} -> null", value_text(before, 4))),
        (None, Some(after)) => (ADD, '+', value_text(after, 4)),
        (Some(before), Some(after)) => (CHANGE, '~', difference(before, after, 4)),
    };
    format!("  {} {name:width$} = {value}\n", paint(style, sign))
}
