//! The changes: on copies of the three books, each durable as it says.

use crate::data::Files;
use crate::fieldbook_engine::number;
use crate::measure::{mean, quantile, spread};
use crate::table::{Table, Unit};
use crate::{Arguments, Result, duck, fieldbook_engine, sqlite};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const COMMITS: usize = 2_000;
const IMPORTED: i64 = 1_000_000;

pub(crate) fn run(arguments: &Arguments, files: &Files, table: &mut Table) -> Result<()> {
    let directory = tempfile::tempdir_in(&arguments.directory)?;
    let copy = |path: &Path| -> Result<PathBuf> {
        let to = directory.path().join(path.file_name().unwrap_or_default());
        fs::copy(path, &to)?;
        Ok(to)
    };
    let options = fieldbook_engine::options().exclusive(arguments.exclusive);
    let book = options.open(copy(&files.fieldbook)?)?;
    let lite = sqlite::open(&copy(&files.sqlite)?)?;
    let duck = duck::open(&copy(&files.duckdb)?)?;
    let last: i64 = book.query("opportunities select max(id)")?.one()?;
    let accounts: i64 = book.query("accounts select count()")?.one()?;
    let next = last + 1;
    table.section("Changes");

    if arguments.wants("durable insert") {
        let ours = book.prepare(
            "add opportunities (name = $name, account = $account, owner = \"Dee Park\", \
             territory = \"SW\", stage = \"proposal\", amount = 12500, close_date = 2026-08-01)",
        )?;
        let owner: i64 =
            lite.query_row("SELECT id FROM reps WHERE name = 'Dee Park'", [], |row| {
                row.get(0)
            })?;
        let territory: i64 =
            lite.query_row("SELECT id FROM territories WHERE code = 'SW'", [], |row| {
                row.get(0)
            })?;
        let sql = "INSERT INTO opportunities (id, name, account, owner, territory, stage, amount, \
                   opened_on, close_date) VALUES (?1, ?2, ?3, ?4, ?5, 2, 1250000, '2026-05-15', \
                   '2026-08-01')";
        let mut in_lite = lite.prepare(sql)?;
        let mut in_duck = duck.prepare(sql)?;
        let name = |n: usize| format!("New deal {n}");
        let ids: Vec<i64> = spread(accounts).take(COMMITS).collect();
        let ours = times(&ids, |n, id| {
            let account = fieldbook::Value::Reference(fieldbook::RecordId(id.unsigned_abs()));
            let parameters = fieldbook::Parameters::new().with("name", name(n).as_str());
            ours.execute(parameters.with("account", account))?;
            Ok(())
        })?;
        let in_sqlite = times(&ids, |n, id| {
            in_lite.execute((next + n as i64, name(n), id, owner, territory))?;
            Ok(())
        })?;
        let in_duckdb = times(&ids[..ids.len() / 4], |n, id| {
            in_duck.execute(duckdb::params![
                next + n as i64,
                name(n),
                id,
                owner,
                territory
            ])?;
            Ok(())
        })?;
        both(table, "durable insert", [&ours, &in_sqlite, &in_duckdb]);
    }
    if arguments.wants("durable update") {
        let ours = book.prepare("update opportunities where id = $id set amount = 7700")?;
        let mut in_lite = lite.prepare("UPDATE opportunities SET amount = 770000 WHERE id = ?1")?;
        let mut in_duck = duck.prepare("UPDATE opportunities SET amount = 770000 WHERE id = ?1")?;
        let ids: Vec<i64> = spread(last).take(COMMITS).collect();
        let ours = times(&ids, |_, id| Ok(drop(ours.execute(number("id", id))?)))?;
        let in_sqlite = times(&ids, |_, id| Ok(in_lite.execute([id]).map(drop)?))?;
        let in_duckdb = times(&ids[..ids.len() / 4], |_, id| {
            in_duck.execute(duckdb::params![id])?;
            Ok(())
        })?;
        both(table, "durable update", [&ours, &in_sqlite, &in_duckdb]);
    }
    let bulk = |name: &str, ours: &str, sql: &str, table: &mut Table| -> Result<()> {
        if !arguments.wants(name) {
            return Ok(());
        }
        let ours = once(|| Ok(drop(book.execute(ours)?)))?;
        let in_sqlite = once(|| Ok(lite.execute_batch(sql)?))?;
        let in_duckdb = once(|| Ok(duck.execute_batch(sql)?))?;
        table.line(name, Unit::Seconds, &[ours, in_sqlite, in_duckdb]);
        Ok(())
    };
    bulk(
        "bulk update of 10,000",
        "update opportunities where id >= 5000 and id < 15000 set next_step = \"call again\"",
        "UPDATE opportunities SET next_step = 'call again' WHERE id >= 5000 AND id < 15000",
        table,
    )?;
    bulk(
        "bulk delete of 10,000",
        "delete activities where id >= 5000 and id < 15000",
        "DELETE FROM activities WHERE id >= 5000 AND id < 15000",
        table,
    )?;
    let name = format!("import of {IMPORTED} lines of CSV");
    if arguments.wants(&name) {
        let csv = directory.path().join("activities.csv");
        write_csv(&csv, accounts)?;
        let path = csv.to_string_lossy();
        let import = format!("import activities from \"{path}\"");
        let ours = once(|| Ok(drop(book.execute(&import)?)))?;
        let in_sqlite = once(|| import_sqlite(&lite, &csv))?;
        let in_duckdb = once(|| {
            let last: i64 =
                duck.query_row("SELECT max(id) FROM activities", [], |row| row.get(0))?;
            Ok(duck.execute_batch(&format!(
                "INSERT INTO activities (id, subject, type, account, done_at, minutes, status) \
                 SELECT {last} + row_number() OVER (), subject, type, substr(account, 2)::BIGINT, \
                 done_at, minutes, status FROM read_csv('{path}')"
            ))?)
        })?;
        table.line(&name, Unit::Seconds, &[ours, in_sqlite, in_duckdb]);
        let count = "SELECT count(*) FROM activities";
        let ours: i64 = book.query("activities select count()")?.one()?;
        let theirs: i64 = lite.query_row(count, [], |row| row.get(0))?;
        if ours != theirs {
            return Err(format!("{ours} activities, but {theirs} in SQLite").into());
        }
    }
    Ok(())
}

