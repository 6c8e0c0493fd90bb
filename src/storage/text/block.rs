//! A block of postings: where one word stands in the records of one chunk.

use crate::column::CHUNK_RECORDS;
use crate::error::Result;
use crate::storage::codec::{Reader, Writer};

/// The code of the one encoding there is: for each field, ascending, its number, the number of
/// its postings, and for each the slots passed over since the one before, times 8, plus the band
/// of the field's length.
pub(in crate::storage) const POSTINGS: u8 = 1;

/// A word in a field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Posting {
    pub field: u16,
    pub slot: u16,
    /// How many words the field has, in eight steps.
    pub band: u8,
}

/// The bytes of postings that are sorted.
pub(super) fn encode(postings: &[Posting]) -> Vec<u8> {
    let mut out = Writer {
        bytes: Vec::with_capacity(8 + 2 * postings.len()),
    };
    out.put(POSTINGS);
    for group in postings.chunk_by(|a, b| a.field == b.field) {
        out.put(group[0].field);
        out.put(group.len() as u64);
        let mut next = 0;
        for posting in group {
            out.put(posting.slot.saturating_sub(next) << 3 | u16::from(posting.band & 7));
            next = posting.slot + 1;
        }
    }
    out.bytes
}

pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Posting>> {
    let mut reader = Reader::new("a block of the text index", bytes);
    if reader.get::<u8>()? != POSTINGS {
        return Err(reader.fault());
    }
    let mut postings = Vec::new();
    let mut last = None;
    while !reader.is_empty() {
        let field: u16 = reader.get()?;
        let count = reader.get_len()?;
        if last >= Some(field) || count == 0 {
            return Err(reader.fault());
        }
        last = Some(field);
        let mut next = 0_u16;
        for _ in 0..count {
            let packed: u16 = reader.get()?;
            let slot = next + (packed >> 3);
            if usize::from(slot) >= CHUNK_RECORDS {
                return Err(reader.fault());
            }
            postings.push(Posting {
                field,
                slot,
                band: (packed & 7) as u8,
            });
            next = slot + 1;
        }
    }
    if postings.is_empty() {
        return Err(reader.fault());
    }
    Ok(postings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use proptest::prelude::*;

    #[test]
    fn bytes_are_as_specified() {
        let posting = |field, slot, band| Posting { field, slot, band };
        let postings = [posting(0, 3, 1), posting(0, 4, 0), posting(2, 3_967, 7)];
        let packed = (3_967_u16 << 3 | 7).to_le_bytes();
        let bytes = [1, 0, 2, 3 << 3 | 1, 0, 2, 1, 251, packed[0], packed[1]];
        assert_eq!(encode(&postings), bytes);
        assert_eq!(decode(&bytes).unwrap(), postings);
        for bad in [
            &[][..],
            &[1],
            &[2, 0, 1, 8],
            &[1, 0, 0],
            &[1, 0, 1, 251, 0, 124],
        ] {
            assert_eq!(decode(bad).unwrap_err().code(), Code::Corrupt, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn postings_come_back(
            places in prop::collection::btree_map((0_u16..9, 0_u16..3_968), 0_u8..8, 1..200),
        ) {
            let postings: Vec<_> = places
                .into_iter()
                .map(|((field, slot), band)| Posting { field, slot, band })
                .collect();
            prop_assert_eq!(decode(&encode(&postings)).unwrap(), postings);
        }

        #[test]
        fn damaged_blocks_are_errors_or_blocks(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(postings) = decode(&bytes) {
                prop_assert!(postings.is_sorted());
            }
        }
    }
}
