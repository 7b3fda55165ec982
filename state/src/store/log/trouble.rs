//! What a store's library says, in words: which of the few usual things is wrong, and what to do.

use object_store::Error;

use super::Bucket;

const MISSING: [&str; 4] = ["NoSuchBucket", "ContainerNotFound", "bucket does not exist", "container does not exist"];

const REFUSED: [&str; 8] = [
    "401 Unauthorized",
    "403 Forbidden",
    "AccessDenied",
    "AuthenticationFailed",
    "AuthorizationFailure",
    "InvalidAccessKeyId",
    "InvalidAuthenticationInfo",
    "SignatureDoesNotMatch",
];

/// Where a cloud's machines are given credentials: asked where nobody said any.
const OF_MACHINES: [&str; 2] = ["169.254.169.254", "metadata.google.internal"];

/// A key of Google's that can't be had.
const OF_ROBOTS: [&str; 2] = ["Unable to open service account file from ", "Unable to decode service account file: "];

const SILENT: [&str; 5] = ["error sending request", "Connection refused", "connect error", "dns error", "timed out"];

/// What is wrong with it.
pub(super) fn words(bucket: &Bucket, error: &Error) -> String {
    let text = whole(error);
    let says = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    let (kind, name) = named(&bucket.url);
    if matches!(error, Error::NotFound { .. }) && kind != "folder" || says(&MISSING) {
        return format!("the {kind} `{name}` does not exist; make it: Bimetal does not");
    }
    if says(&OF_MACHINES) {
        return "there are no credentials for it; write them into the `state` block, or into the environment, as the cloud's own \
                tools read them"
            .to_owned();
    }
    if let Some(reason) = OF_ROBOTS.iter().find_map(|sign| Some(text.split_once(sign)?.1)) {
        return format!("the key of its service account can't be read: {reason}");
    }
    let is_refused = matches!(error, Error::PermissionDenied { .. } | Error::Unauthenticated { .. });
    if kind != "folder" && (is_refused || says(&REFUSED)) {
        let reason = message(&text).map(|message| format!(" ({message})")).unwrap_or_default();
        return format!("the store refuses these credentials{reason}; see the `state` block and the environment");
    }
    if says(&SILENT) {
        return format!("the store does not answer: {}", innermost(error));
    }
    match message(&text) {
        Some(message) => message,
        None if kind == "folder" => innermost(error),
        None => text,
    }
}

/// What such a place is called, and its name.
fn named(url: &str) -> (&'static str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let name = rest.split_once('/').map_or(rest, |(name, _)| name);
    match scheme {
        "az" => ("container", name),
        "file" => ("folder", rest),
        _ => ("bucket", name),
    }
}

/// The sentence of an answer in XML, and where one follows, that which says whom it concerns.
fn message(text: &str) -> Option<String> {
    let of = |tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        let (sentence, _) = rest.split_once(&format!("</{tag}>"))?;
        sentence.lines().next().map(str::trim)
    };
    let details = of("Details").map(|details| format!(" {details}"));
    Some(format!("{}{}", of("Message")?, details.unwrap_or_default()))
}

/// The error with all its reasons.
fn whole(error: &Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    let mut text = error.to_string();
    while let Some(source) = reason.source() {
        let more = source.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        reason = source;
    }
    text
}

fn innermost(error: &Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn said(url: &str, answer: &str) -> String {
        let bucket = Bucket { url: url.to_owned(), options: BTreeMap::new() };
        words(&bucket, &Error::Generic { store: "x", source: answer.into() })
    }

    #[test]
    fn the_usual_troubles_have_words() {
        let xml = |code: &str, message: &str| {
            format!(
                "Server returned non-2xx status code: 400: <Error><Code>{code}</Code><Message>{message}</Message></Error>"
            )
        };
        assert_eq!(
            said("az://states/fleet", &xml("ContainerNotFound", "The specified container does not exist.\nTime: 1")),
            "the container `states` does not exist; make it: Bimetal does not"
        );
        assert_eq!(
            said("s3://states", &xml("NoSuchBucket", "The specified bucket does not exist")),
            "the bucket `states` does not exist; make it: Bimetal does not"
        );
        assert_eq!(
            said("s3://states", &xml("SignatureDoesNotMatch", "The signature does not match.")),
            "the store refuses these credentials (The signature does not match.); see the `state` block and the environment"
        );
        assert_eq!(
            said("s3://states", "Error performing PUT http://169.254.169.254/latest/api/token"),
            "there are no credentials for it; write them into the `state` block, or into the environment, as the cloud's own \
             tools read them"
        );
        assert_eq!(
            said("gs://states", "tcp connect error: Connection refused"),
            "the store does not answer: tcp connect error: Connection refused"
        );
        let denied = xml("AccessDenied", "Access denied.").replace(
            "</Error>",
            "<Details>robot@p.iam.gserviceaccount.com does not have storage.objects.list access.</Details></Error>",
        );
        assert_eq!(
            said("gs://states", &denied),
            "the store refuses these credentials (Access denied. robot@p.iam.gserviceaccount.com does not have \
             storage.objects.list access.); see the `state` block and the environment"
        );
        assert_eq!(
            said(
                "gs://states",
                "Unable to open service account file from /k.json: No such file or directory (os error 2)"
            ),
            "the key of its service account can't be read: /k.json: No such file or directory (os error 2)"
        );
        assert_eq!(
            said("s3://states", &xml("SlowDown", "Please reduce your request rate.")),
            "Please reduce your request rate."
        );
    }
}
