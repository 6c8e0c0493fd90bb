//! The encoding of a file, found by its bytes, and its text as UTF-8.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// How a file's text is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    #[default]
    Utf8,
    Utf16Little,
    Utf16Big,
    Windows1252,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Little | Self::Utf16Big => "UTF-16",
            Self::Windows1252 => "Windows-1252",
        })
    }
}

/// Characters of the bytes 0x80 to 0x9F in Windows-1252; the rest is Latin-1.
const HIGH: [Option<char>; 32] = [
    Some('\u{20AC}'),
    None,
    Some('\u{201A}'),
    Some('\u{0192}'),
    Some('\u{201E}'),
    Some('\u{2026}'),
    Some('\u{2020}'),
    Some('\u{2021}'),
    Some('\u{02C6}'),
    Some('\u{2030}'),
    Some('\u{0160}'),
    Some('\u{2039}'),
    Some('\u{0152}'),
    None,
    Some('\u{017D}'),
    None,
    None,
    Some('\u{2018}'),
    Some('\u{2019}'),
    Some('\u{201C}'),
    Some('\u{201D}'),
    Some('\u{2022}'),
    Some('\u{2013}'),
    Some('\u{2014}'),
    Some('\u{02DC}'),
    Some('\u{2122}'),
    Some('\u{0161}'),
    Some('\u{203A}'),
    Some('\u{0153}'),
    None,
    Some('\u{017E}'),
    Some('\u{0178}'),
];

/// Stands for what is no text in its encoding: no UTF-8 either, so that its line is refused.
const BAD: u8 = 0xFF;

/// Reads a file as UTF-8. What is no text stays so, for the line that holds it to be refused.
pub(super) struct Decoder {
    file: File,
    pub encoding: Encoding,
    /// Bytes of the file that were read.
    pub read: u64,
    /// Bytes of a character that is not whole yet.
    rest: Vec<u8>,
    ready: Vec<u8>,
    at: usize,
}

impl Decoder {
    /// Finds the encoding, which takes a look at the whole file, and starts behind its mark.
    pub(super) fn new(mut file: File) -> io::Result<Self> {
        let mut encoding = Encoding::Utf8;
        if file.metadata()?.is_file() {
            let skip;
            (encoding, skip) = sniff(&mut file)?;
            file.seek(SeekFrom::Start(skip))?;
        }
        Ok(Self {
            file,
            encoding,
            read: 0,
            rest: Vec::new(),
            ready: Vec::new(),
            at: 0,
        })
    }

    /// Brings the next bytes to `ready`; whether there were any.
    fn advance(&mut self) -> io::Result<bool> {
        let mut raw = [0; 1 << 13];
        let count = self.file.read(&mut raw)?;
        self.read += count as u64;
        self.ready.clear();
        self.at = 0;
        if count == 0 {
            let cut = !self.rest.is_empty();
            self.rest.clear();
            self.ready.extend(cut.then_some(BAD));
            return Ok(cut);
        }
        self.rest.extend_from_slice(&raw[..count]);
        let bytes = std::mem::take(&mut self.rest);
        self.rest = match self.encoding {
            Encoding::Utf8 => {
                self.ready = bytes;
                Vec::new()
            }
            Encoding::Windows1252 => {
                bytes.iter().for_each(|byte| {
                    self.push(match byte {
                        0x80..=0x9F => HIGH[usize::from(byte - 0x80)],
                        byte => Some(char::from(*byte)),
                    })
                });
                Vec::new()
            }
            Encoding::Utf16Little => self.units(&bytes, u16::from_le_bytes),
            Encoding::Utf16Big => self.units(&bytes, u16::from_be_bytes),
        };
        Ok(true)
    }

    /// Decodes UTF-16; gives back the bytes of a character that is not whole yet.
    fn units(&mut self, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
        let mut units: Vec<_> = bytes.chunks_exact(2).map(|b| unit([b[0], b[1]])).collect();
        if units
            .last()
            .is_some_and(|unit| (0xD800..0xDC00).contains(unit))
        {
            units.pop();
        }
        for character in char::decode_utf16(units.iter().copied()) {
            self.push(character.ok());
        }
        bytes[units.len() * 2..].to_vec()
    }

