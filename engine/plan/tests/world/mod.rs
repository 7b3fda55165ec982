//! A world for plans: providers written in Rust, and a state that believes whatever a plan says.

// Each test binary uses its own part of this.
#![allow(dead_code, missing_docs, unreachable_pub)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use bimetal_config::{Desired, Given, Outside, SourceFile, desired};
use bimetal_model::image::{ImageIndex, ImageManifest, ImageSource};
use bimetal_model::port::{Foreign, PlanRequest, Planned, Predict, Refusal, ValidateRequest};
use bimetal_model::question::{Answers, Observed, Question};
use bimetal_model::schema::{Adopted, Attribute, Block, NestedBlock, ProviderSchema, Role, TypeSchema, Unique};
use bimetal_model::snapshot::{Effect, Intent, IntentId, Object, Stored};
use bimetal_model::{Address, Data, Diagnostic, Diagnostics, ProviderName, Type, Value};
use bimetal_plan::{Action, Change, Mode, Options, Plan, Planning, Values, instance_config, outputs, plan};

/// What exists, what the world answers, and how providers behave.
#[derive(Clone)]
pub struct World {
    pub observed: Observed,
    pub platforms: BTreeMap<String, &'static str>,
    pub images: BTreeMap<&'static str, &'static str>,
    pub providers: Providers,
    /// What data sources have said before anything was planned.
    pub early: BTreeMap<Address, Value>,
}

impl Default for World {
    fn default() -> Self {
        World {
            observed: Observed::default(),
            platforms: BTreeMap::new(),
            images: [
                ("nginx:1.27", "linux/amd64 linux/arm64 linux/arm/v7"),
                ("nginx:1.28", "linux/amd64"),
                ("pi:1", "linux/arm/v6"),
            ]
            .into(),
            providers: Providers { version: 1 },
            early: BTreeMap::new(),
        }
    }
}

/// The configuration as the engine takes it.
/// `main.bm.hcl`, and behind a line `### name` further files.
fn files(config: &str) -> Vec<SourceFile> {
    let (main, rest) = config.split_once("### ").unwrap_or((config, ""));
    let rest = rest.split("### ").filter_map(|part| part.split_once('\n'));
    let file = |(name, text): (&str, &str)| SourceFile { name: name.into(), text: text.into() };
    std::iter::once(("main.bm.hcl", main)).chain(rest).map(file).collect()
}

pub fn read(config: &str) -> Result<Desired, String> {
    match desired(files(config), Given::default(), Outside::default()) {
        (desired, said) if said.is_empty() => Ok(desired),
        (_, said) => Err(told(&said)),
    }
}

/// A world that is as this configuration wants it.
pub fn settled(config: &str) -> World {
    let mut world = World::default();
    world.apply(config);
    world
}

impl World {
    /// What planning comes to, and what it asked on the way.
    pub fn plan(&self, config: &str, options: impl Into<Options>) -> Result<(Plan, String), String> {
        let options = options.into();
        let desired = read(config)?;
        let early = self.early.iter().map(|(address, value)| (address.clone(), Ok(value.clone())));
        let (mut answers, mut asked) = (Answers { data: early.collect(), ..Answers::default() }, String::new());
        for _ in 0..5 {
            match plan(&desired, &self.observed, &answers, &options, &self.providers) {
                (Some(Planning::Ready(plan)), said) => return Ok((*plan, asked + &told(&said))),
                (Some(Planning::Ask(questions)), _) => {
                    for question in questions {
                        self.answer(question, &mut answers, &mut asked);
                    }
                }
                (None, said) => return Err(asked + &told(&said)),
            }
        }
        Err(asked + "it asks for ever")
    }

    /// A plan that asks nothing, and all that is said of it.
    pub fn said(&self, config: &str) -> (Option<Planning>, Diagnostics) {
        plan(&read(config).unwrap(), &self.observed, &Answers::default(), &Options::default(), &self.providers)
    }

