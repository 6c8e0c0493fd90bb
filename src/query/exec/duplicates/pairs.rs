//! The search for the pairs that one rule holds for.
//!
//! A way of the rule says what each such pair has in common. Profiles that have its columns the
//! same are a *block*. In a small block all are compared with all. In a large one with a column
//! that must be alike only those are that share one of their rarest trigrams: of two texts that
//! are alike by `t` the first few in the order of rarity must have one in common (the prefix
//! filter of set similarity joins), so that none is lost. In any other a record is compared with
//! those that are not in its group yet.

use super::compared::{Compared, MISSING};
use super::forest::Forest;
use crate::column::{Bits, Bitset, Floats, Vector};
use crate::error::Result;
use crate::query::bind::{Duplicates, Node, Rule, Way};
use crate::query::exec::{Batch, Executor, Frame};
use foldhash::{HashMap, HashMapExt};

/// Pairs that are compared at once.
const PAIRS: usize = 4096;
/// In a block of so many all are compared with all.
const SMALL: usize = if cfg!(test) { 2 } else { 32 };
/// Of a similarity, so that rounding loses no pair.
const ROUNDING: f64 = 1e-9;

pub(super) struct Search<'s, 'a> {
    executor: &'s Executor<'a>,
    duplicates: &'s Duplicates,
    rule: &'s Rule,
    compared: &'s [Compared],
    /// By record its profile.
    profiles: Vec<u32>,
    /// By profile its first record, and whether there is another.
    firsts: Vec<(u32, bool)>,
    groups: Forest,
    /// Profiles whose records have a partner.
    paired: Bitset,
    /// Profiles still to be compared.
    waiting: Vec<(u32, u32)>,
}

impl<'s, 'a> Search<'s, 'a> {
    pub(super) fn new(
        executor: &'s Executor<'a>,
        duplicates: &'s Duplicates,
        rule: &'s Rule,
        compared: &'s [Compared],
        records: usize,
    ) -> Self {
        let mut columns: Vec<usize> = Vec::new();
        for at in slots(rule) {
            columns.push(duplicates.terms[at].column);
        }
        columns.sort_unstable();
        columns.dedup();
        let mut profiles = vec![0; records];
        for column in columns {
            let mut known: HashMap<(u32, u32), u32> = HashMap::new();
            for (profile, number) in profiles.iter_mut().zip(&compared[column - 1].numbers) {
                let next = known.len() as u32;
                *profile = *known.entry((*profile, *number)).or_insert(next);
            }
        }
        let mut firsts: Vec<(u32, bool)> = Vec::new();
        for (record, &profile) in (0..).zip(&profiles) {
            match firsts.get_mut(profile as usize) {
                Some(first) => first.1 = true,
                None => firsts.push((record, false)),
            }
        }
        Self {
            executor,
            duplicates,
            rule,
            compared,
            profiles,
            groups: Forest::new(firsts.len()),
            paired: Bitset::new(firsts.len()),
            firsts,
            waiting: Vec::new(),
        }
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        4 * self.profiles.len() + (8 + Forest::BYTES + 16) * self.firsts.len()
    }

    fn number(&self, column: usize, profile: u32) -> u32 {
        let (record, _) = self.firsts[profile as usize];
        self.compared[column - 1].numbers[record as usize]
    }

    /// Finds the pairs that a way leads to.
    pub(super) fn along(&mut self, way: &Way) -> Result<()> {
        let most_alike = way.most_alike();
        let needed: Vec<usize> = way
            .same
            .iter()
            .copied()
            .chain(most_alike.map(|m| m.0))
            .collect();
        let has_all = |&profile: &u32| {
            let mut numbers = needed.iter().map(|&column| self.number(column, profile));
            numbers.all(|number| number != MISSING)
        };
        let mut blocks: Vec<(u32, u32)> = (0..self.firsts.len() as u32)
            .filter(has_all)
            .map(|profile| (0, profile))
            .collect();
        for &column in &way.same {
            let mut known: HashMap<(u32, u32), u32> = HashMap::new();
            for (block, profile) in &mut blocks {
                let next = known.len() as u32;
                let number = self.number(column, *profile);
                *block = *known.entry((*block, number)).or_insert(next);
            }
        }
        blocks.sort_unstable();
        for block in blocks.chunk_by(|a, b| a.0 == b.0) {
            let block: Vec<u32> = block.iter().map(|&(_, profile)| profile).collect();
            for &profile in &block {
                let (_, several) = self.firsts[profile as usize];
                if several {
                    self.compare(profile, profile)?;
                }
            }
            match most_alike {
                Some((column, least)) if block.len() > SMALL => {
                    self.alike(&block, column, least)?;
                }
                _ => self.all(&block)?,
            }
        }
        self.settle()
    }

    /// Compares all profiles of a block.
    fn all(&mut self, block: &[u32]) -> Result<()> {
        if block.len() <= SMALL {
            for (at, &a) in block.iter().enumerate() {
                for &b in &block[at + 1..] {
                    self.compare(a, b)?;
                }
            }
            return Ok(());
        }
        let mut left = block.to_vec();
        while let Some(next) = left.pop() {
            let mut group = vec![next];
            while let Some(a) = group.pop() {
                self.executor.context.interrupt.check()?;
                self.settle()?;
                for &b in &left {
                    self.compare(a, b)?;
                }
                self.settle()?;
                let (mut stay, mut come) = (Vec::new(), Vec::new());
                for b in left {
                    match self.groups.together(a, b) {
                        true => come.push(b),
                        false => stay.push(b),
                    }
                }
                group.extend(come);
                left = stay;
            }
        }
        Ok(())
    }

