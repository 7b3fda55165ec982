//! Whether an expression is whole, or goes on with the next line.

use bimetal_syntax::{Start, TokenKind, tokens};

/// What was typed until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// Nothing that means anything.
    Empty,
    /// Brackets or a heredoc are open.
    Open,
    /// It can be evaluated.
    Whole,
}

/// What these lines are. The last one has its end.
pub(super) fn statement(text: &str) -> Statement {
    let (mut depth, mut is_empty) = (0_i64, true);
    for token in tokens(text, Start::Normal) {
        match token.kind {
            TokenKind::Newline | TokenKind::Comment | TokenKind::End => continue,
            TokenKind::OpenBrace
            | TokenKind::OpenBracket
            | TokenKind::OpenParenthesis
            | TokenKind::OpenValue
            | TokenKind::OpenDirective
            | TokenKind::OpenHeredoc => depth += 1,
            TokenKind::CloseBrace
            | TokenKind::CloseBracket
            | TokenKind::CloseParenthesis
            | TokenKind::CloseSequence
            | TokenKind::CloseHeredoc => depth -= 1,
            _ => {}
        }
        is_empty = false;
    }
    match (is_empty, depth > 0) {
        (true, _) => Statement::Empty,
        (false, true) => Statement::Open,
        (false, false) => Statement::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_on_while_brackets_are_open() {
        let open = ["[\n", "{ a = (\n", "\"${\n", "<<EOT\n", "<<EOT\na\n", "f(1,\n# )\n", "[\n\n", "/* [ */ {\n"];
        for text in open {
            assert_eq!(statement(text), Statement::Open, "{text}");
        }
        let whole = ["1\n", "[\n]\n", "\"[\"\n", "]\n", "<<EOT\na\nEOT\n", "\"a\n", "1 +\n", "a # [\n"];
        for text in whole {
            assert_eq!(statement(text), Statement::Whole, "{text}");
        }
        let empty = ["", "\n", "  \n", "# a\n", "// [\n", "/* a */\n\n"];
        for text in empty {
            assert_eq!(statement(text), Statement::Empty, "{text}");
        }
    }
}
