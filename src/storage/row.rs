//! A record's row: one value a field, and its form in bytes.

use crate::value::{FieldId, Value};

/// The values of one record by field id; fields beyond the end are missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Row {
    values: Vec<Value>,
}

impl Row {
    pub(crate) fn get(&self, field: FieldId) -> &Value {
        self.values
            .get(usize::from(field.0))
            .unwrap_or(&Value::Missing)
    }

    pub(crate) fn set(&mut self, field: FieldId, value: Value) {
        let at = usize::from(field.0);
        if at >= self.values.len() {
            self.values.resize(at + 1, Value::Missing);
        }
        self.values[at] = value;
    }
}

impl FromIterator<(FieldId, Value)> for Row {
    fn from_iter<T: IntoIterator<Item = (FieldId, Value)>>(values: T) -> Self {
        let mut row = Self::default();
        for (field, value) in values {
            row.set(field, value);
        }
        row
    }
}
