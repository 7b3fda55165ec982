//! bimetal-provider-macros
