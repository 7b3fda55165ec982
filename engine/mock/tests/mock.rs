//! What mocks answer: what follows from schemas, and what a test says.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bimetal_mock::{Doubles, Mock, Mocked, Override, Owner, Values, When};
use bimetal_model::image::{ImageIndex, ImageSource};
use bimetal_model::port::*;
use bimetal_model::schema::{Attribute, Block, NestedBlock, ProviderSchema, Role, TypeSchema};
use bimetal_model::snapshot::{Intent, IntentId, Object};
use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, ProviderKey, ProviderName, Span, Type, Value};
use insta::assert_snapshot;

/// A provider that is asked nothing by mocks but its schema and what it finds wrong; it tells what else it was asked.
#[derive(Default)]
struct Real {
    asked: Mutex<Vec<String>>,
}

impl Real {
    fn asked(&self, what: &str, addresses: impl IntoIterator<Item = Address>) -> usize {
        let names: Vec<String> = addresses.into_iter().map(|address| address.to_string()).collect();
        self.asked.lock().unwrap().push(format!("{what} {}", names.join(" ")));
        names.len()
    }
}

fn schema() -> ProviderSchema {
    let attribute = |name: &str, attribute: Attribute| (name.to_owned(), attribute);
    let computed = |ty: Type| Attribute { computed: true, ..Attribute::optional(ty) };
    let port = Block {
        attributes: [
            attribute("container", Attribute::required(Type::Number)),
            attribute("host", computed(Type::Number)),
        ]
        .into(),
        ..Block::default()
    };
    let thing = Block {
        attributes: [
            attribute("name", Attribute { force_new: true, ..Attribute::required(Type::String) }),
            attribute("note", Attribute::optional(Type::String)),
            attribute("id", Attribute::read_only(Type::String)),
            attribute("size", computed(Type::Number)),
            attribute("ready", Attribute::read_only(Type::Bool)),
            attribute("tags", Attribute::read_only(Type::list(Type::String))),
            attribute("zones", Attribute::read_only(Type::set(Type::String))),
            attribute("labels", computed(Type::map(Type::String))),
            attribute("inner", Attribute::read_only(Type::object([("a", Type::String), ("b", Type::Number)]))),
            attribute("handle", Attribute::read_only(Type::Handle)),
        ]
        .into(),
        blocks: [("port".to_owned(), NestedBlock { block: port, ..NestedBlock::default() })].into(),
    };
    let machine = Block {
        attributes: [
            attribute("host", Attribute::required(Type::String)),
            attribute("platform", computed(Type::String)),
            attribute("cpus", Attribute::read_only(Type::Number)),
            attribute("memory", Attribute::read_only(Type::Number)),
            attribute("labels", computed(Type::map(Type::String))),
            attribute("address", Attribute::read_only(Type::String)),
            attribute("engine", Attribute::read_only(Type::Handle)),
        ]
        .into(),
        ..Block::default()
    };
    let of = |role, block| TypeSchema { version: 0, role, batch: 1, adopts: Vec::new(), block };
    let answer = Block {
        attributes: [
            attribute("name", Attribute::required(Type::String)),
            attribute("id", Attribute::read_only(Type::String)),
        ]
        .into(),
        ..Block::default()
    };
    ProviderSchema {
        provider: Block {
            attributes: [attribute("token", Attribute::required(Type::String))].into(),
            ..Block::default()
        },
        managed: [
            ("a_thing".to_owned(), of(None, thing)),
            ("a_machine".to_owned(), of(Some(Role::Machine), machine)),
            ("a_container".to_owned(), of(Some(Role::ContainerRuntime), Block::default())),
        ]
        .into(),
        data: [("a_answer".to_owned(), of(None, answer))].into(),
        ..ProviderSchema::default()
    }
}

impl Predict for Real {
    fn providers(&self) -> Vec<ProviderName> {
        vec![ProviderName("a".to_owned())]
    }

    fn schema(&self, _: &ProviderName) -> Result<Arc<ProviderSchema>, Diagnostics> {
        Ok(Arc::new(schema()))
    }

    fn validate(&self, _: &ProviderName, requests: &[ValidateRequest]) -> Vec<Diagnostics> {
        let said = |request: &ValidateRequest| Diagnostic::error(format!("`{}` is validated", request.address));
        requests.iter().map(|request| vec![said(request)]).collect()
    }

