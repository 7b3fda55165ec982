//! What `moved` blocks turn into something of another type: the provider of that type is asked what it is then.

use std::sync::Arc;

use bimetal_config::Desired;
use bimetal_model::port::{Foreign, Predict};
use bimetal_model::schema::Adopted;
use bimetal_model::snapshot::{Object, Stored};
use bimetal_model::{Address, Data, Diagnostic, Diagnostics, Span, Value};

use crate::catalogue::{Catalogue, Owner};
use crate::evaluator::is_provided;
use crate::moves::Moves;
use crate::prior::shape;

/// What has a new address is what the block there wants, where its provider takes over objects of the old type. Where that fails it
/// is said, at the `moved` block.
pub(crate) fn adopt(desired: &Desired, mut moves: Moves, predict: &dyn Predict) -> Moves {
    if moves.moved.is_empty() {
        return moves;
    }
    // What is wrong with a schema is said when it is planned.
    let (catalogue, _) = Catalogue::new(predict);
    let moved: Vec<Address> = moves.moved.keys().filter(|new| new.deposed.is_none()).cloned().collect();
    for new in moved.iter().filter(|new| is_provided(new.block)) {
        let Some(block) = desired.module.objects.get(&new.whole()) else { continue };
        let (Some(stored), Ok(owner)) = (moves.observed.objects.get(new), catalogue.owner(block)) else { continue };
        if (&stored.provider.name, &stored.ty) == (&owner.provider.name, &owner.ty) {
            continue;
        }
        let adoption = Adoption { new, stored, owner: &owner };
        match adoption.object(predict) {
            Ok(object) => {
                let stored = adoption.stored(object);
                moves.observed.objects.insert(new.clone(), stored);
            }
            Err(said) => moves.said.extend(at(said, new, span(desired, new))),
        }
    }
    moves
}

/// The block that brings something to this address.
fn span<'d>(desired: &'d Desired, new: &Address) -> Option<&'d Span> {
    let moved = desired.module.moved.iter().rev().find(|moved| moved.to.holds(new));
    moved.map(|moved| &moved.span)
}

fn at(said: Diagnostics, new: &Address, span: Option<&Span>) -> Diagnostics {
    let placed = |one: Diagnostic| Diagnostic { span: one.span.clone().or_else(|| span.cloned()), ..one.of(new) };
    said.into_iter().map(placed).collect()
}

/// Something that exists, and what it is to be.
struct Adoption<'a> {
    new: &'a Address,
    stored: &'a Arc<Stored>,
    owner: &'a Owner,
}

impl Adoption<'_> {
    fn object(&self, predict: &dyn Predict) -> Result<Object, Diagnostics> {
        let Adoption { new, stored, owner } = self;
        let wanted = |one: &&Adopted| (&one.provider, &one.ty) == (&stored.provider.name, &stored.ty);
        if !owner.schema.adopts.iter().any(|one| wanted(&one)) {
            return Err(vec![self.refused()]);
        }
        if stored.unfinished.is_some() {
            let error = Diagnostic::error(format!("`{new}` can't become another type while it is half made"));
            return Err(vec![error.hint("take the `moved` block out, apply, and put it back then")]);
        }
        let (provider, ty) = (stored.provider.name.clone(), stored.ty.clone());
        let source = Foreign { provider, ty, version: stored.schema_version, object: stored.object.clone() };
        let Object { value, private } = predict.adopt(&owner.provider.name, &owner.ty, &source)?;
        let value = shape(value, &owner.schema.block).map_err(|reason| vec![self.bug(&reason)])?;
        let value = owner.schema.block.without_write_only(value);
        Ok(Object { value: keeping_secrets(value, &stored.object.value), private })
    }

    fn stored(&self, object: Object) -> Arc<Stored> {
        let Adoption { stored, owner, .. } = self;
        Arc::new(Stored {
            provider: owner.provider.clone(),
            ty: owner.ty.clone(),
            schema_version: owner.schema.version,
            object,
            ..Stored::clone(stored)
        })
    }

    fn refused(&self) -> Diagnostic {
        let Adoption { new, stored, owner } = self;
        let taken: Vec<String> = owner.schema.adopts.iter().map(|Adopted { ty, .. }| format!("`{ty}`")).collect();
        let error = Diagnostic::error(format!("`{}` can't become `{new}`", stored.ty)).because(format!(
            "the provider `{}` takes over no `{}` of the provider `{}` as `{}`",
            owner.provider, stored.ty, stored.provider, owner.ty
        ));
        match &taken[..] {
            [] => error.hint("forget it with `removed` and `destroy = false`, and take it over with `import`"),
            taken => error.hint(format!("it takes over {}", taken.join(", "))),
        }
    }

    fn bug(&self, reason: &str) -> Diagnostic {
        let Owner { provider, ty, .. } = self.owner;
        Diagnostic::error(format!("provider `{provider}` has a bug: what it takes over is no `{ty}`"))
            .because(reason)
            .hint("report this to the provider's authors; nothing was changed")
    }
}

/// What was sensitive is so wherever it went.
fn keeping_secrets(value: Value, before: &Value) -> Value {
    let mut secrets = Vec::new();
    collect(before, false, &mut secrets);
    if secrets.is_empty() {
        return value;
    }
    value.map_parts(&mut |part| match secrets.contains(&&part.data) {
        true => part.into_sensitive(),
        false => part,
    })
}

/// Texts and numbers that are sensitive: of what can be true or false alone there is nothing to tell.
fn collect<'v>(value: &'v Value, is_inside: bool, secrets: &mut Vec<&'v Data>) {
    let is_secret = is_inside || value.marks.sensitive;
    match &value.data {
        Data::String(_) | Data::Number(_) if is_secret => secrets.push(&value.data),
        _ => value.children().for_each(|(_, child)| collect(child, is_secret, secrets)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sensitive_is_so_wherever_it_went() {
        let before: Value =
            [("key", Value::from("s3cret").into_sensitive()), ("name", "n".into())].into_iter().collect();
        let now: Value = [("login", Value::tuple(["s3cret".into(), "n".into()]))].into_iter().collect();
        assert_eq!(format!("{:?}", keeping_secrets(now, &before)), r#"{"login": [(sensitive), "n"]}"#);
    }
}
