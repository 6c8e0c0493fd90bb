//! The text of values, as tables, CSV and canonical statements print them.

use super::{Clock, Value};

impl Value {
    /// The value as a table or CSV shows it; missing is empty text.
    #[must_use]
    pub fn show(&self, clock: &Clock) -> String {
        let _ = clock;
        format!("{self:?}")
    }
}
