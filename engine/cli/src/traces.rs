//! Traces: what `BIMETAL_LOG` asks for, on standard error; and, where `OTEL_EXPORTER_OTLP_ENDPOINT` is set, spans for a collector.
//!
//! Where neither is asked for nothing is set up, and a span costs a comparison.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bimetal_host::http::{Http, Request};
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// A collector that does not answer holds up the end of a command no longer than this.
const PATIENCE: Duration = Duration::from_secs(5);

/// What must be sent before the command ends.
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Must be called within the runtime that sends.
    pub(crate) fn begin() -> Traces {
        let log = EnvFilter::try_from_env("BIMETAL_LOG").ok();
        let log = log.map(|filter| tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(filter));
        let provider = is_wanted().then(provider).flatten();
        if log.is_none() && provider.is_none() {
            return Traces(None);
        }
        let spans = provider.as_ref().map(|provider| {
            let tracer = provider.tracer("bimetal");
            let layer = tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false);
            layer.with_filter(filter_fn(is_ours))
        });
        tracing_subscriber::registry().with(log).with(spans).init();
        Traces(provider)
    }

    /// Sends what was not sent yet.
    pub(crate) async fn end(self) {
        let Some(provider) = self.0 else { return };
        let sent = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(PATIENCE));
        // A collector that is not there is nobody's failure.
        if let Ok(Err(error)) = sent.await {
            tracing::warn!(%error, "traces can't be sent");
        }
    }
}

/// Whose spans are sent. None has a value of the configuration's or the state's in it.
const OUR_CRATES: [&str; 2] = ["bimetal", "bimetal_apply"];

/// No events, which have what providers say; and nothing that libraries say of themselves.
fn is_ours(metadata: &tracing::Metadata<'_>) -> bool {
    let name = metadata.target().split("::").next().unwrap_or_default();
    metadata.is_span() && OUR_CRATES.contains(&name)
}

fn is_wanted() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_set("OTEL_EXPORTER_OTLP_ENDPOINT") || is_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
}

fn provider() -> Option<SdkTracerProvider> {
    let runtime = tokio::runtime::Handle::try_current().ok()?;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(Sender { runtime, http: Arc::new(Http::new(None)) })
        .with_timeout(PATIENCE)
        .build();
    let exporter = match exporter {
        Ok(exporter) => exporter,
        Err(error) => {
            crate::output::say(&format!("warning: traces can't be sent: {error}\n"));
            return None;
        }
    };
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name("bimetal").with_attribute(version).build();
    Some(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Sends as the host does: by rustls, and as the proxy variables say.
struct Sender {
    /// Exports come from a thread of their own.
    runtime: tokio::runtime::Handle,
    http: Arc<Http>,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender")
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<bytes::Bytes>, HttpError> {
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let sent = Request {
            method: request.method().to_string(),
            url: request.uri().to_string(),
            headers,
            body: Some(request.into_body().to_vec()),
            authorization: None,
        };
        let http = self.http.clone();
        let sending = self.runtime.spawn(async move { http.send(&sent, &[], &|_| {}).await });
        let response = sending.await?.map_err(|fault| fault.summary().to_owned())?;
        Ok(http::Response::builder().status(response.status).body(response.body.into())?)
    }
}
