//! `providers`: which there are, what they may do, and a folder of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use bimetal_config::lock::{Lock, LockedModule, LockedProvider};
use bimetal_install::{Mirror, Source};
use bimetal_model::port::Predict as _;
use bimetal_model::schema::ProviderSchema;
use bimetal_model::snapshot::{Snapshot, short_commit};
use bimetal_model::{Diagnostic, ProviderName};
use bimetal_sources::want::Ask;
use serde_json::{Value as Json, json};

use crate::arguments::{Consent, LockProviders, Mirrored, Providers, Variables};
use crate::configuration::{read_lock, write_lock};
use crate::failure::Failure;
use crate::output::{print, print_json, say, width};
use crate::providers::{self, Grown, Locking, Modules};
use crate::relock::{Anew, Relocked, Renewal, relock};
use crate::render::style::{ADD, BOLD, REMOVE, paint};
use crate::render::table::table;
use crate::session::{Configuration, InState, Session};

/// One of its commands.
pub(crate) async fn providers(session: &Session, command: &Providers) -> Result<(), Failure> {
    match command {
        Providers::List(variables) => list(session, variables).await,
        Providers::Lock(arguments) => lock(session, arguments).await,
        Providers::Schema(variables) => schema(session, variables).await,
        Providers::Mirror(arguments) => mirror(session, arguments),
    }
}

/// Chooses, fetches and looks at the providers of the modules, and asks where one wants more than it was granted. Nothing is
/// written but the cache.
pub(crate) async fn chosen(
    session: &Session,
    configuration: &Configuration,
    modules: &Modules,
    anew: Anew<'_>,
    consent: &Consent,
) -> Result<Lock, Failure> {
    let old = read_lock(&session.root)?;
    let registries = Arc::new(providers::registries(configuration)?);
    let (places, notify) = (&*session.places, &*session.progress);
    let locking = Locking { places, registries, notify, old: &old, anew };
    let proposal = locking.propose(modules).await;
    session.progress.clear();
    let proposal = proposal.map_err(|failure| Failure::new(failure.diagnostics, &configuration.files))?;
    let asked = proposal.grown.iter().filter(|grown| !consent.grant.contains(&grown.name.0));
    for grown in asked {
        agree(session, grown).await?;
    }
    Ok(proposal.lock)
}

/// Shows what more a provider wants, and asks; where nobody is there, that is an error.
async fn agree(session: &Session, grown: &Grown) -> Result<(), Failure> {
    let Grown { name, from, to, more, less } = grown;
    let what = format!("provider `{name}` {to} asks for more than {from} was granted");
    if !session.asks {
        let no_more = less.iter().map(|line| format!("no more: {line}"));
        let lines = more.iter().map(|line| format!("it wants to {line}")).chain(no_more);
        let hint = format!("`bimetal init --upgrade --grant {name}` grants it; until then {from} stays locked");
        return Err(Diagnostic::error(what).because(lines.collect::<Vec<_>>().join("; ")).hint(hint).into());
    }
    say(&format!("{what}:\n"));
    for (style, sign, lines) in [(ADD, "+", more), (REMOVE, "-", less)] {
        lines.iter().for_each(|line| say(&format!("  {} may {line}\n", paint(style, sign))));
    }
    let hint = format!("`--grant {name}` grants it");
    super::apply::ask(session, "Grant it?", "nobody is there to agree", &hint).await
}

async fn lock(session: &Session, arguments: &LockProviders) -> Result<(), Failure> {
    let LockProviders { upgrade, consent, variables } = arguments;
    let providers = if *upgrade { Anew::All } else { Anew::Nothing };
    let renewal = Renewal { providers, ..Renewal::of_all(Anew::Nothing, Ask::WhereMissing) };
    let Relocked { new, .. } = relock(session, variables, consent, renewal).await?;
    write_lock(&session.root, &new)?;
    show(session, &new);
    Ok(())
}

/// What was locked, with what it may do.
pub(crate) fn show(session: &Session, lock: &Lock) {
    if session.json {
        let providers: Vec<_> = lock.providers.iter().map(|(name, locked)| document(name, locked)).collect();
        let modules: Vec<_> = lock.modules.iter().map(module_document).collect();
        return print_json(&json!({ "format": 1, "modules": modules, "providers": providers }));
    }
    for ((source, _), locked) in &lock.modules {
        let content = match &locked.commit {
            Some(commit) => format!("commit {}", short_commit(commit)),
            None => crate::render::lock::short(&locked.hash).to_owned(),
        };
        let what = [locked.version.clone(), Some(content)].into_iter().flatten().collect::<Vec<_>>().join(", ");
        print(&format!("{} {what}\n", paint(BOLD, source)));
    }
    for (name, locked) in &lock.providers {
        print(&format!("{} {}\n", paint(BOLD, name), locked.version));
        if let Some(source) = &locked.source {
            print(&format!("  from {source}\n"));
        }
        if let Some(key) = &locked.signed_by {
            print(&format!("  signed by {key}\n"));
        }
        locked.grants.iter().for_each(|grant| print(&format!("  may {grant}\n")));
    }
}

fn module_document(((source, wanted), locked): (&(String, Option<String>), &LockedModule)) -> Json {
    json!({
        "source": source,
        "wanted": wanted,
        "version": locked.version,
        "reference": locked.reference,
        "commit": locked.commit,
        "hash": locked.hash,
    })
}

