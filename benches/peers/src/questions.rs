//! The questions: asked of all three, compared, timed.

use crate::cell::check;
use crate::data::Files;
use crate::fieldbook_engine::{answer, number};
use crate::measure::{Run, medians, spread};
use crate::table::{Table, Unit};
use crate::{Arguments, Result, duck, fieldbook_engine, sqlite};
use fieldbook::RecordId;
use std::hint::black_box;

/// A question in three languages. `$id` in ours is `?1` in theirs: an id of `spread`.
struct Question {
    name: &'static str,
    ours: &'static str,
    /// SQLite's SQL, and DuckDB's where it must differ.
    sqlite: &'static str,
    duckdb: Option<&'static str>,
    /// Whether the order of rows is asked for.
    ordered: bool,
}

const fn question(name: &'static str, ours: &'static str, sql: &'static str) -> Question {
    Question {
        name,
        ours,
        sqlite: sql,
        duckdb: None,
        ordered: false,
    }
}

impl Question {
    const fn duckdb(self, sql: &'static str) -> Self {
        Self {
            duckdb: Some(sql),
            ..self
        }
    }

    const fn ordered(self) -> Self {
        Self {
            ordered: true,
            ..self
        }
    }
}

/// Questions of one account.
const POINTS: &[Question] = &[
    question(
        "account by id, as a query",
        "accounts where id = $id select name, industry, city, owner",
        "SELECT a.name, a.industry, a.city, r.name FROM accounts a \
         LEFT JOIN reps r ON r.id = a.owner WHERE a.id = ?1",
    ),
    question(
        "its contacts",
        "contacts where account.id = $id select name, role, email order by id",
        "SELECT name, role, email FROM contacts WHERE account = ?1 ORDER BY id",
    )
    .ordered(),
    question(
        "its open opportunities",
        "opportunities where account.id = $id and open select name, amount, close_date order by id",
        "SELECT o.name, o.amount / 100.0, o.close_date FROM opportunities o \
         JOIN stages s ON s.id = o.stage WHERE o.account = ?1 AND s.outcome = 'open' ORDER BY o.id",
    )
    .ordered(),
];

