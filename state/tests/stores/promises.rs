//! What every store has to keep.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use bimetal_model::Value;
use bimetal_model::lease::{Lease, Scope};
use bimetal_model::port::{Record, Remember as _, StateError};
use bimetal_model::snapshot::{Intent, IntentId, Revision, RevisionOutcome, Snapshot, Source};
use bimetal_state::{Document, Keys, Location, Push, Rekey, Standing, State, StateName, names, open};

use super::scene::*;

/// All of them, as tests of a store; `$scene` makes a new place there, or `None` where there can't be one.
macro_rules! keeps_its_promises {
    ($scene:expr) => {
        keeps_its_promises! { $scene;
            looking_at_a_state_that_does_not_exist_finds_nothing,
            what_was_recorded_is_there_for_others,
            whether_it_is_in_use_is_known_without_a_key,
            what_is_removed_or_came_to_nothing_is_gone,
            an_intent_that_is_open_can_be_promised_again,
            outputs_are_written_one_by_one,
            an_object_has_the_version_of_the_commit_that_wrote_it,
            revisions_are_counted_and_closed,
            a_saved_plan_is_done_once,
            what_a_revision_was_made_from_is_kept,
            what_there_was_at_a_revision_is_known,
            another_key_opens_nothing_and_writes_nothing,
            whoever_has_it_open_goes_on_with_the_new_key,
            without_a_key_what_is_not_sensitive_is_stored_and_nothing_else,
            a_state_gets_its_key_with_the_first_lease,
            leases_that_clash_are_refused_and_others_are_side_by_side,
            what_no_lease_is_on_is_not_written,
            of_many_at_once_one_gets_the_lease,
            those_who_write_at_the_same_time_all_succeed,
            a_lease_that_ran_out_is_taken_over_and_its_writes_are_refused,
            a_clock_that_jumps_lets_nobody_write_beside_the_holder,
            a_lease_can_be_forced_without_a_key,
            of_two_secrets_of_a_name_the_first_is_kept,
            a_state_is_pulled_changed_and_pushed,
            what_is_left_over_is_found,
            a_state_moves_with_all_that_it_knows,
            states_by_name_lie_beside_each_other,
        }
    };
    ($scene:expr; $($promise:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                if let Some(scene) = $scene.await {
                    crate::stores::promises::$promise(&scene).await;
                }
            }
        )*
    };
}

pub(crate) async fn looking_at_a_state_that_does_not_exist_finds_nothing(scene: &Scene) {
    let state = scene.state().await;
    assert_eq!(state.load().await.unwrap(), Snapshot::default());
    assert_eq!(state.revisions().await.unwrap(), []);
    assert_eq!(state.secret("ca").await.unwrap(), None);
    assert_eq!((state.serial().await.unwrap(), state.leases().await.unwrap()), (0, vec![]));
    assert!(state.pull().await.unwrap().is_none() && state.examine().await.unwrap().is_empty());
}

pub(crate) async fn what_was_recorded_is_there_for_others(scene: &Scene) {
    let state = scene.state().await;
    let (lease, number) = begun(&state).await;
    state.intend(&lease, &[intent("a"), intent("b")]).await.unwrap();
    state.record(&lease, vec![put(Some("a"))]).await.unwrap();
    state.record(&lease, vec![output("url", Value::from(CANARY).into_sensitive())]).await.unwrap();
    drop(state);
    let other = scene.state().await;
    let snapshot = other.load().await.unwrap();
    assert_eq!(snapshot.objects, [(address("service.web.replica[0]"), stored().into())].into());
    assert_eq!(snapshot.intents, [intent("b")]);
    assert!(snapshot.outputs["url"].marks.sensitive);
    assert!(!snapshot.lineage.is_none());
    assert_eq!(other.serial().await.unwrap(), snapshot.serial);
    assert_eq!(other.revisions().await.unwrap(), [Revision { number, ..revision() }]);
}

