//! What guests may call. Every function checks phase and manifest before it does anything.

use std::sync::Arc;

use bimetal_model::event::Event;
use serde_json::Value as Json;

use crate::bindings::bimetal::provider::{certificates, clock, docker, http, report, ssh, types};
use crate::docker::Engine;
use crate::fault::{Code, Fault};
use crate::flights::{Progress, Report};
use crate::guest::{Context, Guest};
use crate::http as client;
use crate::manifest::{Command, Request};
use crate::phase::Phase;

type Answer<T> = Result<T, types::Fault>;

impl types::Host for Guest {}

impl Context {
    fn at_least(&self, needed: Phase, what: &str) -> Result<(), Fault> {
        if self.phase >= needed {
            return Ok(());
        }
        let when = match self.phase {
            Phase::Pure => "while planning",
            Phase::Look => "while looking",
            Phase::Operate => unreachable!("everything is allowed then"),
        };
        Err(Fault::new(Code::WrongPhase, format!("not {when}: {what}")))
    }

    fn denied(&self, what: &str) -> Fault {
        Fault::new(Code::Denied, format!("provider `{}` was not granted: {what}", self.provider.name))
    }

    async fn engine(&self, needed: Phase, handle: &str) -> Result<Arc<Engine>, Fault> {
        self.at_least(needed, "container engines")?;
        if !self.provider.manifest.docker() {
            return Err(self.denied("container engines"));
        }
        self.services.engines.engine(handle).await
    }

    fn ssh_allowed(&self) -> Result<(), Fault> {
        self.at_least(Phase::Look, "SSH")?;
        match self.provider.manifest.ssh() {
            Some(_) => Ok(()),
            None => Err(self.denied("SSH")),
        }
    }

    fn file_allowed(&self, needed: Phase, path: &str) -> Result<(), Fault> {
        self.ssh_allowed()?;
        self.at_least(needed, "changing files")?;
        let (_, prefixes) = self.provider.manifest.ssh().unwrap_or((no_commands(), &[]));
        let is_plain = path.starts_with('/') && !path.split('/').any(|part| part == "..");
        match is_plain && prefixes.iter().any(|prefix| path.starts_with(prefix)) {
            true => Ok(()),
            false => Err(self.denied(&format!("the file `{path}`"))),
        }
    }

    fn tell(&self, index: usize, progress: Progress) {
        let address = self.addresses.get(index).or(self.addresses.first());
        if let Some(address) = address.cloned() {
            let Progress { message, done, total } = progress;
            self.services.notify.notify(Event::Progress { address, message, done, total });
        }
    }

    /// Reports to the first object of the call.
    fn reporter(&self) -> Report {
        let context = self.clone();
        Arc::new(move |progress| context.tell(0, progress))
    }
}

fn no_commands() -> &'static std::collections::BTreeMap<String, Command> {
    static NONE: std::collections::BTreeMap<String, Command> = std::collections::BTreeMap::new();
    &NONE
}

fn json(text: &str) -> Result<Json, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::new(Code::Invalid, format!("this is no JSON: {error}")))
}

impl report::Host for Guest {
    async fn log(&mut self, level: report::Level, message: String) {
        let provider = self.context.provider.name.to_string();
        match level {
            report::Level::Trace => tracing::trace!(provider, message),
            report::Level::Debug => tracing::debug!(provider, message),
            report::Level::Info => tracing::info!(provider, message),
            report::Level::Warn => tracing::warn!(provider, message),
            report::Level::Error => {
                tracing::error!(provider, message);
                Guest::log(self, &message);
            }
        }
    }

    async fn progress(&mut self, index: u32, message: String, done: Option<u64>, total: Option<u64>) {
        if self.context.phase > Phase::Pure {
            self.context.tell(index as usize, Progress { message, done, total });
        }
    }
}

impl clock::Host for Guest {
    async fn now_ms(&mut self) -> u64 {
        match self.context.phase {
            Phase::Pure => self.context.started_ms,
            Phase::Look | Phase::Operate => crate::host::now_ms(),
        }
    }

