//! `merge`: one record goes into another, with its values and all that refer to it.

use super::back::Back;
use super::delete::{Gone, references};
use super::writer::Writer;
use crate::catalog::OnDelete;
use crate::error::{Code, Error, Result};
use crate::query::bind::{Expr, Merge};
use crate::query::outcome::Outcome;
use crate::query::syntax::Side;
use crate::storage::{Nature, Row, Step};
use crate::value::{FieldId, ObjectId, RecordId, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The two records, each with its row and its life.
struct Pair {
    source: One,
    target: One,
}

struct One {
    id: RecordId,
    row: Arc<Row>,
    life: Vec<Step>,
}

impl One {
    /// The transaction that gave a field its value, not one that brought it back; one still open
    /// is after all others.
    fn set_in(&self, field: FieldId) -> u64 {
        let value = |row: &Option<Arc<Row>>| {
            row.as_ref()
                .map_or(Value::Missing, |row| row.get(field).clone())
        };
        let known = self.life.last().map(|step| value(&step.after));
        if known.as_ref() != Some(self.row.get(field)) {
            return u64::MAX;
        }
        let changed = |step: &Step| value(&step.before) != value(&step.after);
        let mut end = self.life.len();
        while let Some(at) = (0..end).rev().find(|at| changed(&self.life[*at])) {
            let step = &self.life[at];
            end = match step.stamp.nature {
                Nature::Undo(of) => {
                    let before = |step: &Step| step.stamp.sequence < of;
                    self.life.partition_point(before).min(at)
                }
                // What the deletion before found.
                _ if step.before.is_none() && at > 0 => at - 1,
                _ => return step.stamp.sequence,
            };
        }
        0
    }
}

impl Pair {
    /// Whether a value refers to one of the two themselves.
    fn is_own(&self, object: ObjectId, value: &Value) -> bool {
        let own = |id: &RecordId| *id == self.source.id || *id == self.target.id;
        match value {
            Value::AnyReference(of, id) => *of == object && own(id),
            Value::Reference(id) => own(id),
            _ => false,
        }
    }

    /// What a field is in the end; `own` fields may refer to records of the same object, but a
    /// reference of one of the two to the other is none. A missing value wins only if it is `said`
    /// whose value it is to be.
    fn value(&self, object: ObjectId, field: FieldId, own: bool, keep: Side, said: bool) -> Value {
        let of = |one: &One| match one.row.get(field) {
            value if own && self.is_own(object, value) => Value::Missing,
            value => value.clone(),
        };
        let (source, target) = (of(&self.source), of(&self.target));
        let takes = match keep {
            Side::Source => true,
            Side::Target => false,
            Side::Newest => self.source.set_in(field) > self.target.set_in(field),
        };
        let exact = said && keep != Side::Newest;
        let takes = match (source.is_missing(), target.is_missing()) {
            (true, false) if !exact => false,
            (false, true) if !exact => true,
            _ => takes,
        };
        if takes { source } else { target }
    }
}

impl Writer<'_, '_> {
    pub(super) fn merge(&mut self, merge: &Merge) -> Result<Outcome> {
        let object = merge.object;
        let pair = Pair {
            source: self.one(object, &merge.source)?,
            target: self.one(object, &merge.target)?,
        };
        let (source, target) = (pair.source.id, pair.target.id);
        let (name, into) = (self.name_of(object, source), self.name_of(object, target));
        if source == target {
            let message = format!("{name} cannot be merged into itself");
            return Err(Error::new(Code::BadValue, message).at(merge.target.span.clone()));
        }
        let catalog = Arc::clone(&self.catalog);
        let mut row = Arc::clone(&pair.target.row);
        let mut fields = 0;
        for field in catalog.object(object).live_fields() {
            let said = merge.fields.iter().find(|(id, _)| *id == field.id);
            let keep = said.map_or(merge.keep, |(_, keep)| *keep);
            let own = field.refers_to(object);
            let value = pair.value(object, field.id, own, keep, said.is_some());
            if value != *row.get(field.id) {
                Arc::make_mut(&mut row).set(field.id, value);
                fields += 1;
            }
        }
        let mut changed: BTreeMap<ObjectId, Vec<Back>> = BTreeMap::new();
        if fields > 0 {
            changed.entry(object).or_default().push(Back {
                id: target,
                old: Some(Arc::clone(&pair.target.row)),
                new: row,
            });
        }
        let mut references = 0;
        for ((of, id), fields) in self.referring_to(object, &pair)? {
            self.environment.interrupt.check()?;
            let old = self.row(of, id)?;
            let mut new = Arc::clone(&old);
            for field in fields {
                let value = match old.get(field) {
                    Value::AnyReference(..) => Value::AnyReference(object, target),
                    _ => Value::Reference(target),
                };
                Arc::make_mut(&mut new).set(field, value);
                references += 1;
            }
            let old = Some(old);
            changed.entry(of).or_default().push(Back { id, old, new });
        }
        let rules = self.rules(object)?;
        self.forget_labels(&rules, &pair.source.row);
        self.transaction.merge(object, source, target)?;
        for (of, backs) in &changed {
            let rules = self.rules(*of)?;
            for back in backs {
                if let Some(old) = &back.old {
                    self.put(&rules, back.id, old, Arc::clone(&back.new))?;
                }
            }
        }
        for (of, backs) in &changed {
            if let Some(reason) = self.broken(*of, backs)? {
                let message = format!("nothing is merged: {}", reason.text);
                let error = Error::new(reason.code, message);
                let above = catalog.object(object).hierarchy_field();
                return Err(match (reason.code, above) {
                    (Code::Cycle, Some(above)) => {
                        let name = &above.name;
                        error.hint(format!("`({name} = target)` keeps its own, also if empty"))
                    }
                    _ => error,
                });
            }
        }
        Ok(Outcome::Merged {
            source: name,
            target: into,
            fields,
            references,
        })
    }

    fn one(&self, object: ObjectId, key: &Expr) -> Result<One> {
        let Value::Reference(id) = self.evaluate_alone(&self.fold(key)?)? else {
            let message = "no record is given";
            return Err(Error::new(Code::BadValue, message).at(key.span.clone()));
        };
        let row = self.row(object, id);
        Ok(One {
            id,
            row: row.map_err(|error| error.at(key.span.clone()))?,
            life: self.snapshot().life(object, id)?,
        })
    }

    /// The records, but for the two themselves, that refer to the source, and by which fields.
    fn referring_to(
        &self,
        object: ObjectId,
        pair: &Pair,
    ) -> Result<BTreeMap<(ObjectId, RecordId), Vec<FieldId>>> {
        let mut gone = Gone::default();
        gone.insert(object, vec![pair.source.id]);
        let mut found: BTreeMap<_, Vec<FieldId>> = BTreeMap::new();
        for rule in OnDelete::ALL {
            for (referring, field) in references(&self.catalog, object, rule) {
                for (_, id) in self.staying(object, &gone, (referring, field), false)? {
                    if (referring.id, id) != (object, pair.target.id) {
                        found.entry((referring.id, id)).or_default().push(field.id);
                    }
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use crate::query::outcome::Outcome;
    use crate::query::trial::Trial;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const SCHEMA: &str = "\
        create object firms (name text label, size integer, note longtext, \
            parent ref firms hierarchy collection children); \
        create object people (name text label, firm ref firms on delete cascade, \
            about ref any (firms, people) on delete empty); \
        alter object firms add field lead ref people collection led; \
        add people (name = \"a\"), (name = \"b\")";

    /// The records of an object: the cells of each by id.
    fn records(trial: &Trial, object: &str) -> BTreeMap<String, Vec<String>> {
        let dump = trial.dump(object);
        let line = |line: &str| {
            let mut cells = line.split('|').map(str::to_owned);
            (cells.next().unwrap_or_default(), cells.collect())
        };
        dump.lines().map(line).collect()
    }

    /// A firm: whether it has a size, a note, a parent before it, a lead.
    type Firm = (Option<u8>, bool, Option<usize>, Option<bool>);
    /// A person: the firm, and whether it is about a firm, or a person, of this number.
    type Person = (Option<usize>, Option<(bool, usize)>);

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 48,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// A merge does what a loop over all cells does, its dry run tells so, and it can be undone.
        #[test]
        fn a_merge_moves_every_reference(
            firms in prop::collection::vec(any::<Firm>(), 2..7),
            people in prop::collection::vec(any::<Person>(), 0..6),
            (a, b) in (any::<usize>(), any::<usize>()),
        ) {
            let trial = Trial::new(SCHEMA);
            let word = |value: Option<String>| value.unwrap_or_else(|| "empty".to_owned());
            for (at, (size, note, parent, lead)) in firms.iter().enumerate() {
                let size = word(size.map(|size| size.to_string()));
                let note = word(note.then(|| format!("\"n{at}\"")));
                let parent = parent.filter(|_| at > 0).map(|n| format!("#{}", n % at));
                let lead = word(lead.map(|lead| format!("#{}", u8::from(lead))));
                trial.run(&format!(
                    "add firms (name = \"f{at}\", size = {size}, note = {note}, \
                     parent = {}, lead = {lead})",
                    word(parent)
                )).unwrap();
            }
            for (at, (firm, about)) in people.iter().enumerate() {
                let firm = word(firm.map(|n| format!("#{}", n % firms.len())));
                let about = word(about.map(|(firm, n)| match firm {
                    true => format!("(firms #{})", n % firms.len()),
                    false => format!("(people #{})", n % (2 + at)),
                }));
                trial.run(&format!("add people (name = \"p{at}\", firm = {firm}, about = {about})"))
                    .unwrap();
            }
            let (a, b) = (a % firms.len(), b % firms.len());
            let statement = format!("merge firms #{a} into #{b}");
            let before = (records(&trial, "firms"), records(&trial, "people"));
            let image = trial.image();
            let dry = trial.run(&format!("dry run {statement}"));
            prop_assert_eq!(&trial.image(), &image);
            let merged = trial.run(&statement);
            prop_assert_eq!(dry.is_ok(), merged.is_ok());
            let Ok(Outcome::DryRun { changes, .. }) = dry else {
                prop_assert_eq!(trial.image(), image);
                return Ok(());
            };
            let (source, target) = (format!("#{a}"), format!("#{b}"));
            let (any_source, any_target) = (format!("firms:#{a}"), format!("firms:#{b}"));
            let moved = |cell: &String, refers: bool| match cell {
                cell if refers && *cell == source => target.clone(),
                cell if *cell == any_source => any_target.clone(),
                cell => cell.clone(),
            };
            let (mut firms, mut people) = before.clone();
            let gone = firms.remove(&source).unwrap();
            for cells in people.values_mut() {
                *cells = cells.iter().enumerate().map(|(at, c)| moved(c, at == 1)).collect();
            }
            for (id, cells) in &mut firms {
                *cells = cells.iter().enumerate().map(|(at, c)| match *id == target {
                    false => moved(c, at == 3),
                    true => {
                        let own = |c: &str| at == 3 && (c == source || c == target);
                        let kept = Some(c).filter(|c| !c.is_empty() && !own(c));
                        let given = Some(&gone[at]).filter(|c| !own(c));
                        kept.or(given).cloned().unwrap_or_default()
                    }
                }).collect();
            }
            let after = (records(&trial, "firms"), records(&trial, "people"));
            prop_assert_eq!(&after, &(firms, people));
            let cells = |of: &BTreeMap<String, Vec<String>>, was: &BTreeMap<String, Vec<String>>| {
                let pairs = of.iter().flat_map(|(id, cells)| cells.iter().zip(&was[id]));
                pairs.filter(|(a, b)| a != b).count()
            };
            let told = cells(&after.0, &before.0) + cells(&after.1, &before.1) + 1;
            prop_assert_eq!(changes.rows.len(), told);
            trial.run("undo").unwrap();
            prop_assert_eq!(trial.image(), image);
        }
    }
}
