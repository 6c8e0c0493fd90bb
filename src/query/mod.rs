//! Queries: text to tree (`syntax`), names and types (`bind`), order of work (`plan`), vectors
//! (`exec`), and what changes records (`write`) and definitions (`schema`).

mod bind;
mod exec;
pub(crate) mod syntax;
