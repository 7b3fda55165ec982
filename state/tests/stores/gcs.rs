//! A log in what speaks the protocol of Google Cloud Storage.

use axum::http::StatusCode;

use super::service::{self, Dialect};

/// <https://cloud.google.com/storage/docs/xml-api/overview>
const GCS: Dialect = Dialect {
    scheme: "gs",
    bucket: "bucket",
    options: &[("service_account_key", ROBOT)],
    endpoint: "base_url",
    only_if_none: ("x-goog-if-generation-match", "0"),
    taken: StatusCode::PRECONDITION_FAILED,
    nothing_to_delete: StatusCode::NOT_FOUND,
    no_such_bucket: "NoSuchBucket",
    token: "continuation-token",
    page: service::page,
};

/// Nobody's: it signs nothing.
const ROBOT: &str =
    r#"{"client_email": "robot@example.com", "private_key": "", "private_key_id": "", "disable_oauth": true}"#;

is_kept_by_a_service!(&GCS);
