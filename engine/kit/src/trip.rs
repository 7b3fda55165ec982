//! Round trips: what is made is what was planned, is found again, changes, and goes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bimetal_config::module::Repetition;
use bimetal_config::{Desired, Node};
use bimetal_model::port::{CreateRequest, Deletion, Lend, Operate, Outcome, Planned, Predict, Refusal, UpdateRequest};
use bimetal_model::schema::{ProviderSchema, TypeSchema};
use bimetal_model::snapshot::{Effect, Intent, IntentId, Object};
use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, ProviderKey, Value};
use bimetal_plan::{Difference, Values, contradictions, instance_config, owners, provider_config};

use crate::ask::{Typed, shown};
use crate::lend;
use crate::report::{Report, Verdict, in_words};
use crate::{Cases, Subject};

/// A provider that asks for more patience than this in one call is not waited for.
const MOST_CALLS: usize = 1000;
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

const MADE: &str = "what is made is what was planned";
const FOUND: &str = "what was made is found by its intent, and not made twice";
const READ: &str = "what is read is what was made, and nothing is left to do";
const CHANGED: &str = "what is changed is what was planned, and nothing is left to do";
const IMPORTED: &str = "what exists can be imported, and nothing is left to do";
const GONE: &str = "what is removed is gone, and can be removed again";

/// One block of the cases, and whose it is.
struct Case<'c, P> {
    typed: Typed<'c, P>,
    schema: &'c TypeSchema,
    address: &'c Address,
    key: &'c ProviderKey,
}

/// How far a case came.
struct Made {
    address: Address,
    key: ProviderKey,
    ty: String,
    object: Object,
    /// It is nothing but what state remembers, as a machine that was there before: there is nothing to find or to remove.
    is_remembered: bool,
}

pub(crate) async fn check<P: Predict + Operate + Lend>(
    subject: &Subject<'_, P>,
    schema: &ProviderSchema,
    cases: &Cases,
    report: &mut Report<'_>,
) {
    let owners = owners(&cases.first, subject.answers);
    let (mut first, said) = Values::new(&cases.first, subject.answers);
    let (mut changed, _) = Values::new(&cases.changed, subject.answers);
    if !said.is_empty() {
        return report.ended("the cases", "they can be worked out", Verdict::failed(&said));
    }
    let mut made: Vec<Made> = Vec::new();
    for node in cases.first.order.iter() {
        let Node::Object(address) = node else { continue };
        let Some((key, ty)) = owners.get(address) else { continue };
        if let Err(said) = configure(subject, &cases.first, key, &first) {
            report.ended(&address.to_string(), "its provider can be configured", Verdict::failed(&said));
            continue;
        }
        let value = match (address.block, schema.managed.get(ty)) {
            (BlockKind::Ephemeral, _) => lend::check(subject, &cases.first, (address, key, ty), &first, report).await,
            (BlockKind::Data, _) => data(subject, cases, (address, key, ty), &first, report).await,
            (_, Some(schema)) if key.name == subject.name => {
                let typed = Typed { subject, ty, block: &schema.block };
                let case = Case { typed, schema, address, key };
                case.play(cases, (&first, &changed), &mut made, report).await
            }
            // A machine of another provider's, which what is examined needs.
            (_, _) => other(subject, &cases.first, (address, key, ty), &first, &mut made, report).await,
        };
        if let Some(value) = value {
            first.put(address, value.clone());
            changed.put(address, value);
        }
    }
    for case in made.into_iter().rev() {
        let (name, is_remembered) = (case.address.to_string(), case.is_remembered);
        let findings = removed(subject, case).await;
        let verdict = match is_remembered {
            true => Verdict::Skip("nothing was made: it is only remembered".to_owned()),
            false => Verdict::of(findings),
        };
        report.ended(&name, GONE, verdict);
    }
    untried(subject, schema, &owners, report);
}