const QUESTIONS: &[Question] = &[
    question(
        "count: territory=SW and stage>=proposal",
        "opportunities where territory=SW and stage>=proposal select count()",
        "SELECT count(*) FROM opportunities o JOIN stages s ON s.id = o.stage \
         WHERE o.territory = (SELECT id FROM territories WHERE code = 'SW') AND s.position >= 3",
    ),
    question(
        "list: the same, four fields",
        "opportunities where territory=SW and stage>=proposal \
         select name, owner, amount, close_date",
        "SELECT o.name, r.name, o.amount / 100.0, o.close_date FROM opportunities o \
         JOIN stages s ON s.id = o.stage LEFT JOIN reps r ON r.id = o.owner \
         WHERE o.territory = (SELECT id FROM territories WHERE code = 'SW') AND s.position >= 3",
    ),
    question(
        "top 20: the same, by amount",
        "opportunities where territory=SW and stage>=proposal \
         select name, owner, amount, close_date order by amount desc, id limit 20",
        "SELECT o.name, r.name, o.amount / 100.0, o.close_date FROM opportunities o \
         JOIN stages s ON s.id = o.stage LEFT JOIN reps r ON r.id = o.owner \
         WHERE o.territory = (SELECT id FROM territories WHERE code = 'SW') AND s.position >= 3 \
         ORDER BY o.amount DESC, o.id LIMIT 20",
    )
    .ordered(),
    question(
        "pipeline by stage",
        "opportunities where open group by stage select stage, count(), sum(amount)",
        "SELECT s.name, count(*), sum(o.amount) / 100.0 FROM opportunities o \
         JOIN stages s ON s.id = o.stage WHERE s.outcome = 'open' GROUP BY s.id, s.name",
    ),
    question(
        "all by stage",
        "opportunities group by stage select stage, count(), sum(amount)",
        "SELECT s.name, count(*), sum(o.amount) / 100.0 FROM opportunities o \
         JOIN stages s ON s.id = o.stage GROUP BY s.id, s.name",
    ),
    question(
        "won by month and owner",
        "opportunities where won group by month(close_date), owner \
         select month(close_date), owner, count(), sum(amount)",
        "SELECT substr(o.close_date, 1, 7) || '-01', r.name, count(*), sum(o.amount) / 100.0 \
         FROM opportunities o JOIN stages s ON s.id = o.stage LEFT JOIN reps r ON r.id = o.owner \
         WHERE s.outcome = 'won' GROUP BY substr(o.close_date, 1, 7), o.owner, r.name",
    )
    .duckdb(
        "SELECT date_trunc('month', o.close_date)::DATE, r.name, count(*), sum(o.amount) / 100.0 \
         FROM opportunities o JOIN stages s ON s.id = o.stage LEFT JOIN reps r ON r.id = o.owner \
         WHERE s.outcome = 'won' GROUP BY date_trunc('month', o.close_date), o.owner, r.name",
    ),
    question(
        "sum by the manager of the account's owner",
        "opportunities group by account.owner.manager \
         select account.owner.manager, count(), sum(amount)",
        "SELECT m.name, count(*), sum(o.amount) / 100.0 FROM opportunities o \
         LEFT JOIN accounts a ON a.id = o.account LEFT JOIN reps r ON r.id = a.owner \
         LEFT JOIN reps m ON m.id = r.manager GROUP BY m.id, m.name",
    ),
    question(
        "condition two parents up",
        "opportunities where account.owner.manager = \"Dee Park\" and open \
         select count(), sum(amount)",
        "SELECT count(*), coalesce(sum(o.amount), 0) / 100.0 FROM opportunities o \
         JOIN stages s ON s.id = o.stage JOIN accounts a ON a.id = o.account \
         JOIN reps r ON r.id = a.owner JOIN reps m ON m.id = r.manager \
         WHERE m.name = 'Dee Park' AND s.outcome = 'open'",
    ),
    question(
        "open sum of a territory's subtree",
        "opportunities where territory under West and open select sum(amount)",
        "WITH RECURSIVE below(id) AS (SELECT id FROM territories WHERE code = 'West' UNION ALL \
         SELECT t.id FROM territories t JOIN below b ON t.parent = b.id) \
         SELECT sum(o.amount) / 100.0 FROM opportunities o JOIN stages s ON s.id = o.stage \
         WHERE s.outcome = 'open' AND o.territory IN (SELECT id FROM below)",
    ),
    question(
        "accounts without activity for six months",
        "accounts where not exists(activities where done_at >= 2025-11-15) select count()",
        "SELECT count(*) FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM activities x \
         WHERE x.account = a.id AND x.done_at >= '2025-11-15 00:00:00')",
    ),
    question(
        "accounts by their open pipeline",
        "accounts let pipeline = sum(opportunities.amount where open) \
         where pipeline > 100k select count()",
        "SELECT count(*) FROM (SELECT o.account FROM opportunities o \
         JOIN stages s ON s.id = o.stage WHERE s.outcome = 'open' \
         GROUP BY o.account HAVING sum(o.amount) > 10000000) x",
    ),
    question(
        "top 3 of each territory, ties too",
        "opportunities where open select territory, name, amount \
         order by amount desc limit 3 per territory",
        "SELECT t.code, x.name, x.amount / 100.0 FROM (SELECT o.territory, o.name, o.amount, \
         rank() OVER (PARTITION BY o.territory ORDER BY o.amount DESC) AS k FROM opportunities o \
         JOIN stages s ON s.id = o.stage WHERE s.outcome = 'open') x \
         LEFT JOIN territories t ON t.id = x.territory WHERE x.k <= 3",
    ),
    question(
        "attainment by rep, this quarter",
        "reps let won_value = sum(opportunities.amount where won and close_date in 2026-Q2), \
         quota = sum(quotas.amount where period = 2026-Q2) where won_value > 0 \
         select name, won_value, quota, won_value / quota",
        "SELECT r.name, w.v / 100.0, coalesce(q.v, 0) / 100.0, CAST(w.v AS DOUBLE) / q.v \
         FROM reps r JOIN (SELECT o.owner, sum(o.amount) AS v FROM opportunities o \
         JOIN stages s ON s.id = o.stage WHERE s.outcome = 'won' \
         AND o.close_date >= '2026-04-01' AND o.close_date < '2026-07-01' GROUP BY o.owner) w \
         ON w.owner = r.id LEFT JOIN (SELECT rep, sum(amount) AS v FROM quotas \
         WHERE period = '2026-04-01' GROUP BY rep) q ON q.rep = r.id WHERE w.v > 0",
    ),
    question(
        "median and p90 of cycle days by owner",
        "opportunities where closed group by owner \
         select owner, median(cycle_days), p90(cycle_days)",
        "SELECT r.name, \
         sum(d * CASE k - CAST(h5 AS INTEGER) WHEN 0 THEN 1 - h5 + CAST(h5 AS INTEGER) \
         WHEN 1 THEN h5 - CAST(h5 AS INTEGER) ELSE 0 END), \
         sum(d * CASE k - CAST(h9 AS INTEGER) WHEN 0 THEN 1 - h9 + CAST(h9 AS INTEGER) \
         WHEN 1 THEN h9 - CAST(h9 AS INTEGER) ELSE 0 END) FROM (\
         SELECT owner, d, row_number() OVER w - 1 AS k, \
         (count(*) OVER (PARTITION BY owner) - 1) * 0.5 AS h5, \
         (count(*) OVER (PARTITION BY owner) - 1) * 0.9 AS h9 FROM (\
         SELECT o.owner, julianday(o.close_date) - julianday(o.opened_on) AS d \
         FROM opportunities o JOIN stages s ON s.id = o.stage WHERE s.outcome <> 'open') \
         WINDOW w AS (PARTITION BY owner ORDER BY d)) x \
         LEFT JOIN reps r ON r.id = x.owner GROUP BY x.owner, r.name",
    )
    .duckdb(
        "SELECT r.name, median(o.close_date - o.opened_on), \
         quantile_cont(o.close_date - o.opened_on, 0.9) FROM opportunities o \
         JOIN stages s ON s.id = o.stage LEFT JOIN reps r ON r.id = o.owner \
         WHERE s.outcome <> 'open' GROUP BY o.owner, r.name",
    ),
    question(
        "opportunities whose name contains `rollout`",
        "opportunities where name ~ \"rollout\" select count()",
        "SELECT count(*) FROM opportunities WHERE name LIKE '%rollout%'",
    )
    .duckdb("SELECT count(*) FROM opportunities WHERE contains(lower(name), 'rollout')"),
    question(
        "contacts whose folded name contains `ANNA`",
        "contacts where name ~ \"ANNA\" select count()",
        "SELECT count(*) FROM contacts WHERE instr(name_folded, 'anna') > 0",
    )
    .duckdb("SELECT count(*) FROM contacts WHERE contains(name_folded, 'anna')"),
    question(
        "distinct accounts by stage",
        "opportunities group by stage select stage, count(distinct account)",
        "SELECT s.name, count(DISTINCT o.account) FROM opportunities o \
         JOIN stages s ON s.id = o.stage GROUP BY s.id, s.name",
    ),
];

