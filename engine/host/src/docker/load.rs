//! Images from the operator's OCI layouts and archives, sent to an engine.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use bimetal_model::image::ImageSource;
use bollard::query_parameters::ImportImageOptions;
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use serde_json::Value;
use tokio::sync::mpsc;

use super::images::Pulse;
use super::{Engine, archive, failure};
use crate::fault::{Code, Fault};
use crate::flights::{Listeners, Progress, Report};
use crate::registry::layout::{self, Layout, blocking};
use crate::registry::manifest::check_digest;

/// What is sent at once.
const CHUNK: usize = 64 << 10;
/// Chunks that wait for the engine.
const CHUNKS: usize = 16;

impl Engine {
    /// Sends an image of `oci:PATH@sha256:…` or `oci-archive:PATH@sha256:…` unless it is there, once for all that ask at
    /// the same time. Answers its inspection, with the tag `bimetal.local/<name>:<digest>`.
    pub async fn load_image(self: &Arc<Self>, source: &str, report: Option<Report>) -> Result<Value, Fault> {
        let (engine, pinned) = (self.clone(), Pinned::parse(source)?);
        let load = |listeners| async move { engine.load(pinned, listeners).await }.boxed();
        self.loads.join(source.to_owned(), report, load).await
    }

    async fn load(&self, pinned: Pinned, listeners: Listeners) -> Result<Value, Fault> {
        if let Some(image) = self.inspect_image(&pinned.tag).await? {
            return Ok(image);
        }
        let doing = format!("loading `{}`", pinned.shown);
        let layout = layout::open(self.root.join(&pinned.path), pinned.archive, pinned.shown).await?;
        let (layout, tag) = (Arc::new(layout), pinned.tag);
        let archive = {
            let (layout, tag, digest) = (layout.clone(), tag.clone(), pinned.digest);
            Arc::new(blocking(move || archive::of(&layout, &digest, &tag)).await?)
        };
        self.send(&doing, layout, archive, listeners).await?;
        let missing = || Fault::new(Code::Protocol, format!("{}, {doing}: it is not there after all", self.name));
        self.inspect_image(&tag).await?.ok_or_else(missing)
    }

    async fn send(
        &self,
        doing: &str,
        layout: Arc<Layout>,
        archive: Arc<archive::Archive>,
        listeners: Listeners,
    ) -> Result<(), Fault> {
        let total = archive.size();
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let broken = Arc::new(Mutex::new(None));
        write_in_background(layout, archive, sender, broken.clone());
        let pulse = Arc::new(Pulse::default());
        let body = stream(receiver, pulse.clone(), total, listeners);
        let sending = async {
            let mut answers =
                self.docker.import_image_stream(ImportImageOptions { quiet: true, platform: None }, body, None);
            while let Some(answer) = answers.next().await {
                pulse.beat();
                answer.map_err(|error| failure::fault(&self.name, doing, &error))?;
            }
            Ok(())
        };
        let sent = self.while_alive(&pulse, doing, sending).await;
        // What broke at our end is the reason of what broke at the other.
        match broken.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(fault) if sent.is_err() => Err(fault),
            _ => sent,
        }
    }
}

/// A source with the digest that it is pinned to.
struct Pinned {
    shown: String,
    path: String,
    archive: bool,
    digest: String,
    tag: String,
}

impl Pinned {
    fn parse(text: &str) -> Result<Pinned, Fault> {
        let wrong = || {
            Fault::new(Code::Invalid, format!("`{text}` is not an image of an OCI layout, as `oci:PATH@sha256:…` is"))
        };
        let (source, digest) = text.rsplit_once('@').ok_or_else(wrong)?;
        let hex = check_digest(digest)?;
        let ImageSource::Layout { path, archive } = source.parse().map_err(|_| wrong())? else {
            return Err(wrong());
        };
        let tag = format!("bimetal.local/{}:{}", name_of(&path), &hex[..12]);
        Ok(Pinned { shown: source.to_owned(), path, archive, digest: digest.to_owned(), tag })
    }
}

/// The last part of a path, as a repository may be called.
fn name_of(path: &str) -> String {
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let last = last.strip_suffix(".tar").unwrap_or(last).to_lowercase();
    let words = last.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit())).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-");
    if name.is_empty() { "image".to_owned() } else { name }
}

fn write_in_background(
    layout: Arc<Layout>,
    archive: Arc<archive::Archive>,
    sender: mpsc::Sender<std::io::Result<Bytes>>,
    broken: Arc<Mutex<Option<Fault>>>,
) {
    tokio::task::spawn_blocking(move || {
        let mut to = std::io::BufWriter::with_capacity(CHUNK, Chunks(sender.clone()));
        let Err(error) = archive.write(&layout, &mut to).and_then(|()| to.flush()) else {
            return;
        };
        // Without a receiver it is the other end that broke.
        if !sender.is_closed() {
            *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(layout.wrong(&error.to_string()));
            let _ = sender.blocking_send(Err(error));
        }
    });
}

struct Chunks(mpsc::Sender<std::io::Result<Bytes>>);

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn stream(
    receiver: mpsc::Receiver<std::io::Result<Bytes>>,
    pulse: Arc<Pulse>,
    total: u64,
    listeners: Listeners,
) -> impl futures::Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    let chunks = futures::stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
    let mut done = 0;
    chunks.inspect(move |chunk| {
        pulse.beat();
        done += chunk.as_ref().map_or(0, Bytes::len) as u64;
        let message = "uploading".to_owned();
        listeners.tell(&Progress { message, done: Some(done.min(total)), total: Some(total) });
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_source_has_a_tag_of_its_own() {
        let digest = format!("sha256:0123456789abcdef{}", "0".repeat(48));
        for (source, tag) in [
            (format!("oci:./out/My_App@{digest}"), "bimetal.local/my-app:0123456789ab"),
            (format!("oci-archive:/x/web.tar@{digest}"), "bimetal.local/web:0123456789ab"),
            (format!("oci:..@{digest}"), "bimetal.local/image:0123456789ab"),
        ] {
            assert_eq!(Pinned::parse(&source).ok().unwrap().tag, tag);
        }
        for source in ["oci:x", "nginx@sha256:0", "oci:x@sha256:../../etc", "oci-archive:@sha256:0"] {
            assert!(Pinned::parse(source).is_err(), "{source}");
        }
    }
}
