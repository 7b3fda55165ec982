//! A whole provider: notes that a server keeps. `docs/writing-a-provider.md` walks through it.
//!
//! `cargo build --package bimetal-provider --example notes --target wasm32-wasip2` makes the component.

use bimetal_provider::capability::http::{Request, Response};
use bimetal_provider::{
    Create, Credential, Deletion, Deserialize, Diagnostic, Ephemeral, EphemeralType, Function, FunctionType, Json,
    Lease, Opened, Outcome, Plan, Provider, Resource, Result, Schema, Serialize, Type, json,
};

const API: &str = "https://notes.example.org";

/// The server, and who we are there.
pub struct Notes {
    token: Credential,
    url: String,
}

/// The arguments of `provider "notes"`.
#[derive(Schema, Deserialize)]
pub struct Config {
    /// Made on the server's settings page
    #[attr(credential)]
    token: Credential,
    /// Of a server of your own; the public one unless said
    url: Option<String>,
}

impl Provider for Notes {
    type Config = Config;

    fn configure(config: Config) -> Result<Self> {
        Ok(Notes { token: config.token, url: config.url.unwrap_or_else(|| API.to_owned()) })
    }

    fn types() -> Vec<Type<Self>> {
        vec![Type::of::<Note>()]
    }

    fn ephemeral() -> Vec<EphemeralType<Self>> {
        vec![EphemeralType::of::<Session>()]
    }

    fn functions() -> Vec<FunctionType> {
        vec![FunctionType::of::<Topic>()]
    }
}

impl Notes {
    fn send(&self, method: &str, path: &str, body: Option<&Json>) -> Result<Response> {
        let request = Request::new(method, format!("{}{path}", self.url)).bearer(&self.token);
        let response = body.into_iter().fold(request, Request::json).send()?;
        match response.status() {
            200..=299 | 404 => Ok(response),
            status => Err(Diagnostic::error(format!("the server answered {status}"))),
        }
    }
}

/// One word of several: `provider::notes::topic("Green", "tea")` is `green-tea`.
#[derive(Schema, Deserialize)]
pub struct Topic {
    /// They are put together
    #[attr(variadic)]
    words: Vec<String>,
}

impl Function for Topic {
    const NAME: &'static str = "topic";
    type Answer = String;

    fn call(self) -> Result<String> {
        match self.words.iter().position(|word| word.trim().is_empty()) {
            Some(place) => Err(Diagnostic::error("a word has letters").at("words").index(place)),
            None => Ok(self.words.join("-").to_lowercase().replace(' ', "-")),
        }
    }
}

/// A note.
#[derive(Clone, Schema, Serialize, Deserialize)]
pub struct Note {
    /// One word; another one makes another note
    #[attr(force_new)]
    topic: String,
    /// What it says
    text: String,
    #[attr(read_only)]
    id: Option<String>,
    /// Counts the changes
    #[attr(read_only, changes_on_update)]
    revision: Option<u64>,
}

impl Note {
    /// What the server is told. It knows nothing of intents, so they travel as a tag.
    fn body(&self, intent: &str) -> Json {
        json!({ "topic": self.topic, "text": self.text, "tag": intent })
    }

    /// As asked for, with what the server adds.
    fn told(self, answer: &Json) -> Note {
        let id = answer["id"].as_str().map(str::to_owned);
        Note { id, revision: answer["revision"].as_u64(), ..self }
    }

    fn path(&self) -> Result<String> {
        let id = self.id.as_ref().ok_or_else(|| Diagnostic::error("the note's id is not known"))?;
        Ok(format!("/notes/{id}"))
    }

    fn look(self, notes: &Notes) -> Result<Option<Note>> {
        let response = notes.send("GET", &self.path()?, None)?;
        if response.status() == 404 {
            return Ok(None);
        }
        let answer = response.json()?;
        // Somebody may have rewritten it: the plan shows that as a difference.
        let text = answer["text"].as_str().unwrap_or_default().to_owned();
        Ok(Some(Note { text, ..self }.told(&answer)))
    }

    /// Idempotent: a note that an interrupted run made is found by its tag.
    fn make(notes: &Notes, request: Create<Note>) -> Result<Note> {
        if let Some(note) = Note::probe(notes, &request.intent, request.config.clone())? {
            return Ok(note);
        }
        let answer = notes.send("POST", "/notes", Some(&request.config.body(&request.intent)))?.json()?;
        Ok(request.config.told(&answer))
    }
}

impl Resource for Note {
    type Provider = Notes;
    const NAME: &'static str = "notes_note";

    fn validate(&self) -> Vec<Diagnostic> {
        let is_word = !self.topic.is_empty() && !self.topic.contains(' ');
        let wrong = (!is_word).then(|| Diagnostic::error(format!("`{}` is not one word", self.topic)).at("topic"));
        wrong.into_iter().collect()
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        if plan.is_new() {
            plan.set("revision", 1);
        }
        Ok(())
    }

    fn read(notes: &Notes, objects: Vec<Note>) -> Vec<Result<Option<Note>>> {
        objects.into_iter().map(|note| note.look(notes)).collect()
    }

    fn probe(notes: &Notes, intent: &str, config: Note) -> Result<Option<Note>> {
        let answer = notes.send("GET", &format!("/notes?tag={intent}"), None)?.json()?;
        Ok(answer.get(0).map(|found| config.told(found)))
    }

    fn create(notes: &Notes, requests: Vec<Create<Note>>) -> Vec<Outcome<Note>> {
        requests.into_iter().map(|request| Note::make(notes, request).into()).collect()
    }

