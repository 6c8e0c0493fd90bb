//! How the sample book came to be: what there was a year ago, then day by day or week by week what
//! came and moved.

use super::World;
use super::deals::{ACTIVITIES_PER_DEAL, Deal, KNOWN, Sheets, Stage};
use super::sheet::Sink;
use super::{Kind, team};
use crate::error::Result;
use crate::value::{Date, DateTime, RecordId};

/// Days back to the first transaction.
const DAYS: i32 = 364;
/// Of so many deals every move is told. Of more so many are picked; the others stand in one stage
/// until they close, and their activities come as they are now.
const TOLD: u64 = 20_000;
/// A transaction has about so many new deals at least, but there is one a week.
const STEP_DEALS: u64 = 10_000;

/// The days of the transactions.
pub(super) struct Story {
    first: Date,
    today: Date,
    /// Days from one to the next.
    step: i32,
    /// One deal of so many has every move told.
    told: u64,
}

/// How a deal came to where it is.
struct Path {
    /// The stages before the closing, and since when.
    stages: Vec<(Date, Stage)>,
    /// What it was thought to bring before there was a proposal.
    guess: Option<i64>,
    /// The day on which it was to close before it was late.
    expected: Option<Date>,
}

/// What a transaction changes beside adding deals, by number.
#[derive(Clone, Default)]
struct Step {
    moved: Vec<u64>,
    done: Vec<u64>,
    ordered: Vec<u64>,
}

impl Story {
    pub(super) fn new(today: Date, deals: u64) -> Result<Self> {
        Ok(Self {
            first: today.add_days(-i64::from(DAYS))?,
            today,
            step: if deals < STEP_DEALS { 1 } else { 7 },
            told: deals.div_ceil(TOLD),
        })
    }

    fn steps(&self) -> usize {
        self.at(self.today) + 1
    }

    /// The transaction that writes what happened on a day.
    fn at(&self, day: Date) -> usize {
        let days = day.min(self.today).days() - self.first.days();
        usize::try_from((days + self.step - 1) / self.step).unwrap_or(0)
    }

    /// The last day that a transaction knows of.
    fn day(&self, step: usize) -> Date {
        let days = i64::try_from(step).unwrap_or(0) * i64::from(self.step);
        let day = self.first.add_days(days);
        day.unwrap_or(self.today).min(self.today)
    }
}

