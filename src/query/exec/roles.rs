//! What the engine reads of objects that have a role: loaded when first asked for, once an
//! execution.

use super::Context;
use crate::catalog::Role;
use crate::error::{Code, Error, Result};
use crate::storage::Row;
use crate::value::{Currency, FieldId, Rate, Rates, RecordId, Value, WorkingHours};
use std::sync::{Arc, OnceLock};

/// The tables made of such objects' records.
#[derive(Default)]
pub(crate) struct Roles {
    rates: OnceLock<Rates>,
    working_hours: OnceLock<WorkingHours>,
}

impl Context<'_> {
    /// The exchange rates of the book; none where no object keeps them.
    pub(crate) fn rates(&self) -> Result<&Rates> {
        if let Some(rates) = self.roles.rates.get() {
            return Ok(rates);
        }
        let mut rates = Vec::new();
        self.each_of(Role::Rates, |row, fields| {
            let (Value::Text(currency), Value::Date(day), Value::Number(rate)) =
                (row.get(fields[0]), row.get(fields[1]), row.get(fields[2]))
            else {
                return;
            };
            // A text that is no currency, or a rate that is none, serves no amount.
            let (currency, rate) = (Currency::new(currency.trim()), Rate::from_number(*rate));
            rates.extend(
                currency
                    .zip(rate)
                    .map(|(currency, rate)| (currency, *day, rate)),
            );
        })?;
        Ok(self.roles.rates.get_or_init(|| Rates::new(rates)))
    }

    /// The working hours and holidays of the book; an error where no work is ever done.
    pub(crate) fn working_hours(&self) -> Result<&WorkingHours> {
        if let Some(hours) = self.roles.working_hours.get() {
            return Ok(hours);
        }
        let mut spans = Vec::new();
        self.each_of(Role::WorkingHours, |row, fields| {
            if let (Value::Integer(weekday), Value::Duration(opens), Value::Duration(closes)) =
                (row.get(fields[0]), row.get(fields[1]), row.get(fields[2]))
            {
                spans.push((*weekday, *opens, *closes));
            }
        })?;
        let mut holidays = Vec::new();
        self.each_of(Role::Holidays, |row, fields| {
            if let Value::Date(day) = row.get(fields[0]) {
                holidays.push(*day);
            }
        })?;
        let hours = WorkingHours::new(spans, holidays);
        if hours.is_empty() {
            let object = self.catalog.playing(Role::WorkingHours);
            let name = object.map_or(Role::WorkingHours.word(), |object| &object.name);
            let message = format!("{name} hold no working hours");
            return Err(Error::new(Code::UnknownRecord, message).hint(format!(
                "add {name} (weekday = 1, opens = 9 hours, closes = 17 hours), ..."
            )));
        }
        Ok(self.roles.working_hours.get_or_init(|| hours))
    }

    /// Every record of the object with a role, in the order of ids, and the role's fields.
    fn each_of(&self, role: Role, mut each: impl FnMut(&Arc<Row>, &[FieldId])) -> Result<()> {
        let Some(object) = self.catalog.playing(role) else {
            return Ok(());
        };
        let fields: Vec<FieldId> = object.role_fields().map(|field| field.id).collect();
        if fields.len() < role.fields().len() {
            return Ok(());
        }
        for id in 0..self.snapshot.record_bound(object.id) {
            if let Some(row) = self.snapshot.row(object.id, RecordId(id))? {
                each(&row, &fields);
            }
        }
        Ok(())
    }
}
