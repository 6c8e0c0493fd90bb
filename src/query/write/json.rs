//! The objects of a JSON file, one a line or in one array: their members are the columns.

use super::input::{COLUMNS, Input, LINE_BYTES, Line, Lines, Place};
use crate::error::{Code, Error, Result};
use csv::{ByteRecord, StringRecord};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

/// A JSON file being read.
pub(super) struct Objects {
    header: Vec<String>,
    /// The places of the columns, by their names in small letters.
    places: HashMap<String, usize>,
    /// Whether there is no object in it.
    barren: bool,
    texts: Texts,
}

/// The text of each object.
struct Texts {
    lines: Lines,
    /// Whether the objects stand in one array; else there is one a line.
    array: bool,
    /// Where the object read last begins.
    last: Option<Place>,
    /// Of an array: the line being read, how far, and whether the array was closed.
    text: Vec<u8>,
    at: usize,
    closed: bool,
}

impl Input for Objects {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn lines(&self) -> &Lines {
        &self.texts.lines
    }

    fn is_barren(&self) -> bool {
        self.barren
    }

    fn read(&mut self, count: usize) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        let mut bytes = 0;
        while lines.len() < count && bytes < LINE_BYTES {
            let Some((place, text)) = self.texts.next()? else {
                break;
            };
            bytes += text.len();
            let cells = self
                .cells(&text)
                .map_err(|reason| (ByteRecord::from(vec![text.trim_ascii()]), reason));
            lines.push(Line { place, cells });
        }
        Ok(lines)
    }
}

impl Objects {
    /// Goes through the whole file once, to know the members of all objects.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut objects = Self {
            header: Vec::new(),
            places: HashMap::new(),
            barren: true,
            texts: Texts::open(path)?,
        };
        let mut empty = !objects.texts.array;
        while let Some((_, text)) = objects.texts.next()? {
            empty = false;
            let Ok(members) = members(&text) else {
                continue;
            };
            objects.barren = false;
            for (name, _) in members {
                let key = name.to_lowercase();
                if objects.places.contains_key(&key) {
                    continue;
                }
                if objects.header.len() == COLUMNS {
                    return Err(Error::new(
                        Code::Limit,
                        format!("the objects have more than {COLUMNS} members"),
                    ));
                }
                objects.places.insert(key, objects.header.len());
                objects.header.push(name);
            }
        }
        // With an object on each line none is none; but some text makes an array.
        if empty
            && path
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("json"))
        {
            let message = format!("\"{}\" is empty", path.display());
            return Err(Error::new(Code::BadValue, message)
                .expected("an array of objects, or an object on each line"));
        }
        objects.texts = Texts::open(path)?;
        Ok(objects)
    }

    /// The cells of an object, or what is wrong with it.
    fn cells(&self, text: &[u8]) -> Result<StringRecord, String> {
        if text == b"[" {
            return Err("the array is not closed".to_owned());
        }
        let mut cells = vec![String::new(); self.header.len()];
        for (name, value) in members(text)? {
            if let Some(&place) = self.places.get(&name.to_lowercase()) {
                cells[place] = cell(&value).map_err(|what| format!("`{name}` {what}"))?;
            }
        }
        Ok(cells.into())
    }
}

impl Texts {
    fn open(path: &Path) -> Result<Self> {
        let mut lines = Lines::open(path)?;
        let mut skipped = Vec::new();
        let mut array = false;
        while let Some(line) = lines.next()? {
            let first = line.trim_ascii_start().first().copied();
            skipped.push(line);
            if let Some(first) = first {
                array = first == b'[';
                break;
            }
        }
        lines.again(skipped);
        let mut texts = Self {
            lines,
            array,
            last: None,
            text: Vec::new(),
            at: 0,
            closed: false,
        };
        if array {
            while texts.byte()? != Some(b'[') {}
        }
        Ok(texts)
    }

    /// Where the next object begins, and its text.
    fn next(&mut self) -> Result<Option<(Place, Vec<u8>)>> {
        let Some((line, text)) = (match self.array {
            true => self.element(),
            false => self.line(),
        })?
        else {
            return Ok(None);
        };
        let nth = match self.last {
            Some(last) if last.line == line => last.nth + 1,
            _ => 0,
        };
        let place = Place { line, nth };
        self.last = Some(place);
        Ok(Some((place, text)))
    }

    /// The next line that is not blank, with its number.
    fn line(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        while let Some(line) = self.lines.next()? {
            if !line.trim_ascii().is_empty() {
                return Ok(Some((self.lines.number - 1, line)));
            }
        }
        Ok(None)
    }

