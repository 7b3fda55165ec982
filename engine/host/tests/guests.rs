//! Guests that misbehave: each gets its named error, and harms nobody else.

#[path = "guests/cache.rs"]
mod cache;
#[path = "guests/functions.rs"]
mod functions;
#[path = "guests/good.rs"]
mod good;
#[path = "guests/harm.rs"]
mod harm;
#[path = "guests/lend.rs"]
mod lend;
#[path = "guests/reach.rs"]
mod reach;
#[path = "guests/released.rs"]
mod released;
#[path = "guests/rig.rs"]
mod rig;
#[path = "guests/server.rs"]
mod server;