    /// Compares the profiles of a block whose texts in a column may be alike by `least`.
    fn alike(&mut self, block: &[u32], column: usize, least: f64) -> Result<()> {
        let compared = &self.compared[column - 1];
        let mut by_text: Vec<(u32, u32)> = block
            .iter()
            .map(|&profile| (self.number(column, profile), profile))
            .collect();
        by_text.sort_unstable();
        let mut texts: Vec<(u32, Vec<u32>)> = by_text
            .chunk_by(|a, b| a.0 == b.0)
            .map(|run| (run[0].0, run.iter().map(|&(_, profile)| profile).collect()))
            .collect();
        texts.sort_by_key(|(number, _)| compared.pieces(*number).len());
        // By trigram the texts before with it among their rarest, and how many trigrams each has.
        let mut met: HashMap<u32, Vec<(u32, u32)>> = HashMap::new();
        let mut seen = vec![u32::MAX; texts.len()];
        for (at, (number, profiles)) in (0..).zip(&texts) {
            self.executor.context.interrupt.check()?;
            self.all(profiles)?;
            let pieces = compared.pieces(*number);
            let (smallest, rarest, kept) = prefix(pieces.len(), least);
            for piece in &pieces[..rarest] {
                let others = met.get(piece).map_or(&[][..], Vec::as_slice);
                let from = others.partition_point(|&(_, len)| (len as usize) < smallest);
                for &(other, _) in &others[from..] {
                    if std::mem::replace(&mut seen[other as usize], at) == at {
                        continue;
                    }
                    let (text, partners) = &texts[other as usize];
                    let one = profiles.len() == 1 && partners.len() == 1;
                    if one && self.groups.together(profiles[0], partners[0]) {
                        continue;
                    }
                    if compared.similarity(*number, *text) < least - ROUNDING {
                        continue;
                    }
                    for &a in profiles {
                        for &b in partners {
                            self.compare(a, b)?;
                        }
                    }
                }
            }
            for &piece in &pieces[..kept] {
                met.entry(piece)
                    .or_default()
                    .push((at, pieces.len() as u32));
            }
        }
        Ok(())
    }

    /// Compares two profiles, now or later, unless they are in one group by now.
    fn compare(&mut self, a: u32, b: u32) -> Result<()> {
        if a != b && self.groups.together(a, b) || a == b && self.paired.get(a as usize) {
            return Ok(());
        }
        self.waiting.push((a, b));
        match self.waiting.len() {
            PAIRS => self.settle(),
            _ => Ok(()),
        }
    }

    /// Compares what is waiting.
    fn settle(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.executor.context.interrupt.check()?;
        let pairs = std::mem::take(&mut self.waiting);
        let asked = slots(self.rule);
        let terms = self.duplicates.terms.iter().enumerate();
        let columns = terms.map(|(at, term)| {
            let numbers = pairs.iter().map(|&(a, b)| {
                let numbers = [a, b].map(|profile| self.number(term.column, profile));
                (asked.contains(&at) && !numbers.contains(&MISSING)).then_some(numbers)
            });
            if term.alike {
                let compared = &self.compared[term.column - 1];
                let shares = numbers.map(|both| both.map(|[a, b]| compared.similarity(a, b)));
                return Vector::Floats(Floats::from_options(shares));
            }
            let same: Vec<bool> = numbers
                .map(|both| both.is_some_and(|[a, b]| a == b))
                .collect();
            Vector::Bits(Bits {
                data: Bitset::from_fn(pairs.len(), |at| same[at]),
                missing: None,
            })
        });
        let frame = Frame {
            columns: columns.collect(),
            len: pairs.len(),
        };
        let batch = Batch::Slots(&frame);
        let hold = self.executor.evaluator.test(&self.rule.holds, &batch)?;
        for at in hold.ones() {
            let (a, b) = pairs[at];
            self.groups.join(a, b);
            self.paired.set(a as usize, true);
            self.paired.set(b as usize, true);
        }
        self.waiting = pairs;
        self.waiting.clear();
        Ok(())
    }

    /// Calls `each` with all records that have a partner and one of their group.
    pub(super) fn finish(mut self, mut each: impl FnMut(u32, u32)) {
        for (record, &profile) in (0..).zip(&self.profiles) {
            if self.paired.get(profile as usize) {
                let root = self.groups.root(profile);
                each(record, self.firsts[root as usize].0);
            }
        }
    }
}

/// The slots that a rule asks for.
fn slots(rule: &Rule) -> Vec<usize> {
    let mut slots = Vec::new();
    rule.holds.visit(&mut |expr| {
        if let Node::Slot(at) = expr.node {
            slots.push(at);
        }
    });
    slots
}

/// Of a text of so many trigrams: how many another one has at least that is alike by `least` and
/// has no more of them; how many of its rarest are looked up; and how many are kept for those
/// that have no fewer.
fn prefix(len: usize, least: f64) -> (usize, usize, usize) {
    let whole = len as f64;
    let at_least = |needed: f64| ((needed - ROUNDING).ceil() as usize).clamp(1, len);
    // With 2c / (m + n) >= t and c <= m <= n: m >= n t / (2 - t), and c is at least that; for one
    // with no fewer than m of its own c >= m t.
    let smallest = at_least(whole * least / (2.0 - least));
    (
        smallest,
        len - smallest + 1,
        len - at_least(whole * least) + 1,
    )
}