    fn byte(&mut self) -> Result<Option<u8>> {
        while self.at == self.text.len() {
            match self.lines.next()? {
                Some(line) => self.text = line,
                None => return Ok(None),
            }
            self.at = 0;
        }
        self.at += 1;
        Ok(Some(self.text[self.at - 1]))
    }

    /// What stands up to the next comma between elements. What stands behind the array, or is cut
    /// off by the end of the file, is an element too, which cannot be read; `[` is that of an
    /// array without an end.
    fn element(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        let mut text = Vec::new();
        let mut number = self.lines.number;
        let (mut depth, mut quoted, mut escaped) = (0_u64, false, false);
        while let Some(byte) = self.byte()? {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ if quoted || self.closed => {}
                b'{' | b'[' => depth += 1,
                b']' if depth == 0 => {
                    self.closed = true;
                    if text.is_empty() {
                        continue;
                    }
                    return Ok(Some((number, text)));
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                b',' if depth == 0 => {
                    if text.is_empty() {
                        continue;
                    }
                    return Ok(Some((number, text)));
                }
                _ => {}
            }
            if text.is_empty() {
                if byte.is_ascii_whitespace() {
                    continue;
                }
                number = self.lines.number - 1;
                // Behind the array nothing may stand, not even an object.
                text.extend(self.closed.then_some(b']'));
            }
            if text.len() == LINE_BYTES {
                return Err(Error::new(
                    Code::Limit,
                    format!("the object of line {number} is longer than {LINE_BYTES} bytes"),
                ));
            }
            text.push(byte);
        }
        if text.is_empty() && !self.closed {
            number = self.lines.number - 1;
            text.push(b'[');
        }
        // An element that is cut off tells it of the array; behind a whole one the array is told.
        self.closed |= depth > 0 || quoted || text == b"[";
        Ok((!text.is_empty()).then_some((number, text)))
    }
}

/// The members of an object in their order, none twice.
fn members(text: &[u8]) -> Result<Vec<(String, Json)>, String> {
    struct Members(Vec<(String, Json)>);

    impl<'de> Deserialize<'de> for Members {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Object)
        }
    }

    struct Object;

    impl<'de> Visitor<'de> for Object {
        type Value = Members;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
            let mut members = Vec::new();
            let mut names = std::collections::HashSet::new();
            while let Some((name, value)) = map.next_entry::<String, Json>()? {
                if !names.insert(name.to_lowercase()) {
                    return Err(A::Error::custom(format!("two members are called `{name}`")));
                }
                members.push((name, value));
            }
            Ok(Members(members))
        }
    }

    let text = text.trim_ascii();
    match text {
        [b'{', ..] => {}
        [b']', ..] => return Err("it stands behind the end of the array".to_owned()),
        _ => return Err("not a JSON object, which begins with `{`".to_owned()),
    }
    let read = serde_json::from_slice::<Members>(text);
    read.map(|members| members.0).map_err(|error| fault(&error))
}

/// What is wrong with the text of an object, in other words than its parser's.
fn fault(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = match message.rsplit_once(" at line ") {
        _ if error.is_eof() => return "the object is cut off".to_owned(),
        None => &*message,
        Some(("trailing characters", _)) => "something stands behind the object",
        Some(("expected value", _)) => "a value is missing",
        Some(("expected ident", _)) => "a word that is not true, false or null",
        Some(("key must be a string", _)) => "a name that is not in double quotes",
        Some(("invalid unicode code point", _)) => "bytes that are not in UTF-8",
        Some((message, _)) if message.starts_with("control character") => {
            "a line end or other control character that is not escaped"
        }
        Some((message, _)) => message,
    };
    format!(
        "not a JSON object: {message}, at its character {}",
        error.column()
    )
}

/// A value as the text of a cell, or what is wrong with it.
fn cell(value: &Json) -> Result<String, String> {
    match value {
        Json::Null => Ok(String::new()),
        Json::Bool(on) => Ok(on.to_string()),
        // Without an exponent, which not all types read.
        Json::Number(n) => Ok(match n.as_f64() {
            Some(float) if n.is_f64() => float.to_string(),
            _ => n.to_string(),
        }),
        Json::String(text) => Ok(text.clone()),
        Json::Array(values) => {
            let texts = values.iter().map(|value| match value {
                Json::String(text) if text.contains([',', ';']) => Err(format!(
                    "is a list whose text `{text}` holds a comma or semicolon"
                )),
                Json::String(text) => Ok(text.as_str()),
                _ => Err("is a list of something else than texts".to_owned()),
            });
            Ok(texts.collect::<Result<Vec<_>, _>>()?.join(", "))
        }
        Json::Object(_) => Err(
            "is an object; a member is a text, a number, true, false, null \
                                or a list of texts"
                .to_owned(),
        ),
    }
}
