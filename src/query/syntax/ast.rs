//! The syntax tree: what a statement says, before any name has a meaning.
//!
//! Every node that an error may point at carries the byte range of its text.

use crate::catalog::{OnDelete, Role};
use crate::error::Span;
use crate::value::{Date, Period, Unit};

/// A word or back-quoted name, as written; compared ignoring case.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub text: String,
    pub span: Span,
}

/// One statement of a script.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Statement {
    Query(Query),
    Explain {
        analyze: bool,
        query: Query,
    },
    /// `sql [for duckdb] query`: the query as SQL.
    Sql {
        dialect: Dialect,
        query: Query,
    },
    Add(Add),
    Update(Update),
    Upsert(Upsert),
    Delete(Delete),
    Merge(Merge),
    Restore(Restore),
    /// `undo`, `undo 17`, `redo`
    Undo(Undo),
    /// `update ... returning name, stage`: `select` over the records that the change is about.
    Returning {
        change: Box<Statement>,
        select: Vec<Item>,
    },
    Import(Import),
    /// `dry run update ...`: what the statement would change.
    DryRun(Box<Statement>),
    Export {
        query: Query,
        file: Text,
    },
    /// `export relational "file" [for duckdb]`: the whole book as a script of SQL.
    ExportRelational {
        file: Text,
        dialect: Dialect,
    },
    CreateObject(CreateObject),
    AlterObject {
        object: Name,
        changes: Vec<Alteration>,
    },
    CreateIndex {
        object: Name,
        fields: Vec<Name>,
        unique: bool,
    },
    CreateView(CreateView),
    Drop {
        kind: DropKind,
        name: Name,
        /** of an index: its fields */
        fields: Vec<Name>,
    },
    /// `prune journal before 2025-01-01`
    Prune {
        before: Expr,
    },
    Begin {
        at: Option<Expr>,
        actor: Option<Expr>,
    },
    Commit,
    /// To a savepoint, or to the beginning, which ends the transaction.
    Rollback(Option<Name>),
    Savepoint(Name),
    /// `set base currency = USD`, `set zone = "America/Phoenix"`, `set fiscal year = 2`.
    Set {
        setting: Setting,
        value: Expr,
    },
}

/// `merge object "label" into "label" keep newest (field = source, ...)`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Merge {
    pub object: Name,
    pub source: Expr,
    pub target: Expr,
    pub keep: Option<Side>,
    pub fields: Vec<(Name, Side)>,
}

/// Whose value a merge keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The one that was given last.
    Newest,
    Source,
    Target,
}

impl Side {
    pub(crate) const ALL: [Self; 3] = [Self::Newest, Self::Source, Self::Target];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Source => "source",
            Self::Target => "target",
        }
    }
}

/// `restore object "label" where ...`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Restore {
    pub object: Name,
    pub key: Option<Expr>,
    pub filter: Option<Expr>,
}

/// What is undone.
#[derive(Clone, Debug)]
pub(crate) enum Undo {
    /// The actor's last transaction that is not undone.
    Last,
    /// The actor's last `undo`.
    Redo,
    /// The transaction of this number.
    Transaction { number: u64, span: Span },
}

/// A string literal with its place.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub text: String,
    pub span: Span,
}

/// A database's own SQL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Dialect {
    #[default]
    Sqlite,
    DuckDb,
}

/// A setting of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    BaseCurrency,
    Zone,
    FiscalYear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DropKind {
    Object,
    View,
    Index,
}

/// `source as of ... let ... where ... group by ... having ... select ... order by ... limit ...
/// offset|after ...`
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub source: Source,
    /// The moment whose records are read; absent: now.
    pub as_of: Option<Expr>,
    pub lets: Vec<Binding>,
    pub filter: Option<Expr>,
    pub group: Option<Group>,
    pub having: Option<Expr>,
    /// Empty without `select`.
    pub select: Vec<Item>,
    pub order: Vec<OrderKey>,
    pub limit: Option<Limit>,
    pub offset: Option<Expr>,
    /// The cursor of the row before: a text or a parameter.
    pub after: Option<Expr>,
    /// `union (query)`, stacked below this one's rows.
    pub unions: Vec<Query>,
    pub span: Span,
}

/// What a query reads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// An object, view or collection path: `accounts`, `subtree.opportunities`.
    /// With a key, the one record so labelled: `accounts "Acme"`, `accounts #42`.
    Named { path: Vec<Name>, key: Option<Expr> },
    /// `find "mesa tools" in accounts, contacts`; without objects all are searched.
    Find { text: Box<Expr>, objects: Vec<Name> },
    /// `changes of opportunities.stage`, `spans of opportunities.stage`.
    History { kind: HistoryKind, path: Vec<Name> },
    /// `history opportunities "Acme renewal"`: all that happened to one record.
    Life { object: Name, key: Box<Expr> },
    /// `compare (query) in last week`.
    Compare {
        query: Box<Query>,
        period: Box<Expr>,
    },
    /// `duplicates of contacts where same(email)`; without a rule the object's usual one.
    Duplicates {
        of: Box<Query>,
        rule: Option<Box<Expr>>,
    },
    /// A view with arguments: `hot(100k)`.
    Call { name: Name, arguments: Vec<Expr> },
    /// A parenthesised query.
    Query(Box<Query>),
}

