//! What a run is played on: the configuration under test, and who stands for its providers.

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_config::module::{Module, Point};
use bimetal_config::suite::{self, InForce, Run, Suite};
use bimetal_config::{Alterations, Desired, Expression, Given, SourceFile};
use bimetal_host::Host;
use bimetal_mock::{Doubles, Mock, Mocked, Override, Owner, Values, When};
use bimetal_model::diagnostic::has_errors;
use bimetal_model::port::{Predict, Remember as _};
use bimetal_model::{Diagnostic, Diagnostics, ProviderKey, Span, Value};
use bimetal_sources::want::Ask;
use bimetal_state::State as Store;

use super::Stage;
use super::values::{self, Written};
use crate::configuration::there_is;
use crate::failure::Failure;
use crate::packages::Wanting;
use crate::session::{Configuration, InState, check_version};
use crate::walk::World;

/// A configuration, as a run wants it.
pub(super) struct Scene<'a> {
    pub(super) desired: Desired,
    /// What is wrong with it: it may be what was expected.
    pub(super) said: Diagnostics,
    pub(super) written: Written,
    in_force: InForce<'a>,
}

/// Where what is under test lies.
pub(super) fn folder(run: &Run) -> &str {
    run.module.as_ref().map_or("", |source| &*source.folder)
}

/// Reads what is under test, with the run's values. `files` become those that are spoken of.
pub(super) async fn read<'a>(
    stage: &Stage<'_>,
    suite: &'a Suite,
    run: &'a Run,
    runs: &BTreeMap<String, Value>,
    files: &mut Vec<SourceFile>,
) -> Result<Scene<'a>, Diagnostics> {
    let sources = sources(stage, run).await?;
    files.extend(sources.iter().cloned());
    let (module, _) = bimetal_config::parse(&sources, folder(run));
    let given = stage.outside.given(suite, &stage.test_folder, &module);
    files.extend(given.texts());
    let in_force = suite.in_force(run)?;
    let by = alterations(run, &in_force, &sources);
    let outside = stage.session.outside(sources.clone(), folder(run));
    let scope = values::from_outside(&module, &given, outside.clone());
    let written = values::written(suite, run, scope, runs)?;
    let given = with_values(given, &written, &module);
    let (desired, said) = bimetal_config::altered(sources, given.clone(), outside, &by);
    let mut said = values::without_foreign(said, &given, folder(run));
    said.extend(values::undeclared(run, &module));
    check_version(&desired, files).map_err(|failure| failure.diagnostics)?;
    Ok(Scene { desired, said, written, in_force })
}

async fn sources(stage: &Stage<'_>, run: &Run) -> Result<Vec<SourceFile>, Diagnostics> {
    let brought = async |folder| {
        let wanting =
            Wanting { session: stage.session, folder, given: &stage.outside.root, asking: Ask::Nobody.into() };
        let brought = wanting.bring().await.map_err(|failure| failure.diagnostics)?;
        Ok::<_, Diagnostics>(brought.sources)
    };
    let Some(source) = &run.module else {
        let sources = brought("").await?;
        return there_is(sources, &stage.session.root).map_err(|failure| failure.diagnostics);
    };
    let is_there = stage.session.root.join(&*source.folder).is_dir();
    let sources = if is_there { brought(&source.folder).await? } else { Vec::new() };
    if sources.is_empty() {
        let error = Diagnostic::error(format!("there is no module in `{}`", source.folder)).at(&source.span);
        return Err(vec![
            error.hint("a module is a folder with files that end with `.bm.hcl`; the path leads on from the root"),
        ]);
    }
    Ok(sources)
}

