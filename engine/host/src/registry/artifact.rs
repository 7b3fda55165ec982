//! Artifacts: what registries keep beside images, as whoever pushed it left it. What is in them is the caller's business.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, LINK, LOCATION};
use reqwest::{Response, Url};
use serde::Deserialize;

use super::manifest::{digest_of, verified};
use super::reference::Reference;
use super::remote::{Remote, Repository};
use super::settings::Registries;
use crate::fault::{Code, Fault};

/// Of a list of tags or a manifest.
const SMALL: usize = 8 << 20;
/// Of a blob.
const LARGEST: usize = 256 << 20;
/// What may take longer than other requests do: a blob comes, or goes.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// A registry that goes on and on is not asked for more pages.
const MOST_PAGES: usize = 64;

/// All registries, for artifacts.
pub struct Artifacts {
    remote: Remote,
}

/// What is pushed under one tag.
#[derive(Clone, Copy, Debug)]
pub struct Parcel<'p> {
    /// Of the manifest.
    pub media_type: &'p str,
    /// Names the blobs by their digests.
    pub manifest: &'p [u8],
    /// All that it names.
    pub blobs: &'p [&'p [u8]],
}

#[derive(Deserialize)]
struct Tags {
    tags: Option<Vec<String>>,
}

impl Artifacts {
    /// Nobody is asked yet.
    pub fn new(registries: Arc<Registries>) -> Artifacts {
        Artifacts { remote: Remote::new(registries) }
    }

    /// The tags of a repository, in the registry's order.
    pub async fn tags(&self, repository: &Reference) -> Result<Vec<String>, Fault> {
        let at = self.remote.at(repository).await?;
        let (mut url, mut found) = (at.url("tags/list?n=1000"), Vec::new());
        for _ in 0..MOST_PAGES {
            let response = at.exchange(|client| client.get(&url)).await?;
            if !response.status().is_success() {
                return Err(at.refusal(response.status(), "tags"));
            }
            let next = next_page(&response);
            let wrong =
                |error| Fault::new(Code::Protocol, format!("the tags of `{repository}` can't be read: {error}"));
            let page: Tags = serde_json::from_slice(&at.body(response, SMALL).await?).map_err(wrong)?;
            found.extend(page.tags.unwrap_or_default());
            match next {
                Some(next) => url = next,
                None => return Ok(found),
            }
        }
        Err(Fault::new(Code::TooLarge, format!("`{repository}` has too many tags")))
    }

    /// The manifest behind a tag or a digest; one that has not the digest is refused.
    pub async fn manifest(&self, reference: &Reference) -> Result<Vec<u8>, Fault> {
        let bytes = self.remote.at(reference).await?.manifest().await?;
        match &reference.digest {
            Some(digest) => verified(bytes, digest, &format!("`{reference}`")),
            None => Ok(bytes),
        }
    }

    /// A blob, which has this digest.
    pub async fn blob(&self, repository: &Reference, digest: &str) -> Result<Vec<u8>, Fault> {
        super::manifest::check_digest(digest)?;
        let at = self.remote.at(repository).await?;
        let url = at.url(&format!("blobs/{digest}"));
        let response = at.exchange(|client| client.get(&url).timeout(PATIENCE)).await?;
        match response.status() {
            status if status.is_success() => verified(at.body(response, LARGEST).await?, digest, &at.shown()),
            status => Err(at.refusal(status, digest)),
        }
    }

    /// Pushes the blobs, and then the manifest under the reference's tag.
    pub async fn push(&self, reference: &Reference, parcel: &Parcel<'_>) -> Result<(), Fault> {
        let at = self.remote.at(reference).await?;
        for blob in parcel.blobs {
            at.push_blob(blob).await?;
        }
        let url = at.url(&format!("manifests/{}", reference.version()));
        let made = |client: &reqwest::Client| {
            client.put(&url).header(CONTENT_TYPE, parcel.media_type).body(parcel.manifest.to_vec())
        };
        at.took(at.exchange(made).await?).await.map(drop)
    }
}

impl Repository<'_> {
    fn shown(&self) -> String {
        format!("`{}`", self.reference)
    }

    /// In two steps, which every registry knows; nothing where it is there.
    async fn push_blob(&self, blob: &[u8]) -> Result<(), Fault> {
        let digest = digest_of(blob);
        let url = self.url(&format!("blobs/{digest}"));
        if self.exchange(|client| client.head(&url)).await?.status().is_success() {
            return Ok(());
        }
        let url = self.url("blobs/uploads/");
        let begun = self.took(self.exchange(|client| client.post(&url)).await?).await?;
        let place = self.upload(&begun, &digest)?;
        let made = |client: &reqwest::Client| {
            let request = client.put(place.clone()).header(CONTENT_TYPE, "application/octet-stream");
            request.timeout(PATIENCE).body(blob.to_vec())
        };
        self.took(self.exchange(made).await?).await.map(drop)
    }

    /// Where the registry wants the blob.
    fn upload(&self, begun: &Response, digest: &str) -> Result<Url, Fault> {
        let wrong = || Fault::new(Code::Protocol, format!("{} says not where a blob goes", self.shown()));
        let location = begun.headers().get(LOCATION).and_then(|value| value.to_str().ok()).ok_or_else(wrong)?;
        let mut place = begun.url().join(location).map_err(|_| wrong())?;
        // A login goes with it.
        if place.origin() != begun.url().origin() {
            return Err(wrong());
        }
        place.query_pairs_mut().append_pair("digest", digest);
        Ok(place)
    }

    /// The answer, unless it is a refusal; what a registry says of a push is worth reading.
    async fn took(&self, response: Response) -> Result<Response, Fault> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if matches!(status.as_u16(), 400 | 405 | 415 | 422) {
            let said = self.body(response, SMALL).await.unwrap_or_default();
            let said: String = String::from_utf8_lossy(&said).chars().filter(|c| !c.is_control()).take(400).collect();
            return Err(Fault::new(Code::Invalid, format!("{} is not taken: {said}", self.shown())));
        }
        Err(self.refusal(status, self.reference.version()))
    }
}

/// `Link: </v2/…>; rel="next"`, on the same server.
fn next_page(response: &Response) -> Option<String> {
    let header = response.headers().get(LINK)?.to_str().ok()?;
    let (target, rest) = header.trim_start().strip_prefix('<')?.split_once('>')?;
    if !rest.contains("next") {
        return None;
    }
    let next = response.url().join(target).ok()?;
    (next.origin() == response.url().origin()).then(|| next.to_string())
}
