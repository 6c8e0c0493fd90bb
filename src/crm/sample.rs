//! The sample book: a coherent company of any size, the same for the same seed, scale and day.
//!
//! Everything hangs together: owners follow territories, deals are closed in the past and open
//! in the future, activities belong to deals. A deal depends on its number alone, so that what
//! follows from it (orders, activities) is made without keeping a million deals in memory. What
//! there was a year ago is written first, then step by step what came and changed since.

mod catalogue;
mod customers;
mod deals;
mod names;
mod random;
mod sheet;
mod story;
mod team;

use crate::catalog::Catalog;
use crate::error::Result;
use crate::storage::Store;
use crate::value::{Clock, Date, DateTime, Money, Period, Unit, Value};
use random::Random;
use sheet::Sink;
use std::ops::ControlFlow;

/// The kinds of records, so that each draws its own random numbers.
#[derive(Clone, Copy)]
enum Kind {
    Rep = 1,
    Quota,
    Account,
    Contact,
    Campaign,
    Lead,
    Deal,
    Line,
    Activity,
    Note,
}

/// What all parts of the sample share.
struct World<'a> {
    clock: &'a Clock,
    today: Date,
    /// First and last day of the quarter.
    quarter: (Date, Date),
    seed: u64,
    deals: u64,
    contacts: u64,
    story: story::Story,
    team: team::Team,
    accounts: Vec<customers::Account>,
}

/// Fills a new book that has the built-in CRM with a sample of `scale` opportunities: a tenth as
/// many accounts and leads, three contacts an account, three activities an opportunity.
///
/// `progress` is told the records written and roughly how many there will be, and may stop it.
pub(crate) fn fill(
    store: &Store,
    catalog: &Catalog,
    clock: &Clock,
    scale: u64,
    seed: u64,
    progress: &dyn Fn(u64, u64) -> ControlFlow<()>,
) -> Result<()> {
    let scale = scale.clamp(10, 100_000_000);
    let world = World::new(clock, scale, seed)?;
    let expected = scale * 5 + scale / 10 + 2_000;
    let sink = &mut Sink::new(store, catalog, expected, progress);
    sink.at = world.evening(0);
    for object in [
        "territories",
        "reps",
        "accounts",
        "contacts",
        "opportunities",
        "activities",
    ] {
        sink.must_be_empty(object)?;
    }
    world.write_team(sink)?;
    world.write_products(sink)?;
    world.write_customers(sink)?;
    world.write_story(sink)?;
    world.write_leads(sink)?;
    world.write_enablement(sink)?;
    sink.commit()
}

impl<'a> World<'a> {
    fn new(clock: &'a Clock, deals: u64, seed: u64) -> Result<Self> {
        let today = clock.today();
        let quarter = Period::of_unit(Unit::Quarter, today, 0, clock)?;
        let accounts = (deals / 10).max(names::COMPANIES.len() as u64);
        let team = team::Team::new(deals, seed);
        Ok(Self {
            clock,
            today,
            quarter: (quarter.start(), quarter.end().add_days(-1)?),
            seed,
            deals,
            story: story::Story::new(today, deals)?,
            contacts: accounts * customers::CONTACTS_PER_ACCOUNT,
            accounts: customers::Account::all(accounts, &team, seed),
            team,
        })
    }

    fn random(&self, kind: Kind, number: u64) -> Random {
        Random::new(self.seed, kind as u64, number)
    }

    /// `days` after today, before it if negative.
    fn day(&self, days: i64) -> Date {
        self.today.add_days(days).unwrap_or(self.today)
    }

    /// A moment of a day: `minutes` after midnight.
    fn moment(&self, day: Date, minutes: i64) -> DateTime {
        DateTime::from_micros(self.clock.start_of(day).micros() + minutes * 60_000_000)
    }

    /// Whole units of the base currency.
    fn money(&self, amount: i64) -> Value {
        Value::Money(Money::from_units(amount * Money::SCALE, self.clock.base))
    }
}