    fn plan(&self, _: &ProviderName, requests: &[PlanRequest]) -> Vec<Result<Planned, Refusal>> {
        self.asked("plan", requests.iter().map(|request| request.address.clone()));
        let real = |request: &PlanRequest| {
            Ok(Planned { value: request.config.clone(), replace: Vec::new(), private: vec![7] })
        };
        requests.iter().map(real).collect()
    }

    fn upgrade(&self, _: &ProviderName, _: &str, _: u64, stored: &Value) -> Result<Value, Diagnostics> {
        Ok(stored.clone())
    }

    fn adopt(&self, _: &ProviderName, _: &str, _: &Foreign) -> Result<Object, Diagnostics> {
        unreachable!("nothing becomes another type here")
    }
}

#[async_trait]
impl Operate for Real {
    fn configure(&self, provider: &ProviderKey, _: &Value) {
        self.asked.lock().unwrap().push(format!("configure {provider}"));
    }

    async fn read(
        &self,
        _: &ProviderKey,
        _: &str,
        objects: &[(Address, Object)],
    ) -> Vec<Result<Option<Object>, Refusal>> {
        let count = self.asked("read", objects.iter().map(|(address, _)| address.clone()));
        vec![Ok(None); count]
    }

    async fn import(
        &self,
        _: &ProviderKey,
        _: &str,
        address: &Address,
        _: &str,
        _: &Value,
    ) -> Result<Object, Diagnostics> {
        self.asked("import", [address.clone()]);
        Err(Diagnostics::new())
    }

    async fn probe(&self, _: &ProviderKey, _: &str, intents: &[Intent]) -> Vec<Result<Option<Object>, Diagnostics>> {
        let count = self.asked("probe", intents.iter().map(|intent| intent.address.clone()));
        vec![Ok(None); count]
    }

    async fn discover(&self, _: &ProviderKey, _: &str, address: &Address, _: &Value) -> Result<Value, Diagnostics> {
        self.asked("discover", [address.clone()]);
        Err(Diagnostics::new())
    }

    async fn read_data(&self, _: &ProviderKey, _: &str, address: &Address, _: &Value) -> Result<Value, Refusal> {
        self.asked("read_data", [address.clone()]);
        Err(Diagnostics::new().into())
    }

    async fn create(&self, _: &ProviderKey, _: &str, requests: Vec<CreateRequest>) -> Vec<Outcome> {
        let count = self.asked("create", requests.iter().map(|request| request.address.clone()));
        vec![Outcome::Failed { diagnostics: Diagnostics::new(), so_far: None }; count]
    }

    async fn update(&self, _: &ProviderKey, _: &str, request: UpdateRequest) -> Outcome {
        self.asked("update", [request.address]);
        Outcome::Failed { diagnostics: Diagnostics::new(), so_far: None }
    }

    async fn delete(&self, _: &ProviderKey, _: &str, address: &Address, _: Object) -> Deletion {
        self.asked("delete", [address.clone()]);
        Deletion::Failed(Diagnostics::new())
    }

    async fn image(&self, source: &ImageSource) -> Result<ImageIndex, Diagnostics> {
        self.asked.lock().unwrap().push(format!("image {source}"));
        Err(Diagnostics::new())
    }

    fn allow_images(&self, _: &[ImageSource]) {}
}

fn a() -> ProviderKey {
    ProviderKey::default_of("a")
}

fn thing(name: &str) -> Address {
    Address::new(BlockKind::Resource, "a_thing", name)
}

fn machine() -> Address {
    Address::new(BlockKind::Machine, "a", "m")
}

fn span() -> Span {
    Span { file: "a.bmtest.hcl".into(), range: 0..1 }
}

fn values(members: &[(&str, Value)], known: When) -> Values {
    Values { value: members.iter().cloned().collect(), known, span: span() }
}

fn mocked(mock: Mock, overrides: Vec<Override>) -> Mocked<Real> {
    Mocked::new(Arc::new(Real::default()), Doubles { mocks: [(a(), mock)].into(), overrides, owners: owners() })
}

fn owners() -> std::collections::BTreeMap<Address, Owner> {
    let owner = |ty: &str| Owner { provider: a(), ty: ty.to_owned() };
    [(thing("x"), owner("a_thing")), (thing("y"), owner("a_thing")), (machine(), owner("a_machine"))].into()
}

