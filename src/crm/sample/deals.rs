//! Opportunities of the sample book and what follows from them: lines, orders, activities, notes.

use super::customers::{ACME, BOREALIS, CACTUS, CONTACTS_PER_ACCOUNT};
use super::names::{self, company};
use super::random::Random;
use super::sheet::{Sheet, Sink, code, reference};
use super::team;
use super::{Kind, World};
use crate::error::Result;
use crate::value::{Date, ObjectId, RecordId, Value};

/// Days back to the first deal.
const HISTORY_DAYS: i64 = 730;
pub(super) const ACTIVITIES_PER_DEAL: u64 = 3;
const DEALS_PER_NOTE: u64 = 50;
/// The activities that belong to no deal and come first.
const FORGOTTEN: u64 = 2;
/// The deals with places of their own come first.
pub(super) const KNOWN: u64 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Prospect,
    Qualify,
    Proposal,
    Negotiate,
    Won,
    Lost,
}

/// An opportunity.
pub(super) struct Deal {
    pub account: u64,
    pub contact: u64,
    pub opened: Date,
    /// Closed on, or to be closed.
    pub close: Date,
    pub stage: Stage,
    pub amount: i64,
    /// Which of [`names::DEALS`] it is.
    subject: usize,
}

/// What opportunities and all that comes with them are written with.
pub(super) struct Sheets {
    deals: Sheet<12>,
    stages: Vec<Value>,
    sources: Vec<Value>,
    reasons: Vec<Value>,
    lines: Sheet<5>,
    orders: Sheet<5>,
    activities: Sheet<10>,
    types: Vec<Value>,
    planned: Value,
    done: Value,
    cancelled: Value,
    notes: Sheet<4>,
    opportunities: ObjectId,
}

impl Deal {
    pub(super) fn is_open(&self) -> bool {
        self.stage < Stage::Won
    }
}

