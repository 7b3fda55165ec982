//! What is ephemeral: it opens with what was asked for, lasts, and is closed.

use bimetal_config::Desired;
use bimetal_model::port::{Lend, Lent, Refusal};
use bimetal_model::{Address, ProviderKey, Value};
use bimetal_plan::{Values, instance_config};

use crate::Subject;
use crate::report::{Report, Verdict, in_words};

pub(crate) async fn check<P: Lend>(
    subject: &Subject<'_, P>,
    desired: &Desired,
    (address, key, ty): (&Address, &ProviderKey, &str),
    values: &Values,
    report: &mut Report<'_>,
) -> Option<Value> {
    const NAME: &str = "it opens with what was asked for, can be renewed where it says so, and is closed";
    let open = async {
        let config = instance_config(desired, address, None, values)?;
        let opened = subject.answers.open(key, ty, address, &config).await?;
        Ok::<_, Refusal>((config, opened))
    };
    let (config, opened) = match open.await {
        Ok(opened) => opened,
        Err(Refusal::Failed(said)) => {
            report.ended(&address.to_string(), NAME, Verdict::failed(&said));
            return None;
        }
        Err(Refusal::Deferred(why)) => {
            report.ended(&address.to_string(), NAME, Verdict::Skip(format!("it can't be said yet: {why}")));
            return None;
        }
    };
    let mut findings = changed(&config, &opened.value);
    let Lent { mut private, renew_after_ms } = opened.lent;
    if renew_after_ms.is_some() {
        match subject.answers.renew(key, ty, address, private.clone()).await {
            Ok(lent) => private = lent.private,
            Err(said) => findings.push(in_words(&said)),
        }
    }
    let said = subject.answers.close(key, ty, address, private).await;
    findings.extend((!said.is_empty()).then(|| in_words(&said)));
    report.ended(&address.to_string(), NAME, Verdict::of(findings));
    Some(opened.value)
}

/// What was written is in the answer as it was.
fn changed(config: &Value, value: &Value) -> Vec<String> {
    let written = config.as_members().into_iter().flat_map(|members| members.iter());
    let differs = |(name, wanted): &(&String, &Value)| {
        !wanted.is_null() && value.member(name).is_none_or(|found| found.data != wanted.data)
    };
    written.filter(differs).map(|(name, _)| format!("`{name}` is not what was asked for")).collect()
}
