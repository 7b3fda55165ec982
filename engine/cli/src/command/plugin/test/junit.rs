//! The kit's report as JUnit's XML.

use bimetal_host::Manifest;
use bimetal_kit::{Check, Verdict};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, Event};

use crate::command::test::junit::{clean, said};

pub(super) fn document(manifest: &Manifest, checks: &[Check]) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let count = |wanted: fn(&Verdict) -> bool| checks.iter().filter(|check| wanted(&check.verdict)).count().to_string();
    writer.create_element("testsuites").write_inner_content(|writer| {
        let suite = writer
            .create_element("testsuite")
            .with_attribute(("name", &*format!("{} {}", manifest.name, manifest.version)))
            .with_attribute(("tests", &*checks.len().to_string()))
            .with_attribute(("failures", &*count(|verdict| matches!(verdict, Verdict::Fail(_)))))
            .with_attribute(("skipped", &*count(|verdict| matches!(verdict, Verdict::Skip(_)))));
        suite.write_inner_content(|writer| checks.iter().try_for_each(|check| case(writer, check)))?;
        Ok(())
    })?;
    writer.get_mut().push(b'\n');
    Ok(writer.into_inner())
}

fn case(writer: &mut Writer<Vec<u8>>, check: &Check) -> std::io::Result<()> {
    let element = writer
        .create_element("testcase")
        .with_attribute(("name", check.name))
        .with_attribute(("classname", &*clean(&check.about)))
        .with_attribute(("time", &*format!("{:.3}", check.took.as_secs_f64())));
    match &check.verdict {
        Verdict::Pass => drop(element.write_empty()?),
        Verdict::Skip(why) => drop(element.write_inner_content(|writer| said(writer, "skipped", why, ""))?),
        Verdict::Fail(findings) => {
            let first = findings.first().map_or("", String::as_str);
            element.write_inner_content(|writer| said(writer, "failure", first, &findings.join("\n")))?;
        }
    }
    Ok(())
}
