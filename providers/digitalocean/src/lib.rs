//! bimetal-provider-digitalocean
