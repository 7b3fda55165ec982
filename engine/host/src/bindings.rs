//! The contract as Rust types, made from `plugin-sdk/wit`.

#![allow(missing_docs, unreachable_pub, clippy::all)]

wasmtime::component::bindgen!({
    path: "../../plugin-sdk/wit",
    world: "provider",
    imports: { default: async },
    exports: { default: async },
});
