use super::*;
use crate::testing::Account;

const TYPE: &str = Machine::NAME;

fn config() -> Json {
    json!({ "name": "web", "size": "small", "labels": { "tier": "web" } })
}

#[test]
fn a_machine_lives_and_dies() {
    let account = Account::default();
    let driver = account.driver();
    let planned = driver.plan(TYPE, None, &config()).unwrap().value;
    assert_eq!(planned["engine"], json!({ "$unknown": {} }));
    let machine = driver.create(TYPE, "i-1", &config()).unwrap();
    let engine = json!({ "$handle": { "transport": "tcp", "host": "10.0.0.2", "port": 2375, "tls": false } });
    assert_eq!((&machine["engine"], &machine["address"]), (&engine, &json!("10.0.0.2")));
    assert_eq!(driver.create(TYPE, "i-1", &config()).unwrap(), machine);
    assert_eq!(driver.probe(TYPE, "i-1", &config()).unwrap().as_ref(), Some(&machine));
    assert_eq!(driver.probe(TYPE, "i-2", &config()).unwrap(), None);
    assert_eq!(driver.plan(TYPE, Some(&machine), &config()).unwrap().value, machine);

    let renamed = json!({ "name": "web-2", "size": "small" });
    let planned = driver.plan(TYPE, Some(&machine), &renamed).unwrap();
    let machine = driver.update(TYPE, &machine, &renamed).unwrap();
    assert_eq!((planned.value, planned.replace), (machine.clone(), vec![]));
    assert_eq!(driver.read(TYPE, std::slice::from_ref(&machine)), [Ok(Some(machine.clone()))]);
    assert_eq!(driver.import(TYPE, "m-1", &renamed).unwrap(), machine);

    driver.delete(TYPE, &machine).unwrap();
    driver.delete(TYPE, &machine).unwrap();
    assert_eq!(driver.read(TYPE, &[machine]), [Ok(None)]);
    assert_eq!(account.count("POST machines"), 1);
}

#[test]
fn a_lost_answer_buys_nothing_twice() {
    let account = Account::default();
    account.0.borrow_mut().loses = true;
    let machine = account.driver().create(TYPE, "i-1", &config()).unwrap();
    assert_eq!((&machine["id"], account.count("POST machines")), (&json!("m-1"), 1));
}

#[test]
fn what_the_cloud_refuses_is_said_where_it_is_wrong() {
    let account = Account::default();
    let taken = json!({ "error": "taken", "message": "there is a machine with the name web", "field": "name" });
    account.0.borrow_mut().refuses = vec![(409, taken), (401, json!({ "message": "this token is nobody's" }))];
    let refused = |intent| account.driver().create(TYPE, intent, &config()).unwrap_err();
    assert_eq!(refused("i-1"), "name: Cumulus refuses this: there is a machine with the name web");
    assert_eq!(refused("i-2"), "Cumulus does not accept the token: this token is nobody's");
}

#[test]
fn who_is_busy_is_asked_again() {
    let account = Account::default();
    let machine = account.driver().create(TYPE, "i-1", &config()).unwrap();
    let busy = (409, json!({ "error": "busy", "message": "m-1 still boots" }));
    account.0.borrow_mut().refuses = vec![busy.clone(), busy];
    account.driver().delete(TYPE, &machine).unwrap();
    assert_eq!(account.count("DELETE machines/m-1"), 3);
}

#[test]
fn a_size_says_what_a_machine_will_be() {
    let driver = Account::default().driver();
    let facts = driver.discover(TYPE, &config()).unwrap();
    assert_eq!(facts, json!({ "platform": "linux/amd64", "cpus": 1, "memory": 1u64 << 30 }));
    let wrong = driver.discover(TYPE, &json!({ "name": "web", "size": "huge" })).unwrap_err();
    assert_eq!(wrong, "size: Cumulus has no size `huge`");
    let sizes = driver.read_data("cumulus_sizes", &json!({})).unwrap();
    assert_eq!((&sizes["sizes"][0]["name"], &sizes["sizes"][1]["name"]), (&json!("small"), &json!("large")));
    let none = driver.read_data("cumulus_sizes", &json!({ "platform": "linux/arm/v7" })).unwrap();
    assert_eq!(none["sizes"], json!([]));
}

#[test]
fn a_name_is_one_of_a_host() {
    let wrong = |name: &str| Account::default().driver().validate(TYPE, &json!({ "name": name, "size": "small" }));
    assert_eq!(wrong("Web Server"), ["name: `Web Server` is no name of a machine"]);
    assert_eq!((wrong("").len(), wrong("web-1").len(), wrong(&"a".repeat(64)).len()), (1, 0, 1));
}