fn alterations(run: &Run, in_force: &InForce<'_>, sources: &[SourceFile]) -> Alterations {
    // What a file says for all its runs is more than one module needs.
    let (under_test, _) = bimetal_config::modules(sources, folder(run));
    let used = crate::providers::used(under_test.values());
    let is_meant = |key: &ProviderKey| run.module.is_none() || used.contains(&key.name);
    let providers = in_force.providers.iter().filter(|(key, _)| is_meant(key));
    let modules = in_force.overrides.iter().filter(|by| matches!(by.target, Point::Module(_)));
    Alterations {
        folder: folder(run).into(),
        providers: providers.map(|(key, block)| (key.clone(), block.clone())).collect(),
        modules: modules.map(|by| (*by).clone()).collect(),
    }
}

/// What nobody declares is for others.
fn with_values(given: Given, written: &Written, module: &Module) -> Given {
    let declared = written.values.iter().filter(|(name, _)| module.variables.contains_key(*name));
    let values = declared.map(|(name, value)| (name.clone(), value.clone())).collect();
    Given { values, places: written.places.clone(), ..given }
}

impl Scene<'_> {
    /// The world that it is played in: what is mocked is not asked of anybody.
    pub(super) async fn world(
        &self,
        stage: &Stage<'_>,
        store: Arc<Store>,
        files: &[SourceFile],
    ) -> Result<World<Mocked<Host>>, Diagnostics> {
        let configuration = Configuration { desired: self.desired.clone(), files: files.to_vec() };
        let snapshot = store.load().await.map_err(|error| Failure::from(error).diagnostics)?;
        let keep = Arc::new(InState(store.clone()));
        let host = stage.session.host(&configuration, &stage.lock, keep, &snapshot);
        let host = host.map_err(|failure| failure.diagnostics)?;
        let doubles = self.doubles(&*host)?;
        let said = doubles.check(&*host);
        if has_errors(&said) {
            return Err(said);
        }
        let host = Arc::new(Mocked::new(host, doubles));
        let lending = stage.session.lent.lending(host.clone());
        Ok(World { configuration, store, snapshot, host, lending, lock: stage.lock.clone() })
    }

    fn doubles(&self, predict: &dyn Predict) -> Result<Doubles, Diagnostics> {
        let owners = bimetal_plan::owners(&self.desired, predict);
        let owners = owners.into_iter().map(|(address, (provider, ty))| (address, Owner { provider, ty })).collect();
        let mut doubles = Doubles { owners, ..Doubles::default() };
        for (key, mock) in &self.in_force.mocks {
            doubles.mocks.insert(key.clone(), self.mock(mock)?);
        }
        for by in &self.in_force.overrides {
            if let Point::Object(target) = &by.target {
                let values = self.values(by.values.as_ref(), by.during, &by.span)?;
                doubles.overrides.push(Override { target: target.clone(), values });
            }
        }
        Ok(doubles)
    }

    fn mock(&self, mock: &suite::Mock) -> Result<Mock, Diagnostics> {
        let values =
            |defaults: &suite::Defaults| self.values(defaults.values.as_ref(), defaults.during, &defaults.span);
        let of_types = |types: &BTreeMap<String, suite::Defaults>| {
            types.iter().map(|(ty, defaults)| Ok((ty.clone(), values(defaults)?))).collect::<Result<_, Diagnostics>>()
        };
        Ok(Mock {
            machine: mock.machine.as_ref().map(values).transpose()?,
            managed: of_types(&mock.resources)?,
            data: of_types(&mock.data)?,
        })
    }

    fn values(&self, written: Option<&Expression>, during: suite::Phase, span: &Span) -> Result<Values, Diagnostics> {
        let empty = || std::iter::empty::<(String, Value)>().collect();
        let summary = || "these values are known only after apply".to_owned();
        let known = |written| values::known(written, &self.written.scope, summary);
        let value = written.map_or_else(|| Ok(empty()), known)?;
        let known = match during {
            suite::Phase::Plan => When::Planned,
            suite::Phase::Apply => When::Made,
        };
        Ok(Values { value, known, span: written.map_or(span, |written| written.span()).clone() })
    }
}
