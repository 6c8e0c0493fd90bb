//! Functions of values of one record: choices, rounding, text, ranks.

use super::arithmetic::{map_floats, map_ints, zip_ints};
use super::condition::compare_vectors;
use super::{Evaluator, concat, internal, overflow};
use crate::column::{Bitset, Comparison, Floats, Ints, TextBlock, Texts, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Expr, Function, Type};
use crate::query::exec::Batch;
use crate::value::{Currency, Money, Trigrams, rounded_quotient};

impl Evaluator<'_> {
    pub(super) fn function(
        &self,
        function: Function,
        arguments: &[Expr],
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        match (function, arguments) {
            (Function::If, [condition, yes, no]) => self.choose(condition, yes, no, expr, batch),
            (Function::Coalesce, _) => self.coalesce(arguments, expr, batch),
            (Function::Least, _) => self.extreme(Comparison::Less, arguments, expr, batch),
            (Function::Greatest, _) => self.extreme(Comparison::Greater, arguments, expr, batch),
            (Function::Abs | Function::Round | Function::Floor | Function::Ceil, [value, ..]) => {
                self.round(function, value, arguments.get(1), expr, batch)
            }
            (Function::Lower | Function::Upper | Function::Length, [value]) => {
                let texts = self.texts(value, expr, batch)?;
                Ok(match function {
                    Function::Lower => Vector::Texts(map_texts(&texts, str::to_lowercase)),
                    Function::Upper => Vector::Texts(map_texts(&texts, str::to_uppercase)),
                    _ => {
                        let length = |text: &str| i64::try_from(text.chars().count()).ok();
                        Vector::Ints(Ints::from_options(texts.iter().map(|t| t.and_then(length))))
                    }
                })
            }
            (Function::Similar, [a, b]) => self.similar(a, b, expr, batch),
            (Function::Currency, [amount]) => match self.evaluate(amount, batch)? {
                Vector::Pair(units, currency) => {
                    let codes = units.iter().zip(currency.iter());
                    let codes: Vec<Option<String>> = codes
                        .map(|(units, code)| {
                            let code = u16::try_from(units.and(code)?).ok()?;
                            Some(Currency::from_code(code).to_string())
                        })
                        .collect();
                    let texts = codes.iter().map(Option::as_deref);
                    Ok(Vector::Texts(Texts::from_options(texts)))
                }
                _ => Err(internal("the currency of another form", expr)),
            },
            (Function::Revision, [record]) => self.revision(record, expr, batch),
            (Function::BusinessHours, [from, to]) => self.business_hours(from, to, expr, batch),
            (Function::Counted, [count]) => match self.evaluate(count, batch)? {
                Vector::Ints(counts) => map_ints(&counts, |n| match n {
                    1.. => Ok(Some(n)),
                    _ => Err(Error::new(Code::BadLiteral, "a period of no length")
                        .at(count.span.clone())
                        .expected(format!("a whole number from 1 on, not {n}"))),
                })
                .map(Vector::Ints),
                _ => Err(internal("a count of another form", expr)),
            },
            (Function::Concat, _) => self.concat(arguments, expr, batch),
            (
                Function::Weekday
                | Function::MonthOfYear
                | Function::Days
                | Function::DaysOf
                | Function::PeriodStart
                | Function::PeriodEnd,
                _,
            ) => self.calendar(function, arguments, expr, batch),
            _ => Err(internal("a function without its arguments", expr)),
        }
    }

    fn choose(
        &self,
        condition: &Expr,
        yes: &Expr,
        no: &Expr,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        let hits = self.test(condition, batch)?;
        if hits.all() {
            return self.typed(yes, expr, batch, &hits);
        }
        let mut others = hits.clone();
        others.not();
        let no = self.typed(no, expr, batch, &others)?;
        if hits.none() {
            return Ok(no);
        }
        let yes = self.typed(yes, expr, batch, &hits)?;
        Ok(merge(&hits, yes, no, expr))
    }

    /// A value among those that make up an expression; missing in the expression's shape.
    fn typed(
        &self,
        value: &Expr,
        expr: &Expr,
        batch: &Batch<'_>,
        among: &Bitset,
    ) -> Result<Vector> {
        if value.ty == Type::Missing {
            return Ok(Vector::missing(expr.ty.shape(), batch.len()));
        }
        self.evaluate_among(value, batch, among)
    }

    fn coalesce(&self, arguments: &[Expr], expr: &Expr, batch: &Batch<'_>) -> Result<Vector> {
        let mut open = Bitset::full(batch.len());
        let mut result = Vector::missing(expr.ty.shape(), batch.len());
        for argument in arguments {
            if open.none() {
                break;
            }
            let next = self.typed(argument, expr, batch, &open)?;
            let missing = next.missing_slots();
            result = if open.all() {
                next
            } else {
                merge(&open, next, result, expr)
            };
            open.and(&missing);
        }
        Ok(result)
    }

    fn extreme(
        &self,
        comparison: Comparison,
        arguments: &[Expr],
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        let all = Bitset::full(batch.len());
        let mut result: Option<Vector> = None;
        for argument in arguments {
            let next = self.typed(argument, expr, batch, &all)?;
            result = Some(match result {
                None => next,
                Some(best) => {
                    let amounts = expr.ty == Type::MONEY;
                    let mut better = compare_vectors(comparison, &next, &best, amounts)
                        .ok_or_else(|| internal("a comparison of two forms", expr))?;
                    better.or(&best.missing_slots());
                    merge(&better, next, best, expr)
                }
            });
        }
        result.ok_or_else(|| internal("a function without its arguments", expr))
    }

    fn round(
        &self,
        function: Function,
        value: &Expr,
        digits: Option<&Expr>,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        let digits = match digits
            .map(|digits| self.evaluate(digits, batch))
            .transpose()?
        {
            Some(Vector::Ints(digits)) => digits,
            Some(_) => return Ok(Vector::missing(expr.ty.shape(), batch.len())),
            None => Ints::Constant {
                value: Some(0),
                len: batch.len(),
            },
        };
        // What the last kept digit stands for, in the smallest unit.
        let step = |digits: i64, scale: i128| {
            let places = u32::try_from(digits.unsigned_abs().min(30)).unwrap_or(30);
            match digits {
                0.. => scale / 10_i128.pow(places),
                _ => scale * 10_i128.pow(places),
            }
        };
        let whole = |ints: &Ints, scale: i128| {
            zip_ints(ints, &digits, |n, digits| {
                let (wide, step) = (i128::from(n), step(digits, scale).max(1));
                let result = match function {
                    Function::Abs => wide.abs(),
                    Function::Floor => wide.div_euclid(step) * step,
                    Function::Ceil => -(-wide).div_euclid(step) * step,
                    _ => rounded_quotient(wide, step) * step,
                };
                i64::try_from(result).map(Some).map_err(|_| overflow(expr))
            })
        };
        match self.evaluate(value, batch)? {
            Vector::Ints(ints) => whole(&ints, 1).map(Vector::Ints),
            Vector::Pair(units, currency) => {
                let units = whole(&units, Money::SCALE.into())?;
                Ok(Vector::Pair(units, currency))
            }
            Vector::Floats(floats) => match (function, &digits) {
                (Function::Abs, _) => map_floats(&floats, expr, f64::abs),
                (_, Ints::Constant { value: Some(0), .. }) => {
                    map_floats(&floats, expr, |n| towards(function, n))
                }
                _ => {
                    let pairs = floats.iter().zip(digits.iter());
                    let rounded: Vec<Option<f64>> = pairs
                        .map(|(n, digits)| n.zip(digits).map(|(n, d)| to_digits(function, n, d)))
                        .collect();
                    let floats = Floats::from_options(rounded.into_iter());
                    map_floats(&floats, expr, |n| n)
                }
            },
            _ if value.ty == Type::Missing => Ok(Vector::missing(expr.ty.shape(), batch.len())),
            _ => Err(internal("the rounding of another form", expr)),
        }
    }

    fn similar(&self, a: &Expr, b: &Expr, expr: &Expr, batch: &Batch<'_>) -> Result<Vector> {
        let (a, b) = (self.texts(a, expr, batch)?, self.texts(b, expr, batch)?);
        // One side is mostly the same text for all.
        let mut last: [Option<(String, Trigrams)>; 2] = [None, None];
        let shares: Vec<Option<f64>> = a
            .iter()
            .zip(b.iter())
            .map(|(a, b)| {
                let texts: [&str; 2] = a.zip(b)?.into();
                for (known, text) in last.iter_mut().zip(texts) {
                    if known.as_ref().is_none_or(|(of, _)| of != text) {
                        *known = Some((text.to_owned(), Trigrams::of(text)));
                    }
                }
                let [Some((_, a)), Some((_, b))] = &last else {
                    return None;
                };
                Some(a.similarity(b))
            })
            .collect();
        Ok(Vector::Floats(Floats::from_options(shares.into_iter())))
    }

    fn concat(&self, arguments: &[Expr], expr: &Expr, batch: &Batch<'_>) -> Result<Vector> {
        let mut parts = Vec::new();
        for argument in arguments {
            parts.push(self.texts(argument, expr, batch)?);
        }
        let mut texts = TextBlock::default();
        let mut joined = String::new();
        for at in 0..batch.len() {
            joined.clear();
            parts
                .iter()
                .filter_map(|part| part.get(at))
                .for_each(|text| joined.push_str(text));
            texts.push(&joined);
        }
        Ok(Vector::Texts(Texts::plain(texts, None)))
    }

    pub(super) fn rank(&self, value: &Expr, expr: &Expr, batch: &Batch<'_>) -> Result<Vector> {
        let (Type::Label(object, field), Vector::Ints(codes)) =
            (&value.ty, self.evaluate(value, batch)?)
        else {
            return Err(internal("the rank of no label", expr));
        };
        let labels = &self.context.catalog.object(*object).field(*field).labels;
        let size = labels
            .iter()
            .map(|label| label.code.0 as usize + 1)
            .max()
            .unwrap_or(0);
        let mut ranks = vec![None; size];
        for (rank, label) in (0..).zip(labels) {
            ranks[label.code.0 as usize] = Some(rank);
        }
        let rank = |code: i64| *ranks.get(usize::try_from(code).ok()?)?;
        map_ints(&codes, |code| Ok(rank(code))).map(Vector::Ints)
    }
}