/// Arguments of a type, `null` where nothing is said.
fn config(ty: &str, members: &[(&str, Value)]) -> Value {
    let schema = schema();
    let block = &schema.managed.get(ty).or_else(|| schema.data.get(ty)).unwrap().block;
    let given = |name: &String| members.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let attributes = block.attributes.keys().map(|name| (name.clone(), given(name).unwrap_or(Value::NULL)));
    let port = || Value::list(Type::Any, []);
    let blocks = block.blocks.keys().map(|name| (name.clone(), given(name).unwrap_or_else(port)));
    attributes.chain(blocks).collect()
}

fn request(address: Address, ty: &str, prior: Option<Object>, config: Value) -> PlanRequest {
    PlanRequest { address, ty: ty.to_owned(), prior, proposed: config.clone(), config }
}

fn plan(mocked: &Mocked<Real>, prior: Option<Object>, config: Value) -> Planned {
    let planned = mocked.plan(&ProviderName("a".to_owned()), &[request(thing("x"), "a_thing", prior, config)]);
    planned.into_iter().next().unwrap().unwrap()
}

async fn create(mocked: &Mocked<Real>, planned: Planned) -> Object {
    let request = CreateRequest {
        address: thing("x"),
        intent: IntentId("i".to_owned()),
        config: Value::NULL,
        planned,
        so_far: None,
    };
    match mocked.create(&a(), "a_thing", vec![request]).await.pop() {
        Some(Outcome::Done(object)) => object,
        other => panic!("{other:?}"),
    }
}

fn lines(value: &Value) -> String {
    value.as_members().unwrap().iter().map(|(name, value)| format!("{name} = {value:?}\n")).collect()
}

