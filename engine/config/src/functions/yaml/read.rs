//! The value that a YAML text stands for: exactly one document, whose keys are text.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_model::convert::convert;
use bimetal_model::{Data, Type, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, StrInput, Tag};

use super::{scalar, strict};

/// More parts than this, what aliases repeat counted each time, are an attack.
const MOST_PARTS: usize = 1_000_000;

pub(super) fn value(text: &str) -> Result<Value, String> {
    let text = &*strict::checked(text)?;
    let text = if text.is_empty() { "\n" } else { text };
    let last = text.lines().last().unwrap_or_default().chars().count();
    let unended = (!text.ends_with(['\n', '\r'])).then(|| (text.lines().count(), last));
    let parser = Parser::new_from_str(text);
    let mut reader = Reader { parser, unended, anchors: BTreeMap::new(), open: BTreeSet::new() };
    reader.next()?;
    match reader.next()? {
        Event::DocumentStart(_) => {}
        _ => return Err("there is no document".to_owned()),
    }
    let part = reader.part()?;
    reader.next()?;
    match reader.next()? {
        Event::StreamEnd => Ok(part.value),
        _ => Err("there is more than one document".to_owned()),
    }
}

/// A value and how many there are in it.
#[derive(Clone)]
struct Part {
    value: Value,
    size: usize,
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// The line and column where the text ends, if its last line has no end.
    unended: Option<(usize, usize)>,
    anchors: BTreeMap<usize, Part>,
    /// Anchors whose values are not complete yet.
    open: BTreeSet<usize>,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Event<'t>, String> {
        match self.parser.next() {
            Some(Ok((event, span))) if self.unended == Some((span.end.line(), span.end.col())) => Ok(unended(event)),
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => {
                let place = error.marker();
                Err(format!("{}, in line {} column {}", error.info(), place.line(), place.col() + 1))
            }
            None => Ok(Event::StreamEnd),
        }
    }

    fn part(&mut self) -> Result<Part, String> {
        let event = self.next()?;
        bimetal_syntax::deeply(|| self.part_of(event))
    }

    fn part_of(&mut self, event: Event<'t>) -> Result<Part, String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar_value(&text, style, tag.as_deref())?;
                Ok(self.complete(anchor, Part { value, size: 1 }))
            }
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag.as_deref(), "seq")?;
                self.open.insert(anchor);
                let part = self.items()?;
                Ok(self.complete(anchor, part))
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref(), "map")?;
                self.open.insert(anchor);
                let part = self.members()?;
                Ok(self.complete(anchor, part))
            }
            Event::Alias(anchor) if self.open.contains(&anchor) => {
                Err("an alias stands inside of what it repeats".to_owned())
            }
            Event::Alias(anchor) => {
                self.anchors.get(&anchor).cloned().ok_or_else(|| "an alias repeats nothing".to_owned())
            }
            _ => Err("a value is missing".to_owned()),
        }
    }

    /// Anchors count from one; zero is none.
    fn complete(&mut self, anchor: usize, part: Part) -> Part {
        self.open.remove(&anchor);
        if anchor > 0 {
            self.anchors.insert(anchor, part.clone());
        }
        part
    }

    fn items(&mut self) -> Result<Part, String> {
        let (mut items, mut size) = (Vec::new(), 1);
        loop {
            let event = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Part { value: Value::tuple(items), size });
            }
            let part = bimetal_syntax::deeply(|| self.part_of(event))?;
            size = grown(size, part.size)?;
            items.push(part.value);
        }
    }

    fn members(&mut self) -> Result<Part, String> {
        let (mut members, mut size) = (BTreeMap::new(), 1);
        loop {
            let (text, style, tag) = match self.next()? {
                Event::MappingEnd => {
                    return Ok(Part { value: Data::Object(members.into()).into(), size });
                }
                Event::Scalar(text, style, _, tag) => (text, style, tag),
                _ => return Err("a key must be text".to_owned()),
            };
            let part = if is_merge(&text, tag.as_deref()) {
                let part = self.part()?;
                merge(&mut members, &part.value)?;
                part
            } else {
                let key = key(scalar_value(&text, style, tag.as_deref())?)?;
                let part = self.part()?;
                members.insert(key, part.value.clone());
                part
            };
            size = grown(size, part.size)?;
        }
    }
}

/// A block of text ends as its last line does. The parser gives it a line end that isn't there.
fn unended(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Scalar(text, style @ (ScalarStyle::Literal | ScalarStyle::Folded), anchor, tag) => {
            let kept = text.strip_suffix('\n').unwrap_or(&text).to_owned();
            Event::Scalar(kept.into(), style, anchor, tag)
        }
        other => other,
    }
}

fn grown(size: usize, by: usize) -> Result<usize, String> {
    Some(size + by).filter(|size| *size <= MOST_PARTS).ok_or_else(|| format!("it has more than {MOST_PARTS} parts"))
}

/// `<<`, even between quotes.
fn is_merge(text: &str, tag: Option<&Tag>) -> bool {
    match tag {
        None => text == "<<",
        Some(tag) => tag.is_yaml_core_schema() && tag.suffix == "merge",
    }
}

/// `<<: *other`, or a list of such.
fn merge(members: &mut BTreeMap<String, Value>, value: &Value) -> Result<(), String> {
    let sources = value.as_items().unwrap_or(std::slice::from_ref(value));
    for source in sources {
        let found = source.as_members().ok_or("only what has keys can be merged with `<<`")?;
        members.extend(found.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    Ok(())
}

fn key(value: Value) -> Result<String, String> {
    match convert(value, &Type::String).map(|value| value.as_str().map(str::to_owned)) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err("a key can't be `null`".to_owned()),
        Err(_) => Err("a key must be text".to_owned()),
    }
}

fn scalar_value(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let is_quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
    let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
    match tag {
        // Terraform takes its words for what they look like, and then makes text of it: `2024-01-01` gets a time.
        None if is_block => convert(scalar::value(text, "", false)?, &Type::String).map_err(|mismatch| mismatch.reason),
        None => scalar::value(text, "", is_quoted),
        Some(tag) if tag.is_yaml_core_schema() => scalar::value(text, &tag.suffix, is_quoted),
        Some(tag) => Err(format!("nothing is known of the tag `{tag}`")),
    }
}

fn check_tag(tag: Option<&Tag>, wanted: &str) -> Result<(), String> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() || tag.suffix != wanted => Err(format!("`{tag}` can't be tagged so")),
        _ => Ok(()),
    }
}
