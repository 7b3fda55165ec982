//! What was there before: text as literals and matches.
//!
//! Source: Go's `compress/flate` at level 6. What it finds decides about every byte behind it, so the order of the search, its limits and even
//! the hash are part of the format here.

use super::{Block, Symbol};

/// The shortest match that is looked for; the format knows one that is shorter.
const SHORTEST: usize = 4;
const LONGEST: usize = 258;
/// How far back a match may be.
const WINDOW: usize = 1 << 15;
/// Symbols of a block.
const MOST_SYMBOLS: usize = 1 << 14;
const HASH_BITS: u32 = 17;
const HASH_FACTOR: u32 = 0x1e35_a7bd;

/// After a match of this length, none is looked for one byte later.
const LAZY: usize = 16;
/// A match of this length ends the search.
const NICE: usize = 128;
const TRIES: usize = 128;
/// A shorter match is worth it only from as near as this.
const NEAR: usize = 4096;

/// A text that is gone through from its beginning to its end.
pub(super) struct Window<'t> {
    text: &'t [u8],
    at: usize,
    /// The oldest byte that is still remembered; and how far text was read in.
    base: usize,
    read: usize,
    /// For each hash, one behind where the last four bytes with it begin; zero for none.
    heads: Vec<usize>,
    /// For each place in the window, the same of those before it.
    before: Vec<usize>,
}

impl<'t> Window<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        let (heads, before) = (vec![0; 1 << HASH_BITS], vec![0; WINDOW]);
        Window { text, at: 0, base: 0, read: text.len().min(2 * WINDOW), heads, before }
    }

    /// Gives block after block.
    pub(super) fn compress(mut self, mut give: impl FnMut(Block<'_>)) {
        let mut symbols = Vec::with_capacity(MOST_SYMBOLS);
        // The best match that begins one byte before.
        let mut last: Option<(usize, usize)> = None;
        let (mut has_pending, mut block_start) = (false, 0);
        loop {
            self.read_on();
            if self.at >= self.text.len() {
                break;
            }
            let head = self.insert();
            let last_length = last.map_or(SHORTEST - 1, |(length, _)| length);
            let found = match last_length < LAZY && self.text.len() - self.at > last_length {
                true => head.and_then(|head| self.find(head)),
                false => None,
            };
            match last {
                Some((length, distance)) if found.is_none_or(|(found, _)| found <= length) => {
                    symbols.push(matching(length, distance));
                    self.skip(length);
                    (has_pending, last) = (false, None);
                }
                _ => {
                    if has_pending {
                        symbols.push(Symbol::Literal(self.text[self.at - 1]));
                        if symbols.len() == MOST_SYMBOLS {
                            self.end_block(&mut symbols, &mut block_start, self.at, &mut give);
                        }
                    }
                    self.at += 1;
                    (has_pending, last) = (true, found);
                }
            }
            if symbols.len() == MOST_SYMBOLS {
                self.end_block(&mut symbols, &mut block_start, self.at, &mut give);
            }
        }
        if has_pending {
            symbols.extend(self.text.last().map(|byte| Symbol::Literal(*byte)));
        }
        if !symbols.is_empty() {
            self.end_block(&mut symbols, &mut block_start, self.text.len(), &mut give);
        }
    }

    /// Text is read two windows at a time; the older one is then forgotten, though some of it is near enough.
    fn read_on(&mut self) {
        let ahead = self.read - self.at.min(self.read);
        if self.read < self.text.len() && ahead < SHORTEST + LONGEST {
            self.base += WINDOW;
            self.read = self.text.len().min(self.read + WINDOW);
        }
    }

    fn end_block(&self, symbols: &mut Vec<Symbol>, start: &mut usize, end: usize, give: &mut impl FnMut(Block<'_>)) {
        let text = (*start >= self.base).then(|| self.text.get(*start..end)).flatten();
        give(Block { symbols, text });
        *start = end;
        symbols.clear();
    }

    /// Remembers the four bytes that begin here; gives where the last such were.
    fn insert(&mut self) -> Option<usize> {
        let bytes: [u8; SHORTEST] = self.text.get(self.at..self.at + SHORTEST)?.try_into().ok()?;
        let hash = u32::from_be_bytes(bytes).wrapping_mul(HASH_FACTOR) >> (32 - HASH_BITS);
        let head = std::mem::replace(&mut self.heads[hash as usize], self.at + 1);
        self.before[self.at % WINDOW] = head;
        head.checked_sub(1).filter(|head| *head >= self.oldest())
    }

    /// From where on a match may be.
    fn oldest(&self) -> usize {
        self.base.max(self.at.saturating_sub(WINDOW))
    }

    /// The longest match, by its length and distance: the nearest of those that are equally long.
    fn find(&self, head: usize) -> Option<(usize, usize)> {
        let most = LONGEST.min(self.text.len() - self.at);
        let nice = NICE.min(most);
        let (mut best, mut place) = (None, head);
        let mut length = SHORTEST - 1;
        for _ in 0..TRIES {
            if self.text[place + length] == self.text[self.at + length] {
                let found = self.common(place, most);
                let distance = self.at - place;
                if found > length && (found > SHORTEST || distance <= NEAR) {
                    (length, best) = (found, Some((found, distance)));
                    if found >= nice {
                        break;
                    }
                }
            }
            // The oldest place's predecessor was written over.
            if place + WINDOW == self.at {
                break;
            }
            match self.before[place % WINDOW].checked_sub(1) {
                Some(next) if next >= self.oldest() => place = next,
                _ => break,
            }
        }
        best
    }

    fn common(&self, place: usize, most: usize) -> usize {
        let (earlier, here) = (&self.text[place..], &self.text[self.at..]);
        earlier.iter().zip(here).take(most).take_while(|(one, other)| one == other).count()
    }

    /// Goes behind a match that begins one byte before; all places in it are remembered.
    fn skip(&mut self, length: usize) {
        let end = self.at + length - 1;
        self.at += 1;
        while self.at < end {
            self.insert();
            self.at += 1;
        }
    }
}

fn matching(length: usize, distance: usize) -> Symbol {
    let narrow = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    Symbol::Match { length: narrow(length), distance: narrow(distance) }
}
