//! What the members of JSON files stand for: which are blocks, with how many labels, and which text holds an expression.
//!
//! What only a provider's schema knows is left undecided here: `decode` decides.

use bimetal_model::Diagnostics;
use bimetal_syntax::{BlockShape, Body, Others, Reading, Shape, SourceFile, parse_body, parse_json_body};

use Reading::{Expression, Literal, Template};

/// The tree of a configuration file, in the syntax that its name says.
pub(crate) fn parse_configuration(file: &SourceFile) -> (Body, Diagnostics) {
    if is_json(file) { parse_json_body(file, &FILE) } else { parse_body(file) }
}

/// The tree of a file of tests, in the syntax that its name says.
pub(crate) fn parse_suite_tree(file: &SourceFile) -> (Body, Diagnostics) {
    if is_json(file) { parse_json_body(file, &SUITE) } else { parse_body(file) }
}

/// The tree of a file of mocks, in the syntax that its name says.
pub(crate) fn parse_mock_tree(file: &SourceFile) -> (Body, Diagnostics) {
    if is_json(file) { parse_json_body(file, &MOCK) } else { parse_body(file) }
}

/// The tree of a file of variables, in the syntax that its name says.
pub(crate) fn parse_values(file: &SourceFile) -> (Body, Diagnostics) {
    if is_json(file) { parse_json_body(file, &VALUES) } else { parse_body(file) }
}

pub(crate) fn is_json(file: &SourceFile) -> bool {
    file.name.ends_with(".json")
}

const fn block(word: &'static str, labels: usize, inside: &'static Shape) -> BlockShape {
    BlockShape { word, labels, inside }
}

static FILE: Shape = Shape {
    blocks: &[
        block("bimetal", 0, &SETTINGS),
        block("variable", 1, &VARIABLE),
        block("locals", 0, &ARGUMENTS),
        block("output", 1, &OUTPUT),
        block("provider", 1, &PROVIDER),
        block("module", 1, &MODULE),
        block("machine", 2, &OBJECT),
        block("pool", 1, &OBJECT),
        block("service", 1, &OBJECT),
        block("resource", 2, &OBJECT),
        block("data", 2, &OBJECT),
        block("ephemeral", 2, &OBJECT),
        block("check", 1, &CHECK),
        block("moved", 0, &MOVED),
        block("removed", 0, &REMOVED),
        block("import", 0, &IMPORT),
    ],
    arguments: &[],
    reading: Template,
    others: Others::Blocks,
};

static SETTINGS: Shape = Shape {
    blocks: &[
        block("required_providers", 0, &VALUES),
        block("state", 1, &ARGUMENTS),
        block("encryption", 1, &ARGUMENTS),
        block("registry", 1, &ARGUMENTS),
        block("signed", 1, &ARGUMENTS),
    ],
    arguments: &[("required_version", Literal), ("allowed_sources", Expression), ("require_clean", Literal)],
    ..ARGUMENTS
};

static VARIABLE: Shape = Shape {
    blocks: &[block("validation", 0, &ARGUMENTS)],
    arguments: &[("type", Expression), ("default", Literal), ("description", Literal)],
    ..ARGUMENTS
};

static OUTPUT: Shape = Shape {
    blocks: &[block("precondition", 0, &ARGUMENTS)],
    arguments: &[("depends_on", Expression), ("description", Literal)],
    ..ARGUMENTS
};

/// Addresses in it are text.
static MOVED: Shape = Shape { reading: Literal, ..ARGUMENTS };

static REMOVED: Shape =
    Shape { blocks: &[block("lifecycle", 0, &ARGUMENTS)], arguments: &[("from", Literal)], ..ARGUMENTS };

static IMPORT: Shape = Shape { arguments: &[("to", Expression)], ..ARGUMENTS };

static CHECK: Shape = Shape { blocks: &[block("assert", 0, &ARGUMENTS), block("data", 2, &OBJECT)], ..ARGUMENTS };

