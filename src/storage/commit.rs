//! The commit: what others committed since is checked, then everything is written at once.

use super::fault::OrFault;
use super::fold;
use super::inherit;
use super::journal::{Change, HeaderKind};
use super::loaded::Loaded;
use super::log::{self, Commit};
use super::meta;
use super::overlay::Overlay;
use super::store::Writer;
use super::tables;
use super::{CommitInfo, ObjectLayout, Row, Snapshot, Store, Transaction};
use crate::error::{Code, Error, Result};
use crate::value::{ObjectId, RecordId, Value};
use redb::WriteTransaction;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A small commit goes to the log alone until more than this many changes wait there.
pub(super) const PENDING_RECORDS: usize = 256;

/// A commit that a transaction still open has not seen.
pub(super) struct Recent {
    pub(super) scope: Scope,
    pub(super) commit: Arc<Commit>,
    /// What it did that is not among the commit's changes.
    pub(super) loaded: Option<Loaded>,
}

/// What a commit changes beside records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    Records,
    /// New labels: nothing that others wrote depends on them.
    Labels,
    /// The schema or the settings.
    Whole,
}

impl Scope {
    pub(super) fn of(kind: HeaderKind) -> Self {
        match kind {
            HeaderKind::Schema => Self::Whole,
            HeaderKind::Labels => Self::Labels,
            HeaderKind::Records | HeaderKind::Undo(_) => Self::Records,
        }
    }
}

impl Store {
    pub(super) fn commit(
        &self,
        transaction: &mut Transaction<'_>,
        info: CommitInfo,
    ) -> Result<u64> {
        self.write_guarded(|| match (&transaction.load, &transaction.spill) {
            (Some(_), _) => self.commit_load(transaction, info),
            (None, Some(_)) => self.commit_spill(transaction, info),
            (None, None) => self.commit_changes(transaction, info),
        })
    }

    fn commit_changes(&self, transaction: &mut Transaction<'_>, info: CommitInfo) -> Result<u64> {
        let (base, state) = (transaction.base.clone(), &transaction.state);
        let mut changes = transaction.changes();
        let schema = !Arc::ptr_eq(&base.overlay.schema, &state.overlay.schema);
        let settings = base.overlay.settings != state.overlay.settings;
        if changes.is_empty() && !schema && !settings {
            return Ok(base.sequence());
        }
        let scope = match (settings || transaction.redefined(), schema) {
            (true, _) => Scope::Whole,
            (false, true) => Scope::Labels,
            (false, false) => Scope::Records,
        };
        let kind = match (schema, scope) {
            (true, Scope::Labels) => HeaderKind::Labels,
            (true, _) => HeaderKind::Schema,
            (false, _) => match transaction.undoes() {
                Some(of) => HeaderKind::Undo(of),
                None => HeaderKind::Records,
            },
        };
        let layouts = base.overlay.schema.layouts != state.overlay.schema.layouts;
        let mut writer = self.writer()?;
        let latest = self.latest();
        let info = in_order(&latest, info);
        // A fold alone also moves what the overlay lies over.
        let mut overlay = if Arc::ptr_eq(&latest.pending, &base.pending) {
            transaction.take_overlay()
        } else {
            check_conflicts(&writer, transaction, &changes, scope)?;
            rebase(&latest, transaction, &changes)?
        };
        let sequence = latest.sequence() + 1;
        transaction.bequeath(&mut changes);
        let inherits = !transaction.inherited.is_empty();
        stamp(
            Arc::make_mut(&mut overlay),
            sequence,
            &mut changes,
            inherits,
        );
        let commit = Arc::new(Commit {
            sequence,
            at: info.at,
            actor: info.actor,
            replica: self.replica,
            kind,
            old_settings: settings.then(|| (*base.overlay.settings).clone()),
            changes,
        });
        let pending = latest.pending.with(commit.clone());
        let write = self.begin_write_on(&latest)?;
        if schema {
            write_catalog(&write, &overlay, sequence)?;
        }
        if layouts || settings || pending.weight > PENDING_RECORDS {
            let (before, after) = (&latest.overlay.schema, &overlay.schema);
            let ids = after.index_ids();
            let new: BTreeSet<_> = ids.filter(|id| !before.has_index(*id)).collect();
            let sorted = fold::sort_beside(&overlay, &new, || {
                log::archive(&write, &latest.pending.commits, before)?;
                log::archive(&write, std::slice::from_ref(&commit), after)?;
                inherit::write(&write, &transaction.inherited, after)?;
                if layouts {
                    fold::drop_gone(&write, before, after)?;
                }
                if settings {
                    meta::write_settings(&write, &overlay.settings)?;
                }
                Ok(())
            })?;
            fold::fold(&write, &overlay, sorted)?;
            fold::end(&write, &overlay, &pending.progress())?;
            write.commit().or_fault()?;
            self.publish_folded(pending.progress(), &overlay, &|_, _| false)?;
        } else {
            log::append(&write, &commit)?;
            write.commit().or_fault()?;
            self.publish(Snapshot {
                base: latest.base,
                overlay,
                pending: Arc::new(pending),
                past: None,
                committed: None,
            });
        }
        writer.recent.push_back(Recent {
            scope,
            commit,
            loaded: None,
        });
        self.prune(&mut writer, base.sequence());
        Ok(sequence)
    }

