//! What an address begins with, to be compared at a glance.
//!
//! A plan looks each of its objects up in a dozen maps. The parts of an address lie all over memory; its rank lies in one place.
//!
//! Invariant: ranks are in the order of addresses, as far as they reach (test: `ranks_are_in_the_order_of_addresses`).

use super::{AddressParts, Key};

const BYTES: usize = 48;

/// The first bytes of a text that sorts as addresses do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank([u64; BYTES / 8]);

impl Rank {
    pub(super) fn of(parts: &AddressParts) -> Rank {
        let mut text = Text { bytes: [0; BYTES], length: 0 };
        for step in parts.module.steps() {
            text.put(&[1]);
            text.put_text(&step.name);
            text.put_key(step.key.as_ref());
        }
        text.put(&[0, parts.block as u8]);
        text.put_text(&parts.ty);
        text.put_text(&parts.name);
        text.put_key(parts.key.as_ref());
        text.put_key(parts.replica.as_ref());
        let (words, _) = text.bytes.as_chunks();
        let mut rank = [0; BYTES / 8];
        rank.iter_mut().zip(words).for_each(|(to, word)| *to = u64::from_be_bytes(*word));
        Rank(rank)
    }
}

struct Text {
    bytes: [u8; BYTES],
    length: usize,
}

impl Text {
    /// As much as there is room for.
    fn put(&mut self, bytes: &[u8]) {
        let room = &mut self.bytes[self.length..];
        let length = bytes.len().min(room.len());
        room[..length].copy_from_slice(&bytes[..length]);
        self.length += length;
    }

    /// Ends with a zero, so that what is longer comes later; one inside is told from it by what follows: nothing else begins so.
    fn put_text(&mut self, text: &str) {
        for (place, part) in text.split('\0').enumerate() {
            if place > 0 {
                self.put(&[0, 0xff]);
            }
            self.put(part.as_bytes());
        }
        self.put(&[0]);
    }

    fn put_key(&mut self, key: Option<&Key>) {
        match key {
            None => self.put(&[0]),
            Some(Key::Index(index)) => {
                self.put(&[1]);
                self.put(&index.to_be_bytes());
            }
            Some(Key::Name(name)) => {
                self.put(&[2]);
                self.put_text(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Address, BlockKind, ModulePath};
    use super::*;

    #[test]
    fn ranks_are_in_the_order_of_addresses() {
        let long = "a".repeat(BYTES);
        let texts = ["", "a", "a\0", "a\0b", "a\u{1}", "a-b", "a_b", "aa", "ä", &long];
        let keys = texts.into_iter().map(|text| Key::Name(text.to_owned()));
        let keys: Vec<_> =
            [0, 1, 2, 10, 255, 256, u64::MAX].map(Key::Index).into_iter().chain(keys).map(Some).collect();
        let keys: Vec<_> = keys.into_iter().chain([None]).collect();
        let of = |block, ty: &str, name: &str| Address::new(block, ty, name);
        let kinds = [BlockKind::Machine, BlockKind::Service, BlockKind::Resource];
        let mut all: Vec<Address> =
            kinds.iter().flat_map(|kind| texts.iter().flat_map(|ty| texts.map(|name| of(*kind, ty, name)))).collect();
        for key in &keys {
            let instance = of(BlockKind::Service, "", "web").instance(key.clone());
            let module = ModulePath::ROOT.then("a", key.clone());
            let inner = instance.within(&module.then("b", None));
            all.extend(keys.iter().flatten().map(|replica| instance.replica(replica.clone())));
            all.extend([instance.with(|parts| parts.deposed = Some(0)), inner, instance.within(&module), instance]);
        }
        let rank = |address: &Address| Rank::of(address);
        for one in &all {
            for other in &all {
                let order = one.0.parts.cmp(&other.0.parts);
                assert!(rank(one) == rank(other) || rank(one).cmp(&rank(other)) == order, "{one:?} {other:?}");
                assert_eq!((one.cmp(other), one == other), (order, order.is_eq()), "{one:?} {other:?}");
            }
        }
        assert!(all.iter().any(|one| all.iter().any(|other| one != other && rank(one) == rank(other))));
    }
}
