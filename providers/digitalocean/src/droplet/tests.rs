use bimetal_provider::testing::World;
use bimetal_provider_prepare::testing::{Board, State};

use super::*;
use crate::api::Api;
use crate::testing::Account;

/// An account whose droplets are all the same machine.
struct Bench {
    account: Account,
    board: Board,
    world: World,
}

fn config() -> Json {
    json!({ "region": "fra1", "size": "s-2vcpu-4gb", "image": "debian-12-x64", "ssh_keys": ["7"], "tags": ["web"] })
}

fn droplet(config: &Json) -> Droplet {
    serde_json::from_value(config.clone()).unwrap()
}

impl Bench {
    fn new(state: State) -> Bench {
        let account = Account::default();
        Bench { world: account.world(), account, board: Board::new(state) }
    }

    fn provider(&self) -> DigitalOcean {
        let keys = Keys { credential: Some(Credential("provider.digitalocean#key_file".to_owned())), agent: None };
        let token = Credential("provider.digitalocean#token".to_owned());
        DigitalOcean { api: Api::new(None, token), login: keys, world: Box::new(self.board.clone()) }
    }

    /// One call, as the engine makes it.
    fn call(&self, intent: &str, config: &Json, so_far: Option<Droplet>) -> Outcome<Droplet> {
        let request = Create { index: 0, intent: intent.to_owned(), config: droplet(config), so_far };
        self.world.enter(|| Droplet::create(&self.provider(), vec![request])).remove(0)
    }

    /// Until it is there; droplets boot while one waits.
    fn create(&self, intent: &str, config: &Json) -> std::result::Result<Droplet, Vec<Diagnostic>> {
        let mut so_far = None;
        for _ in 0..100 {
            match self.call(intent, config, so_far.take()) {
                Outcome::Done(droplet) => return Ok(droplet),
                Outcome::Retry { so_far: reported, .. } => so_far = reported,
                Outcome::Failed { diagnostics, .. } => return Err(diagnostics),
            }
            self.account.boot();
        }
        panic!("it never ends");
    }

    fn read(&self, droplet: &Droplet) -> Result<Option<Droplet>> {
        self.world.enter(|| Droplet::read(&self.provider(), vec![droplet.clone()])).remove(0)
    }
}

fn plan(bench: &Bench, prior: Option<&Droplet>, config: &Json) -> (Json, Vec<String>) {
    let prior = prior.map(|prior| serde_json::to_value(prior).unwrap());
    let planned = bench.account.driver().plan(Droplet::NAME, prior.as_ref(), config).unwrap();
    (planned.value, planned.replace)
}

#[test]
fn a_droplet_is_ordered_prepared_read_and_removed() {
    let bench = Bench::new(State { refuses: 2, cloud_init: vec!["running".into(), "done".into()], ..State::default() });
    let made = bench.create("i-1", &config()).unwrap();
    assert_eq!((made.address.as_deref(), made.private_address.as_deref()), (Some("192.0.2.7"), Some("10.0.0.2")));
    assert_eq!((made.cpus, made.memory, made.platform.as_deref()), (Some(2), Some(4 << 30), Some("linux/amd64")));
    assert_eq!(made.name.as_deref(), Some("bimetal-i1"));
    let engine = made.engine.clone().unwrap().0;
    assert_eq!((&engine["transport"], &engine["endpoint"]["host_key"]), (&json!("ssh"), &json!("ssh-ed25519 AAAA")));
    assert_eq!(bench.account.count("POST droplets"), 1);
    let read = bench.read(&made).unwrap().unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&made).unwrap());

    let deletion = bench.world.enter(|| Droplet::delete(&bench.provider(), made.clone()));
    assert!(matches!(deletion, Deletion::Done));
    assert_eq!(bench.account.paths(), Vec::<String>::new());
    assert!(bench.read(&made).unwrap().is_none());
}

#[test]
fn a_plan_holds() {
    let bench = Bench::new(State::default());
    let (planned, _) = plan(&bench, None, &config());
    let made = bench.create("i-1", &config()).unwrap();
    let value = serde_json::to_value(&made).unwrap();
    let promised = planned.as_object().unwrap().iter().filter(|(_, value)| value.get("$unknown").is_none());
    for (name, promised) in promised {
        assert_eq!(*promised, value[name], "{name}");
    }
    assert_eq!((&planned["platform"], &planned["cpus"]), (&json!("linux/amd64"), &json!(2)));
    let (again, replace) = plan(&bench, Some(&made), &config());
    assert_eq!((again, replace), (value, vec![]));
}

