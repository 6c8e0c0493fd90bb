//! Names: how they compare, and the singular of an English plural.

/// Whether two names are the same; case does not count.
pub(crate) fn same(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    a == b || (a.len() == b.len() && a.to_lowercase() == b.to_lowercase())
}

/// The usual singular of a plural: `accounts` account, `activities` activity, `branches` branch,
/// `price_books` price_book; a word without a plural's ending stays as it is.
pub(crate) fn singular(plural: &str) -> String {
    let strip = |ending: &str, put: &str| {
        plural
            .strip_suffix(ending)
            .filter(|stem| !stem.is_empty())
            .map(|s| format!("{s}{put}"))
    };
    strip("ies", "y")
        .or_else(|| strip("ches", "ch"))
        .or_else(|| strip("shes", "sh"))
        .or_else(|| strip("xes", "x"))
        .or_else(|| strip("sses", "ss"))
        .or_else(|| strip("s", "").filter(|_| !plural.ends_with("ss")))
        .unwrap_or_else(|| plural.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn singulars() {
        for (plural, one) in [
            ("accounts", "account"),
            ("opportunities", "opportunity"),
            ("branches", "branch"),
            ("price_books", "price_book"),
            ("boxes", "box"),
            ("classes", "class"),
            ("content", "content"),
            ("stages", "stage"),
        ] {
            assert_eq!(singular(plural), one);
        }
    }
}
