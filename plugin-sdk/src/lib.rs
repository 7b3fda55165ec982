//! bimetal-provider