    fn push(&mut self, character: Option<char>) {
        match character {
            Some(c) => {
                let mut bytes = [0; 4];
                let text = c.encode_utf8(&mut bytes);
                self.ready.extend_from_slice(text.as_bytes());
            }
            None => self.ready.push(BAD),
        }
    }
}

impl Read for Decoder {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.encoding == Encoding::Utf8 {
            let count = self.file.read(out)?;
            self.read += count as u64;
            return Ok(count);
        }
        while self.at == self.ready.len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let count = out.len().min(self.ready.len() - self.at);
        out[..count].copy_from_slice(&self.ready[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// The encoding, and the bytes of its mark. Without a mark a file is in UTF-8 unless more of it is
/// no UTF-8 than is characters of several bytes: one bad line is no reason to misread the others.
fn sniff(file: &mut File) -> io::Result<(Encoding, u64)> {
    let mut buffer = vec![0; 1 << 16];
    let (mut kept, mut characters, mut faults) = (0, 0_u64, 0_u64);
    let mut first = true;
    loop {
        let count = file.read(&mut buffer[kept..])?;
        let bytes = &buffer[..kept + count];
        if first {
            match bytes {
                [0xEF, 0xBB, 0xBF, ..] => return Ok((Encoding::Utf8, 3)),
                [0xFF, 0xFE, ..] => return Ok((Encoding::Utf16Little, 2)),
                [0xFE, 0xFF, ..] => return Ok((Encoding::Utf16Big, 2)),
                _ => first = false,
            }
        }
        let mut open = 0;
        for chunk in bytes.utf8_chunks() {
            let leads = chunk.valid().bytes().filter(|byte| *byte >= 0xC0);
            characters += leads.count() as u64;
            open = chunk.invalid().len();
            faults += u64::from(open > 0);
        }
        if count == 0 {
            let windows = faults > characters;
            return Ok((
                if windows {
                    Encoding::Windows1252
                } else {
                    Encoding::Utf8
                },
                0,
            ));
        }
        // A character may go on in the next piece.
        let end = bytes.len();
        faults -= u64::from(open > 0);
        buffer.copy_within(end - open..end, 0);
        kept = open;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> (Encoding, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, bytes).unwrap();
        let mut decoder = Decoder::new(File::open(&path).unwrap()).unwrap();
        let mut text = Vec::new();
        decoder.read_to_end(&mut text).unwrap();
        assert!(decoder.read <= bytes.len() as u64);
        (decoder.encoding, text)
    }

    #[test]
    fn encodings_are_found() {
        let text = "a\u{e9}\u{20ac}\u{1f600}".repeat(30_000);
        let of = |parts: [&[u8]; 2]| decode(&parts.concat());
        let utf8 = (Encoding::Utf8, text.clone().into_bytes());
        assert_eq!(decode(text.as_bytes()), utf8);
        assert_eq!(of([b"\xEF\xBB\xBF", text.as_bytes()]), utf8);
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(of([b"\xFF\xFE", &little]).1, text.as_bytes());
        assert_eq!(of([b"\xFE\xFF", &big]).1, text.as_bytes());
        assert_eq!(
            decode(b"M\xFCller \x80 \x96"),
            (
                Encoding::Windows1252,
                "M\u{fc}ller \u{20ac} \u{2013}".into()
            )
        );
    }

    #[test]
    fn what_is_no_text_stays_so() {
        assert_eq!(decode(b"\xFF\xFEa\0\x00\xD8b\0c").1, b"a\xFFb\xFF");
        assert_eq!(decode(b"\x81").1, b"\xFF");
        let mixed = "M\u{fc}ller, Jos\u{e9}, \u{20ac}";
        let bytes = [mixed.as_bytes(), b"\xFC"].concat();
        assert_eq!(decode(&bytes), (Encoding::Utf8, bytes.clone()));
    }
}