impl World<'_> {
    /// Opportunity `number`, always the same.
    pub(super) fn deal(&self, number: u64) -> Deal {
        if let Some(deal) = self.known_deal(number) {
            return deal;
        }
        let random = &mut self.random(Kind::Deal, number);
        // Few accounts have many deals, many have few; the business grows.
        let share = random.unit().powf(1.7);
        let account = ((1.0 - share) * self.accounts.len() as f64) as u64;
        let account = account.min(self.accounts.len() as u64 - 1);
        let segment = self.accounts[account as usize].segment;
        let progress = ((number as f64 + random.unit()) / self.deals as f64).powf(0.8);
        let opened = self.day((progress * HISTORY_DAYS as f64) as i64 - HISTORY_DAYS);
        let cycle = (4.5 + 0.55 * random.normal()).exp().clamp(7.0, 500.0) as i64;
        let end = self.nudge(opened.add_days(cycle).unwrap_or(opened), random);
        let size = [0.5, 1.0, 2.2, 4.0][segment] * (9.4 + 0.75 * random.normal()).exp();
        let subjects = names::DEALS.len() as u64;
        let subject = if account == ACME {
            1 + random.below(subjects - 1)
        } else {
            random.below(subjects)
        };
        let age = f64::from(self.today.days() - opened.days());
        let (stage, close) = if end <= self.today {
            let won = random.chance([0.34, 0.42, 0.46, 0.38][segment]);
            (if won { Stage::Won } else { Stage::Lost }, end)
        } else {
            let stages = [
                Stage::Prospect,
                Stage::Qualify,
                Stage::Proposal,
                Stage::Negotiate,
            ];
            let reached = age / cycle as f64 * 4.0 + random.unit() - 0.5;
            // Some should have closed by now.
            let late = random.chance(0.06);
            let close = if late {
                self.day(-random.between(1, 20)).max(opened)
            } else {
                end
            };
            (stages[(reached.max(0.0) as usize).min(3)], close)
        };
        Deal {
            account,
            contact: account * CONTACTS_PER_ACCOUNT + random.below(CONTACTS_PER_ACCOUNT),
            opened,
            close,
            stage,
            amount: (size / 100.0).round().max(5.0) as i64 * 100,
            subject: subject as usize,
        }
    }

    /// Deals with places of their own, whatever the seed.
    fn known_deal(&self, number: u64) -> Option<Deal> {
        let (first, last) = self.quarter;
        let (account, contact, stage, amount, opened, close) = match number {
            0 => (
                ACME,
                1,
                Stage::Negotiate,
                48_000,
                -60,
                self.day(30).min(last),
            ),
            1 => (
                BOREALIS,
                3,
                Stage::Won,
                95_000,
                -66,
                self.day(-7).max(first),
            ),
            2 => (CACTUS, 6, Stage::Proposal, 22_000, -45, self.day(26)),
            3 => (ACME, 1, Stage::Won, 70_000, -103, self.day(-23)),
            _ => return None,
        };
        Some(Deal {
            account,
            contact,
            opened: self.day(opened),
            close,
            stage,
            amount,
            subject: number as usize,
        })
    }

    /// A quarter of all deals closes in the last days of a quarter.
    fn nudge(&self, end: Date, random: &mut Random) -> Date {
        let (year, month, _) = end.ymd();
        if !random.chance(0.25) {
            return end;
        }
        let first = Date::from_ymd(year, month - (month - 1) % 3, 1);
        let next = first.and_then(|day| day.add_months(3).ok());
        let moved = next.and_then(|day| day.add_days(-random.between(1, 8)).ok());
        // Nothing moves across today: what is won stays won.
        moved
            .filter(|&day| day >= end && (day <= self.today) == (end <= self.today))
            .unwrap_or(end)
    }

    fn owner(&self, deal: &Deal) -> u64 {
        let account = &self.accounts[deal.account as usize];
        account.owner.unwrap_or(self.team.owners[account.leaf][0])
    }

    /// The fields of opportunity `number` on a day.
    fn deal_values(&self, sheets: &Sheets, number: u64, day: Date) -> [Value; 12] {
        let last = self.deal(number);
        let deal = self.deal_on(number, day);
        let random = &mut self.random(Kind::Deal, number + (1 << 40));
        let leaf = self.accounts[deal.account as usize].leaf;
        let name = format!(
            "{} {}",
            company(deal.account).short,
            names::DEALS[deal.subject]
        );
        let next = random.pick(names::NEXT_STEPS);
        [
            Value::text(name),
            reference(deal.account),
            reference(deal.contact),
            reference(self.owner(&deal)),
            reference(team::leaf_record(leaf)),
            code(&sheets.stages, deal.stage as usize),
            self.money(deal.amount),
            Value::Date(deal.opened),
            Value::Date(deal.close),
            random.pick(&sheets.sources).clone(),
            if deal.stage == Stage::Lost {
                random.pick(&sheets.reasons).clone()
            } else {
                Value::Missing
            },
            if deal.is_open() && (last.is_open() || self.is_told(number)) {
                Value::text(next)
            } else {
                Value::Missing
            },
        ]
    }

    /// Opportunity `number` as it is on a day, with what came with it: what is to be sold if it
    /// is open with a proposal, activities, for some a note.
    pub(super) fn write_deal(
        &self,
        sink: &mut Sink<'_>,
        sheets: &Sheets,
        number: u64,
        day: Date,
    ) -> Result<()> {
        sink.add(&sheets.deals, self.deal_values(sheets, number, day))?;
        let deal = self.deal(number);
        if deal.is_open() && deal.stage >= Stage::Proposal {
            let random = &mut self.random(Kind::Line, number);
            let product = random.below(names::PRODUCTS.len() as u64);
            let price = names::PRODUCTS[product as usize].2;
            let values = [
                reference(number),
                reference(product),
                Value::Number((deal.amount / price).max(1) as f64),
                self.money(price),
                Value::Number(random.below(4) as f64 * 0.05),
            ];
            sink.add(&sheets.lines, values)?;
        }
        for activity in number * ACTIVITIES_PER_DEAL..(number + 1) * ACTIVITIES_PER_DEAL {
            let (values, _) = self.activity(sheets, activity, &deal, day)?;
            sink.add(&sheets.activities, values)?;
        }
        if !number.is_multiple_of(DEALS_PER_NOTE)
            || number / DEALS_PER_NOTE >= self.deals / DEALS_PER_NOTE
        {
            return Ok(());
        }
        let random = &mut self.random(Kind::Note, number / DEALS_PER_NOTE);
        let day = deal.opened.add_days(random.between(0, 6))?.min(self.today);
        let values = [
            Value::AnyReference(sheets.opportunities, RecordId(number)),
            reference(self.owner(&deal)),
            Value::DateTime(self.moment(day, 480)),
            Value::text(random.pick(names::NOTES)),
        ];
        sink.add(&sheets.notes, values).map(drop)
    }

    /// Writes what a day has changed in opportunity `number`.
    pub(super) fn move_deal(
        &self,
        sink: &mut Sink<'_>,
        sheets: &Sheets,
        number: u64,
        day: Date,
    ) -> Result<()> {
        let values = self.deal_values(sheets, number, day);
        sink.set(&sheets.deals, RecordId(number), values)
    }

    /// The day on which what opportunity `number` won was ordered.
    pub(super) fn ordered(&self, number: u64, deal: &Deal) -> Result<Option<Date>> {
        if deal.stage != Stage::Won {
            return Ok(None);
        }
        let random = &mut self.random(Kind::Line, number + (1 << 40));
        let day = deal.close.add_days(random.between(0, 9))?;
        Ok(Some(day.min(self.today)))
    }

    pub(super) fn write_order(
        &self,
        sink: &mut Sink<'_>,
        sheets: &Sheets,
        number: u64,
    ) -> Result<()> {
        let deal = self.deal(number);
        let ordered = self.ordered(number, &deal)?;
        let values = [
            Value::text(format!("PO-{:06}", number + 1)),
            reference(deal.account),
            reference(number),
            ordered.map_or(Value::Missing, Value::Date),
            self.money(deal.amount),
        ];
        sink.add(&sheets.orders, values).map(drop)
    }

    /// Two activities that were forgotten long ago.
    pub(super) fn write_forgotten(&self, sink: &mut Sink<'_>, sheets: &Sheets) -> Result<()> {
        for day in [11, 12] {
            let due = Date::from_ymd(2019, 11, day).unwrap_or_default();
            let mut values = [const { Value::Missing }; 10];
            values[0] = Value::text("Call back");
            values[1] = sheets.activity_type("call");
            values[4] = reference(CACTUS);
            values[5] = reference(team::BEN);
            values[6] = Value::DateTime(self.moment(due, 600));
            values[9] = sheets.cancelled.clone();
            sink.add(&sheets.activities, values)?;
        }
        Ok(())
    }

    /// Writes that an activity of opportunity `number` was done.
    pub(super) fn finish_activity(
        &self,
        sink: &mut Sink<'_>,
        sheets: &Sheets,
        activity: u64,
        day: Date,
    ) -> Result<()> {
        let deal = self.deal(activity / ACTIVITIES_PER_DEAL);
        let (values, _) = self.activity(sheets, activity, &deal, day)?;
        sink.set(&sheets.activities, RecordId(FORGOTTEN + activity), values)
    }

    /// The fields of an activity on a day, and the day on which it was done. There are three a
    /// deal, spread over its life; the last one of an open deal is still to be done.
    pub(super) fn activity(
        &self,
        sheets: &Sheets,
        number: u64,
        deal: &Deal,
        day: Date,
    ) -> Result<([Value; 10], Option<Date>)> {
        let (of, at) = (number / ACTIVITIES_PER_DEAL, number % ACTIVITIES_PER_DEAL);
        let random = &mut self.random(Kind::Activity, number);
        let (kind, subject) = *random.pick(names::ACTIVITIES[at as usize % 3]);
        let end = if deal.is_open() {
            self.today
        } else {
            deal.close
        };
        let life = i64::from(end.days() - deal.opened.days());
        let share = (at as f64 + random.unit()) / ACTIVITIES_PER_DEAL as f64;
        let ahead = deal.is_open() && at == ACTIVITIES_PER_DEAL - 1;
        let due = match ahead {
            true => self.day(random.between(-4, 21)),
            false => deal.opened.add_days((share * life as f64) as i64)?,
        };
        let due = self.moment(due, random.between(17, 32) * 30);
        let finished = self.moment(self.clock.date_of(due), random.between(17, 34) * 30);
        let dropped = random.chance(0.03);
        let will_be = !ahead && !dropped && finished <= self.clock.now;
        let done_on = will_be.then(|| self.clock.date_of(finished));
        let is_done = done_on.is_some_and(|done| done <= day || !self.is_told(of));
        let values = [
            Value::text(subject),
            sheets.activity_type(kind),
            reference(deal.contact),
            reference(of),
            reference(deal.account),
            reference(self.owner(deal)),
            Value::DateTime(due),
            if is_done {
                Value::DateTime(finished)
            } else {
                Value::Missing
            },
            if is_done {
                Value::Integer(random.between(1, 12) * 10)
            } else {
                Value::Missing
            },
            match (is_done, dropped) {
                (true, _) => sheets.done.clone(),
                (false, true) => sheets.cancelled.clone(),
                (false, false) => sheets.planned.clone(),
            },
        ];
        Ok((values, done_on))
    }
}

