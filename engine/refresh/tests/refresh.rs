//! What is asked of providers, and what is made of their answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bimetal_model::event::Silent;
use bimetal_model::image::{ImageIndex, ImageSource};
use bimetal_model::placement::Placement;
use bimetal_model::port::{
    CreateRequest, Deletion, Foreign, Lend, Lent, Opened, Operate, Outcome, PlanRequest, Planned, Predict, Refusal,
    UpdateRequest, ValidateRequest,
};
use bimetal_model::question::{Answers, Inquiry, Question};
use bimetal_model::schema::{Block, ProviderSchema, Role, TypeSchema};
use bimetal_model::snapshot::{Effect, Intent, IntentId, Object, Snapshot, Stored};
use bimetal_model::{Address, Diagnostic, Diagnostics, ProviderKey, ProviderName, Value};
use bimetal_refresh::{Calls, answer, answer_offline, believe, refresh, remember};

type World = BTreeMap<String, Result<Option<Object>, String>>;

/// Answers from a table: by address when reading, by intent when probing. What is not in it is gone.
#[derive(Default)]
struct Fake {
    world: World,
    calls: Mutex<Vec<String>>,
    /// What each object was when it was read.
    seen: Mutex<Vec<String>>,
    /// Of the volume's schema.
    version: u64,
    /// How many calls run, and ran at most.
    running: AtomicUsize,
    most: AtomicUsize,
}

impl Fake {
    fn answer(&self, key: &str) -> Result<Option<Object>, Diagnostics> {
        let found = self.world.get(key).cloned().unwrap_or(Ok(None));
        found.map_err(|message| vec![Diagnostic::error(message)])
    }

    fn called(&self) -> Vec<String> {
        let mut calls = self.calls.lock().unwrap().clone();
        calls.sort();
        calls
    }
}

#[async_trait]
impl Operate for Fake {
    fn configure(&self, _: &ProviderKey, _: &Value) {}
    async fn read(
        &self,
        provider: &ProviderKey,
        ty: &str,
        objects: &[(Address, Object)],
    ) -> Vec<Result<Option<Object>, Refusal>> {
        self.calls.lock().unwrap().push(format!("read {provider} {ty} {}", objects.len()));
        let seen = objects.iter().map(|(address, object)| format!("{address} {:?}", object.value));
        self.seen.lock().unwrap().extend(seen);
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(running, Ordering::Relaxed);
        // All that may run get their turn.
        tokio::task::yield_now().await;
        self.running.fetch_sub(1, Ordering::Relaxed);
        let answer = |(address, _): &(Address, Object)| {
            let said = self.answer(&address.to_string());
            said.map_err(|said| match said[0].summary.strip_prefix("later: ") {
                Some(why) => Refusal::Deferred(why.to_owned()),
                None => Refusal::Failed(said),
            })
        };
        objects.iter().map(answer).collect()
    }
    async fn probe(
        &self,
        provider: &ProviderKey,
        ty: &str,
        intents: &[Intent],
    ) -> Vec<Result<Option<Object>, Diagnostics>> {
        self.calls.lock().unwrap().push(format!("probe {provider} {ty} {}", intents.len()));
        intents.iter().map(|intent| self.answer(&intent.id.0)).collect()
    }
    async fn discover(&self, _: &ProviderKey, _: &str, address: &Address, _: &Value) -> Result<Value, Diagnostics> {
        Ok(Value::from(format!("facts of {address}")))
    }
    async fn read_data(&self, _: &ProviderKey, _: &str, _: &Address, _: &Value) -> Result<Value, Refusal> {
        Err(vec![Diagnostic::error("no such thing")].into())
    }
    async fn import(&self, _: &ProviderKey, _: &str, _: &Address, id: &str, _: &Value) -> Result<Object, Diagnostics> {
        self.answer(id).map(|found| found.expect("it is there"))
    }
    async fn create(&self, _: &ProviderKey, _: &str, _: Vec<CreateRequest>) -> Vec<Outcome> {
        unreachable!("refresh changes nothing")
    }
    async fn update(&self, _: &ProviderKey, _: &str, _: UpdateRequest) -> Outcome {
        unreachable!("refresh changes nothing")
    }
    async fn delete(&self, _: &ProviderKey, _: &str, _: &Address, _: Object) -> Deletion {
        unreachable!("refresh changes nothing")
    }
    async fn image(&self, source: &ImageSource) -> Result<ImageIndex, Diagnostics> {
        Ok(ImageIndex { digest: source.to_string(), manifests: Vec::new() })
    }
    fn allow_images(&self, _: &[ImageSource]) {}
}