#[test]
fn another_size_is_another_droplet_and_another_name_is_not() {
    let bench = Bench::new(State::default());
    let made = bench.create("i-1", &config()).unwrap();
    let change = |name: &str, value: Json| {
        let mut changed = config();
        changed[name] = value;
        plan(&bench, Some(&made), &changed)
    };
    let (planned, replace) = change("size", json!("s-4vcpu-8gb"));
    assert_eq!(
        (replace, &planned["cpus"], planned["engine"]["$unknown"].is_object()),
        (vec!["size".to_owned()], &json!(4), true)
    );
    let (planned, replace) = change("name", json!("web-1"));
    assert_eq!((replace.len(), &planned["engine"]), (0, &serde_json::to_value(&made.engine).unwrap()));
    let (planned, replace) = change("user", json!("admin"));
    assert_eq!((replace.len(), planned["engine"]["$unknown"].is_object()), (0, true));
}

#[test]
fn a_lost_answer_buys_nothing_twice() {
    let bench = Bench::new(State::default());
    bench.account.0.borrow_mut().loses = true;
    let made = bench.create("i-1", &config()).unwrap();
    assert_eq!((bench.account.count("POST droplets"), made.id.as_deref()), (1, Some("1")));
    let bench = Bench::new(State::default());
    bench.account.0.borrow_mut().refuses = vec![(500, "oops")];
    bench.create("i-1", &config()).unwrap();
    assert_eq!((bench.account.count("POST droplets"), bench.account.paths()), (2, vec!["droplets/1".to_owned()]));
}

#[test]
fn a_run_that_was_interrupted_is_taken_up() {
    let bench = Bench::new(State::default());
    let Outcome::Retry { so_far, .. } = bench.call("i-1", &config(), None) else { panic!("it is not there at once") };
    let probed = bench.world.enter(|| Droplet::probe(&bench.provider(), "i-1", droplet(&config()))).unwrap().unwrap();
    assert_eq!(probed.id, so_far.unwrap().id);
    assert!(bench.world.enter(|| Droplet::probe(&bench.provider(), "i-2", droplet(&config()))).unwrap().is_none());
    bench.create("i-1", &config()).unwrap();
    assert_eq!(bench.account.count("POST droplets"), 1);
}

#[test]
fn what_fails_while_it_is_prepared_is_not_forgotten() {
    let bench = Bench::new(State { fails: 2, ..State::default() });
    let mut so_far = None;
    let left = loop {
        match bench.call("i-1", &config(), so_far.take()) {
            Outcome::Retry { so_far: reported, .. } => so_far = reported,
            Outcome::Failed { so_far, .. } => break so_far.unwrap(),
            Outcome::Done(_) => panic!("two installations fail"),
        }
        bench.account.boot();
    };
    assert_eq!((left.id.as_deref(), left.host_key.as_deref()), (Some("1"), Some("ssh-ed25519 AAAA")));
    assert!(left.engine.is_none());
}

#[test]
fn what_the_account_refuses_is_said() {
    let bench = Bench::new(State::default());
    bench.account.0.borrow_mut().refuses = vec![(422, "You specified an invalid size for Droplet creation.")];
    let said = bench.create("i-1", &config()).unwrap_err();
    let expected = Diagnostic::error("DigitalOcean refuses this: You specified an invalid size for Droplet creation.");
    assert_eq!(said, [expected]);
    bench.account.0.borrow_mut().refuses = vec![(401, "Unable to authenticate you")];
    let said = bench.create("i-1", &config()).unwrap_err();
    assert!(format!("{said:?}").contains("does not accept the token"), "{said:?}");
}

#[test]
fn names_and_tags_change_in_place() {
    let bench = Bench::new(State::default());
    let made = bench.create("i-1", &config()).unwrap();
    let mut changed = config();
    (changed["name"], changed["tags"]) = (json!("web-1"), json!(["db"]));
    let updated = bench.world.enter(|| Droplet::update(&bench.provider(), made.clone(), droplet(&changed)));
    let Outcome::Done(updated) = updated else { panic!("not updated") };
    assert_eq!((updated.name.as_deref(), &updated.engine), (Some("web-1"), &made.engine));
    for call in ["POST droplets/1/actions", "POST tags/db/resources", "DELETE tags/web/resources"] {
        assert_eq!(bench.account.count(call), 1, "{call}");
    }
}

#[test]
fn one_that_is_switched_off_is_not_gone() {
    let bench = Bench::new(State::default());
    let made = bench.create("i-1", &config()).unwrap();
    bench.account.0.borrow_mut().things.get_mut("droplets/1").unwrap()["status"] = json!("off");
    let said = format!("{:?}", bench.read(&made).unwrap_err());
    assert!(said.contains("the droplet `bimetal-i1` is switched off"), "{said}");
}

#[test]
fn nonsense_is_told_by_its_attribute() {
    let mut config = config();
    (config["name"], config["tags"], config["engine_access"]) = (json!("a b"), json!(["c d"]), json!("telnet"));
    let wrong = Account::default().driver().validate(Droplet::NAME, &config);
    assert_eq!(wrong.len(), 3, "{wrong:?}");
}
