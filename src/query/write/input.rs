//! What an import reads: the lines of a file, whatever its form, as cells under a header.

use super::BATCH_RECORDS;
use super::card_reader::Reader;
use super::cards;
use super::cells::Cells;
use super::encoding::{Decoder, Encoding};
use super::json::Objects;
use crate::catalog::{Catalog, Object};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Assignments, Node};
use crate::query::exec::Interrupt;
use crate::query::outcome::ImportedColumn;
use crate::query::pipeline::Environment;
use crate::query::syntax::Name;
use csv::{ByteRecord, StringRecord};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Columns of a header.
pub(super) const COLUMNS: usize = 4_096;
/// Bytes of a line, its quoted newlines included.
pub(super) const LINE_BYTES: usize = 32 * 1024 * 1024;

/// A file being imported.
pub(super) trait Input {
    /// The names of the cells.
    fn header(&self) -> &[String];

    /// Up to `count` further lines; none at the end of the file.
    fn read(&mut self, count: usize) -> Result<Vec<Line>>;

    /// The file.
    fn lines(&self) -> &Lines;

    /// Whether it has no columns because there is nothing in it that could be read.
    fn is_barren(&self) -> bool {
        false
    }

    /// What no column holds.
    fn unused(&self) -> &[String] {
        &[]
    }

    /// Whether a blank cell leaves its field alone; else the field becomes empty.
    fn blanks_stay(&self) -> bool {
        false
    }

    /// What stands between the cells of refused lines.
    fn delimiter(&self) -> u8 {
        b','
    }
}

/// Where what becomes a record begins: the line, and how many others begin before it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub line: u64,
    pub nth: u64,
}

impl Place {
    /// Where a line begins.
    pub(super) fn of_line(line: u64) -> Self {
        Self { line, nth: 0 }
    }
}

/// A line: its place, its cells, and what is wrong with them.
pub(super) struct Line {
    pub place: Place,
    pub cells: Result<StringRecord, (ByteRecord, String)>,
}

/// Opens a file; its ending says its form.
pub(super) fn open(
    path: &Path,
    object: &Name,
    catalog: &Catalog,
    environment: &Environment<'_>,
) -> Result<Box<dyn Input>> {
    let object = catalog.find_object(&object.text);
    if let Some(object) = object
        && let Some(cards) = cards::of_file(path, &object.name, environment.cards)?
    {
        let reader = Reader::open(path, cards, environment.clock)?;
        return Ok(Box::new(reader));
    }
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    Ok(match extension.to_str() {
        Some("json" | "jsonl" | "ndjson") => Box::new(Objects::open(path)?),
        _ => Box::new(Cells::new(Lines::open(path)?)?),
    })
}

/// The columns, with the fields that each was used for.
pub(super) fn used(input: &dyn Input, set: &Assignments, object: &Object) -> Vec<ImportedColumn> {
    let names = input.header().iter().chain(input.unused());
    let mut columns: Vec<_> = names
        .map(|name| ImportedColumn {
            name: name.clone(),
            fields: Vec::new(),
        })
        .collect();
    for (field, expr) in set {
        let name = &object.field(*field).name;
        expr.visit(&mut |part| {
            if let Node::Slot(at) = part.node
                && !columns[at].fields.contains(name)
            {
                columns[at].fields.push(name.clone());
            }
        });
    }
    columns
}

/// The lines of a file that are read once more.
pub(super) struct Again<'o> {
    open: &'o dyn Fn() -> Result<Box<dyn Input>>,
    interrupt: &'o Interrupt,
    input: Option<Box<dyn Input>>,
    ahead: VecDeque<Line>,
}

impl<'o> Again<'o> {
    pub(super) fn new(
        open: &'o dyn Fn() -> Result<Box<dyn Input>>,
        interrupt: &'o Interrupt,
    ) -> Self {
        Self {
            open,
            interrupt,
            input: None,
            ahead: VecDeque::new(),
        }
    }

    /// The next line; an error if there is none.
    pub(super) fn next(&mut self) -> Result<Line> {
        if self.ahead.is_empty() {
            self.interrupt.check()?;
            let input = match &mut self.input {
                Some(input) => input,
                none => none.insert((self.open)()?),
            };
            self.ahead.extend(input.read(BATCH_RECORDS)?);
        }
        self.ahead.pop_front().ok_or_else(|| {
            let message = "the file got shorter while it was read";
            Error::new(Code::Io, message)
        })
    }

    /// Begins with the first line again.
    pub(super) fn rewind(&mut self) {
        self.input = None;
        self.ahead.clear();
    }
}

/// The physical lines of a file, in UTF-8.
pub(super) struct Lines {
    pub path: PathBuf,
    input: BufReader<Decoder>,
    /// Lines that were given back.
    ahead: VecDeque<Vec<u8>>,
    /// The last byte of a line.
    end: u8,
    /// The number of the next line.
    pub number: u64,
    pub bytes_total: u64,
    /// Whether it can be opened again from its start, as a pipe cannot.
    pub rereads: bool,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| io_error(path, e))?;
        let metadata = file.metadata().map_err(|e| io_error(path, e))?;
        let decoder = Decoder::new(file).map_err(|e| io_error(path, e))?;
        let mut input = BufReader::with_capacity(1 << 16, decoder);
        // Some programs end lines with a carriage return alone. The last byte may be half of CRLF.
        let begin = input.fill_buf().map_err(|e| io_error(path, e))?;
        let alone = begin
            .split_last()
            .is_some_and(|(_, begin)| begin.contains(&b'\r'))
            && !begin.contains(&b'\n');
        Ok(Self {
            path: path.to_owned(),
            input,
            ahead: VecDeque::new(),
            end: if alone { b'\r' } else { b'\n' },
            number: 1,
            bytes_total: metadata.len(),
            rereads: metadata.is_file(),
        })
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.input.get_ref().encoding
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.input.get_ref().read
    }

    /// Gives back the lines that were read last.
    pub(super) fn again(
        &mut self,
        lines: impl IntoIterator<Item = Vec<u8>, IntoIter: DoubleEndedIterator>,
    ) {
        for line in lines.into_iter().rev() {
            self.ahead.push_front(line);
            self.number -= 1;
        }
    }

    /// The next line up to its newline, which stands for any other end.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>> {
        if let Some(line) = self.ahead.pop_front() {
            self.number += 1;
            return Ok(Some(line));
        }
        let mut line = Vec::new();
        let limit = LINE_BYTES as u64;
        let read = (&mut self.input)
            .take(limit)
            .read_until(self.end, &mut line)
            .map_err(|e| Error::new(Code::Io, "the file cannot be read on").caused_by(e))?;
        if let (b'\r', Some(last @ b'\r')) = (self.end, line.last_mut()) {
            *last = b'\n';
        }
        if read as u64 == limit && !line.ends_with(b"\n") {
            return Err(Error::new(
                Code::Limit,
                format!("line {} is longer than {limit} bytes", self.number),
            ));
        }
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(line))
    }
}

/// An error of the operating system about a file.
pub(super) fn io_error(path: &Path, error: std::io::Error) -> Error {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let (code, what) = match error.kind() {
        std::io::ErrorKind::NotFound if folder.is_some_and(|folder| !folder.exists()) => {
            (Code::NoSuchFile, "there is no folder for".to_owned())
        }
        std::io::ErrorKind::NotFound => (Code::NoSuchFile, "there is no file".to_owned()),
        kind => (Code::Io, format!("{kind}:")),
    };
    Error::new(code, format!("{what} \"{}\"", path.display())).caused_by(error)
}
