//! Tests of the syntax: the examples of the language page, errors, and print-then-parse.

use super::*;

mod properties;

/// The examples of the language page whose forms exist, and more of each form.
const EXAMPLES: &[&str] = &[
    "opportunities where territory=SW and stage>=proposal",
    "opportunities where open and close_date in this quarter select name, account.name, amount, \
     stage, owner.manager.name as manager order by amount desc limit 20",
    "opportunities group by stage select stage, count() as deals, sum(amount) as total, \
     avg(amount), median(amount)",
    "opportunities where closed group by owner having count() >= 10 select owner, \
     share(stage = won) as win_rate, p90(cycle_days) order by win_rate desc",
    "opportunities group by month(close_date) as month, territory with totals, rollup select \
     month, territory, sum(amount where stage = won) as won",
    "opportunities where open order by amount desc limit 3 per territory with ties",
    "accounts where not exists(activities where done_at in last 6 months)",
    "accounts let pipeline = sum(opportunities.amount where open) where pipeline > 100k select \
     name, pipeline, count(contacts) as people",
    "contacts where account = \"Acme\" and role = buyer select name, phone",
    "accounts where territory under West and name ~ \"acme\"",
    "accounts \"Acme\" select name, contacts { name, role order by influence desc limit 3 }, \
     opportunities where open { name, amount } as pipeline",
    "reps let won = sum(opportunities.amount where won and close_date in this quarter), quota = \
     sum(quotas.amount where period = this quarter) where won / quota >= 100% select name, won, \
     quota, won / quota as attainment",
    "territories \"West\" let won = sum(subtree.opportunities.amount where won and close_date in \
     this quarter) select code, won",
    "contacts where exists(campaign_memberships where campaign = (campaigns where product = \
     falcon order by start desc limit 1))",
    "accounts where not matches(territory.rule) select name, territory",
    "add accounts (name = \"Acme\", industry = manufacturing, territory = SW), (name = \
     \"Borealis\", industry = retail, territory = NW)",
    "update opportunities where name = \"Acme renewal\" set stage = won, close_date = today",
    "upsert contacts on email (email = \"paz@acme.example\", name = \"Paz Ruiz\", account = \
     \"Acme\")",
    "upsert activities on rule, account from (accounts where not exists(orders where ordered_on \
     in last 6 months)) (rule = \"win back\", account = this, type = call, due = today + 7 days)",
    "delete activities where status = cancelled and due < 2020-01-01",
    "import accounts from \"accounts.csv\" on name (name = account, industry = sector, parent = \
     subsidiary_of)",
    "export (opportunities where open) to \"open.csv\"",
    "create object visits (name text label, account ref accounts required, at datetime default \
     now, note longtext, follow_up boolean default false)",
    "alter object accounts add field tier picklist (bronze, silver, gold)",
    "create index on contacts (email) unique",
    "create view hot($min money) as opportunities where open and amount >= $min",
    "explain analyze opportunities where territory=SW",
    "sql opportunities where territory=SW",
    "sql for duckdb opportunities",
    "export relational \"book.sql\"",
    "export relational \"book.sql\" for duckdb",
    // Forms beyond the page's examples.
    "export accounts to 'f.csv'",
    "import accounts from \"a.csv\"",
    "delete accounts #42",
    "update accounts \"Acme\" set name = `Old name`",
    "(opportunities where open) union (opportunities where won) union (hot(100k))",
    "((accounts where a) order by b limit 3) where c",
    "subtree.opportunities select *, first(amount by close_date desc, name), count(distinct owner)",
    "opportunities select sum(amount order by close_date), count(where open), has(a, b)",
    "opportunities group by owner with empty offset $n",
    "accounts where a in (1, 2, \"x\") and b not in (accounts where c select d) and e in last month",
    "accounts where a not like \"x*\" or b not under West and c not has d or not e not between 1 \
     and 2 and f is not empty or g is opportunity or h is empty",
    "accounts where a !~ \"b\" and -b * 2 - -3 / (c + 1) < 1.5k and not not d",
    "accounts where at = 2026-05-15T09:00:30.5-07:00 or at = 2026-05-15T09:00 or d in 2026-Q3",
    "accounts where d in 2026-07 and e >= 2026 and f in next 2 fiscal quarters and f < 1 day",
    "accounts where outer.outer.x = this.y and me = owner and true != false and z = empty",
    "create object stages (name text unique, `check` text, parent ref stages hierarchy collection \
     children, won formula (outcome = won and not lost), rule filter on accounts, points \
     expression on leads, about ref any (accounts, contacts), kind tags, more tags (a, \"b c\"), \
     amount money default 1 + 2 dated by close_date, check (amount > 0)) ordered by position \
     actors singular stage show name, won",
    "alter object a drop field x, rename field y to z, rename to b, add check (c > 0), add label \
     stage \"closed won\", show name, stage, add field f text",
    "alter object a show name, drop check (c > 0 and d = \"x\"), alter field f default 1 + 2, alter \
     field g drop default, alter field h default today",
    "create view v as accounts",
    "create view w($a text default \"x\", $b period default this month) as accounts where a = $a",
    "drop object visits",
    "drop view hot",
    "drop index on contacts (email, name)",
    "begin",
    "begin at 2020-01-01 as \"Dee\"",
    "commit",
    "rollback",
    "rollback to a",
    "savepoint `order`",
    "set base currency = USD",
    "set zone = \"America/Phoenix\"",
    "set fiscal year = 2",
    "`add` where `where` = 1",
    "add add (add = add)",
    "add visits ()",
    "accounts where `Due ``date` = 1 and month = last and limit_ = order",
    "accounts select year(x), month, last, last(x by y), day order by first",
];

