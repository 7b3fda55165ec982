//! A text in canonical style: it still parses, and formatting it once more changes nothing.
#![no_main]

use bimetal_syntax::{SourceFile, format, parse_body};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let file = |text: &str| SourceFile { name: "fuzz".into(), text: text.into() };
    let Ok(once) = format(&file(text)) else { return };
    assert!(parse_body(&file(&once)).1.is_empty(), "it does not parse any more:\n{once}");
    assert_eq!(once, format(&file(&once)).expect("it parses"));
});
