//! The contract as Rust types, made from the folder of the version that this host speaks.

#![allow(missing_docs, unreachable_pub, clippy::all)]

wasmtime::component::bindgen!({
    path: "../../plugin-sdk/wit/0.1.0",
    world: "provider",
    imports: { default: async },
    exports: { default: async },
});
