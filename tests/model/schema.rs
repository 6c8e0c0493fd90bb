//! Objects, fields and views of the model.

use super::state::OBJECTS;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Refuse,
    Empty,
    Cascade,
}

/// Whether labels come by being used.
pub(crate) type Open = bool;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Number,
    Text,
    Date,
    DateTime,
    /// The keys of its labels, the lowest first.
    Labels(Vec<String>),
    /// The same; a value is some of them, in order, with commas between.
    Tags(Vec<String>, Open),
    To(&'static str, Rule),
}

impl Kind {
    pub(crate) fn labels(&self) -> Option<&Vec<String>> {
        match self {
            Self::Labels(labels) | Self::Tags(labels, _) => Some(labels),
            _ => None,
        }
    }

    pub(crate) fn set_labels(&mut self, new: Vec<String>) {
        if let Self::Labels(labels) | Self::Tags(labels, _) = self {
            *labels = new;
        }
    }

    /// Whether there is a way from one type to another.
    pub(crate) fn goes_to(&self, to: &Self) -> bool {
        let number = |kind: &Self| matches!(kind, Self::Integer | Self::Number);
        let time = |kind: &Self| matches!(kind, Self::Date | Self::DateTime);
        let same = match (self, to) {
            (Self::To(a, _), Self::To(b, _)) => a == b,
            (Self::Labels(_), Self::Labels(_)) | (Self::Tags(..), Self::Tags(..)) => false,
            _ => self == to,
        };
        let worded = |kind: &Self| !number(kind) && !time(kind);
        !same
            && (worded(self) || worded(to) || number(self) && number(to) || time(self) && time(to))
    }
}

/// What a new record has in a field of integers that nobody gave it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Default {
    Always(i64),
    /// What names of more than two characters give, and what others do.
    Long(i64, i64),
}

impl Default {
    /// What a record of a name has.
    pub(crate) fn of(self, name: &str) -> i64 {
        match self {
            Self::Long(long, _) if name.len() > 2 => long,
            Self::Always(n) | Self::Long(_, n) => n,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// What records have its values by: never that of another field.
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// What its labels are called, also those that are dropped.
    pub(crate) labels: BTreeMap<String, String>,
    /// Whether a statement made one.
    pub(crate) index: bool,
    pub(crate) unique: bool,
    /// Whether a statement added it.
    pub(crate) added: bool,
    pub(crate) default: Option<Default>,
}

/// What is computed of a number.
#[derive(Clone, Debug)]
pub(crate) struct Formula {
    pub(crate) name: String,
    pub(crate) of: &'static str,
    pub(crate) is: fn(i64) -> String,
}

#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) live: bool,
    pub(crate) fields: Vec<Field>,
    pub(crate) formulas: Vec<Formula>,
    /// The indexes over two fields, by their keys, and whether they are unique.
    pub(crate) joint: Vec<([String; 2], bool)>,
    /// What a field's number is never above, by a check that a statement added.
    pub(crate) bound: Option<(&'static str, i64)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Shows {
    /// Those with a number from the one asked for on, else from 2.
    Number(&'static str),
    Filled(String),
    /// Those with a label.
    Label(String, String),
    /// Those that refer to the record asked for.
    Of(String, &'static str),
}

#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) name: String,
    pub(crate) object: &'static str,
    pub(crate) shows: Shows,
    /// What its column is called: as the label field was when it was made.
    pub(crate) heading: String,
}

pub(crate) const SCHEMA: &str = "
  create object reps (name text label unique) actors;
  create object firms (name text label unique, size integer, more formula (size + 1),
    parent ref firms hierarchy collection children on delete cascade);
  create object people (name text label unique, email email unique,
    firm ref firms collection crew on delete cascade, boss ref people collection staff on delete empty);
  create object orders (name text label unique, firm ref firms required, amount integer,
    large formula (amount >= 3), check (not (amount < 0)));
  add reps (name = \"Dee\"), (name = \"Ben\")";

pub(crate) fn objects() -> BTreeMap<&'static str, Object> {
    let formula = |name: &str, of, is| Formula {
        name: name.to_owned(),
        of,
        is,
    };
    let more = formula("more", "size", |n| (n + 1).to_string());
    let large = formula("large", "amount", |n| (n >= 3).to_string());
    let formulas = [vec![more], vec![], vec![large], vec![]];
    let objects = OBJECTS.into_iter().zip(formulas);
    objects
        .map(|(object, formulas)| {
            let made = Object {
                name: object.to_owned(),
                live: object != "visits",
                fields: fields(object),
                formulas,
                joint: Vec::new(),
                bound: None,
            };
            (object, made)
        })
        .collect()
}

/// The fields that an object is made with.
pub(crate) fn fields(object: &str) -> Vec<Field> {
    let field = |key: &str, kind: Kind| Field {
        key: key.to_owned(),
        name: key.to_owned(),
        index: false,
        kind,
        labels: BTreeMap::new(),
        unique: matches!(key, "name" | "email"),
        added: false,
        default: None,
    };
    let mut fields = vec![field("name", Kind::Text)];
    fields.extend(match object {
        "firms" => vec![
            field("size", Kind::Integer),
            field("parent", Kind::To("firms", Rule::Cascade)),
        ],
        "people" => vec![
            field("email", Kind::Text),
            field("firm", Kind::To("firms", Rule::Cascade)),
            field("boss", Kind::To("people", Rule::Empty)),
        ],
        "orders" => vec![
            field("firm", Kind::To("firms", Rule::Refuse)),
            field("amount", Kind::Integer),
        ],
        _ => vec![field("who", Kind::To("people", Rule::Cascade))],
    });
    fields
}

impl Object {
    pub(crate) fn field(&self, key: &str) -> &Field {
        let mut fields = self.fields.iter();
        fields.find(|field| field.key == key).expect("it is there")
    }

    pub(crate) fn field_mut(&mut self, key: &str) -> &mut Field {
        let mut fields = self.fields.iter_mut();
        fields.find(|field| field.key == key).expect("it is there")
    }
}

impl Field {
    /// The name of a label, and that of a label that is dropped.
    pub(crate) fn label(&self, key: &str) -> &str {
        &self.labels[key]
    }

    /// Whether a value is one that the field may have.
    pub(crate) fn knows(&self, value: &str) -> bool {
        match &self.kind {
            Kind::Labels(labels) => labels.iter().any(|label| label == value),
            Kind::Tags(labels, _) => tags(value).all(|tag| labels.iter().any(|own| own == tag)),
            _ => true,
        }
    }
}

/// The labels of a value of tags.
pub(crate) fn tags(value: &str) -> impl Iterator<Item = &str> {
    value.split(',')
}

/// The place of a label among all, by its key.
pub(crate) fn place(label: &str) -> u32 {
    label[1..].parse().expect("it is a number")
}

pub(crate) fn quoted_all(words: &[impl AsRef<str>]) -> String {
    let words: Vec<_> = words
        .iter()
        .map(|word| format!("\"{}\"", word.as_ref()))
        .collect();
    words.join(", ")
}
