//! A value of an answer, as all three engines can say it.

use crate::Result;
use fieldbook::Date;

#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(crate) enum Cell {
    Missing,
    Number(f64),
    Text(String),
}

impl Cell {
    fn is_near(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
            _ => self == other,
        }
    }
}

/// A moment of UTC as SQLite's functions write it.
pub(crate) fn moment(micros: i64) -> String {
    const DAY: i64 = 86_400;
    let seconds = micros.div_euclid(1_000_000);
    let (day, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let day = Date::from_days(i32::try_from(day).unwrap_or(i32::MAX));
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{day} {hour:02}:{minute:02}:{second:02}")
}

/// The rows of an answer.
pub(crate) type Answer = Vec<Vec<Cell>>;

/// An error that shows the first difference, if the answers differ. Without an order of their
/// own the rows are compared as sets.
pub(crate) fn check(
    name: &str,
    ordered: bool,
    ours: &Answer,
    theirs: &Answer,
    rival: &str,
) -> Result<()> {
    let (mut ours, mut theirs) = (ours.clone(), theirs.clone());
    if !ordered {
        for answer in [&mut ours, &mut theirs] {
            answer.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        }
    }
    if ours.len() != theirs.len() {
        let (ours, theirs) = (ours.len(), theirs.len());
        return Err(format!("{name}: {ours} rows, but {theirs} in {rival}").into());
    }
    for (ours, theirs) in ours.iter().zip(&theirs) {
        if ours.len() != theirs.len() || !ours.iter().zip(theirs).all(|(a, b)| a.is_near(b)) {
            return Err(format!("{name}: {ours:?}, but {theirs:?} in {rival}").into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_difference_is_found() {
        let answer = |n: f64| vec![vec![Cell::Text("SW".into()), Cell::Number(n)]];
        assert!(check("same", true, &answer(1.0), &answer(1.0 + 1e-12), "x").is_ok());
        assert!(check("other", true, &answer(1.0), &answer(1.001), "x").is_err());
        assert!(check("more", true, &answer(1.0), &Vec::new(), "x").is_err());
        let turned = |a: f64, b: f64| vec![vec![Cell::Number(a)], vec![Cell::Number(b)]];
        assert!(check("order", false, &turned(1.0, 2.0), &turned(2.0, 1.0), "x").is_ok());
        assert!(check("order", true, &turned(1.0, 2.0), &turned(2.0, 1.0), "x").is_err());
    }
}
