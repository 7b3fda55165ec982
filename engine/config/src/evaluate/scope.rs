//! What names stand for while an expression is evaluated.

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_model::port::Functions;
use bimetal_model::schema::ProviderSchema;
use bimetal_model::{Address, Diagnostic, Diagnostics, Named, ProviderName, Value};

use crate::module::{Call, Scoped};

/// Files that functions read. Comes in from the edge.
pub trait ReadFiles: Send + Sync {
    /// The bytes of a file, relative to the configuration's root; otherwise what is wrong with it.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
    /// Whether there is a file; wrong is something else that is there, as a folder.
    fn exists(&self, path: &str) -> Result<bool, String> {
        Ok(self.read(path).is_ok())
    }
    /// The files of a folder and of all folders in it, by their paths from there. What is no folder has none.
    fn list(&self, folder: &str) -> Result<Vec<String>, String>;
    /// The configuration's root.
    fn root(&self) -> String;
    /// The home folder of whoever runs this, if there is one.
    fn home(&self) -> Option<String>;
}

/// What a run knows of time and chance.
#[derive(Clone, Debug, Default)]
pub struct Moment {
    /// When the run began, or the one that made the plan which this one does: for `plantimestamp`. In milliseconds since 1970.
    pub planned_ms: Option<u64>,
    /// There while something is done; before that, what it decides is unknown.
    pub acting: Option<Acting>,
}

/// What is decided as something is done, once for a run: for `timestamp`, `uuid` and `bcrypt`.
#[derive(Clone, Debug)]
pub struct Acting {
    /// In milliseconds since 1970.
    pub now_ms: u64,
    /// Of this run alone.
    pub seed: Arc<str>,
}

/// What expressions reach beyond the configuration. Comes in from the edge.
#[derive(Clone)]
pub struct Outside {
    /// For `file` and its like.
    pub read: Arc<dyn ReadFiles>,
    /// For `provider::…`.
    pub functions: Arc<dyn Functions>,
    /// What the state is called: `bimetal.workspace`.
    pub state: Arc<str>,
}

impl Outside {
    /// Files, and no providers.
    pub fn files(read: Arc<dyn ReadFiles>) -> Self {
        Outside { read, ..Outside::default() }
    }
}

impl Default for Outside {
    fn default() -> Self {
        Outside { read: Arc::new(Nothing), functions: Arc::new(Nothing), state: "default".into() }
    }
}

/// No file and no provider at all, for what needs none.
struct Nothing;

impl Functions for Nothing {
    fn functions(&self, provider: &ProviderName) -> Result<Arc<ProviderSchema>, Diagnostics> {
        Err(vec![Diagnostic::error(format!("there is no provider `{provider}` here"))])
    }

    fn call(&self, provider: &ProviderName, _: &str, _: &Value) -> Result<Value, Diagnostics> {
        self.functions(provider).map(|_| Value::NULL)
    }
}

impl ReadFiles for Nothing {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("`{path}`: there are no files here"))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        Err(format!("`{folder}`: there are no files here"))
    }

    fn root(&self) -> String {
        ".".to_owned()
    }

    fn home(&self) -> Option<String> {
        None
    }
}

/// What names stand for. Cheap to clone: one for each instance of a block shares the maps.
#[derive(Clone)]
pub struct Scope {
    /// `var.…` of the root module
    pub variables: Arc<BTreeMap<String, Value>>,
    /// `var.…` of modules that are called
    pub inputs: Arc<BTreeMap<Scoped, Value>>,
    /// `local.…`
    pub locals: Arc<BTreeMap<Scoped, Value>>,
    /// The outputs of modules that are called.
    pub results: Arc<BTreeMap<Scoped, Value>>,
    /// The `module` blocks.
    pub calls: Arc<BTreeMap<Scoped, Call>>,
    /// Whole blocks.
    pub objects: Arc<BTreeMap<Address, Value>>,
    /// `each.key` and `each.value`, inside a block with `for_each`.
    pub each: Option<(Value, Value)>,
    /// `count.index`, inside a block with `count`.
    pub count_index: Option<u64>,
    /// `self`, inside a postcondition.
    pub this: Option<Value>,
    /// What `dynamic` blocks around an expression bind, as objects of `key` and `value`.
    pub iterators: Arc<Named>,
    /// For functions that need more than their arguments.
    pub outside: Outside,
    /// For `timestamp` and its like.
    pub moment: Moment,
}

