//! Which objects an address names, and what the state says once they are called otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_model::port::Record;
use bimetal_model::snapshot::{Snapshot, Stored};
use bimetal_model::{Address, Diagnostic, Selector};

use crate::command::inspect::find;
use crate::failure::Failure;

/// What the state knows by this address: the object, or else all instances of the block.
pub(super) fn named(snapshot: &Snapshot, address: &Address) -> Result<Vec<Address>, Failure> {
    if snapshot.objects.contains_key(address) {
        return Ok(vec![address.clone()]);
    }
    let selector = Selector::from(address.clone());
    let instances: Vec<Address> = snapshot.objects.keys().filter(|known| selector.holds(known)).cloned().collect();
    match instances.is_empty() {
        true => find(snapshot, address).map(|_| instances),
        false => Ok(instances),
    }
}

/// The objects under their new addresses, and everything that rests on them.
pub(super) fn records_of_move(snapshot: &Snapshot, from: &Address, to: &Address) -> Result<Vec<Record>, Failure> {
    let moves = of(snapshot, from, to)?;
    let mut records: Vec<Record> =
        moves.keys().map(|address| Record::Remove { address: address.clone(), closes: None }).collect();
    for (address, stored) in &snapshot.objects {
        let becomes = moves.get(address);
        let mut turned = turned(Stored::clone(stored), &moves);
        if let (Some(becomes), Some(placement)) = (becomes, &mut turned.placement) {
            placement.replica = becomes.clone();
        }
        if becomes.is_some() || turned != **stored {
            let address = becomes.unwrap_or(address).clone();
            records.push(Record::Put { address, stored: Arc::new(turned), closes: None });
        }
    }
    Ok(records)
}

/// Each old address with the new one. Instances keep their keys.
pub(super) fn of(snapshot: &Snapshot, from: &Address, to: &Address) -> Result<BTreeMap<Address, Address>, Failure> {
    let addresses = named(snapshot, from)?;
    let is_other = (from.block, &from.ty, from.replica.is_some()) != (to.block, &to.ty, to.replica.is_some());
    let is_one = addresses.first() == Some(from);
    if is_other || (!is_one && (&from.key, &from.replica) != (&to.key, &to.replica)) {
        let error = Diagnostic::error(format!("`{from}` can't become `{to}`, which is something else"));
        return Err(error.hint("an address may change its module, its name and its key").into());
    }
    let becomes = |address: &Address| match is_one {
        true => to.clone(),
        false => address.with(|parts| {
            parts.name = to.name.clone();
            if from.module != to.module {
                parts.module = to.module.clone();
            }
        }),
    };
    let mut moves = BTreeMap::new();
    for address in addresses {
        let to = becomes(&address);
        if snapshot.objects.contains_key(&to) || moves.values().any(|taken| *taken == to) {
            let error = Diagnostic::error(format!("the state knows a `{to}` already"));
            return Err(error.hint("give that one another address, or forget it with `state rm`").into());
        }
        moves.insert(address, to);
    }
    Ok(moves)
}

/// What rested on old addresses rests on the new ones.
fn turned(mut user: Stored, moves: &BTreeMap<Address, Address>) -> Stored {
    let mut is_turned = false;
    for needed in &mut user.depends_on {
        if let Some(to) = moves.get(needed) {
            *needed = to.clone();
            is_turned = true;
        }
    }
    if is_turned {
        user.depends_on.sort();
    }
    if let Some(placement) = &mut user.placement
        && let Some(to) = moves.get(&placement.machine)
    {
        placement.machine = to.clone();
    }
    user
}

#[cfg(test)]
mod tests {
    use bimetal_model::snapshot::Object;
    use bimetal_model::{ProviderKey, Value};

    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn snapshot(objects: &[(&str, &str)]) -> Snapshot {
        let stored = |needed: &str| Stored {
            provider: ProviderKey::default_of("docker"),
            ty: "docker_volume".to_owned(),
            schema_version: 0,
            object: Object { value: [("name", Value::from("x"))].into_iter().collect(), private: Vec::new() },
            depends_on: Some(needed).filter(|needed| !needed.is_empty()).map(address).into_iter().collect(),
            placement: None,
            tainted: false,
            prevent_destroy: false,
            unfinished: None,
        };
        let objects = objects.iter().map(|(name, needed)| (address(name), Arc::new(stored(needed))));
        Snapshot { objects: objects.collect(), ..Snapshot::default() }
    }

    fn told(snapshot: &Snapshot, from: &str, to: &str) -> String {
        let told = |record: Record| match record {
            Record::Remove { address, .. } => format!("- {address}\n"),
            Record::Put { address, stored, .. } => {
                let needed: Vec<String> = stored.depends_on.iter().map(|needed| format!(" on {needed}")).collect();
                format!("+ {address}{}\n", needed.concat())
            }
            Record::Close(_) | Record::Output { .. } => unreachable!("nothing of these moves"),
        };
        match records_of_move(snapshot, &address(from), &address(to)) {
            Ok(records) => records.into_iter().map(told).collect(),
            Err(failure) => failure.diagnostics.into_iter().map(|error| error.summary).collect(),
        }
    }

    #[test]
    fn a_block_moves_with_all_its_instances() {
        let known = [
            ("docker_volume.a[0]", ""),
            ("docker_volume.a[1]", "docker_volume.a[0]"),
            ("docker_volume.b", "docker_volume.a[1]"),
            ("docker_volume.c", ""),
        ];
        let snapshot = snapshot(&known);
        insta::assert_snapshot!(told(&snapshot, "docker_volume.a", "docker_volume.z"), @r"
        - docker_volume.a[0]
        - docker_volume.a[1]
        + docker_volume.z[0]
        + docker_volume.z[1] on docker_volume.z[0]
        + docker_volume.b on docker_volume.z[1]
        ");
        insta::assert_snapshot!(told(&snapshot, "docker_volume.a[1]", "docker_volume.z"), @r"
        - docker_volume.a[1]
        + docker_volume.z on docker_volume.a[0]
        + docker_volume.b on docker_volume.z
        ");
        let said = |from: &str, to: &str| told(&snapshot, from, to);
        assert_eq!(said("docker_volume.x", "docker_volume.y"), "the state does not know `docker_volume.x`");
        assert_eq!(said("docker_volume.c", "docker_volume.b"), "the state knows a `docker_volume.b` already");
        assert_eq!(
            said("docker_volume.a", "docker_volume.z[3]"),
            "`docker_volume.a` can't become `docker_volume.z[3]`, which is something else"
        );
    }

    #[test]
    fn a_block_names_all_its_instances() {
        let snapshot = snapshot(&[("docker_volume.a[0]", ""), ("docker_volume.a[1]", ""), ("docker_volume.b", "")]);
        let named = |name: &str| named(&snapshot, &address(name)).map(|named| named.len()).ok();
        let counts = ["docker_volume.a", "docker_volume.a[0]", "docker_volume.b", "docker_volume.c"].map(named);
        assert_eq!(counts, [Some(2), Some(1), Some(1), None]);
    }
}
