//! Definitions: objects, fields, indexes, views and settings come, change and go.
//!
//! Every statement makes a new catalog, proves that all stored texts still mean something in it,
//! and hands it to the transaction; only then are records touched.

mod alter;
mod describe;
mod field;
mod index;
mod label;
#[cfg(feature = "shell")]
mod loss;
mod name;
mod object;
mod records;
mod rename;
mod retype;
mod script;
mod setting;
#[cfg(test)]
mod tests;
mod usage;
mod view;

pub(crate) use describe::{describe_object, describe_view, field_definition, view_columns};
#[cfg(feature = "shell")]
pub(crate) use loss::loss;
pub(crate) use name::find_object;
pub(crate) use script::describe_book;

use crate::catalog::Catalog;
use crate::error::{Code, Error, Result};
use crate::query::outcome::Outcome;
use crate::query::pipeline::Environment;
use crate::query::syntax::{DropKind, Statement};
use crate::storage::Transaction;
use crate::value::{FieldId, ObjectId, RecordId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Carries out one statement about definitions or settings. When it fails, the caller rolls back
/// to its mark.
pub(crate) fn define(
    statement: &Statement,
    transaction: &mut Transaction<'_>,
    catalog: &Arc<Catalog>,
    environment: &Environment<'_>,
) -> Result<Outcome> {
    let mut definer = Definer {
        transaction,
        before: Arc::clone(catalog),
        catalog: Catalog::clone(catalog),
        rewritten: BTreeMap::new(),
        environment,
    };
    match statement {
        Statement::CreateObject(tree) => definer.create_object(tree),
        Statement::AlterObject { object, changes } => definer.alter_object(object, changes),
        Statement::CreateIndex {
            object,
            fields,
            unique,
        } => definer.create_index(object, fields, *unique),
        Statement::CreateView(tree) => definer.create_view(tree),
        Statement::Drop { kind, name, fields } => match kind {
            DropKind::Object => definer.drop_object(name),
            DropKind::View => definer.drop_view(name),
            DropKind::Index => definer.drop_index(name, fields),
        },
        Statement::Set { setting, value } => definer.set(*setting, value),
        _ => Err(Error::new(Code::Internal, "this statement defines nothing")),
    }
    .map(Outcome::Done)
}

/// A catalog being changed by one statement.
struct Definer<'a, 't> {
    transaction: &'a mut Transaction<'t>,
    /// As the statement found it.
    before: Arc<Catalog>,
    catalog: Catalog,
    /// Filters and expressions in records that say something else once the catalog is stored.
    rewritten: BTreeMap<(ObjectId, FieldId, RecordId), String>,
    environment: &'a Environment<'a>,
}

impl Definer<'_, '_> {
    /// Hands the new catalog to the transaction.
    fn store(&mut self) -> Result<()> {
        self.transaction
            .set_schema(self.catalog.encode()?, self.catalog.layouts())
    }
}
