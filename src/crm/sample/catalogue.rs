//! Products and prices, rates and calendars, content and trainings of the sample book.

use super::World;
use super::names::PRODUCTS;
use super::sheet::{Sink, reference};
use super::team::DEE;
use crate::error::Result;
use crate::value::{Date, Duration, Value};

/// Rates of the last months are these, a little higher each month.
const RATES: &[(&str, f64)] = &[("EUR", 1.05), ("GBP", 1.22), ("CAD", 0.71)];

const HOLIDAYS: &[(&str, i8, i8)] = &[
    ("New Year's Day", 1, 1),
    ("Independence Day", 7, 4),
    ("Veterans Day", 11, 11),
    ("Christmas Day", 12, 25),
];

/// Title, type, product and days until it expires.
const CONTENT: &[(&str, &str, u64, i64)] = &[
    ("Falcon brochure", "brochure", 0, 300),
    ("Osprey brochure", "brochure", 1, 20),
    ("Falcon against the others", "battle_card", 0, 90),
    ("A warehouse in the desert", "case_study", 2, 500),
    ("Proposal template", "template", 4, 700),
];

const TRAININGS: &[(&str, u64, i64)] = &[
    ("Selling Falcon", 0, -320),
    ("Selling Osprey", 1, -200),
    ("Gateways in depth", 4, -75),
    ("Negotiation", 6, 12),
];

impl World<'_> {
    pub(super) fn write_products(&self, sink: &mut Sink<'_>) -> Result<()> {
        let fields = [
            "name",
            "family",
            "list_price",
            "stock",
            "launched_on",
            "active",
        ];
        let products = sink.sheet("products", fields)?;
        for (number, &(name, family, price, stock)) in PRODUCTS.iter().enumerate() {
            let values = [
                Value::text(name),
                Value::text(family),
                self.money(price),
                Value::Integer(stock),
                Value::Date(self.day(-1_500 + 210 * number as i64)),
                Value::Boolean(true),
            ];
            sink.add(&products, values)?;
        }
        let (year, ..) = self.today.ymd();
        let books = sink.sheet(
            "price_books",
            ["name", "valid_from", "valid_until", "active"],
        )?;
        let prices = sink.sheet("prices", ["price_book", "product", "price", "valid_from"])?;
        for (number, year) in [year - 1, year].into_iter().enumerate() {
            let day =
                |month, day| Date::from_ymd(year, month, day).map_or(Value::Missing, Value::Date);
            let values = [
                Value::text(format!("List {year}")),
                day(1, 1),
                day(12, 31),
                Value::Boolean(number == 1),
            ];
            sink.add(&books, values)?;
            for (product, &(_, _, price, _)) in PRODUCTS.iter().enumerate() {
                let price = price * (95 + 5 * number as i64) / 100;
                let values = [
                    reference(number as u64),
                    reference(product as u64),
                    self.money(price),
                    day(1, 1),
                ];
                sink.add(&prices, values)?;
            }
        }
        self.write_calendar(sink, year)
    }

    fn write_calendar(&self, sink: &mut Sink<'_>, year: i16) -> Result<()> {
        let rates = sink.sheet("exchange_rates", ["currency", "valid_on", "rate"])?;
        for months in 0..36 {
            let day = self.today.add_months(months - 35)?;
            let (year, month, _) = day.ymd();
            let day = Date::from_ymd(year, month, 1).unwrap_or(day);
            for &(currency, rate) in RATES {
                let rate = ((rate + months as f64 * 0.002) * 10_000.0).round() / 10_000.0;
                sink.add(
                    &rates,
                    [Value::text(currency), Value::Date(day), Value::Number(rate)],
                )?;
            }
        }
        let days = sink.sheet("working_calendar", ["weekday", "opens", "closes"])?;
        let hours = |hours: i64| Value::Duration(Duration::from_seconds(hours * 3_600));
        for weekday in 1..=5 {
            sink.add(&days, [Value::Integer(weekday), hours(9), hours(17)])?;
        }
        let holidays = sink.sheet("holidays", ["name", "day"])?;
        for year in year - 1..=year + 1 {
            for &(name, month, day) in HOLIDAYS {
                let day = Date::from_ymd(year, month, day).map_or(Value::Missing, Value::Date);
                sink.add(&holidays, [Value::text(name), day])?;
            }
        }
        Ok(())
    }

    pub(super) fn write_enablement(&self, sink: &mut Sink<'_>) -> Result<()> {
        let fields = [
            "title",
            "type",
            "audience",
            "product",
            "version",
            "expires_on",
        ];
        let content = sink.sheet("content", fields)?;
        for &(title, kind, product, days) in CONTENT {
            let audience = if kind == "battle_card" {
                "internal"
            } else {
                "client"
            };
            let values = [
                Value::text(title),
                sink.label("content", "type", kind)?,
                sink.label("content", "audience", audience)?,
                reference(product),
                Value::text("v3"),
                Value::Date(self.day(days)),
            ];
            sink.add(&content, values)?;
        }
        let sends = sink.sheet(
            "content_sends",
            ["content", "contact", "rep", "sent_on", "opened_at"],
        )?;
        // The first brochure went to Paz, who read it, and to every 50th contact.
        for number in (1..self.contacts).step_by(50) {
            let day = self.day(-10 - (number % 80).cast_signed());
            let opened = self.moment(day.add_days(1)?, 555);
            let values = [
                reference(0),
                reference(number),
                reference(DEE + 2),
                Value::Date(day),
                if number % 100 == 1 {
                    Value::DateTime(opened)
                } else {
                    Value::Missing
                },
            ];
            sink.add(&sends, values)?;
        }
        let trainings = sink.sheet(
            "trainings",
            ["title", "product", "held_on", "valid_for_days"],
        )?;
        for &(title, product, days) in TRAININGS {
            let day = Value::Date(self.day(days));
            sink.add(
                &trainings,
                [
                    Value::text(title),
                    reference(product),
                    day,
                    Value::Integer(365),
                ],
            )?;
        }
        let completions =
            sink.sheet("completions", ["training", "rep", "completed_on", "score"])?;
        let coachings = sink.sheet("coachings", ["rep", "coach", "held_on", "skill"])?;
        for rep in 3..self.team.reps.len() as u64 {
            let (training, days) = (rep % 3, TRAININGS[rep as usize % 3].2);
            let score = Value::Number(0.6 + (rep % 9) as f64 * 0.05);
            let day = Value::Date(self.day(days));
            sink.add(
                &completions,
                [reference(training), reference(rep), day, score],
            )?;
            let day = Value::Date(self.day(-(rep % 45).cast_signed()));
            let skill = Value::text(["discovery", "negotiation", "forecasting"][rep as usize % 3]);
            sink.add(&coachings, [reference(rep), reference(DEE), day, skill])?;
        }
        Ok(())
    }
}
