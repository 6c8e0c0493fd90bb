//! Rows: what a query gives, by name, by position and into a caller's own types.

use super::deserialize::{Cell, Line, Misfit};
use super::reading::rounded;
use crate::error::{Code, Error, Result};
use crate::query::bind::Type;
use crate::query::outcome::{Heading as Column, Mark, MarkedCell, Table};
use crate::value::{Clock, FieldType, Value};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The rows of a query, held in memory, under named columns.
///
/// References, picklists and tags stand in rows by their labels.
///
/// ```
/// let book = fieldbook::Book::in_memory()?;
/// book.execute("add accounts (name = \"Acme\", employees = 900)")?;
/// let rows = book.query("accounts select name, employees")?;
/// for row in &rows {
///     let name: String = row.get("name")?;
///     let employees: Option<u32> = row.get("employees")?;
///     assert_eq!((name.as_str(), employees), ("Acme", Some(900)));
/// }
/// # Ok::<(), fieldbook::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rows {
    table: Table,
    clock: Clock,
}

/// One row of a result.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    columns: &'a Arc<[Column]>,
    values: &'a [Value],
    mark: Option<&'a Mark>,
    clock: &'a Clock,
}

impl Column {
    /// The column's name: its alias, else the words of its expression.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What kind of value the column holds, in the words of `create object`: `text`, `money`,
    /// `ref`, `picklist`; and `list` or `records` for what only results have.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        type_name(&self.ty)
    }

    /// Whether the values are numbers, amounts or lengths of time, which tables align right.
    #[must_use]
    pub fn is_numeric(&self) -> bool {
        let numeric = ["integer", "number", "money", "percent", "duration"];
        numeric.contains(&self.type_name())
    }
}

impl AsRef<str> for Column {
    fn as_ref(&self) -> &str {
        &self.name
    }
}

/// A type without its particulars, as the language writes it.
pub(super) fn type_name(ty: &Type) -> &'static str {
    match ty {
        Type::Missing => "text",
        Type::Plain(ty) => plain_name(ty),
        Type::Label(..) => "picklist",
        Type::Tags(..) => "tags",
        Type::Fiscal => "period",
        Type::List(_) => "list",
        Type::Nested => "records",
    }
}

/// A field type without its particulars, as the language writes it.
fn plain_name(ty: &FieldType) -> &'static str {
    match ty {
        FieldType::Text => "text",
        FieldType::LongText => "longtext",
        FieldType::Integer => "integer",
        FieldType::Number => "number",
        FieldType::Money => "money",
        FieldType::Percent => "percent",
        FieldType::Date => "date",
        FieldType::DateTime => "datetime",
        FieldType::Period => "period",
        FieldType::Boolean => "boolean",
        FieldType::Picklist => "picklist",
        FieldType::Tags => "tags",
        FieldType::Email => "email",
        FieldType::Phone => "phone",
        FieldType::Url => "url",
        FieldType::Duration => "duration",
        FieldType::Reference(_) | FieldType::AnyReference(_) => "ref",
        FieldType::Filter(_) => "filter",
        FieldType::Expression(_) => "expression",
    }
}

impl Rows {
    pub(super) fn new(table: Table, clock: Clock) -> Self {
        Self { table, clock }
    }

    /// One column of text, a row a line: how a plan becomes rows.
    pub(super) fn lines(name: &str, text: &str, clock: Clock) -> Self {
        let column = Column {
            name: name.into(),
            ty: Type::TEXT,
        };
        let table = Table {
            columns: Arc::new([column]),
            rows: text.lines().map(|line| vec![Value::text(line)]).collect(),
            next: None,
            marks: Vec::new(),
        };
        Self::new(table, clock)
    }

