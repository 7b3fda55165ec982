//! Questions as the engine asks them, and what counts as no answer.

use bimetal_model::port::{PlanRequest, Planned, Predict, Refusal, ValidateRequest};
use bimetal_model::schema::Block;
use bimetal_model::snapshot::Object;
use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, Path, Step, Value};
use bimetal_plan::propose;

use crate::Subject;
use crate::report::in_words;

/// A type of the provider's, to be asked about.
pub(crate) struct Typed<'t, P> {
    pub(crate) subject: &'t Subject<'t, P>,
    pub(crate) ty: &'t str,
    pub(crate) block: &'t Block,
}

impl<P: Predict> Typed<'_, P> {
    /// An object of the type that no configuration has.
    pub(crate) fn address(&self) -> Address {
        Address::new(BlockKind::Resource, self.ty, "kit")
    }

    pub(crate) fn validate(&self, config: &Value) -> Diagnostics {
        let request = ValidateRequest { address: self.address(), ty: self.ty.to_owned(), config: config.clone() };
        self.subject.answers.validate(&self.subject.name, &[request]).into_iter().flatten().collect()
    }

    pub(crate) fn request(&self, address: &Address, config: &Value, prior: Option<&Object>) -> PlanRequest {
        PlanRequest {
            address: address.clone(),
            ty: self.ty.to_owned(),
            prior: prior.cloned(),
            config: config.clone(),
            proposed: propose(self.block, config, prior.map(|prior| &prior.value)),
        }
    }

    pub(crate) fn plan(&self, config: &Value, prior: Option<&Object>) -> Result<Planned, Refusal> {
        let request = self.request(&self.address(), config, prior);
        let mut answers = self.subject.answers.plan(&self.subject.name, &[request]);
        answers.pop().unwrap_or_else(|| Err(vec![Diagnostic::error("there was no answer")].into()))
    }
}

impl<P> Subject<'_, P> {
    /// What broke a call, where the provider did not merely say no.
    pub(crate) fn broke(&self, said: &[Diagnostic]) -> Option<String> {
        let summary = Diagnostic::of_broken_provider(&self.name, &self.version, "").summary;
        let broken: Vec<Diagnostic> = said.iter().filter(|one| one.summary == summary).cloned().collect();
        (!broken.is_empty()).then(|| in_words(&broken))
    }
}

/// Whether a path leads to something that the block has.
pub(crate) fn leads_somewhere(block: &Block, path: &Path) -> bool {
    let Some((Step::Attribute(name), rest)) = path.0.split_first() else { return path.0.is_empty() };
    match (block.attributes.get(name), block.blocks.get(name)) {
        (Some(_), _) => true,
        (None, Some(nested)) => {
            let rest = match rest {
                [Step::Index(_), rest @ ..] if !nested.single => rest,
                rest => rest,
            };
            leads_somewhere(&nested.block, &Path(rest.to_vec()))
        }
        (None, None) => false,
    }
}

/// A value as a finding shows it.
pub(crate) fn shown(value: &Value) -> String {
    const MOST: usize = 300;
    let text = format!("{value:?}");
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
