//! `plugin docs`: the reference of a provider, from its schema.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use bimetal_config::module::{Body, BodyAttribute, ObjectBlock};
use bimetal_config::{Desired, Reference, Scope, SourceFile, Target};
use bimetal_host::Recording;
use bimetal_kit::Verdict;
use bimetal_model::port::Predict as _;
use bimetal_model::schema::{Attribute, Block, FunctionSchema, ProviderSchema, Role, TypeSchema};
use bimetal_model::{Address, BlockKind, Diagnostic};

use super::{Bench, cases};
use crate::arguments;
use crate::failure::Failure;
use crate::output::print;
use crate::render::value::value_text;
use crate::session::Session;

/// Prints the reference. Examples are the cases, after they were played and held.
pub(super) async fn docs(session: &Session, arguments: &arguments::plugin::Docs) -> Result<(), Failure> {
    let folder = cases::folder(session, &arguments.cases);
    let recording = cases::recording(session, &arguments.cases)?;
    let root = folder.as_ref().unwrap_or(&session.root);
    let bench = Bench::new(session, &arguments.component, root, recording.clone())?;
    let schema = bench.host.schema(&bench.name).map_err(|said| Failure::new(said, &[]))?;
    let examples = match &folder {
        Some(folder) => played(session, &bench, (arguments, folder, recording), &schema).await?,
        None => Vec::new(),
    };
    print(&document(&bench, &schema, &examples));
    Ok(())
}

/// A block that was made, changed and removed.
struct Example {
    ty: String,
    text: String,
}

async fn played(
    session: &Session,
    bench: &Bench,
    (arguments, folder, recording): (&arguments::plugin::Docs, &std::path::Path, Option<Arc<Recording>>),
    schema: &ProviderSchema,
) -> Result<Vec<Example>, Failure> {
    let stage = cases::stage(session, &arguments.cases, folder, recording).await?;
    let checks = bench.examine(Some(&stage.cases), |_| {}).await;
    stage.write_recording()?;
    if let Some(failed) = checks.iter().find(|check| matches!(check.verdict, Verdict::Fail(_))) {
        let error = Diagnostic::error(format!("{}: it does not hold that {}", failed.about, failed.name));
        return Err(error.hint("examples must work: `bimetal plugin test` shows what does not").into());
    }
    Ok(examples(&stage.cases.first, &stage.files, schema))
}

fn examples(desired: &Desired, files: &[SourceFile], schema: &ProviderSchema) -> Vec<Example> {
    let machine = schema.managed.iter().find(|(_, ty)| ty.role == Some(Role::Machine)).map(|(name, _)| name);
    let ty = |address: &Address| match address.block {
        // It is called as the provider is.
        BlockKind::Machine => machine.cloned(),
        _ => Some(address.ty.clone()),
    };
    let example =
        |block: &ObjectBlock| Some(Example { ty: ty(&block.address)?, text: text_of(block, desired, files)? });
    desired.module.objects.values().filter_map(|block| example(block)).collect()
}

/// From the header to the brace that ends the block, as `fmt` leaves it: at the beginning of a line. What is made of the variables of cases
/// alone, which readers don't have, stands there as its value.
fn text_of(block: &ObjectBlock, desired: &Desired, files: &[SourceFile]) -> Option<String> {
    let file = files.iter().find(|file| file.name == block.span.file)?;
    let start = block.span.range.start;
    let rest = file.text.get(start..)?;
    let mut text = rest.get(..rest.find("\n}")? + 2)?.to_owned();
    let mut given = Vec::new();
    collect_given(&block.body, &desired.scope(), &mut given);
    // From the end on, so that places stay what they are.
    given.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    for (range, value) in given {
        let place = range.start.checked_sub(start)?..range.end.checked_sub(start)?;
        text.get(place.clone())?;
        text.replace_range(place, &value);
    }
    Some(text)
}

fn collect_given(body: &Body, scope: &Scope, given: &mut Vec<(Range<usize>, String)>) {
    for BodyAttribute { expression, .. } in body.attributes.values() {
        let references = expression.references();
        let is_given = |one: &Reference| matches!(one.target, Target::Variable(_));
        if !references.is_empty()
            && references.iter().all(is_given)
            && let Ok(value) = bimetal_config::evaluate(expression, scope)
            && !value.has_sensitive()
        {
            given.push((expression.span().range.clone(), value_text(&value, 2)));
        }
    }
    body.blocks.iter().for_each(|block| collect_given(&block.body, scope, given));
}

