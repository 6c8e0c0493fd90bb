//! Properties: printing any tree and parsing it gives the tree back, and no text panics.

use super::super::*;
use crate::catalog::{OnDelete, Role};
use crate::value::{Date, Period, Unit};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

const WORDS: &[&str] = &[
    "a",
    "b",
    "amount",
    "where",
    "order",
    "group",
    "by",
    "last",
    "this",
    "today",
    "null",
    "union",
    "distinct",
    "not",
    "add",
    "explain",
    "commit",
    "check",
    "show",
    "drop",
    "label",
    "required",
    "matches",
    "has",
    "empty",
    "Due date",
    "x`y",
    "\u{e9}t\u{e9}",
    "3d",
    "k",
    "month",
    "as",
    "$",
];

fn dialect() -> impl Strategy<Value = Dialect> {
    select(&[Dialect::Sqlite, Dialect::DuckDb][..])
}

fn name() -> impl Strategy<Value = Name> {
    select(WORDS).prop_map(|text| Name {
        text: text.to_owned(),
        span: 0..0,
    })
}

fn names() -> impl Strategy<Value = Vec<Name>> {
    vec(name(), 1..3)
}

fn expr(kind: ExprKind) -> Expr {
    Expr { kind, span: 0..0 }
}

fn literal() -> BoxedStrategy<Literal> {
    let unit = || {
        select(vec![
            Unit::Minute,
            Unit::Hour,
            Unit::Day,
            Unit::Week,
            Unit::Month,
            Unit::Quarter,
            Unit::Year,
            Unit::FiscalMonth,
            Unit::FiscalQuarter,
            Unit::FiscalYear,
        ])
    };
    let business = || {
        select(vec![
            BusinessUnit::Minute,
            BusinessUnit::Hour,
            BusinessUnit::Day,
        ])
    };
    let exact = |n: &f64| n.is_finite() && (n.fract() == 0.0 || n.abs() < 1e11);
    let number = prop_oneof![
        any::<f64>().prop_filter("a number", exact),
        (-1000..1000).prop_map(|n| f64::from(n) / 100.0)
    ];
    let moments = &[
        "2026-05-15T09:00",
        "2026-05-15T09:00:30.25Z",
        "2026-05-15T09:00-07:00",
    ];
    let period = |(year, month, months): (i16, i8, i64)| {
        let start = Date::from_ymd(year, month, 1).unwrap();
        Literal::Period(Period::new(start, start.add_months(months).unwrap()))
    };
    prop_oneof![
        Just(Literal::Empty),
        any::<bool>().prop_map(Literal::Boolean),
        any::<i64>().prop_map(Literal::Integer),
        number.clone().prop_map(Literal::Number),
        "-?[1-9][0-9]{11,15}\\.[0-9]{0,5}[1-9]".prop_map(Literal::Decimal),
        number.prop_map(Literal::Percent),
        "[^\0]{0,6}".prop_map(Literal::Text),
        (-700_000..2_900_000).prop_map(|days| Literal::Date(Date::from_days(days))),
        select(&moments[..]).prop_map(|text| Literal::DateTime(text.to_owned())),
        select(&["FY2027-Q1", "FY2026-P12"][..]).prop_map(|text| Literal::Fiscal(text.to_owned())),
        (1..9999_i16, 1..=12_i8).prop_map(move |(year, month)| period((year, month, 1))),
        (1..9999_i16, 0..4_i8).prop_map(move |(year, n)| period((year, n * 3 + 1, 3))),
        (-1..=1_i64, unit()).prop_map(|(offset, unit)| Literal::RelativePeriod { offset, unit }),
        (1..i64::MAX, unit(), any::<bool>()).prop_map(|(count, unit, forward)| Literal::Span {
            count,
            unit,
            forward
        }),
        (any::<i64>(), unit()).prop_map(|(count, unit)| Literal::Duration { count, unit }),
        (any::<i64>(), business()).prop_map(|(count, unit)| Literal::Business { count, unit }),
        (1..i64::MAX, business(), any::<bool>()).prop_map(|(count, unit, forward)| {
            Literal::BusinessSpan {
                count,
                unit,
                forward,
            }
        }),
        any::<u64>().prop_map(Literal::Record),
    ]
    .boxed()
}

fn parameter() -> impl Strategy<Value = Expr> {
    "[a-z0-9_]{1,4}".prop_map(|name| expr(ExprKind::Parameter(name)))
}

fn count() -> impl Strategy<Value = Expr> {
    let number = (0..i64::MAX).prop_map(|n| expr(ExprKind::Literal(Literal::Integer(n))));
    prop_oneof![number, parameter()]
}