/// What is asked of the history of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HistoryKind {
    /// Each change of its value.
    Changes,
    /// Each span of time in which it had one value.
    Spans,
}

impl HistoryKind {
    /// What a collection of this name tells of a field: `changes(stage)`.
    pub(crate) fn named(word: &str) -> Option<Self> {
        let kinds = [Self::Changes, Self::Spans];
        kinds
            .into_iter()
            .find(|kind| word.eq_ignore_ascii_case(kind.word()))
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::Spans => "spans",
        }
    }

    /// The columns that an example shows.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Changes => "old, new, at",
            Self::Spans => "value, since, until",
        }
    }
}

/// `name = expression`, in `let` and assignments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Binding {
    pub name: Name,
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    pub keys: Vec<Item>,
    pub totals: bool,
    pub rollup: bool,
    pub empty: bool,
}

/// An item of `select` or `group by`.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// `*`: all fields.
    All(Span),
    /// An expression, perhaps with an alias.
    Value { value: Expr, alias: Option<Name> },
    /// A nested collection: `contacts where ... { name, role order by ... limit 3 } as people`,
    /// `changes(stage) { old, new }`.
    Nested(Box<Nested>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Nested {
    /// The collection is the history of the field that the path leads to.
    pub past: Option<HistoryKind>,
    pub path: Vec<Name>,
    pub filter: Option<Expr>,
    pub select: Vec<Item>,
    pub order: Vec<OrderKey>,
    pub limit: Option<Expr>,
    pub alias: Option<Name>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OrderKey {
    pub value: Expr,
    pub descending: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limit {
    /// A number or a parameter.
    pub count: Expr,
    pub per: Vec<Expr>,
    pub with_ties: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ExprKind {
    Literal(Literal),
    /// `$name`
    Parameter(String),
    /// A bare word or dotted path: a field, a label, `today`, `outer.x`, `this.x`.
    /// What it means is for the binder.
    Path(Vec<Name>),
    /// `count(...)`, `opportunities.amount` stands in `arguments`.
    Call(Call),
    /// `a and b`, `a + b`, `a >= b`
    Binary {
        op: BinaryOp,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Not(Box<Expr>),
    Negate(Box<Expr>),
    /// `a in b`; `b` is a list, a query, a period or a path.
    In {
        value: Box<Expr>,
        list: Box<Expr>,
        negated: bool,
    },
    /// `a between b and c`, both included.
    Between {
        value: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        negated: bool,
    },
    /// `a is empty`, `a is opportunity`
    Is {
        value: Box<Expr>,
        what: Name,
        negated: bool,
    },
    /// `(a, b, c)`, after `in`.
    List(Vec<Expr>),
    /// `(accounts where ...)`
    Query(Box<Query>),
}

/// A function call, or an aggregate: `sum(opportunities.amount where open)`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub name: Name,
    pub arguments: Vec<Expr>,
    /// `count(distinct x)`
    pub distinct: bool,
    /// `sum(x where c)`
    pub filter: Option<Box<Expr>>,
    /// `first(x by e)`, `first(x order by e desc)`
    pub order: Vec<OrderKey>,
    /// `changes(f).at`; of other functions empty.
    pub member: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Empty,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    /// A broken number of so many digits that only money holds it: `123456789012.34`.
    Decimal(String),
    /// `40%` is 0.4
    Percent(f64),
    Text(String),
    Date(Date),
    /// As written; the zone comes when bound: `2026-05-15T09:00`, `...:30`, `...Z`.
    DateTime(String),
    /// `2026`, `2026-Q3`, `2026-07`. A plain `2026` is an integer until bound beside a time.
    Period(Period),
    /// `FY2027-Q1`, `FY2027-P03`; a plain `FY2027` is a name until bound. Which days these are the
    /// book knows.
    Fiscal(String),
    /// `this|last|next [fiscal] unit`: offset 0, -1, 1.
    RelativePeriod {
        offset: i64,
        unit: Unit,
    },
    /// `last 6 months`, `next 3 weeks`
    Span {
        count: i64,
        unit: Unit,
        forward: bool,
    },
    /// `7 days`
    Duration {
        count: i64,
        unit: Unit,
    },
    /// `4 business hours`
    Business {
        count: i64,
        unit: BusinessUnit,
    },
    /// `next 4 business hours`, `last 3 business days`
    BusinessSpan {
        count: i64,
        unit: BusinessUnit,
        forward: bool,
    },
    /// `#42`
    Record(u64),
}

/// A unit of the book's working hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BusinessUnit {
    Minute,
    Hour,
    Day,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BinaryOp {
    And,
    Or,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// `~`: contains, folded
    Contains,
    /// `!~`
    ContainsNot,
    Like,
    NotLike,
    Under,
    NotUnder,
    Above,
    NotAbove,
    /// tags `has` label
    Has,
    NotHas,
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// `add accounts (name = "Acme", ...), (...)`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Add {
    pub object: Name,
    pub records: Vec<Vec<Binding>>,
}

/// `update accounts where ... set ...`; without `where` the binder refuses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Update {
    pub object: Name,
    pub key: Option<Expr>,
    pub filter: Option<Expr>,
    pub set: Vec<Binding>,
    /// `if unchanged since 41`: the number of a transaction.
    pub unchanged: Option<Expr>,
}

/// `upsert contacts on email (...), (...)` or `upsert activities on rule from (query) (...)`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Upsert {
    pub object: Name,
    pub on: Vec<Name>,
    pub from: Option<Query>,
    pub records: Vec<Vec<Binding>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Delete {
    pub object: Name,
    pub key: Option<Expr>,
    pub filter: Option<Expr>,
}

/// `import contacts from "contacts.csv" [on name] [creating accounts] [(name = contact, ...)]`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Import {
    pub object: Name,
    pub file: Text,
    pub on: Vec<Name>,
    /// Objects whose records are added where a reference names nobody.
    pub creating: Vec<Name>,
    /// Empty: columns go to the fields of the same name.
    pub fields: Vec<Binding>,
}

/// `create object visits (...) [ordered by f] [actors] [singular visit] [show f, g]`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CreateObject {
    pub name: Name,
    /// `singular visit`, where the plural does not tell.
    pub singular: Option<Name>,
    pub fields: Vec<FieldDefinition>,
    /// `check (condition)` among the fields.
    pub checks: Vec<Expr>,
    pub ordered_by: Option<Name>,
    pub role: Option<Role>,
    /// `show name, stage`: the declared list of columns shown without `select`.
    pub show: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldDefinition {
    pub name: Name,
    pub ty: TypeName,
    pub options: Vec<FieldOption>,
}

/// A field's type as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TypeName {
    /// `text`, `integer`, `money`, ...
    Plain(Name),
    /// `picklist (bronze, silver)`, `tags (a, b)`, `tags`: a word or string each.
    Labels { name: Name, labels: Vec<Name> },
    /// `ref accounts`
    Reference(Name),
    /// `ref any (accounts, contacts)`
    AnyReference(Vec<Name>),
    /// `filter on accounts`
    Filter(Name),
    /// `expression on leads`
    Expression(Name),
    /// `formula (stage.outcome = won)`
    Formula(Expr),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FieldOption {
    Required,
    Unique,
    Label,
    Default(Expr),
    Hierarchy,
    /// `collection children`: the name of the records that refer here.
    Collection(Name),
    /// `dated by close_date`: which day's exchange rate counts.
    DatedBy(Name),
    /// `on delete cascade`
    OnDelete(OnDelete),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Alteration {
    AddField(FieldDefinition),
    /// `alter field account on delete cascade`
    AlterField {
        field: Name,
        change: FieldChange,
    },
    DropField(Name),
    RenameField {
        from: Name,
        to: Name,
    },
    /// `rename to visits`
    Rename(Name),
    AddCheck(Expr),
    DropCheck(Expr),
    /// `add label stage gold` to a picklist
    AddLabel {
        field: Name,
        label: Name,
    },
    /// `rename label stage gold to platinum`
    RenameLabel {
        field: Name,
        from: Name,
        to: Name,
    },
    /// `drop label stage gold`
    DropLabel {
        field: Name,
        label: Name,
    },
    SetShow(Vec<Name>),
}

/// What becomes of a field that stays.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FieldChange {
    OnDelete(OnDelete),
    /// `default today + 7 days`, or none: `drop default`
    Default(Option<Box<Expr>>),
    /// `order (bronze, silver, gold)`: all labels, the lowest first.
    Order(Vec<Name>),
    /// `type number default 0`
    Type {
        ty: TypeName,
        default: Option<Box<Expr>>,
    },
}

/// `create view hot($min money, $region text) as opportunities where ...`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CreateView {
    pub name: Name,
    pub parameters: Vec<ViewParameter>,
    pub query: Query,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ViewParameter {
    pub name: String,
    pub ty: TypeName,
    pub default: Option<Expr>,
}

// Equality of trees ignores where they stood, so that print-then-parse can be compared.

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text.eq_ignore_ascii_case(&other.text)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl PartialEq for Undo {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Last, Self::Last) | (Self::Redo, Self::Redo) => true,
            (Self::Transaction { number, .. }, Self::Transaction { number: n, .. }) => number == n,
            _ => false,
        }
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All(_), Self::All(_)) => true,
            (Self::Value { value, alias }, Self::Value { value: v, alias: a }) => {
                value == v && alias == a
            }
            (Self::Nested(nested), Self::Nested(n)) => nested == n,
            _ => false,
        }
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
            && self.as_of == other.as_of
            && self.lets == other.lets
            && self.filter == other.filter
            && self.group == other.group
            && self.having == other.having
            && self.select == other.select
            && self.order == other.order
            && self.limit == other.limit
            && self.offset == other.offset
            && self.after == other.after
            && self.unions == other.unions
    }
}
