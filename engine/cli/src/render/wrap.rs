//! Breaking long lines at words.

/// The text in lines of at most so many characters; a longer word has a line of its own. Lines that were there stay, and are
/// indented as they were.
pub(crate) fn wrap(text: &str, width: usize) -> String {
    text.lines().map(|line| wrap_line(line, width)).collect::<Vec<_>>().join("\n")
}

fn wrap_line(line: &str, width: usize) -> String {
    let words = line.trim_start_matches(' ');
    let mut wrapped = line[..line.len() - words.len()].to_owned();
    let width = width.saturating_sub(wrapped.len());
    let mut used = 0;
    for word in words.split(' ') {
        let length = word.chars().count();
        match used {
            0 => used = length,
            _ if used + 1 + length <= width => {
                wrapped.push(' ');
                used += 1 + length;
            }
            _ => {
                wrapped.push('\n');
                used = length;
            }
        }
        wrapped.push_str(word);
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_at_words() {
        assert_eq!(wrap("one two three\nfour", 8), "one two\nthree\nfour");
        assert_eq!(wrap("a-word-that-is-too-long b", 8), "a-word-that-is-too-long\nb");
        assert_eq!(wrap("", 8), "");
        assert_eq!(wrap("a {\n  b = 1\n}", 8), "a {\n  b = 1\n}");
    }
}
