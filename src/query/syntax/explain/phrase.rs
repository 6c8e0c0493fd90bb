//! What each rule of the grammar is called when it was expected. Every rule has a line, so that a
//! new rule cannot show its name to a person.

use super::Rule;

/// How an expected rule is told; the order is the order of telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phrase {
    Value,
    Name,
    Operator,
    Words(&'static str),
    /// A keyword of the grammar, which the parser skips.
    Keyword(&'static str),
    /// A part that begins with this keyword.
    Part(&'static str),
    Clause(&'static str),
    End,
    Nothing,
}

impl Phrase {
    /// As told to a person: to him a part is its keyword, and a clause or an operator is one
    /// whichever rule noticed that it was missing.
    pub(super) fn told(self) -> Self {
        match self {
            Self::Keyword("is" | "in" | "between") => Self::Operator,
            Self::Keyword("ref" | "filter" | "expression" | "formula") => {
                Self::Words("a field type")
            }
            Self::Keyword(
                word @ ("as of" | "let" | "where" | "group by" | "having" | "select" | "order by"
                | "limit" | "offset" | "after" | "union"),
            ) => Self::Clause(word),
            Self::Keyword(word) => Self::Part(word),
            other => other,
        }
    }
}

pub(super) fn phrase(rule: Rule) -> Phrase {
    match rule {
        Rule::expression
        | Rule::sum
        | Rule::parenthesis
        | Rule::string
        | Rule::moment
        | Rule::fiscal
        | Rule::relative
        | Rule::which
        | Rule::duration
        | Rule::number
        | Rule::constant
        | Rule::record_id
        | Rule::parameter
        | Rule::call
        | Rule::history
        | Rule::compare
        | Rule::duplicates
        | Rule::life
        | Rule::function
        | Rule::special
        | Rule::minus
        | Rule::path
        | Rule::order_key
        | Rule::group_key => Phrase::Value,
        Rule::name | Rule::names => Phrase::Name,
        Rule::and
        | Rule::or
        | Rule::comparison
        | Rule::comparator
        | Rule::compat_equal
        | Rule::compat_unequal
        | Rule::is
        | Rule::membership
        | Rule::between
        | Rule::matching
        | Rule::word_operator
        | Rule::arithmetic
        | Rule::negated => Phrase::Operator,
        Rule::key => Phrase::Words("a label in quotes or an id"),
        Rule::item => Phrase::Value,
        Rule::braces => Phrase::Part("{"),
        Rule::unit | Rule::business_unit => Phrase::Words("a unit such as `days`"),
        Rule::count => Phrase::Words("a number"),
        Rule::bindings | Rule::view_parameters => Phrase::Part("("),
        Rule::binding | Rule::field => Phrase::Name,
        Rule::label => Phrase::Words("a label"),
        Rule::plain
        | Rule::type_word
        | Rule::labels
        | Rule::label_type
        | Rule::formula
        | Rule::any_reference
        | Rule::reference
        | Rule::filter_on
        | Rule::expression_on => Phrase::Words("a field type"),
        Rule::setting => Phrase::Words("`base currency`, `zone` or `fiscal year`"),
        Rule::query => Phrase::Words("a query"),
        Rule::group_extra => Phrase::Words("`totals`, `rollup` or `empty`"),
        Rule::direction => Phrase::Words("`asc` or `desc`"),
        Rule::all => Phrase::Words("`*`"),
        Rule::flag => Phrase::Words("an option of the field"),
        Rule::view_parameter => Phrase::Words("a parameter"),
        Rule::let_clause => Phrase::Clause("let"),
        Rule::where_clause => Phrase::Clause("where"),
        Rule::group_clause => Phrase::Clause("group by"),
        Rule::having_clause => Phrase::Clause("having"),
        Rule::select_clause => Phrase::Clause("select"),
        Rule::order_clause => Phrase::Clause("order by"),
        Rule::limit_clause => Phrase::Clause("limit"),
        Rule::as_of_clause => Phrase::Clause("as of"),
        Rule::offset_clause => Phrase::Clause("offset"),
        Rule::after_clause => Phrase::Clause("after"),
        Rule::union_clause => Phrase::Clause("union"),
        Rule::alias | Rule::begin_as => Phrase::Part("as"),
        Rule::by_clause => Phrase::Part("by"),
        Rule::group_with | Rule::ties => Phrase::Part("with"),
        Rule::per => Phrase::Part("per"),
        Rule::set_clause | Rule::set => Phrase::Part("set"),
        Rule::on => Phrase::Part("on"),
        Rule::from_query | Rule::from_file => Phrase::Part("from"),
        Rule::creating => Phrase::Part("creating"),
        Rule::to_file => Phrase::Part("to"),
        Rule::check => Phrase::Part("check"),
        Rule::default => Phrase::Part("default"),
        Rule::collection => Phrase::Part("collection"),
        Rule::dated => Phrase::Part("dated"),
        Rule::on_delete => Phrase::Part("on delete"),
        Rule::delete_rule => Phrase::Words("`refuse`, `empty` or `cascade`"),
        Rule::alter_field => Phrase::Part("alter"),
        Rule::label_order => Phrase::Part("order"),
        Rule::retype => Phrase::Part("type"),
        Rule::ordered => Phrase::Part("ordered"),
        Rule::role => Phrase::Words("`actors`, `rates`, `working_hours`, `holidays`"),
        Rule::singular => Phrase::Part("singular"),
        Rule::show => Phrase::Part("show"),
        Rule::unique => Phrase::Part("unique"),
        Rule::begin_at => Phrase::Part("at"),
        Rule::analyze => Phrase::Part("analyze"),
        Rule::explain => Phrase::Part("explain"),
        Rule::add | Rule::add_field | Rule::add_check | Rule::add_label => Phrase::Part("add"),
        Rule::update => Phrase::Part("update"),
        Rule::upsert => Phrase::Part("upsert"),
        Rule::delete => Phrase::Part("delete"),
        Rule::merge => Phrase::Part("merge"),
        Rule::keep => Phrase::Part("keep"),
        Rule::side => Phrase::Words("`newest`, `source` or `target`"),
        Rule::merge_fields => Phrase::Words("`(field = source, ...)`"),
        Rule::merge_field => Phrase::Words("a field"),
        Rule::restore => Phrase::Part("restore"),
        Rule::undo => Phrase::Part("undo"),
        Rule::redo => Phrase::Part("redo"),
        Rule::unchanged => Phrase::Part("if unchanged since"),
        Rule::returning => Phrase::Part("returning"),
        Rule::dry_run => Phrase::Part("dry run"),
        Rule::import => Phrase::Part("import"),
        Rule::export | Rule::export_relational => Phrase::Part("export"),
        Rule::sql => Phrase::Part("sql"),
        Rule::for_dialect => Phrase::Part("for"),
        Rule::dialect => Phrase::Words("`sqlite` or `duckdb`"),
        Rule::create_object => Phrase::Part("create object"),
        Rule::alter_object => Phrase::Part("alter object"),
        Rule::create_index => Phrase::Part("create index"),
        Rule::create_view => Phrase::Part("create view"),
        Rule::drop
        | Rule::drop_check
        | Rule::drop_default
        | Rule::drop_field
        | Rule::drop_label => Phrase::Part("drop"),
        Rule::prune => Phrase::Part("prune journal"),
        Rule::begin => Phrase::Part("begin"),
        Rule::commit => Phrase::Part("commit"),
        Rule::rollback => Phrase::Part("rollback"),
        Rule::savepoint => Phrase::Part("savepoint"),
        Rule::drop_object => Phrase::Part("object"),
        Rule::drop_view => Phrase::Part("view"),
        Rule::drop_index => Phrase::Part("index"),
        Rule::rename_field | Rule::rename_label | Rule::rename => Phrase::Part("rename"),
        Rule::k_add => Phrase::Keyword("add"),
        Rule::k_alter => Phrase::Keyword("alter"),
        Rule::k_after => Phrase::Keyword("after"),
        Rule::k_any => Phrase::Keyword("any"),
        Rule::k_as => Phrase::Keyword("as"),
        Rule::k_at => Phrase::Keyword("at"),
        Rule::k_before => Phrase::Keyword("before"),
        Rule::k_begin => Phrase::Keyword("begin"),
        Rule::k_between => Phrase::Keyword("between"),
        Rule::k_by => Phrase::Keyword("by"),
        Rule::k_check => Phrase::Keyword("check"),
        Rule::k_collection => Phrase::Keyword("collection"),
        Rule::k_commit => Phrase::Keyword("commit"),
        Rule::k_create => Phrase::Keyword("create"),
        Rule::k_creating => Phrase::Keyword("creating"),
        Rule::k_dated => Phrase::Keyword("dated"),
        Rule::k_default => Phrase::Keyword("default"),
        Rule::k_delete => Phrase::Keyword("delete"),
        Rule::k_drop => Phrase::Keyword("drop"),
        Rule::k_dry => Phrase::Keyword("dry"),
        Rule::k_explain => Phrase::Keyword("explain"),
        Rule::k_export => Phrase::Keyword("export"),
        Rule::k_expression => Phrase::Keyword("expression"),
        Rule::k_field => Phrase::Keyword("field"),
        Rule::k_filter => Phrase::Keyword("filter"),
        Rule::k_for => Phrase::Keyword("for"),
        Rule::k_formula => Phrase::Keyword("formula"),
        Rule::k_from => Phrase::Keyword("from"),
        Rule::k_group_by => Phrase::Keyword("group by"),
        Rule::k_having => Phrase::Keyword("having"),
        Rule::k_import => Phrase::Keyword("import"),
        Rule::k_if => Phrase::Keyword("if"),
        Rule::k_in => Phrase::Keyword("in"),
        Rule::k_index => Phrase::Keyword("index"),
        Rule::k_is => Phrase::Keyword("is"),
        Rule::k_into => Phrase::Keyword("into"),
        Rule::k_keep => Phrase::Keyword("keep"),
        Rule::k_journal => Phrase::Keyword("journal"),
        Rule::k_label => Phrase::Keyword("label"),
        Rule::k_let => Phrase::Keyword("let"),
        Rule::k_limit => Phrase::Keyword("limit"),
        Rule::k_merge => Phrase::Keyword("merge"),
        Rule::k_object => Phrase::Keyword("object"),
        Rule::k_as_of => Phrase::Keyword("as of"),
        Rule::k_offset => Phrase::Keyword("offset"),
        Rule::k_on => Phrase::Keyword("on"),
        Rule::k_order => Phrase::Keyword("order"),
        Rule::k_order_by => Phrase::Keyword("order by"),
        Rule::k_ordered => Phrase::Keyword("ordered"),
        Rule::k_per => Phrase::Keyword("per"),
        Rule::k_prune => Phrase::Keyword("prune"),
        Rule::k_redo => Phrase::Keyword("redo"),
        Rule::k_ref => Phrase::Keyword("ref"),
        Rule::k_relational => Phrase::Keyword("relational"),
        Rule::k_rename => Phrase::Keyword("rename"),
        Rule::k_restore => Phrase::Keyword("restore"),
        Rule::k_returning => Phrase::Keyword("returning"),
        Rule::k_rollback => Phrase::Keyword("rollback"),
        Rule::k_savepoint => Phrase::Keyword("savepoint"),
        Rule::k_run => Phrase::Keyword("run"),
        Rule::k_select => Phrase::Keyword("select"),
        Rule::k_set => Phrase::Keyword("set"),
        Rule::k_show => Phrase::Keyword("show"),
        Rule::k_since => Phrase::Keyword("since"),
        Rule::k_singular => Phrase::Keyword("singular"),
        Rule::k_sql => Phrase::Keyword("sql"),
        Rule::k_ties => Phrase::Keyword("ties"),
        Rule::k_to => Phrase::Keyword("to"),
        Rule::k_type => Phrase::Keyword("type"),
        Rule::k_unchanged => Phrase::Keyword("unchanged"),
        Rule::k_undo => Phrase::Keyword("undo"),
        Rule::k_union => Phrase::Keyword("union"),
        Rule::k_update => Phrase::Keyword("update"),
        Rule::k_upsert => Phrase::Keyword("upsert"),
        Rule::k_view => Phrase::Keyword("view"),
        Rule::k_where => Phrase::Keyword("where"),
        Rule::k_with => Phrase::Keyword("with"),
        Rule::k_open => Phrase::Keyword("("),
        Rule::k_close => Phrase::Keyword(")"),
        Rule::k_open_brace => Phrase::Keyword("{"),
        Rule::k_close_brace => Phrase::Keyword("}"),
        Rule::k_comma => Phrase::Keyword(","),
        Rule::k_equals => Phrase::Keyword("="),
        Rule::EOI => Phrase::End,
        Rule::WHITESPACE
        | Rule::among
        | Rule::history_word
        | Rule::compare_word
        | Rule::duplicates_word
        | Rule::life_word
        | Rule::member
        | Rule::k_of
        | Rule::among_word
        | Rule::letter
        | Rule::reserved
        | Rule::whole_statement
        | Rule::whole_query
        | Rule::whole_expression
        | Rule::told_statement
        | Rule::told_query
        | Rule::told_expression
        | Rule::told
        | Rule::clock
        | Rule::term
        | Rule::not
        | Rule::compat_and
        | Rule::compat_or
        | Rule::compat_not
        | Rule::tail
        | Rule::operand
        | Rule::opening
        | Rule::named
        | Rule::keyed
        | Rule::arguments
        | Rule::distinct
        | Rule::source
        | Rule::clause
        | Rule::statement
        | Rule::verb
        | Rule::definition
        | Rule::field_type
        | Rule::field_option
        | Rule::object_option
        | Rule::alteration
        | Rule::alteration_words => Phrase::Nothing,
    }
}
