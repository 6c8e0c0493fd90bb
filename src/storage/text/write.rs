//! Writing the text index: changed words into their blocks, sorted once a fold.

use super::words::{Changes, Words, apply};
use super::{VOCABULARY_LETTERS, block, key};
use crate::column::CHUNK_RECORDS;
use crate::error::Result;
use crate::storage::fault::OrFault;
use crate::storage::index::insert_sorted;
use crate::storage::meta;
use crate::storage::overlay::Overlay;
use crate::storage::tables::{self, Bytes};
use crate::storage::{ObjectLayout, Snapshot};
use crate::value::{ObjectId, letters};
use redb::{ReadableTable, Table, WriteTransaction};

/// New blocks wait until there are so many, so that they go in together.
const WAITING: usize = 1 << 16;

/// The index, open for writing.
struct TextTable<'txn>(Table<'txn, Bytes, Bytes>);

/// The words that the overlay lays over the stored structures.
pub(in crate::storage) fn words(overlay: &Overlay) -> Vec<(ObjectId, Words)> {
    let objects = overlay.objects.iter().map(|(&object, records)| {
        let layout = overlay.schema.layout(object);
        let mut changes = Changes::default();
        for (&id, entry) in &records.records {
            let (before, after) = (entry.stored.as_deref(), entry.current.as_deref());
            changes.row(layout, id, before, after);
        }
        (object, changes.sorted())
    });
    objects.filter(|(_, words)| !words.is_empty()).collect()
}

/// Writes changed words; the meta table still has the counts before.
pub(in crate::storage) fn fold(
    write: &WriteTransaction,
    words: Vec<(ObjectId, Words)>,
) -> Result<()> {
    let mut table = TextTable::open(write)?;
    for (object, words) in words {
        let next = meta::read_counts(write, object)?.next;
        let chunks = next.div_ceil(CHUNK_RECORDS as u64);
        table.write(object, &words, chunks)?;
    }
    Ok(())
}

/// Writes the index anew from all rows.
pub(in crate::storage) fn rebuild(write: &WriteTransaction, snapshot: &Snapshot) -> Result<()> {
    let mut table = TextTable::open(write)?;
    table.0.retain(|_, _| false).or_fault()?;
    for layout in snapshot.overlay.schema.layouts.values() {
        let mut changes = Changes::default();
        snapshot.every_row(layout.id, |id, row| {
            changes.row(layout, id.0, None, Some(row));
            Ok(())
        })?;
        table.write(layout.id, &changes.sorted(), 0)?;
    }
    Ok(())
}

/// Takes the fields of `old` that `new` no longer has out of the index.
pub(in crate::storage) fn drop_fields(
    write: &WriteTransaction,
    old: &ObjectLayout,
    new: Option<&ObjectLayout>,
) -> Result<()> {
    let gone = |at: usize| new.is_none_or(|new| new.fields[at].dropped);
    let fields = old.fields.iter().enumerate();
    let texts = || fields.clone().filter(|(_, f)| !f.dropped && f.ty.is_text());
    if !texts().any(|(at, _)| gone(at)) {
        return Ok(());
    }
    let mut table = TextTable::open(write)?;
    if texts().all(|(at, _)| gone(at)) {
        let all = key::starting(key::object(old.id));
        return table
            .0
            .retain_in::<&[u8], _>(key::bounds(&all), |_, _| false)
            .or_fault();
    }
    table.keep(old.id, |field| !gone(usize::from(field)))
}

impl<'txn> TextTable<'txn> {
    fn open(write: &'txn WriteTransaction) -> Result<Self> {
        write.open_table(tables::WORDS).or_fault().map(Self)
    }