fn document(bench: &Bench, schema: &ProviderSchema, examples: &[Example]) -> String {
    let manifest = &bench.loaded.manifest;
    let mut text = format!("# {} {}\n", manifest.name, manifest.version);
    let grants = manifest.grants();
    if grants.is_empty() {
        text.push_str("\nIt asks for nothing beyond the sandbox.\n");
    } else {
        text.push_str("\nIt asks to:\n\n");
        text.extend(grants.iter().map(|grant| format!("- {grant}\n")));
    }
    if !schema.provider.attributes.is_empty() || !schema.provider.blocks.is_empty() {
        let _ = write!(text, "\n## provider \"{}\"\n", manifest.name);
        block(&mut text, &schema.provider);
    }
    for (name, ty) in &schema.managed {
        let word = match ty.role {
            Some(Role::Machine) => format!("machine \"{}\"", manifest.name),
            Some(Role::ContainerRuntime) | None => format!("resource \"{name}\""),
        };
        let _ = write!(text, "\n## {word}\n");
        example(&mut text, name, examples);
        block(&mut text, &ty.block);
        adopted(&mut text, ty);
    }
    for (name, ty) in &schema.data {
        let _ = write!(text, "\n## data \"{name}\"\n");
        example(&mut text, name, examples);
        block(&mut text, &ty.block);
    }
    for (name, ty) in &schema.ephemeral {
        let _ = write!(text, "\n## ephemeral \"{name}\"\n");
        example(&mut text, name, examples);
        block(&mut text, &ty.block);
    }
    for (name, called) in &schema.functions {
        function(&mut text, &format!("provider::{}::{name}", manifest.name), called);
    }
    text
}

fn adopted(text: &mut String, ty: &TypeSchema) {
    let all: Vec<String> = ty.adopts.iter().map(|one| format!("`{}` of `{}`", one.ty, one.provider)).collect();
    if !all.is_empty() {
        let _ = write!(text, "\nA `moved` block can make one of: {}.\n", all.join(", "));
    }
}

fn example(text: &mut String, ty: &str, examples: &[Example]) {
    for example in examples.iter().filter(|example| example.ty == ty) {
        let _ = write!(text, "\n```hcl\n{}\n```\n", example.text);
    }
}

fn block(text: &mut String, block: &Block) {
    table(text, "Arguments", block.attributes.iter().filter(|(_, attribute)| !attribute.read_only));
    for (name, nested) in &block.blocks {
        let how_many = match (nested.single, nested.required) {
            (true, true) => "exactly one",
            (true, false) => "at most one",
            (false, true) => "at least one",
            (false, false) => "any number",
        };
        let _ = write!(text, "\n### {name} {{ … }}\n\nThere may be {how_many}.\n");
        table(text, "Arguments", nested.block.attributes.iter());
    }
    table(text, "Filled in by the provider", block.attributes.iter().filter(|(_, attribute)| attribute.read_only));
}

fn table<'a>(text: &mut String, heading: &str, attributes: impl Iterator<Item = (&'a String, &'a Attribute)>) {
    let mut attributes = attributes.peekable();
    if attributes.peek().is_none() {
        return;
    }
    let _ = write!(text, "\n{heading}:\n\n| name | type | |\n| --- | --- | --- |\n");
    for (name, attribute) in attributes {
        let _ = writeln!(text, "| `{name}` | {} | {} |", attribute.ty, cell(&remarks(attribute)));
    }
}

/// What a user should know of an attribute, in one sentence after the other.
fn remarks(attribute: &Attribute) -> String {
    let said = [
        (attribute.required, "Required."),
        (attribute.computed && !attribute.read_only, "Filled in by the provider where it is not written."),
        (attribute.force_new, "A change makes a new object."),
        (attribute.unique.is_some(), "No two have the same at a time."),
        (attribute.sensitive, "Never shown."),
        (attribute.write_only, "Kept nowhere: the provider alone is given it, and a change of it alone is not seen."),
        (attribute.credential.is_some(), "Stays in the host."),
    ];
    let description = attribute.description.trim().trim_end_matches('.');
    let description = if description.is_empty() { String::new() } else { format!("{description}.") };
    let said = said.into_iter().filter(|(is_so, _)| *is_so).map(|(_, words)| words.to_owned());
    std::iter::once(description).filter(|one| !one.is_empty()).chain(said).collect::<Vec<_>>().join(" ")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn function(text: &mut String, name: &str, function: &FunctionSchema) {
    let one = |parameter: &bimetal_model::schema::Parameter| {
        let mark = if parameter.optional { "?" } else { "" };
        format!("{}{mark}", parameter.name)
    };
    let parameters = function.parameters.iter().map(one);
    let rest = function.variadic.iter().map(|parameter| format!("{}...", parameter.name));
    let parameters: Vec<String> = parameters.chain(rest).collect();
    let _ = write!(text, "\n## {name}({}) → {}\n", parameters.join(", "), function.returns);
    let all: Vec<_> = function.parameters.iter().chain(&function.variadic).collect();
    if all.is_empty() {
        return;
    }
    text.push_str("\n| parameter | type | |\n| --- | --- | --- |\n");
    for parameter in all {
        let _ = writeln!(text, "| `{}` | {} | {} |", parameter.name, parameter.ty, cell(&parameter.description));
    }
}
