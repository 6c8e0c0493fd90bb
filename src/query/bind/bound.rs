//! The bound tree: what a query means once names are ids and every expression has a type.
//!
//! Binding needs the catalog alone. What depends on data, clock or parameters (labels, `today`,
//! sub-queries, hierarchies) stays a node here and is folded into constants and sets by `plan`
//! when the query runs, so that a prepared query stays good while records change.

use super::Duplicates;
use crate::column::{Bitset, Comparison};
use crate::error::Span;
use crate::query::syntax::HistoryKind;
use crate::value::{Currency, FieldId, FieldType, LabelCode, ObjectId, Period, Shape, Unit, Value};
use std::sync::Arc;

/// The type of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Fits every type: the word `empty`, or a parameter without a value.
    Missing,
    /// A field's type that needs no more than itself.
    Plain(FieldType),
    /// A label of this picklist.
    Label(ObjectId, FieldId),
    /// Labels of this tags field.
    Tags(ObjectId, FieldId),
    /// A period that is named as a part of the fiscal year.
    Fiscal,
    /// Values of a type, as `list(x)` gives; only in results.
    List(Box<Type>),
    /// Records of a nested collection; only in results.
    Nested,
}

/// An expression with its type.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub node: Node,
    pub ty: Type,
    /// The user's words, for errors that come up while running.
    pub span: Span,
}

/// Equal expressions mean the same, wherever they are written.
impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.ty == other.ty && self.node == other.node
    }
}

