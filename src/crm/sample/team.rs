//! Territories, teams, reps and quotas of the sample book, and who owns what where.

use super::names::{self, REGIONS};
use super::random::Random;
use super::sheet::{Sink, reference};
use super::{Kind, World};
use crate::error::Result;
use crate::value::{Period, Unit, Value};
use std::collections::HashSet;

/// A seller, as others refer to one.
pub(super) struct Rep {
    name: String,
    handle: String,
    role: &'static str,
    manager: Option<u64>,
    team: u64,
    territory: u64,
}

/// Everyone, and the owners of each territory.
pub(super) struct Team {
    pub reps: Vec<Rep>,
    /// By leaf (a territory without parts, counted from 0): the reps who own accounts there.
    pub owners: Vec<Vec<u64>>,
    /// Those who look after customers.
    pub csms: Vec<u64>,
    /// Those who take leads.
    pub sdrs: Vec<u64>,
}

const TEAMS: &[(&str, &str)] = &[
    ("Leadership", "plans and coaches"),
    ("Field Sales", "closes deals in the territories"),
    ("Inbound", "answers who comes to us"),
    ("Customer Success", "looks after customers"),
];

/// Reps with names of their own: handle, name, role.
const KNOWN: &[(&str, &str, &str)] = &[
    ("val", "Valerie Stone", "manager"),
    ("dee", "Dee Park", "manager"),
    ("max", "Max Keller", "manager"),
    ("ana", "Ana Reyes", "account_executive"),
    ("ben", "Ben Osborn", "account_executive"),
    ("cy", "Cy Lambert", "account_executive"),
    ("sam", "Sam Nash", "inbound_sdr"),
    ("eve", "Eve Harper", "csm"),
];
pub(super) const DEE: u64 = 1;
const MAX: u64 = 2;
pub(super) const ANA: u64 = 3;
pub(super) const BEN: u64 = 4;
pub(super) const CY: u64 = 5;

/// The leaves of SW and NW.
pub(super) const SOUTHWEST: usize = 0;
pub(super) const NORTHWEST: usize = 1;

/// The number of territories that have no parts.
pub(super) fn leaves() -> usize {
    REGIONS.iter().map(|region| region.parts.len()).sum()
}

/// The record of a leaf: the root and the regions come first.
pub(super) fn leaf_record(leaf: usize) -> u64 {
    (1 + REGIONS.len() + leaf) as u64
}

/// The region of a leaf.
pub(super) fn region_of(leaf: usize) -> usize {
    let mut end = 0;
    let within = |parts: usize| {
        end += parts;
        leaf < end
    };
    let mut sizes = REGIONS.iter().map(|region| region.parts.len());
    sizes.position(within).unwrap_or(0)
}

impl Team {
    /// A thousandth of `scale`, at least twelve.
    pub(super) fn new(scale: u64, seed: u64) -> Self {
        let mut team = Self {
            reps: Vec::new(),
            owners: vec![Vec::new(); leaves()],
            csms: Vec::new(),
            sdrs: Vec::new(),
        };
        let mut taken = HashSet::new();
        for &(handle, name, role) in KNOWN {
            taken.insert(name.to_owned());
            team.hire(name.to_owned(), handle.to_owned(), role);
        }
        let size = (scale / 1_000).max(12);
        for number in KNOWN.len() as u64..size {
            let random = &mut Random::new(seed, Kind::Rep as u64, number);
            let (first, last) = names::person(random);
            let plain = format!("{first} {last}");
            let name = match taken.contains(&plain) {
                true => format!("{plain} {number}"),
                false => plain,
            };
            taken.insert(name.clone());
            let handle = name.to_lowercase().replace(' ', ".");
            let role = match number % 20 {
                18 => "inbound_sdr",
                19 => "csm",
                13 if number % 40 > 20 => "outbound_sdr",
                _ => "account_executive",
            };
            team.hire(name, handle, role);
        }
        team.assign();
        team
    }

    fn hire(&mut self, name: String, handle: String, role: &'static str) {
        let id = self.reps.len() as u64;
        let team = match role {
            "manager" => 0,
            "account_executive" => 1,
            "csm" => 3,
            _ => 2,
        };
        match role {
            "csm" => self.csms.push(id),
            "inbound_sdr" => self.sdrs.push(id),
            _ => {}
        }
        self.reps.push(Rep {
            name,
            handle,
            role,
            manager: match id {
                0 => None,
                DEE | MAX => Some(0),
                _ => Some(DEE),
            },
            team,
            territory: 0,
        });
    }

