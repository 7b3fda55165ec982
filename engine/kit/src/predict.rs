//! Planning: pure, the same each time, and as configured, whatever a configuration says.

use bimetal_model::port::{Planned, Predict, Refusal};
use bimetal_model::schema::ProviderSchema;
use bimetal_model::snapshot::Object;
use bimetal_model::{Address, BlockKind, Diagnostics, Value};
use bimetal_plan::breaches;

use crate::Subject;
use crate::adopt;
use crate::ask::{Typed, leads_somewhere, shown};
use crate::chance::Chance;
use crate::generate::{self, Known};
use crate::report::{Report, Verdict, in_words};

/// So many configurations are tried of each type.
const TRIES: usize = 120;

/// What was found, by what should be so.
#[derive(Default)]
struct Findings {
    broke: Vec<String>,
    places: Vec<String>,
    differs: Vec<String>,
    dishonest: Vec<String>,
    batch: Vec<String>,
    upgrade: Vec<String>,
    deferred: Vec<String>,
    kept: Vec<String>,
}

pub(crate) fn check<P: Predict>(subject: &Subject<'_, P>, schema: &ProviderSchema, ty: &str, report: &mut Report<'_>) {
    let Some(type_schema) = schema.managed.get(ty) else { return };
    let typed = Typed { subject, ty, block: &type_schema.block };
    let mut chance = Chance::of(ty);
    let mut findings = Findings::default();
    let mut accepted = Vec::new();
    for place in 0..TRIES {
        let known = if place % 2 == 0 { Known::All } else { Known::Some };
        let config = generate::config(typed.block, &mut chance, known);
        if findings.of_config(&typed, &config, &mut chance) {
            accepted.push(config);
        }
    }
    findings.of_batch(&typed, &accepted);
    findings.of_upgrade(&typed, type_schema.version, &mut chance);
    let nothing_older = type_schema.version == 0;
    for (name, found) in [
        ("validating and planning answer for every value of its types", findings.broke),
        ("what is wrong is said with a place in the block", findings.places),
        ("the same question gets the same answer", findings.differs),
        ("a plan is what is configured, but for what is computed", findings.dishonest),
        ("objects of one call don't change each other", findings.batch),
        ("what is put off has a reason, and lacks something that is known later", findings.deferred),
    ] {
        report.ended(ty, name, Verdict::of(found));
    }
    if type_schema.block.has_write_only() {
        report.ended(ty, "what is write-only is in no plan", Verdict::of(findings.kept));
    }
    if !type_schema.adopts.is_empty() {
        adopt::check(&typed, &type_schema.adopts, &mut chance, report);
    }
    let upgrade = match nothing_older {
        true => Verdict::Skip("there is no older version of it".to_owned()),
        false => Verdict::of(findings.upgrade),
    };
    report.ended(ty, "what older versions stored can be upgraded, or is refused", upgrade);
}

impl Findings {
    /// Answers whether it can be planned.
    fn of_config<P: Predict>(&mut self, typed: &Typed<'_, P>, config: &Value, chance: &mut Chance) -> bool {
        let said = typed.validate(config);
        if self.notes_break(typed, config, &said) {
            return false;
        }
        self.note_places(typed, &said);
        if !said.is_empty() {
            return false;
        }
        let Some(planned) = self.of_plan(typed, config, None) else { return false };
        // As if it had been made, and then looked at again, by the same words and by others.
        let made = Object { value: generate::made(planned.value, chance), private: planned.private };
        self.of_plan(typed, config, Some(&made));
        let other = generate::config(typed.block, chance, Known::All);
        if typed.validate(&other).is_empty() {
            self.of_plan(typed, &other, Some(&made));
        }
        true
    }

    fn of_plan<P: Predict>(&mut self, typed: &Typed<'_, P>, config: &Value, prior: Option<&Object>) -> Option<Planned> {
        let (first, second) = (typed.plan(config, prior), typed.plan(config, prior));
        if first != second {
            self.differs.push(format!("planned {} twice, and the plans differ", shown(config)));
        }
        let planned = match first {
            Ok(planned) => planned,
            Err(Refusal::Failed(said)) => {
                if !self.notes_break(typed, config, &said) {
                    self.note_places(typed, &said);
                }
                return None;
            }
            Err(Refusal::Deferred(why)) => {
                self.note_deferral(config, &why);
                return None;
            }
        };
        let secrets = typed.block.write_only_in(&planned.value);
        self.kept.extend(secrets.iter().map(|path| format!("`{path}` is in the plan for {}", shown(config))));
        let breaches = breaches(typed.block, config, prior.map(|prior| &prior.value), &planned.value);
        if !breaches.is_empty() {
            let places: Vec<String> = breaches.iter().map(|path| format!("`{path}`")).collect();
            self.dishonest.push(format!("{} of the plan for {}", places.join(", "), shown(config)));
        }
        for path in planned.replace.iter().filter(|path| !leads_somewhere(typed.block, path)) {
            self.places.push(format!("the plan says that `{path}` needs a new object, and there is no such place"));
        }
        Some(planned)
    }

