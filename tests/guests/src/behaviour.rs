//! What each type does. Most do harm, whatever they are asked.

use std::cell::RefCell;

use serde_json::{Value, json};

use crate::bindings::bimetal::provider::types::{
    CreateRequest, Diagnostic, Failure, Fault, Object, Outcome, PlanRequest, Planned, Severity,
};
use crate::bindings::bimetal::provider::{certificates, clock, docker, http, report, ssh};

thread_local! {
    static CONFIG: RefCell<Value> = const { RefCell::new(Value::Null) };
}

/// The provider block, for later.
pub(crate) fn remember(config: String) {
    CONFIG.set(serde_json::from_str(&config).unwrap_or_default());
}

/// Does what the type's name promises, if that is harm.
pub(crate) fn harm(ty: &str) {
    match ty {
        "spin" => spin(),
        "allocate" => allocate(),
        "trap" => panic!("the sky is falling"),
        "exit" => std::process::exit(3),
        "chatty" => (0..2000).for_each(|line| eprintln!("{line}: {}", "talk ".repeat(100))),
        _ => {}
    }
}

fn spin() {
    let mut turns = 0u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

fn allocate() {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1u8; 1 << 20]);
        std::hint::black_box(&hoard);
    }
}

/// Complains with the code of each capability that a pure call tries.
pub(crate) fn validate(ty: &str) -> Vec<Diagnostic> {
    if ty != "pure" {
        return Vec::new();
    }
    let said = [
        get("https://granted.invalid/").err(),
        docker::info(r#"{"transport":"unix","path":"/var/run/docker.sock"}"#).err(),
        ssh::answers(r#"{"host":"127.0.0.1"}"#).err(),
        certificates::install_server("a", r#"{"host":"127.0.0.1"}"#, "/etc/rogue", &[], 1).err(),
    ];
    said.into_iter().flatten().map(|fault| complaint(&fault)).collect()
}

fn complaint(fault: &Fault) -> Diagnostic {
    let summary = format!("{:?}: {}", fault.code, fault.message);
    Diagnostic { severity: Severity::Error, summary, detail: String::new(), path: Vec::new() }
}

fn get(url: &str) -> Result<http::Response, Fault> {
    send("GET", url, None)
}

fn send(method: &str, url: &str, credential: Option<&str>) -> Result<http::Response, Fault> {
    let authorization = credential.map(|id| http::Authorization {
        credential: id.to_owned(),
        header: "authorization".to_owned(),
        prefix: "Bearer ".to_owned(),
    });
    let (method, url) = (method.to_owned(), url.to_owned());
    http::send(&http::Request { method, url, headers: Vec::new(), body: None, authorization })
}

/// A list of the arguments as they came.
pub(crate) fn call(function: &str, arguments: String) -> Result<String, Vec<Diagnostic>> {
    match function {
        "garbage" => Ok("{".to_owned()),
        "dishonest" => Ok(json!({ "a": true }).to_string()),
        "unknown" => Ok(json!({ "$unknown": {} }).to_string()),
        "pure" => Err(validate("pure")),
        _ => Ok(json!([arguments]).to_string()),
    }
}

/// What was proposed, with what only the effect will tell.
pub(crate) fn plan(request: PlanRequest) -> Result<Planned, Vec<Diagnostic>> {
    harm(&request.type_name);
    if request.type_name == "garbage" {
        return Ok(Planned { value: "{".to_owned(), replace: Vec::new(), private: Vec::new() });
    }
    let mut value: Value = serde_json::from_str(&request.proposed).unwrap_or_default();
    value["id"] = json!({ "$unknown": {} });
    value["code"] = json!({ "$unknown": {} });
    value["note"] = match request.type_name.as_str() {
        "clock" => json!(format!("{} {:?} {:?}", clock::now_ms(), clock::random(20), std::time::SystemTime::now())),
        _ => json!({ "$unknown": {} }),
    };
    Ok(Planned { value: value.to_string(), replace: Vec::new(), private: vec![1] })
}

/// The plan with its unknowns filled in.
pub(crate) fn settle(planned: &str, note: &str) -> String {
    let mut value: Value = serde_json::from_str(planned).unwrap_or_default();
    value["id"] = json!("id");
    value["code"] = json!("1234");
    value["note"] = json!(note);
    value.to_string()
}

/// What exists, as it was; `http` tries to change something while it looks.
pub(crate) fn read(ty: &str, object: Object) -> Result<Option<Object>, Vec<Diagnostic>> {
    harm(ty);
    match ty {
        "garbage" => Ok(Some(Object { value: r#"{"name":[]}"#.to_owned(), private: Vec::new() })),
        "http" => match send("POST", &api_url("/"), None) {
            Ok(_) => Ok(Some(object)),
            Err(fault) => Err(vec![complaint(&fault)]),
        },
        "ssh" => match ssh::run(r#"{"host":"127.0.0.1","port":1}"#, "change", &["/x".to_owned()], None) {
            Ok(_) => Ok(Some(object)),
            Err(fault) => Err(vec![complaint(&fault)]),
        },
        "docker" => match docker::info(r#"{"transport":"unix","path":"/nowhere"}"#) {
            Ok(_) => Ok(Some(object)),
            Err(fault) => Err(vec![complaint(&fault)]),
        },
        _ => Ok(Some(object)),
    }
}

fn api_url(path: &str) -> String {
    CONFIG.with_borrow(|config| format!("{}{path}", config["api_url"].as_str().unwrap_or_default()))
}

fn token() -> String {
    CONFIG.with_borrow(|config| config["token"]["$credential"].as_str().unwrap_or_default().to_owned())
}

/// Makes nothing, and says how it went.
pub(crate) fn create(ty: &str, index: u32, request: CreateRequest) -> Outcome {
    report::progress(index, "making", Some(1), Some(2));
    harm(ty);
    let config: Value = serde_json::from_str(&request.config).unwrap_or_default();
    let name = config["name"].as_str().unwrap_or_default();
    let said = match ty {
        "garbage" => return Outcome::Done(Object { value: "no JSON".to_owned(), private: Vec::new() }),
        "dishonest" => return Outcome::Done(Object { value: request.planned, private: Vec::new() }),
        "ungranted" => get(name).map(|_| String::new()),
        "http" => send("GET", &api_url(name), Some(&token())).map(|answer| text(&answer)),
        "leak" => send("GET", &api_url("/"), Some(name)).map(|answer| text(&answer)),
        "ssh" => ssh::run(name, "hello", &[], None).map(|output| output.stdout),
        // Everything that it was told.
        _ => Ok(CONFIG.with_borrow(|provider| format!("{provider} {}", request.config))),
    };
    match said {
        Ok(note) => Outcome::Done(Object { value: settle(&request.planned, &note), private: vec![2] }),
        Err(fault) => Outcome::Failed(Failure { diagnostics: vec![complaint(&fault)], so_far: None }),
    }
}

fn text(response: &http::Response) -> String {
    format!("{} {}", response.status, String::from_utf8_lossy(&response.body))
}
