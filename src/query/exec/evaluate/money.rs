//! Money in another currency, at the rate of each amount's own day.

use super::arithmetic::map_ints;
use super::{Evaluator, internal, overflow};
use crate::catalog::Role;
use crate::column::{Bitset, Comparison, Ints, Vector};
use crate::error::{Code, Error, Result, Span};
use crate::query::bind::Expr;
use crate::query::exec::{Batch, Context};
use crate::value::{Currency, Date, Rate};

impl Evaluator<'_> {
    pub(super) fn to_base(
        &self,
        value: &Expr,
        on: Option<&Expr>,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        let Vector::Pair(units, currency) = self.evaluate(value, batch)? else {
            return Err(internal("an amount of another form", expr));
        };
        self.exchanged(units, currency, self.context.clock.base, on, expr, batch)
    }

    pub(super) fn convert(
        &self,
        value: &Expr,
        to: Currency,
        on: Option<&Expr>,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        known_rates(to, self.context, &expr.span)?;
        let Vector::Pair(units, currency) = self.evaluate(value, batch)? else {
            return Err(internal("an amount of another form", expr));
        };
        self.exchanged(units, currency, to, on, expr, batch)
    }

    /// Amounts in the currency `to`; those that are in it stay.
    fn exchanged(
        &self,
        units: Ints,
        currency: Ints,
        to: Currency,
        on: Option<&Expr>,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        let mut other = currency.compare(Comparison::Equal, i64::from(to.code()));
        other.or(&currency.missing());
        other.not();
        if other.none() {
            return Ok(Vector::Pair(units, currency));
        }
        let days = on.map(|on| self.days_on(on, batch, &other)).transpose()?;
        let today = self.context.clock.today();
        let base = self.context.clock.base;
        let mut rates = Cursor::new(self.context, expr);
        let mut values: Vec<Option<i64>> = units.iter().collect();
        for at in other.ones() {
            let (Some(amount), Some(code)) = (values[at], currency.get(at)) else {
                continue;
            };
            let from = Currency::from_code(u16::try_from(code).unwrap_or(0));
            let day = days.as_ref().and_then(|days| days.get(at));
            let day = day.map_or(today, |day| {
                Date::from_days(i32::try_from(day).unwrap_or(i32::MAX))
            });
            let mut amount = Some(amount);
            if from != base {
                let rate = rates.rate(from, day)?;
                amount = amount.and_then(|units| rate.into_base(units));
            }
            if to != base {
                let rate = rates.rate(to, day)?;
                amount = amount.and_then(|units| rate.out_of_base(units));
            }
            values[at] = Some(amount.ok_or_else(|| overflow(expr))?);
        }
        let code = i64::from(to.code());
        let currency = map_ints(&currency, |_| Ok(Some(code)))?;
        Ok(Vector::Pair(Ints::pack(&values), currency))
    }

    fn days_on(&self, on: &Expr, batch: &Batch<'_>, among: &Bitset) -> Result<Ints> {
        match self.evaluate_among(on, batch, among)? {
            Vector::Ints(days) => Ok(days),
            _ => Err(internal("a day of another form", on)),
        }
    }
}

/// That there are rates for a currency.
pub(crate) fn known_rates(to: Currency, context: &Context<'_>, span: &Span) -> Result<()> {
    let known: Vec<Currency> = context.rates()?.currencies().collect();
    if to == context.clock.base || known.contains(&to) {
        return Ok(());
    }
    let names: Vec<String> = known.iter().map(Currency::to_string).collect();
    let error = Error::new(Code::MissingRate, format!("there are no rates for {to}"))
        .at(span.clone())
        .near(&to.to_string(), names.iter().map(String::as_str));
    Err(match context.catalog.playing(Role::Rates) {
        Some(_) => error,
        None => error.hint(Role::Rates.example()),
    })
}

/// Looks up rates, fast for days near each other.
struct Cursor<'a, 'e> {
    context: &'a Context<'a>,
    expr: &'e Expr,
    /// By currency the last rate found, and the days on which it holds.
    found: Vec<(Currency, Rate, Date, Option<Date>)>,
}

impl<'a, 'e> Cursor<'a, 'e> {
    fn new(context: &'a Context<'a>, expr: &'e Expr) -> Self {
        Self {
            context,
            expr,
            found: Vec::new(),
        }
    }

    fn rate(&mut self, currency: Currency, day: Date) -> Result<Rate> {
        let known = self.found.iter().position(|found| found.0 == currency);
        if let Some(at) = known {
            let (_, rate, from, until) = self.found[at];
            if from <= day && until.is_none_or(|until| day < until) {
                return Ok(rate);
            }
            self.found.swap_remove(at);
        }
        let rates = self.context.rates()?;
        let Some((rate, from, until)) = rates.on(currency, day) else {
            return Err(self.missing(currency, day));
        };
        self.found.push((currency, rate, from, until));
        Ok(rate)
    }

    /// The error that names currency and day, and where rates are kept.
    fn missing(&self, currency: Currency, day: Date) -> Error {
        let Some(object) = self.context.catalog.playing(Role::Rates) else {
            let message = format!("there is no rate for {currency}, and no object keeps rates");
            return Error::new(Code::MissingRate, message)
                .at(self.expr.span.clone())
                .hint(Role::Rates.example());
        };
        let message = format!("there is no rate for {currency} on {day}");
        Error::new(Code::MissingRate, message)
            .at(self.expr.span.clone())
            .hint(format!(
                "add {} (currency = \"{currency}\", valid_on = {day}, rate = ...)",
                object.name
            ))
    }
}
