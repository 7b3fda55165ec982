//! A log in what speaks the protocol of Azure's Blob Storage.

use axum::http::StatusCode;

use super::service::{Dialect, Listed};

/// <https://learn.microsoft.com/en-us/rest/api/storageservices/blob-service-rest-api>
const AZURE: Dialect = Dialect {
    scheme: "az",
    bucket: "container",
    options: &[("allow_http", "true"), ("account_name", "somebody"), ("account_key", "c2VjcmV0")],
    endpoint: "endpoint",
    only_if_none: ("if-none-match", "*"),
    taken: StatusCode::CONFLICT,
    nothing_to_delete: StatusCode::NOT_FOUND,
    no_such_bucket: "ContainerNotFound",
    token: "marker",
    page,
};

fn page(listed: &[Listed], token: Option<&str>) -> String {
    let listed = listed.iter().map(|one| match one {
        Listed::Object(name, size) => {
            let time = "<Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified>";
            let properties =
                format!("{time}<Content-Length>{size}</Content-Length><Content-Type>text/plain</Content-Type>");
            format!("<Blob><Name>{name}</Name><Properties>{properties}</Properties></Blob>")
        }
        Listed::Folder(name) => format!("<BlobPrefix><Name>{name}</Name></BlobPrefix>"),
    });
    let (listed, token) = (listed.collect::<String>(), token.unwrap_or_default());
    format!("<EnumerationResults><Blobs>{listed}</Blobs><NextMarker>{token}</NextMarker></EnumerationResults>")
}

is_kept_by_a_service!(&AZURE);
