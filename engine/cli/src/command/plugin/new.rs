//! `plugin new`: the project of a provider, and all that it is built from.

use std::path::Path;

use bimetal_model::Diagnostic;

use crate::arguments;
use crate::failure::{Failure, io};
use crate::output::print;
use crate::session::Session;

/// The files of a project, with `gadget` for the provider's name and `Gadget` for its struct: no other word has these in it.
const PROJECT: [(&str, &str); 9] = [
    ("Cargo.toml", include_str!("new/Cargo.toml.in")),
    (".cargo/config.toml", include_str!("new/cargo-config.toml")),
    (".gitignore", "/target\n"),
    ("README.md", include_str!("new/README.md.in")),
    ("rust-toolchain.toml", include_str!("new/rust-toolchain.toml.in")),
    ("manifest.json", include_str!("new/manifest.json")),
    ("src/lib.rs", include_str!("new/lib.rs.in")),
    ("stand_in.py", include_str!("../../../../../examples/plugins/badges/stand_in.py")),
    ("cases/main.bm.hcl", include_str!("new/cases.bm.hcl")),
];

/// The crate `bimetal-provider` as this Bimetal was built with: a component of its contract needs nothing else.
const SDK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// Writes a project into a new folder.
pub(super) fn new(session: &Session, arguments: &arguments::plugin::New) -> Result<(), Failure> {
    let name = &arguments.name;
    if !is_name(name) {
        let error = Diagnostic::error(format!("`{name}` can't be the name of a provider"));
        return Err(error.hint("it is small letters, digits and `_`, and begins with a letter").into());
    }
    let folder = session.root.join(name);
    if folder.exists() {
        let error = Diagnostic::error(format!("`{}` exists already", folder.display()));
        return Err(error.hint("take another name, or move it out of the way").into());
    }
    for (path, text) in PROJECT {
        write(&folder, path, &named(text, name))?;
    }
    for (path, text) in SDK {
        write(&folder.join("sdk"), path, text)?;
    }
    print(&format!(
        "Wrote a provider into `{name}`:\n\n  src/lib.rs     the provider: one resource and one function\n  \
         manifest.json  what it asks for\n  cases/         what it is tried with\n  stand_in.py    what stands for \
         its API meanwhile\n  sdk/           the crate that it is built with\n\nNext:\n\n  cd {name}\n  cargo build \
         --release\n  bimetal plugin test target/wasm32-wasip2/release/{name}.wasm --stand-in 'python3 stand_in.py'\n"
    ));
    Ok(())
}

fn is_name(name: &str) -> bool {
    let is_small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.chars().all(is_small)
}

fn named(text: &str, name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    let camel: String = words.map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    text.replace("gadget", name).replace("Gadget", &camel)
}

fn write(folder: &Path, path: &str, text: &str) -> Result<(), Failure> {
    let path = folder.join(path);
    let writing = format!("writing `{}`", path.display());
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(io(&writing))?;
    }
    std::fs::write(&path, text).map_err(io(&writing))
}
