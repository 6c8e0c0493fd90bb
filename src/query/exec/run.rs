//! Running a query: fold, find, group, order, cut, and give its rows a form.

use super::cursor::{Cursor, Place};
use super::grouped::Standing;
use super::keys::KeyTable;
use super::limit::Cut;
use super::profile::{Profile, part};
use super::rows::{Rows, pick};
use super::scan::Passed;
use super::sort::{Sorted, Sorter};
use super::window::Over;
use super::{Batch, Context, Evaluator, Frame, Then, Threads, group};
use crate::catalog::{Field, Object};
use crate::column::{Bitset, Comparison, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{
    Column, ColumnValue, Expr, Node, OrderKey, Query, Source, Type, ascending,
};
use crate::query::outcome::{Heading, Mark, Table};
use crate::query::plan::{choose, fold};
use crate::value::{ObjectId, RecordId, Shape, Value};
use std::ops::{ControlFlow, Range};

/// Runs a query; the rows carry names.
pub(crate) fn run(query: &Query, context: &Context<'_>) -> Result<Table> {
    let folded = fold(query, context)?;
    Executor::new(&folded, context).table(&folded)
}

/// Runs a query; the columns stay typed, with codes and ids.
pub(crate) fn run_frame(query: &Query, context: &Context<'_>) -> Result<Frame> {
    run_folded(&fold(query, context)?, context)
}

/// Runs a folded query.
pub(crate) fn run_folded(query: &Query, context: &Context<'_>) -> Result<Frame> {
    Executor::new(query, context).frame(query)
}

/// Runs a folded query for what its parts did; gives its number of rows too.
pub(crate) fn run_profiled(query: &Query, context: &Context<'_>) -> Result<(u64, Profile)> {
    let then = Then::of(query, context)?;
    let then = then.as_ref().map(|then| then.context(context));
    let mut executor = Executor::new(query, then.as_ref().unwrap_or(context));
    executor.evaluator.profile.timed = true;
    let table = executor.table(query)?;
    Ok((table.rows.len() as u64, executor.evaluator.profile))
}

/// The records that a query gives: its one column is the record itself.
pub(crate) fn records(query: &Query, context: &Context<'_>) -> Result<Vec<RecordId>> {
    let folded = fold(query, context)?;
    let then = Then::of(&folded, context)?;
    let then = then.as_ref().map(|then| then.context(context));
    let executor = Executor::new(&folded, then.as_ref().unwrap_or(context));
    let column = folded.columns.first().map(|column| &column.value);
    if let Some(ColumnValue::Expr(Expr { node: Node::Id, .. })) = column
        && folded.unions.is_empty()
        && let Rows::Records { ids, .. } = executor.answer(&folded)?.rows
    {
        return Ok(ids);
    }
    let frame = executor.frame(&folded)?;
    match frame.columns.first() {
        Some(Vector::Ints(ints)) => Ok(ints
            .iter()
            .flatten()
            .map(|id| RecordId(id.cast_unsigned()))
            .collect()),
        _ => Err(Error::new(
            Code::Internal,
            "a query for records gives no records",
        )),
    }
}

/// The stored fields of one record under their headings, read from its row; nothing if there is no
/// such record.
pub(crate) fn record(
    object: &Object,
    headings: &[Heading],
    id: RecordId,
    context: &Context<'_>,
) -> Result<Option<Vec<Value>>> {
    let Some(row) = context.snapshot.row(object.id, id)? else {
        return Ok(None);
    };
    let executor = Executor {
        context,
        evaluator: Evaluator::new(context),
    };
    let fields = object.live_fields().zip(headings);
    let value = |(field, heading): (&Field, &Heading)| {
        executor.name_value(row.get(field.id).clone(), &heading.ty)
    };
    fields.map(value).collect::<Result<_>>().map(Some)
}

/// Stored values with names in place of codes and ids.
pub(crate) fn named(values: Vec<Value>, ty: &Type, context: &Context<'_>) -> Result<Vec<Value>> {
    let executor = Executor {
        context,
        evaluator: Evaluator::new(context),
    };
    executor.name_values(values, ty)
}

/// Rows with what each is beyond its values, and where more follow.
type Named = (Vec<Vec<Value>>, Vec<Mark>, Option<Box<Cursor>>);

/// One execution.
pub(super) struct Executor<'a> {
    pub context: &'a Context<'a>,
    pub evaluator: Evaluator<'a>,
}