    /// The columns, in the order of `select`.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.table.columns
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.rows.is_empty()
    }

    /// Where to go on after a `limit`: the same query with `after` and this text gives the rows
    /// that follow, whatever was added or deleted in between. Nothing if no row follows, after
    /// `limit 0`, and where rows have no lasting place in one order: with `offset`, `per`,
    /// `union`, totals, or over a query in parentheses without groups.
    ///
    /// ```
    /// use fieldbook::{Book, params};
    ///
    /// let book = Book::in_memory()?;
    /// book.execute("add accounts (name = \"Acme\"), (name = \"Borealis\"), (name = \"Cactus\")")?;
    /// let page = book.prepare("accounts select name order by name limit 2 after $cursor")?;
    /// let first = page.query(params! { cursor: None::<String> })?;
    /// book.execute("add accounts (name = \"Aaron\")")?;
    /// let second = page.query(params! { cursor: first.cursor() })?;
    /// assert_eq!(second.deserialize::<String>()?, ["Cactus"]);
    /// assert_eq!(second.cursor(), None);
    /// # Ok::<(), fieldbook::Error>(())
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Option<String> {
        self.table.next.as_ref().map(|next| next.encode())
    }

    /// The row at `index`, from 0.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<Row<'_>> {
        (index < self.len()).then(|| self.wrap(index))
    }

    /// The rows in order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            rows: self,
            inner: 0..self.len(),
        }
    }

    /// Writes all rows, exact, in a form that other programs read.
    #[cfg(feature = "shell")]
    pub(crate) fn render(
        &self,
        format: crate::query::render::Format,
        out: &mut dyn std::io::Write,
    ) -> std::io::Result<()> {
        crate::query::render::render(&self.table, format, &self.clock, out)
    }

    /// A value of a nested record as people read it: see [`Row::text`].
    #[must_use]
    pub fn show(&self, value: &Value) -> String {
        rounded(value, None).show(&self.clock)
    }

    fn wrap(&self, index: usize) -> Row<'_> {
        Row {
            columns: &self.table.columns,
            values: &self.table.rows[index],
            mark: self.table.marks.get(index),
            clock: &self.clock,
        }
    }

    /// Every row as a `T`: see [`Row::deserialize`].
    ///
    /// # Errors
    /// `bad-value` if a row does not fit.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        self.iter().map(|row| row.deserialize()).collect()
    }

    /// The only row as a `T`; a row of one column may be its bare value.
    ///
    /// ```
    /// let book = fieldbook::Book::in_memory()?;
    /// let count: i64 = book.query("accounts select count()")?.one()?;
    /// assert_eq!(count, 0);
    /// # Ok::<(), fieldbook::Error>(())
    /// ```
    ///
    /// # Errors
    /// `unknown-record` if there is no row, `too-many-rows` if there are several, `bad-value` if
    /// the row does not fit.
    pub fn one<T: DeserializeOwned>(&self) -> Result<T> {
        match self.table.rows.as_slice() {
            [_] => self.wrap(0).deserialize(),
            [] => Err(Error::new(Code::UnknownRecord, "the query gave no row")),
            rows => Err(Error::new(
                Code::TooManyRows,
                format!("the query gave {} rows where one is wanted", rows.len()),
            )),
        }
    }
}

