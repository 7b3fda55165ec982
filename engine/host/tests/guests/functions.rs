//! Functions that guests export.

use bimetal_model::Value;
use bimetal_model::port::Functions;

use crate::rig::{Rig, key, text};

#[test]
fn a_function_gets_an_object_and_gives_what_its_schema_says() {
    let rig = Rig::new();
    let schema = rig.host.functions(&key().name).unwrap();
    assert_eq!(schema.functions["good"].parameters[1].name, "more");
    assert!(schema.functions["good"].parameters[1].optional);
    let given = [("$a", Value::from(1))].into_iter().collect::<Value>();
    let answer = rig.call("good", given).unwrap();
    assert_eq!(answer.ty(), schema.functions["good"].returns);
    assert_eq!(answer.as_items().unwrap(), [Value::from(r#"{"more":null,"text":{"$$a":1}}"#)]);
}

#[test]
fn a_function_that_does_harm_is_a_failure() {
    for (function, said) in [
        ("spin", "it computed for more than 5 s"),
        ("trap", "the sky is falling"),
        ("garbage", "`garbage`: its answer is no JSON"),
        ("dishonest", "`dishonest`: its answer does not fit its own schema: "),
        ("unknown", "`unknown`: its answer has unknown values, and only a plan may"),
        ("missing", "it has no function `missing`"),
    ] {
        let rig = Rig::new();
        let error = text(&rig.call(function, Value::from("a")).unwrap_err());
        assert!(error.starts_with(": provider `rogue` 0.1.0 failed: "), "{error}");
        assert!(error.contains(said), "{error}");
        assert!(rig.call("good", Value::from("a")).is_ok());
    }
}

#[test]
fn a_function_has_no_capabilities() {
    let said = Rig::new().call("pure", Value::from("a")).unwrap_err();
    assert_eq!(said.len(), 4);
    assert!(
        said.iter().all(|error| error.summary.contains("WrongPhase") || error.detail.contains("WrongPhase")),
        "{said:?}"
    );
}
