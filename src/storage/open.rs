//! Opening a book: what the file must be, and what is wrong when it is not.

use super::cache::ChunkCache;
use super::fault::{OrFault, fault, guard};
use super::meta::{self, FORMAT, Meta, Progress};
use super::share::patiently;
use super::store::{Engine, read_folded, read_state};
use super::{Durability, Store, StoreOptions, fold, log, tables};
use crate::error::{Code, Error, Result};
use crate::value::FOLDING_VERSION;
use redb::backends::InMemoryBackend;
use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadableDatabase, StorageBackend,
    StorageError,
};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::path::{Path, PathBuf};

impl Store {
    pub(crate) fn open(path: &Path, options: &StoreOptions) -> Result<Self> {
        guard(|| Self::open_file(path, options))
    }

    fn open_file(path: &Path, options: &StoreOptions) -> Result<Self> {
        let missing = !path.exists();
        if missing && (options.read_only || !options.create) {
            return Err(Error::new(
                Code::NoSuchFile,
                format!("the book `{}` does not exist", path.display()),
            ));
        }
        let new = missing || is_empty(path, options)?;
        if !new {
            check_magic(path)?;
        }
        let engine = match options.read_only {
            true => reading(path, options)?,
            false if new => {
                let database = builder(options).create(path);
                Engine::Writing(database.map_err(|error| open_fault(path, error))?)
            }
            // One that is shared may be written to later.
            false if options.shared => match writing(path, options) {
                Err(error) if error.code() == Code::Locked => reading(path, options)?,
                engine => engine?,
            },
            false => patiently(options, || writing(path, options))?,
        };
        Self::start(engine, new, options, Some(path.to_owned())).map_err(|error| {
            if error.code() == Code::NotABook {
                not_a_book(path)
            } else {
                error
            }
        })
    }

    pub(crate) fn in_memory(options: &StoreOptions) -> Result<Self> {
        Self::on_backend(InMemoryBackend::new(), true, options)
    }

    /// Opens a book, or a new one, on bytes that need not be a file.
    pub(super) fn on_backend(
        backend: impl StorageBackend,
        new: bool,
        options: &StoreOptions,
    ) -> Result<Self> {
        let mut builder = Builder::new();
        builder.set_cache_size(options.cache_bytes / 2);
        let database = builder
            .create_with_backend(backend)
            .map_err(redb::Error::from)
            .or_fault()?;
        Self::start(Engine::Writing(database), new, options, None)
    }

    fn start(
        engine: Engine,
        new: bool,
        options: &StoreOptions,
        path: Option<PathBuf>,
    ) -> Result<Self> {
        if let Engine::Writing(database) = &engine {
            if new {
                create(database, options)?;
            }
            migrate(database)?;
            rebuild_folded(database)?;
        }
        let (snapshot, meta) = read_state(
            engine.begin_read()?,
            ChunkCache::new(options.cache_bytes / 2),
        )?;
        if meta.folding != FOLDING_VERSION {
            return Err(Error::new(
                Code::ReadOnly,
                "the book's text indexes are of another version and must be rebuilt",
            )
            .hint("open it for writing once"));
        }
        Ok(Self::new(engine, snapshot, &meta, options, path))
    }
}

fn builder(options: &StoreOptions) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes / 2);
    let alone = options.exclusive || options.durability == Durability::Closed;
    builder.set_concurrency_mode(if alone {
        ConcurrencyMode::ExclusiveWriter
    } else {
        ConcurrencyMode::SingleWriter
    });
    builder
}

/// Opens a file for reading only.
pub(super) fn reading(path: &Path, options: &StoreOptions) -> Result<Engine> {
    let database = builder(options).open_read_only(path);
    Ok(Engine::Reading(
        database.map_err(|error| open_fault(path, error))?,
    ))
}

/// Opens a file that is there for writing.
pub(super) fn writing(path: &Path, options: &StoreOptions) -> Result<Engine> {
    let database = builder(options).open(path);
    Ok(Engine::Writing(
        database.map_err(|error| open_fault(path, error))?,
    ))
}

fn not_a_book(path: &Path) -> Error {
    Error::new(
        Code::NotABook,
        format!("the file `{}` is not a book", path.display()),
    )
}

/// Whether a file holds no byte, and may become a book.
fn is_empty(path: &Path, options: &StoreOptions) -> Result<bool> {
    let metadata = std::fs::metadata(path).map_err(|error| io_fault(path, error))?;
    if metadata.is_dir() {
        return Err(not_a_book(path).hint("it is a directory"));
    }
    if metadata.len() == 0 && (options.read_only || !options.create) {
        return Err(not_a_book(path).hint("it is empty"));
    }
    Ok(metadata.len() == 0)
}

/// An error unless the file starts as redb's files do.
fn check_magic(path: &Path) -> Result<()> {
    const MAGIC: [u8; 9] = *b"redb\x1A\x0A\xA9\x0D\x0A";
    let mut start = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start))
        .map_err(|error| io_fault(path, error))?;
    if start == MAGIC {
        Ok(())
    } else {
        Err(not_a_book(path))
    }
}

