//! Settings of the book: `set base currency`, `set zone`, `set fiscal year`.

use super::Definer;
use crate::error::{Code, Error, Result};
use crate::query::syntax::{Expr, ExprKind, Literal, Setting};
use crate::value::Currency;
use jiff::tz::TimeZone;

impl Definer<'_, '_> {
    pub(super) fn set(&mut self, setting: Setting, value: &Expr) -> Result<String> {
        let mut settings = self.transaction.snapshot().settings().clone();
        let bad = |expected: &str| {
            Error::new(
                Code::BadValue,
                format!("`{value}` is no value of `{setting}`"),
            )
            .at(value.span.clone())
            .expected(expected)
        };
        match setting {
            Setting::BaseCurrency => {
                let currency = word(value).and_then(Currency::new);
                settings.base = currency.ok_or_else(|| bad("a currency such as USD"))?;
            }
            Setting::Zone => {
                let zone = word(value).filter(|zone| TimeZone::get(zone).is_ok());
                let zone = zone.ok_or_else(|| bad("a time zone such as \"America/Phoenix\""))?;
                settings.zone = zone.to_owned();
            }
            Setting::FiscalYear => {
                let month = match value.kind {
                    ExprKind::Literal(Literal::Integer(n)) => i8::try_from(n).ok(),
                    _ => None,
                };
                let month = month.filter(|month| (1..=12).contains(month));
                settings.fiscal_start =
                    month.ok_or_else(|| bad("the month in which it starts, 1 to 12"))?;
            }
        }
        self.transaction.set_settings(settings);
        Ok(format!("set {setting} = {value}"))
    }
}

fn word(value: &Expr) -> Option<&str> {
    match &value.kind {
        ExprKind::Literal(Literal::Text(text)) => Some(text),
        ExprKind::Path(names) => match &names[..] {
            [name] => Some(&name.text),
            _ => None,
        },
        _ => None,
    }
}
