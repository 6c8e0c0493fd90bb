//! Roles: what an object's records are to the engine itself, which knows no object by name.

use super::{Field, Object};
use crate::value::FieldType;
use serde::{Deserialize, Serialize};

/// What the engine takes an object's records for. Each role has at most one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    /// Those who ask: `me` is one of them.
    Actors,
    /// What a unit of a currency is worth in base, from a day on.
    Rates,
    /// Spans of a weekday in which work is done.
    WorkingHours,
    /// Days on which no work is done.
    Holidays,
}

impl Role {
    pub(crate) const ALL: [Self; 4] = [
        Self::Actors,
        Self::Rates,
        Self::WorkingHours,
        Self::Holidays,
    ];

    /// The word that declares it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Actors => "actors",
            Self::Rates => "rates",
            Self::WorkingHours => "working_hours",
            Self::Holidays => "holidays",
        }
    }

    /// The role that a word declares, ignoring case.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|role| role.word().eq_ignore_ascii_case(word))
    }

    /// The fields its object must have, each with its type and the type's word.
    pub(crate) fn fields(self) -> &'static [(&'static str, FieldType, &'static str)] {
        match self {
            Self::Actors => &[],
            Self::Rates => &[
                ("currency", FieldType::Text, "text"),
                ("valid_on", FieldType::Date, "date"),
                ("rate", FieldType::Number, "number"),
            ],
            Self::WorkingHours => &[
                ("weekday", FieldType::Integer, "integer"),
                ("opens", FieldType::Duration, "duration"),
                ("closes", FieldType::Duration, "duration"),
            ],
            Self::Holidays => &[("day", FieldType::Date, "date")],
        }
    }

    /// A statement that would declare an object of this role.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Actors => "create object reps (name text label) actors",
            Self::Rates => {
                "create object exchange_rates (currency text, valid_on date, rate number) rates"
            }
            Self::WorkingHours => {
                "create object working_calendar (weekday integer, opens duration, \
                 closes duration) working_hours"
            }
            Self::Holidays => "create object holidays (day date) holidays",
        }
    }
}

impl Object {
    /// The fields that the object's role works with, in the role's order.
    pub(crate) fn role_fields(&self) -> impl Iterator<Item = &Field> {
        let wanted = self.role.map_or(&[][..], Role::fields);
        wanted.iter().filter_map(|(name, ..)| self.find_field(name))
    }
}
