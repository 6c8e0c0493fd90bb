//! `undo`: what a transaction did is taken back by a new one, unless later ones stand on it.

use super::back::{Back, since};
use super::delete::{Gone, references};
use super::writer::Writer;
use crate::catalog::{Catalog, OnDelete};
use crate::error::{Code, Error, Result, Span};
use crate::query::exec::beginning;
use crate::query::label;
use crate::query::outcome::Outcome;
use crate::query::pipeline::Environment;
use crate::query::syntax;
use crate::storage::{Deed, Later, LaterChange, Nature, Stamp, Transaction};
use crate::value::{FieldId, ObjectId, Value};
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Reasons told of a refusal.
const LISTED: usize = 5;

/// Undoes a transaction. When it fails, the caller rolls back to its mark.
pub(crate) fn undo(
    tree: &syntax::Undo,
    transaction: &mut Transaction<'_>,
    catalog: &Arc<Catalog>,
    environment: &Environment<'_>,
) -> Result<Outcome> {
    if !transaction.is_untouched() {
        return Err(Error::new(
            Code::TransactionState,
            "an undo comes first in its transaction, and this one has changed something",
        )
        .hint("`commit` or `rollback` first"));
    }
    Writer::new(transaction, Arc::clone(catalog), environment).undo(tree)
}

/// A transaction to be undone, and what is undone of those after it.
struct Target {
    stamp: Stamp,
    /// By transactions that are undone, those that undid them.
    undone: HashMap<u64, u64>,
    /// By transactions that undo and stand, those that they undo.
    undoing: HashMap<u64, u64>,
    /// Where it cannot be undone, the one that would be the next.
    before: Option<u64>,
}

impl Target {
    /// Whether a later transaction still counts: it is not undone, and takes back more than another
    /// later one.
    fn counts(&self, sequence: u64) -> bool {
        let undoes = self.undoing.get(&sequence);
        !self.undone.contains_key(&sequence) && undoes.is_none_or(|of| *of <= self.stamp.sequence)
    }
}

impl Writer<'_, '_> {
    fn undo(&mut self, tree: &syntax::Undo) -> Result<Outcome> {
        let target = self.target(tree)?;
        let stamp = target.stamp;
        self.refuse_schema(&target)?;
        let deeds = self.snapshot().deeds(stamp.sequence)?;
        self.refuse_later(&target, &deeds)?;
        let mut all = Vec::with_capacity(deeds.len());
        for (object, deed) in &deeds {
            all.push((*object, self.take_back(*object, deed)?));
        }
        for (object, backs) in &all {
            if let Some(reason) = self.broken(*object, backs)? {
                return Err(self.cannot(stamp, [reason.text + &reason.since]));
            }
        }
        self.refuse_referred_to(stamp, &deeds)?;
        self.transaction.set_undoing(stamp.sequence);
        let count = |count: fn(&Deed) -> usize| deeds.values().map(count).sum::<usize>() as u64;
        Ok(Outcome::Undone {
            transaction: stamp.sequence,
            of: self.when(stamp),
            restored: count(|deed| deed.went.len()),
            updated: count(|deed| deed.changed.len()),
            deleted: count(|deed| deed.came.len()),
        })
    }

