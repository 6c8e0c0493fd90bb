//! Fieldbook: an embedded CRM database engine.

mod error;
mod value;

pub use error::{Code, Error, Kind, Result, Span};
pub use value::{Clock, Date, DateTime, Duration, FieldType, Period, Value};
