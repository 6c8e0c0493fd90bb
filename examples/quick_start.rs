//! A book in a file: records from a struct, queries into a struct, a prepared statement.
//!
//! Run it with `cargo run --example quick_start`.
#![expect(clippy::print_stdout, reason = "an example shows what it finds")]

use fieldbook::{Book, Date, params};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct NewDeal<'a> {
    name: &'a str,
    account: &'a str,
    stage: Option<&'a str>,
    amount: i64,
    close_date: Option<Date>,
}

#[derive(Deserialize)]
struct Deal {
    name: String,
    account: String,
    stage: String,
    amount: f64,
}

fn main() -> fieldbook::Result<()> {
    let directory = tempfile::tempdir().expect("a directory for temporary files");
    let book = Book::open(directory.path().join("sales.fieldbook"))?;

    // Statements, as in the shell.
    book.execute(
        "add accounts (name = \"Acme\", industry = manufacturing),
                      (name = \"Borealis\", industry = retail)",
    )?;

    // Several records in one transaction, each from a struct: all of them or none.
    let mut write = book.write()?;
    for (name, account, stage, amount) in [
        ("Acme renewal", "Acme", Some("proposal"), 40_000),
        ("Acme expansion", "Acme", Some("negotiate"), 120_000),
        ("Borealis pilot", "Borealis", None, 15_000),
    ] {
        write.add(
            "opportunities",
            &NewDeal {
                name,
                account,
                stage,
                amount,
                close_date: Date::from_ymd(2026, 6, 30),
            },
        )?;
    }
    write.commit()?;

    // A query into a struct. `stage >= proposal` follows the order of the sales process.
    let rows = book.query(
        "opportunities where stage >= proposal
         select name, account, stage, amount order by amount desc",
    )?;
    for deal in rows.deserialize::<Deal>()? {
        let Deal {
            name,
            account,
            stage,
            amount,
        } = deal;
        println!("{name} ({account}): {stage}, {amount}");
    }

    // A statement read once and run often.
    let pipeline = book.prepare("opportunities where account = $account select sum(amount)")?;
    for account in ["Acme", "Borealis"] {
        let total: f64 = pipeline.query(params! { account: account })?.one()?;
        println!("{account}: {total}");
    }
    book.close()
}
