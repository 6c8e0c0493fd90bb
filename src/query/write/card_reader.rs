//! Reading cards: lines of content, unfolded, gathered to components, as cells of fields.

use super::cards::{Cards, Component, Property, utc_text};
use super::input::{Input, LINE_BYTES, Line, Lines, Place};
use crate::error::{Code, Error, Result};
use crate::value::{Clock, parse_datetime};
use csv::{ByteRecord, StringRecord};
use std::path::Path;

/// A file of cards being read.
pub(super) struct Reader {
    cards: &'static Cards,
    clock: Clock,
    /// The fields that some card has.
    header: Vec<String>,
    /// The properties that no field has.
    unused: Vec<String>,
    lines: Lines,
    /// The line that begins a component before the one before it ended.
    waiting: Option<Content>,
}

/// A line of content, unfolded.
#[derive(Default)]
struct Content {
    number: u64,
    text: String,
    /// Empty if the line is no property.
    name: String,
    parameters: Vec<(String, String)>,
    value: String,
}

/// A component: where it begins, its properties, and what is wrong with it.
struct Card {
    number: u64,
    component: &'static Component,
    contents: Vec<Content>,
    fault: Option<String>,
    /// All its lines.
    text: String,
}

impl Input for Reader {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn lines(&self) -> &Lines {
        &self.lines
    }

    fn unused(&self) -> &[String] {
        &self.unused
    }

    /// A card says what it knows: not all have a place for each field.
    fn blanks_stay(&self) -> bool {
        true
    }

    fn read(&mut self, count: usize) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        while lines.len() < count {
            let Some(card) = self.card()? else { break };
            let cells = match &card.fault {
                Some(fault) => Err(fault.clone()),
                None => self.cells(&card),
            };
            let cells = cells.map_err(|reason| (ByteRecord::from(vec![&card.text]), reason));
            lines.push(Line {
                place: Place::of_line(card.number),
                cells,
            });
        }
        Ok(lines)
    }
}

impl Reader {
    /// Goes through the whole file once, to know the properties of all cards.
    pub(super) fn open(path: &Path, cards: &'static Cards, clock: &Clock) -> Result<Self> {
        let mut reader = Self {
            cards,
            clock: clock.clone(),
            header: Vec::new(),
            unused: Vec::new(),
            lines: Lines::open(path)?,
            waiting: None,
        };
        while let Some(card) = reader.card()? {
            for content in &card.contents {
                let fixed = |line: &str| line.starts_with(&*content.name);
                let used = card.component.properties.iter().any(|p| content.is(p))
                    || cards.fixed.lines().any(fixed);
                if !used && !reader.unused.contains(&content.name) {
                    reader.unused.push(content.name.clone());
                }
            }
            for property in card.component.properties {
                let known = reader.header.iter().any(|name| name == property.field);
                let held = |content: &Content| {
                    let part = property.part.unwrap_or(0);
                    content.is(property) && (part == 0 || parts(&content.value).len() > part)
                };
                if !known && card.contents.iter().any(held) {
                    reader.header.push(property.field.to_owned());
                }
            }
        }
        reader.lines = Lines::open(path)?;
        Ok(reader)
    }

    fn cells(&self, card: &Card) -> Result<StringRecord, String> {
        let mut cells = vec![String::new(); self.header.len()];
        for property in card.component.properties {
            let mut fitting = card.contents.iter().filter(|content| content.is(property));
            let place = self.header.iter().position(|name| name == property.field);
            if let (Some(content), Some(place)) = (fitting.next(), place) {
                let cell = content.cell(property, &self.clock);
                cells[place] = cell.map_err(|what| {
                    format!("{} in line {} {what}", content.name, content.number)
                })?;
            }
        }
        Ok(cells.into())
    }

    /// The next component that is a card.
    fn card(&mut self) -> Result<Option<Card>> {
        let mut card: Option<Card> = None;
        let mut inner = 0_u32;
        loop {
            let next = match self.waiting.take() {
                Some(content) => Some(content),
                None => self.content()?,
            };
            let Some(content) = next else {
                if let Some(card) = &mut card {
                    card.fault = Some(format!("{} is not closed", card.component.name));
                }
                return Ok(card);
            };
            let begins = content.name == "BEGIN";
            let named =
                |component: &&Component| component.name.eq_ignore_ascii_case(content.value.trim());
            let component = self.cards.components.iter().find(named);
            let Some(open) = &mut card else {
                card = component.filter(|_| begins).map(|component| Card {
                    number: content.number,
                    component,
                    contents: Vec::new(),
                    fault: None,
                    text: content.text + "\n",
                });
                continue;
            };
            if begins && component.is_some() {
                open.fault = Some(format!("{} is not closed", open.component.name));
                self.waiting = Some(content);
                return Ok(card);
            }
            open.text.push_str(&content.text);
            open.text.push('\n');
            match &*content.name {
                // A component within, such as an alarm, is not the card's.
                "BEGIN" => inner += 1,
                "END" if inner == 0 => return Ok(card),
                "END" => inner -= 1,
                "" => {
                    let shown: String = content.text.chars().take(40).collect();
                    let fault = format!("line {} is no property: `{shown}`", content.number);
                    open.fault.get_or_insert(fault);
                }
                _ if inner == 0 => open.contents.push(content),
                _ => {}
            }
        }
    }

