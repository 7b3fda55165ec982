//! What exists already and is taken over.

use std::collections::BTreeMap;

use bimetal_config::module::{Import, ObjectBlock};
use bimetal_config::{Claim, claims};
use bimetal_model::question::{Inquiry, Question};
use bimetal_model::snapshot::{Object, Objects, Stored};
use bimetal_model::{Address, Diagnostic, Span};

use super::Planner;
use crate::catalogue::Owner;
use crate::forecast::Wanted;

/// What was found, and by which ids.
#[derive(Default)]
pub(super) struct Imported {
    pub(super) objects: Objects,
    pub(super) ids: BTreeMap<Address, String>,
}

impl Planner<'_> {
    /// Finds what `import` blocks say that instances of this block are. `None`: there are errors, or it has to be asked for.
    pub(super) fn import(&mut self, block: &ObjectBlock, owner: &Owner, wanted: &[Wanted]) -> Option<()> {
        let mut is_complete = true;
        let desired = self.desired;
        let options = self.options;
        let asked_for = options.imports.iter().cloned().map(|claim| (None, claim));
        let mut open: Vec<(Option<&Import>, Claim)> = asked_for.collect();
        for import in desired.module.imports.iter().filter(|import| import.names(&block.address)) {
            let claims = claims(import, &self.values.scope);
            open.extend(self.noted(claims)?.into_iter().map(|claim| (Some(import), claim)));
        }
        for (import, claim) in open {
            let is_here = claim.address.whole() == block.address;
            if is_here && !self.observed.objects.contains_key(&claim.address) {
                is_complete &= self.take_over(import, claim, owner, wanted).is_some();
            }
        }
        is_complete.then_some(())
    }

    /// Without an `import` block where a command names it.
    fn take_over(&mut self, import: Option<&Import>, claim: Claim, owner: &Owner, wanted: &[Wanted]) -> Option<()> {
        let at = |diagnostic: Diagnostic, place: fn(&Import) -> &Span| match import {
            Some(import) => diagnostic.at(place(import)),
            None => diagnostic,
        };
        let Claim { address, id } = claim;
        let Some(wanted) = wanted.iter().find(|wanted| wanted.address == address) else {
            let error = Diagnostic::error(format!("`{address}` is to be imported, and its block has no such instance"));
            self.note([at(error.hint("write its key as `count` or `for_each` has it"), |import| import.to.span())]);
            return None;
        };
        if let Some(earlier) = self.imported.ids.get(&address) {
            let error = Diagnostic::error(format!("`{address}` is to be imported twice, as `{earlier}` and `{id}`"));
            self.note([at(error.hint("take out one of them"), |import| &import.span)]);
            return None;
        }
        if !wanted.config.is_wholly_known() || !self.is_configured(&owner.provider) {
            let error = Diagnostic::error(format!("`{address}` can't be imported yet"));
            let error = error.because("some of its arguments, or of its provider's, are known only after apply");
            let hint = match import {
                Some(_) => "take out this block and its `import` for one apply, and put both back then",
                None => "apply what it refers to first: `bimetal apply -target=…`",
            };
            self.note([at(error.hint(hint), |import| &import.span)]);
            return None;
        }
        let inquiry = || Inquiry {
            address: address.clone(),
            provider: owner.provider.clone(),
            ty: owner.ty.clone(),
            config: owner.schema.block.without_write_only(wanted.config.clone()),
        };
        match self.answers.imports.get(&address) {
            None => {
                self.questions.push(Question::Import(inquiry(), id));
                None
            }
            Some(Err(said)) => {
                self.note(said.iter().cloned().map(|diagnostic| at(diagnostic, |import| import.id.span())));
                None
            }
            Some(Ok(object)) => {
                self.imported.objects.insert(address.clone(), stored(owner, object).into());
                self.imported.ids.insert(address, id);
                Some(())
            }
        }
    }
}

fn stored(owner: &Owner, object: &Object) -> Stored {
    Stored {
        provider: owner.provider.clone(),
        ty: owner.ty.clone(),
        schema_version: owner.schema.version,
        object: object.clone(),
        depends_on: Vec::new(),
        placement: None,
        tainted: false,
        unfinished: None,
        prevent_destroy: false,
    }
}
