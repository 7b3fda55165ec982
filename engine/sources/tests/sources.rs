//! Sources as users have them: real histories, real servers, and those who mean harm.

#[path = "sources/archives.rs"]
mod archives;
#[path = "sources/checkout.rs"]
mod checkout;
#[path = "sources/history.rs"]
mod history;
#[path = "sources/hostile.rs"]
mod hostile;
#[path = "sources/http.rs"]
mod http;
#[path = "sources/secure.rs"]
mod secure;
#[path = "sources/signed.rs"]
mod signed;
#[path = "sources/stories.rs"]
mod stories;
#[path = "sources/transports.rs"]
mod transports;
#[path = "sources/world.rs"]
mod world;
