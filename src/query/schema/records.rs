//! Existing records after a change of definitions: new fields filled, new rules held.

use super::Definer;
use super::field::Added;
use crate::error::{Code, Error, Result};
use crate::query::write::Writer;
use crate::value::ObjectId;

impl Definer<'_, '_> {
    /// Gives existing records the defaults of new fields.
    pub(super) fn fill(&mut self, id: ObjectId, added: &[Added<'_>]) -> Result<()> {
        if self.transaction.snapshot().record_count(id) == 0 {
            return Ok(());
        }
        let catalog = self.shared();
        for one in added {
            let Added::Field {
                field,
                name,
                default,
                ..
            } = one
            else {
                continue;
            };
            let definition = catalog.object(id).field(*field);
            match default {
                Some(tree) => {
                    let mut writer =
                        Writer::new(self.transaction, catalog.clone(), self.environment);
                    writer
                        .fill_default(id, *field)
                        .map_err(|e| e.at(tree.span.clone()))?;
                }
                None if definition.required => {
                    return Err(Error::new(
                        Code::Required,
                        format!(
                            "{} have records, which would lack the required `{}`",
                            catalog.object(id).name,
                            definition.name
                        ),
                    )
                    .at(name.span.clone())
                    .hint("give it a default"));
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Holds every record of an object against its checks.
    pub(super) fn check_records(&mut self, id: ObjectId) -> Result<()> {
        let catalog = self.shared();
        Writer::new(self.transaction, catalog, self.environment).check_all(id)
    }
}