impl Sheets {
    pub(super) fn new(sink: &Sink<'_>) -> Result<Self> {
        let names = [
            "prospect",
            "qualify",
            "proposal",
            "negotiate",
            "won",
            "lost",
        ];
        let stages = names.map(|name| sink.find("stages", "name", name));
        let status = |name| sink.label("activities", "status", name);
        Ok(Self {
            deals: sink.sheet(
                "opportunities",
                [
                    "name",
                    "account",
                    "contact",
                    "owner",
                    "territory",
                    "stage",
                    "amount",
                    "opened_on",
                    "close_date",
                    "source",
                    "loss_reason",
                    "next_step",
                ],
            )?,
            stages: stages.into_iter().collect::<Result<_>>()?,
            sources: sink.labels("opportunities", "source")?,
            reasons: sink.labels("opportunities", "loss_reason")?,
            lines: sink.sheet(
                "opportunity_lines",
                ["opportunity", "product", "quantity", "price", "discount"],
            )?,
            orders: sink.sheet(
                "orders",
                ["number", "account", "opportunity", "ordered_on", "amount"],
            )?,
            activities: sink.sheet(
                "activities",
                [
                    "subject",
                    "type",
                    "contact",
                    "opportunity",
                    "account",
                    "owner",
                    "due",
                    "done_at",
                    "minutes",
                    "status",
                ],
            )?,
            types: sink.labels("activities", "type")?,
            planned: status("planned")?,
            done: status("done")?,
            cancelled: status("cancelled")?,
            notes: sink.sheet("notes", ["about", "author", "written_at", "body"])?,
            opportunities: sink.object_id("opportunities")?,
        })
    }