pub(crate) fn run(arguments: &Arguments, files: &Files, table: &mut Table) -> Result<()> {
    let book = fieldbook_engine::open(&files.fieldbook)?;
    let accounts: i64 = book.query("accounts select count()")?.one()?;
    let peers = match arguments.alone {
        true => None,
        false => Some((sqlite::open(&files.sqlite)?, duck::open(&files.duckdb)?)),
    };

    table.section("One record");
    if arguments.wants("point read") {
        let read = book.read()?;
        let sql = "SELECT * FROM accounts WHERE id = ?1";
        let mut peers = prepared(peers.as_ref(), sql, sql)?;
        let mut ids = [spread(accounts), spread(accounts), spread(accounts)];
        let [a, b, c] = &mut ids;
        let next = |ids: &mut dyn Iterator<Item = i64>| ids.next().unwrap_or(0);
        let mut runs: Vec<Run<'_>> = vec![Box::new(|| {
            Ok(drop(black_box(
                read.get("accounts", RecordId(next(a).unsigned_abs()))?,
            )))
        })];
        if let Some((lite, duck)) = &mut peers {
            runs.push(Box::new(|| sqlite::drain(lite, &[&next(b)])));
            runs.push(Box::new(|| duck::drain(duck, &[&next(c)])));
        }
        let name = "point read: all fields of an account";
        timed(arguments, table, name, runs)?;
    }
    let by_key = question(
        "rep by e-mail address",
        "reps where email = \"dee@fieldbook.example\" select name, role",
        "SELECT name, role FROM reps WHERE email = 'dee@fieldbook.example'",
    );
    for (at, question) in POINTS.iter().chain([&by_key]).chain(QUESTIONS).enumerate() {
        if at == POINTS.len() + 1 {
            table.section("Questions");
        }
        if !arguments.wants(question.name) {
            continue;
        }
        let with_id = question.ours.contains("$id");
        let ours = book.prepare(question.ours)?;
        let parameters = |id: i64| {
            if with_id {
                number("id", id)
            } else {
                fieldbook::Parameters::new()
            }
        };
        let in_duckdb = question.duckdb.unwrap_or(question.sqlite);
        let mut peers = prepared(peers.as_ref(), question.sqlite, in_duckdb)?;
        if let Some((lite, duck)) = &mut peers {
            for id in spread(accounts).take(if with_id { 20 } else { 1 }) {
                let found = answer(&ours.query(parameters(id))?);
                let lite_parameters: &[&dyn rusqlite::ToSql] = &[&id];
                let duck_parameters: &[&dyn duckdb::ToSql] = &[&id];
                let count = usize::from(with_id);
                let theirs = sqlite::answer(lite, &lite_parameters[..count])?;
                check(question.name, question.ordered, &found, &theirs, "SQLite")?;
                let theirs = duck::answer(duck, &duck_parameters[..count])?;
                check(question.name, question.ordered, &found, &theirs, "DuckDB")?;
            }
        }
        let mut ids = [spread(accounts), spread(accounts), spread(accounts)];
        let [a, b, c] = &mut ids;
        let count = usize::from(with_id);
        let mut runs: Vec<Run<'_>> = vec![Box::new(|| {
            let id = a.next().unwrap_or(0);
            black_box(ours.query(parameters(id))?);
            Ok(())
        })];
        if let Some((lite, duck)) = &mut peers {
            runs.push(Box::new(|| {
                let id = b.next().unwrap_or(0);
                let parameters: &[&dyn rusqlite::ToSql] = &[&id];
                sqlite::drain(lite, &parameters[..count])
            }));
            runs.push(Box::new(|| {
                let id = c.next().unwrap_or(0);
                let parameters: &[&dyn duckdb::ToSql] = &[&id];
                duck::drain(duck, &parameters[..count])
            }));
        }
        timed(arguments, table, question.name, runs)?;
    }
    drop((book, peers));
    first_answers(arguments, files, table)
}

