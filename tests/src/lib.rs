//! bimetal-tests
