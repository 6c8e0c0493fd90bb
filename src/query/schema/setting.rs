//! Settings of the book: `set base currency`, `set zone`, `set fiscal year`.

use super::Definer;
use crate::catalog::Role;
use crate::error::{Code, Error, Result};
use crate::query::syntax::{Expr, ExprKind, Literal, Setting};
use crate::value::{Currency, FiscalYear};
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
                let currency = currency.ok_or_else(|| bad("a currency such as USD"))?;
                if currency != settings.base {
                    self.check_rates(value)?;
                }
                settings.base = currency;
            }
            Setting::Zone => {
                let zone = word(value).filter(|zone| TimeZone::get(zone).is_ok());
                let zone = zone.ok_or_else(|| bad("a time zone such as \"America/Phoenix\""))?;
                settings.zone = zone.to_owned();
            }
            Setting::FiscalYear => {
                let fiscal = match &value.kind {
                    ExprKind::Literal(Literal::Integer(n)) => {
                        i8::try_from(*n).ok().and_then(FiscalYear::from_month)
                    }
                    ExprKind::Literal(Literal::Text(text)) => FiscalYear::from_weeks(text),
                    _ => None,
                };
                settings.fiscal = fiscal.ok_or_else(|| {
                    bad("the month in which it starts, 1 to 12, or weeks")
                        .hint("weeks: \"4-4-5 ending last saturday of january\"")
                        .hint("or: \"4-5-4 ending saturday nearest end of january\"")
                })?;
            }
        }
        self.transaction.set_settings(settings);
        Ok(format!("set {setting} = {value}"))
    }

    /// Refuses another base currency while there are rates, which say what things are worth in
    /// the present one. Amounts keep the currency they were written in.
    fn check_rates(&self, value: &Expr) -> Result<()> {
        let Some(object) = self.catalog.playing(Role::Rates) else {
            return Ok(());
        };
        match self.transaction.snapshot().record_count(object.id) {
            0 => Ok(()),
            count => {
                let base = self.transaction.snapshot().settings().base;
                let message = format!("{count} rate(s) of {} are in {base}", object.name);
                Err(Error::new(Code::StillUsed, message)
                    .at(value.span.clone())
                    .hint(format!(
                        "delete {} where true, set the base currency, add rates in the new one",
                        object.name
                    )))
            }
        }
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
