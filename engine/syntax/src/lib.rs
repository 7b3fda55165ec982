//! The text of a configuration: tokens, trees, and the canonical style.
//!
//! HCL's native syntax and its JSON twin, read into one tree. Knows nothing of what blocks and names mean.

mod format;
mod json;
mod lexer;
mod parser;
mod source;
mod stack;
mod template;
mod tree;

pub use format::format;
pub use json::{BlockShape, Others, Reading, Shape, parse_json_body};
pub use lexer::{Kind as TokenKind, Start, Token, tokens};
pub use parser::{Lines, parse_body, parse_expression, parse_template};
pub use source::{Place, SourceFile};
pub use stack::deeply;
pub use tree::*;
