//! Why something is done, where the attributes don't say it.

use std::fmt;

use bimetal_model::{Address, ProviderKey};
use serde::{Deserialize, Serialize};

/// Why something is done, where the attributes don't say it. `Display` says it to people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Reason {
    /// Made anew: state knew it, and somebody else has removed it.
    RemovedOutside,
    /// Made anew: the last run left it half made.
    HalfMade,
    /// Made anew: an interrupted run began it with other arguments.
    BegunOtherwise,
    /// Made anew: it is something else now.
    OtherType {
        /// Whose it was.
        provider: ProviderKey,
        /// The provider's name for what it was.
        ty: String,
    },
    /// Made anew: a replica that runs elsewhere, as placement says.
    Moved {
        /// Placement's own words.
        why: String,
    },
    /// Made anew: `replace_triggered_by` names something that changes.
    Triggered {
        /// That.
        by: String,
    },
    /// Made anew: somebody asked for it.
    Requested,
    /// Made anew, and removed first though `create_before_destroy` wants it otherwise.
    RemovedFirst {
        /// What two can't have.
        shared: Shared,
    },
    /// Made anew, as an earlier revision had it: what was in it does not come back.
    LikeRevision {
        /// Its number.
        revision: u64,
        /// Whether there is one, which goes.
        is_there: bool,
        /// Why it is made anew.
        because: Option<Box<Reason>>,
    },
    /// Removed: its block is gone.
    BlockGone {
        /// That.
        block: Address,
    },
    /// Removed: its block's module is gone.
    ModuleGone {
        /// That, as `module.net["a"]`.
        module: String,
    },
    /// Removed: `count` went down.
    CountDown {
        /// Of this block.
        block: Address,
        /// What it is now.
        count: usize,
    },
    /// Removed: `for_each` has no such key.
    KeyGone {
        /// Of this block.
        block: Address,
    },
    /// Removed: `enabled` is false.
    Disabled {
        /// Of this block.
        block: Address,
    },
    /// Removed: its block counts its instances otherwise.
    OtherInstances {
        /// That.
        block: Address,
    },
    /// Removed: its service has fewer replicas.
    FewerReplicas {
        /// That.
        service: Address,
        /// How many it has now.
        replicas: usize,
    },
    /// Removed: its service does not run on that machine any more.
    OffMachine {
        /// That.
        service: Address,
    },
    /// Removed: another one has taken its place.
    Succeeded {
        /// Which is called so.
        by: Address,
    },
    /// Left as it is: its machine does not answer.
    MachineSilent {
        /// That.
        machine: Address,
    },
    /// Left as it is: an interrupted run may have made it already, on a machine that does not answer.
    MaybeMade,
    /// Left as it is: what it needs is not made.
    NeedsAbsent {
        /// That.
        needed: Address,
    },
    /// Left as it is: its provider can't say yet what it will be, or is.
    Deferred {
        /// In the provider's words.
        why: String,
    },
    /// Left as it is: what it needs is deferred.
    NeedsDeferred {
        /// That.
        needed: Address,
    },
    /// Left as it is: what needs it is left, too.
    StillNeeded {
        /// That.
        user: Address,
    },
    /// Read while applying: its arguments are not known.
    ArgumentsUnknown,
    /// Read while applying: its provider's arguments are not known.
    ProviderUnknown,
    /// Read while applying: what it depends on changes.
    DependencyChanges,
}

/// What two objects can't have at the same time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shared {
    /// The port of a machine.
    HostPort,
    /// The name of a container.
    Name,
    /// What an argument of this name says.
    #[serde(untagged)]
    Argument(String),
}

