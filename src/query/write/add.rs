//! `add`: new records, each seeing the ones before it.

use super::Tally;
use super::writer::Writer;
use crate::error::Result;
use crate::query::bind::Assignments;
use crate::value::ObjectId;

impl Writer<'_, '_> {
    pub(super) fn add(&mut self, object: ObjectId, records: &[Assignments]) -> Result<Tally> {
        let rules = self.rules(object)?;
        let mut tally = Tally::default();
        for assignments in records {
            let values = self.values_alone(object, assignments)?;
            self.insert_values(&rules, values).map_err(|refusal| {
                let place = assignments
                    .iter()
                    .find(|(field, _)| Some(*field) == refusal.field);
                let error = refusal.into_error();
                match place {
                    Some((_, expr)) => error.at(expr.span.clone()),
                    None => error,
                }
            })?;
            tally.added += 1;
        }
        Ok(tally)
    }
}