fn document(name: &ProviderName, locked: &LockedProvider) -> Json {
    json!({
        "name": name,
        "version": locked.version,
        "source": locked.source,
        "digest": locked.digest,
        "signed_by": locked.signed_by,
        "grants": locked.grants,
    })
}

async fn list(session: &Session, variables: &Variables) -> Result<(), Failure> {
    let (_, modules, _) = session.configuration_to_lock(variables, Ask::Nobody).await?;
    let lock = read_lock(&session.root)?;
    let used = providers::used(modules.values());
    session.progress.clear();
    if session.json {
        let document = |name| match lock.providers.get(name) {
            Some(locked) => document(name, locked),
            None => json!({ "name": name, "version": null }),
        };
        let providers: Vec<_> = used.iter().map(document).collect();
        print_json(&json!({ "format": 1, "providers": providers }));
        return Ok(());
    }
    let rows: Vec<_> = used.iter().map(|name| row(session, name, lock.providers.get(name))).collect();
    print(&table(["PROVIDER", "VERSION", "SOURCE", "DIGEST", "SIGNED BY"], &rows, width()));
    Ok(())
}

fn row(session: &Session, name: &ProviderName, locked: Option<&LockedProvider>) -> [String; 5] {
    let embedded: BTreeSet<_> = providers::embedded().collect();
    let source = match (session.places.instead(name), locked) {
        (Some(path), _) => format!("{} (override)", path.display()),
        (None, None) => "not locked yet".to_owned(),
        (None, Some(LockedProvider { source: Some(source), .. })) => source.clone(),
        (None, Some(LockedProvider { digest: Some(_), .. })) => "a file".to_owned(),
        (None, Some(_)) if embedded.contains(name) => "comes with Bimetal".to_owned(),
        (None, Some(_)) => "-".to_owned(),
    };
    let short = |text: &String| text.trim_start_matches("sha256:").chars().take(12).collect();
    let of = |found: Option<&String>| found.map_or("-".to_owned(), short);
    let version = locked.map_or("-".to_owned(), |locked| locked.version.clone());
    let (digest, signed_by) = locked.map_or((None, None), |locked| (locked.digest.as_ref(), locked.signed_by.as_ref()));
    [name.to_string(), version, source, of(digest), of(signed_by)]
}

async fn schema(session: &Session, variables: &Variables) -> Result<(), Failure> {
    let (configuration, modules, _) = session.configuration_to_lock(variables, Ask::Nobody).await?;
    let lock = read_lock(&session.root)?;
    let store = Arc::new(session.store(&configuration).await?);
    let host = session.host(&configuration, &lock, Arc::new(InState(store)), &Snapshot::default())?;
    let mut schemas = Vec::new();
    for name in providers::used(modules.values()) {
        providers::add_if_new(&host, &name, &modules, &lock, &session.places)?;
        let schema = host.schema(&name).map_err(|errors| Failure::new(errors, &configuration.files))?;
        schemas.push((name, schema));
    }
    session.progress.clear();
    match session.json {
        true => {
            let providers: serde_json::Map<_, _> =
                schemas.iter().map(|(name, schema)| (name.to_string(), json!(**schema))).collect();
            print_json(&json!({ "format": 1, "providers": providers }));
        }
        false => schemas.iter().for_each(|(name, schema)| print(&outline(name, schema))),
    }
    Ok(())
}

/// The names of what a provider has, with what each takes.
fn outline(name: &ProviderName, schema: &ProviderSchema) -> String {
    let mut text = format!("{}\n", paint(BOLD, name));
    let arguments = |block: &bimetal_model::schema::Block| {
        block.attributes.keys().chain(block.blocks.keys()).cloned().collect::<Vec<_>>().join(", ")
    };
    text += &format!("  provider: {}\n", arguments(&schema.provider));
    for (kind, types) in [("resource", &schema.managed), ("data", &schema.data), ("ephemeral", &schema.ephemeral)] {
        for (ty, schema) in types {
            text += &format!("  {kind} {ty}: {}\n", arguments(&schema.block));
        }
    }
    for function in schema.functions.keys() {
        text += &format!("  function provider::{name}::{function}\n");
    }
    text
}

fn mirror(session: &Session, arguments: &Mirrored) -> Result<(), Failure> {
    let lock = read_lock(&session.root)?;
    let folder = session.root.join(&arguments.folder);
    let (mirror, cache) = (Mirror::at(folder), session.places.cache()?);
    session.progress.clear();
    let mut written = Vec::new();
    for (name, locked) in &lock.providers {
        let Some((source, digest)) = locked.source.as_ref().zip(locked.digest.as_ref()) else { continue };
        let component = cache.get(digest).ok_or_else(|| {
            Diagnostic::error(format!("provider `{name}` {} is not on this machine", locked.version))
                .hint("`bimetal init` fetches it")
        })?;
        let wrong = |why| Diagnostic::error(format!("`{source}` in the lock file is no source")).because(why);
        mirror.add(&Source::parse(source).map_err(wrong)?, &component)?;
        written.push(json!({ "name": name, "version": locked.version, "source": source, "digest": digest }));
        if !session.json {
            print(&format!("{} {} {source}\n", paint(BOLD, name), locked.version));
        }
    }
    if session.json {
        print_json(&json!({ "format": 1, "providers": written }));
    } else if written.is_empty() {
        say("No provider that is locked is from a registry: there is nothing to mirror.\n");
    } else {
        say(&format!("\n`BIMETAL_PROVIDER_MIRROR={}` installs from there.\n", arguments.folder.display()));
    }
    Ok(())
}
