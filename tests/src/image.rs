//! The images that tests use: the web server of `examples/hello`, which answers with its own `uname -m`.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use xtask::image::{Image, image, write_layout};
use xtask::web::{Platform, build};

/// The image of that greeting, for each of those platforms.
pub fn images(platforms: &[Platform], greeting: &str) -> Vec<Image> {
    platforms
        .iter()
        .map(|platform| image(*platform, &program(*platform), greeting).expect("an image in memory"))
        .collect()
}

/// Writes an OCI layout with the image of that greeting.
pub fn layout(folder: &Path, platforms: &[Platform], greeting: &str) {
    let written = write_layout(folder, &images(platforms, greeting));
    written.unwrap_or_else(|error| panic!("cannot write an image to {}: {error}", folder.display()));
}

/// The compiled server; cargo sees to it that it is compiled once.
fn program(platform: Platform) -> Vec<u8> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _building = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let file = build(platform).unwrap_or_else(|error| panic!("cannot build the web server: {error:#}"));
    std::fs::read(&file).unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()))
}