fn towards(function: Function, n: f64) -> f64 {
    match function {
        Function::Floor => n.floor(),
        Function::Ceil => n.ceil(),
        _ => n.round(),
    }
}

fn to_digits(function: Function, n: f64, digits: i64) -> f64 {
    let places = i32::try_from(digits.clamp(-400, 400)).unwrap_or(0);
    let scale = 10_f64.powi(places.abs());
    if digits < 0 {
        // A step beyond every number leaves nothing.
        if scale.is_finite() {
            towards(function, n / scale) * scale
        } else {
            0.0
        }
    } else {
        let scaled = n * scale;
        // So many digits as no number has change nothing.
        if scaled.abs() < 9e15 {
            towards(function, scaled) / scale
        } else {
            n
        }
    }
}

fn map_texts(texts: &Texts, each: impl Fn(&str) -> String) -> Texts {
    let mapped: Vec<Option<String>> = texts.iter().map(|text| text.map(&each)).collect();
    Texts::from_options(mapped.iter().map(Option::as_deref))
}

/// The values of `yes` where the bit is set, of `no` elsewhere.
fn merge(hits: &Bitset, yes: Vector, no: Vector, expr: &Expr) -> Vector {
    match (&yes, &no) {
        (Vector::Ints(a), Vector::Ints(b)) => Vector::Ints(merge_ints(hits, a, b)),
        (Vector::Pair(a, x), Vector::Pair(b, y)) => {
            Vector::Pair(merge_ints(hits, a, b), merge_ints(hits, x, y))
        }
        _ => {
            let len = hits.len();
            let slots: Vec<Option<u32>> = (0..len)
                .map(|at| if hits.get(at) { at } else { len + at })
                .map(|at| u32::try_from(at).ok())
                .collect();
            concat(expr.ty.shape(), vec![yes, no]).gather(&slots)
        }
    }
}

fn merge_ints(hits: &Bitset, yes: &Ints, no: &Ints) -> Ints {
    let pairs = yes.iter().zip(no.iter()).enumerate();
    Ints::from_options(pairs.map(|(at, (yes, no))| if hits.get(at) { yes } else { no }))
}
