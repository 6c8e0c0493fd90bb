//! Bits in bytes: one constant, or words of data and of missing.

use super::{code, get_set, header, open, put_set, unknown};
use crate::column::{Bits, Bitset};
use crate::error::Result;

pub(super) fn encode(bits: &Bits) -> Option<Vec<u8>> {
    let len = bits.data.len();
    let missing = bits.missing.as_ref().filter(|set| !set.none());
    if len == 0 || missing.is_some_and(Bitset::all) {
        return None;
    }
    if missing.is_none() && (bits.data.none() || bits.data.all()) {
        let mut out = header(code::CONSTANT_BITS, len);
        out.push(u8::from(bits.data.all()));
        return Some(out);
    }
    let mut out = header(code::BITS, len);
    out.push(u8::from(missing.is_some()));
    put_set(&mut out, &bits.data);
    if let Some(missing) = missing {
        put_set(&mut out, missing);
    }
    Some(out)
}

pub(super) fn decode(bytes: &[u8], limit: usize) -> Result<Bits> {
    let (code, len, mut reader) = open(bytes, limit)?;
    let flag: bool = reader.get()?;
    let bits = match code {
        code::CONSTANT_BITS => Bits {
            data: if flag {
                Bitset::full(len)
            } else {
                Bitset::new(len)
            },
            missing: None,
        },
        code::BITS => Bits {
            data: get_set(&mut reader, len)?,
            missing: flag.then(|| get_set(&mut reader, len)).transpose()?,
        },
        _ => return Err(unknown(code)),
    };
    reader.end()?;
    Ok(bits)
}
