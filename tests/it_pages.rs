//! Pages of a result put together are the result, whatever comes and goes between them.

#![expect(
    clippy::unwrap_used,
    reason = "what a test needs and does not find fails it"
)]

use fieldbook::{Book, params};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A deal as assignments; empty where a value is missing.
fn deal() -> impl Strategy<Value = String> {
    let part = |choices: &'static [&'static str]| select(choices);
    (
        part(&["", ", amount = 10", ", amount = 20"]),
        part(&["", ", size = 0.5", ", size = -1.25", ", size = 3"]),
        part(&["", ", kind = new", ", kind = renewal"]),
        part(&["", ", stage = open", ", stage = won", ", stage = aside"]),
        part(&["", ", firm = acme", ", firm = borealis"]),
        part(&["", ", day = 2026-01-01", ", day = 2026-02-01"]),
        part(&["", ", hot = true", ", hot = false"]),
        part(&[
            "",
            ", note = \"b\"",
            ", note = \"\u{e4}\"",
            ", note = \"a\"",
        ]),
    )
        .prop_map(|parts| {
            let (a, b, c, d, e, f, g, h) = parts;
            [a, b, c, d, e, f, g, h].concat()
        })
}

fn order() -> impl Strategy<Value = String> {
    let keys = [
        "amount",
        "size",
        "kind",
        "stage",
        "firm",
        "day",
        "hot",
        "note",
        "firm.name",
        "coalesce(amount, 0) * 2",
        "month(day)",
        "length(note)",
        "amount / total(amount)",
    ];
    vec((select(keys.to_vec()), any::<bool>()), 0..4).prop_map(|keys| {
        let keys: Vec<_> = keys
            .into_iter()
            .map(|(key, down)| format!("{key}{}", if down { " desc" } else { "" }))
            .collect();
        match keys.as_slice() {
            [] => String::new(),
            keys => format!(" order by {}", keys.join(", ")),
        }
    })
}

/// A book of deals named by the order in which they came.
fn book(deals: &[String]) -> Book {
    let book = Book::options().bare(true).in_memory().unwrap();
    book.execute(
        "create object stages (name text label, place integer) ordered by place;
         create object firms (name text label);
         create object deals (name text label, amount money, size number,
           kind picklist (new, renewal), stage ref stages, firm ref firms, day date, hot boolean,
           note text);
         add stages (name = \"open\", place = 1), (name = \"won\", place = 2), (name = \"aside\");
         add firms (name = \"acme\"), (name = \"borealis\")",
    )
    .unwrap();
    add(&book, deals, 0);
    book
}

fn add(book: &Book, deals: &[String], from: usize) {
    for (at, deal) in deals.iter().enumerate() {
        let name = from + at;
        let add = format!("add deals (name = \"{name}\"{deal})");
        book.execute(&add).unwrap();
    }
}

fn names(book: &Book, text: &str, cursor: Option<&str>) -> (Vec<String>, Option<String>) {
    let given = match text.contains("$cursor") {
        true => params! { cursor: cursor },
        false => params! {},
    };
    let rows = book.query_with(text, given);
    let rows = rows.map_err(|error| error.report()).unwrap();
    let count = rows.columns().len();
    let line = |row: fieldbook::Row<'_>| {
        let cells: Vec<_> = (0..count).map(|at| row.text(at)).collect();
        cells.join(" ")
    };
    let names = rows.iter().map(line).collect();
    (names, rows.cursor())
}

/// All pages, `between` being done after each.
fn pages(book: &Book, text: &str, mut between: impl FnMut(usize)) -> Vec<String> {
    let mut all = Vec::new();
    let mut cursor: Option<String> = None;
    for page in 0.. {
        let (names, next) = names(book, text, cursor.as_deref());
        all.extend(names);
        match next {
            Some(next) => cursor = Some(next),
            None => return all,
        }
        assert!(page < 500, "{text} does not end");
        between(page);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn pages_make_up_the_result(
        deals in vec(deal(), 0..30),
        orders in vec(order(), 4),
        limit in 1usize..7,
        ties: bool,
    ) {
        let book = book(&deals);
        let ties = if ties { " with ties" } else { "" };
        for order in &orders {
            let whole = format!("deals where size is empty or size > -2 select name{order}");
            let text = format!("{whole} limit {limit}{ties} after $cursor");
            prop_assert_eq!(pages(&book, &text, |_| {}), names(&book, &whole, None).0, "{}", text);
        }
        for keys in ["kind", "stage, kind", "firm", "month(day) as m", "size, hot", "note", "amount"] {
            let whole = format!("deals group by {keys} order by count() desc");
            let text = format!("{whole} limit {limit} after $cursor");
            prop_assert_eq!(pages(&book, &text, |_| {}), names(&book, &whole, None).0, "{}", text);
        }
    }

    /// Records that are there all the time come exactly once, in their order.
    #[test]
    fn records_that_stay_come_once(
        deals in vec(deal(), 1..25),
        more in vec(deal(), 0..12),
        gone in vec(any::<prop::sample::Index>(), 0..8),
        order in order(),
        limit in 1usize..5,
    ) {
        // A share of the total changes with every record.
        let order = order.replace("amount / total(amount)", "amount");
        let book = book(&deals);
        let gone: Vec<usize> = gone.iter().map(|index| index.index(deals.len())).collect();
        let stay = |name: &String| !gone.iter().any(|gone| gone.to_string() == *name);
        let whole = format!("deals select name{order}");
        let expected: Vec<_> = names(&book, &whole, None).0.into_iter().filter(stay).collect();
        let found = pages(&book, &format!("{whole} limit {limit} after $cursor"), |page| {
            if let Some(deal) = more.get(page) {
                add(&book, std::slice::from_ref(deal), deals.len() + page);
            }
            if let Some(gone) = gone.get(page) {
                book.execute(&format!("delete deals where name = \"{gone}\"")).unwrap();
            }
        });
        let old = |name: &String| name.parse::<usize>().unwrap() < deals.len();
        let found: Vec<_> = found.into_iter().filter(|name| old(name) && stay(name)).collect();
        prop_assert_eq!(found, expected, "{}", whole);
    }
}
