//! What the kit finds of a provider that breaks the contract, one way at a time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bimetal_config::{Given, Outside, SourceFile, desired};
use bimetal_kit::{Cases, Report, Subject, Verdict, examine};
use bimetal_model::image::{ImageIndex, ImageSource};
use bimetal_model::port::{
    CreateRequest, Deletion, Foreign, Functions, Lend, Lent, Opened, Operate, Outcome, PlanRequest, Planned, Predict,
    Refusal, UpdateRequest, ValidateRequest,
};
use bimetal_model::schema::{Adopted, Attribute, Block, FunctionSchema, Parameter, ProviderSchema, TypeSchema};
use bimetal_model::snapshot::{Intent, Object};
use bimetal_model::{Address, Diagnostic, Diagnostics, Path, ProviderKey, ProviderName, Type, Value};

const CASES: &str = r#"
variable "changed" {
  type = bool
}

resource "fake_thing" "one" {
  name  = "one"
  color = var.changed ? "red" : "green"
}
"#;

/// How it breaks the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Stops at an empty name.
    Traps,
    /// Names no place.
    NoPlace,
    /// Answers otherwise each time.
    Random,
    /// Plans another name than was asked for.
    Lies,
    /// Makes another color than was planned.
    Breaks,
    /// Does not find what it made.
    Loses,
    /// Makes another for the same intent.
    Twice,
    /// Fills in what nobody wrote.
    Drifts,
    /// Does not apply a change.
    Ignores,
    /// Removes nothing.
    Stays,
    /// Puts off what is wholly known.
    PutsOff,
    /// Keeps what it is told alone.
    Keeps,
    /// Stops where it is to take something over.
    Drops,
}

struct Fake {
    fault: Fault,
    asked: AtomicU64,
    /// By intent.
    made: Mutex<BTreeMap<String, Object>>,
}