    fn answer(&self, question: Question, answers: &mut Answers, asked: &mut String) {
        match question {
            Question::Facts(inquiry) => {
                let _ = writeln!(asked, "? facts of {}", inquiry.address);
                let facts = match self.platforms.get(&inquiry.address.name) {
                    Some(platform) => {
                        Ok([("platform", Value::from(*platform)), ("cpus", Value::from(2u64))].into_iter().collect())
                    }
                    None => Err(vec![Diagnostic::error("it does not answer")]),
                };
                answers.facts.insert(inquiry.address, facts);
            }
            Question::Data(inquiry) => {
                let _ = writeln!(asked, "? data of {}", inquiry.address);
                let name = inquiry.config.member("name").cloned().unwrap_or(Value::NULL);
                let data = match name.as_str() {
                    Some("missing") => Err(vec![Diagnostic::error("there is no such engine")].into()),
                    Some("later") => Err(Refusal::Deferred("the sun is not up".to_owned())),
                    _ => Ok([("name", name), ("id", Value::from("known"))].into_iter().collect()),
                };
                answers.data.insert(inquiry.address, data);
            }
            Question::Import(inquiry, id) => {
                let _ = writeln!(asked, "? {id} for {}", inquiry.address);
                let mut members = inquiry.config.as_members().unwrap().clone();
                members.insert("id".to_owned(), Value::from(id.as_str()));
                let found = Object { value: Data::Object(members.into()).into(), private: Vec::new() };
                let found = if id == "nothing" { Err(vec![Diagnostic::error("there is none")]) } else { Ok(found) };
                answers.imports.insert(inquiry.address, found);
            }
            Question::Open(inquiry) => {
                let _ = writeln!(asked, "? open {}", inquiry.address);
                let name = inquiry.config.member("name").cloned().unwrap_or(Value::NULL);
                let opened = match name.as_str() {
                    Some("later") => Err(Refusal::Deferred("the sun is not up".to_owned())),
                    _ => Ok(lent(&name)),
                };
                answers.opened.insert(inquiry.address, opened);
            }
            Question::Image(source) => {
                let _ = writeln!(asked, "? image {source}");
                let index = self.images.get(source.to_string().as_str()).map(|platforms| index(&source, platforms));
                answers.images.insert(source, index.ok_or_else(|| vec![Diagnostic::error("no such image")]));
            }
        }
    }

    /// Does a plan as `apply` does: each object after what it depends on, its arguments evaluated with real values.
    pub fn settle(&mut self, config: &str, plan: &Plan) {
        let desired = read(config).unwrap();
        let is_new = |address: &Address| plan.moved.contains_key(address) || plan.imported.contains_key(address);
        let moved = plan.changes.iter().filter(|change| is_new(&change.address));
        self.observed
            .objects
            .retain(|address, _| !plan.forgotten.contains(address) && !plan.moved.values().any(|old| old == address));
        let moved = moved.filter_map(|change| Some((change.address.clone(), change.before.clone()?)));
        self.observed.objects.extend(moved);
        let (mut values, _) = Values::of_plan(&desired, plan, &self.providers);
        let mut open: Vec<&Change> = plan.changes.iter().collect();
        while !open.is_empty() {
            let waiting: Vec<&Address> = open.iter().map(|change| &change.address).collect();
            let is_free = |change: &&Change| {
                change.action == Action::Delete || !change.depends_on.iter().any(|address| waiting.contains(&address))
            };
            let (free, rest): (Vec<&Change>, Vec<&Change>) = open.iter().partition(|change| is_free(change));
            assert!(!free.is_empty(), "these wait for each other: {rest:?}");
            for change in free {
                self.settle_one(&desired, change, &mut values);
            }
            open = rest;
        }
        let (mut outputs, said) = outputs(&desired, &values, plan.left_out());
        assert!(said.is_empty(), "{}", told(&said));
        let kept = plan.partial.iter().flat_map(|partial| &partial.outputs);
        let kept: Vec<_> = kept.filter_map(|name| self.observed.outputs.get_key_value(name)).collect();
        outputs.extend(kept.into_iter().map(|(name, value)| (name.clone(), value.clone())));
        self.observed.outputs = outputs;
    }

