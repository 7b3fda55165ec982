//! One object as it is shown, whatever that is of: a plan, or two versions beside each other.

use bimetal_model::placement::Placement;
use bimetal_model::{Address, Path, Platform, Value};
use bimetal_plan::{Action, Change, Compared, Kind, Reason};

/// An object, and all that is written of it.
pub(super) struct Entry<'p> {
    pub(super) address: &'p Address,
    /// What its block begins with: `~`, `-/+`, ….
    pub(super) sign: &'static str,
    /// What stands behind its name.
    pub(super) deed: &'static str,
    pub(super) before: Option<&'p Value>,
    /// Absent where it goes.
    pub(super) after: Option<&'p Value>,
    /// What can't be changed in place.
    pub(super) forces: &'p [Path],
    /// Why, where the attributes don't say it.
    pub(super) reason: Option<String>,
    /// Of a replica: where it will run, and why there; the second may be empty.
    pub(super) place: Option<(String, String)>,
}

impl<'p> From<&'p Change> for Entry<'p> {
    fn from(change: &'p Change) -> Self {
        let (sign, deed) = match (&change.resume, &change.deposed) {
            (Some(_), _) => ("  +", "will be finished: an interrupted run began it"),
            (None, Some(_)) => ("+/-", "must be replaced, and is made before what is there is removed"),
            (None, None) => done(change.action),
        };
        // Where a replica moves to and from stands with its placement.
        let is_move = matches!(change.reason, Some(Reason::Moved { .. }));
        let reason = change.reason.as_ref().filter(|_| !is_move || change.placement.is_none());
        let is_made = matches!(change.action, Action::Create | Action::Replace);
        let placement = change.placement.as_ref().filter(|_| is_made);
        Entry {
            address: &change.address,
            sign,
            deed,
            before: change.before.as_ref().map(|before| &before.object.value),
            after: change.after.as_ref(),
            forces: if change.action == Action::Replace { &change.replace_because } else { &[] },
            reason: reason.map(ToString::to_string),
            place: placement
                .map(|placement| (place(&placement.machine, &placement.platform), placement.reason.clone())),
        }
    }
}

fn done(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::Create => ("  +", "will be created"),
        Action::Read => (" <=", "will be read during apply"),
        Action::Update => ("  ~", "will be changed in place"),
        Action::Replace => ("-/+", "must be replaced"),
        Action::Delete => ("  -", "will be destroyed"),
        Action::Keep => ("   ", "stays as it is"),
        Action::Leave => ("  !", "is left as it is, though something else is wanted"),
    }
}

impl<'p> From<&'p Compared> for Entry<'p> {
    fn from(object: &'p Compared) -> Self {
        let (sign, deed) = match object.kind {
            Kind::Added => ("  +", "is added"),
            Kind::Changed | Kind::Moved => ("  ~", "is changed"),
            Kind::Replaced => ("-/+", "is changed, and must be replaced"),
            Kind::Removed => ("  -", "is removed"),
        };
        Entry {
            address: &object.address,
            sign,
            deed,
            before: object.before.as_ref(),
            after: object.after.as_ref(),
            forces: &object.replace_because,
            reason: object.moved_from.as_ref().map(|old| format!("it was called {old}")),
            place: placed(object),
        }
    }
}

/// Of what is new where it will run; of what is in both versions whence and whither it moves, if it does.
fn placed(object: &Compared) -> Option<(String, String)> {
    let text = |placement: &Placement| place(&placement.machine, &placement.platform);
    let shown = match (&object.placed_before, &object.placed_after) {
        (Some(before), Some(after)) if before.platform != after.platform => {
            Some(format!("{} -> {}", text(before), text(after)))
        }
        (Some(before), Some(after)) if before.machine != after.machine => {
            Some(format!("{} -> {}", before.machine, text(after)))
        }
        (None, Some(after)) => Some(text(after)),
        (Some(_), Some(_) | None) | (None, None) => None,
    };
    shown.map(|shown| (shown, String::new()))
}

fn place(machine: &Address, platform: &Platform) -> String {
    format!("{machine} ({platform})")
}