/// Types that no case speaks of.
fn untried<P>(
    subject: &Subject<'_, P>,
    schema: &ProviderSchema,
    owners: &BTreeMap<Address, (ProviderKey, String)>,
    report: &mut Report<'_>,
) {
    let tried: BTreeSet<&String> =
        owners.values().filter(|(key, _)| key.name == subject.name).map(|(_, ty)| ty).collect();
    for ty in schema.managed.keys().filter(|ty| !tried.contains(ty)) {
        report.ended(ty, MADE, Verdict::Skip("no case makes one".to_owned()));
    }
}

fn configure<P: Predict + Operate>(
    subject: &Subject<'_, P>,
    desired: &Desired,
    key: &ProviderKey,
    values: &Values,
) -> Result<(), Diagnostics> {
    let config = provider_config(desired, key, values)?;
    subject.answers.configure(key, &config);
    Ok(())
}

async fn data<P: Operate>(
    subject: &Subject<'_, P>,
    cases: &Cases,
    (address, key, ty): (&Address, &ProviderKey, &str),
    values: &Values,
    report: &mut Report<'_>,
) -> Option<Value> {
    let read = async {
        let config = instance_config(&cases.first, address, None, values)?;
        subject.answers.read_data(key, ty, address, &config).await
    };
    let (value, verdict) = match read.await {
        Ok(value) => (Some(value), Verdict::Pass),
        Err(Refusal::Failed(said)) => (None, Verdict::failed(&said)),
        Err(Refusal::Deferred(why)) => (None, Verdict::Skip(format!("it can't be said yet: {why}"))),
    };
    report.ended(&address.to_string(), "it answers", verdict);
    value
}

/// What another provider makes is not judged.
async fn other<P: Predict + Operate>(
    subject: &Subject<'_, P>,
    desired: &Desired,
    (address, key, ty): (&Address, &ProviderKey, &str),
    values: &Values,
    made: &mut Vec<Made>,
    report: &mut Report<'_>,
) -> Option<Value> {
    let make = async {
        let schema = subject.answers.schema(&key.name)?;
        let schema = schema.managed.get(ty).ok_or_else(|| vec![Diagnostic::error(format!("there is no `{ty}`"))])?;
        let other = Subject { answers: subject.answers, name: key.name.clone(), version: String::new() };
        let typed = Typed { subject: &other, ty, block: &schema.block };
        let case = Case { typed, schema, address, key };
        let config = instance_config(desired, address, None, values)?;
        let planned = case.planned(&config, None)?;
        case.create(&config, &planned, &case.intent()).await.map_err(|(said, _)| said)
    };
    match make.await {
        Ok(object) => {
            let value = object.value.clone();
            let (address, key, ty) = (address.clone(), key.clone(), ty.to_owned());
            made.push(Made { address, key, ty, object, is_remembered: false });
            Some(value)
        }
        Err(said) => {
            report.ended(&address.to_string(), "it can be made, for others to use", Verdict::failed(&said));
            None
        }
    }
}