    async fn random(&mut self, length: u32) -> Vec<u8> {
        let length = length.min(1 << 16) as usize;
        let block = |_| match self.context.phase {
            // The same question gets the same answer.
            Phase::Pure => [7; 16],
            Phase::Look | Phase::Operate => uuid::Uuid::new_v4().into_bytes(),
        };
        (0..length.div_ceil(16)).flat_map(block).take(length).collect()
    }
}

impl http::Host for Guest {
    async fn send(&mut self, request: http::Request) -> Answer<http::Response> {
        let context = self.context.clone();
        let response = send(&context, request).await?;
        Ok(http::Response { status: response.status, headers: response.headers, body: response.body })
    }
}

async fn send(context: &Context, request: http::Request) -> Result<client::Response, Fault> {
    context.at_least(Phase::Look, "HTTP")?;
    let origin = client::origin(&request.url).ok_or_else(|| Fault::new(Code::Invalid, format!("`{}` is no URL", request.url)))?;
    let method = request.method.to_ascii_uppercase();
    let methods = context.provider.manifest.requests.iter().filter_map(|wanted| match wanted {
        Request::Http { methods, .. } => Some(methods),
        Request::Docker { .. } | Request::Ssh { .. } | Request::Certificates { .. } => None,
    });
    if !context.origins.contains(&origin) || !methods.flatten().any(|granted| *granted == method) {
        return Err(context.denied(&format!("{method} {origin}")));
    }
    if !matches!(method.as_str(), "GET" | "HEAD") {
        context.at_least(Phase::Operate, &format!("{method} requests"))?;
    }
    let authorization = match request.authorization {
        None => None,
        Some(wanted) => {
            if !context.provider.may_send(&wanted.credential) {
                return Err(context.denied(&format!("the credential `{}`", wanted.credential)));
            }
            let secret = context.services.credentials.secret(&wanted.credential).await?;
            Some((wanted.header, wanted.prefix, secret))
        }
    };
    let request = client::Request { method, url: request.url, headers: request.headers, body: request.body, authorization };
    let tell = |message| context.tell(0, Progress { message, done: None, total: None });
    context.services.http.send(&request, &context.provider.manifest.rates, &tell).await
}

/// A function of the `docker` interface: phase, then what is done with the engine.
macro_rules! with_engine {
    ($guest:ident, $needed:ident, $handle:ident, |$engine:ident| $body:expr) => {{
        let context = $guest.context.clone();
        let result: Result<_, Fault> = async {
            let $engine = context.engine(Phase::$needed, &$handle).await?;
            $body
        }
        .await;
        result.map_err(types::Fault::from)
    }};
}

fn text(value: Json) -> String {
    value.to_string()
}

impl docker::Host for Guest {
    async fn info(&mut self, engine: String) -> Answer<String> {
        with_engine!(self, Look, engine, |e| e.info().await.map(text))
    }

    async fn containers(&mut self, engine: String, filters: String) -> Answer<String> {
        with_engine!(self, Look, engine, |e| e.containers(json(&filters)?).await.map(text))
    }

    async fn inspect_container(&mut self, engine: String, id: String) -> Answer<Option<String>> {
        with_engine!(self, Look, engine, |e| Ok(e.inspect_container(&id).await?.map(text)))
    }

    async fn inspect_image(&mut self, engine: String, reference: String) -> Answer<Option<String>> {
        with_engine!(self, Look, engine, |e| Ok(e.inspect_image(&reference).await?.map(text)))
    }

    async fn inspect_network(&mut self, engine: String, id: String) -> Answer<Option<String>> {
        with_engine!(self, Look, engine, |e| Ok(e.inspect_network(&id).await?.map(text)))
    }

    async fn networks(&mut self, engine: String, filters: String) -> Answer<String> {
        with_engine!(self, Look, engine, |e| e.networks(json(&filters)?).await.map(text))
    }