#[async_trait]
impl Lend for Fake {
    async fn open(&self, _: &ProviderKey, _: &str, _: &Address, _: &Value) -> Result<Opened, Refusal> {
        Err(vec![Diagnostic::error("nothing is lent here")].into())
    }
    async fn renew(&self, _: &ProviderKey, _: &str, _: &Address, _: Vec<u8>) -> Result<Lent, Diagnostics> {
        unreachable!("nothing is lent here")
    }
    async fn close(&self, _: &ProviderKey, _: &str, _: &Address, _: Vec<u8>) -> Diagnostics {
        unreachable!("nothing is lent here")
    }
}

/// Volumes of the second version have a `note` that was called `comment`; containers are as they were.
impl Predict for Fake {
    fn providers(&self) -> Vec<ProviderName> {
        vec![ProviderName("docker".to_owned())]
    }
    fn schema(&self, _: &ProviderName) -> Result<Arc<ProviderSchema>, Diagnostics> {
        let ty = |version| TypeSchema { version, role: None, batch: 1, adopts: Vec::new(), block: Block::default() };
        let machine = |batch| TypeSchema { role: Some(Role::Machine), batch, ..ty(0) };
        let managed = [
            ("docker_volume".to_owned(), ty(self.version)),
            ("docker_container".to_owned(), ty(0)),
            ("docker_machine".to_owned(), machine(1)),
            ("cloud_machine".to_owned(), machine(10)),
        ];
        let managed = managed.into();
        Ok(Arc::new(ProviderSchema { managed, ..ProviderSchema::default() }))
    }
    fn validate(&self, _: &ProviderName, _: &[ValidateRequest]) -> Vec<Diagnostics> {
        unreachable!("refresh plans nothing")
    }
    fn plan(&self, _: &ProviderName, _: &[PlanRequest]) -> Vec<Result<Planned, Refusal>> {
        unreachable!("refresh plans nothing")
    }
    fn upgrade(&self, _: &ProviderName, ty: &str, version: u64, stored: &Value) -> Result<Value, Diagnostics> {
        self.calls.lock().unwrap().push(format!("upgrade {ty} {version}"));
        let comment = stored.member("comment").cloned().ok_or_else(|| vec![Diagnostic::error("it has no comment")])?;
        let secret = stored.member("secret").cloned().unwrap_or(Value::NULL);
        let value: Value = [("note", comment), ("secret", secret)].into_iter().collect();
        // As from a guest: without marks.
        Ok(value.without_marks())
    }

    fn adopt(&self, _: &ProviderName, _: &str, _: &Foreign) -> Result<Object, Diagnostics> {
        unreachable!("nothing becomes another type here")
    }
}

fn calls(fake: &Fake) -> Calls<'_> {
    Calls { predict: fake, operate: fake, lend: fake, notify: &Silent, parallelism: Calls::PARALLELISM }
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn object(note: Value) -> Object {
    Object { value: [("note", note)].into_iter().collect(), private: vec![1] }
}

fn placement(machine: &str) -> Box<Placement> {
    Box::new(Placement {
        replica: address("service.web.replica[0]"),
        machine: address(machine),
        platform: "linux/amd64".parse().unwrap(),
        image: "i".to_owned(),
        reason: String::new(),
        generation: 0,
    })
}

fn stored(ty: &str, machine: Option<&str>) -> Stored {
    Stored {
        provider: ProviderKey::default_of("docker"),
        ty: ty.to_owned(),
        schema_version: 0,
        object: object("a".into()),
        depends_on: Vec::new(),
        placement: machine.map(placement),
        tainted: false,
        unfinished: None,
        prevent_destroy: false,
    }
}

