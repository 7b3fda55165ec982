//! Blocks as bits.
//!
//! Source: RFC 1951; where it leaves a choice, Go's `compress/flate`.

use super::huffman::Code;
use super::{Block, Symbol};

const END_OF_BLOCK: usize = 256;
const LITERALS: usize = 286;
const DISTANCES: usize = 30;
/// No code of either is longer than this.
const LONGEST_CODE: usize = 15;
/// How the codes' lengths are written is written by codes of at most this length.
const LONGEST_LENGTH_CODE: usize = 7;
/// In the order of the format.
const LENGTH_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const MOST_STORED: usize = 65_535;

/// Bits, the first of a byte its lowest.
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    bits: u64,
    count: u32,
}

/// A symbol's place in a code, and the bits behind it.
#[derive(Clone, Copy)]
struct Coded {
    place: usize,
    extra: u32,
    extra_bits: u32,
}

/// From 3 on: each twice as wide as those four before it.
fn length(length: u16) -> Coded {
    match u32::from(length).saturating_sub(3) {
        255.. => Coded { place: 285, extra: 0, extra_bits: 0 },
        rest => wide(rest, 4, 257),
    }
}

/// From 1 on: each twice as wide as those two before it.
fn distance(distance: u16) -> Coded {
    wide(u32::from(distance).saturating_sub(1), 2, 0)
}

/// The first few have no bits behind them; then so many have one, so many two, and so on.
fn wide(rest: u32, group: u32, first: usize) -> Coded {
    let extra_bits = match rest < 2 * group {
        true => 0,
        false => rest.ilog2() - group.ilog2(),
    };
    let place = first + (group * extra_bits + (rest >> extra_bits)) as usize;
    Coded { place, extra: rest & ((1 << extra_bits) - 1), extra_bits }
}

impl BitWriter {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        BitWriter { bytes, bits: 0, count: 0 }
    }

    fn bits(&mut self, bits: u32, count: u32) {
        self.bits |= u64::from(bits) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push((self.bits & 0xff) as u8);
            self.bits >>= 8;
            self.count -= 8;
        }
    }

    fn coded(&mut self, code: &Code, coded: Coded) {
        let (bits, count) = code.bits_of(coded.place);
        self.bits(bits, count);
        self.bits(coded.extra, coded.extra_bits);
    }

    /// To the end of the byte.
    fn align(&mut self) {
        if self.count > 0 {
            self.bits(0, 8 - self.count);
        }
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.align();
        self.bytes
    }

    /// A block that holds nothing, and ends with a byte.
    pub(super) fn empty_block(&mut self, is_last: bool) {
        self.bits(is_last.into(), 3);
        self.align();
        self.bytes.extend([0, 0, 0xff, 0xff]);
    }

    /// In whichever way is the shortest; codes of its own only where that is shorter than what is given.
    pub(super) fn block(&mut self, block: &Block<'_>) {
        let mut counts = Counts::of(block.symbols);
        let own = Codes { literals: Code::best(&counts.literals, LONGEST_CODE), distances: counts.distance_code() };
        let given = Codes { literals: Code::given_literals(), distances: Code::given_distances() };
        let lengths = Lengths::of(&own, &counts);
        let own_size = lengths.size() + own.size(&counts);
        let given_size = 3 + given.size(&counts);
        let size = own_size.min(given_size) + counts.extra_bits;
        match block.text.filter(|text| text.len() <= MOST_STORED) {
            Some(text) if ((text.len() + 5) * 8) < size => self.stored(text),
            _ if own_size < given_size => {
                lengths.write(self);
                self.symbols(block.symbols, &own);
            }
            _ => {
                self.bits(2, 3);
                self.symbols(block.symbols, &given);
            }
        }
    }

    fn stored(&mut self, text: &[u8]) {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        self.bits(0, 3);
        self.align();
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend((!length).to_le_bytes());
        self.bytes.extend(text);
    }

    fn symbols(&mut self, symbols: &[Symbol], codes: &Codes) {
        let plain = |place: usize| Coded { place, extra: 0, extra_bits: 0 };
        for symbol in symbols {
            match symbol {
                Symbol::Literal(byte) => self.coded(&codes.literals, plain((*byte).into())),
                Symbol::Match { length: long, distance: far } => {
                    self.coded(&codes.literals, length(*long));
                    self.coded(&codes.distances, distance(*far));
                }
            }
        }
        self.coded(&codes.literals, plain(END_OF_BLOCK));
    }
}

/// How often each symbol is there.
struct Counts {
    literals: [u32; LITERALS],
    distances: [u32; DISTANCES],
    extra_bits: usize,
}

