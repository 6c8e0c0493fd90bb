//! Accounts, contacts, leads and campaigns of the sample book.

use super::names::{self, COMPANIES, REGIONS, company};
use super::random::Random;
use super::sheet::{Sink, code, reference};
use super::team::{self, ANA, BEN, CY, NORTHWEST, SOUTHWEST, Team};
use super::{Kind, World};
use crate::error::Result;
use crate::value::Value;

pub(super) const CONTACTS_PER_ACCOUNT: u64 = 3;

/// The accounts with names of their own.
pub(super) const ACME: u64 = 0;
pub(super) const BOREALIS: u64 = 1;
pub(super) const CACTUS: u64 = 2;
const DELTA: u64 = 3;

/// What deals need to know of an account.
#[derive(Clone, Copy)]
pub(super) struct Account {
    pub leaf: usize,
    pub owner: Option<u64>,
    /// 0 (small) to 3 (enterprise).
    pub segment: usize,
}

impl Account {
    pub(super) fn all(count: u64, team: &Team, seed: u64) -> Vec<Self> {
        let draw = |number| Self::draw(number, team, seed);
        (0..count).map(draw).collect()
    }

    fn draw(number: u64, team: &Team, seed: u64) -> Self {
        let random = &mut Random::new(seed, Kind::Account as u64, number);
        let place = random.below(100);
        let any = random.below(team::leaves() as u64) as usize;
        let size = random.below(100);
        let leaf = match number {
            ACME | CACTUS => SOUTHWEST,
            BOREALIS => NORTHWEST,
            DELTA => 20,
            _ if place < 5 => SOUTHWEST,
            _ if place < 8 => NORTHWEST,
            _ => any,
        };
        let owned = !random.chance(0.03);
        let owner = match number {
            ACME => Some(ANA),
            BOREALIS => Some(CY),
            CACTUS => Some(BEN),
            DELTA => None,
            _ => owned.then(|| *random.pick(&team.owners[leaf])),
        };
        let segment = match size {
            _ if number == ACME => 2,
            0..45 => 0,
            45..75 => 1,
            75..93 => 2,
            _ => 3,
        };
        Self {
            leaf,
            owner,
            segment,
        }
    }
}

/// The place of a leaf: country, state, city and telephone area.
fn place(leaf: usize) -> (&'static str, &'static str, &'static str, &'static str) {
    let parts = REGIONS
        .iter()
        .flat_map(|region| region.parts.iter().map(move |part| (region.country, part)));
    let (country, part) = parts
        .clone()
        .nth(leaf)
        .or_else(|| parts.clone().next())
        .expect("there are territories");
    (country, part.2, part.3, part.4)
}