fn intent(id: &str, address: &str, effect: Effect) -> Intent {
    Intent {
        id: IntentId(id.to_owned()),
        address: self::address(address),
        provider: ProviderKey::default_of("docker"),
        ty: "docker_volume".to_owned(),
        effect,
        config: [("note", Value::from("a").into_sensitive())].into_iter().collect(),
        depends_on: vec![self::address("machine.docker.a")],
        placement: None,
    }
}

fn snapshot(objects: Vec<(String, Stored)>, intents: Vec<Intent>) -> Snapshot {
    let objects = objects.into_iter().map(|(text, stored)| (address(&text), stored.into())).collect();
    Snapshot {
        lineage: "l".to_owned().into(),
        serial: 7,
        objects,
        intents,
        outputs: BTreeMap::new(),
        ..Snapshot::default()
    }
}

fn world<const N: usize>(answers: [(&str, Result<Option<Object>, String>); N]) -> Fake {
    let world = answers.into_iter().map(|(key, answer)| (key.to_owned(), answer)).collect();
    Fake { world, ..Fake::default() }
}

#[tokio::test]
async fn what_changed_or_went_is_drift() {
    let fake = world([
        ("docker_volume.same", Ok(Some(object("a".into())))),
        ("docker_volume.changed", Ok(Some(object("b".into())))),
    ]);
    let names = ["same", "changed", "gone"].map(|name| format!("docker_volume.{name}"));
    let objects = names.map(|name| (name, stored("docker_volume", None))).to_vec();
    let (observed, diagnostics) = refresh(&snapshot(objects, vec![]), None, &calls(&fake)).await;
    assert_eq!(diagnostics, []);
    assert_eq!(observed.lineage.state, "l");
    let drift: Vec<_> = observed.drift.iter().map(|d| (d.address.to_string(), d.after.is_some())).collect();
    assert_eq!(drift, [("docker_volume.changed".to_owned(), true), ("docker_volume.gone".to_owned(), false)]);
    assert_eq!(observed.objects[&address("docker_volume.changed")].object, object("b".into()));
    assert!(!observed.objects.contains_key(&address("docker_volume.gone")));
}

#[tokio::test]
async fn what_was_sensitive_stays_so() {
    let fake = world([("docker_volume.a", Ok(Some(object("new".into()))))]);
    let secret = Stored { object: object(Value::from("old").into_sensitive()), ..stored("docker_volume", None) };
    let snapshot = snapshot(vec![("docker_volume.a".to_owned(), secret)], vec![]);
    let (observed, _) = refresh(&snapshot, None, &calls(&fake)).await;
    let value = &observed.objects[&address("docker_volume.a")].object.value;
    assert_eq!(
        format!("{value:?} {:?}", observed.drift[0].after),
        r#"{"note": (sensitive)} Some({"note": (sensitive)})"#
    );
}

#[tokio::test]
async fn one_call_reads_many_of_one_machine() {
    let fake = Fake::default();
    let mut objects = Vec::new();
    for place in 0..120 {
        objects.push((format!("docker_volume.v[{place}]"), stored("docker_volume", None)));
    }
    for place in 0..4 {
        let machine = if place < 3 { "machine.docker.a" } else { "machine.docker.b" };
        objects.push((format!("service.web.replica[{place}]"), stored("docker_container", Some(machine))));
    }
    refresh(&snapshot(objects, vec![]), None, &calls(&fake)).await;
    assert_eq!(
        fake.called(),
        [
            "read docker docker_container 1",
            "read docker docker_container 3",
            "read docker docker_volume 20",
            "read docker docker_volume 50",
            "read docker docker_volume 50",
        ]
    );
}

#[tokio::test]
async fn what_can_not_be_read_yet_is_as_it_is_remembered() {
    let late = ("docker_volume.late".to_owned(), Err("later: the sun is not up".to_owned()));
    let fake = Fake { world: [late].into(), ..Fake::default() };
    let objects = ["late", "gone"].map(|name| (format!("docker_volume.{name}"), stored("docker_volume", None)));
    let (observed, said) = refresh(&snapshot(objects.to_vec(), vec![]), None, &calls(&fake)).await;
    assert_eq!(said, []);
    assert_eq!(observed.deferred, [(address("docker_volume.late"), "the sun is not up".to_owned())].into());
    assert!(observed.objects.contains_key(&address("docker_volume.late")));
    assert!(!observed.objects.contains_key(&address("docker_volume.gone")), "the rest is looked at all the same");
}