fn key() -> impl Strategy<Value = Expr> {
    let label = "[^\0]{0,6}".prop_map(|text| expr(ExprKind::Literal(Literal::Text(text))));
    let id = any::<u64>().prop_map(|id| expr(ExprKind::Literal(Literal::Record(id))));
    prop_oneof![label, id, parameter()]
}

fn cursor() -> impl Strategy<Value = Expr> {
    let text = "[0-9a-f]{0,6}".prop_map(|text| expr(ExprKind::Literal(Literal::Text(text))));
    prop_oneof![text, parameter()]
}

fn binary_op() -> impl Strategy<Value = BinaryOp> {
    use BinaryOp::*;
    select(vec![
        And,
        And,
        Or,
        Or,
        Equal,
        NotEqual,
        Less,
        LessEqual,
        Greater,
        GreaterEqual,
        Contains,
        ContainsNot,
        Like,
        NotLike,
        Under,
        NotUnder,
        Above,
        NotAbove,
        Has,
        NotHas,
        Add,
        Subtract,
        Multiply,
        Divide,
    ])
}

fn leaf() -> BoxedStrategy<Expr> {
    prop_oneof![
        literal().prop_map(|literal| expr(ExprKind::Literal(literal))),
        parameter(),
        names().prop_map(|path| expr(ExprKind::Path(path))),
    ]
    .boxed()
}

fn expression() -> BoxedStrategy<Expr> {
    leaf()
        .prop_recursive(3, 30, 4, |inner| {
            let boxed = || inner.clone().prop_map(Box::new);
            let query = || query_of(inner.clone()).prop_map(|q| expr(ExprKind::Query(Box::new(q))));
            let list = vec(inner.clone(), 1..4).prop_map(|list| expr(ExprKind::List(list)));
            let call = (
                name(),
                vec(inner.clone(), 0..3),
                any::<bool>(),
                option::of(boxed()),
            )
                .prop_flat_map({
                    let inner = inner.clone();
                    move |(name, arguments, distinct, filter)| {
                        let distinct = distinct && !arguments.is_empty();
                        let most = if arguments.is_empty() { 0 } else { 2 };
                        let order = vec(order_key(inner.clone()), 0..=most);
                        order.prop_map(move |order| {
                            let (name, arguments) = (name.clone(), arguments.clone());
                            Call {
                                name,
                                arguments,
                                distinct,
                                filter: filter.clone(),
                                order,
                                member: Vec::new(),
                            }
                        })
                    }
                });
            prop_oneof![
                (binary_op(), boxed(), boxed())
                    .prop_map(|(op, left, right)| expr(ExprKind::Binary { op, left, right })),
                boxed().prop_map(|operand| expr(ExprKind::Not(operand))),
                boxed().prop_map(|operand| expr(ExprKind::Negate(operand))),
                (boxed(), prop_oneof![leaf(), list, query()], any::<bool>()).prop_map(
                    |(value, list, negated)| {
                        expr(ExprKind::In {
                            value,
                            list: Box::new(list),
                            negated,
                        })
                    }
                ),
                (boxed(), boxed(), boxed(), any::<bool>()).prop_map(
                    |(value, low, high, negated)| {
                        expr(ExprKind::Between {
                            value,
                            low,
                            high,
                            negated,
                        })
                    }
                ),
                (boxed(), name(), any::<bool>()).prop_map(|(value, what, negated)| expr(
                    ExprKind::Is {
                        value,
                        what,
                        negated
                    }
                )),
                call.prop_map(|call| expr(ExprKind::Call(call))).boxed(),
                query(),
            ]
        })
        .boxed()
}

fn order_key(value: BoxedStrategy<Expr>) -> impl Strategy<Value = OrderKey> {
    (value, any::<bool>()).prop_map(|(value, descending)| OrderKey { value, descending })
}

fn binding(value: BoxedStrategy<Expr>) -> impl Strategy<Value = Binding> {
    (name(), value).prop_map(|(name, value)| Binding { name, value })
}

fn item(value: BoxedStrategy<Expr>) -> BoxedStrategy<Item> {
    let plain = prop_oneof![
        1 => Just(Item::All(0..0)),
        4 => (value.clone(), option::of(name()))
            .prop_map(|(value, alias)| Item::Value { value, alias }),
    ];
    let past = prop_oneof![
        2 => Just(None),
        1 => Just(Some(HistoryKind::Changes)),
        1 => Just(Some(HistoryKind::Spans)),
    ];
    let nested = (
        past,
        names(),
        option::of(value.clone()),
        vec(plain.clone(), 1..3),
        vec(order_key(value), 0..2),
        option::of(count()),
        option::of(name()),
    )
        .prop_map(|(past, path, filter, select, order, limit, alias)| {
            Item::Nested(Box::new(Nested {
                past,
                path,
                filter,
                select,
                order,
                limit,
                alias,
            }))
        });
    prop_oneof![4 => plain, 1 => nested].boxed()
}

