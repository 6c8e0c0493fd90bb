//! Fieldbook: an embedded CRM database engine.

mod catalog;
mod column;
mod crm;
mod error;
mod query;
mod storage;
mod value;

pub use error::{Code, Error, Kind, Result, Span};
pub use value::{Clock, Date, DateTime, Duration, FieldType, Period, Value};
