//! The text index: which words stand in which fields of which records. No positions: a snippet
//! reads the row.
//!
//! One table holds it. There is a block of postings for each object, word and chunk; and each
//! object's vocabulary: its words of three letters and more, by length, which a search goes
//! through for words with typos. Words with a digit are only met exactly or by their beginning.

mod block;
mod check;
mod key;
mod search;
mod words;
mod write;

#[cfg(test)]
pub(super) use block::POSTINGS as POSTINGS_CODE;
pub(super) use check::{check, objects};
pub(crate) use search::TextHit;
pub(super) use words::{Changes, Words};
pub(super) use write::{drop_fields, fold, rebuild, words};

/// Shorter words are not in the vocabulary: a word of four letters differs by one edit at most.
const VOCABULARY_LETTERS: usize = 3;
