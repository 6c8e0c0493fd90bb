//! Amounts of money: ten-thousandths of a unit, and a currency.

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency code such as `USD`, packed into 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Currency(u16);

/// An amount of money, exact to a ten-thousandth of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    units: i64,
    currency: Currency,
}

impl Currency {
    /// The US dollar, the base currency of a new book.
    pub const USD: Self = Self(20 * 676 + 18 * 26 + 3);

    /// The currency of three letters, in any case.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let letters: &[u8; 3] = code.as_bytes().try_into().ok()?;
        let mut packed = 0;
        for letter in letters {
            let letter = letter.to_ascii_uppercase();
            if !letter.is_ascii_uppercase() {
                return None;
            }
            packed = packed * 26 + u16::from(letter - b'A');
        }
        Some(Self(packed))
    }

    pub(crate) fn code(self) -> u16 {
        self.0
    }

    pub(crate) fn from_code(code: u16) -> Self {
        Self(code % 17_576)
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let letter = |n: u16| char::from(b'A' + u8::try_from(n % 26).unwrap_or(0));
        write!(
            f,
            "{}{}{}",
            letter(self.0 / 676),
            letter(self.0 / 26),
            letter(self.0)
        )
    }
}

impl Money {
    /// Ten-thousandths in one unit of any currency.
    pub const SCALE: i64 = 10_000;

    /// `units` ten-thousandths of `currency`.
    #[must_use]
    pub fn from_units(units: i64, currency: Currency) -> Self {
        Self { units, currency }
    }

    /// The nearest exact amount to `amount`, halves away from zero; nothing if out of range.
    #[must_use]
    pub fn from_number(amount: f64, currency: Currency) -> Option<Self> {
        units_from_number(amount).map(|units| Self { units, currency })
    }

    /// The amount in ten-thousandths.
    #[must_use]
    pub fn units(self) -> i64 {
        self.units
    }

    /// The amount as a floating point number.
    #[must_use]
    pub fn amount(self) -> f64 {
        units_to_number(self.units)
    }

    /// The currency.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }
}

/// Ten-thousandths of the amount `amount`, halves away from zero.
pub(crate) fn units_from_number(amount: f64) -> Option<i64> {
    let units = (amount * Money::SCALE as f64).round();
    (units.abs() < 9.2e18).then_some(units as i64)
}

/// The amount of `units` ten-thousandths.
pub(crate) fn units_to_number(units: i64) -> f64 {
    units as f64 / Money::SCALE as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_pack_and_print() {
        assert_eq!(Currency::new("usd"), Some(Currency::USD));
        assert_eq!(Currency::USD.to_string(), "USD");
        assert_eq!(
            Currency::new("EUR").map(|c| c.to_string()).as_deref(),
            Some("EUR")
        );
        assert_eq!(Currency::new("U$D"), None);
    }
}