    /// Folds all pending changes into chunks, indexes and summaries. Those of a store for reading
    /// only stay as they are.
    pub(crate) fn fold(&self) -> Result<()> {
        self.write_guarded(|| self.fold_pending())
    }

    fn fold_pending(&self) -> Result<()> {
        if self.is_reading() {
            return Ok(());
        }
        let _writer = self.writer()?;
        let latest = self.latest();
        if latest.pending.commits.is_empty() {
            return Ok(());
        }
        let write = self.begin_write_on(&latest)?;
        fold::fold_log(&write, &latest)?;
        write.commit().or_fault()?;
        self.publish_folded(latest.pending.progress(), &latest.overlay, &|_, _| false)
    }
}

pub(super) fn write_catalog(
    write: &WriteTransaction,
    overlay: &Overlay,
    sequence: u64,
) -> Result<()> {
    let bytes = overlay.schema.encode()?;
    let mut table = write.open_table(tables::CATALOGS).or_fault()?;
    table.insert(sequence, bytes.as_slice()).or_fault()?;
    Ok(())
}

/// Who commits, and when: a clock that stands behind the last transaction counts as there.
pub(super) fn in_order(latest: &Snapshot, info: CommitInfo) -> CommitInfo {
    let last = latest.last_commit().unwrap_or(info.at);
    CommitInfo {
        at: info.at.max(last),
        ..info
    }
}

/// An error about a record that another transaction has to do with.
fn conflict(object: ObjectId, id: RecordId, what: &str) -> Error {
    let subject = format!("record `{id}` of object {}", object.0);
    Error::new(Code::Conflict, format!("{subject}{what}"))
        .about_record(object.0, id.0, subject.len())
        .hint("run the transaction again")
}

pub(super) fn schema_conflict() -> Error {
    let message = "another transaction changed the schema or the settings, or pruned the journal";
    Error::new(Code::Conflict, message).hint("run the transaction again")
}

/// An error if what others committed since the transaction began does not go with its changes.
pub(super) fn check_conflicts(
    writer: &Writer,
    transaction: &Transaction<'_>,
    changes: &[Change],
    scope: Scope,
) -> Result<()> {
    let since = transaction.base.sequence();
    let schema = &transaction.state.overlay.schema;
    let mine: BTreeSet<_> = changes.iter().map(|c| (c.object, c.id)).collect();
    let gone: BTreeSet<_> = changes
        .iter()
        .filter(|c| c.after.is_none())
        .map(|c| (c.object, c.id))
        .collect();
    let referred = |change: &Change, gone: &dyn Fn(&(ObjectId, RecordId)) -> bool| {
        let row = change.after.as_ref()?;
        let layout = schema.layout(change.object);
        row.targets(layout).find(|target| gone(target))
    };
    for recent in writer.recent.iter().filter(|r| r.commit.sequence > since) {
        let (less, more) = (scope.min(recent.scope), scope.max(recent.scope));
        if more == Scope::Whole || less == Scope::Labels {
            return Err(schema_conflict());
        }
        let layouts = recent.loaded.iter().flat_map(|loaded| &loaded.layouts);
        let fields = layouts.flat_map(|layout| &layout.fields);
        let live = fields.filter(|field| !field.dropped);
        let types: Vec<_> = live.map(|field| &field.ty).collect();
        if let Some((object, id)) = gone.iter().find(|(object, _)| {
            let mut types = types.iter();
            types.any(|ty| ty.refers_to(*object))
        }) {
            let what =
                ", deleted here, may be referred to by records that another transaction wrote";
            return Err(conflict(*object, *id, what));
        }
        let changed = |(object, id): (ObjectId, RecordId)| {
            conflict(object, id, " was changed by another transaction")
        };
        if let Some(loaded) = &recent.loaded
            && let Some(both) = mine.iter().find(|(o, id)| loaded.changed.contains(*o, *id))
        {
            return Err(changed(*both));
        }
        let mut their_gone = BTreeSet::new();
        for change in &recent.commit.changes {
            let (object, id) = (change.object, change.id);
            if mine.contains(&(object, id)) {
                return Err(changed((object, id)));
            }
            if change.after.is_none() {
                their_gone.insert((object, id));
            }
            if let Some((object, id)) = referred(change, &|target| gone.contains(target)) {
                let what = ", deleted here, was referred to by another transaction";
                return Err(conflict(object, id, what));
            }
        }
        let theirs = |target: &(ObjectId, RecordId)| {
            let loaded = recent.loaded.as_ref();
            their_gone.contains(target)
                || loaded.is_some_and(|loaded| loaded.gone.contains(target.0, target.1))
        };
        for change in changes {
            if let Some((object, id)) = referred(change, &theirs) {
                let what = ", referred to here, was deleted by another transaction";
                return Err(conflict(object, id, what));
            }
        }
    }
    Ok(())
}