fn statement(text: &str) -> Statement {
    let mut script = parse_script(text).unwrap();
    assert_eq!(script.len(), 1, "{text}");
    script.remove(0).0
}

fn expression(text: &str) -> Expr {
    parse_expression(text).unwrap()
}

fn error(text: &str) -> Error {
    match parse_script(text) {
        Err(error) => error,
        Ok(script) => panic!("{text} parses: {script:?}"),
    }
}

#[test]
fn examples_parse_and_print_to_a_fixed_point() {
    for text in EXAMPLES {
        let tree = statement(text);
        let printed = tree.to_string();
        assert_eq!(statement(&printed), tree, "{text}\n{printed}");
        assert_eq!(statement(&printed).to_string(), printed);
    }
}

#[test]
fn guards_of_the_grammar_change_nothing() {
    for text in EXAMPLES {
        assert!(parser::guards_change_nothing(text), "{text}");
    }
}

#[test]
fn most_examples_are_canonical_already() {
    for text in [
        EXAMPLES[1],
        EXAMPLES[4],
        EXAMPLES[5],
        EXAMPLES[10],
        EXAMPLES[18],
        EXAMPLES[43],
    ] {
        assert_eq!(statement(text).to_string(), text);
    }
}

#[test]
fn precedence_is_by_the_page() {
    for (text, explicit) in [
        (
            "a or b and not c = d + e * -f",
            "a or (b and (not (c = (d + (e * (-f))))))",
        ),
        ("a - b - c", "(a - b) - c"),
        ("a / b * c", "(a / b) * c"),
        ("not a in b", "not (a in b)"),
        ("a between b and c and d", "(a between b and c) and d"),
        ("5--3", "5 - (-3)"),
        ("a or b or c", "(a or b) or c"),
        ("a and b and c and d", "(a and b) and (c and d)"),
    ] {
        assert_eq!(expression(text), expression(explicit), "{text}");
    }
    assert_eq!(expression("a - (b - c)").to_string(), "a - (b - c)");
    assert_eq!(expression("a or (b or c)").to_string(), "a or (b or c)");
    assert_eq!(expression("((a) or b) or c").to_string(), "a or b or c");
    assert_eq!(
        expression("(not a) = (b and c)").to_string(),
        "(not a) = (b and c)"
    );
}