/// A query's rows in their final order.
pub(super) struct Answer {
    pub rows: Rows,
    /// By column: the values of columns over all rows, already in this order.
    pub windows: Vec<Option<Vector>>,
    /// Where the rows end, if more follow.
    pub next: Option<Box<Cursor>>,
    /// By row, of groups with totals or a rolled up hierarchy.
    pub marks: Vec<Standing>,
}

impl<'a> Executor<'a> {
    fn new(query: &Query, context: &'a Context<'a>) -> Self {
        let mut evaluator = Evaluator::new(context);
        if context.threads.most > 1 {
            // What runs once for each set of values around it is run once for all records.
            let mut correlated = false;
            query.visit_all(&mut |expr| {
                correlated |= matches!(expr.node, Node::Correlated { .. });
            });
            if correlated {
                evaluator.threads = Threads::ONE;
            }
        }
        Self { context, evaluator }
    }

    /// The rows of one query, unions aside.
    pub(super) fn answer(&self, query: &Query) -> Result<Answer> {
        let profile = &self.evaluator.profile;
        let answer = profile.run(part(query), || self.rows_of(query))?;
        profile.add(part(query), |own| own.rows += answer.rows.len() as u64);
        Ok(answer)
    }

    /// The rows of one query, as the work of the part at hand.
    pub(super) fn rows_of(&self, query: &Query) -> Result<Answer> {
        match (&query.group, &query.source) {
            (Some(group), _) => self.grouped(query, group),
            (None, Source::Object(object)) => self.ungrouped(query, *object),
            (None, Source::Query(inner)) => {
                let frame = self.frame(inner)?;
                self.of_frame(query, frame)
            }
            (None, Source::Life(life)) => self.of_frame(query, self.life(life, query)?),
            (None, Source::Paired(paired)) => self.of_frame(query, self.paired(paired)?),
            (None, Source::Duplicates(duplicates)) => {
                self.of_frame(query, self.duplicates(duplicates)?)
            }
            (None, Source::History(history)) => self.of_frame(query, self.history(history, query)?),
            (None, Source::Find(find)) => self.found_rows(query, find),
        }
    }

    /// The sort keys of a query, those of `limit ... per` first; and how many these are.
    pub(super) fn sort_keys(&self, query: &Query) -> (Vec<OrderKey>, usize) {
        let per = query.limit.iter().flat_map(|limit| &limit.per);
        let mut keys = ascending(per, self.context.catalog);
        let count = keys.len();
        keys.extend(query.order.iter().cloned());
        (keys, count)
    }

