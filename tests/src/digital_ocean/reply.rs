//! What the stand-in answers.

use serde_json::{Value, json};

/// An answer: a status, and a document where there is one.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Option<Value>,
    pub(crate) retry_after: Option<u64>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: Value) -> Reply {
        Reply { status, body: Some(body), retry_after: None }
    }

    pub(crate) fn done() -> Reply {
        Reply { status: 204, body: None, retry_after: None }
    }

    pub(crate) fn error(status: u16, id: &str, message: impl Into<String>) -> Reply {
        Reply::new(
            status,
            json!({ "id": id, "message": message.into(), "request_id": "4d9d8375-3c56-4925-a3e7-eb137fed17e9" }),
        )
    }

    pub(crate) fn missing() -> Reply {
        Reply::error(404, "not_found", "The resource you were accessing could not be found.")
    }

    pub(crate) fn refused(message: impl Into<String>) -> Reply {
        Reply::error(422, "unprocessable_entity", message)
    }

    pub(crate) fn too_many(seconds: u64) -> Reply {
        let reply = Reply::error(429, "too_many_requests", "API rate limit exceeded.");
        Reply { retry_after: Some(seconds), ..reply }
    }
}

/// A good answer, or the one that says why not.
pub(crate) type Answer = Result<Reply, Reply>;