impl Fake {
    fn broken(&self) -> Diagnostics {
        vec![Diagnostic::of_broken_provider(&name(), "1.0.0", "it stopped: index out of bounds")]
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn exists(&self, object: &Object) -> Option<Object> {
        let made = self.made.lock().unwrap();
        made.values().find(|other| other.value.member("id") == object.value.member("id")).cloned()
    }
}

fn name() -> ProviderName {
    ProviderName("fake".to_owned())
}

fn text(value: &Value, name: &str) -> String {
    value.member(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn with(value: &Value, name: &str, to: Value) -> Value {
    let members = value.as_members().unwrap().iter();
    members.map(|(key, old)| (key.clone(), if key == name { to.clone() } else { old.clone() })).collect()
}

impl Predict for Fake {
    fn providers(&self) -> Vec<ProviderName> {
        vec![name()]
    }

    fn schema(&self, _: &ProviderName) -> Result<Arc<ProviderSchema>, Diagnostics> {
        let described = |attribute| Attribute { description: "Said".to_owned(), ..attribute };
        let attributes = [
            ("name".to_owned(), described(Attribute::required(Type::String))),
            ("color".to_owned(), described(Attribute::optional(Type::String))),
            ("id".to_owned(), Attribute::read_only(Type::String)),
        ];
        let mut block = Block { attributes: attributes.into(), ..Block::default() };
        if self.is(Fault::Keeps) {
            let secret = Attribute { write_only: true, ..described(Attribute::optional(Type::String)) };
            block.attributes.insert("password".to_owned(), secret);
        }
        let other = || Adopted { provider: ProviderName("other".to_owned()), ty: "other_thing".to_owned() };
        let adopts = if self.is(Fault::Drops) { vec![other()] } else { Vec::new() };
        let thing = TypeSchema { version: 0, role: None, batch: 1, adopts, block };
        let parameter =
            Parameter { name: "word".to_owned(), ty: Type::String, optional: false, description: String::new() };
        let echo = FunctionSchema { parameters: vec![parameter], variadic: None, returns: Type::String };
        Ok(Arc::new(ProviderSchema {
            managed: [("fake_thing".to_owned(), thing)].into(),
            functions: [("echo".to_owned(), echo)].into(),
            ..ProviderSchema::default()
        }))
    }

    fn validate(&self, _: &ProviderName, requests: &[ValidateRequest]) -> Vec<Diagnostics> {
        let one = |request: &ValidateRequest| {
            let is_empty = request.config.member("name").is_some_and(|name| name.as_str() == Some(""));
            match self.fault {
                Fault::Traps if is_empty => self.broken(),
                Fault::NoPlace if is_empty => vec![Diagnostic::error("no name")],
                _ if is_empty => vec![Diagnostic { path: Path::attribute("name"), ..Diagnostic::error("no name") }],
                _ => Diagnostics::new(),
            }
        };
        requests.iter().map(one).collect()
    }

    fn plan(&self, _: &ProviderName, requests: &[PlanRequest]) -> Vec<Result<Planned, Refusal>> {
        let one = |request: &PlanRequest| {
            let id = match &request.prior {
                Some(prior) => prior.value.member("id").cloned().unwrap_or(Value::NULL),
                None => Value::unknown(Type::String),
            };
            let value = with(&request.proposed, "id", id);
            let value = match self.fault {
                Fault::Random => {
                    let asked = self.asked.fetch_add(1, Ordering::Relaxed);
                    with(&value, "id", Value::from(asked.to_string()))
                }
                Fault::Lies => with(&value, "name", Value::from("another")),
                Fault::Drifts if request.prior.is_some() => with(&value, "color", Value::from("filled in")),
                _ => value,
            };
            match (self.fault, request.config.is_wholly_known()) {
                (Fault::PutsOff, true) => return Err(Refusal::Deferred("it is early".to_owned())),
                (Fault::PutsOff, false) => return Err(Refusal::Deferred(String::new())),
                (_, true | false) => {}
            }
            let value = match (self.fault, request.config.member("password")) {
                (Fault::Keeps, Some(password)) => with(&value, "password", password.clone()),
                (_, Some(_) | None) => value,
            };
            Ok(Planned { value, replace: Vec::new(), private: Vec::new() })
        };
        requests.iter().map(one).collect()
    }

    fn upgrade(&self, _: &ProviderName, _: &str, _: u64, stored: &Value) -> Result<Value, Diagnostics> {
        Ok(stored.clone())
    }

    fn adopt(&self, _: &ProviderName, _: &str, _: &Foreign) -> Result<Object, Diagnostics> {
        Err(self.broken())
    }
}

impl Functions for Fake {
    fn functions(&self, provider: &ProviderName) -> Result<Arc<ProviderSchema>, Diagnostics> {
        self.schema(provider)
    }

    fn call(&self, _: &ProviderName, _: &str, arguments: &Value) -> Result<Value, Diagnostics> {
        match self.fault {
            Fault::Traps => Err(self.broken()),
            _ => Ok(arguments.member("word").cloned().unwrap_or(Value::NULL)),
        }
    }
}

#[async_trait]
impl Lend for Fake {
    async fn open(&self, _: &ProviderKey, _: &str, _: &Address, _: &Value) -> Result<Opened, Refusal> {
        Err(vec![Diagnostic::error("nothing is lent here")].into())
    }

    async fn renew(&self, _: &ProviderKey, _: &str, _: &Address, _: Vec<u8>) -> Result<Lent, Diagnostics> {
        Err(vec![Diagnostic::error("nothing is lent here")])
    }

    async fn close(&self, _: &ProviderKey, _: &str, _: &Address, _: Vec<u8>) -> Diagnostics {
        Diagnostics::new()
    }
}

#[async_trait]
impl Operate for Fake {
    fn configure(&self, _: &ProviderKey, _: &Value) {}

    async fn read(
        &self,
        _: &ProviderKey,
        _: &str,
        objects: &[(Address, Object)],
    ) -> Vec<Result<Option<Object>, Refusal>> {
        objects.iter().map(|(_, object)| Ok(self.exists(object))).collect()
    }

    async fn probe(&self, _: &ProviderKey, _: &str, intents: &[Intent]) -> Vec<Result<Option<Object>, Diagnostics>> {
        let made = self.made.lock().unwrap();
        let lost = self.is(Fault::Loses);
        intents.iter().map(|intent| Ok(made.get(&intent.id.0).filter(|_| !lost).cloned())).collect()
    }

    async fn discover(&self, _: &ProviderKey, _: &str, _: &Address, _: &Value) -> Result<Value, Diagnostics> {
        Err(vec![Diagnostic::error("no machine")])
    }

    async fn read_data(&self, _: &ProviderKey, _: &str, _: &Address, _: &Value) -> Result<Value, Refusal> {
        Err(vec![Diagnostic::error("no data")].into())
    }

    async fn import(&self, _: &ProviderKey, _: &str, _: &Address, id: &str, _: &Value) -> Result<Object, Diagnostics> {
        let made = self.made.lock().unwrap();
        let found = made.values().find(|object| text(&object.value, "id") == id).cloned();
        found.ok_or_else(|| vec![Diagnostic::error("not there")])
    }

    async fn create(&self, _: &ProviderKey, _: &str, requests: Vec<CreateRequest>) -> Vec<Outcome> {
        let mut made = self.made.lock().unwrap();
        let one = |request: CreateRequest| {
            if let Some(there) = made.get(&request.intent.0).filter(|_| !self.is(Fault::Twice)) {
                return Outcome::Done(there.clone());
            }
            let value =
                with(&request.config, "id", Value::from(format!("t{}", self.asked.fetch_add(1, Ordering::Relaxed))));
            let value = if self.is(Fault::Breaks) { with(&value, "color", Value::from("blue")) } else { value };
            let object = Object { value, private: Vec::new() };
            made.insert(request.intent.0, object.clone());
            Outcome::Done(object)
        };
        requests.into_iter().map(one).collect()
    }

    async fn update(&self, _: &ProviderKey, _: &str, request: UpdateRequest) -> Outcome {
        let value = with(&request.config, "id", request.prior.value.member("id").cloned().unwrap());
        let object = Object { value, private: Vec::new() };
        let mut made = self.made.lock().unwrap();
        let there = made.values_mut().find(|there| there.value.member("id") == object.value.member("id"));
        if let (Some(there), false) = (there, self.is(Fault::Ignores)) {
            *there = object.clone();
        }
        Outcome::Done(object)
    }

    async fn delete(&self, _: &ProviderKey, _: &str, _: &Address, object: Object) -> Deletion {
        if !self.is(Fault::Stays) {
            self.made.lock().unwrap().retain(|_, there| there.value.member("id") != object.value.member("id"));
        }
        Deletion::Done
    }

    async fn image(&self, _: &ImageSource) -> Result<ImageIndex, Diagnostics> {
        Err(vec![Diagnostic::error("no image")])
    }

    fn allow_images(&self, _: &[ImageSource]) {}
}

fn cases() -> Cases {
    let read = |changed: bool| {
        let file = SourceFile { name: "main.bm.hcl".into(), text: CASES.into() };
        let values = [("changed".to_owned(), Value::from(changed))].into();
        let (desired, said) = desired(vec![file], Given { values, ..Given::default() }, Outside::default());
        assert_eq!(said, []);
        desired
    };
    Cases { first: read(false), changed: read(true) }
}

/// What failed, and the first thing that shows it; configurations are left out.
fn check_faults(fault: Fault) -> String {
    let fake = Fake { fault, asked: AtomicU64::new(0), made: Mutex::default() };
    let subject = Subject { answers: &fake, name: name(), version: "1.0.0".to_owned() };
    let mut report = Report::new(|_| {});
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(examine(&subject, Some(&cases()), &mut report));
    let failed = report.checks.iter().filter_map(|check| match &check.verdict {
        Verdict::Fail(findings) => {
            let finding = findings[0].split(", with ").next().unwrap();
            let finding = finding.split(" Value").next().unwrap();
            Some(format!("{}: {}\n  {finding}\n", check.about, check.name))
        }
        Verdict::Pass | Verdict::Skip(_) => None,
    });
    failed.collect()
}

#[test]
fn a_provider_that_keeps_the_contract_passes() {
    assert_eq!(check_faults(Fault::None), "");
}

#[test]
fn a_stop_is_found_with_the_smallest_configuration() {
    insta::assert_snapshot!(check_faults(Fault::Traps), @r"
    fake_thing: validating and planning answer for every value of its types
      provider `fake` 1.0.0 failed: it stopped: index out of bounds
    provider::fake::echo: it answers for all arguments of its types
      provider `fake` 1.0.0 failed: it stopped: index out of bounds
    ");
}

#[test]
fn a_mistake_without_a_place_is_found() {
    insta::assert_snapshot!(check_faults(Fault::NoPlace), @r"
    fake_thing: what is wrong is said with a place in the block
      no place is named in: no name
    ");
}

#[test]
fn chance_is_found() {
    insta::assert_snapshot!(check_faults(Fault::Random), @r#"
    fake_thing: the same question gets the same answer
      planned {"color": null, "id": null, "name": "https://example.org:8443/a?b=c#d"} twice, and the plans differ
    fake_thing: objects of one call don't change each other
      the plan for {"color": null, "id": null, "name": "https://example.org:8443/a?b=c#d"} depends on what else was asked in the same call
    fake_thing.one: what is made is what was planned
      `id` was planned otherwise than it became
    fake_thing.one: what is read is what was made, and nothing is left to do
      a second plan would change `id`: "t875" to "877"
    fake_thing.one: what is changed is what was planned, and nothing is left to do
      `id` was planned otherwise than it became
    fake_thing.one: what exists can be imported, and nothing is left to do
      a second plan would change `id`: "t875" to "880"
    "#);
}

#[test]
fn a_plan_of_something_else_is_found() {
    insta::assert_snapshot!(check_faults(Fault::Lies), @r#"
    fake_thing: a plan is what is configured, but for what is computed
      `name` of the plan for {"color": null, "id": null, "name": "https://example.org:8443/a?b=c#d"}
    fake_thing.one: what is made is what was planned
      `name` was planned otherwise than it became
    fake_thing.one: what is read is what was made, and nothing is left to do
      a second plan would change `name`: "one" to "another"
    fake_thing.one: what is changed is what was planned, and nothing is left to do
      `name` was planned otherwise than it became
    fake_thing.one: what exists can be imported, and nothing is left to do
      a second plan would change `name`: "one" to "another"
    "#);
}

#[test]
fn what_becomes_otherwise_than_planned_is_found() {
    insta::assert_snapshot!(check_faults(Fault::Breaks), @r#"
    fake_thing.one: what is made is what was planned
      `color` was planned otherwise than it became
    fake_thing.one: what is read is what was made, and nothing is left to do
      a second plan would change `color`: "blue" to "green"
    "#);
}

#[test]
fn a_lost_answer_is_found() {
    insta::assert_snapshot!(check_faults(Fault::Loses), @r"
    fake_thing.one: what was made is found by its intent, and not made twice
      a lost answer: `probe` does not find it by its intent
    ");
}

#[test]
fn what_is_made_twice_is_found() {
    insta::assert_snapshot!(check_faults(Fault::Twice), @r"
    fake_thing.one: what was made is found by its intent, and not made twice
      made again by the same intent it is something else: `id`
    fake_thing.one: what is read is what was made, and nothing is left to do
      it is there, and `read` says that it is gone
    fake_thing.one: what is changed is what was planned, and nothing is left to do
      it is there, and `read` says that it is gone
    ");
}

#[test]
fn a_plan_that_never_ends_is_found() {
    insta::assert_snapshot!(check_faults(Fault::Drifts), @r#"
    fake_thing: a plan is what is configured, but for what is computed
      `color` of the plan for {"color": null, "id": null, "name": "https://example.org:8443/a?b=c#d"}
    fake_thing.one: what is read is what was made, and nothing is left to do
      a second plan would change `color`: "green" to "filled in"
    fake_thing.one: what is changed is what was planned, and nothing is left to do
      `color` was planned otherwise than it became
    fake_thing.one: what exists can be imported, and nothing is left to do
      a second plan would change `color`: "red" to "filled in"
    "#);
}

#[test]
fn a_change_that_is_not_made_is_found() {
    insta::assert_snapshot!(check_faults(Fault::Ignores), @r#"
    fake_thing.one: what is changed is what was planned, and nothing is left to do
      it is read as something else: `color`
    fake_thing.one: what exists can be imported, and nothing is left to do
      a second plan would change `color`: "green" to "red"
    "#);
}

#[test]
fn what_is_not_removed_is_found() {
    insta::assert_snapshot!(check_faults(Fault::Stays), @r"
    fake_thing.one: what is removed is gone, and can be removed again
      it was removed, and `read` still finds it
    ");
}

#[test]
fn what_is_put_off_for_nothing_is_found() {
    insta::assert_snapshot!(check_faults(Fault::PutsOff), @r#"
    fake_thing: what is put off has a reason, and lacks something that is known later
      all is known, and still it can't say yet (it is early): {"color": null, "id": null, "name": "https://example.org:8443/a?b=c#d"}
    fake_thing.one: what is made is what was planned
      this can't be said yet: it is early
    "#);
}

#[test]
fn what_is_kept_though_it_is_write_only_is_found() {
    insta::assert_snapshot!(check_faults(Fault::Keeps), @r#"
    fake_thing: a plan is what is configured, but for what is computed
      `password` of the plan for {"color": "tab\there", "id": null, "name": "ünïcödé → 木", "password": "tab\there"}
    fake_thing: what is write-only is in no plan
      `password` is in the plan for {"color": "tab\there", "id": null, "name": "ünïcödé → 木", "password": "tab\there"}
    "#);
}

#[test]
fn who_stops_where_something_is_to_be_taken_over_is_found() {
    insta::assert_snapshot!(check_faults(Fault::Drops), @r"
    fake_thing: what it adopts is one of it, or is refused
      provider `fake` 1.0.0 failed: it stopped: index out of bounds
    ");
}