/// What an expression does. The frame is what its columns belong to: an object's records, or the
/// slots of a group or a sub-query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Constant(Value),
    /// The record's own id, as a reference.
    Id,
    /// A field of the frame's object.
    Column(FieldId),
    /// A column of a frame without object: group keys then aggregates; a sub-query's columns;
    /// an import's cells.
    Slot(usize),
    /// `inner`, whose frame is the object that `reference` points to, at that record; missing
    /// where there is none. For a reference to any of several: only where it is `object`.
    Follow {
        reference: Box<Expr>,
        object: ObjectId,
        inner: Arc<Expr>,
    },
    /// An aggregate over the records of a collection, for each record of the frame.
    Collect(Arc<Collect>),
    /// A function over all rows of the result, in columns and order keys of a query alone.
    Window(Arc<Window>),
    /// `body`, run once for every different set of the values `given`, both of this frame.
    Correlated {
        given: Vec<Expr>,
        body: Arc<Expr>,
    },
    /// The value at this place of those given to the body that it stands in.
    Given(usize),
    /// An argument of a view that stands within an `as of` of that view's text: what it means is
    /// settled where the view is asked for, within `views` other views.
    Argument {
        value: Box<Expr>,
        views: usize,
    },

    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    /// Two operands of one shape; false where either is missing. Money is in base by then.
    Compare {
        comparison: Comparison,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    IsMissing(Box<Expr>),
    /// Equal to any of the constants of the same type.
    InList {
        value: Box<Expr>,
        list: Vec<Expr>,
    },
    /// A day or moment within a period: missing is outside.
    InPeriod {
        value: Box<Expr>,
        period: Box<Expr>,
    },
    /// A reference to a record that is, or lies below (or above), `root` in its hierarchy.
    Under {
        value: Box<Expr>,
        root: Box<Expr>,
        object: ObjectId,
        above: bool,
    },
    /// A value among the values of a sub-query of one column.
    InQuery {
        value: Box<Expr>,
        query: Box<Query>,
    },
    /// A reference to any of several that points to this object.
    IsObject {
        value: Box<Expr>,
        object: ObjectId,
    },
    /// Tags that hold the label.
    Has {
        value: Box<Expr>,
        label: LabelCode,
    },
    /// Text that contains the pattern; both folded when compared.
    Contains {
        value: Box<Expr>,
        pattern: Box<Expr>,
    },
    /// Text that fits the pattern of `*` and `?`; both folded when compared.
    Like {
        value: Box<Expr>,
        pattern: Box<Expr>,
    },

    Arithmetic {
        operator: Arithmetic,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Negate(Box<Expr>),
    /// A date or moment moved by calendar units (months clamp) and seconds (moments only), each
    /// so many times.
    Shift {
        value: Box<Expr>,
        months: i64,
        days: i64,
        seconds: i64,
        times: Option<Box<Expr>>,
    },
    /// A date or moment moved by working days or by seconds of working time (moments only), so
    /// many times.
    Work {
        value: Box<Expr>,
        days: i64,
        seconds: i64,
        times: Option<Box<Expr>>,
    },
    /// The period of the unit that holds the day or moment.
    Bucket {
        unit: Unit,
        value: Box<Expr>,
    },
    /// Money in the base currency at the rate of the day `on`; without one, or where it is
    /// missing, of today.
    ToBase {
        value: Box<Expr>,
        on: Option<Box<Expr>>,
    },
    /// Money in another currency, at the rates of the day `on`.
    Convert {
        value: Box<Expr>,
        to: Currency,
        on: Option<Box<Expr>>,
    },
    /// The same quantity as another type: integer to number, date to moment (its first), moment
    /// to date, number to money in base, money to number, percent to number and back.
    Cast(Box<Expr>),
    /// The place of a label among the declared ones; labels by rank.
    Rank(Box<Expr>),
    Function {
        function: Function,
        arguments: Vec<Expr>,
    },
    /// The filter (or expression) whose text `rule` is, at a record of `object`: whether it holds
    /// there, its number there. Without a text, or a record, it does not hold, and is missing.
    Stored {
        rule: Box<Expr>,
        object: ObjectId,
        /// The record as a reference; `Id` is the one at hand.
        record: Box<Expr>,
        /// How many rules brought this one in.
        depth: u8,
    },

    // Folded by `plan`; the executor never meets these.
    Parameter(String),
    Today,
    Now,
    Me,
    /// `this quarter`: offset 0.
    RelativePeriod {
        offset: i64,
        unit: Unit,
    },
    /// `last 6 months`
    SpanPeriod {
        count: Box<Expr>,
        unit: Unit,
        forward: bool,
    },
    /// The record of `object` with this label, of type text.
    Lookup {
        object: ObjectId,
        label: Box<Expr>,
    },
    /// The one value of a sub-query of one row and column, or the record of one row.
    Subquery(Box<Query>),
    /// The second column of the row of a sub-query whose first column, a record, is `key`.
    Keyed {
        key: Box<Expr>,
        query: Arc<Query>,
    },

    // Made by `plan`; the binder never makes these.
    /// A reference whose id is in the set.
    InRecords {
        value: Box<Expr>,
        set: Arc<Bitset>,
    },
    /// An integer-shaped value among these, sorted.
    InIntegers {
        value: Box<Expr>,
        set: Arc<[i64]>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// A function of values of one record. Types are settled by the binder: arguments are cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Function {
    /// condition, then, else
    If,
    Coalesce,
    Least,
    Greatest,
    Abs,
    /// number, digits (constant; absent: 0)
    Round,
    Floor,
    Ceil,
    Lower,
    Upper,
    Length,
    Concat,
    /// 1 (Monday) to 7
    Weekday,
    /// 1 to 12
    MonthOfYear,
    /// Whole days between two dates: second less first.
    Days,
    /// Working time between two moments.
    BusinessHours,
    /// Whole days of a duration, or of a period.
    DaysOf,
    /// The currency of an amount, as text.
    Currency,
    /// The number of the transaction that last changed a record, which is the one argument.
    Revision,
    /// How alike two texts are, from 0 to 1.
    Similar,
    PeriodStart,
    PeriodEnd,
    /// A count of units, which is refused below 1.
    Counted,
}

/// An aggregate over the records that refer, directly or through others, to a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Collect {
    /// The collection's object: the frame of everything below.
    pub object: ObjectId,
    /// From a record of the collection to the record it is counted for; through a subtree: to
    /// the node it hangs on.
    pub owner: Expr,
    pub subtree: Option<Subtree>,
    pub filter: Option<Expr>,
    pub aggregate: Aggregate,
}

/// A record that hangs on a node of a hierarchy belongs to what the node and each one above it
/// belong to, once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Subtree {
    /// The hierarchy.
    pub object: ObjectId,
    /// From a node to the record it belongs to.
    pub owner: Arc<Expr>,
}

/// An aggregate over records of a frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Aggregate {
    pub function: AggregateFunction,
    /// Absent for `count()` and `exists`.
    pub argument: Option<Expr>,
    /// The other number of each pair, for `corr` and `slope`.
    pub second: Option<Expr>,
    pub filter: Option<Expr>,
    pub distinct: bool,
    /// For `first`, `last`, `list`: the order in which records come.
    pub order: Vec<OrderKey>,
    pub ty: Type,
    /// In a group, the collection whose records it is over instead of the group's own: they are
    /// the frame of everything above.
    pub over: Option<Over>,
}

