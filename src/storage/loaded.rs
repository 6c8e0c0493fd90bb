//! What a transaction wrote before it committed, be it a bulk load or a spill: it alone writes from
//! then on, and its commit has little left to write.

use super::commit::{
    Recent, Scope, check_conflicts, in_order, rebase, schema_conflict, write_catalog,
};
use super::fold;
use super::journal::HeaderKind;
use super::log::Commit;
use super::meta::Progress;
use super::overlay::Overlay;
use super::spill::Places;
use super::{CommitInfo, ObjectLayout, Snapshot, Store, Transaction};
use crate::error::Result;
use redb::WriteTransaction;
use std::sync::Arc;

/// What a transaction wrote before it committed.
pub(super) struct Loaded {
    /// The objects whose records it added or changed.
    pub(super) layouts: Vec<Arc<ObjectLayout>>,
    /// The records it wrote, of those that may be there for others.
    pub(super) changed: Places,
    pub(super) gone: Places,
}

impl Store {
    /// Lets a transaction alone write until it ends its load, as soon as nobody else writes, upon
    /// the last state, into which the log is folded. The transaction then lies over that state.
    pub(super) fn take_over(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<(Snapshot, WriteTransaction)> {
        let mut writer = self.writer()?;
        let latest = self.latest();
        let base = &transaction.base;
        if !Arc::ptr_eq(&latest.pending, &base.pending) {
            let (now, then) = (&latest.overlay, &base.overlay);
            if !Arc::ptr_eq(&now.schema, &then.schema) || now.settings != then.settings {
                return Err(schema_conflict());
            }
            let changes = transaction.changes();
            check_conflicts(&writer, transaction, &changes, Scope::Records)?;
            let overlay = rebase(&latest, transaction, &changes)?;
            transaction.state = Snapshot {
                overlay,
                committed: Some(Arc::new(latest.clone())),
                ..latest.clone()
            };
        }
        let write = self.begin_write_on(&latest)?;
        fold::fold_log(&write, &latest)?;
        writer.loading = true;
        Ok((latest, write))
    }

    /// The header of what such a transaction did: it changed records, or these and labels.
    pub(super) fn written_commit(
        &self,
        latest: &Snapshot,
        overlay: &Overlay,
        info: CommitInfo,
    ) -> Arc<Commit> {
        let CommitInfo { at, actor } = in_order(latest, info);
        let labels = !Arc::ptr_eq(&latest.overlay.schema, &overlay.schema);
        Arc::new(Commit {
            sequence: latest.sequence() + 1,
            at,
            actor,
            replica: self.replica,
            kind: match labels {
                true => HeaderKind::Labels,
                false => HeaderKind::Records,
            },
            old_settings: None,
            changes: Vec::new(),
        })
    }

    /// Lets those who commit later know of it; `since` is the state that it began at.
    pub(super) fn remember(&self, commit: Arc<Commit>, loaded: Loaded, since: u64) {
        let mut writer = self.writer_at_load();
        writer.recent.push_back(Recent {
            scope: Scope::of(commit.kind),
            commit,
            loaded: Some(loaded),
        });
        self.prune(&mut writer, since);
    }
}

/// Writes what comes last of such a commit: the labels, and how far the store has come.
pub(super) fn end_written(
    write: &WriteTransaction,
    overlay: &Overlay,
    commit: &Commit,
) -> Result<Progress> {
    if commit.kind == HeaderKind::Labels {
        write_catalog(write, overlay, commit.sequence)?;
    }
    let progress = Progress {
        sequence: commit.sequence,
        last_commit: Some(commit.at),
    };
    fold::end(write, overlay, &progress)?;
    Ok(progress)
}
