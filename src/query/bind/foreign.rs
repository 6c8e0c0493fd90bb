//! Names that other languages give to functions, periods and fields, and what says the same here.

use super::binder::Binder;
use super::scope::Scope;
use crate::catalog::Object;
use crate::query::syntax;

/// Functions of elsewhere.
const FUNCTIONS: &[(&str, &str)] = &[
    ("contains", "write `{1} ~ {2}`"),
    ("search", "write `x ~ \"part\"`"),
    ("startswith", "write `{1} like \"part*\"`"),
    ("starts_with", "write `{1} like \"part*\"`"),
    ("endswith", "write `{1} like \"*part\"`"),
    ("ends_with", "write `{1} like \"*part\"`"),
    (
        "isnull",
        "write `{1} is empty`; for another value in its place, coalesce({1}, 0)",
    ),
    ("isblank", "write `{1} is empty`"),
    ("isempty", "write `{1} is empty`"),
    ("nvl", "write coalesce({1}, {2})"),
    ("ifnull", "write coalesce({1}, {2})"),
    (
        "iferror",
        "a division by zero is missing: write coalesce(a / b, 0)",
    ),
    ("nullif", "write if({1} != {2}, {1})"),
    ("iif", "write if(condition, value, otherwise)"),
    ("iff", "write if(condition, value, otherwise)"),
    ("case", "write if(condition, value, otherwise)"),
    ("switch", "write if(condition, value, if(...))"),
    (
        "substring",
        "a part of a text is looked for: `{1} ~ \"part\"`, `{1} like \"part*\"`",
    ),
    (
        "left",
        "a part of a text is looked for: `{1} like \"part*\"`",
    ),
    (
        "right",
        "a part of a text is looked for: `{1} like \"*part\"`",
    ),
    ("mid", "a part of a text is looked for: `{1} ~ \"part\"`"),
    ("len", "write length({1})"),
    ("ucase", "write upper({1})"),
    ("lcase", "write lower({1})"),
    ("concatenate", "write concat(a, b)"),
    ("average", "write avg({1})"),
    ("mean", "write avg({1})"),
    ("countd", "write count(distinct {1})"),
    ("dcount", "write count(distinct {1})"),
    ("count_distinct", "write count(distinct {1})"),
    ("countif", "the condition goes inside: count(x = y)"),
    ("countifs", "the condition goes inside: count(x = y)"),
    ("sumif", "the condition goes inside: sum(x where y = z)"),
    ("sumifs", "the condition goes inside: sum(x where y = z)"),
    ("averageif", "the condition goes inside: avg(x where y = z)"),
    ("percentile", "write p90({1}), or any of p1 to p99"),
    ("quantile", "write p90({1}), or any of p1 to p99"),
    (
        "trim",
        "leave it out: a text is kept without the blanks around it",
    ),
    ("p0", "write min({1})"),
    ("p100", "write max({1})"),
    ("stdev", "write stddev({1})"),
    ("any", "write exists({collection} where ...)"),
    ("all", "write not exists({collection} where not ...)"),
    ("none", "write not exists({collection} where ...)"),
    ("some", "write exists({collection} where ...)"),
    ("vlookup", "follow the reference instead: `{path}`"),
    ("xlookup", "follow the reference instead: `{path}`"),
    ("lookup", "follow the reference instead: `{path}`"),
    ("group_concat", "write list({1})"),
    ("string_agg", "write list({1})"),
    ("array_agg", "write list({1})"),
    ("row_number", "write rank() in `select`"),
    ("dense_rank", "write rank() in `select`"),
    ("lag", "write previous({1}) in `select`"),
    (
        "datediff",
        "subtract: `later - earlier`, or days(earlier, later)",
    ),
    (
        "date_diff",
        "subtract: `later - earlier`, or days(earlier, later)",
    ),
    (
        "days_between",
        "subtract: `later - earlier`, or days(earlier, later)",
    ),
    ("dateadd", "add: `x + 5 days`"),
    ("date_add", "add: `x + 5 days`"),
    ("edate", "add: `x + 5 months`"),
    ("ago", "subtract: `today - 30 days`"),
    ("getdate", "write `today` or `now`"),
    ("curdate", "write `today`"),
    ("current_date", "write `today`"),
    (
        "date",
        "a day compares with a moment as it is: `{1} = today`, `{1} < 2026-05-15`",
    ),
    ("mod", "the remainder is `{1} - {2} * floor({1} / {2})`"),
    ("date_trunc", "write month(x), quarter(x) or year(x)"),
    ("format", "results are formatted where they are shown"),
    ("calendar_month", "write month_of_year({1})"),
    (
        "calendar_quarter",
        "compare with a period: quarter({1}) = 2026-Q2",
    ),
    ("calendar_year", "write year({1})"),
    ("cast", "a value is not cast: each function takes what fits"),
    ("convert_currency", "write convert({1}, EUR)"),
    ("user", "write `me`"),
];

/// What says the same as a function of elsewhere, with places for names.
fn function(name: &str) -> Option<&'static str> {
    let known = FUNCTIONS
        .iter()
        .find(|(foreign, _)| super::scope::same(foreign, name));
    known.map(|(_, hint)| *hint)
}

/// Whether a name is a function elsewhere.
pub(super) fn is_function(name: &str) -> bool {
    function(name).is_some()
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
    /// What says the same as a call of elsewhere, in the words of this one and of the book.
    pub(super) fn foreign_function(
        &self,
        scope: &Scope<'_>,
        call: &syntax::Call,
    ) -> Option<String> {
        let mut hint = function(&call.name.text)?.to_owned();
        for (place, other) in [("{1}", "x"), ("{2}", "y")] {
            let at = usize::from(place == "{2}");
            let given = call.arguments.get(at).map(ToString::to_string);
            hint = hint.replace(place, given.as_deref().unwrap_or(other));
        }
        let object = scope.object();
        let collection = object.and_then(|object| self.some_collection(object));
        let path = object.and_then(|object| self.some_path(object));
        hint = hint.replace("{collection}", collection.as_deref().unwrap_or("records"));
        Some(hint.replace("{path}", path.as_deref().unwrap_or("reference.field")))
    }

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
            return Some("a week is named by a day in it: `week(2026-05-11)`".to_owned());
        }
        moment(name)
    }
}
