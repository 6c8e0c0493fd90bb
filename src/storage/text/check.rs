//! The check of the text index: its words are those of the rows.

use super::key;
use super::words::Changes;
use super::write::vocabulary_key;
use crate::error::Result;
use crate::storage::Snapshot;
use crate::storage::fault::OrFault;
use crate::value::ObjectId;
use std::collections::BTreeSet;

/// Compares what the index has of an object with the words of its rows.
pub(in crate::storage) fn check(
    snapshot: &Snapshot,
    object: ObjectId,
    words: Changes,
    mut fault: impl FnMut(String),
) -> Result<()> {
    let base = &snapshot.base;
    let mut expected = words.blocks(object)?;
    let (blocks, known) = (key::blocks(object), key::known(object));
    let mut vocabulary = BTreeSet::new();
    for key in expected.keys() {
        vocabulary.extend(vocabulary_key(object, key::word_and_chunk(key)?.0));
    }
    let words = base.words()?;
    let range = words.range::<&[u8]>(key::bounds(&blocks));
    for entry in range.or_fault()? {
        let (key, bytes) = entry.or_fault()?;
        let (word, chunk) = key::word_and_chunk(key.value())?;
        if expected.remove(key.value()).as_deref() != Some(bytes.value()) {
            fault(format!(
                "the text index is wrong about `{word}` in chunk {chunk} of object {}",
                object.0
            ));
        }
    }
    for key in expected.keys() {
        let (word, chunk) = key::word_and_chunk(key)?;
        fault(format!(
            "the text index lacks `{word}` in chunk {chunk} of object {}",
            object.0
        ));
    }
    let range = words.range::<&[u8]>(key::bounds(&known));
    for entry in range.or_fault()? {
        let (key, nothing) = entry.or_fault()?;
        if !vocabulary.remove(key.value()) || !nothing.value().is_empty() {
            let word = key::vocabulary_word(key.value())?;
            fault(format!(
                "the text index is wrong about `{word}` in the vocabulary of object {}",
                object.0
            ));
        }
    }
    for key in &vocabulary {
        let word = key::vocabulary_word(key)?;
        fault(format!(
            "the text index lacks `{word}` in the vocabulary of object {}",
            object.0
        ));
    }
    Ok(())
}

/// The objects of which the index has words.
pub(in crate::storage) fn objects(snapshot: &Snapshot) -> Result<BTreeSet<ObjectId>> {
    let mut found = BTreeSet::new();
    let words = snapshot.base.words()?;
    let mut next = Some(Vec::new());
    while let Some(low) = next.take() {
        let keys = (low, None);
        let first = words.range::<&[u8]>(key::bounds(&keys)).or_fault()?.next();
        if let Some((first, _)) = first.transpose().or_fault()? {
            let object = key::object_of(first.value())?;
            found.insert(object);
            next = key::starting(key::object(object)).1;
        }
    }
    Ok(found)
}