#[test]
fn literals_have_their_values() {
    use crate::value::{Date, Period, Unit};
    let day = |y, m, d| Date::from_ymd(y, m, d).unwrap();
    for (text, literal) in [
        ("100k", Literal::Integer(100_000)),
        ("1.5m", Literal::Integer(1_500_000)),
        ("1.2345k", Literal::Number(1234.5)),
        ("2.0", Literal::Number(2.0)),
        ("12345678901.25", Literal::Number(12_345_678_901.25)),
        ("123456789012.0", Literal::Number(123_456_789_012.0)),
        (
            "1234567.890123456m",
            Literal::Decimal("1234567890123.456".to_owned()),
        ),
        ("2026", Literal::Integer(2026)),
        ("-9223372036854775808", Literal::Integer(i64::MIN)),
        ("40%", Literal::Percent(0.4)),
        ("0.1%", Literal::Percent(0.001)),
        ("'it''s \"x\"'", Literal::Text("it's \"x\"".into())),
        ("2026-07-15", Literal::Date(day(2026, 7, 15))),
        (
            "2026-q3",
            Literal::Period(Period::new(day(2026, 7, 1), day(2026, 10, 1))),
        ),
        (
            "2024-02",
            Literal::Period(Period::new(day(2024, 2, 1), day(2024, 3, 1))),
        ),
        (
            "LAST fiscal year",
            Literal::RelativePeriod {
                offset: -1,
                unit: Unit::FiscalYear,
            },
        ),
        (
            "next 3 weeks",
            Literal::Span {
                count: 3,
                unit: Unit::Week,
                forward: true,
            },
        ),
        (
            "7 days",
            Literal::Duration {
                count: 7,
                unit: Unit::Day,
            },
        ),
        ("#42", Literal::Record(42)),
        ("empty", Literal::Empty),
        (
            "2026-05-15t09:00z",
            Literal::DateTime("2026-05-15T09:00Z".into()),
        ),
    ] {
        assert_eq!(expression(text).kind, ExprKind::Literal(literal), "{text}");
    }
}

#[test]
fn words_end_at_their_boundary_and_case_does_not_matter() {
    assert_eq!(
        statement("Accounts WHERE Notes = ORDERED"),
        statement("accounts where notes=ordered")
    );
    assert_eq!(
        statement("accounts where android and inning = order order  by ascent"),
        statement("accounts where (android) and (inning = `order`) order by ascent")
    );
}

#[test]
fn scripts_split_at_semicolons_and_skip_comments() {
    let text = "-- all; of it\nadd a (b = \"x;--y\"); -- done\n\n a where b = 5--3 -- it's\n;;";
    let script = parse_script(text).unwrap();
    let texts: Vec<&str> = script.iter().map(|(_, span)| &text[span.clone()]).collect();
    assert_eq!(texts, ["add a (b = \"x;--y\")", "a where b = 5--3"]);
    let Statement::Query(query) = &script[1].0 else {
        panic!("{script:?}")
    };
    let span = query.filter.as_ref().unwrap().span.clone();
    assert_eq!(&text[span], "b = 5--3");
    assert_eq!(parse_script(" \n-- nothing").unwrap(), []);
}

#[test]
fn parts_carry_their_places() {
    let text = "a where b = c + 12  and not sum(d . e where f) > 1";
    let error = parse_expression(text).unwrap_err();
    assert_eq!(error.span(), Some(2..7));
    let expr = expression("b = c + 12  and not sum(d.e) > 1 ");
    assert_eq!(expr.span, 0..32);
    let ExprKind::Binary { right, .. } = expr.kind else {
        panic!()
    };
    assert_eq!(right.span, 16..32);
}

#[test]
fn nesting_is_bounded_and_cheap() {
    let nest = |open: &str, n: usize, close: &str| {
        format!("a where {}b{}", open.repeat(n), close.repeat(n))
    };
    for (open, fits, close) in [
        ("(", 100, ")"),
        ("f(", 100, ")"),
        ("exists(x where ", 100, ")"),
        ("x in (q where ", 40, " select y)"),
        ("x = (q select y, z order by ", 40, ")"),
        ("not ", 100, ""),
        ("- ", 100, ""),
    ] {
        statement(&nest(open, fits, close));
        assert_eq!(
            error(&nest(open, 10_000, close)).code(),
            Code::TooDeep,
            "{open}"
        );
    }
    statement(&format!("{}a{}", "(".repeat(40), " where b)".repeat(40)));
    error(&format!("{}a{}", "(".repeat(100), " where b)".repeat(100)));
    statement(&format!(
        "a select {}b{}",
        "a where c { b, ".repeat(99),
        " }".repeat(99)
    ));
    // The same, broken at the innermost place, must not be tried in many ways either.
    error(&format!(
        "a where {}b c{}",
        "(x where ".repeat(100),
        ")".repeat(100)
    ));
    error(&format!(
        "a select {}b c{}",
        "a where c { b, ".repeat(100),
        " }".repeat(100)
    ));
    error(&format!(
        "{}a b{}",
        "(".repeat(100),
        " where c)".repeat(100)
    ));
    let levels = "not not (a + b * (".repeat(49);
    error(&format!("a where {levels}"));
}

