//! What `.help WORD` says of the language: one entry a topic, each with an example that runs on
//! the sample book. The full description is `docs/query-language.md`.

/// A topic: its words, and what to know.
pub(super) struct Topic {
    pub(super) words: &'static [&'static str],
    pub(super) text: &'static str,
}

const fn topic(words: &'static [&'static str], text: &'static str) -> Topic {
    Topic { words, text }
}

/// Every topic, in the order of a statement's clauses.
pub(super) const TOPICS: &[Topic] = &[
    topic(
        &["query", "queries"],
        "OBJECT [let n = e, ...] [where c] [group by e, ...] [having c] [select ...]\n\
         [order by e [desc], ...] [limit n] [offset n]\n\n  \
         opportunities where territory = SW and stage >= proposal order by amount desc limit 5",
    ),
    topic(
        &[
            "where", "and", "or", "not", "in", "between", "like", "is", "empty",
        ],
        "Conditions: = != < <= > >=, `~` contains, `like` with * and ?, `in (a, b)`,\n\
         `between a and b`, `is empty`, `and`, `or`, `not`. Bare words are labels or fields.\n\n  \
         accounts where name ~ \"acme\" and industry in (retail, finance)",
    ),
    topic(
        &["select", "as"],
        "The columns to show: fields, paths to parents, computations. `as` names one.\n\n  \
         opportunities where open select name, account.name, amount * 0.1 as share limit 5",
    ),
    topic(
        &["group", "having", "count", "sum", "avg", "min", "max"],
        "Groups and aggregates: count() sum(x) avg(x) min(x) max(x), each with `where`.\n\n  \
         opportunities group by stage select stage, count() as deals, sum(amount) as total",
    ),
    topic(
        &["order", "limit", "offset", "asc", "desc"],
        "Order and number of rows. Missing values come last both ways.\n\n  \
         opportunities order by amount desc limit 10",
    ),
    topic(
        &["let"],
        "Names for expressions that later clauses use.\n\n  \
         accounts let pipeline = sum(opportunities.amount where open) where pipeline > 100k \
         select name, pipeline",
    ),
    topic(
        &["exists", "collection", "outer"],
        "Conditions and aggregates over the records that refer to this one; `outer` is this one.\
         \n\n  accounts where not exists(activities where done_at in last 6 months)",
    ),
    topic(
        &["under", "above", "hierarchy"],
        "In a hierarchy, the node itself and all below, or above, it.\n\n  \
         accounts where territory under West",
    ),
    topic(
        &["date", "period", "today", "last", "next", "this"],
        "Dates are 2026-05-15; periods 2026, 2026-Q3, 2026-07, `this quarter`, `last 6 months`,\n\
         `next 3 weeks`; `today + 7 days`.\n\n  \
         opportunities where open and close_date in this quarter",
    ),
    topic(
        &["add"],
        "add OBJECT (field = value, ...), (...)\n\n  \
         add accounts (name = \"Cobalt\", industry = retail)",
    ),
    topic(
        &["update", "set"],
        "update OBJECT where c set field = value, ...; `where true` is for all.\n\n  \
         update opportunities where name = \"Acme renewal\" set stage = won, close_date = today",
    ),
    topic(
        &["upsert", "on"],
        "upsert OBJECT on FIELD (field = value, ...): updates the record with that field, or adds\
         \n\n  upsert contacts on email (email = \"paz@acme.example\", name = \"Paz Ruiz\")",
    ),
    topic(
        &["delete"],
        "delete OBJECT where c\n\n  \
         delete activities where status = cancelled and due < 2020-01-01",
    ),
    topic(
        &["import", "from"],
        "import OBJECT from \"file.csv\" [on FIELD] [(field = expression over columns, ...)]\n\n  \
         import accounts from \"accounts.csv\" on name (name = account, industry = sector)",
    ),
    topic(
        &["export", "to"],
        "export (QUERY) to \"file.csv\"\n\n  \
         export (opportunities where open) to \"open.csv\"",
    ),
    topic(
        &["create", "alter", "drop", "view", "index", "object"],
        "create object, create index, create view; alter object; drop object, view or index.\n\n  \
         create object visits (name text label, account ref accounts required, at datetime)\n  \
         alter object accounts add field tier picklist (bronze, silver, gold)\n  \
         create index on contacts (email) unique\n  \
         create view hot($min money) as opportunities where open and amount >= $min",
    ),
    topic(
        &["begin", "commit", "rollback", "transaction"],
        "begin [at DATETIME] [as ACTOR]; ... commit (or rollback)",
    ),
    topic(
        &["explain"],
        "explain QUERY: how it would be answered.\n\n  \
         explain opportunities where territory = SW",
    ),
];

/// The topic of a word.
pub(super) fn find(word: &str) -> Option<&'static Topic> {
    let same = |w: &&str| w.eq_ignore_ascii_case(word);
    TOPICS.iter().find(|topic| topic.words.iter().any(same))
}
