//! What a `moved` block turns into an object of the type: answered or refused, whatever it was.

use bimetal_model::port::{Foreign, Predict};
use bimetal_model::schema::Adopted;
use bimetal_model::snapshot::Object;
use bimetal_model::{Type, Value};

use crate::ask::{Typed, shown};
use crate::chance::Chance;
use crate::generate::of_type;
use crate::report::{Report, Verdict};

const TRIES: usize = 20;

pub(crate) fn check<P: Predict>(
    typed: &Typed<'_, P>,
    adopts: &[Adopted],
    chance: &mut Chance,
    report: &mut Report<'_>,
) {
    let (mut broke, mut differs) = (Vec::new(), Vec::new());
    for adopted in adopts {
        for _ in 0..TRIES {
            let source = source(typed, adopted, chance);
            let adopt = || typed.subject.answers.adopt(&typed.subject.name, typed.ty, &source);
            let answer = adopt();
            if answer != adopt() {
                differs.push(format!("adopted {} twice, and the answers differ", shown(&source.object.value)));
            }
            if let Some(what) = answer.err().and_then(|said| typed.subject.broke(&said)) {
                broke.push(format!("{what}, with a `{}` that is {}", adopted.ty, shown(&source.object.value)));
            }
        }
    }
    report.ended(typed.ty, "what it adopts is one of it, or is refused", Verdict::of(broke));
    report.ended(typed.ty, "what it adopts is the same each time", Verdict::of(differs));
}

/// Of the kit's own making: the other type may be somebody else's, and its schema is not here.
fn source<P: Predict>(typed: &Typed<'_, P>, adopted: &Adopted, chance: &mut Chance) -> Foreign {
    let schema = typed.subject.answers.schema(&adopted.provider).ok();
    let block = schema.and_then(|schema| schema.managed.get(&adopted.ty).map(|ty| (ty.version, ty.block.clone())));
    let (version, value) = match block {
        Some((version, block)) => (version, of_type(&block.ty(), chance)),
        None => (
            0,
            [("id", of_type(&Type::String, chance)), ("name", of_type(&Type::String, chance))].into_iter().collect(),
        ),
    };
    let value: Value = value;
    Foreign {
        provider: adopted.provider.clone(),
        ty: adopted.ty.clone(),
        version,
        object: Object { value, private: Vec::new() },
    }
}
