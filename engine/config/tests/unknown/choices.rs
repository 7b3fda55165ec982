//! What decides what is made.

/// Choices, one a byte. Where there are no more, it is always the first.
pub(crate) struct Choices<'b>(pub(crate) &'b [u8]);

impl Choices<'_> {
    /// Whether there are no more.
    pub(crate) fn are_made(&self) -> bool {
        self.0.is_empty()
    }

    /// Less than this.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % most
    }

    /// One of these.
    pub(crate) fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}
