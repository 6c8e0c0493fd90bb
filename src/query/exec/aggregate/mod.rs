//! Aggregates over groups: one accumulator takes batches and gives one value a group.

mod distinct;
mod finish;
mod state;

use super::spread::Spread;
use super::{Batch, Context, Evaluator};
use crate::column::{Bitset, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Aggregate, AggregateFunction, Type};
use crate::value::{Currency, FieldType, Value};
use distinct::Seen;
use state::{Item, State};
use std::mem::size_of;

/// One aggregate over many groups.
pub(crate) struct Accumulator {
    aggregate: Aggregate,
    seen: Option<Seen>,
    state: State,
    base: Currency,
    /// The values taken, kept until they are spread, where states cannot be put together.
    kept: Option<Vec<Part>>,
    /// Bytes charged for values that are kept.
    charged: usize,
}

/// What an aggregate's expressions are over one batch.
pub(crate) struct Input {
    /// The slots that count.
    among: Bitset,
    /// None where slots are counted, whatever they hold.
    values: Option<Vector>,
    second: Option<Vector>,
    keys: Vec<Vector>,
}

/// Values of one batch with the keys by which they are ordered and their groups.
struct Part {
    values: Vector,
    keys: Vec<Vector>,
    groups: Vec<u32>,
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
            kept: None,
            charged: 0,
        })
    }

    /// An accumulator whose groups will be spread over others.
    pub(crate) fn spreading(aggregate: &Aggregate, context: &Context<'_>) -> Result<Self> {
        let mut accumulator = Self::new(aggregate, context)?;
        if accumulator.seen.is_some() || !accumulator.state.merges() {
            accumulator.kept = Some(Vec::new());
        }
        Ok(accumulator)
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
        let input = Input::of(&self.aggregate, evaluator, batch, among)?;
        self.take(&input, groups, count, evaluator)
    }

    /// Takes what was evaluated of a batch. `groups` gives the group of each slot, all below
    /// `count`.
    pub(crate) fn take(
        &mut self,
        input: &Input,
        groups: &[u32],
        count: usize,
        evaluator: &Evaluator<'_>,
    ) -> Result<()> {
        self.state.grow(count);
        if input.among.none() {
            return Ok(());
        }
        let Some(values) = &input.values else {
            self.state.count(&input.among, groups);
            return Ok(());
        };
        let new = self.seen.as_mut();
        let new = new.map(|seen| seen.first(values, &input.among, groups));
        let among = new.as_ref().unwrap_or(&input.among);
        self.charge(evaluator, values, among)?;
        match (&input.second, &mut self.kept) {
            (Some(second), _) => self.state.add_pairs(values, second, among, groups),
            (None, Some(parts)) => parts.push(Part::of(values, &input.keys, among, groups)),
            (None, None) => self.add(values, &input.keys, among, groups),
        }
        Ok(())
    }

    /// Charges what is kept of values that come in.
    fn charge(&mut self, evaluator: &Evaluator<'_>, values: &Vector, among: &Bitset) -> Result<()> {
        let keys = self.aggregate.order.len() * size_of::<Value>();
        let (each, clause) = match self.aggregate.function {
            AggregateFunction::Percentile(_) => (size_of::<(u32, i64)>(), "a percentile"),
            AggregateFunction::List => (size_of::<Item>() + keys, "list"),
            _ if self.seen.is_some() => (0, "distinct"),
            _ if self.kept.is_some() => (size_of::<Value>() + keys, "rollup"),
            _ => return Ok(()),
        };
        let each = each + self.seen.as_ref().map_or(0, |_| Seen::BYTES);
        let texts: usize = match values {
            Vector::Texts(texts) => {
                let lengths = among.ones().map(|at| texts.get(at).map_or(0, str::len));
                lengths.sum()
            }
            _ => 0,
        };
        let bytes = among.count() * each + texts;
        self.charged += bytes;
        evaluator.memory.charge(bytes, clause)
    }

    fn add(&mut self, values: &Vector, keys: &[Vector], among: &Bitset, groups: &[u32]) {
        match self.aggregate.function {
            AggregateFunction::Count | AggregateFunction::Exists => self.state.count(among, groups),
            _ => self.state.add(&self.aggregate, values, keys, among, groups),
        }
    }

    /// The aggregate over other groups, which hold the records of these.
    pub(crate) fn spread(
        self,
        spread: &Spread,
        context: &Context<'_>,
        evaluator: &Evaluator<'_>,
    ) -> Result<Self> {
        let mut whole = Self::new(&self.aggregate, context)?;
        whole.charged = self.charged;
        let Some(parts) = self.kept else {
            whole.state.absorb(self.state, &self.aggregate, spread);
            return Ok(whole);
        };
        whole.state.grow(spread.count());
        for part in parts {
            context.interrupt.check()?;
            let part = part.spread(spread);
            let mut among = Bitset::full(part.groups.len());
            if let Some(seen) = &mut whole.seen {
                among = seen.first(&part.values, &among, &part.groups);
            }
            whole.charge(evaluator, &part.values, &among)?;
            whole.add(&part.values, &part.keys, &among, &part.groups);
        }
        Ok(whole)
    }

    /// Whether it may take records in parts: see [`Self::absorb`].
    pub(crate) fn is_exact(&self) -> bool {
        self.seen.is_none() && self.kept.is_none() && self.state.is_exact()
    }

    /// Takes what another took of the records after its own; `to` tells which groups its are.
    pub(crate) fn absorb(&mut self, part: Self, to: &Spread) {
        self.charged += part.charged;
        self.state.absorb(part.state, &self.aggregate, to);
    }

    /// Another aggregate that [`serves`](Aggregate::serves) knows of: one value for each of `count`
    /// groups.
    pub(crate) fn other(&mut self, aggregate: &Aggregate, count: usize) -> Result<Vector> {
        self.state.grow(count);
        finish::finish(&mut self.state, aggregate, self.base, count)
    }

    /// One value for each of `count` groups.
    pub(crate) fn finish(mut self, count: usize, evaluator: &Evaluator<'_>) -> Result<Vector> {
        self.state.grow(count);
        // The values of a list live on in what is given.
        if self.aggregate.function != AggregateFunction::List {
            evaluator.memory.release(self.charged);
        }
        finish::finish(&mut self.state, &self.aggregate, self.base, count)
    }
}

