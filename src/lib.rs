//! Fieldbook: an embedded CRM database engine. One file, one library, one small query language,
//! one shell.
//!
//! # A tour
//!
//! A [`Book`] is a file, or lives in memory. A new one has the objects of a CRM: accounts,
//! contacts, opportunities, activities and so on, which are records and scripts that you can
//! change.
//!
//! ```
//! use fieldbook::{Book, Date, RecordId, params};
//!
//! let book = Book::in_memory()?;
//!
//! // Statements of the language; docs/query-language.md describes it.
//! book.execute("add accounts (name = \"Acme\", industry = manufacturing)")?;
//!
//! // Records from a struct: fields by name, references and picklists by label.
//! #[derive(serde::Serialize)]
//! struct NewDeal {
//!     name: &'static str,
//!     account: &'static str,
//!     stage: &'static str,
//!     amount: u32,
//!     close_date: Date,
//! }
//! let id: RecordId = book.add(
//!     "opportunities",
//!     &NewDeal {
//!         name: "Acme renewal",
//!         account: "Acme",
//!         stage: "proposal",
//!         amount: 40_000,
//!         close_date: Date::from_ymd(2026, 6, 30).unwrap(),
//!     },
//! )?;
//!
//! // Rows by name.
//! let rows = book.query("opportunities where stage >= proposal select name, account.industry")?;
//! let row = rows.row(0).unwrap();
//! assert_eq!(row.get::<String>("name")?, "Acme renewal");
//! assert_eq!(row.at::<String>(1)?, "manufacturing");
//!
//! // Rows as structs, tuples, or single values.
//! #[derive(serde::Deserialize)]
//! struct Deal {
//!     name: String,
//!     amount: f64,
//!     close_date: Option<Date>,
//! }
//! let rows = book.query("opportunities select name, amount, close_date")?;
//! let deals: Vec<Deal> = rows.deserialize()?;
//! assert_eq!(deals[0].close_date, Date::from_ymd(2026, 6, 30));
//! let total: f64 = book.query("opportunities select sum(amount)")?.one()?;
//! assert_eq!(total, 40_000.0);
//!
//! // A statement read once and run often, with parameters.
//! let large = book.prepare("opportunities where amount >= $min select name")?;
//! assert_eq!(large.query(params! { min: 10_000 })?.len(), 1);
//! assert_eq!(large.query(params! { min: 50_000 })?.len(), 0);
//!
//! // Several changes at once. Readers keep the state they began with and never wait.
//! let before = book.read()?;
//! let mut write = book.write()?;
//! write.execute("update opportunities where name = \"Acme renewal\" set stage = won")?;
//! write.execute("add activities (type = call, subject = \"Say thanks\", account = \"Acme\")")?;
//! write.commit()?;
//! assert_eq!(before.query("opportunities where won")?.len(), 0);
//! assert_eq!(book.query("opportunities where won")?.len(), 1);
//!
//! // What is wrong is said with the place, the nearest name and what to do.
//! let error = book.query("opportunities where amuont > 5").unwrap_err();
//! assert!(error.report().contains("did you mean `amount`?"));
//! # let _ = id;
//! # Ok::<(), fieldbook::Error>(())
//! ```
//!
//! # Where to look
//!
//! - [`Book`] and its [`Options`]: opening, one-line queries and changes.
//! - [`ReadTransaction`], [`WriteTransaction`], [`Session`]: several statements together.
//! - [`Rows`], [`Row`], [`Prepared`], [`Parameters`]: results and parameters.
//! - [`Error`], [`Code`], [`Kind`]: what may go wrong, and what a caller can do about it.
//! - [`Value`], [`Date`], [`Money`], [`Period`]: what fields hold.
//!
//! # Memory
//!
//! [`Options::memory_bytes`] bounds what a book keeps and works with. The allocator is the
//! program's to choose: imports and long lists make many small pieces of memory, and with the crate
//! `mimalloc`, which the shell uses, an import took 0.6 times as long as with the C library's.
//!
//! # What it is not
//!
//! A server, a general SQL database, or an application with forms: it is what those may be
//! built on. The library never reads the terminal, the environment or the system's clock but
//! through its parameters.

/// The README's example, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

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
    Book, CheckReport, Column, CreatedRecords, FieldDescription, ImportReport, ImportedColumn,
    Iter, ObjectDescription, Options, Outcome, ParameterDescription, Parameters, Prepared,
    ReadTransaction, RefusedLine, Row, Rows, Savepoint, Schema, Script, Session, Step,
    ViewDescription, WriteTransaction,
};
pub use error::{Code, Error, Kind, Result, Span};
pub use query::exec::Interrupt;
pub use storage::{Durability, Sizes};
pub use value::{
    Clock, Currency, Date, DateTime, Duration, FieldType, FiscalYear, LabelCode, Money, ObjectId,
    Period, Record, RecordId, RecordName, Unit, Value,
};
