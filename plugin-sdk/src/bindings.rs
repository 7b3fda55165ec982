//! The contract as Rust types, made from `wit/`, of the version that providers are made for now.

#![allow(missing_docs, unreachable_pub, unsafe_code, unsafe_op_in_unsafe_fn, clippy::all)]

wit_bindgen::generate!({
    path: "wit/0.1.0",
    world: "provider",
    pub_export_macro: true,
    default_bindings_module: "bimetal_provider::bindings",
});