/// The latest state with the transaction's changes, which touch none of what changed since; an
/// error if two records share a unique key.
pub(super) fn rebase(
    latest: &Snapshot,
    transaction: &Transaction<'_>,
    changes: &[Change],
) -> Result<Arc<Overlay>> {
    let mut state = latest.clone();
    let overlay = Arc::make_mut(&mut state.overlay);
    let mine = &transaction.state.overlay;
    overlay.settings = mine.settings.clone();
    let known = latest.overlay.schema.clone();
    if !Arc::ptr_eq(&transaction.base.overlay.schema, &mine.schema) {
        overlay.set_schema(mine.schema.clone());
    }
    for change in changes {
        let after = change.after.clone();
        overlay.set(change.object, change.id, change.before.as_ref(), after)?;
    }
    // A schema changes only if nothing was committed since, so these keys are all there are.
    for index in mine.schema.index_ids().filter(|id| !known.has_index(*id)) {
        if let Some(keys) = mine.keys(index)? {
            overlay.set_keys(index, keys.clone());
        }
    }
    for change in changes {
        let Some(row) = &change.after else { continue };
        let layout = state.layout(change.object);
        check_hierarchy(&state, layout, change)?;
        for index in layout.indexes.iter().filter(|index| index.unique) {
            let key: Vec<Value> = index.fields.iter().map(|&f| row.get(f).clone()).collect();
            if key.iter().any(Value::is_missing) {
                continue;
            }
            let same = state.lookup(index.id, &key)?;
            if let Some(other) = same.into_iter().find(|id| *id != change.id) {
                let what = " got the same unique key in another transaction";
                return Err(conflict(change.object, other, what));
            }
        }
    }
    Ok(state.overlay)
}

/// An error if a record came to stand above itself. A loop that two transactions close together
/// passes through a record of each.
fn check_hierarchy(state: &Snapshot, layout: &ObjectLayout, change: &Change) -> Result<()> {
    let Some(field) = layout.hierarchy else {
        return Ok(());
    };
    let above = |row: &Option<Arc<Row>>| match row.as_ref().map(|row| row.get(field)) {
        Some(Value::Reference(above)) => Some(*above),
        _ => None,
    };
    let mut next = above(&change.after);
    if next == above(&change.before) {
        return Ok(());
    }
    for _ in 0..state.record_count(layout.id) {
        match next {
            Some(id) if id == change.id => {
                let what = " came to stand above itself by another transaction";
                return Err(conflict(layout.id, id, what));
            }
            Some(id) => next = above(&state.row(layout.id, id)?),
            None => break,
        }
    }
    Ok(())
}

