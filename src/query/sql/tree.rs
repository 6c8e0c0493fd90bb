//! `with rollup` over a hierarchy: each node with all that hangs below it, in the tree's order.

use super::fragment::{Level, Sql, Truth, heading, name};
use super::frame::{Frame, Row, Tables};
use super::levels::over;
use super::order::Key;
use super::parts::Part;
use super::select::Select;
use super::translate::Translator;
use super::untranslatable;
use crate::error::Result;
use crate::query::bind::{Expr, Group, Node, Query, Type};
use crate::value::{FieldType, ObjectId};

/// The column by which nodes come in the order of the tree.
const PATH: &str = "path";

impl Translator<'_> {
    /// The hierarchy that a key refers to.
    pub(super) fn hierarchy_of(&self, key: &Expr) -> Option<ObjectId> {
        let Type::Plain(FieldType::Reference(object)) = &key.ty else {
            return None;
        };
        let definition = self.context.catalog.object(*object);
        definition.hierarchy_field().map(|_| *object)
    }

    /// The hierarchy that groups are rolled up over.
    pub(super) fn rolled_up(&self, group: &Group) -> Option<ObjectId> {
        let last = group.keys.last().filter(|_| group.subtotals)?;
        self.hierarchy_of(last)
    }

    /// The groups that pass, each with its place in the tree: the places of all rows above it
    /// that pass, and its own.
    pub(super) fn in_tree(
        &self,
        query: &Query,
        group: &Group,
        groups: &str,
        object: ObjectId,
        names: &[Vec<Part>],
    ) -> Result<String> {
        if !self.given.borrow().is_empty() {
            let what = "a hierarchy in a query that knows `outer`";
            return Err(untranslatable(what, &group.keys[0].span));
        }
        let tree = self.tree(object)?;
        let tables = Tables::new(self.base_of(groups));
        let frame = Frame {
            tables: &tables,
            row: Row::Slots(self.slots(groups, names).into()),
        };
        let mut order = self.keys(&frame, &query.order)?;
        for (at, key) in group.keys.iter().enumerate() {
            let slot = Expr::new(Node::Slot(at), key.ty.clone(), &key.span);
            order.extend(self.ascending(&frame, &slot)?);
        }
        let order: Vec<String> = order.iter().map(Key::text).collect();
        let mut filter = Vec::new();
        if let Some(having) = &query.having {
            filter = self.conjuncts(&frame, having)?;
        }
        let mut placed = tables.select();
        placed.columns = vec![
            format!("{}.*", name(groups)),
            format!("row_number() {} AS place", over(&[], &order, "")),
        ];
        placed.filter = filter;
        let placed = self.common("placed", placed.text());
        let (own, upper) = (name(&placed), name(&self.alias("upper_row")));
        let pairs = |column: &String| (format!("{upper}.{column}"), format!("{own}.{column}"));
        let (mut keys, mut nodes) = (Vec::new(), None);
        for part in names[..group.keys.len()].iter().flatten() {
            if let Part::Column(column) = part {
                keys.extend(nodes.replace(pairs(&heading(column))));
            }
        }
        let (above, node) = nodes.unwrap_or_default();
        let ways = [
            format!("{above} IN (SELECT above FROM {tree} WHERE {tree}.id = {node})"),
            format!("{above} IS NULL AND {node} IS NULL"),
        ];
        let ways = ways.map(|way| Truth::open(Sql::new(way, Level::Not)));
        let mut path = Select {
            columns: vec![format!("printf('%09d', {upper}.place) AS step")],
            from: format!("{own} AS {upper}"),
            filter: vec![Truth::any(&ways)],
            order: vec![format!(
                "(SELECT count(*) FROM {tree} WHERE {tree}.id = {above})"
            )],
            ..Select::default()
        };
        for (above, node) in keys {
            let same = format!("{above} IS NOT DISTINCT FROM {node}");
            path.require(Truth::exact(Sql::new(same, Level::Compare)));
        }
        let path = Select {
            columns: vec!["group_concat(step, '')".to_owned()],
            from: format!("{} AS steps", path.nested().text),
            ..Select::default()
        };
        let all = Select {
            columns: vec![
                format!("{own}.*"),
                format!("{} AS {PATH}", path.nested().text),
            ],
            from: own.clone(),
            ..Select::default()
        };
        Ok(self.common("in_tree", all.text()))
    }

    /// The order of the tree.
    pub(super) fn by_tree(&self, groups: &str) -> Key {
        Key {
            sql: self.qualified(groups, PATH),
            descending: false,
            tie: true,
        }
    }
}