/// The records of a collection that any record of a group has, each once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Over {
    /// From a record of the group to the one of `base` that has the collection.
    pub from: Expr,
    pub base: ObjectId,
    pub object: ObjectId,
    /// As in [`Collect`].
    pub owner: Expr,
    pub subtree: Option<Subtree>,
    pub filter: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum AggregateFunction {
    /// Records, or values that are not missing; of truth values the true ones.
    Count,
    /// Whether there is any record.
    Exists,
    Sum,
    Average,
    Minimum,
    Maximum,
    /// 0.5 is the median; linear between neighbours.
    Percentile(f64),
    Deviation,
    /// Of two numbers, by Pearson.
    Correlation,
    /// Of the line through the pairs with the least squares: the second by the first.
    Slope,
    /// True ones among those not missing.
    Share,
    First,
    Last,
    List,
}

/// A bound query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub source: Source,
    /// A day, period or moment of the past, without a frame: its last moment is the one that all
    /// of the query is read at, unions aside.
    pub as_of: Option<Expr>,
    /// How many views the text of the query stands within, for one with `as_of`.
    pub views: usize,
    /// Over the source's frame.
    pub filter: Option<Expr>,
    /// Absent: every passing record is a row.
    pub group: Option<Group>,
    /// Over the frame of rows: groups if grouped, else the source's.
    pub having: Option<Expr>,
    pub columns: Vec<Column>,
    /// Over the frame of rows.
    pub order: Vec<OrderKey>,
    pub limit: Option<Limit>,
    pub offset: Option<Expr>,
    /// What a cursor needs; absent where rows have no lasting place in an order.
    pub page: Option<Page>,
    pub unions: Vec<Query>,
}

/// A result that is read page by page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Page {
    /// The cursor, a text, of the row before the first; missing: from the start.
    pub after: Option<Expr>,
    /// Of the statement's words, so that another query's cursor is told.
    pub fingerprint: u64,
    /// Parameters that decide about the rows.
    pub parameters: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    Object(ObjectId),
    /// The rows of a query; its columns are the frame's slots.
    Query(Box<Query>),
    /// What is found in the text of records; the frame's slots are [`Find::columns`].
    Find(Box<Find>),
    /// What happened to a field; the frame's slots are [`History::columns`].
    History(Box<History>),
    /// All that happened to one record; the frame's slots are [`Life::columns`].
    Life(Box<Life>),
    /// The rows of two queries side by side.
    Paired(Box<Paired>),
    /// Records that are held for one; the frame's slots are [`Duplicates::columns`].
    Duplicates(Box<Duplicates>),
}

/// The rows of two queries of the same columns, those with equal keys as one. The frame's slots
/// are the keys, the other columns of the first, those of the second, and whether each has a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Paired {
    pub before: Query,
    pub after: Query,
    /// How many of the first columns are keys.
    pub keys: usize,
}

/// The history of one record and of those merged into it, a row for each field that changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Life {
    pub object: ObjectId,
    /// A reference to the record.
    pub record: Expr,
    /// The object whose records act.
    pub actors: Option<ObjectId>,
}

/// The history of one field of all records of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct History {
    pub kind: HistoryKind,
    pub object: ObjectId,
    pub field: FieldId,
    /// The field's type.
    pub ty: Type,
    /// The object whose records act.
    pub actors: Option<ObjectId>,
    pub span: Span,
}

/// A search for words in the text of records.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Find {
    /// The words, of type text.
    pub text: Expr,
    /// What is searched, ascending.
    pub objects: Vec<ObjectId>,
}

/// Grouping: the rows' frame has the keys' slots, then the aggregates'.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    /// None: one row over everything.
    pub keys: Vec<Expr>,
    pub aggregates: Vec<Aggregate>,
    pub totals: bool,
    pub rollup: bool,
    /// Whether the subtotals of a rollup are rows too, not just what orders them, and a node of a
    /// hierarchy has what lies below it.
    pub subtotals: bool,
    pub empty: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub name: String,
    pub value: ColumnValue,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ColumnValue {
    Expr(Expr),
    Nested(Box<Nested>),
}

