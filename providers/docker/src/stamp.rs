//! What tells ours from others': the label that carries an intent.

use bimetal_provider::Diagnostic;

/// On containers, networks and volumes: the intent that they were made for.
pub(crate) const INTENT: &str = "bimetal.intent";
/// What all labels of Bimetal begin with.
pub(crate) const STAMPS: &str = "bimetal.";
/// On containers: the image that was asked for. An engine lists what it was loaded as.
pub(crate) const IMAGE: &str = "bimetal.image";

/// The name belongs to something that this object is not.
pub(crate) fn taken(kind: &str, name: &str) -> Diagnostic {
    Diagnostic::error(format!("there is a {kind} `{name}` on this engine already, and it is not this one"))
        .hint(format!("choose another name, or remove that {kind}"))
        .at("name")
}
