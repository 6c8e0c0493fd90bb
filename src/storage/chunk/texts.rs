//! Texts in bytes: one constant, a dictionary and codes, or all texts one after the other.
//!
//! Codes and lengths are themselves parts of integers, with missing slots in band.

use super::{code, header, ints, open, unknown};
use crate::column::{Ints, TextBlock, Texts};
use crate::error::Result;
use crate::storage::codec::{Reader, Writer};
use crate::storage::fault::corrupt;
use std::collections::HashMap;
use std::sync::Arc;

/// The smallest form; nothing if every text is missing.
pub(super) fn encode(texts: &Texts) -> Option<Vec<u8>> {
    let len = texts.len();
    let mut codes: Vec<Option<u16>> = Vec::with_capacity(len);
    let mut places: HashMap<&str, u16> = HashMap::new();
    let mut entries: Vec<&str> = Vec::new();
    let mut plain_bytes = 0;
    let mut dictionary_fits = true;
    for text in texts.iter() {
        let Some(text) = text else {
            codes.push(None);
            continue;
        };
        plain_bytes += text.len();
        if !dictionary_fits {
            continue;
        }
        let next = u16::try_from(entries.len()).ok().filter(|&n| n < u16::MAX);
        let code = match (places.get(text), next) {
            (Some(&code), _) => code,
            (None, Some(next)) => {
                places.insert(text, next);
                entries.push(text);
                next
            }
            (None, None) => {
                dictionary_fits = false;
                continue;
            }
        };
        codes.push(Some(code));
    }
    let first = texts.iter().flatten().next()?;
    if dictionary_fits && entries.len() == 1 && codes.iter().all(Option::is_some) {
        let mut out = Writer {
            bytes: header(code::CONSTANT_TEXT, len),
        };
        out.put(first);
        return Some(out.bytes);
    }
    let entry_bytes: usize = entries.iter().map(|text| text.len()).sum();
    let code_width = if entries.len() < 255 { 1 } else { 2 };
    let dictionary = entry_bytes + entries.len() + len * code_width;
    if dictionary_fits && dictionary < plain_bytes + len {
        let mut out = Writer {
            bytes: header(code::DICTIONARY, len),
        };
        put_texts(&mut out, entries.iter().copied().map(Some));
        let codes = codes.iter().map(|code| code.map(i64::from));
        put_ints(&mut out, &Ints::from_options(codes));
        return Some(out.bytes);
    }
    let mut out = Writer {
        bytes: header(code::PLAIN_TEXT, len),
    };
    put_texts(&mut out, texts.iter());
    Some(out.bytes)
}

pub(super) fn decode(bytes: &[u8], limit: usize) -> Result<Texts> {
    let (code, len, mut reader) = open(bytes, limit)?;
    let texts = match code {
        code::CONSTANT_TEXT => Texts::Constant {
            value: Some(Arc::from(reader.get::<&str>()?)),
            len,
        },
        code::DICTIONARY => {
            let (entries, _) = get_texts(&mut reader, len)?;
            let codes = narrow_codes(&get_ints(&mut reader, len)?, entries.len())?;
            Texts::Dictionary {
                codes: Arc::new(codes),
                entries: Arc::new(entries),
            }
        }
        code::PLAIN_TEXT => {
            let (texts, lengths) = get_texts(&mut reader, len)?;
            let missing = Some(lengths.missing()).filter(|set| !set.none());
            Texts::plain(texts, missing)
        }
        _ => return Err(unknown(code)),
    };
    reader.end()?;
    if texts.len() == len {
        Ok(texts)
    } else {
        Err(corrupt("a column chunk of text has the wrong length"))
    }
}

fn narrow_codes(codes: &Ints, entries: usize) -> Result<Vec<u16>> {
    codes
        .iter()
        .map(|code| match code {
            None => Ok(u16::MAX),
            Some(code) => u16::try_from(code)
                .ok()
                .filter(|&code| usize::from(code) < entries && code != u16::MAX)
                .ok_or_else(|| corrupt("a column chunk names text beyond its dictionary")),
        })
        .collect()
}

fn put_ints(out: &mut Writer, values: &Ints) {
    out.put(values.len() as u64);
    out.put_block(&ints::encode(values).unwrap_or_default());
}

fn get_ints(reader: &mut Reader<'_>, limit: usize) -> Result<Ints> {
    let len: u64 = reader.get()?;
    let block = reader.get_block()?;
    let len = usize::try_from(len)
        .ok()
        .filter(|&len| len <= limit)
        .ok_or_else(|| reader.fault())?;
    if block.is_empty() {
        return Ok(super::missing_ints(len));
    }
    Some(ints::decode(block, len)?)
        .filter(|ints| ints.len() == len)
        .ok_or_else(|| reader.fault())
}

/// The lengths of the texts, missing where a text is, then all of them joined.
fn put_texts<'a>(out: &mut Writer, texts: impl Iterator<Item = Option<&'a str>>) {
    let mut joined = Vec::new();
    let lengths: Vec<Option<i64>> = texts
        .map(|text| {
            let text = text?;
            joined.extend_from_slice(text.as_bytes());
            i64::try_from(text.len()).ok()
        })
        .collect();
    put_ints(out, &Ints::from_options(lengths.into_iter()));
    out.put_block(&joined);
}

fn get_texts(reader: &mut Reader<'_>, limit: usize) -> Result<(TextBlock, Ints)> {
    let lengths = get_ints(reader, limit)?;
    let joined = std::str::from_utf8(reader.get_block()?).map_err(|_| reader.fault())?;
    let mut end = 0_u32;
    let mut ends = Vec::with_capacity(lengths.len());
    for length in lengths.iter() {
        end = u32::try_from(length.unwrap_or(0))
            .ok()
            .and_then(|length| end.checked_add(length))
            .filter(|&end| end as usize <= joined.len())
            .ok_or_else(|| reader.fault())?;
        ends.push(end);
    }
    let block = TextBlock::from_parts(joined.to_owned(), ends).ok_or_else(|| reader.fault())?;
    Ok((block, lengths))
}