    fn activity_type(&self, name: &str) -> Value {
        let kinds = [
            "call", "email", "meeting", "demo", "proposal", "visit", "task",
        ];
        let at = kinds.iter().position(|kind| *kind == name);
        code(&self.types, at.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Clock;

    #[test]
    fn deals_close_before_today_and_open_ones_later() {
        let clock = Clock::system();
        let world = World::new(&clock, 5_000, 1).unwrap();
        let deals: Vec<Deal> = (0..world.deals).map(|number| world.deal(number)).collect();
        let share = |test: &dyn Fn(&Deal) -> bool| {
            deals.iter().filter(|deal| test(deal)).count() as f64 / deals.len() as f64
        };
        let open = share(&Deal::is_open);
        assert!((0.08..0.35).contains(&open), "{open} open");
        let won = share(&|deal| deal.stage == Stage::Won) / (1.0 - open);
        assert!((0.3..0.5).contains(&won), "{won} of the closed won");
        for stage in [
            Stage::Prospect,
            Stage::Qualify,
            Stage::Proposal,
            Stage::Negotiate,
        ] {
            let share = share(&|deal| deal.stage == stage);
            assert!(share > 0.01, "{share} in {stage:?}");
        }
        let late = share(&|deal| deal.is_open() && deal.close <= world.today);
        assert!(late < 0.05, "{late} late");
        for deal in &deals {
            assert!(deal.opened <= deal.close && deal.opened <= world.today);
            assert!(deal.is_open() || deal.close <= world.today);
            assert!((deal.account as usize) < world.accounts.len());
            assert!(deal.amount >= 500);
        }
    }
}