/// Lines of activities whose accounts are named by id.
fn write_csv(path: &Path, accounts: i64) -> Result<()> {
    let mut file = std::io::BufWriter::new(fs::File::create(path)?);
    writeln!(file, "subject,type,account,done_at,minutes,status")?;
    let types = ["call", "email", "meeting", "demo", "visit"];
    for (n, account) in (0..IMPORTED).zip(spread(accounts)) {
        let ty = types[(n % 5) as usize];
        let (month, day, minutes) = (n / 7 % 12 + 1, n % 28 + 1, n % 90);
        writeln!(
            file,
            "Imported {ty} {n},{ty},#{account},2025-{month:02}-{day:02} 10:00:00,{minutes},done"
        )?;
    }
    Ok(file.flush()?)
}

fn import_sqlite(connection: &rusqlite::Connection, path: &Path) -> Result<()> {
    let mut lines = csv::Reader::from_path(path)?;
    connection.execute_batch("BEGIN")?;
    let mut statement = connection.prepare(
        "INSERT INTO activities (subject, type, account, done_at, minutes, status) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut line = csv::StringRecord::new();
    while lines.read_record(&mut line)? {
        let account: i64 = line[2][1..].parse()?;
        let minutes: i64 = line[4].parse()?;
        statement.execute((&line[0], &line[1], account, &line[3], minutes, &line[5]))?;
    }
    Ok(connection.execute_batch("COMMIT")?)
}

fn times(ids: &[i64], mut each: impl FnMut(usize, i64) -> Result<()>) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(ids.len());
    for (n, &id) in ids.iter().enumerate() {
        let start = Instant::now();
        each(n, id)?;
        times.push(start.elapsed());
    }
    Ok(times)
}

fn once(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}

/// The mean, and the time below which 99 of 100 lie.
fn both(table: &mut Table, name: &str, times: [&[Duration]; 3]) {
    let late = |times: &[Duration]| quantile(times.to_vec(), 0.99);
    table.line(&format!("{name}, mean"), Unit::Seconds, &times.map(mean));
    table.line(&format!("{name}, p99"), Unit::Seconds, &times.map(late));
}
