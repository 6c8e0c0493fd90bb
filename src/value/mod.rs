//! Values: the field types, what they hold, their order and their text.
//!
//! This is the lowest layer: it knows no book, no file and no query. Dates, money and periods are
//! plain numbers inside (days, ten-thousandths, pairs of days), so that the layers above store
//! and compare them as integers.

mod clock;
mod date;
mod decimal;
mod fiscal;
mod fold;
mod ids;
mod money;
mod order;
mod parse;
mod period;
mod rate;
mod show;
mod similar;
mod types;
mod word;
mod working;

pub use clock::Clock;
pub use date::{Date, DateTime, Duration};
pub use fiscal::FiscalYear;
pub(crate) use fold::{FOLDING_VERSION, fold, matches_like};
pub(crate) use ids::{ChunkId, FieldId, IndexId};
pub use ids::{LabelCode, ObjectId, RecordId};
pub use money::{Currency, Money};
pub(crate) use parse::parse_datetime;
pub use period::{Period, Unit};
pub(crate) use rate::{Rate, Rates, rounded_quotient};
pub(crate) use similar::Trigrams;
pub(crate) use types::Shape;
pub use types::{FieldType, Record, RecordName, Value};
pub(crate) use word::{Closeness, Sought, each_word_of, length_band, letters};
pub(crate) use working::{WorkingHours, WorkingTime};