    async fn inspect_volume(&mut self, engine: String, name: String) -> Answer<Option<String>> {
        with_engine!(self, Look, engine, |e| Ok(e.inspect_volume(&name).await?.map(text)))
    }

    async fn volumes(&mut self, engine: String, filters: String) -> Answer<String> {
        with_engine!(self, Look, engine, |e| e.volumes(json(&filters)?).await.map(text))
    }

    async fn create_container(&mut self, engine: String, name: String, platform: Option<String>, body: String) -> Answer<String> {
        with_engine!(self, Operate, engine, |e| e.create_container(&name, platform.as_deref(), json(&body)?).await)
    }

    async fn start_container(&mut self, engine: String, id: String) -> Answer<()> {
        with_engine!(self, Operate, engine, |e| e.start_container(&id).await)
    }

    async fn stop_container(&mut self, engine: String, id: String, seconds: u32) -> Answer<()> {
        with_engine!(self, Operate, engine, |e| e.stop_container(&id, seconds).await)
    }

    async fn rename_container(&mut self, engine: String, id: String, name: String) -> Answer<()> {
        with_engine!(self, Operate, engine, |e| e.rename_container(&id, &name).await)
    }

    async fn update_container(&mut self, engine: String, id: String, body: String) -> Answer<()> {
        with_engine!(self, Operate, engine, |e| e.update_container(&id, json(&body)?).await)
    }

    async fn remove_container(&mut self, engine: String, id: String, volumes: bool) -> Answer<()> {
        with_engine!(self, Operate, engine, |e| e.remove_container(&id, volumes).await)
    }

    async fn pull_image(&mut self, engine: String, reference: String, platform: Option<String>) -> Answer<String> {
        let report = self.context.reporter();
        with_engine!(self, Operate, engine, |e| e.pull_image(&reference, platform.as_deref(), Some(report)).await.map(text))
    }

    async fn load_image(&mut self, engine: String, source: String) -> Answer<String> {
        let report = self.context.reporter();
        let allowed = self.context.services.allows(&source);
        let refused = self.context.denied(&format!("the image `{source}`, which the configuration does not name"));
        with_engine!(self, Operate, engine, |e| match allowed {
            true => e.load_image(&source, Some(report)).await.map(text),
            false => Err(refused),
        })
    }

    async fn remove_image(&mut self, engine: String, reference: String) -> Answer<()> {
        with_engine!(self, Operate, engine, |e| e.remove_image(&reference).await)
    }

    async fn create_network(&mut self, engine: String, body: String) -> Answer<String> {
        with_engine!(self, Operate, engine, |e| e.create_network(json(&body)?).await)
    }

    async fn remove_network(&mut self, engine: String, id: String) -> Answer<()> {
        with_engine!(self, Operate, engine, |e| e.remove_network(&id).await)
    }

    async fn create_volume(&mut self, engine: String, body: String) -> Answer<String> {
        with_engine!(self, Operate, engine, |e| e.create_volume(json(&body)?).await.map(text))
    }

    async fn remove_volume(&mut self, engine: String, name: String) -> Answer<()> {
        with_engine!(self, Operate, engine, |e| e.remove_volume(&name).await)
    }
}

impl ssh::Host for Guest {
    async fn answers(&mut self, endpoint: String) -> Answer<bool> {
        self.context.ssh_allowed()?;
        Ok(self.context.services.sessions.answers(&endpoint).await?)
    }

    async fn host_key(&mut self, endpoint: String) -> Answer<String> {
        self.context.ssh_allowed()?;
        Ok(self.context.services.sessions.host_key(&endpoint).await?)
    }

    async fn run(&mut self, endpoint: String, command: String, arguments: Vec<String>, input: Option<Vec<u8>>) -> Answer<ssh::Output> {
        let context = self.context.clone();
        let output = run(&context, &endpoint, &command, &arguments, input.as_deref()).await?;
        Ok(ssh::Output { status: output.status, stdout: output.stdout, stderr: output.stderr })
    }