    fn settle_one(&mut self, desired: &Desired, change: &Change, values: &mut Values) {
        match change.action {
            Action::Delete => drop(self.observed.objects.remove(&change.address)),
            Action::Keep => {
                values.put(&change.address, change.after.clone().unwrap());
                self.object(&change.address.to_string()).prevent_destroy = change.prevent_destroy;
            }
            Action::Leave => values.put(&change.address, change.after.clone().unwrap()),
            Action::Read => {
                values.put(&change.address, real(&change.address.to_string(), change.after.clone().unwrap()))
            }
            Action::Create | Action::Update | Action::Replace => {
                let config = instance_config(desired, &change.address, change.placement.as_deref(), values);
                let config = config.unwrap_or_else(|said| panic!("{}", told(&said)));
                let schema = self.providers.schema(&change.provider.name).unwrap();
                let config = bimetal_plan::named(&schema.managed[&change.ty].block, config, change);
                assert!(config.is_wholly_known(), "{} is evaluated too early", change.address);
                let value = filled(&change.address, change.after.clone().unwrap(), &config);
                values.put(&change.address, value.clone());
                self.observed.objects.insert(change.address.clone(), stored(change, value, &self.providers).into());
            }
        }
    }

    /// Plans and does it.
    pub fn apply(&mut self, config: &str) {
        let (plan, _) = self.plan(config, Mode::Apply).unwrap_or_else(|said| panic!("{said}"));
        self.settle(config, &plan);
    }

    /// One object, to be tampered with.
    pub fn object(&mut self, address: &str) -> &mut Stored {
        Arc::make_mut(self.observed.objects.get_mut(&address.parse().unwrap()).unwrap())
    }
}

/// The plan in a few lines, with what was asked; or what is wrong.
pub fn check_plan(config: &str, world: &World) -> String {
    check_plan_with(config, world, Options::default())
}

/// As `check_plan`, of a plan with wishes.
pub fn check_plan_with(config: &str, world: &World, options: Options) -> String {
    match world.plan(config, options) {
        Ok((plan, asked)) => asked + &shown(&plan),
        Err(said) => said,
    }
}

/// Each effect in one line.
pub fn shown(plan: &Plan) -> String {
    let moved = plan.moved.iter().map(|(new, old)| format!("{old} is now {new}"));
    let forgotten = plan.forgotten.iter().map(|address| format!("forget {address}"));
    let imported = plan.imported.iter().map(|(address, id)| format!("{address} is {id}"));
    let lines: Vec<String> =
        moved.chain(forgotten).chain(imported).chain(plan.effects().chain(plan.left()).map(line)).collect();
    let outputs = plan.outputs.iter().filter(|(_, output)| output.before != output.after);
    let outputs: String = outputs.map(|(name, output)| format!("\noutput {name} = {:?}", output.after)).collect();
    match lines.is_empty() && outputs.is_empty() {
        true => "nothing to do".to_owned(),
        false => lines.join("\n") + &outputs,
    }
}

fn line(change: &Change) -> String {
    let sign = match change.action {
        Action::Create => "+",
        Action::Read => "<=",
        Action::Update => "~",
        Action::Replace if change.deposed.is_some() => "+/-",
        Action::Replace => "-/+",
        Action::Delete => "-",
        Action::Keep => "=",
        Action::Leave => "!",
    };
    let mut text = format!("{sign} {}", change.address);
    if let Some(placement) = change.placement.as_ref().filter(|_| change.action != Action::Delete) {
        let _ = write!(text, " on {} ({})", placement.machine, placement.image);
    }
    let because: Vec<_> = change.replace_because.iter().map(ToString::to_string).collect();
    for part in
        [change.reason.as_ref().map(ToString::to_string), Some(because.join(", ")).filter(|text| !text.is_empty())]
            .into_iter()
            .flatten()
    {
        let _ = write!(text, "; {part}");
    }
    if let Some(intent) = &change.resume {
        let _ = write!(text, "; resumes {}", intent.id.0);
    }
    if !change.after_removal_of.is_empty() {
        let _ = write!(text, "; after {}", list(&change.after_removal_of));
    }
    text
}

