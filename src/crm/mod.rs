//! The CRM: its objects and views in the language, and a generator of sample books.
//!
//! The engine below knows nothing of selling; here is all that does.

mod sample;

pub(crate) use sample::fill;

/// The objects of a new book.
pub(crate) const SCHEMA: &str = include_str!("schema.fb");

/// The everyday lists of a new book.
pub(crate) const VIEWS: &str = include_str!("views.fb");
