//! Names that other languages give to functions, periods and fields, and what says the same here.

use super::binder::Binder;
use crate::catalog::Object;

/// Functions of elsewhere.
const FUNCTIONS: &[(&str, &str)] = &[
    ("contains", "write `name ~ \"acme\"`"),
    ("search", "write `name ~ \"acme\"`"),
    ("startswith", "write `name like \"Ac*\"`"),
    ("starts_with", "write `name like \"Ac*\"`"),
    ("endswith", "write `name like \"*me\"`"),
    ("ends_with", "write `name like \"*me\"`"),
    (
        "isnull",
        "write `x is empty`; for another value in its place, coalesce(x, 0)",
    ),
    ("isblank", "write `x is empty`"),
    ("isempty", "write `x is empty`"),
    ("nvl", "write coalesce(x, 0)"),
    ("ifnull", "write coalesce(x, 0)"),
    (
        "iferror",
        "a division by zero is missing: write coalesce(a / b, 0)",
    ),
    ("nullif", "write if(x != 0, x)"),
    ("iif", "write if(condition, value, otherwise)"),
    ("iff", "write if(condition, value, otherwise)"),
    ("case", "write if(condition, value, otherwise)"),
    ("switch", "write if(condition, value, if(...))"),
    (
        "substring",
        "a part of a text is looked for: `name ~ \"acme\"`, `name like \"Ac*\"`",
    ),
    (
        "left",
        "a part of a text is looked for: `name like \"Ac*\"`",
    ),
    (
        "right",
        "a part of a text is looked for: `name like \"*me\"`",
    ),
    ("mid", "a part of a text is looked for: `name ~ \"acme\"`"),
    ("len", "write length(x)"),
    ("ucase", "write upper(x)"),
    ("lcase", "write lower(x)"),
    ("concatenate", "write concat(a, b)"),
    ("average", "write avg(x)"),
    ("mean", "write avg(x)"),
    ("countd", "write count(distinct x)"),
    ("dcount", "write count(distinct x)"),
    ("count_distinct", "write count(distinct x)"),
    ("countif", "the condition goes inside: count(stage = won)"),
    ("countifs", "the condition goes inside: count(stage = won)"),
    (
        "sumif",
        "the condition goes inside: sum(amount where stage = won)",
    ),
    (
        "sumifs",
        "the condition goes inside: sum(amount where stage = won)",
    ),
    (
        "averageif",
        "the condition goes inside: avg(amount where stage = won)",
    ),
    ("percentile", "write p90(x), or any of p1 to p99"),
    ("quantile", "write p90(x), or any of p1 to p99"),
    ("p0", "write min(x)"),
    ("p100", "write max(x)"),
    ("stdev", "write stddev(x)"),
    ("any", "write exists(contacts where ...)"),
    ("all", "write not exists(contacts where not ...)"),
    ("none", "write not exists(contacts where ...)"),
    ("some", "write exists(contacts where ...)"),
    ("vlookup", "follow the reference instead: `account.name`"),
    ("xlookup", "follow the reference instead: `account.name`"),
    ("lookup", "follow the reference instead: `account.name`"),
    ("group_concat", "write list(x)"),
    ("string_agg", "write list(x)"),
    ("array_agg", "write list(x)"),
    ("row_number", "write rank() in `select`"),
    ("dense_rank", "write rank() in `select`"),
    ("lag", "write previous(x) in `select`"),
    (
        "datediff",
        "subtract: `close_date - opened_on`, or days(opened_on, close_date)",
    ),
    (
        "date_diff",
        "subtract: `close_date - opened_on`, or days(opened_on, close_date)",
    ),
    (
        "days_between",
        "subtract: `close_date - opened_on`, or days(opened_on, close_date)",
    ),
    ("dateadd", "add: `close_date + 5 days`"),
    ("date_add", "add: `close_date + 5 days`"),
    ("edate", "add: `close_date + 5 months`"),
    ("ago", "subtract: `today - 30 days`"),
    ("getdate", "write `today` or `now`"),
    ("curdate", "write `today`"),
    ("current_date", "write `today`"),
    ("date", "dates are written so: 2026-05-15"),
    ("date_trunc", "write month(x), quarter(x) or year(x)"),
    ("format", "results are formatted where they are shown"),
    ("calendar_month", "write month_of_year(x)"),
    (
        "calendar_quarter",
        "compare with a period: quarter(x) = 2026-Q2",
    ),
    ("calendar_year", "write year(x)"),
    ("cast", "a value is not cast: each function takes what fits"),
    ("convert_currency", "write convert(x, EUR)"),
    ("user", "write `me`"),
];

/// What says the same as a function of elsewhere.
pub(super) fn function(name: &str) -> Option<&'static str> {
    let known = FUNCTIONS
        .iter()
        .find(|(foreign, _)| super::scope::same(foreign, name));
    known.map(|(_, hint)| *hint)
}

/// What a word that is no field may have been meant for: a day, a month, a period.
pub(super) fn moment(word: &str) -> Option<String> {
    const MONTHS: &[&str] = &[
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.to_lowercase();
    let named = |month: &&&str| **month == word || word.len() == 3 && month.starts_with(&word);
    if let Some(at) = MONTHS.iter().position(|month| named(&month)) {
        return Some(format!(
            "a month is written with its year: 2026-{:02}",
            at + 1
        ));
    }
    match word.as_str() {
        "yesterday" => return Some("write `today - 1 day`".to_owned()),
        "tomorrow" => return Some("write `today + 1 day`".to_owned()),
        "q1" | "q2" | "q3" | "q4" => {
            let quarter = word.to_uppercase();
            return Some(format!(
                "a quarter is written with its year: 2026-{quarter}"
            ));
        }
        _ => {}
    }
    let (which, unit) = word.split_once('_')?;
    if !matches!(which, "this" | "last" | "next") {
        return None;
    }
    Some(match unit.strip_prefix("n_") {
        Some(units) => format!("periods are words: `in {which} 30 {units}`"),
        None => format!("periods are words: `in {which} {}`", unit.replace('_', " ")),
    })
}

impl Binder<'_> {
    /// What a name that is no field of `object` may have been meant for.
    pub(super) fn meant(&self, object: &Object, name: &str) -> Option<String> {
        if super::scope::same(name, &object.name) || super::scope::same(name, &object.singular) {
            return Some(format!(
                "fields of {} stand for themselves, without `{name}.` before them",
                object.name
            ));
        }
        if let Some(stem) = name.to_lowercase().strip_suffix("_id")
            && let Some(field) = object.find_field(stem)
        {
            return Some(format!(
                "a reference is named without `_id`: `{}`",
                field.name
            ));
        }
        if let Some(week) = name.to_lowercase().strip_prefix('w')
            && (1..=2).contains(&week.len())
            && week.parse::<u8>().is_ok()
        {
            let week = "a week is named by a day in it: `close_date in week(2026-05-11)`";
            return Some(week.to_owned());
        }
        moment(name)
    }
}
