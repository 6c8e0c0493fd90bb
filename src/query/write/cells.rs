//! The cells of a CSV file: its lines one by one, the bad ones told apart.
//!
//! Logical lines are found here, because a quote that is never closed must cost one line and not
//! the rest of the file; the `csv` crate takes them apart.

use super::input::{COLUMNS, Input, LINE_BYTES, Line, Lines, Place};
use crate::error::{Code, Error, Result};
use csv::{ByteRecord, ReaderBuilder, StringRecord, Terminator};

/// Physical lines that one quoted text may span.
const LINE_LINES: usize = 10_000;

/// A CSV file being read.
pub(super) struct Cells {
    lines: Lines,
    delimiter: u8,
    header: Vec<String>,
}

/// A line's number, its text, and what is wrong with it.
type Logical = (u64, Vec<u8>, Option<String>);

/// How far a line is taken apart.
#[derive(Clone, Copy)]
struct Scan {
    state: State,
    cells: usize,
    /// Text behind a closing quote: what was read as quoted was not meant so.
    loose: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    /// Behind a quote in a quoted cell: its end, or the first half of a doubled quote.
    Closing,
}

impl Input for Cells {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn lines(&self) -> &Lines {
        &self.lines
    }

    fn delimiter(&self) -> u8 {
        self.delimiter
    }

    fn read(&mut self, count: usize) -> Result<Vec<Line>> {
        let columns = self.header.len();
        let mut lines = Vec::new();
        let mut good = Vec::new();
        let mut text = Vec::new();
        while lines.len() < count && text.len() < LINE_BYTES {
            let Some((number, line, fault)) = self.logical(Some(columns))? else {
                break;
            };
            match fault {
                None => {
                    good.push(lines.len());
                    text.extend_from_slice(&line);
                    lines.push(Line {
                        place: Place::of_line(number),
                        cells: Ok(StringRecord::new()),
                    });
                }
                Some(reason) => {
                    let record = self.split(&line)?.into_iter().next().unwrap_or_default();
                    lines.push(Line {
                        place: Place::of_line(number),
                        cells: Err((record, reason)),
                    });
                }
            }
        }
        for (at, record) in good.into_iter().zip(self.split(&text)?) {
            lines[at].cells = StringRecord::from_byte_record(record).map_err(|error| {
                let column = error.utf8_error().field();
                let name = self.header.get(column).map_or("", String::as_str);
                let encoding = self.lines.encoding();
                (
                    error.into_byte_record(),
                    format!("column `{name}` is not in {encoding}"),
                )
            });
        }
        Ok(lines)
    }
}

impl Cells {
    pub(super) fn new(lines: Lines) -> Result<Self> {
        let mut cells = Self {
            lines,
            delimiter: b',',
            header: Vec::new(),
        };
        cells.read_header()?;
        Ok(cells)
    }

    fn read_header(&mut self) -> Result<()> {
        let path = self.lines.path.display().to_string();
        let bad =
            |what: &str| Error::new(Code::BadValue, format!("the header of \"{path}\" {what}"));
        let first = loop {
            match self.lines.next()? {
                None => return Err(bad("is missing: the file is empty")),
                Some(line) if is_blank(&line) => {}
                Some(line) => break line,
            }
        };
        self.delimiter = sniff(&first);
        self.lines.again([first]);
        let Some((_, text, _)) = self.logical(None)? else {
            return Err(bad("is missing"));
        };
        let record = self.split(&text)?.pop().unwrap_or_default();
        if record.len() > COLUMNS {
            return Err(Error::new(
                Code::Limit,
                format!("the header has {} columns; at most {COLUMNS}", record.len()),
            ));
        }
        let record = StringRecord::from_byte_record(record)
            .map_err(|_| bad("is not in UTF-8").hint("save the file as UTF-8"))?;
        self.header = record.iter().map(|name| name.trim().to_owned()).collect();
        for (at, name) in self.header.iter().enumerate() {
            let same = |other: &String| other.to_lowercase() == name.to_lowercase();
            if !name.is_empty() && self.header[..at].iter().any(same) {
                return Err(bad(&format!("has two columns `{name}`")));
            }
        }
        Ok(())
    }

    /// The cells of complete lines.
    fn split(&self, text: &[u8]) -> Result<Vec<ByteRecord>> {
        ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(text)
            .into_byte_records()
            .collect::<Result<_, _>>()
            .map_err(|e| Error::new(Code::Io, "the lines cannot be read").caused_by(e))
    }

