//! bimetal-providers
