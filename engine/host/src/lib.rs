//! bimetal-host
