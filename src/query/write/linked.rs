//! Lines of an import that may name each other: what ties them, and storing them in order.

use super::BATCH_RECORDS;
use super::import::{Numbered, Run, value_at};
use super::order::{Links, order};
use crate::error::Result;
use crate::value::{FieldId, FieldType, Value};

impl Run<'_, '_> {
    /// Stores lines that may name each other.
    pub(super) fn linked(&mut self, lines: Vec<Numbered>) -> Result<()> {
        let mut links = Vec::with_capacity(lines.len());
        for lines in lines.chunks(BATCH_RECORDS) {
            self.writer.environment.interrupt.check()?;
            self.links(lines, &mut links);
        }
        let mut lines: Vec<_> = lines.into_iter().map(Some).collect();
        let mut batch = Vec::new();
        let mut stored = 0;
        for (at, step) in order(&links).into_iter().enumerate() {
            if step.loose || step.behind > stored || batch.len() == BATCH_RECORDS {
                self.writer.environment.interrupt.check()?;
                self.lines(std::mem::take(&mut batch), false)?;
                stored = at;
            }
            let line = lines[step.line].take();
            if step.loose {
                self.lines(line.into_iter().collect(), true)?;
                stored = at + 1;
            } else {
                batch.extend(line);
            }
        }
        self.lines(batch, false)
    }

    /// What ties the lines to each other. A line that cannot be evaluated is refused later.
    fn links(&self, lines: &[Numbered], links: &mut Vec<Links>) {
        let vectors = match (self.evaluate(lines), lines) {
            (Ok(vectors), _) => vectors,
            (Err(_), [_]) => return links.push(Links::default()),
            (Err(_), _) => {
                let each = lines.chunks(1);
                return each.for_each(|line| self.links(line, links));
            }
        };
        for (at, line) in lines.iter().enumerate() {
            let mut own = Links::default();
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
            links.push(own);
        }
    }

    /// The label in the text of a reference, which may say its object: `accounts:Acme`.
    fn label_of<'s>(&self, field: FieldId, text: &'s str) -> &'s str {
        let catalog = &self.writer.catalog;
        let definition = catalog.object(self.object).field(field);
        match text.split_once(':') {
            Some((object, label))
                if matches!(definition.ty, FieldType::AnyReference(_))
                    && catalog
                        .find_object(object.trim())
                        .is_some_and(|object| object.id == self.object) =>
            {
                label.trim()
            }
            _ => text,
        }
    }
}
