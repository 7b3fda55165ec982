//! bimetal-state