fn source(value: BoxedStrategy<Expr>) -> impl Strategy<Value = Source> {
    let inner = value.clone().prop_map(|filter| {
        let path = vec![Name {
            text: "inner".to_owned(),
            span: 0..0,
        }];
        let mut query = parse_query("x").unwrap();
        (query.source, query.filter) = (Source::Named { path, key: None }, Some(filter));
        Source::Query(Box::new(query))
    });
    let named = (names(), option::of(key())).prop_map(|(path, key)| Source::Named { path, key });
    let called = (name(), vec(value.clone(), 0..3))
        .prop_map(|(name, arguments)| Source::Call { name, arguments });
    let (named, called, inner) = (named.boxed(), called.boxed(), inner.boxed());
    let of = prop_oneof![named.clone(), called.clone(), inner.clone()].prop_map(|of| match of {
        Source::Query(query) => query,
        of => Box::new(bare(of)),
    });
    let rule = option::of(value.prop_map(Box::new));
    let duplicates = (of, rule).prop_map(|(of, rule)| Source::Duplicates { of, rule });
    prop_oneof![4 => named, 1 => called, 1 => inner, 1 => duplicates]
}

/// A query with at least a `where`, which any place that takes a query can hold.
fn query_of(value: BoxedStrategy<Expr>) -> BoxedStrategy<Query> {
    let group = (
        vec((value.clone(), option::of(name())), 1..3),
        any::<[bool; 3]>(),
    )
        .prop_map(|(keys, [totals, rollup, empty])| {
            let key = |(value, alias)| Item::Value { value, alias };
            Group {
                keys: keys.into_iter().map(key).collect(),
                totals,
                rollup,
                empty,
            }
        });
    let limit =
        (count(), vec(value.clone(), 0..2), any::<bool>()).prop_map(|(count, per, with_ties)| {
            Limit {
                count,
                per,
                with_ties,
            }
        });
    // Boxed: proptest keeps unboxed parts on the stack, and these nest.
    let head = (
        (source(value.clone()), option::of(value.clone())).boxed(),
        vec(binding(value.clone()), 0..2),
        value.clone(),
        option::of(group.boxed()),
        option::of(value.clone()),
    );
    let tail = (
        vec(item(value.clone()), 0..3),
        vec(order_key(value), 0..2),
        option::of(limit.boxed()),
        (option::of(count()), option::of(cursor()))
            .prop_map(|(offset, after)| (offset.clone(), after.filter(|_| offset.is_none()))),
        0..3_usize,
    );
    (head.boxed(), tail.boxed())
        .prop_map(
            |(
                ((source, as_of), lets, filter, group, having),
                (select, order, limit, (offset, after), unions),
            )| {
                Query {
                    source,
                    as_of,
                    lets,
                    filter: Some(filter),
                    group,
                    having,
                    select,
                    order,
                    limit,
                    offset,
                    after,
                    unions: vec![parse_query("u where v").unwrap(); unions],
                    span: 0..0,
                }
            },
        )
        .boxed()
}

fn query() -> impl Strategy<Value = Query> {
    query_of(expression())
}

fn type_name() -> impl Strategy<Value = TypeName> {
    let word = |text: &str| Name {
        text: text.to_owned(),
        span: 0..0,
    };
    prop_oneof![
        select(words::PLAIN_TYPES).prop_map(move |text| TypeName::Plain(word(text))),
        (select(&["picklist", "tags"][..]), vec(name(), 0..3)).prop_map(move |(text, labels)| {
            TypeName::Labels {
                name: word(text),
                labels,
            }
        }),
        name().prop_map(TypeName::Reference),
        names().prop_map(TypeName::AnyReference),
        name().prop_map(TypeName::Filter),
        name().prop_map(TypeName::Expression),
        expression().prop_map(TypeName::Formula),
    ]
}

