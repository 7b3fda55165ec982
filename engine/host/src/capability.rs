//! What guests may call. Every function checks phase and manifest before it does anything.

use std::sync::Arc;

use bimetal_model::event::Event;
use serde_json::Value as Json;

use crate::bindings::bimetal::provider::{certificates, clock, docker, http, report, ssh, types};
use crate::docker::Engine;
use crate::fault::{Code, Fault};
use crate::flights::{Progress, Report};
use crate::grant;
use crate::guest::{Context, Guest};
use crate::http as client;
use crate::manifest::Command;
use crate::phase::Phase;
use crate::wire;

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
            Phase::Open => "while opening",
            Phase::Operate => unreachable!("everything is allowed then"),
        };
        Err(Fault::new(Code::WrongPhase, format!("not {when}: {what}")))
    }

    fn denied(&self, what: &str) -> Fault {
        self.narrowed(Fault::new(Code::Denied, format!("provider `{}` was not granted: {what}", self.provider.name)))
    }

    /// The fault with the provider's name.
    fn by(&self, fault: Fault) -> Fault {
        self.narrowed(fault.while_(format_args!("provider `{}`", self.provider.name)))
    }

    /// Who refuses what the manifest asks for is the lock file.
    fn narrowed(&self, fault: Fault) -> Fault {
        match fault.code == Code::Denied && self.provider.is_narrowed {
            true => Fault {
                message: format!("{} (`bimetal.lock.hcl` grants it less than it asks for)", fault.message),
                ..fault
            },
            false => fault,
        }
    }

    async fn engine(&self, needed: Phase, handle: &str) -> Result<Arc<Engine>, Fault> {
        self.at_least(needed, "container engines")?;
        if !self.provider.manifest.docker() {
            return Err(self.denied("container engines"));
        }
        self.services.engines.engine(&self.subject.check(handle)?).await
    }

    /// The endpoint, if SSH is granted.
    fn endpoint(&self, endpoint: &str) -> Result<String, Fault> {
        self.at_least(Phase::Look, "SSH")?;
        match self.provider.manifest.ssh() {
            Some(_) => self.subject.check(endpoint),
            None => Err(self.denied("SSH")),
        }
    }

    /// The endpoint, if this path there is granted.
    fn file(&self, needed: Phase, endpoint: &str, path: &str) -> Result<String, Fault> {
        let endpoint = self.endpoint(endpoint)?;
        self.at_least(needed, "changing files")?;
        let prefixes = self.provider.manifest.ssh().map_or(&[][..], |(_, prefixes)| prefixes);
        match is_below(path, prefixes) {
            true => Ok(endpoint),
            false => Err(self.denied(&format!("the file `{path}`"))),
        }
    }

    fn tell(&self, index: usize, progress: Progress) {
        if let Some(address) = self.address(index).cloned() {
            let Progress { message, done, total } = progress;
            self.services.notify.notify(Event::Progress { address, message: wire::clean(&message), done, total });
        }
    }

    /// The body with the label that says whose it is: that of the intent it carries, or of the only object of the call.
    pub(crate) fn label(&self, body: &str) -> Result<Json, Fault> {
        let body = json(body)?;
        let intent = body.pointer("/Labels/bimetal.intent").and_then(Json::as_str);
        match self.subject.owner(intent).map(ToString::to_string) {
            Some(address) => Ok(labelled(body, address)),
            None => Ok(body),
        }
    }

    /// Reports to the first object of the call.
    fn reporter(&self) -> Report {
        let context = self.clone();
        Arc::new(move |progress| context.tell(0, progress))
    }
}

/// The body with the address of the object that it makes.
fn labelled(mut body: Json, address: String) -> Json {
    if let Some(members) = body.as_object_mut() {
        let labels = members.entry("Labels").or_insert(Json::Null);
        if labels.is_null() {
            *labels = Json::Object(serde_json::Map::new());
        }
        if let Some(labels) = labels.as_object_mut() {
            labels.insert("bimetal.address".to_owned(), Json::String(address));
        }
    }
    body
}

