//! The fields and collections of the made-up book, as queries may name them.

use Kind::*;

/// What kind of value a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Whole,
    Number,
    Money,
    Text,
    Date,
    Moment,
    Period,
    Duration,
    Truth,
    Label(&'static [&'static str]),
    Tags(&'static [&'static str]),
    Reference(&'static str),
    Any,
}

const OUTCOMES: &[&str] = &["open", "won", "lost"];
const INDUSTRIES: &[&str] = &["retail", "finance", "health"];
const SOURCES: &[&str] = &["web", "event", "partner"];
const KINDS: &[&str] = &["call", "demo", "visit"];

pub(super) fn fields(object: &str) -> &'static [(&'static str, Kind)] {
    match object {
        "stages" => &[
            ("name", Text),
            ("position", Whole),
            ("outcome", Label(OUTCOMES)),
            ("probability", Number),
        ],
        "regions" => &[("code", Text), ("parent", Reference("regions"))],
        "people" => &[
            ("name", Text),
            ("boss", Reference("people")),
            ("region", Reference("regions")),
            ("skills", Tags(&["falcon", "osprey", "kite"])),
            ("hired", Date),
            ("active", Truth),
        ],
        "companies" => &[
            ("name", Text),
            ("parent", Reference("companies")),
            ("industry", Label(INDUSTRIES)),
            ("size", Whole),
            ("score", Number),
            ("founded", Date),
            ("active", Truth),
            ("region", Reference("regions")),
            ("owner", Reference("people")),
            ("tags", Tags(&["vip", "risky", "partner"])),
            ("plan", Period),
            ("visit", Duration),
            ("city", Text),
            ("email", Text),
            ("big", Truth),
            ("per_head", Number),
        ],
        "deals" => &[
            ("name", Text),
            ("company", Reference("companies")),
            ("stage", Reference("stages")),
            ("owner", Reference("people")),
            ("amount", Money),
            ("cost", Money),
            ("opened", Date),
            ("closed", Date),
            ("touched", Moment),
            ("chance", Number),
            ("units", Whole),
            ("source", Label(SOURCES)),
            ("open", Truth),
            ("won", Truth),
            ("weighted", Money),
            ("age", Whole),
        ],
        "tasks" => &[
            ("subject", Text),
            ("deal", Reference("deals")),
            ("company", Reference("companies")),
            ("person", Reference("people")),
            ("due", Moment),
            ("done", Moment),
            ("minutes", Whole),
            ("kind", Label(KINDS)),
            ("urgent", Truth),
        ],
        _ => &[
            ("about", Any),
            ("body", Text),
            ("written", Date),
            ("stars", Whole),
        ],
    }
}

/// The collections of an object, and whose records they hold.
pub(super) fn collections(object: &str) -> &'static [(&'static str, &'static str)] {
    match object {
        "regions" => &[
            ("children", "regions"),
            ("companies", "companies"),
            ("people", "people"),
            ("subtree", "regions"),
            ("subtree.companies", "companies"),
            ("companies.subtree.deals", "deals"),
        ],
        "people" => &[
            ("reports", "people"),
            ("companies", "companies"),
            ("deals", "deals"),
            ("tasks", "tasks"),
            ("companies.deals", "deals"),
            ("notes", "notes"),
            ("subtree.deals", "deals"),
        ],
        "companies" => &[
            ("subtree", "companies"),
            ("subtree.deals.tasks", "tasks"),
            ("children", "companies"),
            ("deals", "deals"),
            ("tasks", "tasks"),
            ("deals.tasks", "tasks"),
            ("notes", "notes"),
        ],
        "deals" => &[("tasks", "tasks"), ("notes", "notes")],
        "stages" => &[("deals", "deals"), ("deals.tasks", "tasks")],
        _ => &[],
    }
}

/// References to objects with collections: from whom, by which, to whom.
pub(super) const LEADS: &[(&str, &str, &str)] = &[
    ("deals", "company", "companies"),
    ("deals", "owner", "people"),
    ("deals", "stage", "stages"),
    ("companies", "parent", "companies"),
    ("companies", "region", "regions"),
    ("people", "boss", "people"),
    ("people", "region", "regions"),
    ("tasks", "deal", "deals"),
    ("tasks", "deal.company", "companies"),
    ("regions", "parent", "regions"),
];
