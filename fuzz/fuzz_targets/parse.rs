//! A text as a configuration, native or JSON: nothing panics, and what is said lies in the text.
#![no_main]


use bimetal_config::{Given, Outside, SourceFile, desired};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let name = if text.trim_start().starts_with('{') { "main.bm.json" } else { "main.bm.hcl" };
    let file = SourceFile { name: name.into(), text: text.into() };
    let (_, diagnostics) = desired(vec![file], Given::default(), Outside::default());
    for span in diagnostics.iter().filter_map(|diagnostic| diagnostic.span.as_ref()) {
        assert!(text.get(span.range.clone()).is_some(), "{span:?} is no place in the text");
    }
});