impl<P: Predict + Operate> Case<'_, P> {
    /// From nothing to what exists at the end; what is left to be removed is put with the others.
    async fn play(
        &self,
        cases: &Cases,
        (first, changed): (&Values, &Values),
        made: &mut Vec<Made>,
        report: &mut Report<'_>,
    ) -> Option<Value> {
        let about = self.address.to_string();
        if let Err(reason) = self.can_be_played(cases) {
            report.ended(&about, MADE, Verdict::Skip(reason));
            return None;
        }
        let config = match instance_config(&cases.first, self.address, None, first) {
            Ok(config) => config,
            Err(said) => {
                report.ended(&about, MADE, Verdict::failed(&said));
                return None;
            }
        };
        let (object, verdict) = self.made(&config).await;
        report.ended(&about, MADE, verdict);
        let mut object = object?;
        let is_remembered = self.is_remembered(&config, &object).await;
        report.ended(&about, FOUND, Verdict::of(self.found(&config, &object, is_remembered).await));
        report.ended(&about, READ, Verdict::of(self.read_again(&config, &object).await));
        let other = instance_config(&cases.changed, self.address, None, changed);
        let (changed, verdict) = match other {
            Ok(other) => self.changed(&config, &other, &object).await,
            Err(said) => (None, Verdict::failed(&said)),
        };
        report.ended(&about, CHANGED, verdict);
        let config = match changed {
            Some((other, changed)) => {
                object = changed;
                other
            }
            None => config,
        };
        report.ended(&about, IMPORTED, self.imported(&config, &object).await);
        let value = object.value.clone();
        let (key, ty) = (self.key.clone(), self.typed.ty.to_owned());
        made.push(Made { address: self.address.clone(), key, ty, object, is_remembered });
        Some(value)
    }

    fn can_be_played(&self, cases: &Cases) -> Result<(), String> {
        let repetition = cases.first.module.objects.get(self.address).map(|block| &block.repetition);
        match repetition {
            Some(Repetition::Once) => Ok(()),
            Some(_) | None => Err("a case is one object, without `count`, `for_each` and `enabled`".to_owned()),
        }
    }

    fn planned(&self, config: &Value, prior: Option<&Object>) -> Result<Planned, Diagnostics> {
        let request = self.typed.request(self.address, config, prior);
        let mut answers = self.typed.subject.answers.plan(&self.key.name, &[request]);
        let missing = || Err(vec![Diagnostic::error("there was no answer")].into());
        answers.pop().unwrap_or_else(missing).map_err(Refusal::diagnostics)
    }

    fn intent(&self) -> IntentId {
        IntentId(format!("kit-{}", self.address.name))
    }

    async fn made(&self, config: &Value) -> (Option<Object>, Verdict) {
        let said = self.typed.validate(config);
        if !said.is_empty() {
            return (None, Verdict::failed(&said));
        }
        let planned = match self.planned(config, None) {
            Ok(planned) => planned,
            Err(said) => return (None, Verdict::failed(&said)),
        };
        match self.create(config, &planned, &self.intent()).await {
            Ok(object) => {
                let verdict = Verdict::of(self.dishonest(&planned, &object));
                (Some(object), verdict)
            }
            Err((said, so_far)) => (so_far, Verdict::failed(&said)),
        }
    }

    /// Calls until it is there.
    async fn create(
        &self,
        config: &Value,
        planned: &Planned,
        intent: &IntentId,
    ) -> Result<Object, (Diagnostics, Option<Object>)> {
        let mut so_far = None;
        for _ in 0..MOST_CALLS {
            let request = CreateRequest {
                address: self.address.clone(),
                intent: intent.clone(),
                config: config.clone(),
                planned: planned.clone(),
                so_far: so_far.clone(),
            };
            let answers = self.typed.subject.answers.create(self.key, self.typed.ty, vec![request]).await;
            match answers.into_iter().next() {
                Some(Outcome::Done(object)) => return Ok(object),
                Some(Outcome::Failed { diagnostics, so_far }) => return Err((diagnostics, so_far)),
                Some(Outcome::Retry { after_ms, so_far: by_now, .. }) => {
                    so_far = by_now.or(so_far);
                    pause(after_ms).await;
                }
                None => return Err((vec![Diagnostic::error("there was no answer")], so_far)),
            }
        }
        Err((endless(), so_far))
    }

    fn dishonest(&self, planned: &Planned, object: &Object) -> Vec<String> {
        let paths = contradictions(&planned.value, &object.value);
        let mut found: Vec<String> =
            paths.iter().map(|path| format!("`{path}` was planned otherwise than it became")).collect();
        let secrets = self.schema.block.write_only_in(&object.value);
        found.extend(secrets.iter().map(|path| format!("`{path}` is write-only, and is in what was made")));
        let promised = self.schema.block.attributes.iter().filter(|(_, attribute)| attribute.never_null);
        let broken = promised.filter(|(name, _)| object.value.member(name).is_none_or(Value::is_null));
        found.extend(broken.map(|(name, _)| format!("`{name}` is null, and its schema says that it never is")));
        found
    }

    /// What `probe` answers for an intent.
    async fn probed(&self, config: &Value, id: IntentId) -> Option<Result<Option<Object>, Diagnostics>> {
        let intent = Intent {
            id,
            address: self.address.clone(),
            provider: self.key.clone(),
            ty: self.typed.ty.to_owned(),
            effect: Effect::Create,
            // As it is written down: `probe` is not told what is write-only.
            config: self.schema.block.without_write_only(config.clone()),
            depends_on: Vec::new(),
            placement: None,
        };
        self.typed.subject.answers.probe(self.key, self.typed.ty, &[intent]).await.pop()
    }

    /// Whether another intent gets the very same object, and neither is found: then none of them is out in the world.
    async fn is_remembered(&self, config: &Value, object: &Object) -> bool {
        let other = IntentId(format!("kit-other-{}", self.address.name));
        if !matches!(self.probed(config, self.intent()).await, Some(Ok(None))) {
            return false;
        }
        let Ok(planned) = self.planned(config, None) else { return false };
        match self.create(config, &planned, &other).await {
            Ok(again) if again.value == object.value => {
                matches!(self.probed(config, other).await, Some(Ok(None)))
            }
            Ok(again) => {
                let _ = delete(self.typed.subject, (self.address, self.key, self.typed.ty), &again).await;
                false
            }
            Err(_) => false,
        }
    }

    async fn found(&self, config: &Value, object: &Object, is_remembered: bool) -> Vec<String> {
        let mut findings = Vec::new();
        match self.probed(config, self.intent()).await {
            Some(Ok(None)) if is_remembered => {}
            Some(Ok(Some(found))) if found.value == object.value => {}
            Some(Ok(Some(found))) => findings.push(differences("it is found as", object, &found)),
            Some(Ok(None)) => findings.push("a lost answer: `probe` does not find it by its intent".to_owned()),
            Some(Err(said)) => findings.push(in_words(&said)),
            None => findings.push("`probe` gave no answer".to_owned()),
        }
        match self.planned(config, None) {
            Ok(planned) => match self.create(config, &planned, &self.intent()).await {
                Ok(again) if again.value == object.value => {}
                Ok(again) => findings.push(differences("made again by the same intent it is", object, &again)),
                Err((said, _)) => findings.push(format!("made again by the same intent: {}", in_words(&said))),
            },
            Err(said) => findings.push(in_words(&said)),
        }
        findings
    }

    /// It is as it was, and nothing is planned.
    async fn read_again(&self, config: &Value, object: &Object) -> Vec<String> {
        let asked = (self.address.clone(), object.clone());
        let mut answers = self.typed.subject.answers.read(self.key, self.typed.ty, &[asked]).await;
        match answers.pop() {
            Some(Ok(Some(read))) if read.value != object.value => vec![differences("it is read as", object, &read)],
            Some(Ok(Some(read))) => self.left_to_do(config, &read),
            Some(Ok(None)) => vec!["it is there, and `read` says that it is gone".to_owned()],
            Some(Err(refusal)) => vec![in_words(&refusal.diagnostics())],
            None => vec!["`read` gave no answer".to_owned()],
        }
    }

    fn left_to_do(&self, config: &Value, object: &Object) -> Vec<String> {
        match self.planned(config, Some(object)) {
            Ok(planned) => {
                let differences = bimetal_plan::diff(&object.value, &planned.value);
                let value = |one: &Option<Value>| one.as_ref().map_or_else(|| "nothing".to_owned(), shown);
                let words = |one: &Difference| {
                    format!(
                        "a second plan would change `{}`: {} to {}",
                        one.path,
                        value(&one.before),
                        value(&one.after)
                    )
                };
                differences.iter().map(words).collect()
            }
            Err(said) => vec![in_words(&said)],
        }
    }

    async fn changed(&self, config: &Value, other: &Value, object: &Object) -> (Option<(Value, Object)>, Verdict) {
        if config == other {
            return (None, Verdict::Skip("the case is the same where `var.changed` is true".to_owned()));
        }
        let planned = match self.planned(other, Some(object)) {
            Ok(planned) => planned,
            Err(said) => return (None, Verdict::failed(&said)),
        };
        if !planned.replace.is_empty() {
            return (None, Verdict::Skip("what changes in the case needs a new object".to_owned()));
        }
        let changed = match self.update(other, &planned, object).await {
            Ok(changed) => changed,
            Err(said) => return (None, Verdict::failed(&said)),
        };
        let mut findings = self.dishonest(&planned, &changed);
        findings.extend(self.read_again(other, &changed).await);
        (Some((other.clone(), changed)), Verdict::of(findings))
    }

    async fn update(&self, config: &Value, planned: &Planned, prior: &Object) -> Result<Object, Diagnostics> {
        let mut prior = prior.clone();
        for _ in 0..MOST_CALLS {
            let request = UpdateRequest {
                address: self.address.clone(),
                prior: prior.clone(),
                config: config.clone(),
                planned: planned.clone(),
            };
            match self.typed.subject.answers.update(self.key, self.typed.ty, request).await {
                Outcome::Done(object) => return Ok(object),
                Outcome::Failed { diagnostics, .. } => return Err(diagnostics),
                Outcome::Retry { after_ms, so_far, .. } => {
                    prior = so_far.unwrap_or(prior);
                    pause(after_ms).await;
                }
            }
        }
        Err(endless())
    }

    async fn imported(&self, config: &Value, object: &Object) -> Verdict {
        let Some(id) = object.value.member("id").and_then(Value::as_str) else {
            return Verdict::Skip("it has no `id`".to_owned());
        };
        match self.typed.subject.answers.import(self.key, self.typed.ty, self.address, id, config).await {
            Ok(imported) => Verdict::of(self.left_to_do(config, &imported)),
            Err(said) => match self.typed.subject.broke(&said) {
                Some(what) => Verdict::Fail(vec![what]),
                None => Verdict::Skip(in_words(&said)),
            },
        }
    }
}