pub(crate) async fn what_is_removed_or_came_to_nothing_is_gone(scene: &Scene) {
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    state.intend(&lease, &[intent("a"), intent("b")]).await.unwrap();
    state.record(&lease, vec![put(None), Record::Close(IntentId("b".to_owned()))]).await.unwrap();
    let closes = Some(IntentId("a".to_owned()));
    state.record(&lease, vec![Record::Remove { address: address("service.web.replica[0]"), closes }]).await.unwrap();
    let snapshot = state.load().await.unwrap();
    assert!(snapshot.objects.is_empty() && snapshot.intents.is_empty() && snapshot.versions.is_empty());
}

pub(crate) async fn an_intent_that_is_open_can_be_promised_again(scene: &Scene) {
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    state.intend(&lease, &[intent("a"), intent("b")]).await.unwrap();
    let again = Intent { config: Value::from("other"), ..intent("a") };
    state.intend(&lease, std::slice::from_ref(&again)).await.unwrap();
    assert_eq!(state.load().await.unwrap().intents, [intent("b"), again]);
    state.record(&lease, vec![put(Some("a"))]).await.unwrap();
    assert_eq!(state.load().await.unwrap().intents, [intent("b")]);
}

pub(crate) async fn outputs_are_written_one_by_one(scene: &Scene) {
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    let records = ["a", "b"].map(|name| output(name, Value::from(name)));
    state.record(&lease, records.to_vec()).await.unwrap();
    state.record(&lease, vec![output("a", None), output("c", Value::from("c"))]).await.unwrap();
    let names: Vec<String> = state.load().await.unwrap().outputs.into_keys().collect();
    assert_eq!(names, ["b", "c"]);
}

pub(crate) async fn an_object_has_the_version_of_the_commit_that_wrote_it(scene: &Scene) {
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    state.record(&lease, vec![put_plain("a.a", 1), put_plain("b.b", 1)]).await.unwrap();
    let before = state.load().await.unwrap();
    assert_eq!(before.versions, [(address("a.a"), before.serial), (address("b.b"), before.serial)].into());
    state.renew(&lease).await.unwrap();
    assert_eq!(state.serial().await.unwrap(), before.serial, "a lease is no change");
    state.record(&lease, vec![put_plain("b.b", 1)]).await.unwrap();
    let after = state.load().await.unwrap();
    assert!(after.serial > before.serial);
    assert_eq!(after.versions, [(address("a.a"), before.serial), (address("b.b"), after.serial)].into());
}

pub(crate) async fn revisions_are_counted_and_closed(scene: &Scene) {
    let state = scene.state().await;
    let (lease, first) = begun(&state).await;
    state.finish(&lease, first, RevisionOutcome::Partial).await.unwrap();
    assert_eq!(state.begin(&lease, revision(), None).await.unwrap(), 2);
    let outcomes: Vec<_> = state.revisions().await.unwrap().into_iter().map(|r| (r.number, r.outcome)).collect();
    assert_eq!(outcomes, [(2, None), (1, Some(RevisionOutcome::Partial))]);
}

pub(crate) async fn a_saved_plan_is_done_once(scene: &Scene) {
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    let saved = || Revision { plan: Some("p1".to_owned()), ..revision() };
    assert_eq!(state.done("p1").await.unwrap(), None);
    state.begin(&lease, saved(), None).await.unwrap();
    assert_eq!(state.done("p1").await.unwrap(), Some(2));
    let again = state.begin(&lease, saved(), None).await;
    assert!(matches!(again, Err(StateError::Replayed { revision: 2 })), "{again:?}");
}

pub(crate) async fn what_a_revision_was_made_from_is_kept(scene: &Scene) {
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    let files = |text: &str| [("a.bm.hcl".to_owned(), text.to_owned()), ("b.bm.hcl".to_owned(), "b".to_owned())].into();
    let variables = [("token".to_owned(), Value::from(CANARY).into_sensitive())];
    let first = Source { files: files("one"), variables: variables.into(), planned_ms: Some(4), ..Source::default() };
    let second = Source { files: files("two"), ..first.clone() };
    state.begin(&lease, revision(), Some(&first)).await.unwrap();
    state.begin(&lease, revision(), Some(&second)).await.unwrap();
    let other = scene.state().await;
    assert_eq!(other.source(1).await.unwrap(), None);
    assert_eq!(other.source(2).await.unwrap(), Some(first));
    assert_eq!(other.source(3).await.unwrap(), Some(second));
}