pub fn list(addresses: &[Address]) -> String {
    addresses.iter().map(Address::to_string).collect::<Vec<_>>().join(", ")
}

pub fn told(said: &[Diagnostic]) -> String {
    let one = |d: &Diagnostic| {
        let parts = [d.detail.clone(), d.hint.clone().map(|hint| format!("hint: {hint}")).unwrap_or_default()];
        let parts: String = parts
            .iter()
            .filter(|part| !part.is_empty())
            .map(|part| format!("\n  {}", part.replace('\n', "\n  ")))
            .collect();
        let of = d.address.as_ref().map(|address| format!("{address}: ")).unwrap_or_default();
        format!("{of}{}{parts}\n", d.summary)
    };
    said.iter().map(one).collect()
}

/// The planned value, with what was configured by now in place of unknowns, and something for what was computed.
fn filled(address: &Address, planned: Value, config: &Value) -> Value {
    let member = |(name, value): (&String, &Value)| match config.member(name) {
        Some(configured) if !value.is_wholly_known() => (name.clone(), configured.clone()),
        _ => (name.clone(), value.clone()),
    };
    real(&address.to_string(), planned.as_members().unwrap().iter().map(member).collect())
}

fn stored(change: &Change, value: Value, providers: &Providers) -> Stored {
    let schema = providers.schema(&change.provider.name).unwrap();
    // As it comes back from state.
    let value: Value = serde_json::from_str(&serde_json::to_string(&value).unwrap()).unwrap();
    Stored {
        provider: change.provider.clone(),
        ty: change.ty.clone(),
        schema_version: schema.managed[&change.ty].version,
        object: Object { value, private: Vec::new() },
        depends_on: change.depends_on.clone(),
        placement: change.placement.clone(),
        tainted: false,
        unfinished: None,
        prevent_destroy: change.prevent_destroy,
    }
}

/// With something in place of each unknown.
pub fn real(at: &str, value: Value) -> Value {
    value.map_parts(&mut |part| match &part.data {
        Data::Unknown(Type::Number, _) => Value::from(1u64 << 30),
        Data::Unknown(Type::Handle, _) => Data::Handle(serde_json::json!({ "of": at }).to_string().into()).into(),
        Data::Unknown(Type::Map(_), _) => Data::Map(bimetal_model::Members::default()).into(),
        Data::Unknown(..) => Value::from(format!("id of {at}")),
        _ => part,
    })
}

pub fn intent(address: &str, change: &Stored) -> Intent {
    Intent {
        id: IntentId("i1".into()),
        address: address.parse().unwrap(),
        provider: change.provider.clone(),
        ty: change.ty.clone(),
        effect: Effect::Create,
        config: Value::NULL,
        depends_on: Vec::new(),
        placement: change.placement.clone(),
    }
}

fn index(source: &ImageSource, platforms: &str) -> ImageIndex {
    let tag = source.to_string().split_once(':').unwrap().1.to_owned();
    let manifest =
        |text: &str| ImageManifest { platform: text.parse().unwrap(), digest: format!("sha256:{tag}/{}", &text[6..]) };
    ImageIndex { digest: "sha256:index".into(), manifests: platforms.split(' ').map(manifest).collect() }
}

/// `docker` has machines, containers and volumes; `metal` has boards; `odd` has a liar; `late` can't always say.
#[derive(Clone)]
pub struct Providers {
    /// Of the volume's schema.
    pub version: u64,
}

impl Predict for Providers {
    fn providers(&self) -> Vec<ProviderName> {
        ["docker", "metal", "odd", "late"].map(|name| ProviderName(name.into())).to_vec()
    }

    fn schema(&self, provider: &ProviderName) -> Result<Arc<ProviderSchema>, Diagnostics> {
        Ok(Arc::new(match provider.0.as_str() {
            "docker" => docker(self.version),
            "metal" => metal(),
            "late" => late(),
            _ => odd(),
        }))
    }

