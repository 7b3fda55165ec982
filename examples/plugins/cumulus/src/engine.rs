//! From where the cloud says that an engine listens to the handle by which others reach it.

use bimetal_provider::{Diagnostic, Handle, Json, Result, json};

/// The handle of an engine at `unix:///run/docker.sock` or `tcp://10.0.0.2:2375`.
pub(crate) fn handle(listens: &str) -> Result<Handle> {
    let handle = match listens.split_once("://") {
        Some(("unix", path)) => Some(json!({ "transport": "unix", "path": path })),
        Some(("tcp", place)) => tcp(place),
        Some(_) | None => None,
    };
    let unknown = || Diagnostic::error(format!("`{listens}` leads to no engine that this provider knows the way to"));
    handle.map(Handle).ok_or_else(|| unknown().hint("a newer version of it may"))
}

/// Without TLS, as the networks of this cloud are private. Where they aren't, take SSH, as `providers/digitalocean` does.
fn tcp(place: &str) -> Option<Json> {
    let (host, port) = place.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    Some(json!({ "transport": "tcp", "host": host, "port": port, "tls": false }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_where_the_cloud_says() {
        let handle = |listens: &str| handle(listens).map(|handle| handle.0).ok();
        assert_eq!(handle("unix:///s"), Some(json!({ "transport": "unix", "path": "/s" })));
        let tcp = json!({ "transport": "tcp", "host": "10.0.0.2", "port": 2375, "tls": false });
        assert_eq!(handle("tcp://10.0.0.2:2375"), Some(tcp));
        for wrong in ["", "/s", "tcp://10.0.0.2", "tcp://10.0.0.2:x", "ssh://10.0.0.2"] {
            assert_eq!(handle(wrong), None, "{wrong}");
        }
    }
}
