//! Whatever the host decodes from a guest, behind one door: for the fuzz target and the property test, which knock with what no honest guest
//! says.
//!
//! Nothing here decodes anything itself. What must hold for every input is asserted: it is what the fuzz target looks for.

use std::sync::{Arc, LazyLock};

use bimetal_model::convert::convert;
use bimetal_model::schema::{Block, Credential, ProviderSchema};
use bimetal_model::{Address, BlockKind, Diagnostic, ProviderKey, Value};

use crate::bindings::bimetal::provider::types;
use crate::codec::{Codec, Owner, Unknowns};
use crate::credentials::Credentials;
use crate::form::Form;
use crate::grant::Subject;
use crate::host::{Host, HostOptions, Origin};
use crate::manifest::Manifest;
use crate::registry::Registries;
use crate::ssh::Endpoint;
use crate::{call, wire};

/// The user's secret, which no input has.
const SECRET: &str = "hunter2hunter2";
/// The only credential that was handed over.
const HANDED: &str = "machine.x.a#key";
/// Separates the parts of an input: a line of its own, which no JSON has.
const PART: &str = "\n---\n";

/// Decodes one kind of what a guest may say.
pub type Decode = fn(&[u8]);

/// What an input's first line says that the rest is.
pub const KINDS: [(&str, Decode); 6] = [
    ("component", |bytes| drop(manifest(bytes))),
    ("manifest", |section| drop(manifest(&component(section)))),
    ("schema", |text| schema(&String::from_utf8_lossy(text))),
    ("value", |text| value(&String::from_utf8_lossy(text))),
    ("diagnostic", |text| diagnostic(&String::from_utf8_lossy(text))),
    ("handed", |text| handed(&String::from_utf8_lossy(text))),
];

/// Decodes what comes after the first line as what that says. Panics where something does not hold that must.
pub fn decode(input: &[u8]) {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return };
    let (kind, rest) = (&input[..end], &input[end + 1..]);
    let knows = |text: &[u8]| text.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    if let Some((_, decode)) = KINDS.iter().find(|(name, _)| name.as_bytes() == kind).filter(|_| !knows(rest)) {
        decode(rest);
    }
}