fn field() -> impl Strategy<Value = FieldDefinition> {
    let option = prop_oneof![
        Just(FieldOption::Required),
        Just(FieldOption::Unique),
        Just(FieldOption::Label),
        Just(FieldOption::Hierarchy),
        expression().prop_map(FieldOption::Default),
        name().prop_map(FieldOption::Collection),
        name().prop_map(FieldOption::DatedBy),
        select(&OnDelete::ALL).prop_map(FieldOption::OnDelete),
    ];
    (name(), type_name(), vec(option, 0..3)).prop_map(|(name, ty, options)| FieldDefinition {
        name,
        ty,
        options,
    })
}

fn field_change() -> impl Strategy<Value = FieldChange> {
    prop_oneof![
        select(&OnDelete::ALL).prop_map(FieldChange::OnDelete),
        vec(name(), 1..4).prop_map(FieldChange::Order),
        option::of(expression()).prop_map(|default| FieldChange::Default(default.map(Box::new))),
        (type_name(), option::of(expression())).prop_map(|(ty, default)| FieldChange::Type {
            ty,
            default: default.map(Box::new),
        }),
    ]
}

fn alteration() -> impl Strategy<Value = Alteration> {
    prop_oneof![
        field().prop_map(Alteration::AddField),
        name().prop_map(Alteration::DropField),
        (name(), field_change())
            .prop_map(|(field, change)| Alteration::AlterField { field, change }),
        (name(), name(), name()).prop_map(|(field, from, to)| Alteration::RenameLabel {
            field,
            from,
            to
        }),
        (name(), name()).prop_map(|(field, label)| Alteration::DropLabel { field, label }),
        (name(), name()).prop_map(|(from, to)| Alteration::RenameField { from, to }),
        name().prop_map(Alteration::Rename),
        expression().prop_map(Alteration::AddCheck),
        expression().prop_map(Alteration::DropCheck),
        (name(), name()).prop_map(|(field, label)| Alteration::AddLabel { field, label }),
        names().prop_map(Alteration::SetShow),
    ]
}

fn statement() -> BoxedStrategy<Statement> {
    let text = || "[^\0]{0,6}".prop_map(|text| Text { text, span: 0..0 });
    let record = || vec(binding(expression()), 0..3);
    let definition = (
        name(),
        option::of(name()),
        vec(field(), 1..3),
        vec(expression(), 0..2),
        option::of(name()),
        option::of(select(&Role::ALL)),
        vec(name(), 0..3),
    )
        .prop_map(|(name, singular, fields, checks, ordered_by, role, show)| {
            let object = CreateObject {
                name,
                singular,
                fields,
                checks,
                ordered_by,
                role,
                show,
            };
            Statement::CreateObject(object)
        });
    let view_parameter = ("[a-z]{1,3}", type_name(), option::of(expression()))
        .prop_map(|(name, ty, default)| ViewParameter { name, ty, default });
    let settings = vec![Setting::BaseCurrency, Setting::Zone, Setting::FiscalYear];
    prop_oneof![
        query().prop_map(Statement::Query),
        (any::<bool>(), query()).prop_map(|(analyze, query)| Statement::Explain { analyze, query }),
        (dialect(), query()).prop_map(|(dialect, query)| Statement::Sql { dialect, query }),
        (name(), vec(record(), 1..3))
            .prop_map(|(object, records)| Statement::Add(Add { object, records })),
        (
            name(),
            option::of(key()),
            option::of(expression()),
            vec(binding(expression()), 1..3),
            option::of(expression())
        )
            .prop_map(|(object, key, filter, set, unchanged)| {
                Statement::Update(Update {
                    object,
                    key,
                    filter,
                    set,
                    unchanged,
                })
            }),
        (name(), names(), option::of(query()), vec(record(), 1..3)).prop_map(
            |(object, on, from, records)| Statement::Upsert(Upsert {
                object,
                on,
                from,
                records
            })
        ),
        (name(), option::of(key()), option::of(expression())).prop_map(|(object, key, filter)| {
            Statement::Delete(Delete {
                object,
                key,
                filter,
            })
        }),
        (
            (name(), key(), key()),
            option::of(select(Side::ALL.to_vec())),
            vec((name(), select(Side::ALL.to_vec())), 0..3)
        )
            .prop_map(|((object, source, target), keep, fields)| {
                Statement::Merge(Merge {
                    object,
                    source,
                    target,
                    keep,
                    fields,
                })
            }),
        (name(), option::of(key()), option::of(expression())).prop_map(|(object, key, filter)| {
            Statement::Restore(Restore {
                object,
                key,
                filter,
            })
        }),
        option::of(any::<u32>()).prop_map(|number| Statement::Undo(match number {
            None => Undo::Last,
            Some(0) => Undo::Redo,
            Some(number) => Undo::Transaction {
                number: number.into(),
                span: 0..0,
            },
        })),
        (name(), key(), vec(item(expression()), 1..3), any::<bool>()).prop_map(
            |(object, key, select, dry)| {
                let delete = Statement::Delete(Delete {
                    object,
                    key: Some(key),
                    filter: None,
                });
                match dry {
                    true => Statement::DryRun(Box::new(delete)),
                    false => Statement::Returning {
                        change: Box::new(delete),
                        select,
                    },
                }
            }
        ),
        (
            name(),
            text(),
            vec(name(), 0..3),
            vec(name(), 0..3),
            record()
        )
            .prop_map(|(object, file, on, creating, fields)| {
                Statement::Import(Import {
                    object,
                    file,
                    on,
                    creating,
                    fields,
                })
            }),
        expression().prop_map(|before| Statement::Prune { before }),
        (query(), text()).prop_map(|(query, file)| Statement::Export { query, file }),
        definition,
        (name(), vec(alteration(), 1..3))
            .prop_map(|(object, changes)| Statement::AlterObject { object, changes }),
        (name(), names(), any::<bool>()).prop_map(|(object, fields, unique)| {
            Statement::CreateIndex {
                object,
                fields,
                unique,
            }
        }),
        (name(), vec(view_parameter, 0..2), query()).prop_map(|(name, parameters, query)| {
            Statement::CreateView(CreateView {
                name,
                parameters,
                query,
            })
        }),
        (select(vec![DropKind::Object, DropKind::View]), name()).prop_map(|(kind, name)| {
            Statement::Drop {
                kind,
                name,
                fields: vec![],
            }
        }),
        (name(), names()).prop_map(|(name, fields)| Statement::Drop {
            kind: DropKind::Index,
            name,
            fields
        }),
        (option::of(expression()), option::of(expression()))
            .prop_map(|(at, actor)| Statement::Begin { at, actor }),
        (select(settings), expression())
            .prop_map(|(setting, value)| Statement::Set { setting, value }),
    ]
    .boxed()
}