pub(crate) async fn what_there_was_at_a_revision_is_known(scene: &Scene) {
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    state.record(&lease, vec![put_plain("a.a", 1), put(None), output("o", Value::from("1"))]).await.unwrap();
    state.record(&lease, vec![put_plain("a.a", 2)]).await.unwrap();
    state.begin(&lease, revision(), None).await.unwrap();
    state.record(&lease, vec![gone("a.a"), put_plain("b.b", 1), output("o", None)]).await.unwrap();
    state.begin(&lease, revision(), None).await.unwrap();
    state.record(&lease, vec![put_plain("a.a", 3)]).await.unwrap();
    let at = async |number| state.at(number).await.unwrap();
    let size = |snapshot: &Snapshot| snapshot.objects.get(&address("a.a")).cloned();
    let first = at(1).await;
    assert_eq!((size(&first), first.objects.len(), first.outputs.len()), (Some(plain(2).into()), 2, 1));
    assert_eq!(*first.objects[&address("service.web.replica[0]")], stored());
    let second = at(2).await;
    assert_eq!((size(&second), second.objects.len(), second.outputs.len()), (None, 2, 0));
    assert_eq!(at(3).await.objects, state.load().await.unwrap().objects);
    for number in [4, 99] {
        assert!(matches!(state.at(number).await, Err(StateError::NoRevision(_))));
    }
    assert_eq!(state.last_change(&address("b.b")).await.unwrap().map(|by| by.number), Some(2));
    assert_eq!(state.last_change(&address("c.c")).await.unwrap(), None);
}

pub(crate) async fn another_key_opens_nothing_and_writes_nothing(scene: &Scene) {
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    state.record(&lease, vec![put(None)]).await.unwrap();
    state.unlock(lease).await.unwrap();
    let other = scene.state_with(&"ab".repeat(32)).await;
    let refused = [other.load().await.err(), other.lock(&holder("c@d"), &Scope::Everything).await.err()];
    for error in refused.map(Option::unwrap) {
        assert!(matches!(error, StateError::Sealed(_)), "{error}");
        assert!(error.to_string().contains("BIMETAL_STATE_KEY"), "{error}");
    }
}

pub(crate) async fn whoever_has_it_open_goes_on_with_the_new_key(scene: &Scene) {
    let both = || Keys::new(vec![key(KEY), key(&"ab".repeat(32))]);
    let (one, other) = (scene.state_of(both()).await, scene.state_of(both()).await);
    let first = other.lock(&holder("c@d"), &scope(&["a.a"], &[])).await.unwrap();
    let source = Source { files: [("a".to_owned(), CANARY.to_owned())].into(), ..Source::default() };
    other.begin(&first, revision(), Some(&source)).await.unwrap();
    other.record(&first, vec![put_plain("a.a", 1)]).await.unwrap();
    other.record(&first, vec![put_plain("a.a", 2)]).await.unwrap();
    let lease = one.lock(&holder("a@b"), &scope(&["b.b"], &[])).await.unwrap();
    one.keep_secret("ca", b"first").await.unwrap();
    let before = one.load().await.unwrap();
    for how in [Rekey::New, Rekey::Wrap] {
        assert_eq!(one.rekey(&lease, how).await.unwrap(), how);
        assert_eq!(one.load().await.unwrap(), before, "what is sealed anew is what it was");
    }
    other.record(&first, vec![put_plain("a.a", 3)]).await.unwrap();
    other.finish(&first, 1, RevisionOutcome::Done).await.unwrap();
    one.rekey(&lease, Rekey::New).await.unwrap();
    let new = scene.state_with(&"ab".repeat(32)).await;
    assert_eq!(new.at(1).await.unwrap().objects, [(address("a.a"), plain(3).into())].into());
    assert_eq!(new.source(1).await.unwrap(), Some(source));
    assert_eq!(new.secret("ca").await.unwrap().unwrap(), b"first");
    assert_eq!(new.revisions().await.unwrap()[0].outcome, Some(RevisionOutcome::Done));
    let broken = new.examine().await.unwrap().into_iter().filter(|finding| finding.is_broken);
    assert_eq!(broken.collect::<Vec<_>>(), []);
}

