//! What goes for good when definitions go: neither `undo` nor `as of` brings it back.

use crate::catalog::{Catalog, same_name};
use crate::error::Result;
use crate::query::syntax::{Alteration, DropKind, Name, Statement};
use crate::query::write::each_value;
use crate::storage::Snapshot;

/// The object or fields that a statement drops and what they hold, if that is anything:
/// `accounts with its 8 records`.
pub(crate) fn loss(
    statement: &Statement,
    snapshot: &Snapshot,
    catalog: &Catalog,
) -> Result<Option<String>> {
    match statement {
        Statement::Drop {
            kind: DropKind::Object,
            name,
            ..
        } => {
            let Some(object) = catalog.find_object(&name.text) else {
                return Ok(None);
            };
            let records = held(snapshot.record_count(object.id), "its", "record");
            Ok(records.map(|records| format!("{} with {records}", object.name)))
        }
        Statement::AlterObject { object, changes } => {
            let Some(object) = catalog.find_object(&object.text) else {
                return Ok(None);
            };
            let mut names = Vec::new();
            let mut values = 0;
            for name in dropped(changes) {
                let Some(field) = object.find_field(&name.text) else {
                    continue;
                };
                let before = values;
                each_value(snapshot, object.id, field, |_, value| {
                    values += u64::from(!value.is_missing());
                })?;
                if values > before {
                    names.push(format!("`{}`", field.name));
                }
            }
            let whose = if names.len() == 1 { "its" } else { "their" };
            let values = held(values, whose, "value");
            Ok(values
                .map(|values| format!("{} of {} with {values}", names.join(", "), object.name)))
        }
        _ => Ok(None),
    }
}

fn held(count: u64, whose: &str, what: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("{whose} 1 {what}")),
        _ => Some(format!("{whose} {count} {what}s")),
    }
}

/// The fields that the changes drop, by the names that they had before.
fn dropped(changes: &[Alteration]) -> Vec<&Name> {
    let mut renamed: Vec<(&Name, &Name)> = Vec::new();
    let mut gone = Vec::new();
    for change in changes {
        match change {
            Alteration::RenameField { from, to } => renamed.push((from, to)),
            Alteration::DropField(name) => {
                let before = renamed.iter().rev().fold(name, |name, (from, to)| {
                    match same_name(&to.text, &name.text) {
                        true => from,
                        false => name,
                    }
                });
                gone.push(before);
            }
            _ => {}
        }
    }
    gone
}