/// The rows of a result, in order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    rows: &'a Rows,
    inner: std::ops::Range<usize>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        self.inner.next().map(|index| self.rows.wrap(index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Rows {
    type Item = Row<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> Row<'a> {
    /// The values in the order of the columns.
    #[must_use]
    pub fn values(&self) -> &'a [Value] {
        self.values
    }

    /// Whether the row sums over several groups, as `with totals` and `rollup` add them. Its
    /// values of the keys it sums over are missing.
    #[must_use]
    pub fn is_total(&self) -> bool {
        self.mark.is_some_and(|mark| mark.is_total)
    }

    /// The columns whose group keys the row sums over, so that a total's missing key is told from
    /// the group of records without one; none for other rows.
    ///
    /// ```
    /// let book = fieldbook::Book::in_memory()?;
    /// book.execute("add accounts (name = \"Acme\", industry = retail), (name = \"Bolt\")")?;
    /// let rows = book.query("accounts group by industry with totals")?;
    /// let summed: Vec<_> = rows.iter().map(|row| row.total_of()).collect();
    /// assert_eq!(summed, [vec![], vec![], vec!["industry"]]);
    /// # Ok::<(), fieldbook::Error>(())
    /// ```
    #[must_use]
    pub fn total_of(&self) -> Vec<&'a str> {
        let columns = self.mark.iter().flat_map(|mark| mark.summed());
        columns.map(|at| self.columns[at].name()).collect()
    }

    /// Whether the row sums over the group key in the column at `index`.
    #[cfg(feature = "shell")]
    pub(crate) fn is_summed(&self, index: usize) -> bool {
        let mut columns = self.mark.iter().flat_map(|mark| mark.summed());
        columns.any(|at| at == index)
    }

    /// How many nodes lie above the row's own in a hierarchy that the query rolls up, in the
    /// column at `index`; 0 in all others.
    #[must_use]
    pub fn level(&self, index: usize) -> usize {
        let mut cells = self.mark.iter().flat_map(|mark| &mark.cells);
        let level = |&(column, cell): &(usize, MarkedCell)| match cell {
            MarkedCell::Below(level) if column == index => Some(level),
            _ => None,
        };
        cells.find_map(level).unwrap_or(0)
    }

    /// The value under a column's name, ignoring case, if there is such a column.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        let same = |column: &Column| column.name().eq_ignore_ascii_case(name);
        let at = self.columns.iter().position(same)?;
        self.values.get(at)
    }

    /// The value under a column's name as a `T`: text, a number, a [`crate::Date`], an `Option`
    /// of them, a `Vec` of a list.
    ///
    /// # Errors
    /// `unknown-field` without such a column, `bad-value` if the value does not fit.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let value = self.value(name).ok_or_else(|| {
            Error::new(
                Code::UnknownField,
                format!("the result has no column `{name}`"),
            )
            .near(name, self.columns.iter().map(Column::name))
        })?;
        self.convert(value)
            .map_err(|e| unfit(&Misfit(format!("column `{name}`: {e}"))))
    }

    /// The value at a column's position, from 0, as a `T`.
    ///
    /// # Errors
    /// `unknown-field` without such a column, `bad-value` if the value does not fit.
    pub fn at<T: DeserializeOwned>(&self, index: usize) -> Result<T> {
        let value = self.values.get(index).ok_or_else(|| {
            let count = self.values.len();
            let message = format!("the result has {count} columns and none at {index}");
            Error::new(Code::UnknownField, message)
        })?;
        self.convert(value).map_err(|e| unfit(&e))
    }

    fn convert<T: DeserializeOwned>(&self, value: &Value) -> Result<T, Misfit> {
        T::deserialize(Cell {
            value: value.clone(),
            clock: self.clock,
        })
    }

    /// The row as a `T`: a struct or map by the columns' names, a tuple by their order, or, of
    /// one column, its bare value.
    ///
    /// Labels and records become text, a record its id where a number is wanted; missing is
    /// `None`, or an empty list; dates are ISO text or [`crate::Date`]; nested collections are
    /// lists of structs. Columns that `T` does not name are left out.
    ///
    /// # Errors
    /// `bad-value` if a value does not fit.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(Line {
            names: self.columns,
            values: self.values,
            clock: self.clock,
        })
        .map_err(|e| unfit(&e))
    }

    /// The value at `index` as people read it: percentages to one decimal, amounts to two,
    /// numbers to four. Missing, and an index beyond the columns, is empty text.
    #[must_use]
    pub fn text(&self, index: usize) -> String {
        let ty = match self.columns.get(index).map(|column| &column.ty) {
            Some(Type::Plain(ty)) => Some(ty),
            Some(Type::List(ty)) => match &**ty {
                Type::Plain(ty) => Some(ty),
                _ => None,
            },
            _ => None,
        };
        let value = self.values.get(index).unwrap_or(&Value::Missing);
        rounded(value, ty).show_as(ty, self.clock)
    }
}

fn unfit(misfit: &Misfit) -> Error {
    Error::new(Code::BadValue, misfit.0.clone())
}