#[tokio::test]
async fn machines_are_read_alone_unless_one_api_knows_them_all() {
    let fake = Fake::default();
    let mut objects = Vec::new();
    for place in 0..3 {
        objects.push((format!("machine.docker.m[{place}]"), stored("docker_machine", None)));
        objects.push((format!("machine.cloud.m[{place}]"), stored("cloud_machine", None)));
    }
    refresh(&snapshot(objects, vec![]), None, &calls(&fake)).await;
    let alone = "read docker docker_machine 1";
    assert_eq!(fake.called(), ["read docker cloud_machine 3", alone, alone, alone]);
}

#[tokio::test]
async fn a_dead_machine_is_told_once_and_fails_alone() {
    let fake = world([
        ("service.web.replica[0]", Err("connection refused".to_owned())),
        ("service.web.replica[1]", Err("connection refused".to_owned())),
        ("service.web.replica[2]", Ok(Some(object("b".into())))),
    ]);
    let container = |machine| stored("docker_container", Some(machine));
    let objects = vec![
        ("service.web.replica[0]".to_owned(), container("machine.docker.dead")),
        ("service.web.replica[1]".to_owned(), container("machine.docker.dead")),
        ("service.web.replica[2]".to_owned(), container("machine.docker.fine")),
    ];
    let (observed, diagnostics) = refresh(&snapshot(objects, vec![]), None, &calls(&fake)).await;
    let [diagnostic] = diagnostics.as_slice() else { panic!("{diagnostics:?}") };
    assert_eq!(diagnostic.summary, "the engine of `machine.docker.dead` does not say what became of 2 things there");
    assert_eq!(diagnostic.detail, "connection refused");
    assert!(diagnostic.hint.is_some());
    assert_eq!(observed.objects.len(), 3, "what could not be read is believed");
    assert_eq!(observed.drift.len(), 1);
}

/// As `stored`, with the engine that it has or is on.
fn with_engine(stored: Stored, engine: &str) -> Stored {
    let handle = Value::from(bimetal_model::Data::Handle(engine.into()));
    let value = [("note", Value::from("a")), ("engine", handle)].into_iter().collect();
    Stored { object: Object { value, private: Vec::new() }, ..stored }
}

#[tokio::test]
async fn a_silent_machine_and_what_is_on_it_is_no_failure_of_others() {
    let refused = || Err("connection refused".to_owned());
    let fake = world([
        ("machine.docker.dead", refused()),
        ("docker_volume.there", refused()),
        ("service.web.replica[0]", refused()),
        ("x", refused()),
        ("docker_volume.here", Ok(Some(object("b".into())))),
        ("machine.docker.fine", Ok(Some(object("b".into())))),
    ]);
    let objects = vec![
        ("machine.docker.dead".to_owned(), with_engine(stored("docker_machine", None), "dead")),
        ("machine.docker.fine".to_owned(), with_engine(stored("docker_machine", None), "fine")),
        ("docker_volume.there".to_owned(), with_engine(stored("docker_volume", None), "dead")),
        ("docker_volume.here".to_owned(), with_engine(stored("docker_volume", None), "fine")),
        ("service.web.replica[0]".to_owned(), stored("docker_container", Some("machine.docker.dead"))),
    ];
    let placement = Some(placement("machine.docker.dead"));
    let intent = Intent { placement, ..intent("x", "service.web.replica[1]", Effect::Create) };
    let (observed, diagnostics) = refresh(&snapshot(objects, vec![intent.clone()]), None, &calls(&fake)).await;
    assert_eq!(diagnostics, []);
    let silent: Vec<_> = observed.silent.keys().map(ToString::to_string).collect();
    assert_eq!(silent, ["machine.docker.dead"]);
    assert_eq!(observed.silent[&address("machine.docker.dead")].len(), 4, "all that was said of it");
    assert_eq!((observed.open, observed.resolved), (vec![intent], vec![]), "only the machine could tell");
    assert_eq!(observed.objects.len(), 5, "what is there is believed");
    assert_eq!(observed.drift.len(), 2);
    let reads = fake.called().iter().filter(|call| call.starts_with("read docker docker_volume")).count();
    assert_eq!(reads, 2, "nobody waits for a dead machine who is on another one");
}

