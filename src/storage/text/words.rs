//! The words of rows: what comes into the text index and what goes.

use super::block::{self, Posting};
use crate::column::CHUNK_RECORDS;
use crate::error::Result;
use crate::storage::fault::corrupt;
use crate::storage::{ObjectLayout, Row};
use crate::value::{FieldId, FieldType, Value, each_word_of, length_band};
use foldhash::HashMap;
use std::collections::BTreeMap;

/// About what a word takes that is met for the first time.
const WORD_BYTES: usize = 64;

/// A word that comes into a field of a record, or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub chunk: u32,
    posting: Posting,
    comes: bool,
}

/// Changes of one object's records, each with the number of its word.
#[derive(Default)]
pub(in crate::storage) struct Changes {
    words: HashMap<Box<str>, Known>,
    changes: Vec<(u32, Change)>,
    scratch: Scratch,
}

#[derive(Clone, Copy)]
struct Known {
    number: u32,
    /// The place of its last change.
    last: usize,
}

/// Words in their order, each with its changes by record, in the order of ids.
#[derive(Default)]
pub(in crate::storage) struct Words {
    /// Each word, and where its changes end.
    words: Vec<(Box<str>, usize)>,
    changes: Vec<Change>,
}

impl Words {
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[Change])> {
        let mut start = 0;
        self.words.iter().map(move |(word, end)| {
            let changes = &self.changes[start..*end];
            start = *end;
            (&**word, changes)
        })
    }
}

/// The words of the field at hand.
#[derive(Default)]
struct Scratch {
    text: String,
    ends: Vec<usize>,
}

impl Changes {
    /// Adds what changes from one row of a record to another. Records come in the order of ids.
    pub(in crate::storage) fn row(
        &mut self,
        layout: &ObjectLayout,
        id: u64,
        before: Option<&Row>,
        after: Option<&Row>,
    ) {
        for (at, field) in (0..).zip(&layout.fields) {
            if field.dropped || !field.ty.is_text() {
                continue;
            }
            fn text(row: Option<&Row>, at: u16) -> Option<&str> {
                match row?.get(FieldId(at)) {
                    Value::Text(text) => Some(text),
                    _ => None,
                }
            }
            let (before, after) = (text(before, at), text(after, at));
            if before == after {
                continue;
            }
            for (text, comes) in [(before, false), (after, true)] {
                if let Some(text) = text {
                    self.field(&field.ty, (id, at), text, comes);
                }
            }
        }
    }

    fn field(&mut self, ty: &FieldType, (id, field): (u64, u16), text: &str, comes: bool) {
        let Scratch { text: words, ends } = &mut self.scratch;
        words.clear();
        ends.clear();
        each_word_of(ty, text, |_, word| {
            words.push_str(word);
            ends.push(words.len());
        });
        let records = CHUNK_RECORDS as u64;
        let change = Change {
            chunk: u32::try_from(id / records).unwrap_or(u32::MAX),
            posting: Posting {
                field,
                slot: u16::try_from(id % records).unwrap_or(u16::MAX),
                band: length_band(ends.len()),
            },
            comes,
        };
        let mut start = 0;
        for &end in ends.iter() {
            let word = &words[start..end];
            start = end;
            let last = self.changes.len();
            let number = match self.words.get_mut(word) {
                // A word may stand twice in a field.
                Some(known) if self.changes[known.last].1 == change => continue,
                Some(known) => {
                    known.last = last;
                    known.number
                }
                None => {
                    let number = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
                    self.words.insert(word.into(), Known { number, last });
                    number
                }
            };
            self.changes.push((number, change));
        }
    }

    /// About how many it takes in memory.
    pub(in crate::storage) fn bytes(&self) -> usize {
        size_of_val(self.changes.as_slice()) + self.words.len() * WORD_BYTES
    }

    pub(in crate::storage) fn sorted(self) -> Words {
        let mut words: Vec<_> = self.words.into_iter().collect();
        words.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut places = vec![0; words.len()];
        for (number, _) in &self.changes {
            places[*number as usize] += 1;
        }
        // From how many changes each word has to where they begin.
        let mut end = 0;
        for (_, known) in &words {
            let place = &mut places[known.number as usize];
            let count = std::mem::replace(place, end);
            end += count;
        }
        let Some(&(_, some)) = self.changes.first() else {
            return Words::default();
        };
        let mut changes = vec![some; self.changes.len()];
        for (number, change) in self.changes {
            let place = &mut places[number as usize];
            changes[*place] = change;
            *place += 1;
        }
        let ends = |known: Known| places[known.number as usize];
        Words {
            words: words
                .into_iter()
                .map(|(word, known)| (word, ends(known)))
                .collect(),
            changes,
        }
    }

    /// The blocks of an index that holds these changes alone, by key.
    pub(in crate::storage) fn blocks(
        self,
        object: crate::value::ObjectId,
    ) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        let mut blocks = BTreeMap::new();
        for (word, changes) in self.sorted().iter() {
            for group in changes.chunk_by(|a, b| a.chunk == b.chunk) {
                let key = super::key::block(object, word, group[0].chunk);
                blocks.insert(key, block::encode(&apply(Vec::new(), group)?));
            }
        }
        Ok(blocks)
    }
}

/// The postings of a block after changes.
pub(super) fn apply(mut postings: Vec<Posting>, changes: &[Change]) -> Result<Vec<Posting>> {
    if postings.is_empty() && changes.iter().all(|change| change.comes) {
        postings.reserve_exact(changes.len());
        postings.extend(changes.iter().map(|change| change.posting));
        postings.sort_unstable();
        return Ok(postings);
    }
    let place = |posting: Posting| (posting.field, posting.slot);
    let mut known: BTreeMap<_, Posting> = postings.into_iter().map(|p| (place(p), p)).collect();
    for change in changes {
        let at = place(change.posting);
        if change.comes {
            known.insert(at, change.posting);
        } else if known.remove(&at).is_none() {
            return Err(corrupt("the text index lacks a word of a record"));
        }
    }
    Ok(known.into_values().collect())
}
