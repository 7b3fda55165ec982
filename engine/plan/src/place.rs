//! Where it is written, what a provider speaks of.

use bimetal_config::module::{Body, ObjectBlock};
use bimetal_model::path::Step;
use bimetal_model::{Diagnostic, Span};

/// With the argument or nested block that its path leads to; with the block's header where nothing of that was written.
pub(crate) fn placed(diagnostic: Diagnostic, block: &ObjectBlock) -> Diagnostic {
    let span = diagnostic.span.clone();
    let span = span.or_else(|| written(&block.body, &diagnostic.path.0)).unwrap_or_else(|| block.span.clone());
    Diagnostic { span: Some(span), ..diagnostic }
}

fn written(body: &Body, path: &[Step]) -> Option<Span> {
    let (Step::Attribute(name), rest) = path.split_first()? else { return None };
    if let Some(attribute) = body.attributes.get(name) {
        return Some(attribute.expression.span().clone());
    }
    let (place, rest) = match rest.split_first() {
        Some((Step::Index(index), rest)) => (*index as usize, rest),
        Some(_) | None => (0, rest),
    };
    let nested = body.blocks.iter().filter(|nested| nested.name == *name).nth(place)?;
    Some(written(&nested.body, rest).unwrap_or_else(|| nested.span.clone()))
}

#[cfg(test)]
mod tests {
    use bimetal_config::SourceFile;
    use bimetal_model::Path;

    use super::*;

    const TEXT: &str =
        "resource \"t_t\" \"a\" {\n  host = \"x\"\n  port {\n    host = 1\n  }\n  port {\n    host = 2\n  }\n}\n";

    /// The text that a path leads to.
    fn place(steps: &[Step]) -> &'static str {
        let file = SourceFile { name: "main.bm.hcl".into(), text: TEXT.into() };
        let (module, _) = bimetal_config::parse(&[file], "");
        let block = module.objects.values().next().unwrap();
        let diagnostic = Diagnostic { path: Path(steps.to_vec()), ..Diagnostic::error("wrong") };
        &TEXT[placed(diagnostic, block).span.unwrap().range]
    }

    #[test]
    fn what_is_wrong_is_shown_where_it_is_written() {
        let attribute = |name: &str| Step::Attribute(name.to_owned());
        assert_eq!(place(&[attribute("host")]), "\"x\"");
        assert_eq!(place(&[attribute("port"), Step::Index(1), attribute("host")]), "2");
        assert_eq!(place(&[attribute("port"), Step::Index(1), attribute("protocol")]), "port");
        assert_eq!(place(&[attribute("other")]), "resource \"t_t\" \"a\"");
        assert_eq!(place(&[]), "resource \"t_t\" \"a\"");
    }
}
