//! The relational form of a book: which tables and columns its objects and fields become.
//!
//! | a field of type | becomes |
//! |---|---|
//! | text, e-mail, phone, url, long text | `f`, and `f_folded` without case and accents |
//! | whole number, number, percent | `f` |
//! | money | `f_e4`, in ten-thousandths of a unit, and `f_currency` |
//! | date | `f` |
//! | moment | `f` as clocks in the book's zone show it, and `f_us`, microseconds since 1970 UTC |
//! | period | `f_start` and `f_end`, the day after the last |
//! | duration | `f`, in seconds |
//! | true or false | `f` |
//! | picklist | `f`, the label; its ranks in a table of their own, `object__f_labels` |
//! | tags | a table of its own, `object__f`, with a row for each tag of a record |
//! | reference | `f`, the record's id |
//! | reference to any of several | `f`, the id, and `f_kind`, the object |

use crate::catalog::{Catalog, Field, Object};
use crate::value::{FieldId, FieldType, ObjectId};
use std::collections::{HashMap, HashSet};

pub(super) struct Relational {
    tables: HashMap<ObjectId, Table>,
    /// Every table's name, in lower case.
    names: HashSet<String>,
    /// Every column's name, in lower case.
    columns: HashSet<String>,
    /// The offsets of the book's zone.
    pub zone: String,
}

pub(super) struct Table {
    pub name: String,
    pub id: String,
    fields: HashMap<FieldId, Columns>,
}

/// Where a field's values stand.
pub(super) struct Columns {
    /// One column for each part of a value; for tags the side table's `id` and `label`.
    pub parts: Vec<String>,
    /// Text without case and accents; of a moment what clocks show.
    pub beside: Option<String>,
    /// The table of a tags field's values.
    pub links: Option<String>,
    /// The table of a picklist's or tags field's labels and ranks.
    pub labels: Option<String>,
}

impl Relational {
    pub(super) fn of(catalog: &Catalog) -> Self {
        let mut names = HashSet::new();
        let mut tables: HashMap<ObjectId, Table> = catalog
            .live_objects()
            .map(|object| {
                let table = Table {
                    name: free(&mut names, &object.name),
                    id: String::new(),
                    fields: HashMap::new(),
                };
                (object.id, table)
            })
            .collect();
        for object in catalog.live_objects() {
            if let Some(table) = tables.get_mut(&object.id) {
                table.fill(object, &mut names);
            }
        }
        let zone = free(&mut names, "book__zone");
        let fields = tables.values().flat_map(|table| table.fields.values());
        let columns = fields.flat_map(|field| field.parts.iter().chain(&field.beside));
        let columns = columns.map(|column| column.to_lowercase()).collect();
        Self {
            tables,
            names,
            columns,
            zone,
        }
    }

    pub(super) fn table(&self, object: ObjectId) -> &Table {
        &self.tables[&object]
    }

    pub(super) fn is_table(&self, name: &str) -> bool {
        self.names.contains(&name.to_lowercase())
    }

    pub(super) fn is_column(&self, name: &str) -> bool {
        self.columns.contains(&name.to_lowercase())
    }
}

impl Table {
    fn fill(&mut self, object: &Object, tables: &mut HashSet<String>) {
        let mut used: HashSet<String> = object
            .live_fields()
            .map(|field| field.name.to_lowercase())
            .collect();
        self.id = match used.contains("id") {
            true => free(&mut used, "record_id"),
            false => free(&mut used, "id"),
        };
        for field in object.live_fields() {
            let columns = Columns::of(object, field, &mut used, tables);
            self.fields.insert(field.id, columns);
        }
    }

    pub(super) fn columns(&self, field: FieldId) -> &Columns {
        &self.fields[&field]
    }
}

impl Columns {
    fn of(
        object: &Object,
        field: &Field,
        used: &mut HashSet<String>,
        tables: &mut HashSet<String>,
    ) -> Self {
        let name = || field.name.to_lowercase();
        let mut more = |ending: &str| free(used, &format!("{}_{ending}", name()));
        let mut columns = Self {
            parts: vec![name()],
            beside: None,
            links: None,
            labels: None,
        };
        let side = format!("{}__{}", object.name.to_lowercase(), name());
        match &field.ty {
            FieldType::Money => columns.parts = vec![more("e4"), more("currency")],
            FieldType::Period => columns.parts = vec![more("start"), more("end")],
            FieldType::AnyReference(_) => columns.parts.push(more("kind")),
            FieldType::DateTime => {
                columns.beside = Some(name());
                columns.parts = vec![more("us")];
            }
            FieldType::Picklist => columns.labels = Some(free(tables, &format!("{side}_labels"))),
            FieldType::Tags => {
                columns.links = Some(free(tables, &side));
                columns.labels = Some(free(tables, &format!("{side}_labels")));
                columns.parts = vec!["id".to_owned(), "label".to_owned()];
            }
            ty if ty.is_text() => columns.beside = Some(more("folded")),
            _ => {}
        }
        columns
    }
}

/// `name` in lower case, or with a number behind where that is taken.
pub(super) fn free(used: &mut HashSet<String>, name: &str) -> String {
    let name = name.to_lowercase();
    let mut found = name.clone();
    let mut number = 2;
    while !used.insert(found.clone()) {
        found = format!("{name}_{number}");
        number += 1;
    }
    found
}
