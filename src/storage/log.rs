//! The log: small commits, each written whole under its number, until a fold takes them in.

use super::codec::{Reader, Writer};
use super::fault::{OrFault, corrupt};
use super::index::insert_sorted;
use super::journal::{self, Change, Header, HeaderKind};
use super::load::Ranges;
use super::meta::{Progress, RECORDS_MAX};
use super::past::Pasts;
use super::schema::Schema;
use super::tables::{self, Bytes, RowsTable};
use super::{Row, Settings, Snapshot};
use crate::error::Result;
use crate::value::{DateTime, FieldId, ObjectId, RecordId};
use redb::{ReadTransaction, ReadableTable, Table, TableError, WriteTransaction};
use std::sync::Arc;

/// What became of a record, as an entry says it.
const GONE: u8 = 0;
const THERE: u8 = 1;
/// It went into the record whose number follows.
const MERGED: u8 = 2;

/// One commit: what its header and its blocks of the journal are made of.
pub(super) struct Commit {
    pub(super) sequence: u64,
    pub(super) at: DateTime,
    pub(super) actor: Option<RecordId>,
    pub(super) replica: u64,
    pub(super) kind: HeaderKind,
    /// The settings before, if it changed them; such a commit is never in the log.
    pub(super) old_settings: Option<Settings>,
    /// Sorted by object and id.
    pub(super) changes: Vec<Change>,
}

/// How far a state has come, and its commits that are not folded yet.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) sequence: u64,
    pub(super) last_commit: Option<DateTime>,
    pub(super) commits: Vec<Arc<Commit>>,
    /// The commits' changes, and one for a commit without any.
    pub(super) weight: usize,
    pub(super) pasts: Pasts,
}

impl Pending {
    /// The state in which all is folded.
    pub(super) fn none(progress: Progress) -> Self {
        Self {
            sequence: progress.sequence,
            last_commit: progress.last_commit,
            ..Self::default()
        }
    }

    /// The next state, with one more commit.
    pub(super) fn with(&self, commit: Arc<Commit>) -> Self {
        let mut commits = Vec::with_capacity(self.commits.len() + 1);
        commits.extend_from_slice(&self.commits);
        let (sequence, last_commit) = (commit.sequence, Some(commit.at));
        let weight = self.weight + commit.changes.len().max(1);
        commits.push(commit);
        Self {
            sequence,
            last_commit,
            commits,
            weight,
            pasts: Pasts::default(),
        }
    }

    pub(super) fn progress(&self) -> Progress {
        Progress {
            sequence: self.sequence,
            last_commit: self.last_commit,
        }
    }
}

impl Commit {
    fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.put((self.at.micros(), self.actor.map(|actor| actor.0)));
        out.put(self.replica);
        match self.kind {
            HeaderKind::Records => out.put(0_u8),
            HeaderKind::Schema => out.put(1_u8),
            HeaderKind::Labels => out.put(2_u8),
            HeaderKind::Undo(of) => out.put((3_u8, of)),
        }
        out.put(self.changes.len() as u64);
        for change in &self.changes {
            out.put((change.object.0, change.id.0));
            match (&change.after, change.into) {
                (Some(row), _) => {
                    out.put(THERE);
                    out.put_block(&row.encode());
                }
                (None, Some(target)) => out.put((MERGED, target.0)),
                (None, None) => out.put(GONE),
            }
        }
        out.bytes
    }

    /// Reads a commit that was made on `state`.
    fn decode(sequence: u64, bytes: &[u8], state: &Snapshot) -> Result<Self> {
        let mut reader = Reader::new("an entry of the log", bytes);
        let (at, actor): (i64, Option<u64>) = reader.get()?;
        let replica = reader.get()?;
        let kind = match reader.get()? {
            0_u8 => HeaderKind::Records,
            1 => HeaderKind::Schema,
            2 => HeaderKind::Labels,
            3 => HeaderKind::Undo(reader.get()?),
            _ => return Err(reader.fault()),
        };
        let len = reader.get_len()?;
        let mut changes: Vec<Change> = Vec::with_capacity(len);
        for _ in 0..len {
            let (object, id, what) = reader.get()?;
            let (object, id) = (ObjectId(object), RecordId(id));
            let layout = state
                .overlay
                .schema
                .known(object)
                .map_err(|error| corrupt("the log names an absent object").caused_by(error))?;
            let (after, into) = match what {
                GONE => (None, None),
                THERE => {
                    let row = Row::decode(reader.get_block()?, &layout.fields)?;
                    (Some(Arc::new(row)), None)
                }
                MERGED => (None, Some(RecordId(reader.get()?))),
                _ => return Err(reader.fault()),
            };
            let before = state.row(object, id)?;
            let of = |row: &Option<Arc<Row>>| row.as_ref().map(|row| row.created);
            let sound = match (of(&before), of(&after)) {
                (Some(before), Some(after)) => before == after,
                (None, Some(created)) => {
                    let back = created > 0 && id.0 < state.record_bound(object);
                    created == sequence || created < sequence && back
                }
                (Some(_), None) => true,
                (None, None) => false,
            };
            let ordered = changes
                .last()
                .is_none_or(|last| (last.object, last.id) < (object, id));
            let stamped = after.as_ref().is_none_or(|row| row.changed == sequence);
            if !(sound && ordered && stamped) || id.0 >= RECORDS_MAX {
                return Err(corrupt(format!(
                    "transaction {sequence} of the log changes the record `{id}` of object {} \
                     impossibly",
                    object.0
                )));
            }
            changes.push(Change {
                object,
                id,
                before,
                after,
                into,
            });
        }
        reader.end()?;
        Ok(Self {
            sequence,
            at: DateTime::from_micros(at),
            actor: actor.map(RecordId),
            replica,
            kind,
            old_settings: None,
            changes,
        })
    }
}