pub(crate) async fn without_a_key_what_is_not_sensitive_is_stored_and_nothing_else(scene: &Scene) {
    let state = scene.state_of(Keys::default()).await;
    assert!(!state.can_seal().await.unwrap());
    let lease = state.lock(&holder("a@b"), &Scope::Everything).await.unwrap();
    let source = Source { files: [("a".to_owned(), "plain".to_owned())].into(), ..Source::default() };
    state.begin(&lease, revision(), Some(&source)).await.unwrap();
    state.record(&lease, vec![put_plain("a.a", 1), gone("b.b"), output("o", Value::NULL)]).await.unwrap();
    for refused in [
        state.record(&lease, vec![put(None)]).await,
        state.record(&lease, vec![output("o", Value::from(CANARY).into_sensitive())]).await,
        state.keep_secret("ca", b"first").await.map(drop),
    ] {
        assert!(matches!(refused, Err(StateError::NoKey(_))), "{refused:?}");
    }
    let other = scene.state_of(Keys::default()).await;
    assert_eq!(other.at(1).await.unwrap().objects, [(address("a.a"), plain(1).into())].into());
    assert_eq!(other.at(1).await.unwrap().outputs.len(), 1, "an output that is null is there");
    assert_eq!(other.source(1).await.unwrap(), None, "nobody knows what is sensitive in it");
}

pub(crate) async fn a_state_gets_its_key_with_the_first_lease(scene: &Scene) {
    let keyless = scene.state_of(Keys::default()).await;
    let lease = keyless.lock(&holder("a@b"), &Scope::Everything).await.unwrap();
    keyless.begin(&lease, revision(), None).await.unwrap();
    keyless.record(&lease, vec![put_plain("a.a", 1), put_plain("b.b", 1)]).await.unwrap();
    keyless.record(&lease, vec![gone("b.b")]).await.unwrap();
    keyless.unlock(lease).await.unwrap();
    let before = keyless.load().await.unwrap();
    let state = scene.state().await;
    // Who only looks changes nothing.
    assert_eq!(state.load().await.unwrap(), before);
    assert!(state.can_seal().await.unwrap() && !keyless.can_seal().await.unwrap());
    let lease = state.lock(&holder("a@b"), &scope(&["a.a"], &[])).await.unwrap();
    assert_eq!(state.load().await.unwrap(), before);
    state.begin(&lease, revision(), None).await.unwrap();
    state.unlock(lease).await.unwrap();
    assert_eq!(scene.state().await.at(1).await.unwrap().objects, before.objects);
    for refused in [keyless.load().await.map(drop), keyless.can_seal().await.map(drop)] {
        let error = refused.unwrap_err();
        assert!(error.to_string().contains("they open with a key"), "{error}");
    }
}