#[test]
fn long_runs_are_balanced_or_refused() {
    let or = vec!["a"; 20_000].join(" or ");
    assert_eq!(expression(&or).to_string(), or);
    assert_eq!(
        parse_expression(&vec!["a"; 200].join(" + ")).unwrap().span,
        0..797
    );
    assert_eq!(
        parse_expression(&vec!["a"; 20_000].join(" + "))
            .unwrap_err()
            .code(),
        Code::TooDeep
    );
}

#[test]
fn lengths_are_bounded() {
    let long = format!("a where b = \"{}\"", "x".repeat(1 << 20));
    assert_eq!(error(&long).code(), Code::TooLong);
    assert_eq!(error(&"a;".repeat(9 << 20)).code(), Code::TooLong);
    assert_eq!(parse_script(&"a;".repeat(10_000)).unwrap().len(), 10_000);
}

#[test]
fn unfinished_text_is_known() {
    for text in [
        "accounts where",
        "accounts where a and",
        "accounts select a,",
        "accounts where (a",
        "accounts where name = \"Ac",
        "add accounts",
        "update accounts where a",
        "accounts where a =",
        "create object",
        "a; b order by",
        "accounts where a between 1",
        "accounts where a in",
        "a where not",
        "accounts -- all\n where -- those",
    ] {
        assert!(is_incomplete(text), "{text}");
    }
    for text in [
        "",
        "accounts",
        "accounts where a",
        "accounts;",
        "accounts where a = b c",
        "-- note",
        "accounts where a)",
        "accounts select *",
        "commit",
        "accounts order by a desc",
        "a where 40%",
        "a where == b",
        "a where x = empty",
        "accounts where a b and",
    ]
    .into_iter()
    .filter(|text| !text.ends_with("and"))
    {
        assert!(!is_incomplete(text), "{text}");
    }
}

