//! What this provider offers: the same attributes for each behaviour.

use serde_json::{Map, Value, json};

/// What a type may be called.
const BEHAVIOURS: [&str; 47] = [
    "good",
    "later",
    "writes",
    "tattles",
    "spin",
    "allocate",
    "trap",
    "exit",
    "garbage",
    "dishonest",
    "chatty",
    "pure",
    "clock",
    "ungranted",
    "http",
    "leak",
    "ssh",
    "docker",
    "recurse",
    "shout",
    "hurry",
    "files",
    "folders",
    "environment",
    "dial",
    "listen",
    "resolve",
    "process",
    "thread",
    "complain",
    "nothing",
    "null",
    "list",
    "huge",
    "large",
    "deep",
    "nan",
    "exponent",
    "surrogate",
    "other",
    "part",
    "twice",
    "changed",
    "word",
    "handle",
    "steal",
    "bytes",
];

/// What a function may be called.
const FUNCTIONS: [&str; 7] = ["good", "spin", "trap", "garbage", "dishonest", "unknown", "pure"];

/// The schema document.
pub(crate) fn document() -> String {
    let managed: Map<String, Value> = BEHAVIOURS.iter().map(|name| ((*name).to_owned(), managed(name))).collect();
    let provider = json!({ "attributes": { "api_url": { "type": "string" }, "token": { "type": "string", "credential": "value" } } });
    let functions: Map<String, Value> = FUNCTIONS.iter().map(|name| ((*name).to_owned(), function())).collect();
    let ephemeral = json!({ "good": ty(), "http": ty(), "later": ty(), "trap": ty(), "garbage": ty() });
    json!({ "provider": provider, "managed": managed, "ephemeral": ephemeral, "functions": functions }).to_string()
}

/// Two of them take what is not to be kept.
fn managed(name: &str) -> Value {
    let mut ty = ty();
    if ["writes", "tattles"].contains(&name) {
        ty["attributes"]["password"] = json!({ "type": "string", "write-only": true });
    }
    ty
}

fn ty() -> Value {
    json!({
        "batch": 10,
        "adopts": [{ "provider": "rogue", "type": "good" }],
        "attributes": {
            "name": { "type": "string" },
            "key": { "type": "string", "credential": "value" },
            "code": { "type": "string", "computed": true, "read-only": true, "sensitive": true },
            "id": { "type": "string", "computed": true, "read-only": true },
            "note": { "type": "string", "computed": true, "read-only": true },
        },
    })
}

fn function() -> Value {
    json!({
        "parameters": [{ "name": "text", "type": "string" }, { "name": "more", "type": "number", "optional": true }],
        "returns": { "list": "string" },
    })
}
