//! Lines of an import that may name each other: what ties them, and storing them in order.

use super::BATCH_RECORDS;
use super::assign::said_object;
use super::import::{HELD_LINES, Placed, Run, Withdrawn, value_at};
use super::input::{Again, Input, Line};
use super::order::{Link, Links};
use crate::error::Result;
use crate::value::{FieldId, FieldType, Value};
use std::collections::VecDeque;

/// What is known of lines that may name each other when all are read.
#[derive(Default)]
pub(super) struct Linked {
    links: Links,
    count: usize,
    /// The lines, as long as they are few: else they are read again.
    held: Vec<Placed>,
}

/// The good lines of a file, in the order in which they are wanted.
struct Lines<'o> {
    again: Again<'o>,
    withdrawn: &'o Withdrawn,
    /// Those that need not be read again.
    held: VecDeque<Placed>,
    /// The place of the next one.
    next: u32,
}

impl Lines<'_> {
    /// Gives each of some places, which ascend, its line.
    fn each(&mut self, places: &[u32], mut give: impl FnMut(usize, Placed)) -> Result<()> {
        if places.first().is_some_and(|first| *first < self.next) {
            self.again.rewind();
            self.held.clear();
            self.next = 0;
        }
        for (at, place) in places.iter().enumerate() {
            loop {
                let line = self.pull()?;
                self.next += 1;
                if self.next > *place {
                    give(at, line);
                    break;
                }
            }
        }
        Ok(())
    }

    fn pull(&mut self) -> Result<Placed> {
        if let Some(line) = self.held.pop_front() {
            return Ok(line);
        }
        loop {
            let Line { place, cells } = self.again.next()?;
            if let Ok(record) = cells
                && !self.withdrawn.contains_key(&place)
            {
                return Ok((place, record));
            }
        }
    }
}

impl Run<'_, '_> {
    /// Notes lines that may name each other.
    pub(super) fn link(&self, linked: &mut Linked, lines: Vec<Placed>) {
        self.links(&lines, &mut linked.links);
        linked.count += lines.len();
        if linked.count <= HELD_LINES || !self.rereads {
            linked.held.extend(lines);
        } else {
            linked.held = Vec::new();
        }
    }

    /// Stores lines that may name each other.
    pub(super) fn linked(
        &mut self,
        linked: Linked,
        open: &dyn Fn() -> Result<Box<dyn Input>>,
        withdrawn: &Withdrawn,
    ) -> Result<()> {
        let mut lines = Lines {
            again: Again::new(open, self.writer.environment.interrupt),
            withdrawn,
            held: linked.held.into(),
            next: 0,
        };
        let steps = linked.links.order();
        let mut batch = Vec::new();
        let (mut at, mut stored) = (0, 0);
        let most = match self.rereads {
            true => HELD_LINES,
            false => steps.len().max(1),
        };
        for steps in steps.chunks(most) {
            let mut order: Vec<(u32, usize)> =
                steps.iter().map(|step| step.line).zip(0..).collect();
            order.sort_unstable();
            let places: Vec<u32> = order.iter().map(|(line, _)| *line).collect();
            let mut some: Vec<Option<Placed>> = vec![None; steps.len()];
            lines.each(&places, |at, line| some[order[at].1] = Some(line))?;
            for (step, line) in steps.iter().zip(some) {
                if step.loose || step.behind > stored || batch.len() == BATCH_RECORDS {
                    self.writer.environment.interrupt.check()?;
                    self.lines(std::mem::take(&mut batch), false)?;
                    stored = at;
                }
                at += 1;
                if step.loose {
                    self.lines(line.into_iter().collect(), true)?;
                    stored = at;
                } else {
                    batch.extend(line);
                }
            }
        }
        self.lines(batch, false)
    }

    /// What ties the lines to each other. A line that cannot be evaluated is refused later.
    fn links(&self, lines: &[Placed], links: &mut Links) {
        let vectors = match (self.evaluate(lines), lines) {
            (Ok(vectors), _) => vectors,
            (Err(_), [_]) => return links.push(&Link::default()),
            (Err(_), _) => {
                let each = lines.chunks(1);
                return each.for_each(|line| self.links(line, links));
            }
        };
        for (at, line) in lines.iter().enumerate() {
            let mut own = Link::default();
            for ((field, source), vector) in self.set.iter().zip(&vectors) {
                let value = value_at(source, vector.as_ref(), at, line);
                let text = match &value {
                    Value::Text(text) => text.trim().to_lowercase(),
                    other => format!("{other:?}"),
                };
                if self
                    .keys
                    .as_ref()
                    .is_some_and(|k| k.fields().contains(field))
                {
                    let key = own.key.get_or_insert_default();
                    key.push_str(&text);
                    key.push('\0');
                }
                if !matches!(value, Value::Text(_)) {
                    continue;
                }
                if self.is_link(*field) {
                    own.wants.push(self.label_of(*field, &text).to_owned());
                }
                if self.rules.keys.contains(field) {
                    own.names.push(text);
                }
            }
            links.push(&own);
        }
    }

    /// The label in the text of a reference, which may say its object: `accounts:Acme`.
    fn label_of<'s>(&self, field: FieldId, text: &'s str) -> &'s str {
        let catalog = &self.writer.catalog;
        match &catalog.object(self.object).field(field).ty {
            FieldType::AnyReference(targets) => match said_object(catalog, targets, text) {
                Some((object, label)) if object == self.object => label.trim(),
                _ => text,
            },
            _ => text,
        }
    }
}
