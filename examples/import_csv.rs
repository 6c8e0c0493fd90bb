//! CSV files with their flaws into a book, and questions about them.
//!
//! Run it with `cargo run --example import_csv`. The script `examples/maven-crm/load.fb` says
//! what goes where and mends what is wrong in the files.
#![expect(clippy::print_stdout, reason = "an example shows what it finds")]

use fieldbook::{Book, Outcome};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/maven-crm");
    let script = std::fs::read_to_string(directory.join("load.fb"))?;

    let book = Book::in_memory()?;
    let mut session = book.session();
    session.set_directory(&directory);
    for outcome in session.execute(&script)? {
        if let Outcome::Imported(report) = outcome {
            println!("{report}");
        }
    }

    let rows = book.query(
        "opportunities where won group by owner
         select owner, count() as deals, sum(amount) as total order by total desc limit 3",
    )?;
    for row in &rows {
        let (owner, deals, total): (String, u64, f64) = row.deserialize()?;
        println!("{owner}: {deals} deals, {total}");
    }
    Ok(())
}