impl World<'_> {
    pub(super) fn write_customers(&self, sink: &mut Sink<'_>) -> Result<()> {
        self.write_accounts(sink)?;
        self.write_contacts(sink)?;
        self.write_campaigns(sink)
    }

    fn write_accounts(&self, sink: &mut Sink<'_>) -> Result<()> {
        let sheet = sink.sheet(
            "accounts",
            [
                "name",
                "parent",
                "industry",
                "segment",
                "employees",
                "revenue",
                "website",
                "phone",
                "city",
                "state",
                "country",
                "billing_address",
                "mailing_address",
                "territory",
                "owner",
                "csm",
            ],
        )?;
        let segments = sink.labels("accounts", "segment")?;
        for (number, account) in self.accounts.iter().enumerate() {
            let number = number as u64;
            let random = &mut self.random(Kind::Account, number + (1 << 40));
            let company = company(number);
            let industry = sink.label("accounts", "industry", company.industry)?;
            // Few have moved and are still where they were: their territory's rule says no.
            let moved = number >= COMPANIES.len() as u64 && random.chance(0.02);
            let home = if moved {
                random.below(40) as usize
            } else {
                account.leaf
            };
            let (country, state, city, area) = place(home);
            let employees = [10, 60, 400, 2_500][account.segment] * random.between(100, 500) / 100;
            let street = format!(
                "{} {}, {city}",
                random.between(1, 999),
                random.pick(names::STREETS)
            );
            let billing = match random.chance(0.3) {
                true => format!("PO Box {}, {city}", random.between(1, 9_999)),
                false => street.clone(),
            };
            let (billing, street) = match number {
                ACME => (
                    "PO Box 9, Phoenix".to_owned(),
                    "1 Main St, Phoenix".to_owned(),
                ),
                _ => (billing, street),
            };
            let parent = match number {
                CACTUS => reference(ACME),
                _ if number > 100 && random.chance(0.06) => reference(random.below(number / 4)),
                _ => Value::Missing,
            };
            let csm = random.chance(0.4).then(|| *random.pick(&self.team.csms));
            let values = [
                Value::text(&company.name),
                parent,
                industry,
                code(&segments, account.segment),
                Value::Integer(employees),
                self.money(employees * random.between(80, 300) * 1_000),
                Value::text(format!("https://{}", company.domain)),
                Value::text(format!("+1 {area} 555 {:04}", random.below(10_000))),
                Value::text(city),
                Value::text(state),
                Value::text(country),
                Value::text(billing),
                Value::text(street),
                reference(team::leaf_record(account.leaf)),
                account.owner.map_or(Value::Missing, reference),
                csm.map_or(Value::Missing, reference),
            ];
            sink.add(&sheet, values)?;
        }
        Ok(())
    }

    fn write_contacts(&self, sink: &mut Sink<'_>) -> Result<()> {
        let sheet = sink.sheet(
            "contacts",
            [
                "name",
                "account",
                "title",
                "role",
                "department",
                "office",
                "influence",
                "reports_to",
                "email",
                "phone",
            ],
        )?;
        for number in 0..self.contacts {
            let (account, at) = (number / CONTACTS_PER_ACCOUNT, number % CONTACTS_PER_ACCOUNT);
            let leaf = self.accounts[account as usize].leaf;
            let (_, _, city, area) = place(leaf);
            let random = &mut self.random(Kind::Contact, number);
            let (first, last) = self.person(account, at);
            let (department, title, role) = match at {
                0 => *random.pick(names::LEADERS),
                1 => names::STAFF[random.below(2) as usize],
                _ => *random.pick(&names::STAFF[2..]),
            };
            let (department, title, role) = match number {
                0 => names::LEADERS[0],
                2 => names::STAFF[2],
                _ => (department, title, role),
            };
            let influence = if at == 0 {
                random.between(7, 10)
            } else {
                random.between(1, 7)
            };
            let office = if number == 2 { "Tucson" } else { city };
            let email = format!("{first}.{last}@{}", company(account).domain).to_lowercase();
            let email = if number == 1 {
                "paz@acme.example".to_owned()
            } else {
                email
            };
            let phone = format!("+1 {area} 555 {:04}", random.below(10_000));
            let phone = if number == 1 {
                "+1 602 555 0101".to_owned()
            } else {
                phone
            };
            let known = number < CONTACTS_PER_ACCOUNT * COMPANIES.len() as u64;
            let values = [
                Value::text(format!("{first} {last}")),
                reference(account),
                Value::text(title),
                sink.label("contacts", "role", role)?,
                Value::text(department),
                Value::text(office),
                Value::Integer(influence),
                if at == 0 {
                    Value::Missing
                } else {
                    reference(number - at)
                },
                if known || random.chance(0.95) {
                    Value::text(email)
                } else {
                    Value::Missing
                },
                if known || random.chance(0.8) {
                    Value::text(phone)
                } else {
                    Value::Missing
                },
            ];
            sink.add(&sheet, values)?;
        }
        Ok(())
    }

    /// The name of a contact: first names differ within an account.
    fn person(&self, account: u64, at: u64) -> (&'static str, &'static str) {
        let random = &mut self.random(Kind::Contact, account + (1 << 40));
        let first = random.below(names::FIRST.len() as u64) + at * 37;
        let lasts = [(); CONTACTS_PER_ACCOUNT as usize].map(|()| *random.pick(names::LAST));
        match (account, at) {
            (ACME, 0) => ("Ned", "Orr"),
            (ACME, 1) => ("Paz", "Ruiz"),
            (ACME, _) => ("Lou", "Kim"),
            (BOREALIS, 0) => ("Ida", "Fox"),
            (CACTUS, 0) => ("Tom", "Vega"),
            _ => (
                names::FIRST[first as usize % names::FIRST.len()],
                lasts[at as usize % lasts.len()],
            ),
        }
    }

    /// One each six weeks for the last year and a half, in turn for each product; every third
    /// contact was in one.
    fn write_campaigns(&self, sink: &mut Sink<'_>) -> Result<()> {
        const COUNT: u64 = 13;
        let sheet = sink.sheet(
            "campaigns",
            ["name", "product", "start", "end", "channel", "budget"],
        )?;
        let channels = sink.labels("campaigns", "channel")?;
        let start = |number: u64| self.day((number.cast_signed() - COUNT.cast_signed()) * 42);
        let products = names::PRODUCTS.len() as u64;
        for number in 0..COUNT {
            let random = &mut self.random(Kind::Campaign, number);
            let product = number % products;
            let start = start(number);
            let (year, month, _) = start.ymd();
            let name = names::PRODUCTS[product as usize].0;
            let values = [
                Value::text(format!("{name} {year}-{month:02}")),
                reference(product),
                Value::Date(start),
                Value::Date(start.add_days(28)?),
                random.pick(&channels).clone(),
                self.money(random.between(5, 60) * 1_000),
            ];
            sink.add(&sheet, values)?;
        }
        let fields = ["campaign", "contact", "status", "responded_on"];
        let sheet = sink.sheet("campaign_memberships", fields)?;
        let statuses = sink.labels("campaign_memberships", "status")?;
        for number in 0..self.contacts / 3 {
            let random = &mut self.random(Kind::Campaign, number + (1 << 40));
            // Acme and Borealis were in the last one for Falcon.
            let known = number <= 1;
            let campaign = if known { products } else { random.below(COUNT) };
            let contact = if known {
                number * 2 + 1
            } else {
                number * 3 + random.below(3)
            };
            let status = if known { 1 } else { random.below(3) as usize };
            let answered = start(campaign).add_days(random.between(1, 27))?;
            let answered = if status == 0 {
                Value::Missing
            } else {
                Value::Date(answered)
            };
            let values = [
                reference(campaign),
                reference(contact),
                code(&statuses, status),
                answered,
            ];
            sink.add(&sheet, values)?;
        }
        Ok(())
    }

    /// A tenth as many as deals; a third became one.
    pub(super) fn write_leads(&self, sink: &mut Sink<'_>) -> Result<()> {
        let sheet = sink.sheet(
            "leads",
            [
                "name",
                "company",
                "email",
                "phone",
                "state",
                "industry",
                "employees",
                "source",
                "status",
                "score",
                "owner",
                "received_at",
                "first_touch_at",
                "mql_at",
                "sql_at",
                "converted_at",
                "converted_account",
                "converted_contact",
                "converted_opportunity",
            ],
        )?;
        let sources = sink.labels("leads", "source")?;
        let label = |sink: &Sink<'_>, name: &str| sink.label("leads", "status", name);
        for number in 0..(self.deals / 10).max(2) {
            let random = &mut self.random(Kind::Lead, number);
            let known = (number < 2).then_some(number);
            let deal = (known.is_none() && random.chance(0.35))
                .then(|| self.deal((number * 10).min(self.deals - 1)));
            let (first, last) = names::person(random);
            let mut prospect = company(number + 1_000_000);
            let (mut name, mut state) = (
                format!("{first} {last}"),
                place(random.below(43) as usize).1,
            );
            let mut score = random.between(5, 95);
            let mut owner = random.chance(0.8).then(|| *random.pick(&self.team.sdrs));
            let mut age = random.between(1, 120);
            match known {
                Some(0) => {
                    (name, state, score, age) = ("Gus Hall".to_owned(), "AZ", 82, 1);
                    prospect.name = "Mesa Tools".to_owned();
                    prospect.domain = "mesatools.example".to_owned();
                    prospect.industry = "manufacturing";
                }
                Some(_) => {
                    (name, state, score, age) = ("Kim Li".to_owned(), "WA", 35, 3);
                    prospect.name = "Nano Cafe".to_owned();
                    prospect.domain = "nanocafe.example".to_owned();
                    prospect.industry = "food";
                    owner = None;
                }
                None => {}
            }
            let received = match &deal {
                Some(deal) => deal.opened.add_days(-random.between(2, 20))?,
                None => self.day(-age),
            };
            let at = |days: i64, minutes: i64| -> Result<Value> {
                let moment = self.moment(received.add_days(days)?, minutes);
                Ok(if moment <= self.clock.now {
                    Value::DateTime(moment)
                } else {
                    Value::Missing
                })
            };
            let touched = owner.is_some() && (deal.is_some() || random.chance(0.7));
            let qualified = deal.is_some() || (touched && score >= 60);
            let status = match (&deal, touched, qualified) {
                (Some(_), ..) => "converted",
                (None, false, _) => "new",
                (None, true, true) => "qualified",
                (None, true, false) if random.chance(0.4) => "disqualified",
                (None, true, false) => "working",
            };
            let email = name.split(' ').next().unwrap_or("mail").to_lowercase();
            let values = [
                Value::text(&name),
                Value::text(&prospect.name),
                Value::text(format!("{email}@{}", prospect.domain)),
                Value::text(format!("+1 602 555 {:04}", random.below(10_000))),
                Value::text(state),
                sink.label("leads", "industry", prospect.industry)?,
                Value::Integer(random.between(5, 900)),
                random.pick(&sources).clone(),
                label(sink, status)?,
                Value::Integer(score),
                owner.map_or(Value::Missing, reference),
                at(0, 510)?,
                if touched {
                    at(random.between(0, 2), 630)?
                } else {
                    Value::Missing
                },
                if score >= 30 || deal.is_some() {
                    at(0, 540)?
                } else {
                    Value::Missing
                },
                if qualified {
                    at(2, 660)?
                } else {
                    Value::Missing
                },
                if deal.is_some() {
                    at(2, 700)?
                } else {
                    Value::Missing
                },
                deal.as_ref()
                    .map_or(Value::Missing, |deal| reference(deal.account)),
                deal.as_ref()
                    .map_or(Value::Missing, |deal| reference(deal.contact)),
                deal.as_ref().map_or(Value::Missing, |_| {
                    reference((number * 10).min(self.deals - 1))
                }),
            ];
            sink.add(&sheet, values)?;
        }
        Ok(())
    }
}
