//! bimetal-config