/// Gives the rows after the changes, which the overlay holds too, the transaction's number.
fn stamp(overlay: &mut Overlay, sequence: u64, changes: &mut [Change], inherits: bool) {
    for change in changes {
        let records = overlay.objects.get_mut(&change.object);
        let entry = records.and_then(|o| o.records.get_mut(&change.id.0));
        // What a field inherits is no change of the record.
        if inherits && change.before == change.after {
            continue;
        }
        // Often the only other holder of the row, which then is not copied.
        if change.after.take().is_some()
            && let Some(row) = entry.and_then(|entry| entry.current.as_mut())
        {
            Arc::make_mut(row).stamp(sequence);
            change.after = Some(row.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Settings, model};
    use crate::value::{FieldId, FiscalYear};
    use model::{NAME, OBJECT, OTHER, PARENT, at};

    fn named(name: &str) -> Row {
        [(NAME, Value::text(name))].into_iter().collect()
    }

    fn referring(id: RecordId) -> Row {
        [(PARENT, Value::Reference(id))].into_iter().collect()
    }

    /// A store with two records of each object, the first one a hierarchy.
    fn store() -> (Store, RecordId, RecordId) {
        let store = Store::in_memory(&crate::storage::StoreOptions::default()).unwrap();
        let mut layouts = model::layouts();
        Arc::make_mut(&mut layouts[0]).hierarchy = Some(PARENT);
        let mut transaction = store.begin().unwrap();
        transaction
            .set_schema(Arc::from(*b"catalog"), layouts)
            .unwrap();
        transaction.commit(at(0)).unwrap();
        let mut transaction = store.begin().unwrap();
        let a = transaction.insert(OBJECT, named("a")).unwrap();
        let b = transaction.insert(OBJECT, named("b")).unwrap();
        transaction.insert(OTHER, named("one")).unwrap();
        transaction.insert(OTHER, named("two")).unwrap();
        transaction.commit(at(1)).unwrap();
        (store, a, b)
    }

    type Work = fn(&mut Transaction<'_>, RecordId, RecordId);

    /// What the second of two overlapping transactions is told, in either order.
    fn race(first: Work, second: Work) -> Result<u64> {
        let run = |first: Work, second: Work, fold: bool| {
            let (store, a, b) = store();
            let mut one = store.begin().unwrap();
            let mut two = store.begin().unwrap();
            first(&mut one, a, b);
            second(&mut two, a, b);
            one.commit(at(2)).unwrap();
            if fold {
                store.fold().unwrap();
            }
            let told = two.commit(at(3));
            assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
            if let Err(error) = &told {
                assert_eq!(error.code(), Code::Conflict, "{error}");
            }
            told
        };
        let there = run(first, second, false);
        assert_eq!(there.is_ok(), run(second, first, true).is_ok());
        there
    }

    #[test]
    fn transactions_on_different_records_both_commit() {
        let told = race(
            |t, a, _| t.put(OBJECT, a, named("x")).unwrap(),
            |t, a, b| {
                t.put(OBJECT, b, referring(a)).unwrap();
                t.insert(OBJECT, named("a")).unwrap();
                t.insert(OTHER, named("three")).unwrap();
            },
        );
        assert_eq!(told.unwrap(), 4);
    }

    #[test]
    fn the_same_record_conflicts() {
        let told = race(
            |t, a, _| t.put(OBJECT, a, named("x")).unwrap(),
            |t, a, _| drop(t.delete(OBJECT, a).unwrap()),
        );
        assert!(told.unwrap_err().message().contains("`#0`"));
    }

    #[test]
    fn the_same_unique_key_conflicts() {
        let told = race(
            |t, _, _| {
                t.insert(OTHER, named("three")).unwrap();
            },
            |t, _, _| t.put(OTHER, RecordId(0), named("three")).unwrap(),
        );
        assert!(told.unwrap_err().message().contains("unique"));
    }

    #[test]
    fn a_reference_to_a_deleted_record_conflicts() {
        let told = race(
            |t, a, _| drop(t.delete(OBJECT, a).unwrap()),
            |t, a, b| t.put(OBJECT, b, referring(a)).unwrap(),
        );
        assert!(told.is_err());
    }

    #[test]
    fn what_a_dropped_field_holds_is_no_conflict() {
        // Every reference goes, so that no record refers to another any more.
        let drop_references = |store: &Store| {
            let mut layouts = model::layouts();
            let object = Arc::make_mut(&mut layouts[0]);
            object.indexes.retain(|index| index.fields != [PARENT]);
            for field in &mut object.fields {
                field.dropped = field.ty.refers_to(OBJECT) || field.ty.refers_to(OTHER);
            }
            let mut transaction = store.begin().unwrap();
            transaction
                .set_schema(Arc::from(*b"fewer"), layouts)
                .unwrap();
            transaction.commit(at(3)).unwrap();
        };
        let change: Work = |t, _, b| {
            let mut row = (*t.snapshot().row(OBJECT, b).unwrap().unwrap()).clone();
            assert_ne!(row.get(PARENT), &Value::Missing);
            row.set(NAME, Value::text("x"));
            t.put(OBJECT, b, row).unwrap();
        };
        let load: Work = |t, _, _| {
            for _ in 0..5_000 {
                t.insert(OBJECT, named("many")).unwrap();
                t.load(OBJECT).unwrap();
            }
            assert!(t.is_loading());
        };
        let delete: Work = |t, a, _| drop(t.delete(OBJECT, a).unwrap());
        for (first, second) in [(delete, change), (change, delete), (load, delete)] {
            let (store, a, b) = store();
            let mut transaction = store.begin().unwrap();
            transaction.put(OBJECT, b, referring(a)).unwrap();
            transaction.commit(at(2)).unwrap();
            drop_references(&store);
            let mut one = store.begin().unwrap();
            let mut two = store.begin().unwrap();
            second(&mut two, a, b);
            first(&mut one, a, b);
            one.commit(at(4)).unwrap();
            two.commit(at(5)).unwrap();
            assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
        }
    }

    #[test]
    fn a_loop_that_two_transactions_close_conflicts() {
        let told = race(
            |t, a, b| t.put(OBJECT, a, referring(b)).unwrap(),
            |t, a, b| t.put(OBJECT, b, referring(a)).unwrap(),
        );
        assert!(told.unwrap_err().message().contains("above itself"));
        let told = race(
            |t, a, b| t.put(OBJECT, a, referring(b)).unwrap(),
            |t, _, b| {
                let c = t.insert(OBJECT, named("c")).unwrap();
                t.put(OBJECT, b, referring(c)).unwrap();
            },
        );
        assert!(told.is_ok());
    }

    #[test]
    fn a_schema_conflicts_with_anything() {
        let told = race(
            |t, _, _| t.set_schema(Arc::from(*b"new"), model::layouts()).unwrap(),
            |t, a, _| t.put(OBJECT, a, named("x")).unwrap(),
        );
        assert!(told.is_err());
        let told = race(
            |t, _, _| {
                t.set_settings(Settings {
                    fiscal: FiscalYear::from_month(2).unwrap(),
                    ..Settings::default()
                })
            },
            |t, _, _| {
                t.set_settings(Settings {
                    fiscal: FiscalYear::from_month(3).unwrap(),
                    ..Settings::default()
                })
            },
        );
        assert!(told.is_err());
    }

    #[test]
    fn new_labels_conflict_with_schemas_and_new_labels_only() {
        let labels: Work = |t, _, b| {
            t.set_labels(Arc::from(*b"more"));
            t.put(OBJECT, b, named("x")).unwrap();
        };
        let records: Work = |t, a, _| t.put(OBJECT, a, named("y")).unwrap();
        race(labels, records).unwrap();
        assert!(race(labels, |t, _, _| t.set_labels(Arc::from(*b"others"))).is_err());
        let schema: Work = |t, _, _| t.set_schema(Arc::from(*b"new"), model::layouts()).unwrap();
        assert!(race(labels, schema).is_err());
    }

    #[test]
    fn new_labels_are_kept_rolled_back_and_stored() {
        let (store, a, _) = store();
        let mut transaction = store.begin().unwrap();
        transaction.set_labels(Arc::from(*b"kept"));
        let mark = transaction.mark();
        transaction.put(OBJECT, a, named("x")).unwrap();
        transaction.set_labels(Arc::from(*b"gone"));
        transaction.roll_back_to(mark);
        assert_eq!(&**transaction.snapshot().catalog(), b"kept");
        let mut other = store.begin().unwrap();
        other.put(OBJECT, a, named("y")).unwrap();
        transaction.commit(at(2)).unwrap();
        other.commit(at(3)).unwrap();
        assert_eq!(&**store.snapshot().unwrap().catalog(), b"kept");
        assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
    }

    #[test]
    fn a_clock_that_stands_behind_counts_as_the_last() {
        let (store, a, _) = store();
        let last = store.snapshot().unwrap().last_commit();
        assert!(last > Some(at(0).at));
        let mut transaction = store.begin().unwrap();
        transaction.delete(OBJECT, a).unwrap();
        assert_eq!(transaction.commit(at(0)).unwrap(), 3);
        assert_eq!(store.snapshot().unwrap().last_commit(), last);
    }

    #[test]
    fn a_file_in_another_state_is_not_written() {
        let (store, a, _) = store();
        let mut transaction = store.begin().unwrap();
        transaction.delete(OBJECT, a).unwrap();
        transaction.commit(at(2)).unwrap();
        let failing = || -> Result<()> { Err(Error::new(Code::Io, "no space")) };
        store.write_guarded(failing).unwrap_err();
        let mut transaction = store.begin().unwrap();
        transaction.insert(OBJECT, named("b")).unwrap();
        assert_eq!(transaction.commit(at(2)).unwrap(), 4);
        let write = store.begin_write().unwrap();
        let mut table = write.open_table(tables::LOG).unwrap();
        table.insert(5, [].as_slice()).unwrap();
        drop(table);
        write.commit().unwrap();
        store.write_guarded(failing).unwrap_err();
        let mut transaction = store.begin().unwrap();
        transaction.insert(OBJECT, named("c")).unwrap();
        assert_eq!(transaction.commit(at(2)).unwrap_err().code(), Code::Io);
    }

    #[test]
    fn nothing_changed_writes_nothing() {
        let (store, a, _) = store();
        let mut transaction = store.begin().unwrap();
        transaction.put(OBJECT, a, named("a")).unwrap();
        let id = transaction.insert(OBJECT, named("c")).unwrap();
        transaction.delete(OBJECT, id).unwrap();
        assert_eq!(transaction.commit(at(0)).unwrap(), 2);
    }

    #[test]
    fn ids_of_a_rolled_back_transaction_are_given_again() {
        let (store, ..) = store();
        let mut lost = store.begin().unwrap();
        assert_eq!(lost.insert(OBJECT, named("c")).unwrap(), RecordId(2));
        let mut kept = store.begin().unwrap();
        assert_eq!(kept.insert(OBJECT, named("d")).unwrap(), RecordId(3));
        let mark = kept.mark();
        assert_eq!(kept.insert(OBJECT, named("e")).unwrap(), RecordId(4));
        kept.roll_back_to(mark);
        assert_eq!(kept.insert(OBJECT, named("f")).unwrap(), RecordId(4));
        kept.commit(at(2)).unwrap();
        drop(lost);
        let mut next = store.begin().unwrap();
        assert_eq!(next.insert(OBJECT, named("g")).unwrap(), RecordId(5));
        next.commit(at(3)).unwrap();
        let snapshot = store.snapshot().unwrap();
        assert_eq!(snapshot.row(OBJECT, RecordId(2)).unwrap(), None);
        assert_eq!(snapshot.record_count(OBJECT), 5);
        assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
    }

    #[test]
    fn a_schema_change_fills_and_drops() {
        let (store, a, b) = store();
        let mut transaction = store.begin().unwrap();
        transaction.put(OBJECT, b, named("A")).unwrap();
        let mut layouts = model::layouts();
        let object = Arc::make_mut(&mut layouts[0]);
        object.indexes.remove(2);
        object.fields[2].dropped = true;
        object.fields.push(crate::storage::FieldLayout {
            ty: crate::value::FieldType::Text,
            dropped: false,
        });
        let index = |id, unique| crate::storage::IndexLayout {
            id: crate::value::IndexId(id),
            kind: crate::storage::IndexKind::Folded,
            fields: vec![NAME],
            unique,
        };
        object.indexes.push(index(9, true));
        let error = transaction
            .set_schema(Arc::from(*b"x"), layouts.clone())
            .unwrap_err();
        assert_eq!(error.code(), Code::NotUnique);
        assert_eq!(&**transaction.snapshot().catalog(), b"catalog");
        let object = Arc::make_mut(&mut layouts[0]);
        object.indexes.pop();
        object.indexes.push(index(10, false));
        layouts.truncate(1);
        transaction.set_schema(Arc::from(*b"y"), layouts).unwrap();
        let new = FieldId(17);
        let mut row = named("a");
        row.set(new, Value::text("new"));
        transaction.put(OBJECT, a, row).unwrap();
        let look = |s: &Snapshot| {
            s.lookup(crate::value::IndexId(10), &[Value::text("a")])
                .unwrap()
        };
        assert_eq!(look(transaction.snapshot()), [a, b]);
        store.fold().unwrap();
        transaction.commit(at(2)).unwrap();
        let snapshot = store.snapshot().unwrap();
        assert_eq!(look(&snapshot), [a, b]);
        let column = snapshot
            .column(OBJECT, new, crate::value::ChunkId(0))
            .unwrap();
        assert_eq!(
            column.value(&crate::value::FieldType::Text, 0),
            Value::text("new")
        );
        assert_eq!(&**snapshot.catalog(), b"y");
        assert_eq!(snapshot.record_count(OTHER), 0);
        let report = store.check().unwrap();
        assert_eq!(report.faults, Vec::<String>::new());
        assert_eq!((report.records, report.index_entries), (2, 4));
    }
}
