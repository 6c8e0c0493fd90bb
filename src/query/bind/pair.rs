//! `duplicates of` as bound: what is compared of two records, when they are held for one, and by
//! what such pairs are found without trying all.

use super::{Expr, Node, Query, Type};
use crate::column::Comparison;
use crate::error::{Code, Error, Result, Span};
use crate::value::{FieldType, ObjectId, Value};

/// Ways that one rule may have at most.
const WAYS_MAX: usize = 256;

/// Records of an object that are held for one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Duplicates {
    pub object: ObjectId,
    /// The records looked at: the record, then what is compared.
    pub among: Query,
    /// What is known of a pair, slot by slot of the rules' frame.
    pub terms: Vec<Term>,
    /// A pair that meets any of these is one of duplicates.
    pub rules: Vec<Rule>,
    pub span: Span,
}

/// What one column of two records says of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Term {
    /// Of [`Duplicates::among`].
    pub column: usize,
    /// How alike, a number from 0 to 1; else whether the same.
    pub alike: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    /// Over the slots of the terms.
    pub holds: Expr,
    /// As written.
    pub words: String,
}

/// What all pairs have in common that one alternative of a rule holds for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Way {
    /// Columns that both records have the same.
    pub same: Vec<usize>,
    /// Columns that are at least so much alike, which is above 0.
    pub alike: Vec<(usize, f64)>,
}

impl Duplicates {
    /// The slot of the record.
    pub(crate) const RECORD: usize = 1;

    /// What is known of each record that has duplicates, slot by slot.
    pub(crate) fn columns(&self) -> [(&'static str, Type); 5] {
        let record = Type::Plain(FieldType::Reference(self.object));
        [
            ("group", Type::INTEGER),
            ("record", record.clone()),
            ("match", Type::TEXT),
            ("size", Type::INTEGER),
            ("first", record),
        ]
    }

    /// By what the pairs of a rule are found: each has what one of these says. A threshold that is
    /// not known yet counts as one.
    pub(crate) fn ways(&self, rule: &Rule) -> Result<Vec<Way>> {
        let ways = self.ways_of(&rule.holds, true)?;
        if ways
            .iter()
            .any(|way| way.same.is_empty() && way.alike.is_empty())
        {
            let message = format!("`{}` does not say which records to compare", rule.words);
            return Err(Error::new(Code::Misplaced, message)
                .at(rule.holds.span.clone())
                .expected(
                    "`same(...)`, or `similar(...)` at least a number above 0, in each alternative",
                )
                .hint(
                    "a condition on single records goes before: \
                     `duplicates of (OBJECT where ...) where same(email)`",
                ));
        }
        Ok(ways)
    }

    fn ways_of(&self, holds: &Expr, positive: bool) -> Result<Vec<Way>> {
        let (list, all) = match (&holds.node, positive) {
            (Node::Not(inner), _) => return self.ways_of(inner, !positive),
            (Node::And(list), true) | (Node::Or(list), false) => (list, true),
            (Node::And(list), false) | (Node::Or(list), true) => (list, false),
            (Node::Constant(value), _) if (*value == Value::Boolean(true)) != positive => {
                return Ok(Vec::new());
            }
            (_, true) => return Ok(vec![self.way_of(holds)]),
            (_, false) => return Ok(vec![Way::default()]),
        };
        let mut ways = match all {
            true => vec![Way::default()],
            false => Vec::new(),
        };
        for part in list {
            let more = self.ways_of(part, positive)?;
            if all {
                let join = |way: &Way| {
                    let way = way.clone();
                    more.iter()
                        .map(move |more| way.with(more))
                        .collect::<Vec<_>>()
                };
                ways = ways.iter().flat_map(join).collect();
            } else {
                ways.extend(more);
            }
            if ways.len() > WAYS_MAX {
                let message = format!("the rule has over {WAYS_MAX} alternatives");
                return Err(Error::new(Code::Limit, message)
                    .at(holds.span.clone())
                    .hint("ask for a few of them at a time"));
            }
        }
        Ok(ways)
    }

    fn way_of(&self, holds: &Expr) -> Way {
        let mut way = Way::default();
        let term = |slot: &Expr| match slot.node {
            Node::Slot(at) => self.terms.get(at),
            _ => None,
        };
        match &holds.node {
            Node::Slot(_) => {
                let term = term(holds).filter(|term| !term.alike);
                way.same.extend(term.map(|term| term.column));
            }
            Node::Compare {
                comparison,
                left,
                right,
            } => {
                for (slot, comparison, least) in comparison.both_ways(left, right) {
                    let Some(term) = term(slot).filter(|term| term.alike) else {
                        continue;
                    };
                    let mut is_of_pair = false;
                    least.visit(&mut |part| is_of_pair |= matches!(part.node, Node::Slot(_)));
                    let least = match least.as_constant() {
                        Some(Value::Number(least)) => *least,
                        None if !is_of_pair => 1.0,
                        _ => continue,
                    };
                    let is_least = match comparison {
                        Comparison::Equal | Comparison::GreaterEqual => least > 0.0,
                        // Above 0 there is a trigram in common.
                        Comparison::Greater => least >= 0.0,
                        Comparison::Less | Comparison::LessEqual => false,
                    };
                    if is_least {
                        way.alike.push((term.column, least.max(f64::MIN_POSITIVE)));
                    }
                }
            }
            _ => {}
        }
        way
    }

    /// A way in words.
    pub(crate) fn told(&self, way: &Way) -> String {
        let name = |column: usize| self.among.columns[column].name.as_str();
        let same: Vec<_> = way.same.iter().map(|&column| name(column)).collect();
        match (same.as_slice(), way.most_alike()) {
            ([], Some((column, _))) => format!("common trigrams of {}", name(column)),
            (same, None) => format!("same {}", same.join(", ")),
            (same, Some((column, _))) => {
                format!(
                    "same {} and common trigrams of {}",
                    same.join(", "),
                    name(column)
                )
            }
        }
    }
}

impl Way {
    fn with(&self, other: &Self) -> Self {
        let mut way = self.clone();
        way.same.extend(&other.same);
        way.same.sort_unstable();
        way.same.dedup();
        way.alike.extend(&other.alike);
        way
    }

    /// The column that must be the most alike.
    pub(crate) fn most_alike(&self) -> Option<(usize, f64)> {
        let most = |a: &&(usize, f64), b: &&(usize, f64)| a.1.total_cmp(&b.1);
        self.alike.iter().max_by(most).copied()
    }
}