pub(crate) async fn leases_that_clash_are_refused_and_others_are_side_by_side(scene: &Scene) {
    let (one, other) = (scene.state().await, scene.state().await);
    let first = one.lock(&holder("a@b"), &scope(&["a.a"], &["m.m"])).await.unwrap();
    let second = other.lock(&holder("c@d"), &scope(&["b.b"], &["m.m"])).await.unwrap();
    match other.lock(&holder("e@f"), &scope(&["a.a", "x.x"], &[])).await {
        Err(StateError::Locked(clash)) => {
            assert_eq!((clash.held.holder, clash.both), (holder("a@b"), vec![address("a.a")]));
        }
        other => panic!("{other:?}"),
    }
    for clashing in [scope(&["m.m"], &[]), scope(&[], &["b.b"]), Scope::Everything] {
        let refused = one.lock(&holder("e@f"), &clashing).await;
        assert!(matches!(refused, Err(StateError::Locked(_))), "not even by one of them: {refused:?}");
    }
    assert_eq!(scene.state().await.leases().await.unwrap().len(), 2);
    one.begin(&first, revision(), None).await.unwrap();
    other.begin(&second, revision(), None).await.unwrap();
    one.record(&first, vec![put_plain("a.a", 1)]).await.unwrap();
    other.record(&second, vec![put_plain("b.b", 2)]).await.unwrap();
    one.record(&first, vec![put_plain("a.a", 3)]).await.unwrap();
    one.unlock(first).await.unwrap();
    other.unlock(second).await.unwrap();
    one.lock(&holder("e@f"), &Scope::Everything).await.unwrap();
    let snapshot = one.load().await.unwrap();
    let wanted = [(address("a.a"), plain(3).into()), (address("b.b"), plain(2).into())];
    assert_eq!(snapshot.objects, wanted.into());
    assert_eq!(one.at(1).await.unwrap().objects, [(address("a.a"), plain(3).into())].into());
}

pub(crate) async fn what_no_lease_is_on_is_not_written(scene: &Scene) {
    let state = scene.state().await;
    let lease = state.lock(&holder("a@b"), &scope(&["a.a"], &["m.m"])).await.unwrap();
    state.begin(&lease, revision(), None).await.unwrap();
    for name in ["m.m", "b.b"] {
        let refused = state.record(&lease, vec![put_plain("a.a", 1), put_plain(name, 1)]).await;
        assert!(matches!(refused, Err(StateError::NotLeased(_))), "{refused:?}");
    }
    assert!(matches!(state.intend(&lease, &[intent("a")]).await, Err(StateError::NotLeased(_))));
    assert!(state.load().await.unwrap().objects.is_empty());
}

pub(crate) async fn of_many_at_once_one_gets_the_lease(scene: &Scene) {
    let mut states = Vec::new();
    for _ in 0..8 {
        states.push(scene.state().await);
    }
    let one =
        |state: State| tokio::spawn(async move { (state.lock(&holder("a@b"), &scope(&["a.a"], &[])).await, state) });
    let tasks: Vec<_> = states.into_iter().map(one).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    let refused = |result: &Result<Lease, StateError>| matches!(result, Err(StateError::Locked(_)));
    assert_eq!(
        results.iter().filter(|(result, _)| result.is_ok()).count(),
        1,
        "{:?}",
        results.iter().map(|(r, _)| r).collect::<Vec<_>>()
    );
    assert_eq!(results.iter().filter(|(result, _)| refused(result)).count(), 7);
}

