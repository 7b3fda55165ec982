//! The laboratory: real engines, registries and machines, each in namespaces of its own, and a stand-in for a cloud.
//!
//! Everything ends with the value that stands for it, and with the process that made it, however that ends. Nothing uses a
//! fixed port or address, so laboratories run side by side. What a laboratory needs is installed by `cargo xtask test`.

pub mod arm_engine;
pub mod bimetal;
pub mod cell;
pub mod digital_ocean;
pub mod disk;
pub mod engine;
pub mod http;
pub mod image;
pub mod lab;
pub mod node;
pub mod notes;
pub mod postgres;
pub mod project;
pub mod registry;
pub mod repository;
pub mod spawn;
pub mod stage;
pub mod tree;
pub mod wait;

pub use arm_engine::ArmEngine;
pub use bimetal::{Bimetal, Ran};
pub use digital_ocean::DigitalOcean;
pub use disk::Disk;
pub use engine::Engine;
pub use lab::Lab;
pub use node::Node;
pub use postgres::Postgres;
pub use registry::Registry;