impl Scope {
    /// Nothing but what is outside.
    pub fn new(outside: Outside) -> Self {
        Scope {
            variables: Arc::default(),
            inputs: Arc::default(),
            locals: Arc::default(),
            results: Arc::default(),
            calls: Arc::default(),
            objects: Arc::default(),
            each: None,
            count_index: None,
            this: None,
            iterators: Arc::default(),
            outside,
            moment: Moment::default(),
        }
    }
}

/// Names that `for` expressions and template loops bind, the innermost first.
#[derive(Clone, Copy)]
pub(crate) enum Names<'a> {
    Bound {
        name: &'a str,
        value: &'a Value,
        outer: &'a Names<'a>,
    },
    /// Those that `dynamic` blocks bind.
    Iterators(&'a Named),
    /// Those that a template is given.
    Given {
        values: &'a Named,
        template: Template,
    },
    /// None, and no functions either: what variables are given is what is written.
    Nothing,
}

/// Where a template comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Template {
    /// A file.
    File,
    /// A text that something refers to: it may come from anywhere, and reads no files.
    Text,
}

/// A template in a template could go on for ever.
const TEMPLATES: [&str; 2] = ["templatefile", "templatestring"];
const OF_FILES: [&str; 10] = [
    "file",
    "fileexists",
    "fileset",
    "filebase64",
    "filebase64sha256",
    "filebase64sha512",
    "filemd5",
    "filesha1",
    "filesha256",
    "filesha512",
];

impl<'a> Names<'a> {
    pub(crate) fn find(&self, wanted: &str) -> Option<&'a Value> {
        match self {
            Names::Iterators(given) | Names::Given { values: given, .. } => given.get(wanted),
            Names::Nothing => None,
            Names::Bound { name, value, .. } if *name == wanted => Some(value),
            Names::Bound { outer, .. } => outer.find(wanted),
        }
    }

    /// All of them, for a hint.
    pub(crate) fn all(&self) -> Vec<&'a str> {
        match self {
            Names::Iterators(given) | Names::Given { values: given, .. } => given.keys().map(String::as_str).collect(),
            Names::Nothing => Vec::new(),
            Names::Bound { name, outer, .. } => {
                let mut names = outer.all();
                names.extend((!name.is_empty()).then_some(*name));
                names
            }
        }
    }

    /// What is around all that is bound.
    pub(crate) fn outermost(&self) -> &Names<'a> {
        match self {
            Names::Bound { outer, .. } => outer.outermost(),
            Names::Iterators(_) | Names::Given { .. } | Names::Nothing => self,
        }
    }

    /// Whether nothing but what a template file was given may be named.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Names::Iterators(_) => false,
            Names::Given { .. } | Names::Nothing => true,
            Names::Bound { outer, .. } => outer.is_closed(),
        }
    }

    /// Why a function can't be called here, if it can't.
    pub(crate) fn refuses(&self, function: &str) -> Option<String> {
        match self {
            Names::Iterators(_) => None,
            Names::Bound { outer, .. } => outer.refuses(function),
            Names::Nothing => Some("functions can't be called here".to_owned()),
            Names::Given { .. } if TEMPLATES.contains(&function) => {
                Some(format!("`{function}` can't be called in a template"))
            }
            Names::Given { template: Template::Text, .. } if OF_FILES.contains(&function) => {
                Some(format!("`{function}` can't be called in what `templatestring` is given"))
            }
            Names::Given { .. } => None,
        }
    }
}
