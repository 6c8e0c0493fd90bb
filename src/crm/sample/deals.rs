//! Opportunities of the sample book and what follows from them: lines, orders, activities, notes.

use super::customers::{ACME, BOREALIS, CACTUS, CONTACTS_PER_ACCOUNT};
use super::names::{self, company};
use super::random::Random;
use super::sheet::{Sink, code, reference};
use super::team;
use super::{Kind, World};
use crate::error::Result;
use crate::value::{Date, Value};

/// Days back to the first deal.
const HISTORY_DAYS: i64 = 730;
const ACTIVITIES_PER_DEAL: u64 = 3;

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
    stage: Stage,
    amount: i64,
    /// Which of [`names::DEALS`] it is.
    subject: usize,
}

impl Deal {
    fn is_open(&self) -> bool {
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

    pub(super) fn write_deals(&self, sink: &mut Sink<'_>) -> Result<()> {
        let sheet = sink.sheet(
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
        )?;
        let names = [
            "prospect",
            "qualify",
            "proposal",
            "negotiate",
            "won",
            "lost",
        ];
        let mut stages = Vec::new();
        for name in names {
            stages.push(sink.find("stages", "name", name)?);
        }
        let sources = sink.labels("opportunities", "source")?;
        let reasons = sink.labels("opportunities", "loss_reason")?;
        for number in 0..self.deals {
            let deal = self.deal(number);
            let random = &mut self.random(Kind::Deal, number + (1 << 40));
            let leaf = self.accounts[deal.account as usize].leaf;
            let name = format!(
                "{} {}",
                company(deal.account).short,
                names::DEALS[deal.subject]
            );
            let next = random.pick(names::NEXT_STEPS);
            let values = [
                Value::text(name),
                reference(deal.account),
                reference(deal.contact),
                reference(self.owner(&deal)),
                reference(team::leaf_record(leaf)),
                code(&stages, deal.stage as usize),
                self.money(deal.amount),
                Value::Date(deal.opened),
                Value::Date(deal.close),
                random.pick(&sources).clone(),
                if deal.stage == Stage::Lost {
                    random.pick(&reasons).clone()
                } else {
                    Value::Missing
                },
                if deal.is_open() {
                    Value::text(next)
                } else {
                    Value::Missing
                },
            ];
            sink.add(&sheet, values)?;
        }
        self.write_lines(sink)?;
        self.write_orders(sink)
    }

    /// Open deals with a proposal say what is to be sold.
    fn write_lines(&self, sink: &mut Sink<'_>) -> Result<()> {
        let fields = ["opportunity", "product", "quantity", "price", "discount"];
        let sheet = sink.sheet("opportunity_lines", fields)?;
        for number in 0..self.deals {
            let deal = self.deal(number);
            if !deal.is_open() || deal.stage < Stage::Proposal {
                continue;
            }
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
            sink.add(&sheet, values)?;
        }
        Ok(())
    }

    fn write_orders(&self, sink: &mut Sink<'_>) -> Result<()> {
        let fields = ["number", "account", "opportunity", "ordered_on", "amount"];
        let sheet = sink.sheet("orders", fields)?;
        for number in 0..self.deals {
            let deal = self.deal(number);
            if deal.stage != Stage::Won {
                continue;
            }
            let random = &mut self.random(Kind::Line, number + (1 << 40));
            let ordered = deal.close.add_days(random.between(0, 9))?.min(self.today);
            let values = [
                Value::text(format!("PO-{:06}", number + 1)),
                reference(deal.account),
                reference(number),
                Value::Date(ordered),
                self.money(deal.amount),
            ];
            sink.add(&sheet, values)?;
        }
        Ok(())
    }

    /// Three a deal, spread over its life; the last one of an open deal is still to be done.
    pub(super) fn write_activities(&self, sink: &mut Sink<'_>) -> Result<()> {
        let sheet = sink.sheet(
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
        )?;
        let types = sink.labels("activities", "type")?;
        let kinds = [
            "call", "email", "meeting", "demo", "proposal", "visit", "task",
        ];
        let label = |name: &str| code(&types, kinds.iter().position(|k| *k == name).unwrap_or(0));
        let [planned, done, cancelled] =
            ["planned", "done", "cancelled"].map(|name| sink.label("activities", "status", name));
        let (planned, done, cancelled) = (planned?, done?, cancelled?);
        // Two that were forgotten long ago.
        for day in [11, 12] {
            let due = Date::from_ymd(2019, 11, day).unwrap_or_default();
            let mut values = [const { Value::Missing }; 10];
            values[0] = Value::text("Call back");
            values[1] = label("call");
            values[4] = reference(CACTUS);
            values[5] = reference(team::BEN);
            values[6] = Value::DateTime(self.moment(due, 600));
            values[9] = cancelled.clone();
            sink.add(&sheet, values)?;
        }
        for number in 0..self.deals * ACTIVITIES_PER_DEAL {
            let (of, at) = (number / ACTIVITIES_PER_DEAL, number % ACTIVITIES_PER_DEAL);
            let deal = self.deal(of);
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
            let is_done = !ahead && !dropped && finished <= self.clock.now;
            let values = [
                Value::text(subject),
                label(kind),
                reference(deal.contact),
                reference(of),
                reference(deal.account),
                reference(self.owner(&deal)),
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
                    (true, _) => done.clone(),
                    (false, true) => cancelled.clone(),
                    (false, false) => planned.clone(),
                },
            ];
            sink.add(&sheet, values)?;
        }
        self.write_notes(sink)
    }

    fn write_notes(&self, sink: &mut Sink<'_>) -> Result<()> {
        let sheet = sink.sheet("notes", ["about", "author", "written_at", "body"])?;
        let opportunities = sink.object_id("opportunities")?;
        for number in 0..self.deals / 50 {
            let deal = self.deal(number * 50);
            let random = &mut self.random(Kind::Note, number);
            let day = deal.opened.add_days(random.between(0, 6))?.min(self.today);
            let values = [
                Value::AnyReference(opportunities, crate::value::RecordId(number * 50)),
                reference(self.owner(&deal)),
                Value::DateTime(self.moment(day, 480)),
                Value::text(random.pick(names::NOTES)),
            ];
            sink.add(&sheet, values)?;
        }
        Ok(())
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
