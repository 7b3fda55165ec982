//! The conformance kit: whether a provider keeps the contract.
//!
//! It asks as the engine does, through the same ports, and judges only what the contract says. Which values it tries follows from
//! the schema and from nothing else: the same component gets the same report.

mod adopt;
mod ask;
mod chance;
mod document;
mod function;
mod generate;
mod lend;
mod predict;
mod report;
mod trip;

use bimetal_config::Desired;
use bimetal_model::ProviderName;
use bimetal_model::port::{Functions, Lend, Operate, Predict};

pub use report::{Check, Report, Verdict};

/// What is examined.
pub struct Subject<'s, P> {
    /// Answers for the provider.
    pub answers: &'s P,
    /// The provider's name.
    pub name: ProviderName,
    /// As its manifest says.
    pub version: String,
}

/// Objects that the provider can make, change and remove: blocks of a configuration.
pub struct Cases {
    /// As they are made.
    pub first: Desired,
    /// The same blocks with other arguments.
    pub changed: Desired,
}

/// Examines a provider. Without cases nothing is made: the pure calls alone are judged.
pub async fn examine<P: Predict + Functions + Operate + Lend>(
    subject: &Subject<'_, P>,
    cases: Option<&Cases>,
    report: &mut Report<'_>,
) {
    let schema = match subject.answers.schema(&subject.name) {
        Ok(schema) => schema,
        Err(said) => return report.ended("the provider", "its schema can be read", Verdict::failed(&said)),
    };
    document::check(subject, &schema, report);
    for ty in schema.managed.keys() {
        predict::check(subject, &schema, ty, report);
    }
    for name in schema.functions.keys() {
        function::check(subject, &schema, name, report);
    }
    if let Some(cases) = cases {
        trip::check(subject, &schema, cases, report).await;
    }
}