/// Texts that are nearly statements.
fn soup() -> impl Strategy<Value = String> {
    const TOKENS: &[&str] = &[
        "accounts",
        "where",
        "select",
        "group by",
        "order",
        "by",
        "limit",
        "and",
        "or",
        "not",
        "in",
        "is",
        "empty",
        "(",
        ")",
        "{",
        "}",
        ",",
        ";",
        "=",
        "==",
        "<",
        ">=",
        "-",
        "--",
        "!",
        "~",
        "*",
        "\"x\"",
        "'",
        "`",
        "`a b`",
        "$p",
        "#4",
        "2026-07",
        "2026-7",
        "7",
        "days",
        "last",
        "40%",
        "1.5k",
        "add",
        "set",
        "on",
        "from",
        "as",
        "union",
        "\n",
        "\u{201c}",
        "\u{e9}",
        "\u{0}",
        ".",
        ":",
        "create object",
        "alter object",
        "field",
        "text",
        "ref",
        "between",
        "sum",
        "with",
        "per",
    ];
    vec((select(TOKENS), any::<bool>()), 0..25).prop_map(|tokens| {
        tokens
            .iter()
            .map(|(t, blank)| format!("{t}{}", if *blank { " " } else { "" }))
            .collect()
    })
}

fn survives(text: &str) {
    if let Err(error) = parse_script(text) {
        let span = error.span().expect("an error of the syntax has a place");
        assert!(text.get(span).is_some(), "{text:?}");
        assert!(
            !error
                .expectation()
                .is_some_and(|words| words.contains("k_")),
            "{text:?}"
        );
    }
    assert!(parser::guards_change_nothing(text), "{text:?}");
    let _ = (
        parse_query(text),
        parse_expression(text),
        is_incomplete(text),
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printed_statements_parse_to_the_same_tree(tree in statement()) {
        let text = tree.to_string();
        let script = parse_script(&text).map_err(|error| TestCaseError::fail(error.report()))?;
        prop_assert_eq!(script.len(), 1, "{}", text);
        prop_assert_eq!(&script[0].0, &tree, "{}", text);
        prop_assert!(!is_incomplete(&text), "{}", text);
        prop_assert!(parser::guards_change_nothing(&text), "{}", text);
    }

    #[test]
    fn printed_expressions_parse_to_the_same_tree(tree in expression()) {
        let text = tree.to_string();
        let parsed =
            parse_expression(&text).map_err(|error| TestCaseError::fail(error.report()))?;
        prop_assert_eq!(parsed, tree, "{}", text);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn no_soup_panics(text in soup()) {
        survives(&text);
    }
}
