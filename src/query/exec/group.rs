//! Grouping: keys to group numbers, then an accumulator for each aggregate; totals and subtotals
//! are groups of fewer keys, computed from the records so that any aggregate is exact.

use super::aggregate::Accumulator;
use super::keys::KeyTable;
use super::{Batch, Executor, Frame};
use crate::column::{Bitset, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Aggregate, Expr, Group, Query, Source, Type};
use crate::query::plan::choose;
use crate::value::{FieldType, ObjectId, RecordId, Shape, Value};
use std::ops::ControlFlow;

/// Groups as rows: keys, then aggregates.
pub(super) struct Grouped {
    pub frame: Frame,
    /// The keys each row has; a row of fewer than all is a subtotal, one of none the total.
    pub depths: Vec<usize>,
}

/// The groups of one depth.
struct Level {
    depth: usize,
    accumulators: Vec<Accumulator>,
}

impl Executor<'_> {
    pub(super) fn group(&self, query: &Query, group: &Group) -> Result<Grouped> {
        let shapes: Vec<Shape> = group.keys.iter().map(|key| key.ty.shape()).collect();
        let mut table = KeyTable::new(&shapes);
        let mut levels: Vec<Level> = depths(group)
            .into_iter()
            .map(|depth| self.level(depth, &group.aggregates))
            .collect::<Result<_>>()?;
        if group.empty {
            self.seed(group, &mut table)?;
        }
        let mut charged = 0;
        let mut each = |batch: &Batch<'_>, among: &Bitset| {
            let keys = group
                .keys
                .iter()
                .map(|key| self.evaluator.evaluate_among(key, batch, among))
                .collect::<Result<Vec<Vector>>>()?;
            let numbers = table.number(&keys, among);
            let all = vec![0; batch.len()];
            for level in &mut levels {
                let groups = match level.depth.checked_sub(1) {
                    None => &all,
                    Some(at) => &numbers[at],
                };
                let count = table.len(level.depth);
                for accumulator in &mut level.accumulators {
                    accumulator.update(&self.evaluator, batch, among, groups, count)?;
                }
            }
            let width = 48 * (group.keys.len() + group.aggregates.len());
            let bytes = table.len(group.keys.len()) * width;
            self.memory
                .charge(bytes.saturating_sub(charged), "group by")?;
            charged = charged.max(bytes);
            Ok(ControlFlow::Continue(()))
        };
        match &query.source {
            Source::Object(object) => {
                let access = choose(
                    *object,
                    query.filter.as_ref(),
                    &self.evaluator,
                    self.context,
                )?;
                self.scan(&access, &mut each)?;
            }
            Source::Query(inner) => {
                let frame = self.frame(inner)?;
                self.scan_frame(&frame, query.filter.as_ref(), &mut each)?;
            }
        }
        let mut depths = Vec::new();
        let mut frames = Vec::new();
        for level in levels {
            let count = table.len(level.depth);
            depths.extend(std::iter::repeat_n(level.depth, count));
            frames.push(level.finish(&table, &shapes)?);
        }
        self.memory.release(charged);
        let types: Vec<Type> = group
            .keys
            .iter()
            .map(|key| key.ty.clone())
            .chain(
                group
                    .aggregates
                    .iter()
                    .map(|aggregate| aggregate.ty.clone()),
            )
            .collect();
        Ok(Grouped {
            frame: stack(frames, &types),
            depths,
        })
    }

    fn level(&self, depth: usize, aggregates: &[Aggregate]) -> Result<Level> {
        let accumulators = aggregates
            .iter()
            .map(|aggregate| Accumulator::new(aggregate, self.context))
            .collect::<Result<_>>()?;
        Ok(Level {
            depth,
            accumulators,
        })
    }

    /// Makes the groups without records: every label, or every record of the key's object.
    fn seed(&self, group: &Group, table: &mut KeyTable) -> Result<()> {
        let [key] = group.keys.as_slice() else {
            return Err(Error::new(
                Code::Misplaced,
                "`empty` works with one key of `group by`",
            ));
        };
        let values = self.domain(key)?;
        let vector = Vector::from_values(key.ty.shape(), &values);
        table.number(&[vector], &Bitset::full(values.len()));
        Ok(())
    }

    fn domain(&self, key: &Expr) -> Result<Vec<Value>> {
        match &key.ty {
            Type::Label(object, field) => {
                let field = self.context.catalog.object(*object).field(*field);
                Ok(field
                    .labels
                    .iter()
                    .map(|label| Value::Label(label.code))
                    .collect())
            }
            Type::Plain(FieldType::Boolean) => {
                Ok(vec![Value::Boolean(false), Value::Boolean(true)])
            }
            Type::Plain(FieldType::Reference(object)) => {
                let ids = self.live_records(*object)?;
                Ok(ids.into_iter().map(Value::Reference).collect())
            }
            _ => Err(Error::new(
                Code::Misplaced,
                "`empty` needs a key whose values are known: a label, a reference or a truth value",
            )
            .at(key.span.clone())),
        }
    }

    fn live_records(&self, object: ObjectId) -> Result<Vec<RecordId>> {
        let access = choose(object, None, &self.evaluator, self.context)?;
        let mut ids = Vec::new();
        self.scan(&access, &mut |batch, among| {
            ids.extend(among.ones().map(|slot| batch.record(slot)));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(ids)
    }
}

/// The depths at which groups are made, the full one first.
fn depths(group: &Group) -> Vec<usize> {
    let full = group.keys.len();
    let mut depths = vec![full];
    if group.rollup {
        depths.extend((1..full).rev());
    }
    if (group.totals || group.rollup) && full > 0 {
        depths.push(0);
    }
    depths
}

impl Level {
    fn finish(self, table: &KeyTable, shapes: &[Shape]) -> Result<Frame> {
        let len = table.len(self.depth);
        let mut columns = table.values(self.depth);
        let absent = shapes.iter().skip(self.depth);
        columns.extend(absent.map(|&shape| Vector::missing(shape, len)));
        for accumulator in self.accumulators {
            columns.push(accumulator.finish(len)?);
        }
        Ok(Frame { columns, len })
    }
}

/// Frames of the same columns, one below the other.
pub(super) fn stack(mut frames: Vec<Frame>, types: &[Type]) -> Frame {
    if frames.len() == 1 {
        return frames.remove(0);
    }
    let columns = types
        .iter()
        .enumerate()
        .map(|(at, ty)| {
            let form = ty.field_type();
            let values: Vec<Value> = frames
                .iter()
                .flat_map(|frame| {
                    let column = &frame.columns[at];
                    let form = &form;
                    (0..frame.len).map(move |slot| column.value(form, slot))
                })
                .collect();
            Vector::from_values(ty.shape(), &values)
        })
        .collect();
    Frame {
        columns,
        len: frames.iter().map(|frame| frame.len).sum(),
    }
}
