//! Parameters of prepared statements: their types, what may be given, and statements that live on
//! while definitions change.

#![expect(
    clippy::unwrap_used,
    reason = "what a test needs and does not find fails it"
)]

use fieldbook::{Book, Date, Prepared, RecordId, params};

fn book() -> Book {
    let book = Book::options().bare(true).in_memory().unwrap();
    book.execute(
        "create object firms (name text label);
         create object deals (name text label, firm ref firms, amount money, day date, at datetime,
           kind picklist (new, renewal), size integer, part percent, hot boolean);
         add firms (name = \"acme\"), (name = \"borealis\");
         add deals (name = \"a\", firm = acme, amount = 10, day = 2026-05-01, kind = new, size = 1),
           (name = \"b\", firm = borealis, amount = 20, day = 2026-06-01, kind = renewal, size = 2),
           (name = \"c\")",
    )
    .unwrap();
    book
}

fn types(book: &Book, text: &str) -> Vec<String> {
    let prepared = book.prepare(text).unwrap();
    let parameters = prepared.parameters().map_err(|e| e.report()).unwrap();
    let shown = parameters.iter();
    shown
        .map(|p| format!("{} {}", p.name, p.type_text))
        .collect()
}

fn names(prepared: &Prepared, parameters: fieldbook::Parameters) -> Vec<String> {
    let rows = prepared.query(parameters).map_err(|e| e.report()).unwrap();
    rows.deserialize().unwrap()
}

#[test]
fn each_parameter_has_the_type_of_its_place() {
    let book = book();
    let one = |text: &str| types(&book, text).join(", ");
    assert_eq!(one("deals where amount >= $x"), "x money");
    assert_eq!(one("deals where $x < amount"), "x money");
    assert_eq!(one("deals where amount * $x > 3"), "x number");
    assert_eq!(one("deals where amount / $x > 3"), "x number");
    assert_eq!(one("deals where amount + $x > 3"), "x money");
    assert_eq!(one("deals where day > $x"), "x date");
    assert_eq!(one("deals where at + $x > now"), "x duration");
    assert_eq!(one("deals where day in $x"), "x period");
    assert_eq!(one("deals where day in ($x, $y)"), "x date, y date");
    assert_eq!(one("deals where firm = $x"), "x ref firms");
    assert_eq!(
        one("deals where firm in ($x, $y)"),
        "x ref firms, y ref firms"
    );
    assert_eq!(one("deals where firm.name = $x"), "x text");
    assert_eq!(one("deals where kind = $x"), "x picklist");
    assert_eq!(one("deals where kind >= $x"), "x picklist");
    assert_eq!(one("deals where name ~ $x"), "x text");
    assert_eq!(one("deals where hot = $x"), "x boolean");
    assert_eq!(one("deals where $x"), "x boolean");
    assert_eq!(one("firms $x"), "x ref firms");
    assert_eq!(one("deals limit $n offset $m"), "m integer, n integer");
    assert_eq!(
        one("deals limit $n after $cursor"),
        "cursor text, n integer"
    );
    assert_eq!(one("deals select round(amount / 3, $x)"), "x integer");
    assert_eq!(one("deals select month($x)"), "x date");
    assert_eq!(one("deals select coalesce(amount, $x)"), "x money");
    assert_eq!(
        one("firms where count(deals where amount > $x) > $n"),
        "n integer, x money"
    );
    assert_eq!(
        one("firms select name, deals where size = $x { name }"),
        "x integer"
    );
    assert_eq!(one("deals where firm in (firms where name = $x)"), "x text");
    assert_eq!(one("deals select $x as given"), "x any");
    assert_eq!(
        one("add deals (name = $x, amount = $y, firm = $z)"),
        "x text, y money, z ref firms"
    );
    assert_eq!(
        one("update deals where size > $x set kind = $y"),
        "x integer, y picklist"
    );
    assert_eq!(one("deals"), "");
    book.execute("create view big($least money) as deals where amount >= $least")
        .unwrap();
    assert_eq!(one("big"), "least money");
    assert_eq!(one("big($x)"), "x money");
}

#[test]
fn wrong_names_and_values_are_told() {
    let book = book();
    let deals = book
        .prepare("deals where amount >= $min and firm = $firm select name")
        .unwrap();
    let error = |parameters: fieldbook::Parameters| deals.query(parameters).unwrap_err().report();
    let unknown = error(params! { mni: 5, firm: "acme" });
    assert!(unknown.contains("no parameter `$mni`"), "{unknown}");
    assert!(unknown.contains("did you mean `min`"), "{unknown}");
    assert!(unknown.contains("$firm, $min"), "{unknown}");
    let missing = error(params! { firm: "acme" });
    assert!(
        missing.contains("no value was given for `$min`"),
        "{missing}"
    );
    assert!(missing.contains("an amount"), "{missing}");
    let wrong = error(params! { min: Date::from_ymd(2026, 5, 1).unwrap(), firm: "acme" });
    assert!(
        wrong.contains("`$min` is a date") && wrong.contains("expected an amount"),
        "{wrong}"
    );
    let none = error(params! { min: 5, firm: "acmee" });
    assert!(none.contains("acmee") && none.contains("acme"), "{none}");
    let one_off = book
        .query_with("deals", params! { min: 5 })
        .unwrap_err()
        .report();
    assert!(one_off.contains("no parameter `$min`"), "{one_off}");
    let add = book.prepare("add firms (name = $name)").unwrap();
    let unknown = add
        .execute(params! { name: "x", nam: "y" })
        .unwrap_err()
        .report();
    assert!(unknown.contains("no parameter `$nam`"), "{unknown}");
    assert_eq!(book.query("firms").unwrap().len(), 2);
}

#[test]
fn values_of_rust_and_nothing() {
    let book = book();
    let by_firm = book
        .prepare("deals where firm = $firm select name")
        .unwrap();
    assert_eq!(names(&by_firm, params! { firm: "ACME" }), ["a"]);
    assert_eq!(names(&by_firm, params! { firm: RecordId(1) }), ["b"]);
    let not = book
        .prepare("deals where firm != $firm select name")
        .unwrap();
    // What is missing equals nothing, not even what is missing too; `!=` is the complement.
    assert!(names(&by_firm, params! { firm: None::<String> }).is_empty());
    assert_eq!(
        names(&not, params! { firm: None::<String> }),
        ["a", "b", "c"]
    );
    let above = book
        .prepare("deals where amount > $min select name")
        .unwrap();
    assert!(names(&above, params! { min: None::<i64> }).is_empty());
    assert_eq!(names(&above, params! { min: 10.5 }), ["b"]);
    assert_eq!(names(&above, params! { min: "10" }), ["b"]);
    let listed = book
        .prepare("deals where kind in ($a, $b) select name")
        .unwrap();
    assert_eq!(
        names(&listed, params! { a: "new", b: None::<String> }),
        ["a"]
    );
}

#[test]
fn a_prepared_query_notices_what_changes() {
    let book = book();
    let by_kind = book
        .prepare("deals where kind = $kind select name")
        .unwrap();
    let by_name = book
        .prepare("deals where name = $name select name")
        .unwrap();
    let by_view = book.prepare("chosen($n) select name").unwrap();
    let star = book.prepare("deals where name = \"a\"").unwrap();
    assert!(by_kind.query(params! { kind: "upsell" }).is_err());
    book.execute(
        "alter object deals add label kind upsell; add deals (name = \"d\", kind = upsell)",
    )
    .unwrap();
    assert_eq!(names(&by_kind, params! { kind: "upsell" }), ["d"]);
    for change in ["create index on deals (name)", "drop index on deals (name)"] {
        assert_eq!(names(&by_name, params! { name: "b" }), ["b"]);
        book.execute(change).unwrap();
        assert_eq!(
            names(&by_name, params! { name: "b" }),
            ["b"],
            "after {change}"
        );
    }
    assert!(by_view.query(params! { n: 1 }).is_err());
    book.execute("create view chosen($n integer) as deals where size > $n")
        .unwrap();
    assert_eq!(names(&by_view, params! { n: 1 }), ["b"]);
    book.execute("drop view chosen; create view chosen($n integer) as deals where size = $n")
        .unwrap();
    assert_eq!(names(&by_view, params! { n: 1 }), ["a"]);
    let columns = star.query(params! {}).unwrap().columns().len();
    book.execute("alter object deals add field note text")
        .unwrap();
    assert_eq!(star.query(params! {}).unwrap().columns().len(), columns + 1);
    book.execute("alter object deals rename field name to title")
        .unwrap();
    let gone = by_name.query(params! { name: "b" }).unwrap_err().report();
    assert!(gone.contains("no field `name`"), "{gone}");
}

#[test]
fn a_prepared_query_sees_another_handle_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shared.fieldbook");
    let writer = Book::options().bare(true).open(&path).unwrap();
    writer
        .execute("create object firms (name text label); add firms (name = \"a\")")
        .unwrap();
    let reader = Book::options().read_only(true).open(&path).unwrap();
    let all = reader.prepare("firms").unwrap();
    assert_eq!(all.query(params! {}).unwrap().columns().len(), 1);
    writer
        .execute("alter object firms add field city text; add firms (name = \"b\")")
        .unwrap();
    let rows = all.query(params! {}).unwrap();
    assert_eq!((rows.columns().len(), rows.len()), (2, 2));
}

#[test]
fn a_day_opposite_a_moment_means_the_whole_day() {
    let book = book();
    book.execute(
        "update deals where name = \"a\" set at = 2026-05-15T00:00;
         update deals where name = \"b\" set at = 2026-05-15T18:00;
         update deals where name = \"c\" set at = 2026-05-16T00:00",
    )
    .unwrap();
    let day = Date::from_ymd(2026, 5, 15).unwrap();
    let on = |condition: &str| {
        let prepared = book
            .prepare(&format!("deals where {condition} select name"))
            .unwrap();
        names(&prepared, params! { day: day })
    };
    assert_eq!(on("at = $day"), ["a", "b"]);
    assert_eq!(on("at != $day"), ["c"]);
    assert_eq!(on("at <= $day"), ["a", "b"]);
    assert_eq!(on("at > $day"), ["c"]);
    assert_eq!(on("at in ($day, 2026-05-16T00:00)"), ["a", "b", "c"]);
}
