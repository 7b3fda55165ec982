//! A provider may decide only what its schema says that it computes.

use bimetal_model::schema::{Block, NestedBlock};
use bimetal_model::{Address, Diagnostic, Path, ProviderKey, Step, Value};

use crate::compare::same;

/// The places where a planned value breaks the schema's promise.
///
/// What is not computed must be as configured, or as it was where the provider sees no difference; what is write-only is in no plan.
pub fn breaches(block: &Block, config: &Value, prior: Option<&Value>, planned: &Value) -> Vec<Path> {
    let mut paths = Vec::new();
    visit(block, &Path::root(), (config, prior, planned), &mut paths);
    paths
}

type Trio<'a> = (&'a Value, Option<&'a Value>, &'a Value);

fn visit(block: &Block, at: &Path, (config, prior, planned): Trio<'_>, paths: &mut Vec<Path>) {
    let null = Value::NULL;
    for (name, attribute) in &block.attributes {
        let configured = config.member(name).unwrap_or(&null);
        let planned = planned.member(name).unwrap_or(&null);
        let is_prior = !configured.is_null() && prior.and_then(|p| p.member(name)).is_some_and(|p| same(p, planned));
        if attribute.write_only {
            if !planned.is_null() {
                paths.push(at.then(Step::Attribute(name.clone())));
            }
            continue;
        }
        if !(attribute.computed || same(configured, planned) || is_prior) {
            paths.push(at.then(Step::Attribute(name.clone())));
        }
    }
    for (name, nested) in &block.blocks {
        let path = at.then(Step::Attribute(name.clone()));
        let trio = (
            config.member(name).unwrap_or(&null),
            prior.and_then(|p| p.member(name)),
            planned.member(name).unwrap_or(&null),
        );
        visit_nested(nested, &path, trio, paths);
    }
}

fn visit_nested(nested: &NestedBlock, at: &Path, (config, prior, planned): Trio<'_>, paths: &mut Vec<Path>) {
    match (config.as_items(), planned.as_items()) {
        (Some(configs), Some(items)) if configs.len() == items.len() => {
            for (place, (config, planned)) in configs.iter().zip(items).enumerate() {
                let prior = prior.and_then(Value::as_items).and_then(|priors| priors.get(place));
                visit(&nested.block, &at.then(Step::Index(place as u32)), (config, prior, planned), paths);
            }
        }
        (None, None) if config.as_members().is_some() && planned.as_members().is_some() => {
            visit(&nested.block, at, (config, prior, planned), paths);
        }
        _ if same(config, planned) => {}
        _ => paths.push(at.clone()),
    }
}

/// A breach as the provider's bug.
pub fn provider_bug(provider: &ProviderKey, ty: &str, address: &Address, paths: &[Path]) -> Diagnostic {
    let places: Vec<_> = paths.iter().map(|path| format!("`{path}`")).collect();
    Diagnostic::error(format!("provider `{provider}` has a bug: its plan for `{ty}` is not what was asked for"))
        .because(format!(
            "{} may not differ from the configuration, as the schema does not say computed",
            places.join(", ")
        ))
        .hint("report this to the provider's authors; nothing was changed")
        .of(address)
}

#[cfg(test)]
mod tests {
    use bimetal_model::Type;
    use bimetal_model::schema::Attribute;

    use super::*;

    fn check_breaches(config: &[(&str, Value)], prior: &[(&str, Value)], planned: &[(&str, Value)]) -> String {
        let block = Block {
            attributes: [
                ("name".to_owned(), Attribute::required(Type::String)),
                ("note".to_owned(), Attribute::optional(Type::String)),
                ("id".to_owned(), Attribute::read_only(Type::String)),
            ]
            .into(),
            ..Block::default()
        };
        let object = |members: &[(&str, Value)]| members.iter().cloned().collect::<Value>();
        let prior = Some(object(prior)).filter(|value| value.as_members().is_some_and(|m| !m.is_empty()));
        let paths = breaches(&block, &object(config), prior.as_ref(), &object(planned));
        paths.iter().map(Path::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_computed_attribute_may_be_anything() {
        let unknown = Value::unknown(Type::String);
        assert_eq!(check_breaches(&[("name", "a".into())], &[], &[("name", "a".into()), ("id", unknown)]), "");
    }

    #[test]
    fn what_was_written_or_left_out_stays_so() {
        let planned = [("name", Value::from("b")), ("note", Value::from("hello"))];
        assert_eq!(check_breaches(&[("name", "a".into())], &[], &planned), "name note");
    }

    #[test]
    fn an_unknown_is_not_guessed() {
        let unknown = Value::unknown(Type::String);
        assert_eq!(check_breaches(&[("name", unknown)], &[], &[("name", "b".into())]), "name");
    }

    #[test]
    fn what_means_the_same_may_stay() {
        let (config, prior) = ([("name", Value::from("A"))], [("name", Value::from("a"))]);
        assert_eq!(check_breaches(&config, &prior, &prior), "");
    }
}
