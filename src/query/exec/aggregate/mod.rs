//! Aggregates over groups: one accumulator takes batches and gives one value a group.

mod distinct;
mod finish;
mod state;

use super::{Batch, Context, Evaluator};
use crate::column::{Bitset, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Aggregate, AggregateFunction, Type};
use crate::value::{Currency, FieldType};
use distinct::Seen;
use state::State;

/// One aggregate over many groups.
pub(crate) struct Accumulator {
    aggregate: Aggregate,
    seen: Option<Seen>,
    state: State,
    base: Currency,
}

impl Accumulator {
    pub(crate) fn new(aggregate: &Aggregate, context: &Context<'_>) -> Result<Self> {
        let state = State::new(aggregate).ok_or_else(|| {
            let error = Error::new(Code::Internal, "an aggregate over values of no such form");
            match &aggregate.argument {
                Some(argument) => error.at(argument.span.clone()),
                None => error,
            }
        })?;
        let repeats = matches!(
            aggregate.function,
            AggregateFunction::Exists
                | AggregateFunction::Minimum
                | AggregateFunction::Maximum
                | AggregateFunction::First
                | AggregateFunction::Last
        );
        Ok(Self {
            seen: (aggregate.distinct && !repeats).then(Seen::default),
            aggregate: aggregate.clone(),
            state,
            base: context.clock.base,
        })
    }

    /// Takes the slots of `among` that the aggregate's filter lets pass. `groups` gives the group
    /// of each of them, all below `count`.
    pub(crate) fn update(
        &mut self,
        evaluator: &Evaluator<'_>,
        batch: &Batch<'_>,
        among: &Bitset,
        groups: &[u32],
        count: usize,
    ) -> Result<()> {
        self.state.grow(count);
        let mut among = among.clone();
        if let Some(filter) = &self.aggregate.filter {
            among = evaluator.test_among(filter, batch, &among)?;
        }
        if among.none() {
            return Ok(());
        }
        let Some(argument) = &self.aggregate.argument else {
            self.state.count(&among, groups);
            return Ok(());
        };
        let counts = self.aggregate.function == AggregateFunction::Count;
        if counts && argument.ty == Type::BOOLEAN && self.seen.is_none() {
            among = evaluator.test_among(argument, batch, &among)?;
            self.state.count(&among, groups);
            return Ok(());
        }
        let values = evaluator.evaluate_among(argument, batch, &among)?;
        among.and_not(&values.missing_slots());
        if let Some(seen) = &mut self.seen {
            among = seen.first(&values, &among, groups);
        }
        if counts || self.aggregate.function == AggregateFunction::Exists {
            self.state.count(&among, groups);
            return Ok(());
        }
        if let Some(second) = &self.aggregate.second {
            let second = evaluator.evaluate_among(second, batch, &among)?;
            among.and_not(&second.missing_slots());
            self.state.add_pairs(&values, &second, &among, groups);
            return Ok(());
        }
        let keys = self.aggregate.order.iter();
        let keys = keys
            .map(|key| evaluator.evaluate_among(&key.value, batch, &among))
            .collect::<Result<Vec<_>>>()?;
        self.state
            .add(&self.aggregate, &values, &keys, &among, groups);
        Ok(())
    }

    /// One value for each of `count` groups.
    pub(crate) fn finish(mut self, count: usize) -> Result<Vector> {
        self.state.grow(count);
        finish::finish(self.state, &self.aggregate, self.base, count)
    }
}

/// The type that decides the form of an aggregate's argument.
fn argument_type(aggregate: &Aggregate) -> FieldType {
    match &aggregate.argument {
        Some(argument) => argument.ty.field_type(),
        None => FieldType::Integer,
    }
}
