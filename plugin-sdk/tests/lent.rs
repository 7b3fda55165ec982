//! What is told and not kept, put off, taken over, and lent, at the border.

use bimetal_provider::testing::{Driver, World};
use bimetal_provider::{
    Create, Deletion, Deserialize, Diagnostic, Ephemeral, EphemeralType, Foreign, Json, Lease, Opened, Outcome, Plan,
    Provider, Resource, Result, Schema, Serialize, Type, json,
};

struct Bank;

#[derive(Schema, Deserialize)]
struct Config {}

impl Provider for Bank {
    type Config = Config;

    fn configure(_: Config) -> Result<Self> {
        Ok(Bank)
    }

    fn types() -> Vec<Type<Self>> {
        vec![Type::of::<Account>()]
    }

    fn ephemeral() -> Vec<EphemeralType<Self>> {
        vec![EphemeralType::of::<Token>()]
    }
}

#[derive(Clone, Schema, Serialize, Deserialize)]
struct Account {
    owner: String,
    #[attr(write_only, required)]
    pin: Option<String>,
    #[block]
    card: Vec<Card>,
    #[attr(read_only)]
    pins: Option<String>,
}

#[derive(Clone, Schema, Serialize, Deserialize)]
struct Card {
    #[attr(write_only)]
    code: Option<String>,
}

impl Account {
    /// Answers its arguments as they came, as authors do.
    fn told(self) -> Account {
        let codes = self.card.iter().flat_map(|card| card.code.clone());
        let pins = Some(self.pin.iter().cloned().chain(codes).collect::<Vec<_>>().join(" "));
        Account { pins, ..self }
    }
}

impl Resource for Account {
    type Provider = Bank;
    const NAME: &'static str = "bank_account";
    const ADOPTS: &'static [(&'static str, &'static str)] = &[("bank", "bank_purse")];

    fn validate(&self) -> Vec<Diagnostic> {
        let is_short = self.pin.as_ref().is_some_and(|pin| pin.len() < 4);
        is_short.then(|| Diagnostic::error("it is too short").at("pin")).into_iter().collect()
    }

    fn adopt(source: Foreign) -> Result<Self> {
        match source.value["holder"].as_str() {
            Some(owner) => Ok(Account { owner: owner.to_owned(), pin: None, card: Vec::new(), pins: None }),
            None => Err(Diagnostic::error(format!("a `{}` of version {} has no holder", source.ty, source.version))),
        }
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        match plan.value("owner").get("$unknown") {
            Some(_) => Err(Diagnostic::deferred("nobody knows who it is for")),
            None => Ok(()),
        }
    }

    fn read(_: &Bank, accounts: Vec<Self>) -> Vec<Result<Option<Self>>> {
        let one = |account: Self| match account.owner.as_str() {
            "nobody" => Err(Diagnostic::deferred("the bank is closed")),
            _ => Ok(Some(account)),
        };
        accounts.into_iter().map(one).collect()
    }

    fn probe(_: &Bank, _: &str, config: Self) -> Result<Option<Self>> {
        Ok(Some(config.told()))
    }

    fn create(_: &Bank, requests: Vec<Create<Self>>) -> Vec<Outcome<Self>> {
        requests.into_iter().map(|request| Outcome::Done(request.config.told())).collect()
    }

    fn update(_: &Bank, _: Self, config: Self) -> Outcome<Self> {
        Outcome::Done(config.told())
    }

    fn delete(_: &Bank, _: Self) -> Deletion {
        Deletion::Done
    }
}

#[derive(Schema, Serialize, Deserialize)]
struct Token {
    account: String,
    #[attr(read_only)]
    secret: Option<String>,
}

impl Ephemeral for Token {
    type Provider = Bank;
    const NAME: &'static str = "bank_token";

    fn open(_: &Bank, config: Self) -> Result<Opened<Self>> {
        if config.account == "nobody" {
            return Err(Diagnostic::deferred("the bank is closed"));
        }
        let lease = Lease { private: vec![1], renew_after_ms: Some(1000) };
        Ok(Opened { value: Token { secret: Some("s".to_owned()), ..config }, lease })
    }