    /// Gives each leaf its owners, and each rep a territory and a manager.
    fn assign(&mut self) {
        let sellers = (0..self.reps.len() as u64)
            .filter(|&id| id > CY && self.reps[id as usize].role == "account_executive");
        let sellers: Vec<u64> = sellers.collect();
        self.owners[SOUTHWEST] = vec![ANA, BEN];
        self.owners[NORTHWEST] = vec![CY];
        let leaves = self.owners.len();
        if sellers.len() < leaves {
            for leaf in 2..leaves {
                let seller = (leaf - 2) * sellers.len() / (leaves - 2);
                self.owners[leaf].push(sellers[seller]);
            }
        } else {
            for (at, &seller) in sellers.iter().enumerate() {
                self.owners[at % leaves].push(seller);
            }
        }
        self.reps[DEE as usize].territory = 1;
        for leaf in (0..self.owners.len()).rev() {
            for id in self.owners[leaf].clone() {
                let alone = self.owners.iter().filter(|ids| ids.contains(&id)).count() == 1;
                let region = region_of(leaf);
                let rep = &mut self.reps[id as usize];
                rep.territory = if alone {
                    leaf_record(leaf)
                } else {
                    region as u64 + 1
                };
                rep.manager = Some(if region == 0 { DEE } else { MAX });
            }
        }
    }
}

impl World<'_> {
    pub(super) fn write_team(&self, sink: &mut Sink<'_>) -> Result<()> {
        self.write_territories(sink)?;
        let teams = sink.sheet("teams", ["name", "purpose", "manager"])?;
        for (number, &(name, purpose)) in TEAMS.iter().enumerate() {
            let manager = if number == 1 { DEE } else { 0 };
            sink.add(
                &teams,
                [Value::text(name), Value::text(purpose), reference(manager)],
            )?;
        }
        let reps = sink.sheet(
            "reps",
            [
                "name",
                "handle",
                "email",
                "phone",
                "role",
                "manager",
                "team",
                "territory",
                "hired_on",
                "active",
            ],
        )?;
        for (number, rep) in self.team.reps.iter().enumerate() {
            let random = &mut self.random(Kind::Rep, number as u64);
            let values = [
                Value::text(&rep.name),
                Value::text(&rep.handle),
                Value::text(format!("{}@fieldbook.example", rep.handle)),
                Value::text(format!("+1 602 555 {:04}", number % 10_000)),
                sink.label("reps", "role", rep.role)?,
                rep.manager.map_or(Value::Missing, reference),
                reference(rep.team),
                reference(rep.territory),
                Value::Date(self.day(-random.between(200, 3_000))),
                Value::Boolean(true),
            ];
            sink.add(&reps, values)?;
        }
        self.write_quotas(sink)
    }

    fn write_territories(&self, sink: &mut Sink<'_>) -> Result<()> {
        let sheet = sink.sheet("territories", ["code", "name", "parent", "manager", "rule"])?;
        let mut add = |code: &str, name: &str, parent, manager, rule| {
            let (code, name) = (Value::text(code), Value::text(name));
            sink.add(&sheet, [code, name, parent, reference(manager), rule])
        };
        add(
            "Americas",
            "All of the Americas",
            Value::Missing,
            0,
            Value::Missing,
        )?;
        let manager = |region: usize| if region == 0 { DEE } else { MAX };
        for (number, region) in REGIONS.iter().enumerate() {
            add(
                region.code,
                region.name,
                reference(0),
                manager(number),
                Value::Missing,
            )?;
        }
        for (number, region) in REGIONS.iter().enumerate() {
            for &(code, name, state, city, _) in region.parts {
                let rule = format!("state = \"{state}\" and city = \"{city}\"");
                let parent = reference(number as u64 + 1);
                add(code, name, parent, manager(number), Value::text(rule))?;
            }
        }
        Ok(())
    }

    /// Two years back and one ahead, for what the rep's accounts should bring, give or take.
    fn write_quotas(&self, sink: &mut Sink<'_>) -> Result<()> {
        let sheet = sink.sheet("quotas", ["rep", "period", "amount"])?;
        let mut owned = vec![0; self.team.reps.len()];
        for account in &self.accounts {
            owned[account.owner.unwrap_or(0) as usize] += 1;
        }
        // Nine quarters of deals, a third won at about 20,000 each.
        let all = self.deals.cast_signed() * 20_000 / 3 / 9;
        let per_account = all / self.accounts.len() as i64;
        for (number, rep) in self.team.reps.iter().enumerate() {
            if rep.role != "account_executive" {
                continue;
            }
            let fair = per_account * owned[number];
            for offset in -8..4 {
                let period = Period::of_unit(Unit::Quarter, self.today, offset, self.clock)?;
                let random = &mut self.random(Kind::Quota, number as u64);
                let amount = match number as u64 {
                    CY => 90_000.max(fair / 3),
                    _ => fair * random.between(60, 140) / 100,
                };
                let amount = (amount / 1_000 * 1_000).max(20_000);
                let rep = reference(number as u64);
                sink.add(&sheet, [rep, Value::Period(period), self.money(amount)])?;
            }
        }
        Ok(())
    }
}