pub(crate) async fn those_who_write_at_the_same_time_all_succeed(scene: &Scene) {
    let write = |number: u64, state: State| async move {
        let name = format!("a.n{number}");
        let lease = state.lock(&holder("a@b"), &scope(&[&name], &["m.m"])).await.unwrap();
        let revision = state.begin(&lease, revision(), None).await.unwrap();
        for size in 0..6 {
            state.record(&lease, vec![put_plain(&name, size)]).await.unwrap();
        }
        state.finish(&lease, revision, RevisionOutcome::Done).await.unwrap();
        state.unlock(lease).await.unwrap();
    };
    let mut tasks = Vec::new();
    for number in 0..4 {
        tasks.push(tokio::spawn(write(number, scene.state().await)));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let state = scene.state().await;
    let expected = (0..4).map(|number| (address(&format!("a.n{number}")), plain(5).into()));
    assert_eq!(state.load().await.unwrap().objects, expected.collect());
    let numbers: Vec<u64> = state.revisions().await.unwrap().iter().map(|revision| revision.number).collect();
    assert_eq!(numbers, [4, 3, 2, 1]);
}

pub(crate) async fn a_lease_that_ran_out_is_taken_over_and_its_writes_are_refused(scene: &Scene) {
    let (one, other) = (scene.state().await, scene.state().await);
    let scope = scope(&["service.web.replica[0]"], &[]);
    let lost = one.lock(&holder("a@b"), &scope).await.unwrap();
    one.begin(&lost, revision(), None).await.unwrap();
    scene.clock.now_ms.store(59_999, Ordering::SeqCst);
    assert!(matches!(other.lock(&holder("c@d"), &scope).await, Err(StateError::Locked(_))));
    one.renew(&lost).await.unwrap();
    scene.clock.now_ms.store(60_001, Ordering::SeqCst);
    assert!(matches!(other.lock(&holder("c@d"), &scope).await, Err(StateError::Locked(_))), "it was renewed");
    scene.clock.now_ms.store(120_000, Ordering::SeqCst);
    one.record(&lost, vec![]).await.unwrap();
    other.lock(&holder("c@d"), &scope).await.unwrap();
    let refused = [
        one.record(&lost, vec![put(None)]).await,
        one.intend(&lost, &[intent("a")]).await,
        one.renew(&lost).await,
        one.finish(&lost, 1, RevisionOutcome::Done).await,
        one.begin(&lost, revision(), None).await.map(drop),
        one.unlock(lost).await,
    ];
    for result in refused {
        assert!(matches!(result, Err(StateError::LeaseLost)), "{result:?}");
    }
    assert!(other.load().await.unwrap().objects.is_empty());
}

pub(crate) async fn a_clock_that_jumps_lets_nobody_write_beside_the_holder(scene: &Scene) {
    let (one, other) = (scene.state().await, scene.state().await);
    let scope = scope(&["service.web.replica[0]"], &[]);
    let set = |now_ms| scene.clock.now_ms.store(now_ms, Ordering::SeqCst);
    let is_locked = async || matches!(other.lock(&holder("c@d"), &scope).await, Err(StateError::Locked(_)));
    set(1_000_000);
    let lease = one.lock(&holder("a@b"), &scope).await.unwrap();
    one.begin(&lease, revision(), None).await.unwrap();
    // Back: the holder goes on, and nobody else comes in.
    set(0);
    one.record(&lease, vec![]).await.unwrap();
    assert!(is_locked().await);
    one.renew(&lease).await.unwrap();
    // Forward, as after a night's sleep: who has not been relieved still holds it.
    set(30_000_000);
    one.record(&lease, vec![]).await.unwrap();
    one.renew(&lease).await.unwrap();
    assert!(is_locked().await);
    set(60_000_000);
    let taken = other.lock(&holder("c@d"), &scope).await.unwrap();
    other.begin(&taken, revision(), None).await.unwrap();
    // Back again: who was relieved stays so.
    set(0);
    assert!(matches!(one.record(&lease, vec![put(None)]).await, Err(StateError::LeaseLost)));
    assert!(matches!(one.renew(&lease).await, Err(StateError::LeaseLost)));
    other.record(&taken, vec![]).await.unwrap();
}

pub(crate) async fn a_lease_can_be_forced_without_a_key(scene: &Scene) {
    let (one, other) = (scene.state().await, scene.state_with("no key").await);
    let (lost, _) = begun(&one).await;
    let held = other.leases().await.unwrap();
    assert_eq!((held.len(), &held[0].holder), (1, &holder("a@b")));
    other.force_unlock(&[held[0].lease.clone()]).await.unwrap();
    assert!(matches!(one.record(&lost, vec![]).await, Err(StateError::LeaseLost)));
    scene.state().await.lock(&holder("c@d"), &Scope::Everything).await.unwrap();
}

pub(crate) async fn of_two_secrets_of_a_name_the_first_is_kept(scene: &Scene) {
    let (one, other) = (scene.state().await, scene.state().await);
    assert_eq!(one.keep_secret("ca", b"first").await.unwrap(), b"first");
    assert_eq!(other.keep_secret("ca", b"second").await.unwrap(), b"first");
    assert_eq!(other.secret("ca").await.unwrap().unwrap(), b"first");
}

pub(crate) async fn whether_it_is_in_use_is_known_without_a_key(scene: &Scene) {
    let (state, other) = (scene.state().await, scene.state_with("no key").await);
    assert_eq!((other.lineage().await.unwrap(), other.standing().await.unwrap()), (None, Standing::Unused));
    let (lease, _) = begun(&state).await;
    assert!(other.lineage().await.unwrap().is_some());
    assert_eq!(other.standing().await.unwrap(), Standing::Unused);
    state.record(&lease, vec![put_plain("a.a", 1)]).await.unwrap();
    assert_eq!(other.standing().await.unwrap(), Standing::InUse);
}

pub(crate) async fn a_state_is_pulled_changed_and_pushed(scene: &Scene) {
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    state.intend(&lease, &[intent("b")]).await.unwrap();
    let records = vec![put(None), put_plain("a.a", 1), output("o", Value::from("1"))];
    state.record(&lease, records).await.unwrap();
    let document = state.pull().await.unwrap().unwrap();
    let text = serde_json::to_string(&document).unwrap();
    assert!(text.contains("plain-canary") && !text.contains(CANARY), "{text}");
    let before = state.load().await.unwrap();
    state.record(&lease, vec![gone("a.a"), put_plain("b.b", 1), output("o", None)]).await.unwrap();
    let parsed = || serde_json::from_str::<Document>(&text).unwrap();
    let stale = state.push(&lease, &parsed(), Push::Checked).await;
    assert!(matches!(stale, Err(StateError::Foreign(_))), "{stale:?}");
    state.push(&lease, &parsed(), Push::Forced).await.unwrap();
    let after = state.load().await.unwrap();
    assert_eq!((&after.objects, &after.outputs, &after.intents), (&before.objects, &before.outputs, &before.intents));
    let mut document = state.pull().await.unwrap().unwrap();
    document.lineage = "other".to_owned().into();
    let foreign = state.push(&lease, &document, Push::Checked).await;
    assert!(matches!(foreign, Err(StateError::Foreign(_))), "{foreign:?}");
    assert!(state.push(&lease, &document, Push::Forced).await.is_err(), "it does not open");
    assert_wrong_documents_are_refused(&state, &lease, &text).await;
}

/// Forced or not: nothing of them gets into the state.
async fn assert_wrong_documents_are_refused(state: &State, lease: &Lease, text: &str) {
    let said = |error: StateError| match error {
        StateError::Document(reason) => reason,
        other => panic!("{other:?}"),
    };
    for (text, reason) in [
        (r#"{"format":99}"#, "it has a newer format (99; this Bimetal knows 2)"),
        ("{}", "it does not say its `format`, a number"),
        (r#"{"format":2}"#, "missing field `lineage` at line 1 column 12"),
    ] {
        assert_eq!(said(Document::parse(text).unwrap_err()), reason);
    }
    let before = state.load().await.unwrap();
    for (part, wrong) in [("objects", "{}"), ("objects", "\"x\""), ("objects", r#"{"object":{}}"#), ("intents", "1")] {
        let mut document: serde_json::Value = serde_json::from_str(text).unwrap();
        document[part] = serde_json::json!({ "a.a": serde_json::from_str::<serde_json::Value>(wrong).unwrap() });
        let document = Document::parse(&document.to_string()).unwrap();
        let reason = said(state.push(lease, &document, Push::Forced).await.unwrap_err());
        assert!(reason.starts_with(&format!("in its `{part}`: ")), "{reason}");
    }
    assert_eq!(state.load().await.unwrap().objects, before.objects);
}

pub(crate) async fn what_is_left_over_is_found(scene: &Scene) {
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    state.intend(&lease, &[intent("b")]).await.unwrap();
    state.record(&lease, vec![put(None), put_plain("a.a", 1)]).await.unwrap();
    scene.clock.now_ms.store(99_000, Ordering::SeqCst);
    let findings = state.examine().await.unwrap();
    let what: Vec<&str> = findings.iter().map(|finding| finding.what.as_str()).collect();
    assert_eq!(
        what,
        [
            "`service.web.replica[0]` is half made",
            "`service.web.replica[0]` rests on `machine.docker.a`, which the state does not know",
            "a promise about `service.web.replica[0]` is open",
            "revision 1 (`bimetal apply`) was killed",
            "the lock of a@b (`bimetal apply`) is over",
        ]
    );
    assert!(findings.iter().all(|finding| !finding.is_broken));
    let (lease, number) = begun(&state).await;
    state.finish(&lease, number, RevisionOutcome::Done).await.unwrap();
    state.unlock(lease).await.unwrap();
    let findings = state.examine().await.unwrap();
    assert!(!findings.iter().any(|finding| finding.what.contains("killed")), "another one went on: {findings:?}");
}

pub(crate) async fn a_state_moves_with_all_that_it_knows(scene: &Scene) {
    let state = scene.state().await;
    let (lease, number) = begun(&state).await;
    state.record(&lease, vec![put(None), put_plain("a.a", 1)]).await.unwrap();
    state.keep_secret("ca", b"first").await.unwrap();
    state.intend(&lease, &[intent("z")]).await.unwrap();
    state.intend(&lease, &[intent("y")]).await.unwrap();
    state.finish(&lease, number, RevisionOutcome::Done).await.unwrap();
    let (document, before) = (state.pull().await.unwrap().unwrap(), state.load().await.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Sqlite(folder.path().join("new.db"));
    let new = open(location.clone(), keys(KEY), scene.clock.clone()).await.unwrap();
    state.move_to(&lease, &new).await.unwrap();
    state.unlock(lease).await.unwrap();
    let moved = state.load().await.unwrap_err().to_string();
    assert!(moved.contains("new.db"), "{moved}");
    assert_eq!(state.standing().await.unwrap(), Standing::MovedTo(new.place()));
    let after = new.load().await.unwrap();
    assert_eq!((&after.objects, &after.intents), (&before.objects, &before.intents));
    assert_eq!(after.lineage.state, before.lineage.state);
    assert_eq!(new.secret("ca").await.unwrap().unwrap(), b"first");
    assert_eq!(new.at(1).await.unwrap().objects.len(), 2);
    assert_eq!(new.leases().await.unwrap(), []);
    let (lease, _) = begun(&new).await;
    let old = new.push(&lease, &document, Push::Checked).await;
    assert!(matches!(&old, Err(StateError::Foreign(reason)) if reason.contains("another place")), "{old:?}");
    new.record(&lease, vec![gone("a.a")]).await.unwrap();
    new.move_to(&lease, &state).await.unwrap();
    let back = scene.state().await.load().await.unwrap();
    assert_eq!(back.objects.len(), 1, "and back");
    let timelines = BTreeSet::from([before, after, back].map(|snapshot| snapshot.lineage.timeline));
    assert_eq!(timelines.len(), 3, "versions are other ones everywhere: {timelines:?}");
}

pub(crate) async fn states_by_name_lie_beside_each_other(scene: &Scene) {
    let (prod, default): (StateName, _) = ("prod".parse().unwrap(), StateName::default());
    assert_eq!(names(&scene.location).await.unwrap(), std::slice::from_ref(&default));
    let other = open(scene.location.named(&prod), keys(KEY), scene.clock.clone()).await.unwrap();
    let (lease, _) = begun(&other).await;
    other.record(&lease, vec![put_plain("a.a", 1)]).await.unwrap();
    assert_eq!(names(&scene.location).await.unwrap(), [default, prod]);
    assert_eq!(scene.state().await.load().await.unwrap().objects.len(), 0);
    assert_eq!(other.load().await.unwrap().objects.len(), 1);
}
