//! Amounts in other currencies, at the rates of their days.

use super::fragment::{self, Level, Sql, name};
use super::frame::Frame;
use super::translate::Translator;
use super::untranslatable;
use crate::catalog::Role;
use crate::error::Result;
use crate::query::bind::Expr;
use crate::value::Currency;

impl Translator<'_> {
    /// An amount in base, at the latest rate on or before its day.
    pub(super) fn to_base(
        &self,
        frame: &Frame<'_>,
        value: &Expr,
        on: Option<&Expr>,
    ) -> Result<Vec<Sql>> {
        self.convert(frame, value, self.context.clock.base, on)
    }

    /// An amount in another currency, through base; one that is in it stays.
    pub(super) fn convert(
        &self,
        frame: &Frame<'_>,
        value: &Expr,
        to: Currency,
        on: Option<&Expr>,
    ) -> Result<Vec<Sql>> {
        let parts = self.value(frame, value)?;
        let base = self.base();
        let target = fragment::text(&to.to_string(), self.dialect);
        let (units, currency) = (&parts[0], &parts[1]);
        if currency.text == target.text {
            return Ok(parts);
        }
        // Without rates all amounts that can be asked for are in base.
        if self.context.rates()?.currencies().next().is_none() {
            return Ok(vec![units.clone(), base]);
        }
        let today = fragment::date(self.context.clock.today(), self.dialect);
        let day = match on {
            Some(on) => Sql::call("coalesce", &[&self.day_of(frame, on)?, &today]),
            None => today,
        };
        let mut converted = units.clone();
        if currency.text != base.text {
            let rate = self.rate(currency, &day, value)?;
            let worth = Sql::binary(units, "*", &rate, Level::Product).whole();
            converted = chosen(currency, &base, units, &worth);
        }
        if target != base {
            let rate = self.rate(&target, &day, value)?;
            let share = Sql::binary(&converted.double(), "/", &rate, Level::Product).whole();
            converted = chosen(currency, &target, units, &share);
        }
        let units = converted;
        Ok(vec![units, target])
    }

    /// What a unit of a currency is worth in base on a day.
    fn rate(&self, currency: &Sql, day: &Sql, value: &Expr) -> Result<Sql> {
        let unsaid = || untranslatable("an amount in another currency", &value.span);
        let rates = self
            .context
            .catalog
            .playing(Role::Rates)
            .ok_or_else(unsaid)?;
        let table = self.relational.table(rates.id);
        let columns = rates
            .role_fields()
            .map(|field| &table.columns(field.id).parts[0]);
        let columns: Vec<_> = columns.map(|column| name(column)).collect();
        let [code, from, rate] = columns.as_slice() else {
            return Err(unsaid());
        };
        Ok(Sql::atom(format!(
            "(SELECT dated.{rate} FROM {} AS dated WHERE upper(dated.{code}) = {} \
             AND dated.{from} <= {} ORDER BY dated.{from} DESC, dated.{} DESC LIMIT 1)",
            name(&table.name),
            currency.at(Level::Sum),
            day.at(Level::Sum),
            name(&table.id),
        )))
    }

    /// The base currency.
    pub(super) fn base(&self) -> Sql {
        fragment::text(&self.context.clock.base.to_string(), self.dialect)
    }
}

/// An amount as it is where it is in a currency already.
fn chosen(currency: &Sql, own: &Sql, units: &Sql, converted: &Sql) -> Sql {
    Sql::atom(format!(
        "CASE WHEN {} = {} THEN {} ELSE {} END",
        currency.at(Level::Sum),
        own.text,
        units.text,
        converted.text
    ))
}
