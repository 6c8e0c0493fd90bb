//! What becomes of records that refer to one that is deleted.

use super::Catalog;
use crate::error::Result;
use crate::value::{FieldId, ObjectId};
use serde::{Deserialize, Serialize};

/// The rule of a reference for when the record that it points to is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OnDelete {
    /// That record stays.
    #[default]
    Refuse,
    /// The reference becomes missing.
    Empty,
    /// The referring record is deleted too.
    Cascade,
}

impl OnDelete {
    pub(crate) const ALL: [Self; 3] = [Self::Refuse, Self::Empty, Self::Cascade];

    /// The word that declares it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Empty => "empty",
            Self::Cascade => "cascade",
        }
    }

    /// The rule that a word declares, ignoring case.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|rule| rule.word().eq_ignore_ascii_case(word))
    }
}

/// The rules other than the usual one, which stand behind the rest of a catalog's bytes: in older
/// books there are none.
type Rules = Vec<(ObjectId, FieldId, OnDelete)>;

impl Catalog {
    pub(super) fn deletion_rules(&self) -> Rules {
        let fields = self.fields();
        fields
            .map(|(object, field)| (object, field.id, field.on_delete))
            .filter(|(.., rule)| *rule != OnDelete::Refuse)
            .collect()
    }

    pub(super) fn set_deletion_rules(&mut self, rules: Rules) -> Result<()> {
        for (object, field, rule) in rules {
            self.field_mut(object, field)?.on_delete = rule;
        }
        Ok(())
    }
}