    /// The next line with the newlines inside its quotes, its number, and what is wrong with it.
    /// Of a faulty line that spans several, only the first counts and the rest are read again.
    fn logical(&mut self, columns: Option<usize>) -> Result<Option<Logical>> {
        let mut line = loop {
            match self.lines.next()? {
                None => return Ok(None),
                Some(line) if is_blank(&line) => {}
                Some(line) => break line,
            }
        };
        let number = self.lines.number - 1;
        let first = line.len();
        let mut scan = Scan::new();
        scan.run(&line, self.delimiter);
        let mut more: Vec<Vec<u8>> = Vec::new();
        let mut closed = scan.state != State::Quoted;
        while !closed && more.len() < LINE_LINES && line.len() < LINE_BYTES {
            let Some(next) = self.lines.next()? else {
                break;
            };
            scan.run(&next, self.delimiter);
            line.extend_from_slice(&next);
            more.push(next);
            closed = scan.state != State::Quoted;
        }
        let fault = match columns {
            _ if !closed || scan.loose && !more.is_empty() => {
                Some("a quote is not closed".to_owned())
            }
            Some(columns) if scan.cells != columns => Some(format!(
                "{} cells where the header has {columns}",
                scan.cells
            )),
            _ => None,
        };
        if fault.is_some() && !more.is_empty() {
            line.truncate(first);
            self.lines.again(more);
        }
        if line.ends_with(b"\r\n") {
            line.truncate(line.len() - 2);
        }
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        Ok(Some((number, line, fault)))
    }
}

impl Scan {
    fn new() -> Self {
        Self {
            state: State::Start,
            cells: 1,
            loose: false,
        }
    }

    fn run(&mut self, text: &[u8], delimiter: u8) {
        for &byte in text {
            self.state = match (self.state, byte) {
                (State::Quoted, b'"') => State::Closing,
                (State::Quoted, _) => State::Quoted,
                (State::Closing, b'"') => State::Quoted,
                (State::Start, b'"') => State::Quoted,
                (_, byte) if byte == delimiter => {
                    self.cells += 1;
                    State::Start
                }
                (state, byte) => {
                    self.loose |= state == State::Closing && !matches!(byte, b'\r' | b'\n');
                    State::Plain
                }
            };
        }
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b'\n' | b'\r'))
}

/// The delimiter that stands most often in the header, outside quotes.
fn sniff(header: &[u8]) -> u8 {
    let count = |delimiter: &u8| {
        let mut scan = Scan::new();
        scan.run(header, *delimiter);
        scan.cells
    };
    let mut best = b',';
    for delimiter in *b";\t|" {
        if count(&delimiter) > count(&best) {
            best = delimiter;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    type Cell = (u64, Result<Vec<String>, String>);

    fn read(text: &[u8]) -> (Vec<String>, Vec<Cell>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        std::fs::write(&path, text).unwrap();
        let mut cells = Cells::new(Lines::open(&path).unwrap()).unwrap();
        let mut lines = Vec::new();
        loop {
            let batch = cells.read(2).unwrap();
            if batch.is_empty() {
                break;
            }
            lines.extend(batch.into_iter().map(|line| {
                let cells = line.cells.map_err(|(_, reason)| reason);
                let texts = cells.map(|record| record.iter().map(str::to_owned).collect());
                (line.place.line, texts)
            }));
        }
        (cells.header, lines)
    }

    fn texts(cells: &[&str]) -> Result<Vec<String>, String> {
        Ok(cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn delimiters_marks_and_line_ends() {
        let (header, lines) = read(b"\xEF\xBB\xBF a ;\"b;c\"\r\n1;2\r\n\r\n\"x\r\ny\";\"q\"\"q\"");
        assert_eq!(header, ["a", "b;c"]);
        assert_eq!(
            lines,
            [(2, texts(&["1", "2"])), (4, texts(&["x\r\ny", "q\"q"]))]
        );
        assert_eq!(read(b"a\tb\n1\t2\n").1, [(2, texts(&["1", "2"]))]);
        let (header, lines) = read(b"a,b\r1,2\r\r3,\"x\ry\"");
        assert_eq!(header, ["a", "b"]);
        assert_eq!(lines, [(2, texts(&["1", "2"])), (4, texts(&["3", "x\ny"]))]);
    }

    #[test]
    fn an_open_quote_costs_one_line() {
        let (_, lines) = read(b"a,b\n1,\"open\n2,x\n3,5\" pipe\n4\n5,z\n");
        assert_eq!(lines[0], (2, Err("a quote is not closed".to_owned())));
        assert_eq!(lines[1], (3, texts(&["2", "x"])));
        assert_eq!(lines[2], (4, texts(&["3", "5\" pipe"])));
        assert_eq!(
            lines[3],
            (5, Err("1 cells where the header has 2".to_owned()))
        );
        assert_eq!(lines[4], (6, texts(&["5", "z"])));
    }

    #[test]
    fn bad_bytes_are_told() {
        let (_, lines) = read(b"a,b\n1,\xFF\n2,\xC3\xA9\n");
        assert_eq!(lines[0], (2, Err("column `b` is not in UTF-8".to_owned())));
        assert_eq!(lines[1], (3, texts(&["2", "\u{e9}"])));
    }
}
