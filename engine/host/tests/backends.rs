//! The capability back ends against real parts: `sshd`, `dockerd`, `docker-registry`.
//!
//! Each test prints why it is skipped where a part is missing; with `BIMETAL_TEST_REAL=1` that is a failure.

#[path = "backends/certificates.rs"]
mod certificates;
#[path = "backends/docker.rs"]
mod docker;
#[path = "backends/images.rs"]
mod images;
#[path = "backends/oci.rs"]
mod oci;
#[path = "backends/parts.rs"]
mod parts;
#[path = "backends/ssh.rs"]
mod ssh;
#[path = "backends/tokens.rs"]
mod tokens;