#[tokio::test]
async fn what_only_a_provider_knows_is_unknown_until_it_is_made_up() {
    let mocked = mocked(Mock::default(), Vec::new());
    let port: Value = [("container", Value::from(80u64)), ("host", Value::NULL)].into_iter().collect();
    let config = config("a_thing", &[("name", "n".into()), ("port", Value::list(Type::Any, [port]))]);
    let planned = plan(&mocked, None, config);
    assert_snapshot!(lines(&planned.value), @r#"
    handle = (unknown handle)
    id = (unknown string)
    inner = (unknown object({a = string, b = number}))
    labels = (unknown map(string))
    name = "n"
    note = null
    port = [{"container": 80, "host": (unknown number)}]
    ready = (unknown bool)
    size = (unknown number)
    tags = (unknown list(string))
    zones = (unknown set(string))
    "#);
    let made = create(&mocked, planned.clone()).await;
    assert!(made.value.is_wholly_known());
    assert_snapshot!(lines(&made.value), @r#"
    handle = (handle)
    id = "b5rgzbc6"
    inner = {"a": "ll8xj358", "b": 0}
    labels = {}
    name = "n"
    note = null
    port = [{"container": 80, "host": 0}]
    ready = false
    size = 0
    tags = []
    zones = {}
    "#);
    assert_eq!(create(&mocked, planned).await, made, "the same from run to run");
}

#[tokio::test]
async fn what_exists_stays_and_what_can_not_change_is_made_anew() {
    let mocked = mocked(Mock::default(), Vec::new());
    let config = |name: &str, note: &str| config("a_thing", &[("name", name.into()), ("note", note.into())]);
    let made = create(&mocked, plan(&mocked, None, config("n", "a"))).await;
    let same = plan(&mocked, Some(made.clone()), config("n", "a"));
    assert_eq!((same.value, same.replace), (made.value.clone(), Vec::new()));
    let changed = plan(&mocked, Some(made.clone()), config("n", "b"));
    assert_eq!((changed.value.member("id"), changed.replace.len()), (made.value.member("id"), 0));
    let replaced = plan(&mocked, Some(made.clone()), config("m", "a"));
    assert_eq!(replaced.replace.iter().map(ToString::to_string).collect::<Vec<_>>(), ["name"]);
    let read = mocked.read(&a(), "a_thing", &[(thing("x"), made.clone())]).await;
    assert_eq!(read, [Ok(Some(made.clone()))]);
    assert_eq!(mocked.delete(&a(), "a_thing", &thing("x"), made).await, Deletion::Done);
}

#[tokio::test]
async fn defaults_are_those_of_the_type_and_overrides_are_stronger() {
    let defaults = values(&[("id", "of the type".into()), ("size", Value::from(3u64))], When::Made);
    let mock = Mock { managed: [("a_thing".to_owned(), defaults)].into(), ..Mock::default() };
    let by = Override { target: thing("x"), values: values(&[("id", "its own".into())], When::Planned) };
    let mocked = mocked(mock, vec![by]);
    let planned = plan(&mocked, None, config("a_thing", &[("name", "n".into())]));
    let of = |value: &Value| format!("{:?} {:?}", value.member("id").unwrap(), value.member("size").unwrap());
    assert_eq!(of(&planned.value), "\"its own\" (unknown number)");
    assert_eq!(of(&create(&mocked, planned).await.value), "\"its own\" 3");
    let given = plan(&mocked, None, config("a_thing", &[("name", "n".into()), ("size", Value::from(9u64))]));
    assert_eq!(of(&given.value), "\"its own\" 9", "what is written is what it is");
}

#[tokio::test]
async fn an_override_is_of_a_block_an_instance_or_a_container() {
    let value = async |target: &str, address: &str| {
        let by = Override { target: target.parse().unwrap(), values: values(&[], When::Made) };
        let mocked = Mocked::new(Arc::new(Real::default()), Doubles { overrides: vec![by], ..Doubles::default() });
        let object = Object { value: Value::NULL, private: Vec::new() };
        mocked.delete(&a(), "a_thing", &address.parse().unwrap(), object).await == Deletion::Done
    };
    assert!(value("a_thing.x", "a_thing.x[0]").await);
    assert!(value("a_thing.x[0]", "a_thing.x[0]").await);
    assert!(!value("a_thing.x[0]", "a_thing.x[1]").await);
    assert!(!value("a_thing.x", "a_thing.y").await);
    assert!(value("module.m.a_thing.x", "module.m[\"k\"].a_thing.x").await);
    assert!(!value("module.m[\"j\"].a_thing.x", "module.m[\"k\"].a_thing.x").await);
    assert!(!value("a_thing.x", "module.m.a_thing.x").await);
    assert!(value("service.web", "service.web[1].replica[0]").await);
    assert!(value("service.web[1]", "service.web[1].replica[0]").await);
    assert!(!value("service.web[1]", "service.web[0].replica[0]").await);
}

#[tokio::test]
async fn machines_can_be_placed_on() {
    let facts = |mock: Mock| async move {
        let mocked = mocked(mock, Vec::new());
        lines(&mocked.discover(&a(), "a_machine", &machine(), &Value::NULL).await.unwrap())
    };
    assert_snapshot!(facts(Mock::default()).await, @r#"
    cpus = 4
    labels = {}
    memory = 17179869184
    platform = "linux/amd64"
    "#);
    let machine = Some(values(&[("platform", "linux/arm64".into()), ("memory", Value::from(1u64))], When::Made));
    assert_snapshot!(facts(Mock { machine, ..Mock::default() }).await, @r#"
    cpus = 4
    labels = {}
    memory = 1
    platform = "linux/arm64"
    "#);
}

#[tokio::test]
async fn data_sources_answer_and_images_are_there() {
    let answers = values(&[("id", "the answer".into())], When::Made);
    let with = mocked(Mock { data: [("a_answer".to_owned(), answers)].into(), ..Mock::default() }, Vec::new());
    let address = Address::new(BlockKind::Data, "a_answer", "x");
    let config = config("a_answer", &[("name", "n".into())]);
    assert_snapshot!(lines(&with.read_data(&a(), "a_answer", &address, &config).await.unwrap()), @r#"
    id = "the answer"
    name = "n"
    "#);
    let without = mocked(Mock::default(), Vec::new());
    assert_snapshot!(lines(&without.read_data(&a(), "a_answer", &address, &config).await.unwrap()), @r#"
    id = "cfdrhbn2"
    name = "n"
    "#);
    let index = without.image(&"nginx:1".parse().unwrap()).await.unwrap();
    let platforms: Vec<String> = index.manifests.iter().map(|manifest| manifest.platform.to_string()).collect();
    assert_snapshot!(format!("{} {}", index.digest, platforms.join(" ")), @"sha256:ea996a051ac10cd365fd9c754b6fd92220b8a7976eb415e47f2a26560aef5434 linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/riscv64 linux/s390x");
}

#[tokio::test]
async fn who_is_real_is_asked_and_answers_keep_their_order() {
    let real = Arc::new(Real::default());
    let by = Override { target: thing("x"), values: values(&[], When::Made) };
    let doubles = Doubles { overrides: vec![by], owners: owners(), ..Doubles::default() };
    let mocked = Mocked::new(real.clone(), doubles);
    let name = ProviderName("a".to_owned());
    let request = |name: &str| request(thing(name), "a_thing", None, config("a_thing", &[("name", name.into())]));
    let planned = mocked.plan(&name, &[request("y"), request("x"), request("z")]);
    let names: Vec<_> = planned.iter().map(|one| one.as_ref().unwrap().private.len()).collect();
    assert_eq!(names, [1, 0, 1]);
    mocked.configure(&a(), &Value::NULL);
    let object = Object { value: Value::NULL, private: Vec::new() };
    assert_eq!(mocked.read(&a(), "a_thing", &[(thing("x"), object.clone()), (thing("y"), object)]).await.len(), 2);
    let _ = mocked.image(&"nginx:1".parse().unwrap()).await;
    assert!(mocked.schema(&name).unwrap().provider.attributes["token"].required);
    assert_snapshot!(real.asked.lock().unwrap().join("\n"), @r#"
    plan a_thing.y a_thing.z
    configure a
    read a_thing.y
    image nginx:1
    "#);
}

#[tokio::test]
async fn who_is_mocked_needs_no_arguments_and_is_validated_all_the_same() {
    let real = Arc::new(Real::default());
    let doubles = Doubles { mocks: [(a(), Mock::default())].into(), ..Doubles::default() };
    let mocked = Mocked::new(real.clone(), doubles);
    let name = ProviderName("a".to_owned());
    mocked.configure(&a(), &Value::NULL);
    assert!(!mocked.schema(&name).unwrap().provider.attributes["token"].required);
    let request = ValidateRequest { address: thing("x"), ty: "a_thing".to_owned(), config: Value::NULL };
    assert_eq!(mocked.validate(&name, &[request])[0].len(), 1);
    assert_eq!(*real.asked.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn what_nobody_computes_can_not_be_given() {
    let values = |members: &[(&str, Value)]| values(members, When::Made);
    let mock = Mock {
        machine: Some(values(&[("platform", Value::from(true)), ("cpus", "many".into())])),
        managed: [
            (
                "a_thing".to_owned(),
                values(&[("name", "n".into()), ("idd", "x".into()), ("tags", Value::tuple(["a".into()]))]),
            ),
            ("a_thin".to_owned(), values(&[])),
        ]
        .into(),
        data: [("a_answer".to_owned(), Values { value: Value::tuple([]), ..values(&[]) })].into(),
    };
    let none = Override { target: thing("none"), values: values(&[]) };
    let wrong = Override { target: thing("x"), values: values(&[("note", "n".into())]) };
    let doubles = Doubles { mocks: [(a(), mock)].into(), overrides: vec![none, wrong], owners: owners() };
    let said = doubles.check(&Real::default());
    let line = |one: &Diagnostic| {
        let hint = one.hint.as_ref().map_or(String::new(), |hint| format!(" hint: {hint}"));
        format!("{} ({}){hint}\n", one.summary, one.detail)
    };
    assert_snapshot!(said.iter().map(line).collect::<String>(), @r#"
    the value of `cpus` does not fit its type (number required, and this text is none)
    provider `a` has no `a_thin` () hint: it has `a_container`, `a_machine`, `a_thing`
    `a_thing` has no attribute `idd` () hint: a provider computes `handle`, `id`, `inner`, `labels`, `ready`, `size`, `tags`, `zones`
    `name` of `a_thing` is what its block says, and nothing else () hint: a provider computes `handle`, `id`, `inner`, `labels`, `ready`, `size`, `tags`, `zones`
    values by the names of attributes are wanted here () hint: write `{ name = value }`
    `a_thing.none` is not declared () hint: a test can only stand for what is under test
    `note` of `a_thing` is what its block says, and nothing else () hint: a provider computes `handle`, `id`, `inner`, `labels`, `ready`, `size`, `tags`, `zones`
    "#);
}
