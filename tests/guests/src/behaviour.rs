//! What each type does. Most do harm, whatever they are asked.

use std::cell::RefCell;

use serde_json::{Value, json};

use crate::bindings::bimetal::provider::types::{
    CreateRequest, Diagnostic, Failure, Fault, Foreign, Object, Opened, Outcome, PlanRequest, Planned, Refusal,
    Severity, Step,
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
        "recurse" => drop(std::hint::black_box(recurse(1))),
        "shout" => (0..1_000_000).for_each(|line| report::log(report::Level::Error, &format!("{line}: a shout"))),
        "hurry" => (0..1_000_000).for_each(|done| report::progress(u32::MAX, "\u{1b}[2Jnearly", Some(done), Some(1))),
        "files" => panic!("{:?}", std::fs::read_to_string("/etc/passwd")),
        "folders" => panic!("{:?}", std::fs::read_dir("/").map(Iterator::count)),
        "environment" => {
            panic!("{:?} {:?}", std::env::vars().collect::<Vec<_>>(), std::env::args().collect::<Vec<_>>())
        }
        "dial" => panic!("{:?}", std::net::TcpStream::connect("127.0.0.1:22").map(drop)),
        "listen" => panic!("{:?}", std::net::TcpListener::bind("127.0.0.1:0").map(drop)),
        "resolve" => panic!("{:?}", std::net::ToSocketAddrs::to_socket_addrs("localhost:1").map(Iterator::count)),
        "process" => panic!("{:?}", std::process::Command::new("/bin/sh").spawn().map(drop)),
        "thread" => panic!("{:?}", std::thread::Builder::new().spawn(spin).map(drop)),
        "chatty" => (0..2000).for_each(|line| eprintln!("{line}: {}", "talk ".repeat(100))),
        _ => {}
    }
}

#[allow(unconditional_recursion)]
fn recurse(depth: u64) -> u64 {
    std::hint::black_box(recurse(std::hint::black_box(depth + 1))) + 1
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
pub(crate) fn plan(request: PlanRequest) -> Result<Planned, Refusal> {
    harm(&request.type_name);
    if request.type_name == "later" {
        return Err(Refusal::Deferred("\u{1b}[2Jthe sun is not up".to_owned()));
    }
    if let Some(text) = lie(&request.type_name) {
        return Ok(Planned { value: text, replace: Vec::new(), private: Vec::new() });
    }
    if request.type_name == "complain" {
        let complaint = || Diagnostic {
            severity: Severity::Error,
            summary: "\u{1b}[31mred\u{7} ".repeat(100),
            detail: String::new(),
            path: vec![Step::Attribute("nowhere".to_owned()), Step::Index(u32::MAX)],
        };
        return Err(Refusal::Failed((0..1000).map(|_| complaint()).collect()));
    }
    let mut value: Value = serde_json::from_str(&request.proposed).unwrap_or_default();
    value["id"] = json!({ "$unknown": {} });
    value["code"] = json!({ "$unknown": {} });
    if request.type_name == "tattles" {
        value["password"] = serde_json::from_str::<Value>(&request.config).unwrap_or_default()["password"].clone();
    }
    value["note"] = match request.type_name.as_str() {
        "clock" => json!(format!("{} {:?} {:?}", clock::now_ms(), clock::random(20), std::time::SystemTime::now())),
        _ => json!({ "$unknown": {} }),
    };
    Ok(Planned { value: value.to_string(), replace: Vec::new(), private: vec![1] })
}

/// An answer that is none.
fn lie(ty: &str) -> Option<String> {
    let of = |name: &str, value: &str| {
        format!(r#"{{"name":"a","key":null,"code":null,"id":null,"note":null,"{name}":{value}}}"#)
    };
    let text = match ty {
        "garbage" => "{".to_owned(),
        "nothing" => String::new(),
        "null" => "null".to_owned(),
        "list" => "[]".to_owned(),
        "huge" => "a".repeat(100 << 20),
        "large" => of("note", &format!("\"{}\"", "a".repeat(40 << 20))),
        "deep" => of("note", &format!("{}1{}", "[".repeat(1 << 20), "]".repeat(1 << 20))),
        "nan" => of("note", "NaN"),
        "exponent" => of("note", "1e999999999999"),
        "surrogate" => of("note", r#""\ud800""#),
        "other" => of("what", "1"),
        "part" => r#"{"name":"a"}"#.to_owned(),
        "twice" => of("name", "\"b\""),
        "changed" => of("name", "\"somebody else\""),
        "word" => of("name", r#"{"$what":1}"#),
        "handle" => of("note", r#"{"$handle":{"transport":"unix","path":"/var/run/docker.sock"}}"#),
        "steal" => of("note", r#"{"$credential":"provider.rogue#token"}"#),
        // No text at all.
        "bytes" => {
            #[allow(unsafe_code)]
            unsafe {
                String::from_utf8_unchecked(vec![b'"', 0xff, 0xfe, b'"'])
            }
        }
        _ => return None,
    };
    Some(text)
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
pub(crate) fn read(ty: &str, object: Object) -> Result<Option<Object>, Refusal> {
    harm(ty);
    let complaint = |fault: &Fault| Refusal::Failed(vec![complaint(fault)]);
    match ty {
        "later" => Err(Refusal::Deferred("the sun is not up".to_owned())),
        "garbage" => Ok(Some(Object { value: r#"{"name":[]}"#.to_owned(), private: Vec::new() })),
        "http" => match send("POST", &api_url("/"), None) {
            Ok(_) => Ok(Some(object)),
            Err(fault) => Err(complaint(&fault)),
        },
        "ssh" => match ssh::run(r#"{"host":"127.0.0.1","port":1}"#, "change", &["/x".to_owned()], None) {
            Ok(_) => Ok(Some(object)),
            Err(fault) => Err(complaint(&fault)),
        },
        "docker" => match docker::info(r#"{"transport":"unix","path":"/nowhere"}"#) {
            Ok(_) => Ok(Some(object)),
            Err(fault) => Err(complaint(&fault)),
        },
        _ => Ok(Some(object)),
    }
}

/// What it was, in the words of the schema here.
pub(crate) fn adopt(source: &Foreign) -> Result<Object, Vec<Diagnostic>> {
    let note = format!("{} {} {} {}", source.provider, source.type_name, source.version, source.object.value);
    let mut value: Value = serde_json::from_str(&source.object.value).unwrap_or_default();
    value["note"] = json!(note);
    Ok(Object { value: value.to_string(), private: source.object.private.clone() })
}

/// `http` fetches its note, with a method that looking has not got.
pub(crate) fn open(ty: &str, config: &str) -> Result<Opened, Refusal> {
    let mut value: Value = serde_json::from_str(config).unwrap_or_default();
    let method = value["name"].as_str().unwrap_or_default().to_owned();
    value["note"] = match ty {
        "http" => match send(&method, &api_url("/"), Some(&token())) {
            Ok(answer) => json!(text(&answer)),
            Err(fault) => return Err(Refusal::Failed(vec![complaint(&fault)])),
        },
        "later" => return Err(Refusal::Deferred("the sun is not up".to_owned())),
        _ => json!("lent"),
    };
    Ok(Opened { value: value.to_string(), private: vec![5], renew_after_ms: Some(60_000) })
}

/// `http` has something to say at the end.
pub(crate) fn close(ty: &str) -> Vec<Diagnostic> {
    match ty {
        "http" => send("POST", &api_url("/"), Some(&token())).err().iter().map(complaint).collect(),
        _ => Vec::new(),
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