#[tokio::test]
async fn one_thing_that_can_not_be_read_is_no_silent_machine() {
    let fake = world([
        ("service.web.replica[0]", Err("out of memory".to_owned())),
        ("service.web.replica[1]", Ok(Some(object("a".into())))),
        ("machine.docker.a", Ok(Some(object("a".into())))),
    ]);
    let objects = vec![
        ("machine.docker.a".to_owned(), stored("docker_machine", None)),
        ("service.web.replica[0]".to_owned(), stored("docker_container", Some("machine.docker.a"))),
        ("service.web.replica[1]".to_owned(), stored("docker_container", Some("machine.docker.a"))),
    ];
    let (observed, diagnostics) = refresh(&snapshot(objects, vec![]), None, &calls(&fake)).await;
    assert_eq!((diagnostics.len(), observed.silent.len()), (1, 0));
    assert_eq!(diagnostics[0].address, Some(address("service.web.replica[0]")));
}

#[tokio::test]
async fn what_was_on_a_machine_that_is_gone_is_gone_too() {
    let fake = world([
        ("service.web.replica[0]", Err("connection refused".to_owned())),
        ("x", Err("connection refused".to_owned())),
    ]);
    let objects = vec![
        ("machine.docker.gone".to_owned(), stored("docker_machine", None)),
        ("service.web.replica[0]".to_owned(), stored("docker_container", Some("machine.docker.gone"))),
    ];
    let placement = Some(placement("machine.docker.gone"));
    let intent = Intent { placement, ..intent("x", "service.web.replica[1]", Effect::Create) };
    let (observed, diagnostics) = refresh(&snapshot(objects, vec![intent.clone()]), None, &calls(&fake)).await;
    assert_eq!(diagnostics, []);
    assert!(observed.objects.is_empty());
    assert_eq!(observed.drift.len(), 2);
    assert_eq!(observed.resolved, [(intent, None)]);
}

