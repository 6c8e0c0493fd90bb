//! Exchange rates: what a unit of a currency is worth in base, from a day on.

use super::decimal::Decimal;
use super::{Currency, Date};
use std::collections::BTreeMap;

/// A rate as the decimal fraction it was written as, so that exact rates give exact amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    times: i128,
    per: i128,
}

impl Rate {
    /// The rate `n`, if it is above zero and of a size that amounts can bear.
    pub(crate) fn from_number(n: f64) -> Option<Self> {
        if !(1e-15..=1e15).contains(&n) {
            return None;
        }
        // The shortest decimal that reads as `n` has at most 17 digits: 32 places hold them all.
        let decimal = Decimal::parse(&format!("{n:e}"))?;
        let places = (-decimal.exponent).max(0);
        let (times, _) = decimal.scaled_wide(places)?;
        let per = 10_i128.checked_pow(u32::try_from(places).ok()?)?;
        Some(Self { times, per })
    }

    /// Units of the currency in units of base, halves away from zero; nothing if out of range.
    pub(crate) fn into_base(self, units: i64) -> Option<i64> {
        scaled(units, self.times, self.per)
    }

    /// Units of base in units of the currency, halves away from zero.
    pub(crate) fn out_of_base(self, units: i64) -> Option<i64> {
        scaled(units, self.per, self.times)
    }
}

fn scaled(units: i64, times: i128, per: i128) -> Option<i64> {
    let product = i128::from(units).checked_mul(times)?;
    // Nearly all amounts fit half the width, where division is several times faster.
    if let (Ok(product), Ok(per)) = (i64::try_from(product), i64::try_from(per)) {
        let (quotient, rest) = (product / per, product % per);
        let more = rest.unsigned_abs() >= per.unsigned_abs() - per.unsigned_abs() / 2;
        return quotient.checked_add(if more { product.signum() } else { 0 });
    }
    i64::try_from(rounded_quotient(product, per)).ok()
}

/// The whole number nearest to a quotient, halves away from zero.
pub(crate) fn rounded_quotient(n: i128, by: i128) -> i128 {
    let (quotient, rest) = (n / by, n % by);
    let left = by.unsigned_abs() - rest.unsigned_abs();
    let sign = if (n < 0) == (by < 0) { 1 } else { -1 };
    quotient + if rest.unsigned_abs() >= left { sign } else { 0 }
}

/// The rates of a book: for each currency by day.
#[derive(Debug, Default)]
pub(crate) struct Rates(BTreeMap<Currency, Vec<(Date, Rate)>>);

impl Rates {
    /// A table of rates; of two for one currency and day the later one counts.
    pub(crate) fn new(rates: impl IntoIterator<Item = (Currency, Date, Rate)>) -> Self {
        let mut table: BTreeMap<Currency, Vec<(Date, Rate)>> = BTreeMap::new();
        for (currency, day, rate) in rates {
            table.entry(currency).or_default().push((day, rate));
        }
        for days in table.values_mut() {
            days.sort_by_key(|(day, _)| *day);
        }
        Self(table)
    }

    /// The latest rate of a currency on or before a day, and the days on which it holds.
    pub(crate) fn on(&self, currency: Currency, day: Date) -> Option<(Rate, Date, Option<Date>)> {
        let days = self.0.get(&currency)?;
        let next = days.partition_point(|(from, _)| *from <= day);
        let (from, rate) = days[next.checked_sub(1)?];
        Some((rate, from, days.get(next).map(|(until, _)| *until)))
    }

    /// The currencies with any rate.
    pub(crate) fn currencies(&self) -> impl Iterator<Item = Currency> + '_ {
        self.0.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(n: f64) -> Rate {
        Rate::from_number(n).unwrap()
    }

    #[test]
    fn rates_are_the_decimals_they_were_written_as() {
        // As a float, 1.005 times 100 is below 100.5.
        assert_eq!(rate(1.005).into_base(100), Some(101));
        assert_eq!(rate(1.005).into_base(-100), Some(-101));
        assert_eq!(rate(1.1).into_base(200_000_000), Some(220_000_000));
        assert_eq!(rate(1.1).into_base(i64::MAX), None);
        assert_eq!(rate(1.1).out_of_base(11), Some(10));
        assert_eq!(rate(3.0).out_of_base(2), Some(1));
        assert_eq!(rate(3.0).out_of_base(1), Some(0));
        assert_eq!(rate(0.0065).out_of_base(13), Some(2000));
        assert_eq!(rate(1e-15).out_of_base(i64::MAX), None);
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e16] {
            assert_eq!(Rate::from_number(bad), None);
        }
    }

    #[test]
    fn the_latest_rate_holds() {
        let eur = Currency::new("EUR").unwrap();
        let day = |n| Date::from_days(n);
        let table = Rates::new([
            (eur, day(20), rate(1.2)),
            (eur, day(10), rate(1.1)),
            (eur, day(20), rate(1.3)),
        ]);
        let on = |n| table.on(eur, day(n)).map(|(rate, ..)| rate);
        assert_eq!(on(9), None);
        assert_eq!(on(10), Some(rate(1.1)));
        assert_eq!(on(19), Some(rate(1.1)));
        assert_eq!(on(20), Some(rate(1.3)));
        assert_eq!(table.on(Currency::USD, day(20)), None);
    }

    proptest! {
        #[test]
        fn narrow_and_wide_quotients_agree(n in any::<i64>(), per in 1i64..=1_000_000_000) {
            let wide = rounded_quotient(n.into(), per.into());
            prop_assert_eq!(scaled(n, 1, per.into()).map(i128::from), Some(wide));
        }

        #[test]
        fn there_and_back_is_within_a_unit(units in -1_000_000_000i64..1_000_000_000,
            cents in 100i32..100_000) {
            let rate = rate(f64::from(cents) / 100.0);
            let base = rate.into_base(units).unwrap();
            let back = rate.out_of_base(base).unwrap();
            prop_assert!((back - units).abs() <= 1);
        }
    }
}