    /// The transaction that is meant.
    fn target(&self, tree: &syntax::Undo) -> Result<Target> {
        let snapshot = self.snapshot();
        let me = self.environment.me;
        let mut undone = HashMap::new();
        let mut undoing = HashMap::new();
        let mut found: Option<Stamp> = None;
        let mut before = None;
        snapshot.transactions_back(|stamp| {
            let stands = !undone.contains_key(&stamp.sequence);
            let own = stamp.actor == me && stands;
            let meant = match (tree, stamp.nature) {
                (syntax::Undo::Transaction { number, .. }, _) => stamp.sequence <= *number,
                (syntax::Undo::Last, Nature::Undo(_)) => false,
                (syntax::Undo::Last, _) => own,
                (syntax::Undo::Redo, Nature::Undo(of)) => own && self.is_done(of)?,
                (syntax::Undo::Redo, _) => false,
            };
            if meant && found.is_some() {
                before = Some(stamp.sequence);
            } else if meant {
                found = Some(stamp);
            }
            // One that cannot be undone is told with the one before it.
            let last = matches!(tree, syntax::Undo::Last);
            if meant && !(last && stamp.nature == Nature::Schema) {
                return Ok(ControlFlow::Break(()));
            }
            if found.is_some() {
                return Ok(ControlFlow::Continue(()));
            }
            if let (Nature::Undo(of), true) = (stamp.nature, stands) {
                undone.insert(of, stamp.sequence);
                undoing.insert(stamp.sequence, of);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let found = found.map(|stamp| Target {
            stamp,
            undone,
            undoing,
            before,
        });
        let syntax::Undo::Transaction { number, span } = tree else {
            return found.ok_or_else(|| self.nothing(tree));
        };
        match found {
            Some(target) if target.stamp.sequence == *number => {
                self.refuse_undone(&target, span)?;
                Ok(target)
            }
            _ => {
                if let Some(kept) = snapshot.kept()?
                    && (1..=kept.sequence).contains(number)
                {
                    let begins = beginning(kept.at, self.environment.clock);
                    let message = format!("transaction {number} was pruned; {begins}");
                    return Err(Error::new(Code::Pruned, message).at(span.clone()));
                }
                let last = snapshot.sequence();
                let message = format!("there is no transaction {number}");
                let error = Error::new(Code::CannotUndo, message).at(span.clone());
                Err(error.hint(format!("the last one is {last}")))
            }
        }
    }

    /// Whether a transaction that was undone was no undoing, nor the undoing of an undoing of one.
    /// One that is forgotten is taken for none.
    fn is_done(&self, sequence: u64) -> Result<bool> {
        let begin = self.snapshot().kept()?.map_or(0, |stamp| stamp.sequence);
        let mut done = true;
        let mut at = sequence;
        while at > begin
            && let Nature::Undo(of) = self.snapshot().stamp(at)?.nature
        {
            done = !done;
            at = of;
        }
        Ok(done)
    }

    fn nothing(&self, tree: &syntax::Undo) -> Error {
        let what = match tree {
            syntax::Undo::Redo => "undo to take back",
            _ => "transaction to undo",
        };
        let whose = match self.environment.me {
            Some(me) => format!("of {}", self.actor(me)),
            None => "without an actor".to_owned(),
        };
        let error = Error::new(Code::CannotUndo, format!("there is no {what} {whose}"));
        error.hint("`undo N` is about the transaction of that number, whoever made it")
    }

    fn refuse_undone(&self, target: &Target, span: &Span) -> Result<()> {
        let Some(by) = target.undone.get(&target.stamp.sequence) else {
            return Ok(());
        };
        let message = format!(
            "transaction {} is undone already, by transaction {by}",
            target.stamp.sequence
        );
        Err(Error::new(Code::CannotUndo, message)
            .at(span.clone())
            .hint(format!("`undo {by}` makes it again")))
    }

    fn refuse_schema(&self, target: &Target) -> Result<()> {
        if target.stamp.nature != Nature::Schema {
            return Ok(());
        }
        let error = self
            .cannot(target.stamp, ["it changed the definitions or the settings"])
            .hint("change them back by `alter`, `drop`, `create` or `set`");
        Err(match target.before {
            Some(before) => error.hint(format!("`undo {before}` takes back the one before it")),
            None => error,
        })
    }

    /// Refuses if a later transaction that counts changed what this one did.
    fn refuse_later(&self, target: &Target, deeds: &BTreeMap<ObjectId, Deed>) -> Result<()> {
        let mut reasons = Vec::new();
        let mut all = Vec::new();
        for (object, deed) in deeds {
            let definition = self.catalog.object(*object);
            if definition.dropped {
                reasons.push(format!("{} were dropped since", definition.name));
                continue;
            }
            // One that has another type now has its past there, under the same name, as far as it
            // is of that type.
            let lost = deed.changed.values().find_map(|olds| {
                let olds = || {
                    let of = |(field, old)| (definition.field(field), old);
                    olds.iter().map(move |(field, old)| of((*field, old)))
                };
                let mut dropped = olds().filter(|(field, _)| field.dropped);
                dropped.find_map(|(field, old)| {
                    let now = olds().find(|(now, _)| !now.dropped && now.name == field.name);
                    match now {
                        None if definition.find_field(&field.name).is_some() => Some((
                            field,
                            "has another type since, in which that changed nothing",
                        )),
                        None => Some((field, "was dropped since")),
                        Some((_, now)) if now.is_missing() && !old.is_missing() => {
                            Some((field, "had a value that it cannot have since"))
                        }
                        Some(_) => None,
                    }
                })
            });
            if let Some((field, what)) = lost {
                let field = &field.name;
                reasons.push(format!("`{field}` of {} {what}", definition.name));
            }
            all.extend(
                self.snapshot()
                    .later(*object, deed, target.stamp.sequence)?,
            );
        }
        all.retain(|later| target.counts(later.sequence));
        all.sort_unstable();
        let dropped = |later: &Later| match later.what {
            LaterChange::Field(field) => self.catalog.object(later.object).field(field).dropped,
            LaterChange::Came | LaterChange::Went => false,
        };
        for later in all.iter().filter(|later| !dropped(later)) {
            match reasons.len() < LISTED {
                true => reasons.push(self.changed_since(*later)?),
                false => reasons.push(String::new()),
            }
        }
        match reasons.is_empty() {
            true => Ok(()),
            false => Err(self.cannot(target.stamp, reasons)),
        }
    }

    /// `accounts "Acme": `stage` was changed since by ...`
    fn changed_since(&self, later: Later) -> Result<String> {
        let Later {
            sequence,
            object,
            id,
            what,
        } = later;
        let by = self.transaction_said(self.snapshot().stamp(sequence)?);
        let definition = self.catalog.object(object);
        Ok(match what {
            LaterChange::Field(field) => format!(
                "{}: `{}` was changed since by {by}",
                self.name_of(object, id),
                definition.field(field).name
            ),
            LaterChange::Came => {
                format!("{} was brought back by {by}", self.name_of(object, id))
            }
            LaterChange::Went => {
                let deeds = self.snapshot().deeds(sequence)?;
                let row = deeds.get(&object).and_then(|deed| deed.went.get(&id));
                let name = label::name_of_row(object, id, row.map(|row| &**row), &self.catalog);
                format!("{name} was deleted since by {by}")
            }
        })
    }

    /// Makes the records of an object what they were before a deed; gives those there are then.
    fn take_back(&mut self, object: ObjectId, deed: &Deed) -> Result<Vec<Back>> {
        let rules = self.rules(object)?;
        let catalog = Arc::clone(&self.catalog);
        let definition = catalog.object(object);
        let mut backs = Vec::with_capacity(deed.went.len() + deed.changed.len());
        for (id, row) in &deed.went {
            self.environment.interrupt.check()?;
            self.revive(&rules, *id, row)?;
            backs.push(Back {
                id: *id,
                old: None,
                new: Arc::clone(row),
            });
        }
        for (id, olds) in &deed.changed {
            self.environment.interrupt.check()?;
            let old = self.row(object, *id)?;
            let live = |(field, _): &&(FieldId, Value)| !definition.field(*field).dropped;
            let olds = olds.iter().filter(live).cloned();
            let (row, _) = Self::changed(&old, olds.collect());
            self.put(&rules, *id, &old, Arc::clone(&row))?;
            backs.push(Back {
                id: *id,
                old: Some(old),
                new: row,
            });
        }
        for id in &deed.came {
            self.environment.interrupt.check()?;
            let old = self.transaction.delete(object, *id)?;
            self.forget_labels(&rules, &old);
        }
        Ok(backs)
    }

    /// Refuses if a record refers to one that the transaction had added.
    fn refuse_referred_to(&self, stamp: Stamp, deeds: &BTreeMap<ObjectId, Deed>) -> Result<()> {
        let mut gone = Gone::default();
        for (object, deed) in deeds {
            gone.insert(*object, deed.came.iter().copied().collect());
        }
        let mut reasons = Vec::new();
        for object in deeds.keys() {
            for rule in OnDelete::ALL {
                for (referring, field) in references(&self.catalog, *object, rule) {
                    for (target, other) in self.staying(*object, &gone, (referring, field), true)? {
                        let target = self.name_gone(*object, target)?;
                        let other_name = self.name_of(referring.id, other);
                        let set = self.set_by(referring.id, other, &[field.id])?;
                        reasons.push(format!(
                            "{other_name} refers to {target} in `{}`{}",
                            field.name,
                            since(set.map(|stamp| self.transaction_said(stamp)))
                        ));
                    }
                }
            }
        }
        match reasons.is_empty() {
            true => Ok(()),
            false => Err(self.cannot(stamp, reasons)),
        }
    }

    /// The refusal to undo a transaction: the first of the reasons, and some more.
    fn cannot(&self, stamp: Stamp, reasons: impl IntoIterator<Item = impl AsRef<str>>) -> Error {
        let mut reasons = reasons.into_iter();
        let what = self.transaction_said(stamp);
        let first = reasons.next();
        let first = first.as_ref().map_or("", |reason| reason.as_ref());
        let message = format!("{what} cannot be undone: {first}");
        let mut error = Error::new(Code::CannotUndo, message);
        for reason in reasons.by_ref().take(LISTED - 1) {
            error = error.hint(format!("also: {}", reason.as_ref()));
        }
        match reasons.count() {
            0 => error,
            more => error.hint(format!("and {more} more")),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Code;
    use crate::query::trial::Trial;
    use proptest::prelude::*;

    const SCHEMA: &str = "\
        create object firms (name text label unique, size integer, note longtext, skills tags, \
            parent ref firms hierarchy collection children on delete empty); \
        create object people (name text label, email text unique, firm ref firms on delete cascade, \
            about ref any (firms, people) on delete empty); \
        create index on firms (size, name)";

    /// A statement over few records, that may well be refused.
    fn statement() -> impl Strategy<Value = String> {
        let firm = || (0..4_u8).prop_map(|n| format!("\"f{n}\""));
        let firm_or_none = || prop_oneof![firm(), Just("empty".to_owned())];
        let person = || (0..4_u8).prop_map(|n| format!("\"p{n}\""));
        prop_oneof![
            (firm(), 0..9_i64, firm_or_none()).prop_map(|(name, size, parent)| format!(
                "add firms (name = {name}, size = {size}, skills = (s{size}), parent = {parent})"
            )),
            (person(), person(), firm_or_none()).prop_map(|(name, email, firm)| format!(
                "add people (name = {name}, email = {email}, firm = {firm}), (name = {name})"
            )),
            (firm(), firm_or_none()).prop_map(|(name, parent)| format!(
                "update firms {name} set parent = {parent}, note = name + size"
            )),
            (0..9_i64, 0..9_i64).prop_map(|(than, size)| format!(
                "update firms where size > {than} set size = size + {size}, skills = (t{size})"
            )),
            (firm(), firm()).prop_map(|(a, b)| format!(
                "update firms where name = {a} or name = {b} \
                 set name = if(name = {a}, {b}, {a})"
            )),
            (person(), firm_or_none()).prop_map(|(name, firm)| format!(
                "update people where name = {name} set firm = {firm}, about = firm"
            )),
            firm().prop_map(|name| format!("delete firms {name}")),
            Just("restore firms where true".to_owned()),
            firm().prop_map(|name| format!("restore people where firm = {name}")),
            (0..9_i64).prop_map(|than| format!("delete firms where size > {than}")),
            person().prop_map(|name| format!("delete people where name = {name}")),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 32,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// Each undo gives the state before to the byte, and each redo the one after.
        #[test]
        fn undo_restores_every_row(
            steps in prop::collection::vec((statement(), any::<bool>()), 1..14),
        ) {
            let trial = Trial::new(SCHEMA);
            let mut images = vec![trial.image()];
            for (statement, fold) in steps {
                let before = trial.transactions();
                // What is refused changes nothing.
                let _ = trial.run(&statement);
                if trial.transactions() > before {
                    images.push(trial.image());
                }
                if fold {
                    trial.fold();
                }
            }
            let mut done = images.len() - 1;
            for fold in [false, true] {
                while done > 0 {
                    trial.run("undo").unwrap();
                    done -= 1;
                    prop_assert_eq!(&trial.image(), &images[done]);
                }
                let more = trial.run("undo").unwrap_err();
                prop_assert_eq!(more.code(), Code::CannotUndo);
                while done + 1 < images.len() {
                    trial.run("redo").unwrap();
                    done += 1;
                    if fold {
                        trial.fold();
                    }
                    prop_assert_eq!(&trial.image(), &images[done]);
                }
                prop_assert_eq!(trial.run("redo").unwrap_err().code(), Code::CannotUndo);
            }
        }
    }
}
