//! What the lower library's errors mean to a caller, and the errors of damaged bytes.

use crate::error::{Code, Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Turns a redb result into one of ours.
pub(super) trait OrFault<T> {
    fn or_fault(self) -> Result<T>;
}

impl<T, E: Into<redb::Error>> OrFault<T> for std::result::Result<T, E> {
    fn or_fault(self) -> Result<T> {
        self.map_err(|error| fault(error.into()))
    }
}

/// The error of a failed read or write of the file.
pub(super) fn fault(error: redb::Error) -> Error {
    let (code, message) = match &error {
        redb::Error::Corrupted(text) => (Code::Corrupt, format!("the file is damaged: {text}")),
        redb::Error::TableTypeMismatch { table, .. } => (
            Code::Corrupt,
            format!("table `{table}` has another type than a book's"),
        ),
        redb::Error::TableDoesNotExist(table) => {
            (Code::Corrupt, format!("table `{table}` does not exist"))
        }
        redb::Error::ValueTooLarge(size) => (
            Code::Limit,
            format!("a value of {size} bytes is too large to store"),
        ),
        redb::Error::Io(io) => (
            Code::Io,
            format!("the file cannot be read or written: {io}"),
        ),
        other => (
            Code::Io,
            format!("the file cannot be read or written: {other}"),
        ),
    };
    Error::new(code, message).caused_by(error)
}

/// Runs work on the file; a panic over damaged pages becomes an error. Whatever `work` may have
/// left half done must not be used again.
pub(super) fn guard<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::new(Code::Corrupt, PANICKED).hint("restore it from a backup"))
    })
}

/// What [`guard`] says.
pub(super) const PANICKED: &str = "the book is damaged beyond what can be told";

/// The error of bytes that say something impossible.
pub(super) fn corrupt(message: impl Into<String>) -> Error {
    Error::new(Code::Corrupt, message)
        .hint("run a check of the book, and restore it from a backup if it finds faults")
}