    /// The next line of content, folded lines joined.
    fn content(&mut self) -> Result<Option<Content>> {
        let mut text = loop {
            match self.lines.next()? {
                None => return Ok(None),
                Some(line) if line.trim_ascii().is_empty() => {}
                Some(line) => break line,
            }
        };
        let number = self.lines.number - 1;
        trim_end(&mut text);
        while let Some(next) = self.lines.next()? {
            if !next.starts_with(b" ") && !next.starts_with(b"\t") {
                self.lines.again([next]);
                break;
            }
            if text.len() + next.len() > LINE_BYTES {
                return Err(Error::new(
                    Code::Limit,
                    format!("line {number} is longer than {LINE_BYTES} bytes"),
                ));
            }
            text.extend_from_slice(&next[1..]);
            trim_end(&mut text);
        }
        Ok(Some(match String::from_utf8(text) {
            Ok(text) => Content::parse(number, &text).unwrap_or(Content {
                number,
                text,
                ..Content::default()
            }),
            Err(error) => Content {
                number,
                text: String::from_utf8_lossy(error.as_bytes()).into_owned(),
                ..Content::default()
            },
        }))
    }
}

fn trim_end(line: &mut Vec<u8>) {
    while line
        .last()
        .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
    {
        line.pop();
    }
}

impl Content {
    /// `[group.]NAME[;PARAMETER=value...]:value`, where a quoted value may hold anything.
    fn parse(number: u64, text: &str) -> Option<Self> {
        let mut quoted = false;
        let colon = text.find(|c| {
            quoted ^= c == '"';
            c == ':' && !quoted
        })?;
        let (head, value) = (&text[..colon], &text[colon + 1..]);
        let mut quoted = false;
        let mut parts = head.split(|c| {
            quoted ^= c == '"';
            c == ';' && !quoted
        });
        let name = parts.next()?;
        let name = name.rsplit_once('.').map_or(name, |(_, name)| name);
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return None;
        }
        let parameters = parts.map(|part| {
            let (name, value) = part.split_once('=').unwrap_or(("TYPE", part));
            (name.to_ascii_uppercase(), value.replace('"', ""))
        });
        Some(Self {
            number,
            text: text.to_owned(),
            name: name.to_ascii_uppercase(),
            parameters: parameters.collect(),
            value: value.to_owned(),
        })
    }

    fn has_kind(&self, kind: &str) -> bool {
        let kinds = self.parameters.iter().filter(|(name, _)| name == "TYPE");
        kinds
            .flat_map(|(_, value)| value.split(','))
            .any(|own| own.eq_ignore_ascii_case(kind))
    }

    /// Whether the property is this one. One without a kind is not what has that of another.
    fn is(&self, property: &Property) -> bool {
        self.name == property.name
            && match property.kind {
                "" => self.name != "TEL" || !self.has_kind("cell"),
                kind => self.has_kind(kind),
            }
    }

    /// The value as the text of a cell.
    fn cell(&self, property: &Property, clock: &Clock) -> Result<String, String> {
        if let Some(moment) = self.moment(clock)? {
            return Ok(moment);
        }
        let text = match property.part {
            Some(part) => parts(&self.value).into_iter().nth(part).unwrap_or_default(),
            None => unescape(&self.value),
        };
        let text = ["tel:", "mailto:"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme))
            .unwrap_or(&text);
        let mut words = property.words.iter();
        let label = words.find(|(_, word)| word.eq_ignore_ascii_case(text));
        Ok(label.map_or(text, |(label, _)| label).to_owned())
    }

    /// `20260515`, `20260515T090000`, the latter with `Z` or a zone, as dates are written here.
    fn moment(&self, clock: &Clock) -> Result<Option<String>, String> {
        if !["DTSTART", "DUE", "COMPLETED"].contains(&&*self.name) {
            return Ok(None);
        }
        let bad = || format!("`{}` is no date", self.value);
        let (day, time) = self.value.split_once('T').unwrap_or((&self.value, ""));
        let digits = |text: &str, len: usize| {
            text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let utc = time.ends_with('Z');
        let time = time.trim_end_matches('Z');
        if !digits(day, 8) || !(time.is_empty() || digits(time, 6)) {
            return Err(bad());
        }
        let day = format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]);
        if time.is_empty() {
            return Ok(Some(day));
        }
        let text = format!("{day}T{}:{}:{}", &time[..2], &time[2..4], &time[4..]);
        let zone = self.parameters.iter().find(|(name, _)| name == "TZID");
        match zone {
            _ if utc => Ok(Some(text + "Z")),
            None => Ok(Some(text)),
            Some((_, zone)) => {
                let there = clock.clone().in_zone(zone);
                let there =
                    there.map_err(|_| format!("names a zone `{zone}` that is not known"))?;
                let moment = parse_datetime(&text, &there).ok_or_else(bad)?;
                Ok(Some(utc_text(moment, "-", ":") + "Z"))
            }
        }
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(c) => out.push(c),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
    out
}

/// The parts of a structured value, between semicolons that are not escaped.
fn parts(text: &str) -> Vec<String> {
    let mut escaped = false;
    text.split(|c| {
        let divides = c == ';' && !escaped;
        escaped = c == '\\' && !escaped;
        divides
    })
    .map(unescape)
    .collect()
}