#[tokio::test]
async fn an_unfinished_creation_is_taken_in_or_dropped() {
    let fake = world([("there", Ok(Some(object("a".into()))))]);
    let intents = vec![
        intent("there", "docker_volume.there", Effect::Create),
        intent("absent", "docker_volume.absent", Effect::Create),
        intent("update", "docker_volume.u", Effect::Update),
        intent("delete", "docker_volume.d", Effect::Delete),
    ];
    for is_refreshed in [true, false] {
        let snapshot = snapshot(vec![], intents.clone());
        let (observed, diagnostics) = match is_refreshed {
            true => refresh(&snapshot, None, &calls(&fake)).await,
            false => believe(&snapshot, None, &calls(&fake)).await,
        };
        assert_eq!(diagnostics, []);
        let mut resolved: Vec<_> = observed.resolved.iter().map(|(i, o)| (i.id.0.as_str(), o.is_some())).collect();
        resolved.sort_unstable();
        assert_eq!(resolved, [("absent", false), ("delete", false), ("there", true), ("update", false)]);
        let taken = &observed.objects[&address("docker_volume.there")];
        assert_eq!(observed.objects.len(), 1);
        assert_eq!(taken.unfinished, Some(intents[0].clone().into()));
        assert_eq!(taken.depends_on, [address("machine.docker.a")]);
        assert_eq!(format!("{:?}", taken.object.value), r#"{"note": (sensitive)}"#);
        assert_eq!(observed.drift, []);
    }
    assert_eq!(fake.called(), ["probe docker docker_volume 2"; 2]);
}

#[tokio::test]
async fn an_intent_that_can_not_be_probed_stays_and_is_told() {
    let fake = world([("x", Err("connection refused".to_owned()))]);
    let snapshot = snapshot(vec![], vec![intent("x", "docker_volume.a", Effect::Create)]);
    let (observed, diagnostics) = refresh(&snapshot, None, &calls(&fake)).await;
    assert_eq!(diagnostics[0].address, Some(address("docker_volume.a")));
    assert_eq!(observed.resolved, []);
}

fn outdated(comment: &str) -> Stored {
    let value = [("comment", Value::from(comment)), ("secret", Value::from("s").into_sensitive())];
    let object = Object { value: value.into_iter().collect(), private: Vec::new() };
    Stored { object, ..stored("docker_volume", None) }
}

#[tokio::test]
async fn what_is_remembered_is_upgraded_before_it_is_read() {
    let fake = Fake { version: 2, ..world([("docker_volume.old", Ok(Some(object("a".into()))))]) };
    let objects = vec![("docker_volume.old".to_owned(), outdated("a"))];
    let snapshot = snapshot(objects, vec![]);
    let (observed, diagnostics) = refresh(&snapshot, None, &calls(&fake)).await;
    assert_eq!(diagnostics, []);
    assert_eq!(fake.called(), ["read docker docker_volume 1", "upgrade docker_volume 0"]);
    assert_eq!(*fake.seen.lock().unwrap(), [r#"docker_volume.old {"note": "a", "secret": (sensitive)}"#]);
    assert_eq!(observed.objects[&address("docker_volume.old")].schema_version, 2);
    let (believed, _) = believe(&snapshot, None, &calls(&fake)).await;
    assert_eq!(believed.objects[&address("docker_volume.old")].schema_version, 2);
}

#[tokio::test]
async fn what_can_not_be_upgraded_is_believed_and_told() {
    let fake = Fake { version: 2, ..Fake::default() };
    let newer = Stored { schema_version: 3, ..stored("docker_volume", None) };
    let objects = vec![
        ("docker_volume.broken".to_owned(), stored("docker_volume", None)),
        ("docker_volume.newer".to_owned(), newer),
    ];
    let (observed, diagnostics) = refresh(&snapshot(objects, vec![]), None, &calls(&fake)).await;
    let told: Vec<_> = diagnostics.iter().map(|said| said.summary.as_str()).collect();
    let newer = "`docker_volume.newer` was made by a newer version of the provider `docker`";
    assert_eq!(told, ["it has no comment", newer]);
    assert_eq!(diagnostics[0].address, Some(address("docker_volume.broken")));
    assert_eq!(observed.objects.len(), 2);
    assert_eq!(fake.called(), ["upgrade docker_volume 0"], "neither was read");
}

#[tokio::test]
async fn what_probing_finds_is_of_the_present_version() {
    let fake = Fake { version: 2, ..world([("there", Ok(Some(object("a".into()))))]) };
    let snapshot = snapshot(vec![], vec![intent("there", "docker_volume.there", Effect::Create)]);
    let (observed, _) = refresh(&snapshot, None, &calls(&fake)).await;
    assert_eq!(observed.objects[&address("docker_volume.there")].schema_version, 2);
}

#[tokio::test]
async fn every_question_is_answered() {
    let inquiry = |text: &str| Inquiry {
        address: address(text),
        provider: ProviderKey::default_of("docker"),
        ty: "t".to_owned(),
        config: Value::NULL,
    };
    let source: ImageSource = "nginx".parse().unwrap();
    let questions = vec![
        Question::Facts(inquiry("machine.docker.a")),
        Question::Data(inquiry("data.docker_engine.a")),
        Question::Image(source.clone()),
    ];
    let mut answers = Answers::default();
    answer(questions, &mut answers, &calls(&Fake::default())).await;
    assert_eq!(answers.facts[&address("machine.docker.a")], Ok(Value::from("facts of machine.docker.a")));
    let failure = answers.data[&address("data.docker_engine.a")].clone().unwrap_err().diagnostics();
    assert_eq!(failure[0].address, Some(address("data.docker_engine.a")));
    assert_eq!(answers.images[&source].as_ref().unwrap().digest, "nginx");
}

#[tokio::test]
async fn what_a_plan_is_not_about_is_not_read() {
    let fake = world([("docker_volume.a", Ok(Some(object("new".into()))))]);
    let names = ["a", "b"].map(|name| format!("docker_volume.{name}"));
    let snapshot = snapshot(names.map(|name| (name, stored("docker_volume", None))).to_vec(), vec![]);
    let only = [address("docker_volume.a")].into();
    let (observed, diagnostics) = refresh(&snapshot, Some(&only), &calls(&fake)).await;
    assert_eq!((diagnostics, fake.called()), (vec![], vec!["read docker docker_volume 1".to_owned()]));
    assert_eq!(observed.drift.len(), 1);
    assert_eq!(observed.objects[&address("docker_volume.b")].object, object("a".into()));
}

#[tokio::test]
async fn a_machine_that_is_left_out_is_not_asked_what_began_there() {
    let fake = Fake::default();
    let machine = vec![("machine.docker.a".to_owned(), stored("docker_machine", None))];
    let there = Intent {
        placement: Some(placement("machine.docker.a")),
        ..intent("i", "service.web.replica[0]", Effect::Create)
    };
    let snapshot = snapshot(machine, vec![there, intent("j", "docker_volume.b", Effect::Create)]);
    let (observed, _) = refresh(&snapshot, Some(&[].into()), &calls(&fake)).await;
    assert_eq!(fake.called(), ["probe docker docker_volume 1"]);
    assert_eq!(observed.resolved.len(), 1);
}

#[tokio::test]
async fn no_more_calls_run_than_may() {
    let fake = Fake::default();
    let machines = (0..6).map(|place| (format!("machine.docker.m[{place}]"), stored("docker_machine", None)));
    let snapshot = snapshot(machines.collect(), vec![]);
    for most in [1, 2, 6] {
        let calls = Calls { parallelism: most, ..calls(&fake) };
        fake.most.store(0, Ordering::Relaxed);
        refresh(&snapshot, None, &calls).await;
        assert_eq!(fake.most.load(Ordering::Relaxed), most);
    }
}

#[test]
fn offline_only_what_is_remembered_is_known() {
    let fake = Fake::default();
    let inquiry = |text: &str, ty: &str| Inquiry {
        address: address(text),
        provider: ProviderKey::default_of("docker"),
        ty: ty.to_owned(),
        config: Value::NULL,
    };
    let machine = vec![("machine.docker.a".to_owned(), stored("docker_machine", None))];
    let unfinished = vec![intent("i", "docker_volume.b", Effect::Create)];
    let questions = vec![
        Question::Facts(inquiry("machine.docker.a", "docker_machine")),
        Question::Facts(inquiry("machine.docker.b", "docker_machine")),
        Question::Data(inquiry("data.docker_engine.a", "docker_engine")),
        Question::Import(inquiry("docker_volume.c", "docker_volume"), "c".to_owned()),
        Question::Image("nginx".parse().unwrap()),
    ];
    let mut answers = Answers::default();
    answer_offline(questions, &mut answers, &snapshot(machine.clone(), vec![]));
    assert_eq!(answers.facts[&address("machine.docker.a")], Ok(object("a".into()).value));
    let facts = answers.facts[&address("machine.docker.b")].clone().unwrap_err();
    let data = answers.data.into_values().map(|data| data.unwrap_err().diagnostics());
    let images = answers.images.into_values().map(Result::unwrap_err);
    let imports = answers.imports.into_values().map(Result::unwrap_err);
    let (_, intents) = remember(&snapshot(machine, unfinished), &fake);
    let said = [facts].into_iter().chain(data).chain(images).chain(imports).chain([intents]).flatten();
    let said: Vec<String> = said.map(|diagnostic| diagnostic.summary).collect();
    assert_eq!(
        said,
        [
            "the kind of the machine `machine.docker.b` is not known offline",
            "what `data.docker_engine.a` says is not known offline",
            "what the image `nginx` offers is not known offline",
            "`c`, which is to become `docker_volume.c`, is not known offline",
            "what became of `docker_volume.b` is not known offline",
        ]
    );
    assert!(fake.called().is_empty());
}