    /// Changes the blocks of words; from the chunk `known` on there are none yet.
    fn write(&mut self, object: ObjectId, words: &Words, known: u64) -> Result<()> {
        let empty = self.is_empty(key::object(object))?;
        let mut fresh = Fresh::default();
        for (word, changes) in words.iter() {
            let (mut added, mut removed) = (false, false);
            for group in changes.chunk_by(|a, b| a.chunk == b.chunk) {
                let key = key::block(object, word, group[0].chunk);
                let old = if empty || u64::from(group[0].chunk) >= known {
                    None
                } else {
                    self.block(&key)?
                };
                let known = old.is_some();
                let postings = apply(old.unwrap_or_default(), group)?;
                match (known, postings.is_empty()) {
                    (false, true) => {}
                    (false, false) => {
                        added = true;
                        fresh.blocks.push((key, block::encode(&postings)));
                    }
                    (true, true) => {
                        removed = true;
                        self.0.remove(key.as_slice()).or_fault()?;
                    }
                    (true, false) => {
                        let bytes = block::encode(&postings);
                        self.0.insert(key.as_slice(), bytes.as_slice()).or_fault()?;
                    }
                }
            }
            if let Some(key) = vocabulary_key(object, word) {
                if added && (empty || !self.knows(&key)?) {
                    fresh.words.push(key);
                } else if removed && !added && self.is_empty(key::word(object, word, true))? {
                    self.0.remove(key.as_slice()).or_fault()?;
                }
            }
            if fresh.blocks.len() >= WAITING {
                self.add(&mut fresh)?;
            }
        }
        self.add(&mut fresh)
    }

    /// Keeps the postings of those fields of an object for which `kept` holds.
    fn keep(&mut self, object: ObjectId, kept: impl Fn(u16) -> bool) -> Result<()> {
        let all = key::blocks(object);
        let mut changed = Vec::new();
        for entry in self.0.range::<&[u8]>(key::bounds(&all)).or_fault()? {
            let (key, bytes) = entry.or_fault()?;
            let mut postings = block::decode(bytes.value())?;
            let before = postings.len();
            postings.retain(|posting| kept(posting.field));
            if postings.len() < before {
                changed.push((key.value().to_vec(), postings));
            }
        }
        for (key, postings) in changed {
            if !postings.is_empty() {
                let bytes = block::encode(&postings);
                self.0.insert(key.as_slice(), bytes.as_slice()).or_fault()?;
                continue;
            }
            self.0.remove(key.as_slice()).or_fault()?;
            let (word, _) = key::word_and_chunk(&key)?;
            if let Some(known) = vocabulary_key(object, word)
                && self.is_empty(key::word(object, word, true))?
            {
                self.0.remove(known.as_slice()).or_fault()?;
            }
        }
        Ok(())
    }

    fn block(&self, key: &[u8]) -> Result<Option<Vec<block::Posting>>> {
        let bytes = self.0.get(key).or_fault()?;
        bytes.map(|bytes| block::decode(bytes.value())).transpose()
    }

    fn knows(&self, key: &[u8]) -> Result<bool> {
        Ok(self.0.get(key).or_fault()?.is_some())
    }

    /// Whether no block's key starts so.
    fn is_empty(&self, prefix: Vec<u8>) -> Result<bool> {
        let keys = key::starting(prefix);
        let mut range = self.0.range::<&[u8]>(key::bounds(&keys)).or_fault()?;
        Ok(range.next().transpose().or_fault()?.is_none())
    }

    fn add(&mut self, fresh: &mut Fresh) -> Result<()> {
        let blocks = fresh.blocks.iter();
        let blocks = blocks.map(|(key, bytes)| (key.as_slice(), bytes.as_slice()));
        insert_sorted(&mut self.0, blocks)?;
        // By length, then in order.
        fresh.words.sort_unstable();
        let words = fresh.words.iter().map(|key| (key.as_slice(), &[][..]));
        insert_sorted(&mut self.0, words)?;
        fresh.blocks.clear();
        fresh.words.clear();
        Ok(())
    }
}

/// What is not in the table yet, in the order of keys.
#[derive(Default)]
struct Fresh {
    blocks: Vec<(Vec<u8>, Vec<u8>)>,
    words: Vec<Vec<u8>>,
}

/// The key under which the vocabulary has a word, if it is one for it.
pub(super) fn vocabulary_key(object: ObjectId, word: &str) -> Option<Vec<u8>> {
    let count = letters(word).filter(|&count| count >= VOCABULARY_LETTERS)?;
    Some(key::vocabulary(object, word, count))
}