    fn validate(&self, _: &ProviderName, requests: &[ValidateRequest]) -> Vec<Diagnostics> {
        let said = |request: &ValidateRequest| match request.config.member("name").and_then(Value::as_str) {
            Some("bad name") => vec![Diagnostic::error("a name has no spaces")],
            _ => Vec::new(),
        };
        requests.iter().map(said).collect()
    }

    fn plan(&self, provider: &ProviderName, requests: &[PlanRequest]) -> Vec<Result<Planned, Refusal>> {
        let schema = self.schema(provider).unwrap();
        let one = |request: &PlanRequest| match request.config.member("name") {
            Some(name) if request.ty == "late_thing" && name.is_unknown() => {
                Err(Refusal::Deferred("what it is called is not known".to_owned()))
            }
            Some(name) if request.ty == "late_thing" && name.as_str() == Some("later") => {
                Err(Refusal::Deferred("the sun is not up".to_owned()))
            }
            _ if request.config.member("host").and_then(Value::as_str) == Some("later") => {
                Err(Refusal::Deferred("it is not switched on".to_owned()))
            }
            Some(_) | None => Ok(predicted(&schema.managed[&request.ty].block, request)),
        };
        requests.iter().map(one).collect()
    }

    fn upgrade(&self, _: &ProviderName, _: &str, _: u64, stored: &Value) -> Result<Value, Diagnostics> {
        let mut members = stored.as_members().unwrap().clone();
        if let Some(old) = members.remove("old_name") {
            members.insert("name".into(), old);
        }
        Ok(Data::Object(members.into()).into())
    }

    fn adopt(&self, _: &ProviderName, ty: &str, source: &Foreign) -> Result<Object, Diagnostics> {
        let member = |name: &str| source.object.value.member(name).cloned().unwrap_or(Value::NULL);
        match member("name").as_str() {
            Some("old") => Err(vec![Diagnostic::error(format!("an old `{}` is no `{ty}`", source.ty))]),
            _ => {
                let value = [("name", member("name")), ("id", member("id"))].into_iter().collect();
                Ok(Object { value, private: vec![7] })
            }
        }
    }
}

fn predicted(block: &Block, request: &PlanRequest) -> Planned {
    let members = request.proposed.as_members().unwrap().clone();
    let open = |(name, value): (String, Value)| match block.attributes.get(&name) {
        Some(attribute) if attribute.computed && value.is_null() => (name, Value::unknown(attribute.ty.clone())),
        Some(_) if request.ty == "odd_liar" && name == "name" => (name, Value::from("something else")),
        _ => (name, value),
    };
    Planned { value: members.into_iter().map(open).collect(), replace: Vec::new(), private: Vec::new() }
}

fn machine(own: &[(&str, Attribute)]) -> TypeSchema {
    let computed = |ty| Attribute { computed: true, ..Attribute::optional(ty) };
    let mut attributes = vec![
        ("platform", Attribute { force_new: true, ..computed(Type::String) }),
        ("cpus", Attribute::read_only(Type::Number)),
        ("memory", computed(Type::Number)),
        ("labels", computed(Type::map(Type::String))),
        ("address", always(Attribute::read_only(Type::String))),
        ("engine", Attribute::read_only(Type::Handle)),
    ];
    attributes.extend(own.iter().cloned());
    TypeSchema { role: Some(Role::Machine), ..ty(&attributes) }
}

fn ty(attributes: &[(&str, Attribute)]) -> TypeSchema {
    let attributes = attributes.iter().map(|(name, attribute)| ((*name).to_owned(), attribute.clone())).collect();
    TypeSchema {
        version: 0,
        role: None,
        batch: 1,
        adopts: Vec::new(),
        block: Block { attributes, blocks: BTreeMap::new() },
    }
}

fn always(attribute: Attribute) -> Attribute {
    Attribute { never_null: true, ..attribute }
}

fn named(attribute: Attribute) -> Attribute {
    Attribute { unique: Some(Unique::Name), ..attribute }
}

fn forced(attribute: Attribute) -> Attribute {
    Attribute { force_new: true, ..attribute }
}

