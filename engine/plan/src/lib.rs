//! bimetal-plan
