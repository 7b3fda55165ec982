//! Codes: short for what is frequent, no longer than a limit.
//!
//! Source: RFC 1951; the lengths are those of the package-merge algorithm, which in equal cases takes a pair before a leaf, as Go does.

/// The bits of each symbol, and how many these are; none where a symbol is not there.
pub(super) struct Code(Vec<(u32, u32)>);

impl Code {
    /// The best code for symbols that are there so often.
    pub(super) fn best(counts: &[u32], longest: usize) -> Code {
        let mut leaves: Vec<(u32, usize)> = counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(symbol, count)| (*count, symbol))
            .collect();
        leaves.sort_unstable();
        let mut lengths = vec![0; counts.len()];
        for (length, (_, symbol)) in lengths_of(&leaves, longest).into_iter().zip(&leaves) {
            lengths[*symbol] = length;
        }
        Code::with_lengths(&lengths)
    }

    /// The code of literals and lengths that nobody needs to write down.
    pub(super) fn given_literals() -> Code {
        let length = |symbol: u32| match symbol {
            144..=255 => 9,
            256..=279 => 7,
            _ => 8,
        };
        // Two more than are ever used have codes of their own.
        Code::with_lengths(&(0..288).map(length).collect::<Vec<_>>())
    }

    /// The same of distances.
    pub(super) fn given_distances() -> Code {
        Code::with_lengths(&[5; 32])
    }

    /// Codes of one length follow each other as their symbols do.
    fn with_lengths(lengths: &[u32]) -> Code {
        let mut codes = vec![(0, 0); lengths.len()];
        let mut next = 0u32;
        for length in 1..=15 {
            next <<= 1;
            for (code, _) in codes.iter_mut().zip(lengths).filter(|(_, own)| **own == length) {
                *code = (next.reverse_bits() >> (32 - length), length);
                next += 1;
            }
        }
        Code(codes)
    }

    /// The bits of a symbol, and how many.
    pub(super) fn bits_of(&self, symbol: usize) -> (u32, u32) {
        self.0.get(symbol).copied().unwrap_or_default()
    }

    /// Of the first so many symbols.
    pub(super) fn lengths(&self, count: usize) -> impl Iterator<Item = u32> {
        self.0.iter().take(count).map(|(_, length)| *length)
    }

    /// In bits, of symbols that are there so often.
    pub(super) fn size(&self, counts: &[u32]) -> usize {
        counts.iter().zip(&self.0).map(|(count, (_, length))| *count as usize * *length as usize).sum()
    }
}

/// The length of each leaf's code; leaves are given with the least frequent first.
fn lengths_of(leaves: &[(u32, usize)], longest: usize) -> Vec<u32> {
    if leaves.len() <= 2 {
        return vec![1; leaves.len()];
    }
    // On each level, leaves and pairs of what is on the level below, the lightest first.
    let mut levels: Vec<Vec<Item>> = Vec::new();
    for _ in 0..longest.min(leaves.len() - 1) {
        let below = levels.last().map_or(&[][..], |level| &level[..]);
        levels.push(merged(leaves, below));
    }
    // A leaf's code is as long as there are levels on which it is among those that are taken.
    let mut lengths = vec![0; leaves.len()];
    let mut taken = 2 * leaves.len() - 2;
    for level in levels.iter().rev() {
        let level = &level[..taken.min(level.len())];
        let own = level.iter().filter(|item| item.is_leaf).count();
        lengths[..own].iter_mut().for_each(|length| *length += 1);
        taken = 2 * (level.len() - own);
    }
    lengths
}

struct Item {
    weight: u64,
    is_leaf: bool,
}

fn merged(leaves: &[(u32, usize)], below: &[Item]) -> Vec<Item> {
    let mut leaves = leaves.iter().map(|(count, _)| u64::from(*count)).peekable();
    let mut pairs = below.chunks_exact(2).map(|pair| pair.iter().map(|item| item.weight).sum::<u64>()).peekable();
    let mut items = Vec::new();
    loop {
        let is_leaf = match (leaves.peek(), pairs.peek()) {
            (Some(leaf), Some(pair)) => leaf < pair,
            (leaf, None) if leaf.is_none() => return items,
            (leaf, _) => leaf.is_some(),
        };
        let next = if is_leaf { leaves.next() } else { pairs.next() };
        items.extend(next.map(|weight| Item { weight, is_leaf }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(counts: &[u32], longest: usize, lengths: &[u32]) {
        assert_eq!(Code::best(counts, longest).lengths(counts.len()).collect::<Vec<_>>(), lengths);
    }

    #[test]
    fn what_is_frequent_is_short() {
        check(&[5, 0, 1, 1, 2], 15, &[1, 0, 3, 3, 2]);
        check(&[7], 15, &[1]);
        check(&[0, 3, 9], 15, &[0, 1, 1]);
    }

    #[test]
    fn no_code_is_longer_than_the_limit() {
        check(&[1, 1, 2, 3, 5, 8, 13, 21], 15, &[7, 7, 6, 5, 4, 3, 2, 1]);
        check(&[1, 1, 2, 3, 5, 8, 13, 21], 4, &[4, 4, 4, 4, 3, 3, 2, 2]);
    }

    #[test]
    fn codes_are_read_from_their_last_bit() {
        let code = Code::best(&[1, 1, 2], 15);
        assert_eq!([code.bits_of(0), code.bits_of(1), code.bits_of(2)], [(0b01, 2), (0b11, 2), (0, 1)]);
    }
}