impl Reason {
    /// Whether the next apply may go on from there, with nothing else to be done.
    pub fn is_deferral(&self) -> bool {
        match self {
            Reason::Deferred { .. } | Reason::NeedsDeferred { .. } => true,
            Reason::RemovedOutside
            | Reason::HalfMade
            | Reason::BegunOtherwise
            | Reason::OtherType { .. }
            | Reason::Moved { .. }
            | Reason::Triggered { .. }
            | Reason::Requested
            | Reason::RemovedFirst { .. }
            | Reason::LikeRevision { .. }
            | Reason::BlockGone { .. }
            | Reason::ModuleGone { .. }
            | Reason::CountDown { .. }
            | Reason::KeyGone { .. }
            | Reason::Disabled { .. }
            | Reason::OtherInstances { .. }
            | Reason::FewerReplicas { .. }
            | Reason::OffMachine { .. }
            | Reason::Succeeded { .. }
            | Reason::MachineSilent { .. }
            | Reason::MaybeMade
            | Reason::NeedsAbsent { .. }
            | Reason::StillNeeded { .. }
            | Reason::ArgumentsUnknown
            | Reason::ProviderUnknown
            | Reason::DependencyChanges => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::RemovedOutside => f.write_str("something else has removed it"),
            Reason::HalfMade => f.write_str("the last run left it half made"),
            Reason::BegunOtherwise => f.write_str("an interrupted run began it with other arguments"),
            Reason::OtherType { provider, ty } => write!(f, "it was a `{ty}` of the provider `{provider}`"),
            Reason::Moved { why } => f.write_str(why),
            Reason::Triggered { by } => write!(f, "`{by}` changes"),
            Reason::Requested => f.write_str("asked for with `-replace`"),
            Reason::RemovedFirst { shared } => write!(f, "it is removed first: two can't have its {shared}"),
            Reason::LikeRevision { revision, is_there, because } => {
                if let Some(because) = because {
                    write!(f, "{because}; ")?;
                }
                let lost = if *is_there { "what it holds is lost" } else { "what it held then is lost" };
                write!(f, "made anew, as in revision {revision}: {lost}, and its ids and addresses may be others")
            }
            Reason::BlockGone { block } => write!(f, "`{block}` is not in the configuration any more"),
            Reason::ModuleGone { module } => write!(f, "`{module}` is not in the configuration any more"),
            Reason::CountDown { block, count } => write!(f, "the `count` of `{block}` is {count} now"),
            Reason::KeyGone { block } => write!(f, "the `for_each` of `{block}` has no such key any more"),
            Reason::Disabled { block } => write!(f, "`{block}` is not enabled any more"),
            Reason::OtherInstances { block } => write!(f, "`{block}` has other instances now"),
            Reason::FewerReplicas { service, replicas: 1 } => write!(f, "`{service}` has 1 replica now"),
            Reason::FewerReplicas { service, replicas } => write!(f, "`{service}` has {replicas} replicas now"),
            Reason::OffMachine { service } => write!(f, "`{service}` does not run on this machine any more"),
            Reason::Succeeded { by } => write!(f, "another `{by}` has taken its place"),
            Reason::MachineSilent { machine } => write!(f, "`{machine}` does not answer"),
            Reason::MaybeMade => f.write_str("a machine that does not answer may have it already"),
            Reason::NeedsAbsent { needed } => write!(f, "it needs `{needed}`, which is left out, too"),
            Reason::Deferred { why } => write!(f, "deferred: {why}"),
            Reason::NeedsDeferred { needed } => write!(f, "deferred, as it needs `{needed}`"),
            Reason::StillNeeded { user } => write!(f, "`{user}` needs it, and is left as it is"),
            Reason::ArgumentsUnknown => f.write_str("some of its arguments are known only after apply"),
            Reason::ProviderUnknown => f.write_str("its provider's arguments are known only after apply"),
            Reason::DependencyChanges => f.write_str("what it depends on changes"),
        }
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shared::HostPort => f.write_str("host port"),
            Shared::Name => f.write_str("name"),
            Shared::Argument(name) => write!(f, "`{name}`"),
        }
    }
}