/// Removes it, twice.
async fn removed<P: Operate>(subject: &Subject<'_, P>, case: Made) -> Vec<String> {
    let Made { address, key, ty, object, .. } = case;
    if let Err(said) = delete(subject, (&address, &key, &ty), &object).await {
        return vec![in_words(&said)];
    }
    let mut findings = Vec::new();
    match subject.answers.read(&key, &ty, &[(address.clone(), object.clone())]).await.pop() {
        Some(Ok(None)) => {}
        Some(Ok(Some(_))) => findings.push("it was removed, and `read` still finds it".to_owned()),
        Some(Err(refusal)) => findings.push(in_words(&refusal.diagnostics())),
        None => findings.push("`read` gave no answer".to_owned()),
    }
    if let Err(said) = delete(subject, (&address, &key, &ty), &object).await {
        findings.push(format!("removed again: {}", in_words(&said)));
    }
    findings
}

async fn delete<P: Operate>(
    subject: &Subject<'_, P>,
    (address, key, ty): (&Address, &ProviderKey, &str),
    object: &Object,
) -> Result<(), Diagnostics> {
    for _ in 0..MOST_CALLS {
        match subject.answers.delete(key, ty, address, object.clone()).await {
            Deletion::Done => return Ok(()),
            Deletion::Failed(said) => return Err(said),
            Deletion::Retry { after_ms, .. } => pause(after_ms).await,
        }
    }
    Err(endless())
}

async fn pause(after_ms: u64) {
    tokio::time::sleep(Duration::from_millis(after_ms).min(LONGEST_PAUSE)).await;
}

fn endless() -> Diagnostics {
    vec![Diagnostic::error(format!("it was called {MOST_CALLS} times, and is not done"))]
}

fn differences(what: &str, one: &Object, other: &Object) -> String {
    let differences = bimetal_plan::diff(&one.value, &other.value);
    let places: Vec<String> = differences.iter().map(|one| format!("`{}`", one.path)).collect();
    format!("{what} something else: {}", places.join(", "))
}
