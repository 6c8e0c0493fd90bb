//! Bytes of headers, rows and blocks in bincode's standard encoding: the one place that names it.
//!
//! Reading never panics and never allocates more than the bytes at hand can hold.

use super::fault::corrupt;
use crate::error::{Code, Error, Result};
use bincode::config::{self, Configuration, Limit, LittleEndian, Varint};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The most that one header or summary may hold, so that damaged lengths cannot exhaust memory.
const LIMIT: usize = 64 << 20;

fn config() -> Configuration<LittleEndian, Varint, Limit<LIMIT>> {
    config::standard().with_limit()
}

/// The bytes of a header or summary.
pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    bincode::serde::encode_to_vec(value, config())
        .map_err(|e| Error::new(Code::Internal, "a header cannot be encoded").caused_by(e))
}

/// The reverse of [`encode`]; `what` names the thing in the error.
pub(super) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T> {
    match bincode::serde::decode_from_slice(bytes, config()) {
        Ok((value, used)) if used == bytes.len() => Ok(value),
        Ok(_) => Err(corrupt(format!("{what} is longer than it says"))),
        Err(error) => Err(corrupt(format!("{what} cannot be read")).caused_by(error)),
    }
}

/// Bytes being written.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn put<T: bincode::Encode>(&mut self, value: T) {
        bincode::encode_into_std_write(value, &mut self.bytes, config())
            .expect("writing into a vector cannot fail");
    }

    /// A length, then the bytes.
    pub(super) fn put_block(&mut self, bytes: &[u8]) {
        self.put(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }
}

/// Bytes being read.
pub(super) struct Reader<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, rest: bytes }
    }

    pub(super) fn fault(&self) -> Error {
        corrupt(format!("{} cannot be read", self.what))
    }

    pub(super) fn get<T: bincode::BorrowDecode<'a, ()>>(&mut self) -> Result<T> {
        let (value, used) = bincode::borrow_decode_from_slice(self.rest, config())
            .map_err(|error| self.fault().caused_by(error))?;
        self.rest = self.rest.get(used..).ok_or_else(|| self.fault())?;
        Ok(value)
    }

    /// A length that cannot exceed the bytes left, as every counted thing takes at least one.
    pub(super) fn get_len(&mut self) -> Result<usize> {
        let len: u64 = self.get()?;
        usize::try_from(len)
            .ok()
            .filter(|&len| len <= self.rest.len())
            .ok_or_else(|| self.fault())
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| self.fault())?;
        self.rest = rest;
        Ok(taken)
    }

    /// The reverse of [`Writer::put_block`].
    pub(super) fn get_block(&mut self) -> Result<&'a [u8]> {
        let len = self.get_len()?;
        self.take(len)
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<()> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.fault())
        }
    }
}
