//! The schema: whether it is one that the engine and people can work with.

use bimetal_model::schema::{Attribute, Block, ProviderSchema, Role, TypeSchema, Unique};
use bimetal_model::{ProviderName, Type};

use crate::Subject;
use crate::report::{Report, Verdict};

/// What a machine must tell of itself; see `docs/writing-a-provider.md`.
const OF_MACHINE: [(&str, Type); 3] = [("platform", Type::String), ("address", Type::String), ("engine", Type::Handle)];

/// What `count`, `for_each` and others mean in every block.
const TAKEN: [&str; 7] = ["count", "for_each", "enabled", "depends_on", "lifecycle", "provider", "dynamic"];

pub(crate) fn check<P>(subject: &Subject<'_, P>, schema: &ProviderSchema, report: &mut Report<'_>) {
    let mut findings = Vec::new();
    block("the provider block", &schema.provider, &mut findings);
    for (name, ty) in &schema.managed {
        type_name(&subject.name, name, ty, &mut findings);
        block(name, &ty.block, &mut findings);
        role(name, ty, &mut findings);
    }
    for (name, ty) in schema.data.iter().chain(&schema.ephemeral) {
        type_name(&subject.name, name, ty, &mut findings);
        block(name, &ty.block, &mut findings);
    }
    let unkept = schema.data.iter().chain(&schema.ephemeral).map(|(name, ty)| (&**name, &ty.block));
    for (name, block) in unkept.chain([("the provider block", &schema.provider)]) {
        if block.has_write_only() {
            findings.push(format!("{name}: only arguments of what is kept in the state can be write-only"));
        }
    }
    let adopting = schema.managed.iter().flat_map(|(name, ty)| ty.adopts.iter().map(move |one| (name, one)));
    for (name, adopted) in adopting {
        if (&adopted.provider, &adopted.ty) == (&subject.name, name) {
            findings.push(format!("`{name}`: it adopts itself"));
        }
    }
    for (name, function) in &schema.functions {
        if !is_word(name) {
            findings.push(format!("`{name}` can't be the name of a function"));
        }
        let optional_first = function.parameters.windows(2).find(|pair| pair[0].optional && !pair[1].optional);
        if let Some(pair) = optional_first {
            findings
                .push(format!("`{name}`: `{}` may be left out, and `{}` after it may not", pair[0].name, pair[1].name));
        }
    }
    report.ended("the provider", "its schema is well-formed", Verdict::of(findings));
    let bare = undescribed(schema);
    // No breach: an advice.
    let verdict = match bare.first() {
        Some(first) => Verdict::Skip(format!("{} arguments have no description, as {first}", bare.len())),
        None => Verdict::Pass,
    };
    report.ended("the provider", "everything that users write is described", verdict);
}

fn is_word(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn type_name(provider: &ProviderName, name: &str, ty: &TypeSchema, findings: &mut Vec<String>) {
    let begins_well = name.strip_prefix(&*provider.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    if !is_word(name) || !begins_well && ty.role != Some(Role::Machine) {
        findings.push(format!("`{name}`: types are called `{provider}_…`, in small letters"));
    }
    if ty.batch == 0 {
        findings.push(format!("`{name}`: a call that takes 0 objects makes none"));
    }
}

fn block(of: &str, block: &Block, findings: &mut Vec<String>) {
    for (name, one) in &block.attributes {
        if !is_word(name) || TAKEN.contains(&&**name) {
            findings.push(format!("{of}: `{name}` can't be the name of an attribute"));
        }
        findings.extend(contradiction(one).map(|what| format!("{of}: `{name}` is {what}")));
    }
    for (name, nested) in &block.blocks {
        if !is_word(name) || TAKEN.contains(&&**name) || block.attributes.contains_key(name) {
            findings.push(format!("{of}: `{name}` can't be the name of a block"));
        }
        self::block(&format!("{of}: `{name}`"), &nested.block, findings);
    }
}

fn contradiction(attribute: &Attribute) -> Option<&'static str> {
    let Attribute { required, computed, read_only, never_null, force_new, unique, credential, write_only, .. } =
        attribute;
    match () {
        () if *required && *computed => Some("required, and computed where it is not written"),
        () if *required && *read_only => Some("required, and can't be written"),
        () if *read_only && !*computed => Some("read-only, and nobody computes it"),
        () if *never_null && !*computed && !*required => Some("never null, and may be left out"),
        () if *force_new && *read_only => Some("read-only, and a change of it means a new object"),
        () if *write_only && *computed => Some("write-only, and computed"),
        () if *write_only && *force_new => {
            Some("write-only, and a change of it means a new object: nobody can tell that it changes")
        }
        () if *write_only && *never_null => Some("write-only, and never null"),
        () if *unique == Some(Unique::Name) && *read_only => Some("read-only, and a name that gets another generation"),
        () if *unique == Some(Unique::Name) && attribute.ty != Type::String => {
            Some("a name that gets another generation, and no string")
        }
        () if credential.is_some() && attribute.ty != Type::String => Some("a credential, and no string"),
        () => None,
    }
}

fn role(name: &str, ty: &TypeSchema, findings: &mut Vec<String>) {
    if ty.role != Some(Role::Machine) {
        return;
    }
    for (attribute, wanted) in OF_MACHINE {
        match ty.block.attributes.get(attribute) {
            Some(one) if one.ty == wanted => {}
            Some(_) => findings.push(format!("`{name}`: `{attribute}` of a machine is a {wanted}")),
            None => findings.push(format!("`{name}`: a machine has `{attribute}`")),
        }
    }
}

fn undescribed(schema: &ProviderSchema) -> Vec<String> {
    let types =
        schema.managed.iter().chain(&schema.data).chain(&schema.ephemeral).map(|(name, ty)| (&**name, &ty.block));
    let blocks = [("the provider block", &schema.provider)].into_iter().chain(types);
    blocks.flat_map(|(name, block)| undescribed_in(name, block)).collect()
}

fn undescribed_in(of: &str, block: &Block) -> Vec<String> {
    let bare = block.attributes.iter().filter(|(_, one)| one.description.is_empty() && !one.read_only);
    let own = bare.map(|(name, _)| format!("`{name}` of {of}"));
    let nested =
        block.blocks.iter().flat_map(|(name, nested)| undescribed_in(&format!("{of}: `{name}`"), &nested.block));
    own.chain(nested).collect()
}
