//! Rows in their order, cut by `limit` and `offset`.

use super::Dialect;
use super::fragment::{Level, Sql, Truth, heading};
use super::frame::Tables;
use super::levels::over;
use super::order::{Key, Order};
use super::parts::{Part, names_of};
use super::select::Select;
use super::translate::{Mode, Translator};

/// Rows in an order, not yet cut.
pub(super) struct Branch {
    pub select: Select,
    pub columns: Vec<Vec<Sql>>,
    pub order: Order,
    pub limit: Option<i64>,
    pub offset: i64,
    pub ties: bool,
    /// Further columns, by which subtotals find the rows they sum.
    pub keys: Vec<String>,
    /// Of a subtotal: its own columns for the first of those keys.
    pub sums: Option<Vec<String>>,
}

impl Branch {
    /// Whether its rows are cut by their place, not just by their number.
    pub(super) fn is_ranked(&self) -> bool {
        self.limit.is_some()
            && (self.ties && self.order.ordered || !self.order.partition.is_empty())
    }
}

impl Translator<'_> {
    /// One branch as a select of its own, cut as asked for.
    pub(super) fn finish(&self, branch: Branch, columns: &[Vec<Part>], mode: Mode) -> Select {
        let ranked = branch.is_ranked();
        let Branch {
            mut select,
            columns: values,
            order,
            limit,
            offset,
            ties,
            keys,
            sums,
        } = branch;
        for (parts, values) in columns.iter().zip(&values) {
            for (part, value) in parts.iter().zip(values) {
                if let Part::Column(column) = part {
                    let column = heading(column);
                    let same = value.text.strip_suffix(column.as_str());
                    let named = same.is_some_and(|rest| rest.ends_with('.'));
                    select.columns.push(match named || (mode == Mode::List) {
                        true => value.text.clone(),
                        false => format!("{} AS {column}", value.text),
                    });
                }
            }
        }
        let number = format!("row_number() {} AS row_no", order.over(""));
        let tied = ties && order.ordered;
        if let Some(count) = limit.filter(|_| ranked) {
            return self.ranked_rows(select, columns, &order, (count, offset, tied), mode);
        }
        if sums.is_some() {
            select.columns.push("summed.row_no".to_owned());
        } else if mode == Mode::Rows {
            select.columns.push(number);
        }
        select.columns.extend(keys);
        let cut = limit.is_some() || offset > 0;
        if mode == Mode::Shown || cut {
            select.order = order.texts();
        }
        self.cut(&mut select, limit, offset);
        select
    }

    fn cut(&self, select: &mut Select, limit: Option<i64>, offset: i64) {
        select.limit = limit.map(|limit| limit.to_string());
        if offset > 0 {
            select.offset = Some(offset.to_string());
            if self.dialect == Dialect::Sqlite {
                // SQLite knows `OFFSET` only behind a limit; a negative one is none.
                select.limit.get_or_insert_with(|| "-1".to_owned());
            }
        }
    }

    /// The rows whose place within their group, or among all, is within a limit.
    fn ranked_rows(
        &self,
        mut select: Select,
        columns: &[Vec<Part>],
        order: &Order,
        (count, offset, tied): (i64, i64, bool),
        mode: Mode,
    ) -> Select {
        let given: Vec<String> = order.given.iter().map(Key::text).collect();
        let place = match tied {
            true => format!("rank() {}", over(&order.partition, &given, "")),
            false => format!(
                "row_number() {}",
                over(&order.partition, &order.texts(), "")
            ),
        };
        let names = names_of(columns);
        if mode == Mode::List {
            for (item, name) in select.columns.iter_mut().zip(&names) {
                *item = format!("{item} AS {name}");
            }
        }
        select.columns.push(format!("{place} AS place"));
        select
            .columns
            .push(format!("row_number() {} AS row_no", order.over("")));
        let per = !order.partition.is_empty();
        let ranked = self.common("ranked", select.text());
        let mut outer = Tables::new(self.base_of(&ranked)).select();
        outer.columns = names;
        if mode == Mode::Rows {
            outer.columns.push("row_no".to_owned());
        }
        let last = if per {
            count
        } else {
            count.saturating_add(offset)
        };
        let within = |text: String| Truth::exact(Sql::new(text, Level::Compare));
        outer.require(within(format!("place <= {last}")));
        if !per && offset > 0 {
            outer.require(within(format!("row_no > {offset}")));
        }
        if count == 0 {
            outer.require(Truth::constant(false));
        }
        if mode == Mode::Shown || (per && offset > 0) {
            outer.order = vec!["row_no".to_owned()];
        }
        if per {
            self.cut(&mut outer, None, offset);
        }
        outer
    }
}