/// A statement in each peer, if there are any.
fn prepared<'a>(
    peers: Option<&'a (rusqlite::Connection, duckdb::Connection)>,
    sqlite: &str,
    duckdb: &str,
) -> Result<Option<(rusqlite::Statement<'a>, duckdb::Statement<'a>)>> {
    let Some((lite, duck)) = peers else {
        return Ok(None);
    };
    Ok(Some((lite.prepare(sqlite)?, duck.prepare(duckdb)?)))
}

/// Opening a book and its first answer.
fn first_answers(arguments: &Arguments, files: &Files, table: &mut Table) -> Result<()> {
    let name = "open, and the first count of SW";
    if !arguments.wants(name) {
        return Ok(());
    }
    let text = QUESTIONS[0].ours;
    let sql = QUESTIONS[0].sqlite;
    let runs: Vec<Run<'_>> = vec![
        Box::new(|| {
            let book = fieldbook_engine::open(&files.fieldbook)?;
            black_box(book.query(text)?);
            Ok(book.close()?)
        }),
        Box::new(|| {
            let connection = sqlite::open(&files.sqlite)?;
            sqlite::drain(&mut connection.prepare(sql)?, &[])
        }),
        Box::new(|| {
            let connection = duck::open(&files.duckdb)?;
            duck::drain(&mut connection.prepare(sql)?, &[])
        }),
    ];
    timed(arguments, table, name, runs)
}

/// A line of medians; ours alone if that is asked for.
fn timed(
    arguments: &Arguments,
    table: &mut Table,
    name: &str,
    mut runs: Vec<Run<'_>>,
) -> Result<()> {
    if arguments.alone {
        runs.truncate(1);
    }
    let times = medians(&mut runs, arguments.seconds)?;
    table.line(name, Unit::Seconds, &times);
    Ok(())
}
