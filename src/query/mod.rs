//! Queries: text to tree (`syntax`), names and types (`bind`), order of work (`plan`), vectors
//! (`exec`), and what changes records (`write`) and definitions (`schema`).

pub(crate) mod bind;
pub(crate) mod exec;
mod known;
pub(crate) mod label;
pub(crate) mod outcome;
pub(crate) mod pipeline;
pub(crate) mod plan;
pub(crate) mod render;
mod rule;
pub(crate) mod schema;
pub(crate) mod sql;
pub(crate) mod syntax;
pub(crate) mod write;

pub(crate) use known::Known;

#[cfg(test)]
mod trial;

/// Every word of the language that its reference has an entry for.
#[cfg(test)]
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    let functions = bind::FUNCTIONS.iter().map(|(name, ..)| *name);
    functions
        .chain(bind::AGGREGATES.iter().copied())
        .chain(syntax::WORDS.iter().flat_map(|words| words.iter().copied()))
}