impl World<'_> {
    /// When a transaction is written: in the evening, the last one now.
    pub(super) fn evening(&self, step: usize) -> DateTime {
        let day = self.story.day(step);
        match day < self.today {
            true => self.moment(day, 18 * 60),
            false => self.clock.now,
        }
    }

    /// Whether every move of a deal is told.
    pub(super) fn is_told(&self, number: u64) -> bool {
        number < KNOWN || number.is_multiple_of(self.story.told)
    }

    fn path(&self, number: u64, deal: &Deal) -> Path {
        let random = &mut self.random(Kind::Deal, number + (2 << 40));
        let open = deal.is_open();
        let before_closing = [
            Stage::Prospect,
            Stage::Qualify,
            Stage::Proposal,
            Stage::Negotiate,
        ];
        let any = random.below(4) as usize;
        if !self.is_told(number) {
            let stage = if open {
                deal.stage
            } else {
                before_closing[any]
            };
            return Path {
                stages: vec![(deal.opened, stage)],
                guess: None,
                expected: None,
            };
        }
        let reached = match deal.stage {
            Stage::Won => 3,
            Stage::Lost => any,
            open => open as usize,
        };
        let end = if open { self.today } else { deal.close };
        let life = f64::from(end.days() - deal.opened.days());
        let mut since = |at: usize| {
            let share = (at as f64 + 0.8 * random.unit() - 0.4) / (reached as f64 + 1.0);
            let days = if at == 0 { 0.0 } else { share * life };
            deal.opened.add_days(days as i64).unwrap_or(deal.opened)
        };
        let stages = (0..=reached).map(|at| (since(at), before_closing[at]));
        let stages = stages.collect();
        let guess = (deal.stage >= Stage::Proposal && random.chance(0.4))
            .then(|| (deal.amount * random.between(60, 150) / 100 / 100).max(5) * 100);
        let expected = random.chance(0.3).then(|| -random.between(5, 40));
        let expected = expected.and_then(|days| deal.close.add_days(days).ok());
        Path {
            stages,
            guess,
            expected: expected.filter(|&day| day > deal.opened && day < self.today),
        }
    }

    /// Opportunity `number` as it was on a day.
    pub(super) fn deal_on(&self, number: u64, day: Date) -> Deal {
        let mut deal = self.deal(number);
        if day >= self.today || (!deal.is_open() && day >= deal.close) {
            return deal;
        }
        let path = self.path(number, &deal);
        let first = path.stages[0].1;
        let reached = path.stages.iter().rev().find(|(since, _)| *since <= day);
        deal.stage = reached.map_or(first, |(_, stage)| *stage);
        if deal.stage < Stage::Proposal {
            deal.amount = path.guess.unwrap_or(deal.amount);
        }
        if let Some(expected) = path.expected
            && day < expected
        {
            deal.close = expected;
        }
        deal
    }

    /// The transactions that change a deal after it came.
    fn moves(&self, number: u64, deal: &Deal) -> Vec<usize> {
        let path = self.path(number, deal);
        let mut days: Vec<Date> = path.stages.iter().map(|(since, _)| *since).collect();
        days.extend(path.expected);
        days.extend((!deal.is_open()).then_some(deal.close));
        let came = self.story.at(deal.opened);
        let steps = days.into_iter().map(|day| self.story.at(day));
        let mut steps: Vec<usize> = steps.filter(|step| *step > came).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// Everything that the transactions change in deals that came before.
    fn steps(&self, sheets: &Sheets) -> Result<Vec<Step>> {
        let story = &self.story;
        let mut steps = vec![Step::default(); story.steps()];
        for number in 0..self.deals {
            let deal = self.deal(number);
            let came = story.at(deal.opened);
            for step in self.moves(number, &deal) {
                steps[step].moved.push(number);
            }
            if let Some(day) = self.ordered(number, &deal)? {
                steps[story.at(day)].ordered.push(number);
            }
            if self.is_told(number) {
                let own = number * ACTIVITIES_PER_DEAL;
                for activity in own..own + ACTIVITIES_PER_DEAL {
                    let (_, done) = self.activity(sheets, activity, &deal, deal.opened)?;
                    let step = done.map_or(0, |day| story.at(day));
                    if step > came {
                        steps[step].done.push(activity);
                    }
                }
            }
        }
        Ok(steps)
    }

    /// Opportunities and what belongs to them, in the transactions in which they came and moved.
    pub(super) fn write_story(&self, sink: &mut Sink<'_>) -> Result<()> {
        let sheets = &Sheets::new(sink)?;
        let steps = self.steps(sheets)?;
        self.write_forgotten(sink, sheets)?;
        // Their numbers come first, they themselves later.
        let mut known = Vec::new();
        for number in 0..KNOWN {
            let keep = |sink: &mut Sink<'_>| self.write_deal(sink, sheets, number, self.today);
            known.push(Some(sink.keep(keep)?));
        }
        let mut next = KNOWN;
        for (at, step) in steps.into_iter().enumerate() {
            let day = self.story.day(at);
            (sink.at, sink.actor) = (self.evening(at), self.writer(at));
            for (number, ids) in (0..).zip(&mut known) {
                if self.story.at(self.deal(number).opened) <= at
                    && let Some(ids) = ids.take()
                {
                    sink.come(ids, |sink| self.write_deal(sink, sheets, number, day))?;
                }
            }
            while next < self.deals && self.deal(next).opened <= day {
                self.write_deal(sink, sheets, next, day)?;
                next += 1;
            }
            for number in step.moved {
                self.move_deal(sink, sheets, number, day)?;
            }
            for activity in step.done {
                self.finish_activity(sink, sheets, activity, day)?;
            }
            for number in step.ordered {
                self.write_order(sink, sheets, number)?;
            }
            sink.commit()?;
        }
        Ok(())
    }

    /// Who writes a transaction: the first loads the book, then the sellers take turns.
    fn writer(&self, step: usize) -> Option<RecordId> {
        let sellers = [team::ANA, team::BEN, team::CY];
        (step > 0).then(|| RecordId(sellers[step % sellers.len()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Clock;

    fn same(a: &Deal, b: &Deal) -> bool {
        a.stage == b.stage && a.amount == b.amount && a.close == b.close
    }

    /// Deals change in the transactions that say so and in no other, and end as they are.
    fn assert_told(deals: u64) {
        let clock = Clock::system();
        let world = World::new(&clock, deals, 1).unwrap();
        let story = &world.story;
        let last = story.steps() - 1;
        assert_eq!(story.day(last), world.today);
        let mut moved = vec![Vec::new(); story.steps()];
        for number in 0..deals {
            let deal = world.deal(number);
            let came = story.at(deal.opened);
            for step in world.moves(number, &deal) {
                moved[step].push(number);
            }
            let mut before = world.deal_on(number, story.day(came));
            for (step, moved) in moved.iter().enumerate().skip(came + 1) {
                let after = world.deal_on(number, story.day(step));
                if !moved.contains(&number) {
                    assert!(same(&before, &after), "{number} in {step}");
                }
                let closes = before.is_open() != after.is_open();
                let day = (after.close > story.day(step - 1)) & (after.close <= story.day(step));
                assert!(!closes || day, "{number} closes in {step}");
                assert!(closes || before.stage <= after.stage);
                before = after;
            }
            assert!(same(&before, &deal), "{number} ends");
            assert!(story.day(came) >= deal.opened || came == 0);
        }
        let moves: usize = moved.iter().map(Vec::len).sum();
        assert!(moves > deals as usize / 2, "{moves} moves");
    }

    #[test]
    fn deals_move_day_by_day() {
        assert_told(300);
    }

    #[test]
    fn many_deals_move_week_by_week() {
        assert_told(STEP_DEALS);
    }
}
