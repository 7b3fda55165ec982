//! bimetal-provider-baremetal
