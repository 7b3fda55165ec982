//! What is inside of values: shared until somebody changes it. What types it has is no part of what it is: two empty lists are equal.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::Value;
use crate::ty::Type;

/// What something would be of, were it there. All are equal.
#[derive(Clone, Debug)]
pub struct Kind(pub Type);

impl PartialEq for Kind {
    fn eq(&self, _: &Kind) -> bool {
        true
    }
}

impl Eq for Kind {}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Kind) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kind {
    fn cmp(&self, _: &Kind) -> Ordering {
        Ordering::Equal
    }
}

impl Hash for Kind {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

macro_rules! shared {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            parts: Arc<$inner>,
            element: Kind,
        }

        impl $name {
            /// With the type that all of them have.
            #[must_use]
            pub fn of(self, element: Type) -> Self {
                $name { element: Kind(element), ..self }
            }

            /// Whether they say that they all have this type.
            pub fn element_is(&self, ty: &Type) -> bool {
                self.element.0 == *ty
            }

            /// The parts themselves; copied only where they are shared.
            pub fn into_inner(self) -> $inner {
                Arc::unwrap_or_clone(self.parts)
            }
        }

        impl Default for $name {
            fn default() -> Self {
                <$inner>::default().into()
            }
        }

        impl From<$inner> for $name {
            fn from(parts: $inner) -> Self {
                $name { parts: Arc::new(parts), element: Kind(Type::Any) }
            }
        }

        impl Deref for $name {
            type Target = $inner;

            fn deref(&self) -> &$inner {
                &self.parts
            }
        }

        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut $inner {
                Arc::make_mut(&mut self.parts)
            }
        }

        impl IntoIterator for $name {
            type Item = <$inner as IntoIterator>::Item;
            type IntoIter = <$inner as IntoIterator>::IntoIter;

            fn into_iter(self) -> Self::IntoIter {
                self.into_inner().into_iter()
            }
        }

        impl<'v> IntoIterator for &'v $name {
            type Item = <&'v $inner as IntoIterator>::Item;
            type IntoIter = <&'v $inner as IntoIterator>::IntoIter;

            fn into_iter(self) -> Self::IntoIter {
                self.parts.iter()
            }
        }

        impl<'v> IntoIterator for &'v mut $name {
            type Item = <&'v mut $inner as IntoIterator>::Item;
            type IntoIter = <&'v mut $inner as IntoIterator>::IntoIter;

            fn into_iter(self) -> Self::IntoIter {
                Arc::make_mut(&mut self.parts).iter_mut()
            }
        }
    };
}

shared! {
    /// Values in order.
    Items, Vec<Value>
}

shared! {
    /// Values by name.
    Members, BTreeMap<String, Value>
}

impl Items {
    /// The type that all of them have, as far as it is known.
    pub fn element(&self) -> Type {
        common(&self.element, self.parts.iter())
    }

    /// Each replaced by what `change` makes of it.
    #[must_use]
    pub fn map(self, change: impl FnMut(Value) -> Value) -> Self {
        let element = self.element.clone();
        let parts = Arc::new(self.into_iter().map(change).collect());
        Items { parts, element }
    }
}

impl Members {
    /// The type that all of them have, as far as it is known.
    pub fn element(&self) -> Type {
        common(&self.element, self.parts.values())
    }

    /// Each replaced by what `change` makes of it.
    #[must_use]
    pub fn map(self, mut change: impl FnMut(Value) -> Value) -> Self {
        let element = self.element.clone();
        let parts = Arc::new(self.into_iter().map(|(name, value)| (name, change(value))).collect());
        Members { parts, element }
    }
}

/// What was said, unless that leaves something open which one of the values knows.
fn common<'v>(said: &Kind, values: impl Iterator<Item = &'v Value>) -> Type {
    if !said.0.has_any() {
        return said.0.clone();
    }
    let mut best = said.0.clone();
    for ty in values.map(Value::ty) {
        if !ty.has_any() {
            return ty;
        }
        if best == Type::Any {
            best = ty;
        }
    }
    best
}

impl FromIterator<Value> for Items {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        Vec::from_iter(values).into()
    }
}

impl<N: Into<String>> FromIterator<(N, Value)> for Members {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(values: I) -> Self {
        values.into_iter().map(|(name, value)| (name.into(), value)).collect::<BTreeMap<_, _>>().into()
    }
}

impl<const COUNT: usize> From<[(String, Value); COUNT]> for Members {
    fn from(members: [(String, Value); COUNT]) -> Self {
        BTreeMap::from(members).into()
    }
}
