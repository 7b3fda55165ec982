//! bimetal-fleet