impl Counts {
    fn of(symbols: &[Symbol]) -> Self {
        let mut counts = Counts { literals: [0; LITERALS], distances: [0; DISTANCES], extra_bits: 0 };
        counts.literals[END_OF_BLOCK] = 1;
        for symbol in symbols {
            match symbol {
                Symbol::Literal(byte) => counts.literals[usize::from(*byte)] += 1,
                Symbol::Match { length: long, distance: far } => {
                    let (long, far) = (length(*long), distance(*far));
                    counts.literals[long.place] += 1;
                    counts.distances[far.place] += 1;
                    counts.extra_bits += (long.extra_bits + far.extra_bits) as usize;
                }
            }
        }
        counts
    }

    /// There is one distance at least: a code of none could not be written.
    fn distance_code(&mut self) -> Code {
        if self.distances.iter().all(|count| *count == 0) {
            self.distances[0] = 1;
        }
        Code::best(&self.distances, LONGEST_CODE)
    }
}

struct Codes {
    literals: Code,
    distances: Code,
}

impl Codes {
    fn size(&self, counts: &Counts) -> usize {
        self.literals.size(&counts.literals) + self.distances.size(&counts.distances)
    }
}

/// How the lengths of a block's codes are written.
struct Lengths {
    literals: usize,
    distances: usize,
    /// A length or one of the signs for many, and what is behind it.
    signs: Vec<Coded>,
    code: Code,
    /// Of the lengths of this code.
    written: usize,
}

/// The last length three to six times more.
const AGAIN: usize = 16;
/// Nothing, three to ten times.
const FEW_NONE: usize = 17;
/// Nothing, eleven to 138 times.
const MANY_NONE: usize = 18;

impl Lengths {
    fn of(codes: &Codes, counts: &Counts) -> Self {
        let used = |counts: &[u32]| counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
        let (literals, distances) = (used(&counts.literals), used(&counts.distances));
        let lengths = codes.literals.lengths(literals).chain(codes.distances.lengths(distances));
        let signs = signs(&lengths.collect::<Vec<_>>());
        let mut counts = [0; LENGTH_ORDER.len()];
        for sign in &signs {
            counts[sign.place] += 1;
        }
        let code = Code::best(&counts, LONGEST_LENGTH_CODE);
        let is_used = |place: &usize| counts.get(*place).is_some_and(|count| *count > 0);
        let written = LENGTH_ORDER.iter().rposition(is_used).map_or(0, |last| last + 1).max(4);
        Lengths { literals, distances, signs, code, written }
    }

    /// In bits, of all that stands before the symbols.
    fn size(&self) -> usize {
        let of_sign = |sign: &Coded| (self.code.bits_of(sign.place).1 + sign.extra_bits) as usize;
        3 + 5 + 5 + 4 + 3 * self.written + self.signs.iter().map(of_sign).sum::<usize>()
    }

    fn write(&self, writer: &mut BitWriter) {
        writer.bits(4, 3);
        writer.bits(self.literals.saturating_sub(257) as u32, 5);
        writer.bits(self.distances.saturating_sub(1) as u32, 5);
        writer.bits(self.written.saturating_sub(4) as u32, 4);
        for place in &LENGTH_ORDER[..self.written] {
            writer.bits(self.code.bits_of(*place).1, 3);
        }
        for sign in &self.signs {
            writer.coded(&self.code, *sign);
        }
    }
}

fn signs(lengths: &[u32]) -> Vec<Coded> {
    let mut signs = Vec::new();
    for run in lengths.chunk_by(|one, other| one == other) {
        let length = run.first().copied().unwrap_or_default() as usize;
        let plain = Coded { place: length, extra: 0, extra_bits: 0 };
        let mut rest = run.len();
        let many = |place: usize, count: usize, least: usize, extra_bits: u32| Coded {
            place,
            extra: (count - least) as u32,
            extra_bits,
        };
        if length > 0 {
            signs.push(plain);
            rest -= 1;
            while rest >= 3 {
                let count = rest.min(6);
                signs.push(many(AGAIN, count, 3, 2));
                rest -= count;
            }
        } else {
            while rest >= 11 {
                let count = rest.min(138);
                signs.push(many(MANY_NONE, count, 11, 7));
                rest -= count;
            }
            if rest >= 3 {
                signs.push(many(FEW_NONE, rest, 3, 3));
                rest = 0;
            }
        }
        signs.extend(std::iter::repeat_n(plain, rest));
    }
    signs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_format() {
        let of = |coded: Coded| (coded.place, coded.extra, coded.extra_bits);
        let lengths = [(3, (257, 0, 0)), (10, (264, 0, 0)), (11, (265, 0, 1)), (257, (284, 30, 5)), (258, (285, 0, 0))];
        for (long, wanted) in lengths {
            assert_eq!(of(length(long)), wanted, "length {long}");
        }
        let distances = [(1, (0, 0, 0)), (4, (3, 0, 0)), (5, (4, 0, 1)), (7, (5, 0, 1)), (32_768, (29, 8191, 13))];
        for (far, wanted) in distances {
            assert_eq!(of(distance(far)), wanted, "distance {far}");
        }
    }
}