    fn notes_break<P: Predict>(&mut self, typed: &Typed<'_, P>, config: &Value, said: &Diagnostics) -> bool {
        let Some(broke) = typed.subject.broke(said) else { return false };
        let config = smallest(typed, config.clone());
        self.broke.push(format!("{broke}, with {}", shown(&config)));
        true
    }

    /// What is wholly known can be planned, now or never; and people want to know why.
    fn note_deferral(&mut self, config: &Value, why: &str) {
        if why.trim().is_empty() {
            self.deferred.push(format!("no reason is given for {}", shown(config)));
        }
        if config.is_wholly_known() {
            self.deferred.push(format!("all is known, and still it can't say yet ({why}): {}", shown(config)));
        }
    }

    fn note_places<P>(&mut self, typed: &Typed<'_, P>, said: &Diagnostics) {
        for one in said {
            if one.path.0.is_empty() {
                self.places.push(format!("no place is named in: {}", in_words(std::slice::from_ref(one))));
            } else if !leads_somewhere(typed.block, &one.path) {
                self.places.push(format!("there is no `{}`, which is named in: {}", one.path, one.summary));
            }
        }
    }

    /// Asked together, in another order, each gets the plan that it gets alone.
    fn of_batch<P: Predict>(&mut self, typed: &Typed<'_, P>, configs: &[Value]) {
        let address = |place: usize| Address::new(BlockKind::Resource, typed.ty, format!("kit{place}"));
        let ask = |order: &mut dyn Iterator<Item = (usize, &Value)>| -> Vec<(usize, Result<Planned, Refusal>)> {
            let (places, requests): (Vec<_>, Vec<_>) =
                order.map(|(place, config)| (place, typed.request(&address(place), config, None))).unzip();
            let answers = typed.subject.answers.plan(&typed.subject.name, &requests);
            let mut answers: Vec<_> = places.into_iter().zip(answers).collect();
            answers.sort_by_key(|(place, _)| *place);
            answers
        };
        let forwards = ask(&mut configs.iter().enumerate());
        let backwards = ask(&mut configs.iter().enumerate().rev());
        for ((place, one), (_, other)) in forwards.iter().zip(&backwards) {
            if one != other {
                let config = configs.get(*place).map(shown).unwrap_or_default();
                self.batch.push(format!("the plan for {config} depends on what else was asked in the same call"));
            }
        }
    }

    fn of_upgrade<P: Predict>(&mut self, typed: &Typed<'_, P>, version: u64, chance: &mut Chance) {
        for old in 0..version {
            let stored = generate::config(typed.block, chance, Known::All);
            let answer = typed.subject.answers.upgrade(&typed.subject.name, typed.ty, old, &stored);
            if let Some(broke) = answer.err().and_then(|said| typed.subject.broke(&said)) {
                self.upgrade.push(format!("{broke}, from version {old} and {}", shown(&stored)));
            }
        }
    }
}

/// The same without what does not matter for the failure.
fn smallest<P: Predict>(typed: &Typed<'_, P>, mut config: Value) -> Value {
    let names: Vec<String> = config.as_members().into_iter().flat_map(|members| members.keys().cloned()).collect();
    let breaks = |config: &Value| {
        let said = match typed.validate(config) {
            said if said.is_empty() => typed.plan(config, None).err().map(Refusal::diagnostics).unwrap_or_default(),
            said => said,
        };
        typed.subject.broke(&said).is_some()
    };
    for name in names {
        let Some(members) = config.as_members() else { continue };
        let without = members.iter().map(|(key, value)| {
            let value = if *key == name { Value::NULL } else { value.clone() };
            (key.clone(), value)
        });
        let without: Value = without.collect();
        if breaks(&without) {
            config = without;
        }
    }
    config
}
