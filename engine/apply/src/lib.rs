//! bimetal-apply
