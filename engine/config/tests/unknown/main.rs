//! Whatever an unknown value becomes, what was said before is true.
//!
//! An expression is evaluated twice: with values, and with something unknown in the place of some of them, or of parts of them, that
//! promises no more than they keep. What the second time comes to must admit what the first time came to, and must not say that there
//! is no answer where there is one. As in Terraform, `try` and `can` see no error that something unknown may still bring where an
//! answer is known without it: their arguments here hide nothing from them.

mod choices;
#[path = "../common/mod.rs"]
mod common;
mod expressions;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_config::{Scope, evaluate, parse_expression};
use bimetal_model::{Type, Value};
use choices::Choices;
use common::{scope, source};
use expressions::{DEPTH, expression};
use proptest::prelude::*;
use values::{real_values, unknown};

/// Whether a value of one type may turn out to be of another.
fn fits(foreseen: &Type, real: &Type) -> bool {
    match (foreseen, real) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::List(one), Type::List(other))
        | (Type::Set(one), Type::Set(other))
        | (Type::Map(one), Type::Map(other)) => fits(one, other),
        (Type::Tuple(one), Type::Tuple(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| fits(one, other))
        }
        (Type::Object(one), Type::Object(other)) => {
            one.keys().eq(other.keys()) && one.values().zip(other.values()).all(|(one, other)| fits(&one.ty, &other.ty))
        }
        (one, other) => one == other,
    }
}

fn with(variables: &BTreeMap<String, Value>) -> Scope {
    Scope { variables: Arc::new(variables.clone()), ..scope() }
}

fn check(text: &str, real: &BTreeMap<String, Value>, unknown: &BTreeMap<String, Value>) -> Result<(), String> {
    let expression = parse_expression(&source("test", text)).map_err(|said| format!("{text}: {said:?}"))?;
    let Ok(answer) = evaluate(&expression, &with(real)) else { return Ok(()) };
    let given = || -> String {
        let used = unknown.iter().filter(|(name, _)| text.contains(&format!("var.{name}")));
        used.map(|(name, value)| format!("\n  {name} = {:?} {:?}, really {:?}", value, value.refinement(), real[name]))
            .collect()
    };
    let foreseen = match evaluate(&expression, &with(unknown)) {
        Ok(foreseen) => foreseen,
        Err(said) => return Err(format!("`{text}` is {answer:?}, and was {:?}{}", said[0].summary, given())),
    };
    let (answer, foreseen) = (answer.without_marks(), foreseen.without_marks());
    match fits(&foreseen.ty(), &answer.ty()) && foreseen.admits(&answer) {
        true => Ok(()),
        false => {
            let said = format!("`{text}` is {answer:?} ({}), and was {foreseen:?} ({})", answer.ty(), foreseen.ty());
            Err(format!("{said} {:?}{}", foreseen.refinement(), given()))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_of_an_unknown_value_comes_true(
        shape in prop::collection::vec(any::<u8>(), 0..64),
        values in prop::collection::vec(any::<u8>(), 0..64),
        unknowns in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let text = expression("", DEPTH, &mut Choices(&shape));
        let real = real_values(&mut Choices(&values));
        let mut choices = Choices(&unknowns);
        let unknown = real.iter().map(|(name, value)| (name.clone(), unknown(value, &mut choices))).collect();
        if let Err(wrong) = check(&text, &real, &unknown) {
            prop_assert!(false, "{wrong}");
        }
    }
}
