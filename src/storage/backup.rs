//! The backup: every table of a committed state, in key order, in a new file.

use super::fault::{OrFault, guard};
use super::tables::{self, RowsTable};
use super::{Durability, Store, StoreOptions, fault};
use crate::error::{Code, Error, Result};
use redb::{
    Builder, ReadTransaction, ReadableTable, TableDefinition, TableHandle, WriteTransaction,
};
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

impl Store {
    /// Copies the committed state into a new file at `path`, tables in key order.
    ///
    /// The copy is written beside its place, made as small as it gets, and moved there once it
    /// is safe, so that a file at `path` is always whole.
    pub(crate) fn backup(&self, path: &Path) -> Result<()> {
        must_not_exist(path)?;
        let partial = beside(path);
        let copied = self.copy_to(&partial).and_then(|()| {
            settle(&partial, path)
                .and_then(|()| sync_parent(path))
                .map_err(|error| io_fault(path, error))
        });
        if partial.exists() {
            // The first error is the one that matters.
            let _ = std::fs::remove_file(partial);
        }
        copied
    }

    /// Has `work` fill a new store in a file beside `path`, which is gone when the work is done,
    /// and copies it to `path`.
    pub(crate) fn drafted<T>(
        path: &Path,
        options: &StoreOptions,
        work: impl FnOnce(Self) -> Result<T>,
    ) -> Result<T> {
        must_not_exist(path)?;
        let draft = beside(path);
        let options = StoreOptions {
            create: true,
            durability: Durability::Closed,
            ..options.clone()
        };
        let opened = Self::open(&draft, &options).map_err(|error| {
            let message = format!("the file `{}` cannot be made", path.display());
            Error::new(error.code(), message).caused_by(error)
        });
        let done = opened.and_then(work);
        if draft.exists() {
            // The work's error is the one that matters.
            let _ = std::fs::remove_file(draft);
        }
        done
    }

    pub(super) fn copy_to(&self, path: &Path) -> Result<()> {
        guard(|| self.copy_tables(path))
    }

    fn copy_tables(&self, path: &Path) -> Result<()> {
        let read = self.begin_read()?;
        let mut database = Builder::new().create(path).or_fault()?;
        let write = database.begin_write().or_fault()?;
        copy(&read, &write, tables::META)?;
        copy(&read, &write, tables::COLUMNS)?;
        copy(&read, &write, tables::SUMMARIES)?;
        copy(&read, &write, tables::REFERENCES)?;
        copy(&read, &write, tables::KEYS)?;
        copy(&read, &write, tables::WORDS)?;
        // A book of format 1 has none.
        if read
            .list_tables()
            .or_fault()?
            .any(|table| table.name() == tables::LOG.name())
        {
            copy(&read, &write, tables::LOG)?;
        }
        copy(&read, &write, tables::TRANSACTIONS)?;
        copy(&read, &write, tables::CATALOGS)?;
        copy(&read, &write, tables::JOURNAL)?;
        copy(&read, &write, tables::JOURNAL_RECORDS)?;
        for table in read.list_tables().or_fault()? {
            let number = table.name().strip_prefix(RowsTable::PREFIX);
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                let rows = RowsTable::new(crate::value::ObjectId(number));
                copy(&read, &write, rows.definition())?;
            }
        }
        write.commit().or_fault()?;
        while database.compact().or_fault()? {}
        database.close().or_fault()
    }
}

fn copy<K: redb::Key + 'static, V: redb::Value + 'static>(
    read: &ReadTransaction,
    write: &WriteTransaction,
    table: TableDefinition<'_, K, V>,
) -> Result<()> {
    let from = read.open_table(table).or_fault()?;
    let mut to = write.open_table(table).or_fault()?;
    for entry in from.iter().or_fault()? {
        let (key, value) = entry.or_fault()?;
        to.insert(key.value(), value.value()).or_fault()?;
    }
    Ok(())
}

fn must_not_exist(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    Err(Error::new(
        Code::Io,
        format!("the file `{}` exists already", path.display()),
    )
    .hint("name a file that does not exist"))
}

/// A name beside `path` that no other copy has, in this process or another.
pub(super) fn beside(path: &Path) -> PathBuf {
    static COPIES: AtomicU64 = AtomicU64::new(0);
    let (process, copy) = (std::process::id(), COPIES.fetch_add(1, Ordering::Relaxed));
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{process}-{copy}.partial"));
    name.into()
}

/// Gives a whole file its name, unless another file has it by now.
fn settle(partial: &Path, path: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(partial, path) {
        // Some file systems have no links.
        Err(error) if error.kind() != ErrorKind::AlreadyExists && !path.exists() => {
            std::fs::rename(partial, path)
        }
        linked => linked,
    }
}

/// Makes the name of a file durable.
pub(super) fn sync_parent(path: &Path) -> std::io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

pub(super) fn io_fault(path: &Path, error: std::io::Error) -> Error {
    fault::fault(redb::Error::Io(error)).hint(format!("while writing `{}`", path.display()))
}