    async fn read_file(&mut self, endpoint: String, path: String) -> Answer<Option<Vec<u8>>> {
        self.context.file_allowed(Phase::Look, &path)?;
        Ok(self.context.services.sessions.read_file(&endpoint, &path).await?)
    }

    async fn write_file(&mut self, endpoint: String, path: String, mode: u32, content: Vec<u8>) -> Answer<()> {
        self.context.file_allowed(Phase::Operate, &path)?;
        Ok(self.context.services.sessions.write_file(&endpoint, &path, mode, &content).await?)
    }

    async fn remove_file(&mut self, endpoint: String, path: String) -> Answer<()> {
        self.context.file_allowed(Phase::Operate, &path)?;
        Ok(self.context.services.sessions.remove_file(&endpoint, &path).await?)
    }
}

async fn run(context: &Context, endpoint: &str, name: &str, arguments: &[String], input: Option<&[u8]>) -> Result<crate::ssh::Output, Fault> {
    context.ssh_allowed()?;
    let commands = context.provider.manifest.ssh().map_or(no_commands(), |(commands, _)| commands);
    let command = commands.get(name).ok_or_else(|| context.denied(&format!("the command `{name}`")))?;
    if !command.reads {
        context.at_least(Phase::Operate, &format!("the command `{name}`"))?;
    }
    let line = fill(&command.run, arguments)?;
    match command.root {
        true => context.services.sessions.run_as_root(endpoint, &line, input).await,
        false => context.services.sessions.run(endpoint, &line, input).await,
    }
}

/// Each `{name}` takes one argument, `{name...}` the rest; all quoted.
fn fill(template: &str, arguments: &[String]) -> Result<String, Fault> {
    let mut arguments = arguments.iter().map(String::as_str);
    let mut line = String::new();
    let mut rest = template;
    while let Some((before, hole, after)) = next_hole(rest) {
        line += before;
        line += &match hole.ends_with("...") {
            true => crate::ssh::quote_all(arguments.by_ref())?,
            false => {
                let argument = arguments.next().ok_or_else(|| Fault::new(Code::Invalid, format!("`{{{hole}}}` of `{template}` has no argument")))?;
                crate::ssh::quote(argument)?
            }
        };
        rest = after;
    }
    match arguments.next() {
        None => Ok(line + rest),
        Some(_) => Err(Fault::new(Code::Invalid, format!("`{template}` has too many arguments"))),
    }
}

/// What stands before a hole, its name, and what stands after. `${…}` and `{ …; }` are the shell's own.
fn next_hole(text: &str) -> Option<(&str, &str, &str)> {
    for (start, _) in text.match_indices('{') {
        let inner = &text[start + 1..];
        let end = inner.find('}')?;
        let name = &inner[..end];
        let is_name = !name.is_empty() && name.trim_end_matches("...").chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '-');
        if is_name && !text[..start].ends_with('$') {
            return Some((&text[..start], name, &inner[end + 1..]));
        }
    }
    None
}

impl certificates::Host for Guest {
    async fn install_server(
        &mut self,
        authority: String,
        endpoint: String,
        directory: String,
        names: Vec<String>,
        days: u32,
    ) -> Answer<certificates::Installed> {
        let context = self.context.clone();
        if !context.provider.manifest.certificates() {
            return Err(context.denied("certificates").into());
        }
        context.file_allowed(Phase::Operate, &format!("{}/", directory.trim_end_matches('/')))?;
        let installed = context.services.authorities.install_server(&authority, &endpoint, &directory, &names, days).await?;
        Ok(certificates::Installed {
            authority_pem: installed.authority_pem,
            fingerprint: installed.fingerprint,
            not_after_ms: installed.not_after_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn arguments_are_quoted_into_their_holes() {
        let arguments = ["a b".to_owned(), "$(id)".to_owned(), "c".to_owned()];
        assert_eq!(fill("x {name} ${HOME} {rest...}", &arguments).unwrap(), "x 'a b' ${HOME} '$(id)' c");
        assert!(fill("x {name}", &[]).is_err());
        assert!(fill("x", &arguments).is_err());
    }
}
