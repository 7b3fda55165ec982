//! The schemas of the engine's own blocks: `pool` and `service`.

use std::sync::LazyLock;

use bimetal_model::Type;
use bimetal_model::schema::{Attribute, Block, NestedBlock};

/// The arguments of `pool`.
pub fn pool() -> &'static Block {
    static POOL: LazyLock<Block> = LazyLock::new(|| {
        block(
            [
                ("machines", required(Type::Any, "machines, lists of them, or pools")),
                ("strategy", optional(Type::String, "`spread` or `binpack`")),
                (
                    "failure_budget",
                    optional(Type::Any, "how many of its machines may fail before a run stops, as `2` or `\"10%\"`"),
                ),
            ],
            [],
        )
    });
    &POOL
}

/// The arguments of `service`.
pub fn service() -> &'static Block {
    static SERVICE: LazyLock<Block> = LazyLock::new(service_block);
    &SERVICE
}

fn service_block() -> Block {
    let texts = || Type::list(Type::String);
    let attributes = [
        ("pool", required(Type::Any, "where its replicas run")),
        ("image", required(Type::Any, "a name, or a map from platform to name")),
        ("replicas", optional(Type::Number, "how many; 1 unless said")),
        ("mode", optional(Type::String, "`replicated`, or `global` for one a machine")),
        ("command", optional(texts(), "")),
        ("entrypoint", optional(texts(), "")),
        ("env", optional(Type::map(Type::String), "")),
        ("labels", optional(Type::map(Type::String), "")),
        ("user", optional(Type::String, "")),
        ("working_dir", optional(Type::String, "")),
        ("hostname", optional(Type::String, "")),
        ("restart", optional(Type::String, "`no`, `on-failure`, `always` or `unless-stopped`")),
        ("networks", optional(texts(), "")),
        ("memory", optional(Type::String, "as `64MB` or `1GiB`")),
        ("cpus", optional(Type::Number, "")),
    ];
    let port = [
        ("host", optional(Type::Number, "of the machine; none: not reachable from outside")),
        ("container", required(Type::Number, "")),
        ("protocol", optional(Type::String, "`tcp` or `udp`")),
    ];
    let volume = [
        ("source", required(Type::String, "a volume's name or a path of the machine's")),
        ("target", required(Type::String, "a path in the container")),
        ("read_only", optional(Type::Bool, "")),
    ];
    let health = [
        ("command", required(texts(), "")),
        ("interval", optional(Type::String, "as `10s`")),
        ("timeout", optional(Type::String, "as `3s`")),
        ("retries", optional(Type::Number, "")),
        ("start_period", optional(Type::String, "as `5s`")),
    ];
    let placement = [
        ("platforms", optional(texts(), "only machines of these")),
        ("labels", optional(Type::map(Type::String), "only machines that have all of these")),
    ];
    let many = |attributes: Block| NestedBlock { block: attributes, ..NestedBlock::default() };
    let one = |attributes: Block| NestedBlock { single: true, block: attributes, ..NestedBlock::default() };
    block(
        attributes,
        [
            ("port", many(block(port, []))),
            ("volume", many(block(volume, []))),
            ("health", one(block(health, []))),
            ("placement", one(block(placement, []))),
        ],
    )
}

fn block<const A: usize, const B: usize>(
    attributes: [(&str, Attribute); A],
    blocks: [(&str, NestedBlock); B],
) -> Block {
    Block {
        attributes: attributes.into_iter().map(|(name, attribute)| (name.to_owned(), attribute)).collect(),
        blocks: blocks.into_iter().map(|(name, nested)| (name.to_owned(), nested)).collect(),
    }
}

fn required(ty: Type, description: &str) -> Attribute {
    Attribute { description: description.to_owned(), ..Attribute::required(ty) }
}

fn optional(ty: Type, description: &str) -> Attribute {
    Attribute { description: description.to_owned(), ..Attribute::optional(ty) }
}
