//! The contract as Rust types, made from `wit/`.

#![allow(missing_docs, unreachable_pub, unsafe_code, unsafe_op_in_unsafe_fn, clippy::all)]

wit_bindgen::generate!({
    path: "wit",
    world: "provider",
    pub_export_macro: true,
    default_bindings_module: "bimetal_provider::bindings",
});
