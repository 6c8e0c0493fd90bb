//! Stored filters and expressions: checked when written, kept as canonical text in which labels
//! of records are ids, so that renaming a record breaks nothing.

use super::writer::Writer;
use crate::error::{Error, Result};
use crate::query::bind::Binder;
use crate::query::syntax;
use crate::value::ObjectId;
use std::cmp::Reverse;
use std::sync::Arc;

impl Writer<'_, '_> {
    /// The text of a filter (or expression) on `object` as it is stored.
    pub(super) fn stored_text(
        &mut self,
        object: ObjectId,
        condition: bool,
        text: &str,
    ) -> Result<String> {
        let foreign = |error: Error| error.in_text(text);
        let tree = syntax::parse_expression(text).map_err(foreign)?;
        let catalog = Arc::clone(&self.catalog);
        let binder = Binder::new(&catalog, self.environment.clock);
        if condition {
            binder.record_condition(object, &tree).map_err(foreign)?;
        } else {
            binder.record_number(object, &tree).map_err(foreign)?;
        }
        let mut labels = binder.spoken_labels();
        labels.sort_by_key(|label| Reverse(label.span.start));
        labels.dedup_by_key(|label| label.span.start);
        let mut resolved = text.to_owned();
        for label in labels {
            let id = self
                .find(label.object, &label.text)
                .map_err(|e| e.at(label.span.clone()).in_text(text))?;
            resolved.replace_range(label.span, &id.to_string());
        }
        Ok(syntax::parse_expression(&resolved)?.to_string())
    }
}