    fn sorter(&self, keys: &[OrderKey], keep: (Option<usize>, bool)) -> Sorter<'_> {
        let descending = keys.iter().map(|key| key.descending).collect();
        Sorter::new(descending, keep.0, keep.1, &self.evaluator.memory)
    }

    fn ungrouped(&self, query: &Query, object: ObjectId) -> Result<Answer> {
        let (keys, per) = self.sort_keys(query);
        let cut = Cut::of(query, per)?;
        let keep = if is_over_rows(query) {
            (None, false)
        } else {
            cut.keep()
        };
        if is_ordered_over_rows(query) {
            let filter = both(query.filter.as_ref(), query.having.as_ref());
            let access = choose(object, filter.as_ref(), &self.evaluator, self.context)?;
            let mut ids = Vec::new();
            let passed =
                |_: &Evaluator<'_>, batch: &Batch<'_>, among: &Bitset| Ok(Passed::of(batch, among));
            self.scan(&access, passed, |passed| {
                ids.extend(passed.records());
                Ok(ControlFlow::Continue(()))
            })?;
            let rows = Rows::Records { object, ids };
            return self.ordered(query, &rows, &keys, per, &cut);
        }
        if let (Some(keep), false) = (cut.keep_of_each(), is_over_rows(query)) {
            let ids = self.first_of_each(query, object, &keys[per..], keep)?;
            return self.ordered(query, &Rows::Records { object, ids }, &keys, per, &cut);
        }
        let mut sorter = self.sorter(&keys, keep);
        if keep.0 != Some(0) {
            let mut filter = both(query.filter.as_ref(), query.having.as_ref());
            if !is_over_rows(query) {
                let start = self.start(query)?;
                if let (Some(start), true) = (&start, keys.is_empty()) {
                    filter = both(filter.as_ref(), beyond(start.row).as_ref());
                }
                sorter.start_after(start);
            }
            // One more row tells whether any follows the page.
            let most = keep
                .0
                .map(|keep| keep.saturating_add(query.page.is_some().into()));
            let access = choose(object, filter.as_ref(), &self.evaluator, self.context)?;
            let map = |evaluator: &Evaluator<'_>, batch: &Batch<'_>, among: &Bitset| {
                let vectors = key_vectors(evaluator, &keys, batch, among)?;
                Ok((vectors, Passed::of(batch, among)))
            };
            self.scan(&access, map, |(vectors, passed)| {
                sorter.push(&vectors, &passed.among, |slot| passed.record(slot).0)?;
                let enough = keys.is_empty() && most.is_some_and(|most| sorter.len() >= most);
                Ok(if enough {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            })?;
        }
        let sorted = sorter.finish();
        let ids = sorted.rows.iter().map(|&row| RecordId(row)).collect();
        let rows = Rows::Records { object, ids };
        let (answer, _) = self.cut(query, rows, &sorted, (per, per..keys.len()), &cut, None)?;
        Ok(answer)
    }

    /// Records among which are the first of each group of `limit ... per`, few others with them.
    fn first_of_each(
        &self,
        query: &Query,
        object: ObjectId,
        keys: &[OrderKey],
        keep: (Option<usize>, bool),
    ) -> Result<Vec<RecordId>> {
        let per: Vec<&Expr> = query.limit.iter().flat_map(|limit| &limit.per).collect();
        let shapes: Vec<Shape> = per.iter().map(|key| key.ty.shape()).collect();
        let mut groups = KeyTable::new(&shapes);
        let mut sorter = self.sorter(keys, keep);
        let filter = both(query.filter.as_ref(), query.having.as_ref());
        let access = choose(object, filter.as_ref(), &self.evaluator, self.context)?;
        let map = |evaluator: &Evaluator<'_>, batch: &Batch<'_>, among: &Bitset| {
            let values = per
                .iter()
                .map(|key| evaluator.evaluate_among(key, batch, among))
                .collect::<Result<Vec<_>>>()?;
            let vectors = key_vectors(evaluator, keys, batch, among)?;
            Ok((values, vectors, Passed::of(batch, among)))
        };
        self.scan(&access, map, |(values, vectors, passed)| {
            let among = &passed.among;
            let numbers = groups.number(&values, among).pop().unwrap_or_default();
            let row = |slot| passed.record(slot).0;
            sorter.push_groups(&vectors, Some(&numbers), among, row)?;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(sorter.finish().rows.into_iter().map(RecordId).collect())
    }

    /// The rows in an order that all of them are needed for.
    fn ordered(
        &self,
        query: &Query,
        rows: &Rows,
        keys: &[OrderKey],
        per: usize,
        cut: &Cut,
    ) -> Result<Answer> {
        let all = Bitset::full(rows.len());
        let vectors = self.row_keys(query, keys, rows, &all, None)?;
        let mut sorter = self.sorter(keys, (None, false));
        sorter.push(&vectors, &all, |slot| slot as u64)?;
        let sorted = sorter.finish();
        let rows = rows.pick(&places(&sorted));
        let (answer, _) = self.cut(query, rows, &sorted, (per, per..keys.len()), cut, None)?;
        Ok(answer)
    }

    /// Sort keys over all rows at once, those of `among` being the result's; of rows that hold
    /// each other, `tops` hold all.
    pub(super) fn row_keys(
        &self,
        query: &Query,
        keys: &[OrderKey],
        rows: &Rows,
        among: &Bitset,
        tops: Option<&Bitset>,
    ) -> Result<Vec<Vector>> {
        let over = match is_ordered_over_rows(query) {
            true => Some(self.over_unsorted(query, rows, among, tops)?),
            false => None,
        };
        keys.iter()
            .map(|key| match &over {
                Some(over) if key.value.is_over_rows() => self.evaluate_over(&key.value, over),
                _ => self.evaluator.evaluate(&key.value, &rows.batch()),
            })
            .collect()
    }

    pub(super) fn of_frame(&self, query: &Query, frame: Frame) -> Result<Answer> {
        let (keys, per) = self.sort_keys(query);
        let cut = Cut::of(query, per)?;
        let mut sorter = self.sorter(&keys, (None, false));
        let ordered = is_ordered_over_rows(query);
        let mut passing = Vec::new();
        let filter = both(query.filter.as_ref(), query.having.as_ref());
        self.scan_frame(&frame, filter.as_ref(), |batch, among| {
            if ordered {
                passing.extend(among.ones());
                return Ok(());
            }
            let vectors = key_vectors(&self.evaluator, &keys, batch, among)?;
            sorter.push(&vectors, among, |slot| slot as u64)
        })?;
        if ordered {
            let rows = Rows::Slots(frame.pick(&passing));
            return self.ordered(query, &rows, &keys, per, &cut);
        }
        let sorted = sorter.finish();
        let rows = Rows::Slots(frame.pick(&places(&sorted)));
        let (answer, _) = self.cut(query, rows, &sorted, (per, per..keys.len()), &cut, None)?;
        Ok(answer)
    }

    /// Adds the columns over all rows, then leaves the rows within the limit; gives their places
    /// among the sorted too. The first `per` sort keys are those of `limit ... per`, those of
    /// `order` make rows equal in the query's order; of rows that hold each other, `tops` hold all.
    pub(super) fn cut(
        &self,
        query: &Query,
        rows: Rows,
        sorted: &Sorted,
        (per, order): (usize, Range<usize>),
        cut: &Cut,
        tops: Option<Bitset>,
    ) -> Result<(Answer, Vec<usize>)> {
        let keys = order.end;
        let mut windows: Vec<Option<Vector>> = vec![None; query.columns.len()];
        if query.columns.iter().any(is_column_over_rows) {
            let over = Over::of(rows.clone(), sorted, per, order, tops);
            for (window, column) in windows.iter_mut().zip(&query.columns) {
                if let ColumnValue::Expr(expr) = &column.value
                    && expr.is_over_rows()
                {
                    *window = Some(self.evaluate_over(expr, &over)?);
                }
            }
        }
        let id = |at: usize| match &rows {
            Rows::Records { ids, .. } => ids[at].0,
            Rows::Slots(_) => 0,
        };
        let from = match self.start(query)? {
            Some(start) => sorted.up_to(&start, id)?,
            None => 0,
        };
        let places = cut.places(sorted, keys, from);
        let next = match (&query.page, places.last()) {
            (Some(page), Some(&last)) if sorted.dropped || last + 1 < rows.len() => {
                let place = sorted.place(last, id(last));
                Some(Box::new(Cursor::at(page, place, self.context)))
            }
            _ => None,
        };
        let mut answer = Answer {
            rows,
            windows,
            marks: Vec::new(),
            next,
        };
        if places.len() < answer.rows.len() {
            for window in answer.windows.iter_mut().flatten() {
                *window = pick(window, &places);
            }
            answer.rows = answer.rows.pick(&places);
        }
        Ok((answer, places))
    }

    /// The place that a statement goes on after.
    fn start(&self, query: &Query) -> Result<Option<Place>> {
        match &query.page {
            Some(page) => Cursor::of(page, self.context),
            None => Ok(None),
        }
    }

    /// The typed columns of a query's rows.
    pub(super) fn frame(&self, query: &Query) -> Result<Frame> {
        let first = match Then::of(query, self.context)? {
            Some(then) => Executor::new(query, &then.context(self.context)).own_frame(query)?,
            None => self.own_frame(query)?,
        };
        if query.unions.is_empty() {
            return Ok(first);
        }
        let types: Vec<Type> = query
            .columns
            .iter()
            .map(|c| column_type(&c.value))
            .collect();
        let mut frames = vec![first];
        for union in &query.unions {
            frames.push(self.frame(union)?);
        }
        Ok(group::stack(frames, &types))
    }

    /// The columns of a query's rows without those stacked below them.
    fn own_frame(&self, query: &Query) -> Result<Frame> {
        let answer = self.answer(query)?;
        let columns = query
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| self.vector(&column.value, &answer, at))
            .collect::<Result<_>>()?;
        Ok(Frame {
            columns,
            len: answer.rows.len(),
        })
    }

    fn vector(&self, value: &ColumnValue, answer: &Answer, at: usize) -> Result<Vector> {
        match value {
            ColumnValue::Expr(expr) => match &answer.windows[at] {
                Some(values) => Ok(values.clone()),
                None => self.evaluator.evaluate(expr, &answer.rows.batch()),
            },
            ColumnValue::Nested(_) => Err(Error::new(
                Code::Misplaced,
                "a nested collection cannot be read by another query",
            )),
        }
    }

    /// The query's rows with names in place of codes and ids.
    pub(super) fn table(&self, query: &Query) -> Result<Table> {
        let columns = query
            .columns
            .iter()
            .map(|column| Heading {
                name: column.name.as_str().into(),
                ty: column_type(&column.value),
            })
            .collect();
        let (mut rows, mut marks, next) = match Then::of(query, self.context)? {
            Some(then) => Executor::new(query, &then.context(self.context)).named_rows(query)?,
            None => self.named_rows(query)?,
        };
        for union in &query.unions {
            let below = self.table(union)?;
            if !(marks.is_empty() && below.marks.is_empty()) {
                marks.resize_with(rows.len(), Mark::default);
                marks.extend(below.marks);
            }
            rows.extend(below.rows);
        }
        if !marks.is_empty() {
            marks.resize_with(rows.len(), Mark::default);
        }
        Ok(Table {
            columns,
            rows,
            marks,
            next,
        })
    }

    fn named_rows(&self, query: &Query) -> Result<Named> {
        let answer = self.answer(query)?;
        let mut rows: Vec<Vec<Value>> = (0..answer.rows.len())
            .map(|_| Vec::with_capacity(query.columns.len()))
            .collect();
        for (at, column) in query.columns.iter().enumerate() {
            self.context.interrupt.check()?;
            let values = match &column.value {
                ColumnValue::Nested(nested) => self.nested(nested, &answer.rows)?,
                value => {
                    let vector = self.vector(value, &answer, at)?;
                    self.present(&vector, &column_type(value))?
                }
            };
            for (row, value) in rows.iter_mut().zip(values) {
                row.push(value);
            }
        }
        let marks = answer.marks.iter().map(|standing| standing.mark(query));
        Ok((rows, marks.collect(), answer.next))
    }
}

pub(super) fn key_vectors(
    evaluator: &Evaluator<'_>,
    keys: &[OrderKey],
    batch: &Batch<'_>,
    among: &Bitset,
) -> Result<Vec<Vector>> {
    keys.iter()
        .map(|key| evaluator.evaluate_among(&key.value, batch, among))
        .collect()
}

pub(super) fn places(sorted: &Sorted) -> Vec<usize> {
    sorted.rows.iter().map(|&row| row as usize).collect()
}

/// Whether a function over all rows stands in the query's columns or order.
pub(super) fn is_over_rows(query: &Query) -> bool {
    query.columns.iter().any(is_column_over_rows) || is_ordered_over_rows(query)
}

pub(crate) fn is_column_over_rows(column: &Column) -> bool {
    matches!(&column.value, ColumnValue::Expr(expr) if expr.is_over_rows())
}

fn is_ordered_over_rows(query: &Query) -> bool {
    query.order.iter().any(|key| key.value.is_over_rows())
}

/// The condition that a record comes after another in the order of ids.
fn beyond(row: u64) -> Option<Expr> {
    let row = i64::try_from(row).ok()?;
    let span = 0..0;
    let node = Node::Compare {
        comparison: Comparison::Greater,
        left: Box::new(Expr::new(Node::Id, Type::INTEGER, &span)),
        right: Box::new(Expr::constant(Value::Integer(row), Type::INTEGER, &span)),
    };
    Some(Expr::new(node, Type::BOOLEAN, &span))
}

fn both(a: Option<&Expr>, b: Option<&Expr>) -> Option<Expr> {
    match (a, b) {
        (Some(a), Some(b)) => {
            let list = vec![a.clone(), b.clone()];
            Some(Expr::new(Node::And(list), Type::BOOLEAN, &a.span))
        }
        (one, other) => one.or(other).cloned(),
    }
}

pub(super) fn column_type(value: &ColumnValue) -> Type {
    match value {
        ColumnValue::Expr(expr) => expr.ty.clone(),
        ColumnValue::Nested(_) => Type::Nested,
    }
}