/// Over all rows of the result, before `limit`; within each group of `limit ... per`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Window {
    pub function: WindowFunction,
    /// Absent for `rank()`.
    pub argument: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WindowFunction {
    Total,
    Rank,
    Running,
    Previous,
    Growth,
    /// 1 to 4, by the quartiles of the rows' values.
    Quartile,
}

impl Query {
    /// The query as rows for another one, among which totals would be records like any other.
    pub(crate) fn without_totals(&mut self) {
        if let Some(group) = &mut self.group {
            (group.totals, group.subtotals) = (false, false);
        }
        self.unions.iter_mut().for_each(Self::without_totals);
    }
}

impl AggregateFunction {
    /// Whether it takes two numbers of each record.
    pub(crate) fn is_of_pairs(self) -> bool {
        matches!(self, Self::Correlation | Self::Slope)
    }
}

impl WindowFunction {
    /// Whether its values depend on the order of the rows.
    pub(crate) fn is_ordered(self) -> bool {
        !matches!(self, Self::Total | Self::Quartile)
    }
}

/// Rows of a collection inside a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Nested {
    /// From the row's record to the one that has the collection, and its object; absent: itself.
    pub from: Option<(Expr, ObjectId)>,
    /// Records of an object, or what the journal tells of a field.
    pub source: Source,
    /// From a row of the collection to the record that has it; through a subtree: to the node it
    /// hangs on.
    pub owner: Expr,
    pub subtree: Option<Subtree>,
    pub filter: Option<Expr>,
    pub columns: Vec<Column>,
    pub order: Vec<OrderKey>,
    pub limit: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OrderKey {
    /// Already in the form that sorts: ranks for labels, positions for ordered references.
    pub value: Expr,
    pub descending: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limit {
    pub count: Expr,
    pub per: Vec<Expr>,
    pub with_ties: bool,
}

impl Query {
    /// A query without clauses or columns.
    pub(crate) fn of(source: Source) -> Self {
        Self {
            source,
            as_of: None,
            views: 0,
            filter: None,
            group: None,
            having: None,
            columns: Vec::new(),
            order: Vec::new(),
            limit: None,
            offset: None,
            page: None,
            unions: Vec::new(),
        }
    }
}

impl Life {
    /// What is known of each change, slot by slot.
    pub(crate) fn columns(&self) -> [(&'static str, Type); 8] {
        [
            ("at", Type::DATETIME),
            ("actor", actor_type(self.actors)),
            ("change", Type::TEXT),
            ("field", Type::TEXT),
            ("old", Type::TEXT),
            ("new", Type::TEXT),
            ("merged", Type::TEXT),
            (TRANSACTION, Type::INTEGER),
        ]
    }
}

/// The last slot of a history, which is shown only where it is asked for.
pub(crate) const TRANSACTION: &str = "transaction";

/// A reference to the one who acted.
fn actor_type(actors: Option<ObjectId>) -> Type {
    match actors {
        Some(actors) => Type::Plain(FieldType::Reference(actors)),
        None => Type::INTEGER,
    }
}

impl History {
    /// The slot of the record.
    pub(crate) const RECORD: usize = 0;
    /// The slot of the moment of a change.
    pub(crate) const AT: usize = 3;
    /// The slot of the moment at which a span begins.
    pub(crate) const SINCE: usize = 2;

    /// What is known of each change or span, slot by slot.
    pub(crate) fn columns(&self) -> Vec<(&'static str, Type)> {
        let value = || self.ty.clone();
        let actor = actor_type(self.actors);
        let record = Type::Plain(FieldType::Reference(self.object));
        match self.kind {
            HistoryKind::Changes => vec![
                ("record", record),
                ("old", value()),
                ("new", value()),
                ("at", Type::DATETIME),
                ("actor", actor),
                (TRANSACTION, Type::INTEGER),
            ],
            HistoryKind::Spans => vec![
                ("record", record),
                ("value", value()),
                ("since", Type::DATETIME),
                ("until", Type::DATETIME),
                ("days", Type::INTEGER),
                ("actor", actor),
                (TRANSACTION, Type::INTEGER),
            ],
        }
    }
}

impl Find {
    /// The slot of the record found.
    pub(crate) const RECORD: usize = 1;
    /// The slot of the name of the field that fits best.
    pub(crate) const FIELD: usize = 2;
    /// The slot of the text in which it was found.
    pub(crate) const SNIPPET: usize = 3;
    /// The slot of how well it fits.
    pub(crate) const SCORE: usize = 4;

    /// What is known of a record found, slot by slot.
    pub(crate) fn columns(&self) -> [(&'static str, Type); 5] {
        [
            ("object", Type::TEXT),
            ("record", self.record()),
            ("field", Type::TEXT),
            ("snippet", Type::TEXT),
            ("score", Type::NUMBER),
        ]
    }

    /// A reference to the one object searched, or to any of several.
    pub(crate) fn record(&self) -> Type {
        Type::Plain(match self.objects.as_slice() {
            [object] => FieldType::Reference(*object),
            objects => FieldType::AnyReference(objects.to_vec()),
        })
    }
}

impl Type {
    pub(crate) const BOOLEAN: Self = Self::Plain(FieldType::Boolean);
    pub(crate) const INTEGER: Self = Self::Plain(FieldType::Integer);
    pub(crate) const NUMBER: Self = Self::Plain(FieldType::Number);
    pub(crate) const TEXT: Self = Self::Plain(FieldType::Text);
    pub(crate) const MONEY: Self = Self::Plain(FieldType::Money);
    pub(crate) const DATE: Self = Self::Plain(FieldType::Date);
    pub(crate) const DATETIME: Self = Self::Plain(FieldType::DateTime);
    pub(crate) const PERIOD: Self = Self::Plain(FieldType::Period);
    pub(crate) const DURATION: Self = Self::Plain(FieldType::Duration);

    /// The field type that decides a value's form; lists and nested records have none.
    pub(crate) fn field_type(&self) -> FieldType {
        match self {
            Self::Plain(ty) => ty.clone(),
            Self::Label(..) => FieldType::Picklist,
            Self::Tags(..) => FieldType::Tags,
            Self::Fiscal => FieldType::Period,
            Self::Missing | Self::List(_) | Self::Nested => FieldType::Text,
        }
    }

    /// The periods of a unit.
    pub(crate) fn period_of(unit: Unit) -> Self {
        match unit.is_fiscal() {
            true => Self::Fiscal,
            false => Self::PERIOD,
        }
    }

    pub(crate) fn is_period(&self) -> bool {
        matches!(self, Self::Fiscal | &Self::PERIOD)
    }

    /// A date, moment or period.
    pub(crate) fn is_time(&self) -> bool {
        self.is_period() || matches!(self, &Self::DATE | &Self::DATETIME)
    }

    /// A value of this type with all that its name depends on.
    pub(crate) fn named(&self, value: Value) -> Value {
        match (self, value) {
            (Self::Fiscal, Value::Period(period)) => Value::Period(period.in_fiscal_year()),
            (_, value) => value,
        }
    }

    /// The shape of a vector of this type.
    pub(crate) fn shape(&self) -> Shape {
        self.field_type().shape()
    }
}

impl Expr {
    pub(crate) fn new(node: Node, ty: Type, span: &Span) -> Self {
        Self {
            node,
            ty,
            span: span.clone(),
        }
    }

    /// The record at hand.
    pub(crate) fn this(object: ObjectId, span: &Span) -> Self {
        Self::new(Node::Id, Type::Plain(FieldType::Reference(object)), span)
    }

    /// The value of type `ty` that `query` gives for the record `key`.
    pub(crate) fn keyed(key: Self, query: Query, ty: Type, span: &Span) -> Self {
        let (key, query) = (Box::new(key), Arc::new(query));
        Self::new(Node::Keyed { key, query }, ty, span)
    }

    pub(crate) fn constant(value: Value, ty: Type, span: &Span) -> Self {
        Self::new(Node::Constant(value), ty, span)
    }

    /// A constant period.
    pub(crate) fn period(period: Period, span: &Span) -> Self {
        Self::constant(Value::Period(period), Type::PERIOD, span)
    }

    pub(crate) fn as_constant(&self) -> Option<&Value> {
        match &self.node {
            Node::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// Of `coalesce(x, false)` the x: where truth alone counts it says the same.
    pub(crate) fn else_false(&self) -> Option<&Self> {
        match &self.node {
            Node::Function {
                function: Function::Coalesce,
                arguments,
            } => match arguments.as_slice() {
                [value, last] if last.as_constant() == Some(&Value::Boolean(false)) => Some(value),
                _ => None,
            },
            _ => None,
        }
    }
}
