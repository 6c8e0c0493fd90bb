//! Fieldbook: an embedded CRM database engine.

mod book;
mod catalog;
mod column;
mod crm;
mod error;
mod query;
#[cfg(feature = "shell")]
pub mod shell;
mod storage;
mod value;

pub use book::{
    Book, CheckReport, Column, FieldDescription, ImportReport, Iter, ObjectDescription, Options,
    Outcome, Parameters, Prepared, ReadTransaction, RefusedLine, Row, Rows, Savepoint, Schema,
    Script, Session, Step, ViewDescription, WriteTransaction,
};
pub use error::{Code, Error, Kind, Result, Span};
pub use query::exec::Interrupt;
pub use storage::Durability;
pub use value::{
    Clock, Currency, Date, DateTime, Duration, FieldType, LabelCode, Money, ObjectId, Period,
    Record, RecordId, RecordName, Unit, Value,
};