/// The text, what the caret stands under, and a part of the message or of a hint.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("a where b == 1", "==", "write `=`"),
    ("add a (b == 1)", "=", "write `=`"),
    ("a where b <> 1", "<>", "write `!=`"),
    ("a where b && c", "&&", "write `and`"),
    ("a where b || c", "||", "write `or`"),
    ("a where !b", "!", "write `not`"),
    (
        "select name, b from accounts",
        "select",
        "`accounts where ... select ...`",
    ),
    ("a order amount", "order", "write `order by amount`"),
    ("a where b group stage", "group", "write `group by stage`"),
    (
        "insert into accounts (a = 1)",
        "into",
        "write `add accounts",
    ),
    ("a where b is null", "null", "write `is empty`"),
    ("a where b is not null", "null", "write `is empty`"),
    ("a where b = null", "null", "write `is empty`"),
    ("a where b is true", "true", "write `= true`"),
    ("a select amount total", "total", "`amount as total`"),
    ("a select sum(amount) total", "total", "as total"),
    ("a where b = North West", "West", "stands in quotes"),
    (
        "a where b = \u{201c}x\u{201d}",
        "\u{201c}",
        "straight quotes",
    ),
    ("a select count(*)", "*", "write `count()`"),
    ("a where (b", "(", "never closed"),
    ("a where b)", ")", "closes nothing"),
    ("a select b { c )", "{", "closed by `)`"),
    ("a where \"b", "\"", "does not end"),
    ("a where `b", "`", "does not end"),
    ("a select from, b", "from", "reserved word"),
    ("add a (to = 1)", "to", "`` `to` ``"),
    ("a select b,", "", "nothing follows `,`"),
    ("a select b, order by c", "order", "nothing follows `,`"),
    ("a where b < c < d", "< d", "do not chain"),
    ("a select b where c", "where", "come in this order"),
    ("a order by b select c", "select", "come in this order"),
    ("a where b where c", "where", "with `and`"),
    ("a wher b", "wher", "did you mean `where`?"),
    ("updat a set b = 1", "a", "did you mean `update a`?"),
    (
        "update a set b = 1 where c",
        "where",
        "`where` stands after `set`",
    ),
    ("delete from a", "from", "takes no `from`"),
    ("create table a (b text)", "table", "write `object`"),
    (
        "create object a (b strng)",
        "strng",
        "no field type `strng`",
    ),
    ("create object a (b varchar)", "varchar", "called `text`"),
    ("a join b", "join", "follow the reference"),
    ("a where b.c(d)", "(", "the path goes inside"),
    ("a where b = 2026-7", "2026-7", "written `2026-07`"),
    ("a where b = 2026-13", "2026-13", "`2026-01` to `2026-12`"),
    (
        "a where b = 2026-02-30",
        "2026-02-30",
        "2026-02 has 28 days",
    ),
    ("a where b = 2026-7-1", "2026-7-1", "written `2026-07-01`"),
    ("a where b = 2026-Q5", "2026-Q5", "`2026-Q1` to `2026-Q4`"),
    (
        "a where b = 2026-05-15T25:00",
        "2026-05-15T25:00",
        "`2026-05-15T09:00`",
    ),
    ("a where b < 7d", "7d", "write `7 days`"),
    ("a where b < 1_000", "1_000", "write `1000`"),
    (
        "a where b < 99999999999999999999",
        "99999999999999999999",
        "out of range",
    ),
    ("a where b in last months", "last months", "`last month`"),
    (
        "a where b in this 6 months",
        "this 6 months",
        "takes no number",
    ),
    ("a where b < 1.5 days", "1.5", "no whole number"),
    ("a where b = .5", ".", "write `0.5`"),
    ("a where b = (1, 2)", "2", "stands after `in`"),
    ("a where b = \u{0}", "\u{0}", "U+0000"),
    ("a where b = \"\u{0}\"", "\u{0}", "U+0000"),
    ("1 + 2", "1", "does not fit"),
    (
        "(1 + 2) where a",
        "1 + 2",
        "does not begin with an expression",
    ),
    ("a limit 1.5", "1.5", "whole number"),
    (
        "a select b { c limit 3 per d }",
        "limit 3 per d",
        "plain `limit`",
    ),
    ("add a (name: \"x\")", ":", "write `=`"),
    ("a where b as of 2026-03-31", "as", "belongs before `where`"),
    ("begin as \"a\"\nupdate a set b = 1", "update", "`;` before"),
    ("update a set b = 1\ndelete b", "delete", "`;` before"),
    ("add a (b = 1)\n\nadd a (b = 2)", "add", "`;` before"),
    ("a -- all\nexport a to \"b\"", "export", "`;` before"),
    ("a select b { c where d }", "where", "belongs before `{`"),
    ("compare a where b in last week", "a", "in parentheses"),
    ("undo \"a\"", "\"a\"", "a transaction's number"),
];

#[test]
fn mistakes_are_taught() {
    let mut wrong = String::new();
    for &(text, place, words) in MISTAKES {
        let error = error(text);
        let told = error.report();
        let right = error.span().is_some_and(|span| &text[span] == place) && told.contains(words);
        if !right
            || ["k_", "_clause", "compat"]
                .iter()
                .any(|rule| told.contains(rule))
        {
            wrong.push_str(&format!("\n{text}\nlacks `{words}` at `{place}`:\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn only_bare_words_are_taken_for_a_label() {
    assert!(error("a where b = Cy Dee").report().contains("\"Cy Dee\""));
    for text in [
        "begin as \"Cy\" update a",
        "a where b = 1 Dee",
        "update a where true b = 1",
    ] {
        let told = error(text).report();
        assert!(!told.contains("several words"), "{told}");
    }
}

#[test]
fn expectations_speak_the_language() {
    for (text, expected) in [
        (
            "a where b c",
            "an operator, another clause or the end of the statement",
        ),
        ("a where", "a value"),
        ("a where f(b c)", "an operator, `)`, `,`, `by` or `where`"),
        ("add a b", "`(`"),
        ("set zon = 1", "`base currency`, `zone` or `fiscal year`"),
        ("create object a (b 3)", "a field type"),
    ] {
        let error = error(text);
        assert_eq!(error.expectation(), Some(expected), "{text}\n{error:?}");
    }
}
