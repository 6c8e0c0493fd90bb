//! `as of`: the state and the clock of a past moment, in place of those of now.

use super::roles::Roles;
use super::{Context, alone};
use crate::error::{Code, Error, Result, Span};
use crate::query::bind::{Expr, Query, Type};
use crate::query::plan::coarser;
use crate::storage::Snapshot;
use crate::value::{Clock, DateTime, Value};

/// What is read and what the time is at a past moment.
pub(crate) struct Then {
    moment: DateTime,
    views: usize,
    snapshot: Snapshot,
    clock: Clock,
}

/// The past that a context is of.
#[derive(Clone, Copy)]
pub(crate) struct Past<'a> {
    moment: DateTime,
    /// How many views its `as of` stands within.
    views: usize,
    /// What was looked at around it.
    around: &'a Context<'a>,
}

impl Then {
    /// The moment that a query asks for, if it is another than the one at hand.
    pub(crate) fn of(query: &Query, context: &Context<'_>) -> Result<Option<Self>> {
        match &query.as_of {
            Some(asked) => Self::at(asked, query.views, context),
            None => Ok(None),
        }
    }

    /// The state at the moment asked for, unless it is the one at hand; an error if it lies
    /// beyond today.
    pub(crate) fn at(asked: &Expr, views: usize, context: &Context<'_>) -> Result<Option<Self>> {
        let moment = known_moment(asked, context)?;
        if context.past.is_some_and(|past| past.moment == moment) {
            return Ok(None);
        }
        let clock = context.clock;
        if clock.date_of(moment) > clock.today() {
            let day = clock.date_of(moment);
            let message = format!("`{day}` lies after today, {}", clock.today());
            return Err(Error::new(Code::BadValue, message)
                .at(asked.span.clone())
                .expected("a day or moment of the past"));
        }
        if let Some(kept) = context.snapshot.kept()?
            && moment < kept.at
        {
            return Err(forgotten(&asked.span, kept.at, clock));
        }
        let sequence = context.snapshot.sequence_at(moment)?;
        let snapshot = context.snapshot.as_of(sequence);
        Ok(Some(Self {
            moment,
            views,
            snapshot: snapshot.map_err(|error| error.at(asked.span.clone()))?,
            clock: Clock {
                now: moment.min(clock.now),
                ..clock.clone()
            },
        }))
    }

    pub(crate) fn moment(&self) -> DateTime {
        self.moment
    }

    pub(crate) fn context<'b>(&'b self, around: &'b Context<'b>) -> Context<'b> {
        Context {
            snapshot: &self.snapshot,
            clock: &self.clock,
            past: Some(Past {
                moment: self.moment,
                views: self.views,
                around,
            }),
            roles: Roles::default(),
            ..*around
        }
    }
}

impl<'a> Context<'a> {
    /// What whoever asks for a view looks at, who stands within this many other views: nothing of
    /// the past that the view's own text goes back to.
    pub(crate) fn asker(&self, views: usize) -> &Context<'a> {
        match &self.past {
            Some(past) if past.views > views => past.around.asker(views),
            _ => self,
        }
    }
}

/// What is said of a time before the journal begins.
pub(super) fn forgotten(span: &Span, kept: DateTime, clock: &Clock) -> Error {
    Error::new(Code::Pruned, beginning(kept, clock))
        .at(span.clone())
        .expected("a time from then on")
        .hint("what was before has been pruned")
}

/// Where a journal that was pruned begins, as a person reads it.
pub(crate) fn beginning(kept: DateTime, clock: &Clock) -> String {
    match kept {
        DateTime::FIRST => "the journal begins with the book".to_owned(),
        _ => format!(
            "the journal begins at {}",
            Value::DateTime(kept).show(clock)
        ),
    }
}

/// The last moment of what an expression without frame gives, which must be there.
fn known_moment(asked: &Expr, context: &Context<'_>) -> Result<DateTime> {
    moment(asked, context)?.ok_or_else(|| {
        Error::new(Code::BadValue, "the moment of `as of` is missing")
            .at(asked.span.clone())
            .expected("a day or moment of the past")
    })
}

/// The last moment of the day, period or moment that an expression without frame gives.
pub(crate) fn moment(asked: &Expr, context: &Context<'_>) -> Result<Option<DateTime>> {
    let value = match coarser(asked, context) {
        Some(period) => Value::Period(period),
        None => alone(asked, context)?,
    };
    let before = |moment: DateTime| DateTime::from_micros(moment.micros() - 1);
    Ok(match value {
        Value::DateTime(moment) => Some(moment),
        Value::Date(day) => Some(before(context.clock.start_of(day.end()))),
        Value::Period(period) => Some(before(context.clock.start_of(period.end()))),
        _ => None,
    })
}

/// The query at a moment that is known.
pub(crate) fn settled(asked: &Expr, moment: DateTime) -> Expr {
    Expr::constant(Value::DateTime(moment), Type::DATETIME, &asked.span)
}
