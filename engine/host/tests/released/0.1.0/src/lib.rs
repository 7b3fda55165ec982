//! A provider of the contract 0.1.0, as small as it can be: one type, whose values are changed as text.

#![no_std]

extern crate alloc;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicUsize, Ordering};

wit_bindgen::generate!({ path: "../../../../../plugin-sdk/wit/0.1.0", world: "provider" });

use bimetal::provider::types::*;
use exports::bimetal::provider::{describe, lend, look, operate, predict};

const TEXT: &[u8] = include_bytes!("../manifest.json");

#[used]
#[unsafe(link_section = "bimetal:manifest")]
static MANIFEST: [u8; TEXT.len()] = *include_bytes!("../manifest.json");

/// Nothing is given back: an instance lives for a call.
struct Bump;

static TOP: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Bump = Bump;

unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut top = TOP.load(Ordering::Relaxed);
        if top == 0 {
            top = core::arch::wasm32::memory_size(0) << 16;
        }
        let start = top.next_multiple_of(layout.align());
        let end = start + layout.size();
        let missing = end.saturating_sub(core::arch::wasm32::memory_size(0) << 16).div_ceil(1 << 16);
        if missing > 0 && core::arch::wasm32::memory_grow(0, missing) == usize::MAX {
            return core::ptr::null_mut();
        }
        TOP.store(end, Ordering::Relaxed);
        start as *mut u8
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

/// Without a C library nobody else has it.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, length: usize) -> i32 {
    for place in 0..length {
        // SAFETY: the caller says that both are so long.
        let (one, other) = unsafe { (*one.add(place), *other.add(place)) };
        if one != other {
            return i32::from(one) - i32::from(other);
        }
    }
    0
}

/// Where the host puts what it hands over.
#[unsafe(export_name = "cabi_realloc")]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
    // SAFETY: sizes and alignments are the host's, which keeps the canonical ABI.
    unsafe {
        if old_size == 0 {
            return alloc::alloc::alloc(Layout::from_size_align_unchecked(new_size, align));
        }
        alloc::alloc::realloc(old, Layout::from_size_align_unchecked(old_size, align), new_size)
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

const SCHEMA: &str = r#"{"managed":{"kept_note":{"batch":2,"attributes":{"text":{"type":"string","required":true},"id":{"type":"string","computed":true,"read-only":true}},"adopts":[{"provider":"other","type":"other_note"}]}},"data":{"kept_now":{"attributes":{"id":{"type":"string","computed":true}}}},"ephemeral":{"kept_word":{"attributes":{"id":{"type":"string","computed":true}}}},"functions":{"echo":{"parameters":[{"name":"text","type":"string"}],"returns":{"map":"string"}}}}"#;
/// How such an id begins.
const UNKNOWN: &str = r#""id":{"$unknown":{"#;
const OPEN: &str = r#""id":{"$unknown":{}}"#;

fn error(summary: &str) -> Vec<Diagnostic> {
    vec![Diagnostic { severity: Severity::Error, summary: summary.to_string(), detail: String::new(), path: Vec::new() }]
}

/// The value with its id: in place of one that is unknown, whatever is said of that, or `null`.
fn with_id(value: &str, id: &str) -> String {
    let id = format!(r#""id":"{id}""#);
    match value.split_once(UNKNOWN) {
        Some((before, rest)) => {
            let after = rest.split_once("}}").map_or("", |(_, after)| after);
            format!("{before}{id}{after}")
        }
        None => value.replace(r#""id":null"#, &id),
    }
}

struct Kept;

impl describe::Guest for Kept {
    fn schema() -> String {
        SCHEMA.to_string()
    }
}

impl predict::Guest for Kept {
    fn validate(requests: Vec<ValidateRequest>) -> Vec<Vec<Diagnostic>> {
        let one = |request: &ValidateRequest| match request.config.contains(r#""text":"""#) {
            true => error("a note says something"),
            false => Vec::new(),
        };
        requests.iter().map(one).collect()
    }

    fn plan(requests: Vec<PlanRequest>) -> Vec<Result<Planned, Refusal>> {
        let one = |request: PlanRequest| match request.config.contains(r#""text":"later""#) {
            true => Err(Refusal::Deferred("it is too early".to_string())),
            false => {
                let value = request.proposed.replace(r#""id":null"#, OPEN);
                Ok(Planned { value, replace: Vec::new(), private: vec![1] })
            }
        };
        requests.into_iter().map(one).collect()
    }

    fn upgrade(_: String, _: u64, stored: String) -> Result<String, Vec<Diagnostic>> {
        Ok(stored)
    }

    fn adopt(_: String, source: Foreign) -> Result<Object, Vec<Diagnostic>> {
        Ok(source.object)
    }

    fn call(_: String, arguments: String) -> Result<String, Vec<Diagnostic>> {
        Ok(arguments)
    }
}

impl look::Guest for Kept {
    fn configure(_: String) -> Vec<Diagnostic> {
        Vec::new()
    }

    fn discover(_: String, _: String) -> Result<String, Vec<Diagnostic>> {
        Err(error("there are no machines"))
    }

    fn read(_: String, objects: Vec<Object>) -> Vec<Result<Option<Object>, Refusal>> {
        objects.into_iter().map(|object| Ok(Some(object).filter(|object| !object.value.contains("gone")))).collect()
    }

    fn probe(_: String, intents: Vec<Intent>) -> Vec<Result<Option<Object>, Vec<Diagnostic>>> {
        intents.into_iter().map(|_| Ok(None)).collect()
    }

    fn read_data(_: String, config: String) -> Result<String, Refusal> {
        Ok(with_id(&config, "now"))
    }

    fn import(_: String, id: String, config: String) -> Result<Object, Vec<Diagnostic>> {
        Ok(Object { value: with_id(&config, &id), private: Vec::new() })
    }
}

impl lend::Guest for Kept {
    fn open(_: String, config: String) -> Result<Opened, Refusal> {
        Ok(Opened { value: with_id(&config, "lent"), private: vec![3], renew_after_ms: Some(1000) })
    }

    fn renew(_: String, private: Vec<u8>) -> Result<Renewed, Vec<Diagnostic>> {
        Ok(Renewed { private, renew_after_ms: None })
    }

    fn close(_: String, _: Vec<u8>) -> Vec<Diagnostic> {
        Vec::new()
    }
}

impl operate::Guest for Kept {
    fn create(_: String, requests: Vec<CreateRequest>) -> Vec<Outcome> {
        let one = |request: CreateRequest| {
            Outcome::Done(Object { value: with_id(&request.planned, &request.intent), private: request.private })
        };
        requests.into_iter().map(one).collect()
    }

    fn update(_: String, request: UpdateRequest) -> Outcome {
        Outcome::Done(Object { value: request.planned, private: vec![2] })
    }

    fn delete(_: String, _: Object) -> Deletion {
        Deletion::Done
    }
}

export!(Kept);
