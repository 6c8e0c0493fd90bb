//! Searching: the records in which a word stands, stored ones from the index and those of the
//! overlay from their rows.

use super::block;
use super::key::{self, Keys};
use crate::column::CHUNK_RECORDS;
use crate::error::Result;
use crate::storage::fault::{OrFault, guard};
use crate::storage::{ObjectLayout, Row, Snapshot};
use crate::value::{
    Closeness, FieldId, ObjectId, RecordId, Sought, Value, each_word_of, length_band,
};

/// A word met in a field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TextHit {
    pub id: RecordId,
    pub field: FieldId,
    /// The nearest of the field's words.
    pub closeness: Closeness,
    /// How many words the field has, in steps; see [`length_band`].
    pub band: u8,
}

/// Where a word was met.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// By record and field, one for each.
    pub hits: Vec<TextHit>,
    /// Words of the index that are near enough.
    pub spellings: u64,
    /// Entries of the index that were read.
    pub postings: u64,
}

impl Snapshot {
    /// Where a word is met in the records of an object. `step` is told now and then how many hits
    /// there are so far, and may stop the search.
    pub(crate) fn find_word(
        &self,
        object: ObjectId,
        sought: &Sought,
        step: &mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<Found> {
        step(0)?;
        let mut found = guard(|| self.stored_words(object, sought, step))?;
        let layout = self.layout(object);
        if let Some(records) = self.overlay.objects.get(&object) {
            let changed = &records.records;
            if !changed.is_empty() {
                found.hits.retain(|hit| !changed.contains_key(&hit.id.0));
            }
            for (&id, entry) in changed {
                step(found.hits.len())?;
                if let Some(row) = &entry.current {
                    met(layout, row, sought, RecordId(id), &mut found.hits);
                }
            }
        }
        if let Some(past) = &self.past {
            let now = self.now();
            let lives = past.lives(&now, object)?;
            let changed = past.changed_texts(&now, layout)?;
            let kept = |id: u64| !lives.is_unborn(id) && !changed.contains(&id);
            found.hits.retain(|hit| kept(hit.id.0));
            for id in changed.iter().map(|id| RecordId(*id)) {
                step(found.hits.len())?;
                if let Some(row) = self.row(object, id)? {
                    met(layout, &row, sought, id, &mut found.hits);
                }
            }
        }
        found
            .hits
            .sort_unstable_by_key(|hit| (hit.id, hit.field, std::cmp::Reverse(hit.closeness)));
        found.hits.dedup_by_key(|hit| (hit.id, hit.field));
        Ok(found)
    }

    fn stored_words(
        &self,
        object: ObjectId,
        sought: &Sought,
        step: &mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<Found> {
        let mut found = Found::default();
        let own = key::word(object, &sought.text, !sought.prefix);
        let closeness = |word: &str| match word == sought.text {
            true => Closeness::Exact,
            false => Closeness::Prefix,
        };
        self.blocks(object, key::starting(own), &mut found, closeness, step)?;
        let mut near = Vec::new();
        for letters in sought.lengths() {
            let keys = key::starting(key::letters(object, letters));
            let words = self.base.words()?;
            let range = words.range::<&[u8]>(key::bounds(&keys));
            for entry in range.or_fault()? {
                step(found.hits.len())?;
                let entry = entry.or_fault()?.0;
                let word = key::vocabulary_word(entry.value())?;
                if let Some(closeness @ (Closeness::OneEdit | Closeness::TwoEdits)) =
                    sought.closeness(word)
                {
                    near.push((word.to_owned(), closeness));
                }
            }
        }
        for (word, closeness) in near {
            let keys = key::starting(key::word(object, &word, true));
            self.blocks(object, keys, &mut found, |_| closeness, step)?;
        }
        Ok(found)
    }

    /// Adds the postings under keys of an object.
    fn blocks(
        &self,
        object: ObjectId,
        keys: Keys,
        found: &mut Found,
        closeness: impl Fn(&str) -> Closeness,
        step: &mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        let layout = self.layout(object);
        let kept = |field: u16| {
            let field = layout.fields.get(usize::from(field));
            field.is_some_and(|field| !field.dropped)
        };
        let mut last = String::new();
        let words = self.base.words()?;
        let range = words.range::<&[u8]>(key::bounds(&keys));
        for entry in range.or_fault()? {
            step(found.hits.len())?;
            let (key, bytes) = entry.or_fault()?;
            let (word, chunk) = key::word_and_chunk(key.value())?;
            if word != last {
                found.spellings += 1;
                word.clone_into(&mut last);
            }
            let closeness = closeness(word);
            let start = u64::from(chunk) * CHUNK_RECORDS as u64;
            for posting in block::decode(bytes.value())? {
                found.postings += 1;
                // A field may have been dropped by the transaction at hand.
                if kept(posting.field) {
                    found.hits.push(TextHit {
                        id: RecordId(start + u64::from(posting.slot)),
                        field: FieldId(posting.field),
                        closeness,
                        band: posting.band,
                    });
                }
            }
        }
        Ok(())
    }
}

/// Adds where a word is met in a row.
fn met(layout: &ObjectLayout, row: &Row, sought: &Sought, id: RecordId, hits: &mut Vec<TextHit>) {
    for (at, field) in (0..).map(FieldId).zip(&layout.fields) {
        if field.dropped || !field.ty.is_text() {
            continue;
        }
        let Value::Text(text) = row.get(at) else {
            continue;
        };
        let (mut best, mut words) = (None, 0);
        each_word_of(&field.ty, text, |_, word| {
            words += 1;
            best = best.max(sought.closeness(word));
        });
        if let Some(closeness) = best {
            hits.push(TextHit {
                id,
                field: at,
                closeness,
                band: length_band(words),
            });
        }
    }
}