impl Aggregate {
    /// Whether it reads anything of the records it is over.
    pub(crate) fn reads(&self) -> bool {
        self.argument.is_some() || self.filter.is_some() || self.over.is_some()
    }

    /// Whether what it needs of a batch is what the other needs.
    pub(crate) fn reads_as(&self, other: &Self) -> bool {
        let counts = |own: &Self| own.function == AggregateFunction::Count;
        self.over.is_none()
            && other.over.is_none()
            && self.argument == other.argument
            && self.second == other.second
            && self.filter == other.filter
            && self.distinct == other.distinct
            && self.order == other.order
            && counts(self) == counts(other)
    }

    /// Whether what is kept for it is what the other needs.
    pub(crate) fn serves(&self, other: &Self) -> bool {
        use AggregateFunction::{Average, Percentile, Sum};
        let kept = matches!(
            (self.function, other.function),
            (Percentile(_), Percentile(_)) | (Sum | Average, Sum | Average)
        );
        kept && self.reads_as(other)
    }
}

impl Input {
    /// Of the slots of `among` that the aggregate's filter lets pass.
    pub(crate) fn of(
        aggregate: &Aggregate,
        evaluator: &Evaluator<'_>,
        batch: &Batch<'_>,
        among: &Bitset,
    ) -> Result<Self> {
        let mut input = Self {
            among: match &aggregate.filter {
                Some(filter) => evaluator.test_among(filter, batch, among)?,
                None => among.clone(),
            },
            values: None,
            second: None,
            keys: Vec::new(),
        };
        let among = &mut input.among;
        let Some(argument) = aggregate.argument.as_ref().filter(|_| !among.none()) else {
            return Ok(input);
        };
        let counts = aggregate.function == AggregateFunction::Count;
        if counts && argument.ty == Type::BOOLEAN && !aggregate.distinct {
            *among = evaluator.test_among(argument, batch, among)?;
            return Ok(input);
        }
        let values = evaluator.evaluate_among(argument, batch, among)?;
        among.and_not(&values.missing_slots());
        input.values = Some(values);
        if let Some(second) = &aggregate.second {
            let second = evaluator.evaluate_among(second, batch, among)?;
            among.and_not(&second.missing_slots());
            input.second = Some(second);
        }
        input.keys = aggregate
            .order
            .iter()
            .map(|key| evaluator.evaluate_among(&key.value, batch, among))
            .collect::<Result<_>>()?;
        Ok(input)
    }
}

impl Part {
    fn of(values: &Vector, keys: &[Vector], among: &Bitset, groups: &[u32]) -> Self {
        let slots: Vec<_> = among.ones().map(|at| u32::try_from(at).ok()).collect();
        Self {
            values: values.gather(&slots),
            keys: keys.iter().map(|key| key.gather(&slots)).collect(),
            groups: among.ones().map(|at| groups[at]).collect(),
        }
    }

    /// Each value once for every group that its own is spread over, still in order.
    fn spread(&self, spread: &Spread) -> Self {
        let (mut slots, mut groups) = (Vec::new(), Vec::new());
        for (at, &group) in (0..).zip(&self.groups) {
            groups.extend(spread.of(group as usize));
            slots.resize(groups.len(), Some(at));
        }
        Self {
            values: self.values.gather(&slots),
            keys: self.keys.iter().map(|key| key.gather(&slots)).collect(),
            groups,
        }
    }
}

/// The type that decides the form of an aggregate's argument.
fn argument_type(aggregate: &Aggregate) -> FieldType {
    match &aggregate.argument {
        Some(argument) => argument.ty.field_type(),
        None => FieldType::Integer,
    }
}
