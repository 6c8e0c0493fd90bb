//! Queries that roll up over a hierarchy, as text.

use super::expression::Writer;
use super::fields::Kind::{Date, Reference};

impl Writer<'_> {
    /// Each node of a hierarchy with all below it.
    pub(super) fn rolled(&mut self) -> String {
        let object = self.pick(&["deals", "deals", "companies", "people", "tasks", "regions"]);
        let filter = self.filter(object);
        let nodes = |kind| matches!(kind, Reference("regions" | "people" | "companies"));
        let Some((node, _)) = self.path(object, &nodes, 2) else {
            return self.grouped();
        };
        let first = match self.of(object, Date) {
            Some(path) if self.random.chance(30) => format!("{}({path}) as j, ", self.unit()),
            _ => String::new(),
        };
        let with = self.pick(&["rollup", "totals, rollup", "rollup, empty"]);
        let with = match first.is_empty() {
            true => with,
            false => with.trim_end_matches(", empty"),
        };
        let (one, two) = (self.aggregate(object), self.aggregate(object));
        let having = self.pick(&["", "", " having count() > 1"]);
        let order = self.pick(&[
            "",
            "",
            " order by n desc",
            " order by k desc",
            " order by a",
        ]);
        let limit = match self.random.chance(20) {
            true => format!(" limit {}", self.random.below(6)),
            false => String::new(),
        };
        let more = if first.is_empty() { "" } else { "j, " };
        let all = format!(
            "{object}{filter} group by {first}{node} as k with {with}{having} select {more}k, \
             count() as n, {one} as a, {two} as b{order}{limit}"
        );
        match self.random.chance(15) {
            true => format!("({all}) where n > 1 select k, n, a"),
            false => all,
        }
    }
}
