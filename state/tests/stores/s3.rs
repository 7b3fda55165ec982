//! A log in what speaks S3's protocol.

use axum::http::StatusCode;

use super::service::{self, Dialect};

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>
const S3: Dialect = Dialect {
    scheme: "s3",
    bucket: "bucket",
    options: &[
        ("allow_http", "true"),
        ("region", "us-east-1"),
        ("access_key_id", "id"),
        ("secret_access_key", "secret"),
    ],
    endpoint: "endpoint",
    only_if_none: ("if-none-match", "*"),
    taken: StatusCode::PRECONDITION_FAILED,
    nothing_to_delete: StatusCode::NO_CONTENT,
    no_such_bucket: "NoSuchBucket",
    token: "continuation-token",
    page: service::page,
};

is_kept_by_a_service!(&S3);