fn container() -> TypeSchema {
    let texts = || Attribute::optional(Type::list(Type::String));
    let map = || Attribute::optional(Type::map(Type::String));
    let text = || Attribute::optional(Type::String);
    let mut container = ty(&[
        ("engine", forced(Attribute::required(Type::Handle))),
        ("name", Attribute::required(Type::String)),
        ("image", forced(Attribute::required(Type::String))),
        ("platform", forced(text())),
        ("command", texts()),
        ("entrypoint", texts()),
        ("env", forced(map())),
        ("labels", map()),
        ("user", text()),
        ("working_dir", text()),
        ("hostname", text()),
        ("restart", text()),
        ("networks", texts()),
        ("memory", Attribute::optional(Type::Number)),
        ("cpus", Attribute::optional(Type::Number)),
        ("id", Attribute::read_only(Type::String)),
    ]);
    container.role = Some(Role::ContainerRuntime);
    container.batch = 100;
    let service = bimetal_config::builtin::service();
    for name in ["port", "volume", "health"] {
        container.block.blocks.insert(name.into(), NestedBlock { force_new: true, ..service.blocks[name].clone() });
    }
    container
}

fn docker(version: u64) -> ProviderSchema {
    let mut volume = ty(&[
        ("name", named(forced(Attribute::required(Type::String)))),
        ("engine", forced(Attribute::optional(Type::Handle))),
        ("labels", Attribute::optional(Type::map(Type::String))),
        ("id", always(Attribute::read_only(Type::String))),
    ]);
    volume.version = version;
    let data = ty(&[("name", Attribute::required(Type::String)), ("id", always(Attribute::read_only(Type::String)))]);
    ProviderSchema {
        provider: Block::default(),
        managed: [
            ("docker_machine".to_owned(), machine(&[("socket", Attribute::optional(Type::String))])),
            ("docker_container".to_owned(), container()),
            ("docker_volume".to_owned(), volume),
        ]
        .into(),
        data: [("docker_engine".to_owned(), data)].into(),
        ..ProviderSchema::default()
    }
}

fn metal() -> ProviderSchema {
    let token = Attribute { sensitive: true, ..Attribute::optional(Type::String) };
    let host = Attribute { unique: Some(Unique::Fixed), ..forced(Attribute::required(Type::String)) };
    ProviderSchema {
        provider: ty(&[("token", token)]).block,
        managed: [("metal_board".to_owned(), machine(&[("host", host)]))].into(),
        ..ProviderSchema::default()
    }
}

/// Something ephemeral that was opened by this name.
pub fn lent(name: &Value) -> Value {
    let id = format!("hush {}", name.as_str().unwrap_or_default());
    let value: Value = [("name", name.clone()), ("id", Value::from(id))].into_iter().collect();
    value.into_ephemeral()
}

fn late() -> ProviderSchema {
    let mut thing = ty(&[
        ("name", Attribute::required(Type::String)),
        ("input", Attribute::optional(Type::String)),
        ("password", Attribute { write_only: true, ..Attribute::optional(Type::String) }),
        ("password_version", Attribute::optional(Type::Number)),
        ("id", always(Attribute::read_only(Type::String))),
    ]);
    thing.adopts = vec![Adopted { provider: ProviderName("docker".to_owned()), ty: "docker_volume".to_owned() }];
    let answer = ty(&[("name", Attribute::required(Type::String)), ("id", Attribute::read_only(Type::String))]);
    ProviderSchema {
        managed: [("late_thing".to_owned(), thing)].into(),
        ephemeral: [("late_token".to_owned(), answer.clone())].into(),
        data: [("late_answer".to_owned(), answer)].into(),
        ..ProviderSchema::default()
    }
}

fn odd() -> ProviderSchema {
    let liar = ty(&[("name", Attribute::required(Type::String))]);
    let provider = ty(&[("key", Attribute::required(Type::String))]).block;
    ProviderSchema { provider, managed: [("odd_liar".to_owned(), liar)].into(), ..ProviderSchema::default() }
}

pub fn image(text: &str) -> ImageSource {
    text.parse().unwrap()
}
