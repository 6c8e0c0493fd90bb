//! `add`: new records, each seeing the ones before it.

use super::Tally;
use super::writer::{Refusal, Writer};
use crate::error::{Error, Result};
use crate::query::bind::Assignments;
use crate::value::ObjectId;

impl Writer<'_, '_> {
    pub(super) fn add(&mut self, object: ObjectId, records: &[Assignments]) -> Result<Tally> {
        let rules = self.rules(object)?;
        self.own_from = self.snapshot().record_bound(object);
        let mut tally = Tally::default();
        for assignments in records {
            let values = self.values_alone(object, assignments)?;
            self.insert_values(&rules, values)
                .map_err(|refusal| refused(refusal, assignments))?;
            tally.added += 1;
        }
        Ok(tally)
    }
}

/// The error about a record, at the value at fault, or else at all its values.
pub(super) fn refused(refusal: Refusal, assignments: &Assignments) -> Error {
    let mut values = assignments.iter();
    let fault = values.find(|(field, _)| Some(*field) == refusal.field);
    let place = match (fault, assignments.first(), assignments.last()) {
        (Some((_, expr)), ..) => expr.span.clone(),
        (None, Some((_, first)), Some((_, last))) => first.span.start..last.span.end,
        _ => return refusal.into_error(),
    };
    refusal.into_error().at(place)
}
