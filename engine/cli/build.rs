//! Puts the sources of the provider SDK into the program: `plugin new` writes them beside what it makes.

use std::path::{Path, PathBuf};

/// What of the workspace's table a folder of its own needs, and what it must not have.
const TABLES: [&str; 4] =
    ["[workspace.package]", "[workspace.dependencies]", "[workspace.lints.rust]", "[workspace.lints.clippy]"];

fn main() -> std::io::Result<()> {
    let root = PathBuf::from(env("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let sdk = root.join("plugin-sdk");
    println!("cargo::rerun-if-changed={}", sdk.display());
    println!("cargo::rerun-if-changed={}", root.join("Cargo.toml").display());
    let mut files = vec![("Cargo.toml".to_owned(), workspace(&std::fs::read_to_string(root.join("Cargo.toml"))?))];
    for folder in ["src", "macros/src", "wit", "examples"] {
        collect(&sdk, &sdk.join(folder), &mut files)?;
    }
    for file in ["Cargo.toml", "macros/Cargo.toml"] {
        files.push((format!("plugin-sdk/{file}"), std::fs::read_to_string(sdk.join(file))?));
    }
    files.sort();
    let pairs: Vec<String> = files.iter().map(|(path, text)| format!("    ({path:?}, {text:?}),\n")).collect();
    std::fs::write(PathBuf::from(env("OUT_DIR")).join("sdk.rs"), format!("&[\n{}]\n", pairs.concat()))
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}

/// A workspace of the SDK alone. Rows that lead to other rooms are left out.
fn workspace(text: &str) -> String {
    let mut out = "[workspace]\nresolver = \"3\"\nmembers = [\"plugin-sdk\", \"plugin-sdk/macros\"]\n".to_owned();
    let mut is_wanted = false;
    for line in text.lines() {
        if line.starts_with('[') {
            is_wanted = TABLES.contains(&line);
        }
        let leads_elsewhere = line.contains("path = \"") && !line.contains("path = \"plugin-sdk");
        if is_wanted && !leads_elsewhere {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn collect(sdk: &Path, folder: &Path, files: &mut Vec<(String, String)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(sdk, &path, files)?;
        } else if let Ok(inner) = path.strip_prefix(sdk) {
            files.push((format!("plugin-sdk/{}", inner.display()), std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}