fn io_fault(path: &Path, error: std::io::Error) -> Error {
    Error::new(
        Code::Io,
        format!("the file `{}` cannot be opened: {error}", path.display()),
    )
    .caused_by(error)
}

fn open_fault(path: &Path, error: DatabaseError) -> Error {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => Error::new(
            Code::Locked,
            format!("the book `{}` is in use by another process", path.display()),
        )
        .hint("close it there, or open it for reading only (in the shell with --readonly)")
        .caused_by(error),
        DatabaseError::RepairAborted => Error::new(
            Code::ReadOnly,
            format!("the book `{}` was not closed cleanly", path.display()),
        )
        .hint("open it for writing once, which repairs it")
        .caused_by(error),
        DatabaseError::Storage(StorageError::Io(error)) => io_fault(path, error),
        DatabaseError::Storage(StorageError::Corrupted(text)) => Error::new(
            Code::Corrupt,
            format!("the book `{}` is damaged: {text}", path.display()),
        ),
        other => fault(other.into()),
    }
}

/// Writes the tables of a new book.
fn create(database: &Database, options: &StoreOptions) -> Result<()> {
    let write = database.begin_write().or_fault()?;
    write.open_table(tables::COLUMNS).or_fault()?;
    write.open_table(tables::SUMMARIES).or_fault()?;
    write.open_table(tables::REFERENCES).or_fault()?;
    write.open_table(tables::KEYS).or_fault()?;
    write.open_table(tables::WORDS).or_fault()?;
    write.open_table(tables::LOG).or_fault()?;
    write.open_table(tables::TRANSACTIONS).or_fault()?;
    write.open_table(tables::CATALOGS).or_fault()?;
    write.open_table(tables::JOURNAL).or_fault()?;
    write.open_table(tables::JOURNAL_RECORDS).or_fault()?;
    let meta = Meta {
        format: FORMAT,
        // A hasher's random keys are all the chance the standard library has to offer.
        replica: RandomState::new().hash_one("replica"),
        settings: options.settings.clone(),
        folding: FOLDING_VERSION,
        progress: Progress::default(),
        counts: BTreeMap::new(),
    };
    meta.write(&write)?;
    write.commit().or_fault()
}

/// Brings a book of an older format, all of which is folded, to this one.
fn migrate(database: &Database) -> Result<()> {
    let (folded, meta) = read_folded(database.begin_read().or_fault()?, ChunkCache::new(0))?;
    if meta.format == FORMAT {
        return Ok(());
    }
    let write = database.begin_write().or_fault()?;
    log::clear(&write)?;
    meta::write_format(&write, &folded.base.progress)?;
    write.commit().or_fault()
}

