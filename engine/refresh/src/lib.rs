//! bimetal-refresh
