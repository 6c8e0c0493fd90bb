//! The meta table: what the file is, and how far its transactions and folds have come.

use super::fault::{OrFault, corrupt};
use super::{Settings, codec, tables};
use crate::error::{Code, Error, Result};
use crate::value::{DateTime, ObjectId};
use redb::{ReadableTable, WriteTransaction};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the format this code writes. Newer ones are refused, older ones migrated.
pub(super) const FORMAT: u32 = 2;

const FORMAT_KEY: &str = "format";
const REPLICA_KEY: &str = "replica";
const SETTINGS_KEY: &str = "settings";
const FOLDING_KEY: &str = "folding";
const PROGRESS_KEY: &str = "progress";
const KEPT_KEY: &str = "kept";
const REPLACED_KEY: &str = "replaced";
const OBJECT_PREFIX: &str = "objects/";

/// The last transaction folded, and its moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    pub(super) sequence: u64,
    pub(super) last_commit: Option<DateTime>,
}

/// What format 1 had for it: the last transaction, the last one folded, the moment of the last.
type Progress1 = (u64, u64, Option<DateTime>);

/// The most ids an object gives: more would be damage, or a plan of absurd size.
pub(super) const RECORDS_MAX: u64 = 1 << 32;

/// The records an object has had and has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// One more than the largest id given.
    pub(super) next: u64,
    pub(super) live: u64,
}

/// Everything in the meta table.
#[derive(Clone, Debug)]
pub(super) struct Meta {
    pub(super) format: u32,
    pub(super) replica: u64,
    pub(super) settings: Settings,
    pub(super) folding: u32,
    pub(super) progress: Progress,
    pub(super) counts: BTreeMap<ObjectId, Counts>,
}

impl Meta {
    pub(super) fn read(table: &impl ReadableTable<&'static str, tables::Bytes>) -> Result<Self> {
        let format: u32 = get(table, FORMAT_KEY)?;
        if format > FORMAT {
            return Err(Error::new(
                Code::NewerFormat,
                format!("the book has format {format}; this version reads up to {FORMAT}"),
            )
            .hint("use a newer version of Fieldbook"));
        }
        let mut counts = BTreeMap::new();
        for entry in table.range(OBJECT_PREFIX..).or_fault()? {
            let (key, value) = entry.or_fault()?;
            let Some(id) = key.value().strip_prefix(OBJECT_PREFIX) else {
                break;
            };
            let id = id
                .parse()
                .map_err(|_| corrupt(format!("the meta table counts the object `{id}`")))?;
            let count: Counts = codec::decode("a count", value.value())?;
            if count.next > RECORDS_MAX || count.live > count.next {
                return Err(corrupt(format!("the meta table miscounts object {id}")));
            }
            counts.insert(ObjectId(id), count);
        }
        Ok(Self {
            format,
            replica: get(table, REPLICA_KEY)?,
            settings: get(table, SETTINGS_KEY)?,
            folding: get(table, FOLDING_KEY)?,
            progress: read_progress(table)?,
            counts,
        })
    }

    /// Writes everything, as a new file needs.
    pub(super) fn write(&self, write: &WriteTransaction) -> Result<()> {
        put(write, REPLICA_KEY, &self.replica)?;
        write_settings(write, &self.settings)?;
        write_folding(write, self.folding)?;
        write_format(write, &self.progress)
    }
}

/// Writes the format, and what of the table has changed since the first one.
pub(super) fn write_format(write: &WriteTransaction, progress: &Progress) -> Result<()> {
    put(write, FORMAT_KEY, &FORMAT)?;
    write_progress(write, progress)
}

pub(super) fn write_settings(write: &WriteTransaction, settings: &Settings) -> Result<()> {
    put(write, SETTINGS_KEY, settings)
}

pub(super) fn write_folding(write: &WriteTransaction, version: u32) -> Result<()> {
    put(write, FOLDING_KEY, &version)
}

pub(super) fn write_progress(write: &WriteTransaction, progress: &Progress) -> Result<()> {
    put(write, PROGRESS_KEY, progress)
}

/// Writes the transaction with which the journal begins.
pub(super) fn write_kept(write: &WriteTransaction, sequence: u64) -> Result<()> {
    put(write, KEPT_KEY, &sequence)
}

/// The transaction with which the journal begins; 0 if all are kept.
pub(super) fn read_kept(table: &impl ReadableTable<&'static str, tables::Bytes>) -> Result<u64> {
    match table.get(KEPT_KEY).or_fault()? {
        Some(_) => get(table, KEPT_KEY),
        None => Ok(0),
    }
}

/// Says that another file has taken this one's place.
pub(super) fn write_replaced(write: &WriteTransaction) -> Result<()> {
    put(write, REPLACED_KEY, &true)
}

pub(super) fn is_replaced(table: &impl ReadableTable<&'static str, tables::Bytes>) -> Result<bool> {
    Ok(table.get(REPLACED_KEY).or_fault()?.is_some())
}

pub(super) fn write_counts(
    write: &WriteTransaction,
    object: ObjectId,
    counts: &Counts,
) -> Result<()> {
    put(write, &format!("{OBJECT_PREFIX}{}", object.0), counts)
}

/// The counts of an object as folded.
pub(super) fn read_counts(write: &WriteTransaction, object: ObjectId) -> Result<Counts> {
    let table = write.open_table(tables::META).or_fault()?;
    let key = format!("{OBJECT_PREFIX}{}", object.0);
    if table.get(key.as_str()).or_fault()?.is_none() {
        return Ok(Counts::default());
    }
    get(&table, &key)
}

pub(super) fn read_progress(
    table: &impl ReadableTable<&'static str, tables::Bytes>,
) -> Result<Progress> {
    let progress = match get(table, FORMAT_KEY)? {
        1_u32 => {
            let (sequence, folded, last_commit): Progress1 = get(table, PROGRESS_KEY)?;
            if folded < sequence {
                return Err(unfolded());
            }
            Progress {
                sequence,
                last_commit,
            }
        }
        _ => get(table, PROGRESS_KEY)?,
    };
    // The log may go on for some while.
    if progress.sequence > u64::MAX / 2 {
        return Err(corrupt("the meta table miscounts the transactions"));
    }
    Ok(progress)
}

fn unfolded() -> Error {
    Error::new(
        Code::OlderFormat,
        "the book has format 1 and was not closed cleanly",
    )
    .hint("open and close it with the version of Fieldbook that made it")
}

fn put<T: Serialize>(write: &WriteTransaction, key: &str, value: &T) -> Result<()> {
    let bytes = codec::encode(value)?;
    let mut table = write.open_table(tables::META).or_fault()?;
    table.insert(key, bytes.as_slice()).or_fault()?;
    Ok(())
}

fn get<T: DeserializeOwned>(
    table: &impl ReadableTable<&'static str, tables::Bytes>,
    key: &str,
) -> Result<T> {
    let bytes = table
        .get(key)
        .or_fault()?
        .ok_or_else(|| corrupt(format!("the meta table lacks `{key}`")))?;
    codec::decode(&format!("`{key}` of the meta table"), bytes.value())
}
