//! Decimal numbers as people write them: grouped digits, `k` and `m`, exponents.

/// A decimal number as written: digits times a power of ten.
pub(super) struct Decimal {
    pub negative: bool,
    /// Without leading zeros.
    digits: String,
    pub exponent: i64,
}

impl Decimal {
    /// Reads `-1,234.5`, `12k`, `1.5m`, `2e-3`; commas only between groups of three digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let negative = text.starts_with('-');
        let text = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (text, scale) = match text.as_bytes().last()? {
            b'k' | b'K' => (text[..text.len() - 1].trim_end(), 3),
            b'm' | b'M' => (text[..text.len() - 1].trim_end(), 6),
            _ => (text, 0),
        };
        let (text, power) = match text.split_once(['e', 'E']) {
            Some((text, power)) => {
                let digits = power.strip_prefix(['-', '+']).unwrap_or(power);
                if !all_digits(digits) || digits.len() > 4 {
                    return None;
                }
                (text, power.parse::<i64>().ok()?)
            }
            None => (text, 0),
        };
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if all_digits(fraction) => (whole, fraction),
            Some(_) => return None,
            None => (text, ""),
        };
        let mut groups = whole.split(',');
        let first = groups.next()?;
        let grouped = whole.contains(',');
        let good = match first.len() {
            0 => !grouped && !fraction.is_empty(),
            len => all_digits(first) && (!grouped || len <= 3),
        };
        if !good || !groups.all(|group| group.len() == 3 && all_digits(group)) {
            return None;
        }
        let digits = whole.replace(',', "") + fraction;
        Some(Self {
            negative,
            digits: digits.trim_start_matches('0').to_owned(),
            exponent: power + scale - i64::try_from(fraction.len()).ok()?,
        })
    }

    /// The number times `10^places`, halves away from zero, and whether that is exact.
    pub(super) fn scaled_wide(&self, places: i64) -> Option<(i128, bool)> {
        if self.digits.is_empty() {
            return Some((0, true));
        }
        let len = i64::try_from(self.digits.len()).ok()? + self.exponent + places;
        let len = match usize::try_from(len) {
            Ok(len) if len > 38 => return None,
            Ok(len) => len,
            Err(_) => return Some((0, false)),
        };
        let kept = &self.digits[..len.min(self.digits.len())];
        let cut = &self.digits[kept.len()..];
        let mut n: i128 = format!("0{kept:0<len$}").parse().ok()?;
        n += i128::from(cut.as_bytes().first().is_some_and(|&b| b >= b'5'));
        let exact = cut.bytes().all(|b| b == b'0');
        Some((if self.negative { -n } else { n }, exact))
    }

    pub(super) fn scaled(&self, places: i64) -> Option<(i64, bool)> {
        let (n, exact) = self.scaled_wide(places)?;
        Some((i64::try_from(n).ok()?, exact))
    }

    pub(super) fn number(&self) -> Option<f64> {
        let sign = if self.negative { "-" } else { "" };
        let text = format!("{sign}0{}e{}", self.digits, self.exponent);
        let n: f64 = text.parse().ok()?;
        // No negative zero: it would print as a number that is not there.
        n.is_finite().then_some(if n == 0.0 { 0.0 } else { n })
    }
}

pub(super) fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
