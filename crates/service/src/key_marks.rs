//! Whether the master keys are those that the store was made with.
//!
//! With a wrong key nothing fails at once: right PINs would count as wrong ones and lock their numbers, codes on
//! their way would be no codes, and no sealed secret would open. So the store keeps a mark of each epoch
//! it has seen, and a server does not start with a key that does not give it.

use std::collections::HashMap;

use crate::directory::{Entity, EntityKind, KeyMark};
use crate::error::ServiceError;
use crate::keys::KeyRing;
use crate::ports::{CommitError, EntityWrite, Store, Unit};
use crate::service::{Service, committed};

/// Epochs looked at: more rotations than any installation sees.
const EPOCHS_MAX: usize = 10_000;

/// Why the master keys are not taken.
#[derive(Debug, thiserror::Error)]
pub enum UnknownKeys {
    /// The store was made with another key of this epoch.
    #[error("the master key of epoch {0} is not the one that this database was made with")]
    Other(u32),
    /// The store was made with epochs that are all missing.
    #[error(
        "the master keys have none of the epochs that this database was made with; its newest is {0}"
    )]
    Missing(u32),
    /// The store did not answer.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Service {
    /// Refuses master keys that the store was not made with, and leaves marks of those it has not seen: of all
    /// of them in a new store, of the new one after a rotation. An epoch that was dropped is not missed
    /// while another one is known.
    pub async fn recognise_keys(&self) -> Result<(), UnknownKeys> {
        recognise(&*self.store, &self.keys).await
    }

    /// The same for a store that was emptied just now, and so knows no other keys.
    pub(crate) async fn mark_keys(&self) -> Result<(), ServiceError> {
        self.recognise_keys().await.map_err(|unknown| match unknown {
            UnknownKeys::Service(error) => error,
            other @ (UnknownKeys::Other(_) | UnknownKeys::Missing(_)) => {
                ServiceError::Bug(other.to_string())
            }
        })
    }
}

/// [`Service::recognise_keys`] on a store alone.
pub async fn recognise(store: &dyn Store, keys: &KeyRing) -> Result<(), UnknownKeys> {
    let mut unit = Unit::default();
    for mark in unseen(store, keys).await? {
        let entity = Entity::KeyMark(mark);
        unit.entities.push(EntityWrite::Put { expected: 0, entity });
    }
    if unit.entities.is_empty() {
        return Ok(());
    }
    match store.commit(unit).await {
        // Two rotations at once: the other one has left the same marks.
        Err(CommitError::Conflict) => Ok(()),
        other => Ok(committed(other)?),
    }
}

/// Says whether `keys` are those that `store` was made with, and changes nothing.
pub async fn check_keys(store: &dyn Store, keys: &KeyRing) -> Result<(), UnknownKeys> {
    unseen(store, keys).await.map(drop)
}

/// Marks of `keys` that the store has not seen yet; refuses keys that it was not made with.
async fn unseen(store: &dyn Store, keys: &KeyRing) -> Result<Vec<KeyMark>, UnknownKeys> {
    let found = store.entities(EntityKind::KeyMark, None, None, EPOCHS_MAX).await;
    let seen: HashMap<u32, String> = found
        .map_err(ServiceError::from)?
        .into_iter()
        .filter_map(|it| it.value.into_key_mark())
        .map(|it| (it.epoch, it.mark))
        .collect();
    let ours = keys.marks();
    let is_known = ours.iter().any(|(epoch, _)| seen.contains_key(epoch));
    if let (false, Some(newest)) = (is_known, seen.keys().max()) {
        return Err(UnknownKeys::Missing(*newest));
    }
    let mut unseen = Vec::new();
    for (epoch, mark) in ours {
        let mark = hex::encode(mark);
        match seen.get(&epoch) {
            Some(other) if *other != mark => return Err(UnknownKeys::Other(epoch)),
            Some(_) => {}
            None => unseen.push(KeyMark { epoch, mark }),
        }
    }
    Ok(unseen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::MasterKeys;
    use crate::testing::{MemoryStore, SeededEntropy};

    async fn start(store: &MemoryStore, keys: &MasterKeys) -> Result<(), UnknownKeys> {
        recognise(store, &KeyRing::new(keys)).await
    }

    #[tokio::test]
    async fn a_store_knows_the_keys_it_was_made_with_also_after_rotations() {
        let entropy = SeededEntropy::new(1);
        let store = MemoryStore::new();
        let first = MasterKeys::generate(&entropy);
        let second = first.rotated(&entropy);
        for keys in [&first, &first, &second, &second, &second.rotated(&entropy)] {
            start(&store, keys).await.expect("known");
        }
        // The oldest epoch is the first line of the file.
        let text = second.to_text().to_string();
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("1 ")).collect();
        let dropped = MasterKeys::parse(&lines.join("\n")).expect("one epoch is left");
        start(&store, &dropped).await.expect("dropped by the operator");
    }

    #[tokio::test]
    async fn a_store_refuses_keys_of_another_installation() {
        let entropy = SeededEntropy::new(1);
        let store = MemoryStore::new();
        start(&store, &MasterKeys::generate(&entropy)).await.expect("a new store");
        let other = MasterKeys::generate(&entropy);
        for _ in 0..2 {
            assert!(matches!(start(&store, &other).await, Err(UnknownKeys::Other(1))));
            let rotated = other.rotated(&entropy);
            assert!(matches!(start(&store, &rotated).await, Err(UnknownKeys::Other(1))));
        }
        let far = MasterKeys::parse(&format!("7 {}", "0b0c".repeat(16))).expect("a key");
        assert!(matches!(start(&store, &far).await, Err(UnknownKeys::Missing(1))));
    }
}
