//! Integers in bytes: one constant, differences from a base in 1, 2 or 4 bytes, or 8 bytes each.

use super::{code, get_set, header, missing_ints, open, put_set, unknown, words};
use crate::column::{Bitset, Ints};
use crate::error::Result;
use crate::storage::codec::Writer;
use crate::storage::fault::corrupt;
use std::sync::Arc;

/// The narrowest form that holds the values; nothing if there are none.
pub(super) fn encode(ints: &Ints) -> Option<Vec<u8>> {
    let len = ints.len();
    let mut present = 0;
    let (mut min, mut max) = (i64::MAX, i64::MIN);
    for n in ints.iter().flatten() {
        present += 1;
        min = min.min(n);
        max = max.max(n);
    }
    if present == 0 {
        return None;
    }
    let span = max.abs_diff(min);
    let start = |code| {
        let mut out = Writer {
            bytes: header(code, len),
        };
        out.put(min);
        out.bytes
    };
    let code = |n: Option<i64>| n.map(|n| n.abs_diff(min));
    if span == 0 && present == len {
        return Some(start(code::CONSTANT_INT));
    }
    let mut out;
    // The largest code means missing, so a span must stay below it.
    if let Some(narrow) = narrowed(span, u64::from(u8::MAX)) {
        out = start(code::INTS_8);
        out.extend(ints.iter().map(|n| narrow(code(n)) as u8));
    } else if let Some(narrow) = narrowed(span, u64::from(u16::MAX)) {
        out = start(code::INTS_16);
        let codes = ints.iter().map(|n| narrow(code(n)) as u16);
        codes.for_each(|n| out.extend(n.to_le_bytes()));
    } else if let Some(narrow) = narrowed(span, u64::from(u32::MAX)) {
        out = start(code::INTS_32);
        let codes = ints.iter().map(|n| narrow(code(n)) as u32);
        codes.for_each(|n| out.extend(n.to_le_bytes()));
    } else {
        out = header(code::INTS_64, len);
        out.push(u8::from(present < len));
        for n in ints.iter() {
            out.extend(n.unwrap_or(0).to_le_bytes());
        }
        if present < len {
            put_set(&mut out, &ints.missing());
        }
    }
    Some(out)
}

/// Codes below `missing`, if the span fits there.
fn narrowed(span: u64, missing: u64) -> Option<impl Fn(Option<u64>) -> u64> {
    (span < missing).then_some(move |code: Option<u64>| code.unwrap_or(missing))
}

pub(super) fn decode(bytes: &[u8], limit: usize) -> Result<Ints> {
    let (code, len, mut reader) = open(bytes, limit)?;
    if code == code::INTS_64 {
        let partial: bool = reader.get()?;
        let values = words(&mut reader, len, i64::from_le_bytes)?;
        let missing: Option<Bitset> = partial
            .then(|| get_set(&mut reader, len))
            .transpose()?
            .filter(|set| !set.none());
        reader.end()?;
        return Ok(Ints::I64 {
            values: Arc::new(values),
            missing,
        });
    }
    let base: i64 = reader.get()?;
    let ints = match code {
        code::CONSTANT_INT => Ints::Constant {
            value: Some(base),
            len,
        },
        code::INTS_8 => Ints::U8 {
            base,
            codes: Arc::new(reader.take(len)?.to_vec()),
        },
        code::INTS_16 => Ints::U16 {
            base,
            codes: Arc::new(words(&mut reader, len, u16::from_le_bytes)?),
        },
        code::INTS_32 => Ints::U32 {
            base,
            codes: Arc::new(words(&mut reader, len, u32::from_le_bytes)?),
        },
        _ => return Err(unknown(code)),
    };
    reader.end()?;
    let top = match &ints {
        // Only near the end of the range can a base and a code overflow.
        _ if base <= i64::MAX - i64::from(u32::MAX) => None,
        Ints::U8 { codes, .. } => max_code(codes, u8::MAX).map(i64::from),
        Ints::U16 { codes, .. } => max_code(codes, u16::MAX).map(i64::from),
        Ints::U32 { codes, .. } => max_code(codes, u32::MAX).map(i64::from),
        Ints::Constant { .. } | Ints::I64 { .. } => None,
    };
    if top.is_some_and(|top| base.checked_add(top).is_none()) {
        return Err(corrupt("a column chunk holds numbers out of range"));
    }
    Ok(if len == 0 { missing_ints(0) } else { ints })
}

fn max_code<T: Ord + Copy>(codes: &[T], missing: T) -> Option<T> {
    codes.iter().copied().filter(|&code| code != missing).max()
}
