//! Bimetal.
fn main() {}