static PROVIDER: Shape = Shape {
    blocks: &[block("dynamic", 1, &DYNAMIC)],
    arguments: &[("alias", Literal)],
    others: Others::Undecided(&CONTENT),
    ..ARGUMENTS
};

static MODULE: Shape = Shape {
    arguments: &[
        ("source", Expression),
        ("version", Expression),
        ("providers", Expression),
        ("depends_on", Expression),
    ],
    ..ARGUMENTS
};

static OBJECT: Shape = Shape {
    blocks: &[block("lifecycle", 0, &LIFECYCLE), block("dynamic", 1, &DYNAMIC)],
    arguments: &[("provider", Expression), ("depends_on", Expression)],
    others: Others::Undecided(&CONTENT),
    ..ARGUMENTS
};

static LIFECYCLE: Shape = Shape {
    blocks: &[block("precondition", 0, &ARGUMENTS), block("postcondition", 0, &ARGUMENTS)],
    arguments: &[("ignore_changes", Expression), ("replace_triggered_by", Expression)],
    ..ARGUMENTS
};

/// A body that a provider's schema describes.
static CONTENT: Shape =
    Shape { blocks: &[block("dynamic", 1, &DYNAMIC)], others: Others::Undecided(&CONTENT), ..ARGUMENTS };

static DYNAMIC: Shape =
    Shape { blocks: &[block("content", 0, &CONTENT)], arguments: &[("iterator", Expression)], ..ARGUMENTS };

static SUITE: Shape = Shape {
    blocks: &[
        block("variables", 0, &ARGUMENTS),
        block("provider", 1, &PROVIDER),
        block("run", 1, &RUN),
        block("mock_provider", 1, &MOCK),
        OVERRIDE_RESOURCE,
        OVERRIDE_DATA,
        OVERRIDE_MODULE,
    ],
    others: Others::Blocks,
    ..ARGUMENTS
};

static RUN: Shape = Shape {
    blocks: &[
        block("variables", 0, &ARGUMENTS),
        block("module", 0, &VALUES),
        block("plan_options", 0, &WORDS),
        block("assert", 0, &ARGUMENTS),
        OVERRIDE_RESOURCE,
        OVERRIDE_DATA,
        OVERRIDE_MODULE,
    ],
    arguments: &[
        ("command", Expression),
        ("providers", Expression),
        ("expect_failures", Expression),
        ("state_key", Literal),
    ],
    ..ARGUMENTS
};

static MOCK: Shape = Shape {
    blocks: &[
        block("mock_machine", 0, &DEFAULTS),
        block("mock_resource", 1, &DEFAULTS),
        block("mock_data", 1, &DEFAULTS),
        OVERRIDE_RESOURCE,
        OVERRIDE_DATA,
        OVERRIDE_MODULE,
    ],
    arguments: &[("alias", Literal), ("source", Literal), ("override_during", Expression)],
    ..ARGUMENTS
};

const OVERRIDE_RESOURCE: BlockShape = block("override_resource", 0, &DEFAULTS);
const OVERRIDE_DATA: BlockShape = block("override_data", 0, &DEFAULTS);
const OVERRIDE_MODULE: BlockShape = block("override_module", 0, &DEFAULTS);

static DEFAULTS: Shape = Shape { arguments: &[("target", Literal), ("override_during", Expression)], ..ARGUMENTS };

/// Nothing but names.
static WORDS: Shape = Shape { reading: Expression, ..ARGUMENTS };

/// Nothing but arguments.
const ARGUMENTS: Shape = Shape { blocks: &[], arguments: &[], reading: Template, others: Others::Arguments };

/// Nothing but values: nothing in them is evaluated.
static VALUES: Shape = Shape { reading: Literal, ..ARGUMENTS };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_knows_every_word_that_hcl_knows() {
        for word in crate::parse::TOP_LEVEL {
            assert!(FILE.blocks.iter().any(|block| block.word == word), "{word}");
        }
        for word in crate::parse::SUITE_WORDS {
            assert!(SUITE.blocks.iter().any(|block| block.word == word), "{word}");
        }
    }
}