/// A component with nothing in it but this manifest.
fn component(manifest: &[u8]) -> Vec<u8> {
    let name = b"bimetal:manifest";
    let mut section = vec![name.len() as u8];
    section.extend(name);
    section.extend(manifest);
    let mut component = b"\0asm\x0d\0\x01\0\0".to_vec();
    let mut length = section.len();
    while length > 0x7f {
        component.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    component.push(length as u8);
    component.extend(section);
    component
}

/// What it says of itself can be shown, and whatever is taken out of its grants is no more than it asked for.
fn manifest(component: &[u8]) -> Option<Manifest> {
    let manifest = Manifest::of(component).inspect_err(shown).ok()?;
    let words = manifest.grants();
    words.iter().for_each(|line| printable(line));
    for line in words {
        if let Ok(narrowed) = manifest.narrowed(&[line]) {
            assert_eq!(narrowed.requests.len(), 1);
        }
    }
    shown(&Diagnostic::error(format!("{} {}", manifest.name, manifest.version)));
    Some(manifest)
}

/// A schema is the same once it was kept, and has types.
fn schema(text: &str) {
    let Ok(schema) = serde_json::from_str::<ProviderSchema>(text) else { return };
    let kept = serde_json::to_string(&schema).unwrap_or_else(|error| panic!("it can't be kept: {error}"));
    assert_eq!(serde_json::from_str::<ProviderSchema>(&kept).ok(), Some(schema.clone()));
    let types = schema.managed.values().chain(schema.data.values());
    for block in types.map(|ty| &ty.block).chain([&schema.provider]) {
        drop(block.ty());
    }
}

/// A block of a schema, and an answer that should fit it: what is accepted fits, and neither it nor what is wrong with it gives a secret away.
fn value(text: &str) {
    let Some((schema, answer)) = text.split_once(PART) else { return };
    let Ok(block) = serde_json::from_str::<Block>(schema) else { return };
    let credentials = Credentials::default();
    let (form, key) = (Form::new(block), ProviderKey::default_of("x"));
    let codec = Codec { form: &form, owner: Owner::Provider(&key), credentials: &credentials };
    let known = known(&form.block);
    for unknowns in [Unknowns::Allowed, Unknowns::Refused] {
        match codec.accept(answer, &[&known], unknowns) {
            Ok(value) => {
                assert!(unknowns == Unknowns::Allowed || value.is_wholly_known());
                assert_eq!(
                    convert(value.clone(), &form.ty).ok(),
                    Some(value.clone()),
                    "what was accepted does not fit"
                );
                hidden(&format!("{value:?}"));
                let text = codec.to_guest(&value);
                hidden(&text);
                if let Some(echo) = codec.echo(&text, &[&value]) {
                    assert_eq!(codec.read(&text, &[&value], unknowns).as_ref(), Ok(&echo), "an echo is what was read");
                }
            }
            Err(reason) => broken(&reason),
        }
    }
}

/// What the user wrote: a secret wherever one belongs.
fn known(block: &Block) -> Value {
    let secret = |credential| match credential {
        Some(Credential::Value) => Value::from(SECRET).into_sensitive(),
        Some(Credential::File) | None => Value::NULL,
    };
    block.attributes.iter().map(|(name, attribute)| (name.clone(), secret(attribute.credential))).collect()
}

/// Summary, detail and a path.
fn diagnostic(text: &str) {
    let mut parts = text.split(PART).map(str::to_owned);
    let (summary, detail) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let step = |(place, name): (usize, String)| match place % 3 {
        0 => types::Step::Attribute(name),
        1 => types::Step::Key(name),
        _ => types::Step::Index(name.len() as u32),
    };
    let path = parts.enumerate().map(step).collect();
    let severity = if detail.len() % 2 == 0 { types::Severity::Error } else { types::Severity::Warning };
    let inner = &HOST.inner;
    let Ok(provider) = inner.provider(&key().name) else { unreachable!("it was added") };
    let wire = types::Diagnostic { severity, summary, detail, path };
    wire::diagnostics(&provider, vec![wire]).iter().for_each(shown);
}

/// A handle, an endpoint, or a body.
fn handed(text: &str) {
    let address = Address::new(BlockKind::Resource, "t", "x");
    let mut subject = Subject::of(vec![address.clone()]);
    subject.hand_over(format!(r#"{{"key":{{"$credential":"{HANDED}"}}}}"#));
    let context = |subject| {
        let provider = HOST.inner.provider(&key().name).unwrap_or_else(|error| panic!("{error:?}"));
        HOST.inner.pure_context(&provider, subject)
    };
    if let Ok(checked) = subject.check(text) {
        crate::docker::read_handle(&checked);
        if let Ok(endpoint) = Endpoint::parse(&checked) {
            let again = serde_json::to_string(&endpoint).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(Endpoint::parse(&again).ok(), Some(endpoint));
        }
    }
    if let Ok(body) = context(subject).label(text) {
        if let Some(labels) = body.get("Labels").and_then(serde_json::Value::as_object) {
            assert_eq!(labels["bimetal.address"], address.to_string(), "it says that it is somebody else's");
        }
        crate::docker::read_body(&body);
    }
}

/// A host with a provider that is never run.
static HOST: LazyLock<Host> = LazyLock::new(|| {
    let manifest = format!(r#"{{"format":1,"name":"{}","version":"1.0.0","contract":"0.1.0"}}"#, key().name);
    let host = Host::new(HostOptions {
        cache_dir: "/nowhere".into(),
        root: "/nowhere".into(),
        notify: Arc::new(bimetal_model::event::Silent),
        keep: Arc::new(NoAuthorities),
        registries: Registries::default(),
        recording: None,
    });
    let host = host.unwrap_or_else(|error| panic!("{error:?}"));
    let added = host.add_provider(key().name, component(manifest.as_bytes()).into(), Origin::Embedded);
    added.unwrap_or_else(|error| panic!("{error:?}"));
    host
});

fn key() -> ProviderKey {
    ProviderKey::default_of("fuzzed")
}

struct NoAuthorities;

#[async_trait::async_trait]
impl crate::certificates::Keep for NoAuthorities {
    async fn secret(&self, _: &str) -> Result<Option<Vec<u8>>, crate::fault::Fault> {
        Ok(None)
    }

    async fn keep_secret(&self, _: &str, secret: &[u8]) -> Result<Vec<u8>, crate::fault::Fault> {
        Ok(secret.to_vec())
    }
}

/// What is said of an answer that is none.
fn broken(reason: &str) {
    hidden(reason);
    let Ok(provider) = HOST.inner.provider(&key().name) else { unreachable!("it was added") };
    call::failed(&provider, &[], reason).iter().for_each(shown);
}

fn hidden(text: &str) {
    assert!(!text.contains(SECRET), "a secret is said: {text}");
}

/// Nothing in it would move the cursor of a terminal, and somebody may read it to its end.
fn shown(diagnostic: &Diagnostic) {
    let texts = [&diagnostic.summary, &diagnostic.detail, diagnostic.hint.as_ref().unwrap_or(&diagnostic.detail)];
    texts.into_iter().chain([&diagnostic.path.to_string()]).for_each(|text| printable(text));
}

fn printable(text: &str) {
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?} would move a terminal's cursor");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces that what guests say is made of; arbitrary bytes alone are hardly ever JSON.
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\n---\n",
        "\u{1b}[2J",
        "\\u001b",
        "null",
        "true",
        "1e999",
        "-0",
        "\"a\"",
        "\"key\"",
        "\"$unknown\"",
        "\"$credential\"",
        "\"$handle\"",
        "\"$sensitive\"",
        "\"machine.x.a#key\"",
        "\"attributes\"",
        "\"blocks\"",
        "\"type\"",
        "\"string\"",
        "[\"map\",\"any\"]",
        "\"credential\"",
        "\"value\"",
        "\"single\"",
        "\"format\"",
        "\"contract\"",
        "\"0.1.0\"",
        "\"name\"",
        "\"version\"",
        "\"requests\"",
        "\"capability\"",
        "\"Labels\"",
        "\"transport\"",
        "\"endpoint\"",
        "{\"a\":",
        "{\"attributes\":{\"key\":{\"type\":\"string\",\"credential\":\"value\"}}}\n---\n{\"key\":",
        "{\"format\":1,\"name\":\"n\",\"version\":\"1\",\"contract\":\"0.1.0\",\"requests\":[{\"capability\":",
    ];

    fn rest() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            8 => prop::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..8),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn whatever_a_guest_answers_is_refused_or_fits(kind in prop::sample::select(&KINDS[..]), rest in rest()) {
            decode(&[kind.0.as_bytes(), b"\n", &rest].concat());
        }
    }

    #[test]
    fn what_guests_say_is_understood_and_what_once_broke_it_is_refused() {
        let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/guest");
        let mut count = 0;
        for seed in std::fs::read_dir(seeds).unwrap() {
            decode(&std::fs::read(seed.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count >= 10, "the seeds are gone");
    }

    #[test]
    fn no_word_of_a_guest_moves_the_cursor() {
        decode(b"diagnostic\n\x1b[2Jred\n---\n\x1b[31m\n---\na\x1b[2J\n---\nb\x07\n---\nc");
        decode(b"value\n{\"attributes\":{\"a\":{\"type\":\"string\"}}}\n---\n{\"\\u001b[2J\":1}");
        decode(b"value\n{}\n---\n{\"a\":{\"$\\u001b[2J\":1}}");
        decode(b"manifest\n{\"format\":1,\"name\":\"n\",\"version\":\"\\u001b[2J\",\"contract\":\"0.1.0\"}");
        decode(b"manifest\n{\"format\":1,\"name\":\"n\",\"version\":\"1\",\"contract\":\"\\u001b[2J\"}");
    }
}