/// Whether a path is, or is below, one of the prefixes; `..` leads nowhere.
fn is_below(path: &str, prefixes: &[String]) -> bool {
    let is_plain = path.starts_with('/') && !path.contains('\0') && !path.split('/').any(|part| part == "..");
    let below = |prefix: &String| {
        path.strip_prefix(prefix.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    is_plain && prefixes.iter().any(below)
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
        if !self.is_heard() {
            return;
        }
        let provider = self.context.provider.name.to_string();
        let message = wire::clean(&message);
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
        if self.is_heard() && self.context.phase > Phase::Pure {
            self.context.tell(index as usize, Progress { message, done, total });
        }
    }
}

impl clock::Host for Guest {
    async fn now_ms(&mut self) -> u64 {
        match self.context.phase {
            Phase::Pure => self.context.services.started_ms,
            Phase::Look | Phase::Open | Phase::Operate => crate::host::now_ms(),
        }
    }

    async fn random(&mut self, length: u32) -> Vec<u8> {
        let length = length.min(1 << 16) as usize;
        let block = |_| match self.context.phase {
            // The same question gets the same answer.
            Phase::Pure => [7; 16],
            Phase::Look | Phase::Open | Phase::Operate => uuid::Uuid::new_v4().into_bytes(),
        };
        (0..length.div_ceil(16)).flat_map(block).take(length).collect()
    }
}

impl http::Host for Guest {
    async fn send(&mut self, request: http::Request) -> Answer<http::Response> {
        let context = self.context.clone();
        let what = format!("HTTP {} {}", request.method, request.url.split('?').next().unwrap_or_default());
        let response = self.outside(what, async move { send(&context, request).await }).await?;
        Ok(http::Response { status: response.status, headers: response.headers, body: response.body })
    }
}

async fn send(context: &Context, request: http::Request) -> Result<client::Response, Fault> {
    context.at_least(Phase::Look, "HTTP")?;
    let method = request.method.to_ascii_uppercase();
    let credential = request.authorization.as_ref().map(|authorization| authorization.credential.as_str());
    let usable: Vec<_> = context.http.iter().filter(|grant| grant.is_for(context.phase, &method)).collect();
    grant::covers(&usable, &method, &request.url, credential).map_err(|fault| context.by(fault))?;
    if !grant::is_safe(&method) && context.phase != Phase::Open {
        context.at_least(Phase::Operate, &format!("{method} requests"))?;
    }
    let authorization = match request.authorization {
        None => None,
        Some(wanted) => {
            let secret = context.services.credentials.secret(&wanted.credential).await?;
            Some((wanted.header, wanted.prefix, secret))
        }
    };
    let request =
        client::Request { method, url: request.url, headers: request.headers, body: request.body, authorization };
    let tell = |message| context.tell(0, Progress { message, done: None, total: None });
    context.services.http.send(&request, &context.rates, &tell).await
}

/// A function of the `docker` interface: phase, then what is done with the engine.
macro_rules! with_engine {
    ($guest:ident, $needed:ident, $what:literal, $handle:ident, |$engine:ident, $context:ident| $body:expr) => {{
        let $context = $guest.context.clone();
        let work = async move {
            let $engine = $context.engine(Phase::$needed, &$handle).await?;
            $body
        };
        $guest.outside(concat!("container engine: ", $what).to_owned(), work).await
    }};
}

fn text(value: Json) -> String {
    value.to_string()
}

impl docker::Host for Guest {
    async fn info(&mut self, engine: String) -> Answer<String> {
        with_engine!(self, Look, "info", engine, |e, context| e.info().await.map(text))
    }

    async fn containers(&mut self, engine: String, filters: String) -> Answer<String> {
        with_engine!(self, Look, "containers", engine, |e, context| e.containers(json(&filters)?).await.map(text))
    }

    async fn inspect_container(&mut self, engine: String, id: String) -> Answer<Option<String>> {
        with_engine!(self, Look, "inspect container", engine, |e, context| Ok(e
            .inspect_container(&id)
            .await?
            .map(text)))
    }

    async fn inspect_image(&mut self, engine: String, reference: String) -> Answer<Option<String>> {
        with_engine!(self, Look, "inspect image", engine, |e, context| Ok(e.inspect_image(&reference).await?.map(text)))
    }

    async fn inspect_network(&mut self, engine: String, id: String) -> Answer<Option<String>> {
        with_engine!(self, Look, "inspect network", engine, |e, context| Ok(e.inspect_network(&id).await?.map(text)))
    }

    async fn networks(&mut self, engine: String, filters: String) -> Answer<String> {
        with_engine!(self, Look, "networks", engine, |e, context| e.networks(json(&filters)?).await.map(text))
    }

    async fn inspect_volume(&mut self, engine: String, name: String) -> Answer<Option<String>> {
        with_engine!(self, Look, "inspect volume", engine, |e, context| Ok(e.inspect_volume(&name).await?.map(text)))
    }

    async fn volumes(&mut self, engine: String, filters: String) -> Answer<String> {
        with_engine!(self, Look, "volumes", engine, |e, context| e.volumes(json(&filters)?).await.map(text))
    }

    async fn create_container(
        &mut self,
        engine: String,
        name: String,
        platform: Option<String>,
        body: String,
    ) -> Answer<String> {
        with_engine!(self, Operate, "create container", engine, |e, context| e
            .create_container(&name, platform.as_deref(), context.label(&body)?)
            .await)
    }

    async fn start_container(&mut self, engine: String, id: String) -> Answer<()> {
        with_engine!(self, Operate, "start container", engine, |e, context| e.start_container(&id).await)
    }

    async fn stop_container(&mut self, engine: String, id: String, seconds: u32) -> Answer<()> {
        with_engine!(self, Operate, "stop container", engine, |e, context| e.stop_container(&id, seconds).await)
    }

    async fn rename_container(&mut self, engine: String, id: String, name: String) -> Answer<()> {
        with_engine!(self, Operate, "rename container", engine, |e, context| e.rename_container(&id, &name).await)
    }

    async fn update_container(&mut self, engine: String, id: String, body: String) -> Answer<()> {
        with_engine!(self, Operate, "update container", engine, |e, context| e
            .update_container(&id, json(&body)?)
            .await)
    }

    async fn remove_container(&mut self, engine: String, id: String, volumes: bool) -> Answer<()> {
        with_engine!(self, Operate, "remove container", engine, |e, context| e.remove_container(&id, volumes).await)
    }

    async fn pull_image(&mut self, engine: String, reference: String, platform: Option<String>) -> Answer<String> {
        with_engine!(self, Operate, "pull image", engine, |e, context| {
            e.pull_image(&reference, platform.as_deref(), Some(context.reporter())).await.map(text)
        })
    }

    async fn load_image(&mut self, engine: String, source: String) -> Answer<String> {
        with_engine!(self, Operate, "load image", engine, |e, context| match context.services.allows(&source) {
            true => e.load_image(&source, Some(context.reporter())).await.map(text),
            false => Err(context.denied(&format!("the image `{source}`, which the configuration does not name"))),
        })
    }

    async fn remove_image(&mut self, engine: String, reference: String) -> Answer<()> {
        with_engine!(self, Operate, "remove image", engine, |e, context| e.remove_image(&reference).await)
    }

    async fn create_network(&mut self, engine: String, body: String) -> Answer<String> {
        with_engine!(self, Operate, "create network", engine, |e, context| e
            .create_network(context.label(&body)?)
            .await)
    }

    async fn remove_network(&mut self, engine: String, id: String) -> Answer<()> {
        with_engine!(self, Operate, "remove network", engine, |e, context| e.remove_network(&id).await)
    }

    async fn create_volume(&mut self, engine: String, body: String) -> Answer<String> {
        with_engine!(self, Operate, "create volume", engine, |e, context| e
            .create_volume(context.label(&body)?)
            .await
            .map(text))
    }

    async fn remove_volume(&mut self, engine: String, name: String) -> Answer<()> {
        with_engine!(self, Operate, "remove volume", engine, |e, context| e.remove_volume(&name).await)
    }
}

impl ssh::Host for Guest {
    async fn answers(&mut self, endpoint: String) -> Answer<bool> {
        let context = self.context.clone();
        let work = async move {
            let endpoint = context.endpoint(&endpoint)?;
            context.services.sessions.answers(&endpoint).await
        };
        self.outside("SSH: whether it answers".to_owned(), work).await
    }

    async fn host_key(&mut self, endpoint: String) -> Answer<String> {
        let context = self.context.clone();
        let work = async move {
            let endpoint = context.endpoint(&endpoint)?;
            context.services.sessions.host_key(&endpoint).await
        };
        self.outside("SSH: its host key".to_owned(), work).await
    }

    async fn run(
        &mut self,
        endpoint: String,
        command: String,
        arguments: Vec<String>,
        input: Option<Vec<u8>>,
    ) -> Answer<ssh::Output> {
        let context = self.context.clone();
        let what = format!("SSH: the command `{command}`");
        let work = async move { run(&context, &endpoint, &command, &arguments, input.as_deref()).await };
        let output = self.outside(what, work).await?;
        Ok(ssh::Output { status: output.status, stdout: output.stdout, stderr: output.stderr })
    }

    async fn read_file(&mut self, endpoint: String, path: String) -> Answer<Option<Vec<u8>>> {
        let context = self.context.clone();
        let what = format!("SSH: reading `{path}`");
        let work = async move {
            let endpoint = context.file(Phase::Look, &endpoint, &path)?;
            context.services.sessions.read_file(&endpoint, &path).await
        };
        self.outside(what, work).await
    }

    async fn write_file(&mut self, endpoint: String, path: String, mode: u32, content: Vec<u8>) -> Answer<()> {
        let context = self.context.clone();
        let what = format!("SSH: writing `{path}`");
        let work = async move {
            let endpoint = context.file(Phase::Operate, &endpoint, &path)?;
            context.services.sessions.write_file(&endpoint, &path, mode, &content).await
        };
        self.outside(what, work).await
    }

    async fn remove_file(&mut self, endpoint: String, path: String) -> Answer<()> {
        let context = self.context.clone();
        let what = format!("SSH: removing `{path}`");
        let work = async move {
            let endpoint = context.file(Phase::Operate, &endpoint, &path)?;
            context.services.sessions.remove_file(&endpoint, &path).await
        };
        self.outside(what, work).await
    }
}

async fn run(
    context: &Context,
    endpoint: &str,
    name: &str,
    arguments: &[String],
    input: Option<&[u8]>,
) -> Result<crate::ssh::Output, Fault> {
    let endpoint = context.endpoint(endpoint)?;
    let commands = context.provider.manifest.ssh().map_or(no_commands(), |(commands, _)| commands);
    let command = commands.get(name).ok_or_else(|| context.denied(&format!("the command `{name}`")))?;
    if !command.reads {
        context.at_least(Phase::Operate, &format!("the command `{name}`"))?;
    }
    let line = fill(&command.run, arguments)?;
    match command.root {
        true => context.services.sessions.run_as_root(&endpoint, &line, input).await,
        false => context.services.sessions.run(&endpoint, &line, input).await,
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
                let argument = arguments.next().ok_or_else(|| {
                    Fault::new(Code::Invalid, format!("`{{{hole}}}` of `{template}` has no argument"))
                })?;
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
        let is_name = !name.is_empty()
            && name.trim_end_matches("...").chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '-');
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
        let what = format!("certificates: a server's in `{directory}`");
        let work = async move {
            context.at_least(Phase::Operate, "certificates")?;
            if !context.provider.manifest.certificates() {
                return Err(context.denied("certificates"));
            }
            let endpoint = context.file(Phase::Operate, &endpoint, &directory)?;
            context.services.authorities.install_server(&authority, &endpoint, &directory, &names, days).await
        };
        let installed = self.outside(what, work).await?;
        Ok(certificates::Installed {
            authority_pem: installed.authority_pem,
            fingerprint: installed.fingerprint,
            not_after_ms: installed.not_after_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{fill, is_below, labelled};

    #[test]
    fn what_is_made_says_whose_it_is() {
        for (body, wanted) in [
            (json!({}), json!({ "Labels": { "bimetal.address": "a.b" } })),
            (json!({ "Labels": null }), json!({ "Labels": { "bimetal.address": "a.b" } })),
            (json!({ "Labels": { "x": "y" } }), json!({ "Labels": { "x": "y", "bimetal.address": "a.b" } })),
            (json!([]), json!([])),
        ] {
            assert_eq!(labelled(body, "a.b".to_owned()), wanted);
        }
    }

    #[test]
    fn a_file_is_below_a_prefix_or_it_is_not() {
        let prefixes = ["/etc/bimetal/".to_owned(), "/opt/x".to_owned()];
        for path in ["/etc/bimetal/machine.json", "/etc/bimetal", "/opt/x/y"] {
            assert!(is_below(path, &prefixes), "{path}");
        }
        for path in ["/etc/bimetal/../shadow", "/etc/bimetalx", "/opt/xy", "etc/bimetal/a", "/"] {
            assert!(!is_below(path, &prefixes), "{path}");
        }
    }

    #[test]
    fn arguments_are_quoted_into_their_holes() {
        let arguments = ["a b".to_owned(), "$(id)".to_owned(), "c".to_owned()];
        assert_eq!(fill("x {name} ${HOME} {rest...}", &arguments).unwrap(), "x 'a b' ${HOME} '$(id)' c");
        assert!(fill("x {name}", &[]).is_err());
        assert!(fill("x", &arguments).is_err());
    }
}
