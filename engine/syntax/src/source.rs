//! Source files, and places in them.

use std::ops::Range;
use std::sync::Arc;

use bimetal_model::Span;

/// One source file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SourceFile {
    /// Relative to the configuration's root.
    pub name: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
}

impl SourceFile {
    /// A place in this file, as diagnostics have it.
    pub fn span(&self, place: Place) -> Span {
        Span { file: self.name.clone(), range: place.into() }
    }
}

/// A place in a file whose name is known, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// Where it begins.
    pub start: u32,
    /// Where it has ended.
    pub end: u32,
}

impl Place {
    /// From the beginning of this one to the end of the other.
    #[must_use]
    pub fn to(self, other: Place) -> Place {
        Place { start: self.start, end: other.end.max(self.start) }
    }
}

impl From<Place> for Range<usize> {
    fn from(place: Place) -> Self {
        place.start as usize..place.end as usize
    }
}
