//! bimetal-provider-docker
