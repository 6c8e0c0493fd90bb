//! What is worked out of a catalog once, and holds until it changes.

use super::bind::{self, Binder};
use super::outcome::Heading;
use super::write::Rules;
use crate::catalog::{Catalog, Object};
use crate::error::Result;
use crate::value::{Clock, ObjectId};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What is known of the objects of the last catalog seen.
#[derive(Default)]
pub(crate) struct Known(Mutex<Option<InCatalog>>);

struct InCatalog {
    catalog: Arc<Catalog>,
    zone: TimeZone,
    rules: HashMap<ObjectId, Rules>,
    headings: HashMap<ObjectId, Arc<[Heading]>>,
}

impl Known {
    /// The rules of an object, for one statement.
    pub(super) fn rules(
        &self,
        object: ObjectId,
        catalog: &Arc<Catalog>,
        clock: &Clock,
    ) -> Result<Rules> {
        self.of(catalog, clock, |known| {
            if let Some(rules) = known.rules.get(&object) {
                return Ok(rules.clone());
            }
            let rules = Rules::new(catalog.object(object), &Binder::new(catalog, clock))?;
            known.rules.insert(object, rules.clone());
            Ok(rules)
        })
    }

    /// The stored fields of an object as columns.
    pub(super) fn headings(
        &self,
        object: &Object,
        catalog: &Arc<Catalog>,
        clock: &Clock,
    ) -> Arc<[Heading]> {
        let heading = |field: &crate::catalog::Field| Heading {
            name: field.name.as_str().into(),
            ty: bind::column(object, field.id, &(0..0)).ty,
        };
        self.of(catalog, clock, |known| {
            let known = known.headings.entry(object.id);
            known
                .or_insert_with(|| object.live_fields().map(heading).collect())
                .clone()
        })
    }

    fn of<T>(
        &self,
        catalog: &Arc<Catalog>,
        clock: &Clock,
        work: impl FnOnce(&mut InCatalog) -> T,
    ) -> T {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |of: &InCatalog| Arc::ptr_eq(&of.catalog, catalog) && of.zone == clock.zone;
        if !known.as_ref().is_some_and(same) {
            *known = None;
        }
        work(known.get_or_insert_with(|| InCatalog {
            catalog: catalog.clone(),
            zone: clock.zone.clone(),
            rules: HashMap::new(),
            headings: HashMap::new(),
        }))
    }
}