    fn update(notes: &Notes, prior: Note, config: Note) -> Outcome<Note> {
        let send =
            || notes.send("PUT", &prior.path()?, Some(&json!({ "text": config.text })))?.json().map_err(Into::into);
        send().map(|answer| config.clone().told(&answer)).into()
    }

    fn delete(notes: &Notes, note: Note) -> Deletion {
        note.path().and_then(|path| notes.send("DELETE", &path, None)).map(drop).into()
    }
}

/// Somebody who reads along for a while.
#[derive(Schema, Serialize, Deserialize)]
pub struct Session {
    /// Who it is
    reader: String,
    /// What they show to be let in
    #[attr(read_only, sensitive)]
    ticket: Option<String>,
}

impl Ephemeral for Session {
    type Provider = Notes;
    const NAME: &'static str = "notes_session";

    fn open(notes: &Notes, config: Session) -> Result<Opened<Session>> {
        let answer = notes.send("POST", "/sessions", Some(&json!({ "reader": config.reader })))?.json()?;
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        let value = Session { ticket: Some(text("ticket")), ..config };
        Ok(Opened { value, lease: lease(text("id").into_bytes(), &answer) })
    }

    fn renew(notes: &Notes, id: Vec<u8>) -> Result<Lease> {
        let path = format!("/sessions/{}", String::from_utf8_lossy(&id));
        let answer = notes.send("PUT", &path, Some(&json!({})))?.json()?;
        Ok(lease(id, &answer))
    }

    fn close(notes: &Notes, id: Vec<u8>) -> Result<()> {
        notes.send("DELETE", &format!("/sessions/{}", String::from_utf8_lossy(&id)), None).map(drop)
    }
}

/// Renewed long before its end, where it has one.
fn lease(id: Vec<u8>, session: &Json) -> Lease {
    Lease { private: id, renew_after_ms: session["lasts_ms"].as_u64().map(|ms| ms / 2) }
}

bimetal_provider::export_provider!(crate::Notes, "manifest.json");

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use bimetal_provider::Fault;
    use bimetal_provider::testing::{Driver, Http, Request, Response, World};

    use super::*;

    /// The server, by id.
    #[derive(Default)]
    struct Server(RefCell<BTreeMap<String, Json>>);

    impl Http for Server {
        fn send(&self, request: &Request) -> std::result::Result<Response, Fault> {
            let body = request.body.as_ref().map_or(Json::Null, |body| serde_json::from_slice(body).unwrap());
            let answer = self.answer(&request.method, request.url.strip_prefix(API).unwrap(), body);
            let (status, body) = answer.map_or((404, Vec::new()), |body| (200, body.to_string().into_bytes()));
            Ok(Response { status, headers: Vec::new(), body })
        }
    }

    impl Server {
        fn answer(&self, method: &str, path: &str, body: Json) -> Option<Json> {
            let mut notes = self.0.borrow_mut();
            if let Some(tag) = path.strip_prefix("/notes?tag=") {
                return Some(notes.values().filter(|note| note["tag"] == tag).cloned().collect());
            }
            let id = path.strip_prefix("/notes/").map_or_else(|| format!("n{}", notes.len() + 1), str::to_owned);
            match method {
                "POST" => {
                    let mut note = body;
                    note["id"] = json!(id);
                    note["revision"] = json!(1);
                    notes.insert(id.clone(), note);
                }
                "PUT" => {
                    let note = notes.get_mut(&id)?;
                    note["text"] = body["text"].clone();
                    note["revision"] = json!(note["revision"].as_u64().unwrap() + 1);
                }
                "DELETE" => return notes.remove(&id),
                _ => {}
            }
            notes.get(&id).cloned()
        }
    }

    fn driver() -> Driver<Notes> {
        let world = World::with_http(Server::default());
        Driver::new(world, &json!({ "token": { "$credential": "provider.notes#token" } })).unwrap()
    }

    #[test]
    fn a_note_lives_and_dies() {
        let driver = driver();
        let config = json!({ "topic": "tea", "text": "green" });
        let planned = driver.plan("notes_note", None, &config).unwrap();
        assert_eq!(planned.value["id"], json!({ "$unknown": {} }));
        let note = driver.create("notes_note", "i-1", &config).unwrap();
        assert_eq!(note, json!({ "topic": "tea", "text": "green", "id": "n1", "revision": 1 }));
        assert_eq!(driver.create("notes_note", "i-1", &config).unwrap(), note);
        assert_eq!(driver.plan("notes_note", Some(&note), &config).unwrap().value, note);

        let config = json!({ "topic": "tea", "text": "black" });
        let planned = driver.plan("notes_note", Some(&note), &config).unwrap();
        assert_eq!((planned.value["revision"].clone(), planned.replace), (json!({ "$unknown": {} }), vec![]));
        let note = driver.update("notes_note", &note, &config).unwrap();
        assert_eq!(note["revision"], 2);

        let moved = driver.plan("notes_note", Some(&note), &json!({ "topic": "rum", "text": "black" })).unwrap();
        assert_eq!((moved.replace, moved.value["revision"].clone()), (vec!["topic".to_owned()], json!(1)));
        driver.delete("notes_note", &note).unwrap();
        assert_eq!(driver.read("notes_note", &[note]), [Ok(None)]);
    }

    #[test]
    fn a_topic_is_one_word() {
        let wrong = driver().validate("notes_note", &json!({ "topic": "green tea", "text": "" }));
        assert_eq!(wrong, ["topic: `green tea` is not one word"]);
    }
}
