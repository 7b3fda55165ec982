//! The providers that come with Bimetal, as components.

/// A provider's component.
pub struct Embedded {
    /// Its local name.
    pub name: &'static str,
    /// The component.
    pub wasm: &'static [u8],
}

/// All of them.
pub const EMBEDDED: &[Embedded] = &[
    Embedded { name: "baremetal", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/baremetal.wasm")) },
    Embedded { name: "digitalocean", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/digitalocean.wasm")) },
    Embedded { name: "docker", wasm: include_bytes!(concat!(env!("OUT_DIR"), "/docker.wasm")) },
];
