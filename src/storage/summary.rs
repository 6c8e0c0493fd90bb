//! What is known of a column without reading it: counts, ranges and distinct values.

use super::codec;
use crate::column::Vector;
use crate::error::Result;
use crate::value::{LabelCode, Value};
use serde::{Deserialize, Serialize};

/// The most hashes a sketch keeps. Below this many distinct values the count is exact.
const SKETCH: usize = 256;

/// The stored form of a column's summary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ColumnSummary {
    pub(super) chunks: Vec<ChunkRange>,
    /// The labels of a tags field that any chunk holds.
    pub(super) labels: Vec<LabelCode>,
    /// The smallest hashes of the values ever held, in order: their number if few, and if many
    /// their density, give the number of distinct values.
    sketch: Vec<u64>,
}

/// What is known of one chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChunkRange {
    /// Slots with a value.
    pub(super) present: u32,
    /// The smallest and largest integer.
    pub(super) range: Option<(i64, i64)>,
}

impl ChunkRange {
    pub(super) fn of(vector: &Vector) -> Self {
        let missing = vector.missing_slots().count();
        let range = match vector {
            Vector::Ints(ints) | Vector::Pair(ints, _) => {
                ints.iter().flatten().fold(None, |range, n| match range {
                    None => Some((n, n)),
                    Some((low, high)) => Some((n.min(low), n.max(high))),
                })
            }
            _ => None,
        };
        Self {
            present: u32::try_from(vector.len() - missing).unwrap_or(u32::MAX),
            range,
        }
    }
}

impl ColumnSummary {
    pub(super) fn encode(&self) -> Result<Vec<u8>> {
        codec::encode(self)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        codec::decode("a summary", bytes)
    }

    pub(super) fn set_chunk(&mut self, chunk: u32, vector: &Vector) {
        let at = chunk as usize;
        if at >= self.chunks.len() {
            self.chunks.resize(at + 1, ChunkRange::default());
        }
        self.chunks[at] = ChunkRange::of(vector);
        if let Vector::Tags(tags) = vector {
            for (&label, set) in &tags.sets {
                if !set.none()
                    && let Err(at) = self.labels.binary_search(&label)
                {
                    self.labels.insert(at, label);
                }
            }
        }
    }

    /// Counts a value among the distinct ones.
    pub(super) fn note(&mut self, value: &Value) {
        if value.is_missing() {
            return;
        }
        let hash = hash(value);
        if self.sketch.len() >= SKETCH && self.sketch.last().is_some_and(|&last| hash >= last) {
            return;
        }
        if let Err(at) = self.sketch.binary_search(&hash) {
            self.sketch.insert(at, hash);
            self.sketch.truncate(SKETCH);
        }
    }

    pub(super) fn has_seen(&self, value: &Value) -> bool {
        let hash = hash(value);
        let beyond = self.sketch.len() >= SKETCH && self.sketch.last().is_some_and(|&l| hash > l);
        beyond || self.sketch.binary_search(&hash).is_ok()
    }

    pub(super) fn present(&self) -> u64 {
        self.chunks
            .iter()
            .map(|chunk| u64::from(chunk.present))
            .sum()
    }

    /// The number of distinct values.
    pub(super) fn distinct(&self) -> u64 {
        match self.sketch.last() {
            Some(&last) if self.sketch.len() >= SKETCH => {
                let share = last as f64 / u64::MAX as f64;
                let estimate = ((SKETCH - 1) as f64 / share).round() as u64;
                estimate.max(SKETCH as u64)
            }
            _ => self.sketch.len() as u64,
        }
    }
}

/// A hash that is the same in every version and on every machine: FNV-1a, then mixed.
fn hash(value: &Value) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let mut eat = |bytes: &[u8]| {
        for &byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    };
    match value {
        Value::Text(text) => eat(text.as_bytes()),
        // Zero has one form.
        Value::Number(n) => eat(&(n + 0.0).to_bits().to_le_bytes()),
        Value::Boolean(b) => eat(&[u8::from(*b)]),
        Value::Tags(codes) => codes.iter().for_each(|code| eat(&code.0.to_le_bytes())),
        other => {
            if let Some(n) = other.as_int() {
                eat(&n.to_le_bytes());
            } else if let Some((a, b)) = other.as_pair() {
                eat(&a.to_le_bytes());
                eat(&b.to_le_bytes());
            }
        }
    }
    let mixed = (hash ^ hash >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}
