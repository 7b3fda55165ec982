//! Patterns as RE2 has them, in the syntax of the `regex` crate: <https://github.com/google/re2/wiki/Syntax>.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The most repetitions that RE2 takes.
const MOST_REPEATS: u32 = 1000;

/// The same pattern for the `regex` crate, and how many of its groups have names; or why RE2 has none such.
pub(super) fn translate(pattern: &str) -> Result<(String, usize), String> {
    let mut reader = Reader { rest: pattern, made: String::new(), repeated: false };
    while let Some(c) = reader.next() {
        reader.one(c)?;
    }
    Ok((without_twins(&reader.made), names(&reader.made).len()))
}

struct Reader<'a> {
    rest: &'a str,
    made: String,
    /// The last thing was a repetition.
    repeated: bool,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn next_if(&mut self, start: &str) -> bool {
        match self.rest.strip_prefix(start) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn one(&mut self, c: char) -> Result<(), String> {
        let before = std::mem::take(&mut self.repeated);
        match c {
            '*' | '+' | '?' => return self.repeat(&c.to_string(), before),
            '{' => {
                if let Some((count, rest)) = repeats(self.rest)? {
                    self.rest = rest;
                    return self.repeat(&count, before);
                }
                self.made.push_str("\\{");
            }
            '\\' if self.next_if("Q") => {
                let (text, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.rest = rest;
                self.made.push_str(&regex::escape(text));
            }
            '\\' if self.next_if("b") => self.made.push_str("(?-u:\\b)"),
            '\\' if self.next_if("B") => self.made.push_str("(?-u:\\B)"),
            '\\' if self.next_if("A") => self.made.push_str("\\A"),
            '\\' if self.next_if("z") => self.made.push_str("\\z"),
            '\\' => {
                let escaped = self.escaped()?;
                self.made.push_str(&escaped);
            }
            '[' => self.class()?,
            '(' => self.group()?,
            ']' | '}' => {
                self.made.push('\\');
                self.made.push(c);
            }
            _ => self.made.push(c),
        }
        Ok(())
    }

    fn repeat(&mut self, count: &str, is_second: bool) -> Result<(), String> {
        let is_lazy = self.next_if("?");
        self.made.push_str(count);
        self.made.push_str(if is_lazy { "?" } else { "" });
        if is_second {
            return Err(format!("`{count}` repeats a repetition; put what it repeats between parentheses"));
        }
        self.repeated = true;
        Ok(())
    }

    /// After `(`: RE2 knows fewer flags.
    fn group(&mut self) -> Result<(), String> {
        self.made.push('(');
        if !self.next_if("?") {
            return Ok(());
        }
        self.made.push('?');
        if self.rest.starts_with("P<") || self.rest.starts_with('<') {
            return Ok(());
        }
        let end = self.rest.find([':', ')']).ok_or("a group has no end")?;
        let (flags, rest) = self.rest.split_at(end);
        if let Some(flag) = flags.chars().find(|flag| !"imsU-".contains(*flag)) {
            return Err(format!("there is no flag `{flag}`"));
        }
        (self.made, self.rest) = (format!("{}{flags}{}", self.made, &rest[..1]), &rest[1..]);
        Ok(())
    }

    /// After `\`, of what may stand in a class as well.
    fn escaped(&mut self) -> Result<String, String> {
        let c = self.next().ok_or("it ends with `\\`")?;
        let class = |ascii: &str| Ok(ascii.to_owned());
        match c {
            'd' => class("[0-9]"),
            'D' => class("[^0-9]"),
            's' => class("[\\t\\n\\f\\r ]"),
            'S' => class("[^\\t\\n\\f\\r ]"),
            'w' => class("[0-9A-Za-z_]"),
            'W' => class("[^0-9A-Za-z_]"),
            'p' | 'P' | 'x' => {
                let length = match (self.rest.strip_prefix('{'), c) {
                    (Some(named), _) => named.find('}').ok_or_else(|| format!("`\\{c}{{` has no end"))? + 2,
                    (None, 'x') => 2,
                    (None, _) => self.rest.chars().next().map_or(0, char::len_utf8),
                };
                let (what, rest) = self.rest.split_at_checked(length).ok_or_else(|| format!("`\\{c}` is cut off"))?;
                self.rest = rest;
                Ok(format!("\\{c}{what}"))
            }
            'a' | 'f' | 't' | 'n' | 'r' | 'v' => Ok(format!("\\{c}")),
            '0'..='7' => self.octal(c),
            _ if c.is_ascii_punctuation() => Ok(regex::escape(&c.to_string())),
            _ => Err(format!("there is no `\\{c}`")),
        }
    }

    /// `\012`; one digit alone would be a reference to a group, which RE2 does not have.
    fn octal(&mut self, first: char) -> Result<String, String> {
        let more = self.rest.bytes().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
        if first != '0' && more == 0 {
            return Err(format!("there is no `\\{first}`"));
        }
        let (digits, rest) = self.rest.split_at(more);
        self.rest = rest;
        let code = u32::from_str_radix(&format!("{first}{digits}"), 8).map_err(|error| error.to_string())?;
        Ok(format!("\\x{{{code:x}}}"))
    }

    /// After `[`.
    fn class(&mut self) -> Result<(), String> {
        let mut made = String::from("[");
        if self.next_if("^") {
            made.push('^');
        }
        let mut is_first = true;
        loop {
            if !is_first && self.next_if("]") {
                break;
            }
            is_first = false;
            let low = self.member()?;
            if self.rest.starts_with('-') && !self.rest.starts_with("-]") && !low.starts_with('[') {
                self.next();
                let high = self.member()?;
                if high.starts_with('[') {
                    return Err(format!("`{low}-{high}` is no range: it has no end"));
                }
                let _ = write!(made, "{low}-{high}");
            } else {
                made.push_str(&low);
            }
        }
        made.push(']');
        self.made.push_str(&made);
        Ok(())
    }

    /// One character of a class, or a class that has a name.
    fn member(&mut self) -> Result<String, String> {
        if let Some(named) = self.rest.strip_prefix("[:")
            && let Some(end) = named.find(":]")
        {
            let (name, rest) = self.rest.split_at(end + 4);
            self.rest = rest;
            return Ok(name.to_owned());
        }
        match self.next().ok_or("`[` has no end")? {
            '\\' => self.escaped(),
            c => Ok(regex::escape(&c.to_string())),
        }
    }
}

/// After `{`: how often, and what follows; absent where this is only a brace.
fn repeats(rest: &str) -> Result<Option<(String, &str)>, String> {
    let Some((count, rest)) = rest.split_once('}') else { return Ok(None) };
    let (least, most) = count.split_once(',').map_or((count, None), |(least, most)| (least, Some(most)));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(least) || most.is_some_and(|most| !most.is_empty() && !is_number(most)) {
        return Ok(None);
    }
    let too_many = |text: &str| text.parse::<u32>().map_or(true, |count| count > MOST_REPEATS);
    if [Some(least), most].into_iter().flatten().any(|text| !text.is_empty() && too_many(text)) {
        return Err(format!("`{{{count}}}` is more than {MOST_REPEATS} times"));
    }
    Ok(Some((format!("{{{count}}}"), rest)))
}

/// Of groups with the same name the last one counts; the others lose theirs.
fn without_twins(pattern: &str) -> String {
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    let names: Vec<(usize, &str)> = names(pattern);
    for (place, name) in &names {
        last.insert(name.trim_start_matches("?P"), *place);
    }
    let mut made = pattern.to_owned();
    for (place, name) in names.into_iter().rev() {
        if last.get(name.trim_start_matches("?P")) != Some(&place) {
            made.replace_range(place..place + name.len(), "");
        }
    }
    made
}

/// Where groups have names: `?P<name>` or `?<name>`. In what was translated, `(` is a group wherever it is not escaped.
fn names(pattern: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut escaped = false;
    for (place, c) in pattern.char_indices() {
        let rest = &pattern[place + c.len_utf8()..];
        if c == '(' && !escaped && (rest.starts_with("?P<") || rest.starts_with("?<")) {
            found.extend(rest.find('>').map(|end| (place + 1, &rest[..=end])));
        }
        escaped = c == '\\' && !escaped;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_have_stays() {
        for pattern in
            ["a+?b", "(?P<a>x)|(?:y)", "(?i)a.c$", "[^a-z]", "\\p{Greek}\\pN", "x{2,3}?", "[[:alpha:]_]", "é"]
        {
            assert_eq!(translate(pattern).map(|(made, _)| made).as_deref(), Ok(pattern));
        }
    }

    #[test]
    fn what_only_re2_has_is_written_otherwise() {
        let cases = [
            ("\\d\\W", "[0-9][^0-9A-Za-z_]"),
            ("[\\w-]", "[[0-9A-Za-z_]\\-]"),
            ("\\bx\\B", "(?-u:\\b)x(?-u:\\B)"),
            ("\\Qa.b\\E*", "a\\.b*"),
            ("a{,3}", "a\\{,3\\}"),
            ("[[&&~]", "[\\[\\&\\&\\~]"),
            ("[]a]", "[\\]a]"),
            ("\\<\\012", "<\\x{a}"),
            ("(?P<a>.)(?P<a>.)", "(.)(?P<a>.)"),
        ];
        for (pattern, wanted) in cases {
            let (made, _) = translate(pattern).unwrap();
            assert_eq!(made, wanted);
            regex::Regex::new(&made).unwrap();
        }
    }

    #[test]
    fn what_re2_does_not_have_is_refused() {
        for pattern in
            ["a**", "a+*", "a*?*", "a{2}{3}", "a{1001}", "(?x)a", "\\1", "\\u0041", "\\y", "[a", "a\\", "\\x{", "\\p"]
        {
            let made =
                translate(pattern).and_then(|(made, _)| regex::Regex::new(&made).map_err(|error| error.to_string()));
            assert!(made.is_err(), "{pattern}: {made:?}");
        }
    }
}
