//! `plugin`: for those who make providers.

mod keygen;
mod publish;
mod sign;

use crate::arguments::PluginCommand;
use crate::failure::Failure;
use crate::session::Session;

/// One of its commands.
pub(crate) async fn plugin(session: &Session, command: &PluginCommand) -> Result<(), Failure> {
    match command {
        PluginCommand::Keygen(arguments) => keygen::keygen(session, arguments),
        PluginCommand::Sign(arguments) => sign::sign(session, arguments),
        PluginCommand::Publish(arguments) => publish::publish(session, arguments).await,
    }
}

/// What opens a secret key, and seals a new one.
fn password() -> Option<String> {
    std::env::var("BIMETAL_SIGNING_PASSWORD").ok().filter(|password| !password.is_empty())
}