/// Rebuilds the text index and the indexes over folded text if the folding has changed since they
/// were written.
fn rebuild_folded(database: &Database) -> Result<()> {
    let (snapshot, meta) = read_state(database.begin_read().or_fault()?, ChunkCache::new(0))?;
    if meta.folding == FOLDING_VERSION {
        return Ok(());
    }
    let write = database.begin_write().or_fault()?;
    log::archive(&write, &snapshot.pending.commits, &snapshot.overlay.schema)?;
    fold::rebuild_folded(&write, &snapshot)?;
    fold::end(&write, &snapshot.overlay, &snapshot.pending.progress())?;
    meta::write_folding(&write, FOLDING_VERSION)?;
    write.commit().or_fault()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::model;
    use crate::value::Value;

    fn open(path: &Path, options: &StoreOptions) -> Result<Store> {
        Store::open(path, options)
    }

    fn code(path: &Path, options: &StoreOptions) -> Code {
        let error = open(path, options).map(|_| ()).unwrap_err();
        assert!(
            error.message().contains(&path.display().to_string())
                || error.code() == Code::NewerFormat,
            "{error}"
        );
        error.code()
    }

    #[test]
    fn what_is_no_book_is_told_so() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.fieldbook");
        let write = StoreOptions::default();
        let must_exist = StoreOptions {
            create: false,
            ..write.clone()
        };
        let read = StoreOptions {
            read_only: true,
            ..write.clone()
        };
        assert_eq!(code(&path, &must_exist), Code::NoSuchFile);
        assert_eq!(code(&path, &read), Code::NoSuchFile);
        assert!(!path.exists());
        std::fs::write(&path, "").unwrap();
        assert_eq!(code(&path, &read), Code::NotABook);
        std::fs::write(&path, "name,industry\nacme,finance\n").unwrap();
        assert_eq!(code(&path, &write), Code::NotABook);
        assert_eq!(code(&path, &read), Code::NotABook);
        assert_eq!(code(directory.path(), &write), Code::NotABook);
        std::fs::remove_file(&path).unwrap();
        Builder::new().create(&path).unwrap();
        assert_eq!(code(&path, &write), Code::NotABook);
        assert_eq!(code(&path, &read), Code::NotABook);
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.fieldbook");
        drop(open(&path, &StoreOptions::default()).unwrap());
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..200]).unwrap();
        let error = open(&path, &StoreOptions::default())
            .map(|_| ())
            .unwrap_err();
        assert!(matches!(error.code(), Code::Corrupt | Code::Io), "{error}");
    }

    #[test]
    fn a_newer_format_is_refused_with_both_numbers() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.fieldbook");
        drop(open(&path, &StoreOptions::default()).unwrap());
        let database = Builder::new().open(&path).unwrap();
        let write = database.begin_write().unwrap();
        {
            let mut table = write.open_table(tables::META).unwrap();
            table.insert("format", [7].as_slice()).unwrap();
        }
        write.commit().unwrap();
        drop(database);
        let error = open(&path, &StoreOptions::default())
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error.code(), Code::NewerFormat);
        assert_eq!(
            error.message(),
            "the book has format 7; this version reads up to 2"
        );
    }

    #[test]
    fn one_writes_and_others_read_along() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.fieldbook");
        let options = StoreOptions::default();
        let writer = open(&path, &options).unwrap();
        assert_eq!(code(&path, &options), Code::Locked);
        let reader = open(
            &path,
            &StoreOptions {
                read_only: true,
                ..options
            },
        )
        .unwrap();
        assert_eq!(
            reader.begin().map(|_| ()).unwrap_err().code(),
            Code::ReadOnly
        );
        let before = reader.snapshot().unwrap();
        model::set_schema(&writer);
        let mut transaction = writer.begin().unwrap();
        let row = || [(model::NAME, Value::text("acme"))].into_iter().collect();
        let id = transaction.insert(model::OBJECT, row()).unwrap();
        transaction.commit(model::at(1)).unwrap();
        assert_eq!(before.sequence(), 0);
        let pending = reader.snapshot().unwrap();
        assert_eq!(pending.sequence(), 2);
        let found = |s: &crate::storage::Snapshot| {
            s.lookup(model::NAME_INDEX, &[Value::text("ACME")]).unwrap()
        };
        assert_eq!(found(&pending), [id]);
        writer.fold().unwrap();
        let folded = reader.snapshot().unwrap();
        assert_eq!(found(&folded), [id]);
        assert!(reader.check().unwrap().faults.is_empty());
        drop(writer);
        assert_eq!(found(&pending), [id]);
    }

    #[test]
    fn a_book_held_exclusively_is_read_by_nobody_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.fieldbook");
        let exclusive = StoreOptions {
            exclusive: true,
            ..StoreOptions::default()
        };
        let read = StoreOptions {
            read_only: true,
            ..StoreOptions::default()
        };
        let writer = open(&path, &exclusive).unwrap();
        model::set_schema(&writer);
        assert_eq!(code(&path, &read), Code::Locked);
        drop(writer);
        let reader = open(&path, &read).unwrap();
        assert_eq!(reader.snapshot().unwrap().sequence(), 1);
        assert_eq!(code(&path, &exclusive), Code::Locked);
    }

    #[test]
    fn another_folding_rebuilds_what_is_folded() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.fieldbook");
        let store = open(&path, &StoreOptions::default()).unwrap();
        model::set_schema(&store);
        let mut transaction = store.begin().unwrap();
        let row = [(model::NAME, Value::text("Acme"))].into_iter().collect();
        transaction.insert(model::OBJECT, row).unwrap();
        transaction.commit(model::at(1)).unwrap();
        drop(store);
        let database = Builder::new().open(&path).unwrap();
        let write = database.begin_write().unwrap();
        {
            meta::write_folding(&write, 0).unwrap();
            let mut keys = write.open_table(tables::KEYS).unwrap();
            let own = model::NAME_INDEX.0.to_be_bytes();
            keys.retain(|key, ()| !key.starts_with(&own)).unwrap();
            let mut words = write.open_table(tables::WORDS).unwrap();
            words.retain(|_, _| false).unwrap();
            words
                .insert([1, 1, 3, 65].as_slice(), [].as_slice())
                .unwrap();
        }
        write.commit().unwrap();
        drop(database);
        let store = open(&path, &StoreOptions::default()).unwrap();
        let found = store
            .snapshot()
            .unwrap()
            .lookup(model::NAME_INDEX, &[Value::text("acme")]);
        assert_eq!(found.unwrap().len(), 1);
        assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
    }

    #[test]
    fn a_backup_is_a_whole_book() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.fieldbook");
        let store = model::store();
        let mut transaction = store.begin().unwrap();
        let row = [(model::NAME, Value::text("Acme"))].into_iter().collect();
        transaction.insert(model::OBJECT, row).unwrap();
        transaction.commit(model::at(1)).unwrap();
        store.backup(&path).unwrap();
        assert_eq!(store.backup(&path).unwrap_err().code(), Code::Io);
        assert!(std::fs::metadata(&path).unwrap().len() < 100 << 10);
        let copy = open(&path, &StoreOptions::default()).unwrap();
        let snapshot = copy.snapshot().unwrap();
        assert_eq!(
            (snapshot.sequence(), snapshot.record_count(model::OBJECT)),
            (2, 1)
        );
        assert!(copy.check().unwrap().faults.is_empty());
    }
}