    fn renew(_: &Bank, private: Vec<u8>) -> Result<Lease> {
        Ok(Lease { private: [private, vec![2]].concat(), renew_after_ms: None })
    }

    fn close(_: &Bank, private: Vec<u8>) -> Result<()> {
        match private.len() {
            2 => Ok(()),
            _ => Err(Diagnostic::error("it was never renewed")),
        }
    }
}

fn driver() -> Driver<Bank> {
    Driver::new(World::default(), &json!({})).unwrap()
}

fn account() -> Json {
    json!({ "owner": "ada", "pin": "1234", "card": [{ "code": "99" }] })
}

#[test]
fn what_is_write_only_is_told_and_is_in_no_answer() {
    let driver = driver();
    let attribute = &driver.schema()["managed"]["bank_account"]["attributes"]["pin"];
    assert_eq!((&attribute["write-only"], &attribute["required"]), (&json!(true), &json!(true)));
    assert_eq!(driver.validate("bank_account", &json!({ "owner": "ada", "pin": "1" })), ["pin: it is too short"]);
    let planned = driver.plan("bank_account", None, &account()).unwrap().value;
    assert_eq!((&planned["pin"], &planned["card"]), (&Json::Null, &json!([{ "code": null }])));
    let made = driver.create("bank_account", "i-1", &account()).unwrap();
    assert_eq!(made, json!({ "owner": "ada", "pin": null, "card": [{ "code": null }], "pins": "1234 99" }));
    let changed = driver.update("bank_account", &made, &json!({ "owner": "ada", "pin": "5678" })).unwrap();
    assert_eq!((&changed["pin"], &changed["pins"]), (&Json::Null, &json!("5678")));
    let found = driver.probe("bank_account", "i-1", &account()).unwrap().unwrap();
    assert_eq!(found["pins"], "", "nothing of it was written down");
    let other = json!({ "owner": "ada", "pin": "0000", "card": [{ "code": "98" }] });
    assert_eq!(driver.plan("bank_account", Some(&made), &other).unwrap().value, made, "a change of it alone is none");
}

#[test]
fn what_can_not_be_said_yet_is_no_failure() {
    let unknown = json!({ "owner": { "$unknown": {} }, "pin": "1234" });
    let planned = driver().plan("bank_account", None, &unknown);
    assert_eq!(planned, Err("deferred: nobody knows who it is for".to_owned()));
    let read = driver().read("bank_account", &[json!({ "owner": "nobody", "card": [] })]);
    assert_eq!(read, [Err("deferred: the bank is closed".to_owned())]);
    let opened = driver().open("bank_token", &json!({ "account": "nobody" }));
    assert_eq!(opened, Err("deferred: the bank is closed".to_owned()));
}

#[test]
fn another_type_is_taken_over_or_refused() {
    let driver = driver();
    let adopts = &driver.schema()["managed"]["bank_account"]["adopts"];
    assert_eq!(adopts, &json!([{ "provider": "bank", "type": "bank_purse" }]));
    let adopt = |stored: Json| driver.adopt("bank_account", ("bank", "bank_purse"), 3, &stored);
    assert_eq!(adopt(json!({ "holder": "ada" })).unwrap()["owner"], "ada");
    assert_eq!(adopt(json!({})), Err("a `bank_purse` of version 3 has no holder".to_owned()));
}

#[test]
fn what_is_lent_is_renewed_and_closed() {
    let driver = driver();
    let (value, lease) = driver.open("bank_token", &json!({ "account": "ada" })).unwrap();
    assert_eq!((value, lease.renew_after_ms), (json!({ "account": "ada", "secret": "s" }), Some(1000)));
    assert_eq!(driver.close("bank_token", &lease), Err("it was never renewed".to_owned()));
    let lease = driver.renew("bank_token", &lease).unwrap();
    assert_eq!(driver.close("bank_token", &lease), Ok(()));
    assert_eq!(driver.open("bank_tokens", &json!({})), Err("there is no ephemeral type `bank_tokens`".to_owned()));
}
