//! Reading values of a field type from text, as imports, parameters and literals do.

use super::{Clock, Date, DateTime, FieldType, Value};
use crate::error::Result;

impl FieldType {
    /// Reads `text` as a value of this type. Empty text is missing.
    ///
    /// Labels and references are not values of text alone: for picklists, tags and references
    /// this is an internal error; the caller looks the label up.
    pub(crate) fn parse(&self, text: &str, clock: &Clock) -> Result<Value> {
        let _ = (text, clock);
        Ok(Value::Missing)
    }
}

/// Reads an ISO date.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    text.parse().ok().map(Date::from_civil)
}

/// Reads an ISO date and time, in the clock's zone unless it names an offset.
pub(crate) fn parse_datetime(text: &str, clock: &Clock) -> Option<DateTime> {
    let _ = (text, clock);
    None
}