/// Writes a small commit, which is all that it writes of its records.
pub(super) fn append(write: &WriteTransaction, commit: &Commit) -> Result<()> {
    let mut table = write.open_table(tables::LOG).or_fault()?;
    let bytes = commit.encode();
    table.insert(commit.sequence, bytes.as_slice()).or_fault()?;
    Ok(())
}

/// The number of the last commit in the log.
pub(super) fn last(table: &impl ReadableTable<u64, Bytes>) -> Result<Option<u64>> {
    Ok(table
        .last()
        .or_fault()?
        .map(|(sequence, _)| sequence.value()))
}

/// The number of the last commit in the log; a book of format 1 has none.
pub(super) fn last_read(read: &ReadTransaction) -> Result<Option<u64>> {
    match read.open_table(tables::LOG) {
        Ok(table) => last(&table),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error).or_fault(),
    }
}

/// The folded state with the commits of the log on top.
pub(super) fn replay(mut state: Snapshot) -> Result<Snapshot> {
    let folded = state.base.progress.sequence;
    let table = match state.base.read.open_table(tables::LOG) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(state),
        Err(error) => return Err(error).or_fault(),
    };
    for (entry, sequence) in table.iter().or_fault()?.zip(folded + 1..) {
        let (number, bytes) = entry.or_fault()?;
        if number.value() != sequence {
            return Err(corrupt(format!("the log lacks transaction {sequence}")));
        }
        let commit = Commit::decode(sequence, bytes.value(), &state)?;
        if state.last_commit() > Some(commit.at) {
            return Err(corrupt(format!(
                "transaction {sequence} lies before the one before it"
            )));
        }
        let overlay = Arc::make_mut(&mut state.overlay);
        for change in &commit.changes {
            let after = change.after.clone();
            overlay.set(change.object, change.id, change.before.as_ref(), after)?;
        }
        state.pending = Arc::new(state.pending.with(Arc::new(commit)));
    }
    Ok(state)
}

/// Writes where commits stay for ever: rows, journal and header. `schema` has their objects.
pub(super) fn archive(
    write: &WriteTransaction,
    commits: &[Arc<Commit>],
    schema: &Schema,
) -> Result<()> {
    for commit in commits {
        write_rows(write, &commit.changes)?;
        let touched = journal::write_changes(write, commit.sequence, &commit.changes, schema)?;
        write_header(write, commit, touched)?;
    }
    Ok(())
}

/// The same of a commit whose records are written already: the journal alone.
pub(super) fn archive_loaded(
    write: &WriteTransaction,
    commit: &Commit,
    object: ObjectId,
    inserted: &Ranges,
) -> Result<()> {
    journal::write_inserted(write, commit.sequence, object, inserted)?;
    write_header(write, commit, vec![(object, journal::RECORDS)])
}

pub(super) fn write_header(
    write: &WriteTransaction,
    commit: &Commit,
    touched: Vec<(ObjectId, FieldId)>,
) -> Result<()> {
    let header = Header {
        at: commit.at,
        actor: commit.actor,
        replica: commit.replica,
        kind: commit.kind,
        touched,
        old_settings: commit.old_settings.clone(),
    };
    journal::write_header(write, commit.sequence, &header)
}

/// Writes the rows of changes, sorted by object and id.
pub(super) fn write_rows(write: &WriteTransaction, changes: &[Change]) -> Result<()> {
    for changes in changes.chunk_by(|a, b| a.object == b.object) {
        let name = RowsTable::new(changes[0].object);
        let mut rows = write.open_table(name.definition()).or_fault()?;
        for run in changes.chunk_by(|a, b| a.is_new() && b.is_new()) {
            if run.len() > 1 {
                let new = run.iter().map(|change| (change.id.0, &change.after));
                add_rows(&mut rows, new)?;
                continue;
            }
            for change in run {
                match &change.after {
                    Some(row) => {
                        let bytes = row.encode();
                        rows.insert(change.id.0, bytes.as_slice()).or_fault()?;
                    }
                    None => {
                        rows.remove(change.id.0).or_fault()?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Adds new records, some at a time so that their bytes need little memory.
pub(super) fn add_rows<'r>(
    rows: &mut Table<'_, u64, Bytes>,
    new: impl Iterator<Item = (u64, &'r Option<Arc<Row>>)>,
) -> Result<()> {
    let mut new = new
        .filter_map(|(id, row)| Some((id, row.as_ref()?.encode())))
        .peekable();
    while new.peek().is_some() {
        let some: Vec<_> = new.by_ref().take(4096).collect();
        insert_sorted(rows, some.iter().map(|(id, bytes)| (*id, bytes.as_slice())))?;
    }
    Ok(())
}

/// Empties the log, as its commits are folded.
pub(super) fn clear(write: &WriteTransaction) -> Result<()> {
    write.delete_table(tables::LOG).or_fault()?;
    write.open_table(tables::LOG).or_fault()?;
    Ok(())
}
