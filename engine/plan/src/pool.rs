//! Pools: named sets of machines.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_config::module::ObjectBlock;
use bimetal_fleet::Strategy;
use bimetal_model::{Address, Data, Diagnostic, Diagnostics, Value};

use crate::data::Budget;
use crate::evaluator;
use crate::machine::{self, NoMembers};
use crate::values::Values;

/// The argument that says how many of a pool's machines may fail.
pub(crate) const FAILURE_BUDGET: &str = "failure_budget";

/// A pool's value: its machines, flattened, and its other arguments.
pub(crate) fn value(block: &ObjectBlock, address: &Address, values: &Values) -> Result<Value, Diagnostics> {
    let arguments = evaluator::decode(&block.body, bimetal_config::builtin::pool(), &values.scope)?;
    let machines = arguments.member("machines").cloned().unwrap_or(Value::NULL);
    let members = machine::members(&machines).map_err(|why| vec![no_members(block, address, &why)])?;
    let Data::Object(mut attributes) = arguments.data else {
        return Ok(arguments);
    };
    attributes.insert("machines".to_owned(), Value::tuple(members.into_values()));
    let pool = Value::from(Data::Object(attributes));
    checked_budget(block, address, &pool)?;
    Ok(pool)
}

/// What is wrong with its arguments, whatever machines there are.
pub(crate) fn standing(block: &ObjectBlock, values: &Values) -> Result<(), Diagnostics> {
    let pool = evaluator::decode(&block.body, bimetal_config::builtin::pool(), &values.scope)?;
    match pool.member(FAILURE_BUDGET) {
        Some(written) if written.is_unknown() => Ok(()),
        Some(_) | None => checked_budget(block, &block.address, &pool),
    }
}

fn checked_budget(block: &ObjectBlock, address: &Address, pool: &Value) -> Result<(), Diagnostics> {
    budget(pool).map(drop).map_err(|diagnostic| {
        let written = block.body.attributes.get(FAILURE_BUDGET).map(|attribute| attribute.expression.span());
        vec![diagnostic.at(written.unwrap_or(&block.span)).of(address)]
    })
}

/// How many machines of a pool's value may fail, where that is said.
pub(crate) fn budget(pool: &Value) -> Result<Option<Budget>, Diagnostic> {
    let Some(written) = pool.member(FAILURE_BUDGET).filter(|written| !written.is_null()) else { return Ok(None) };
    if written.is_unknown() {
        let error = Diagnostic::error("a failure budget is known only after apply");
        return Err(error.because("who may fail has to be known before"));
    }
    let machines: BTreeSet<Address> = members(pool).into_keys().collect();
    let share = written.as_str().and_then(|text| text.trim().strip_suffix('%'));
    let count = match share {
        Some(share) => {
            let share = share.trim().parse().ok().filter(|share: &usize| *share <= 100);
            share.map(|share| machines.len() * share / 100)
        }
        None => {
            let text = written.as_str().and_then(|text| text.trim().parse().ok());
            let number = written.as_number().and_then(|number| number.to_u64()?.try_into().ok());
            text.or(number)
        }
    };
    let wrong = || {
        Diagnostic::error("this is no failure budget").hint(
            "write a number of machines, or a share of the pool's: `failure_budget = 2`, `failure_budget = \"10%\"`",
        )
    };
    count.map(|may_fail| Some(Budget { may_fail, machines })).ok_or_else(wrong)
}

/// Whether its machines are not known for no other reason than that attributes of machines aren't.
pub(crate) fn is_open(block: &ObjectBlock, values: &Values) -> bool {
    let machines = block.body.attributes.get("machines");
    let machines = machines.map(|attribute| bimetal_config::evaluate(&attribute.expression, &values.scope));
    matches!(machines, Some(Ok(machines)) if matches!(machine::members(&machines), Err(NoMembers::Unknown)))
}

fn no_members(block: &ObjectBlock, address: &Address, why: &NoMembers) -> Diagnostic {
    let span = block.body.attributes.get("machines").map_or(&block.span, |attribute| attribute.expression.span());
    let diagnostic = match why {
        NoMembers::Unknown => Diagnostic::error("which machines are in this pool is known only after apply")
            .because("replicas can't be placed then")
            .hint("choose machines by what is known before: their keys, or attributes that the configuration sets"),
        NoMembers::NoMachine => Diagnostic::error("something in `machines` is no machine")
            .hint("write machines as `machines = [machine.baremetal.rack, machine.digitalocean.ocean]`"),
    };
    diagnostic.at(span).of(address)
}

/// The members of a pool's value, by address.
pub(crate) fn members(pool: &Value) -> BTreeMap<Address, Value> {
    pool.member("machines").and_then(|machines| machine::members(machines).ok()).unwrap_or_default()
}

/// How a pool wants its replicas placed.
pub(crate) fn strategy(pool: &Value) -> Result<Strategy, Diagnostic> {
    match pool.member("strategy").map(|strategy| (strategy, strategy.as_str())) {
        None | Some((_, Some("spread"))) => Ok(Strategy::Spread),
        Some((_, Some("binpack"))) => Ok(Strategy::Binpack),
        Some((other, _)) if other.is_unknown() => {
            Err(Diagnostic::error("the pool's `strategy` is known only after apply")
                .because("replicas can't be placed then"))
        }
        Some((other, _)) => Err(Diagnostic::error(format!("{other:?} is no strategy of placement"))
            .hint("`strategy` is `\"spread\"` or `\"binpack\"`")),
    }
}
