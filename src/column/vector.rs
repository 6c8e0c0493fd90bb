//! A vector of any shape.

use super::{Bitset, Floats, Ints, TextBlock, Texts};
use crate::value::{FieldType, LabelCode, Shape, Value};
use std::collections::BTreeMap;

/// Truth values, any of which may be missing.
#[derive(Clone, Debug)]
pub(crate) struct Bits {
    /// Set where true; clear where false or missing.
    pub data: Bitset,
    pub missing: Option<Bitset>,
}

/// Tags: for each label in use the slots that have it. A slot in none is missing.
#[derive(Clone, Debug)]
pub(crate) struct Tags {
    pub sets: BTreeMap<LabelCode, Bitset>,
    pub len: usize,
}

/// Values of one field or expression over a run of slots. Cheap to clone, lists aside.
#[derive(Clone, Debug)]
pub(crate) enum Vector {
    Bits(Bits),
    Ints(Ints),
    Floats(Floats),
    Texts(Texts),
    /// Money (units, currency), period (start, end), reference to any of several (object, id).
    /// Both parts are missing at the same slots.
    Pair(Ints, Ints),
    Tags(Tags),
    /// In results alone: [`Value::List`] or missing, under the shape of texts.
    Lists(Vec<Value>),
}

impl Vector {
    /// `len` missing values.
    pub(crate) fn missing(shape: Shape, len: usize) -> Self {
        let ints = || Ints::Constant { value: None, len };
        match shape {
            Shape::Bits => Self::Bits(Bits {
                data: Bitset::new(len),
                missing: Some(Bitset::full(len)),
            }),
            Shape::Ints => Self::Ints(ints()),
            Shape::Floats => Self::Floats(Floats::Constant { value: None, len }),
            Shape::Texts | Shape::RowOnly => Self::Texts(Texts::Constant { value: None, len }),
            Shape::Pair => Self::Pair(ints(), ints()),
            Shape::Tags => Self::Tags(Tags {
                sets: BTreeMap::new(),
                len,
            }),
        }
    }

    /// The values, each of the given shape or missing.
    pub(crate) fn from_values(shape: Shape, values: &[Value]) -> Self {
        match shape {
            Shape::Bits => {
                let missing = Bitset::from_fn(values.len(), |at| values[at].is_missing());
                Self::Bits(Bits {
                    data: Bitset::from_fn(values.len(), |at| values[at] == Value::Boolean(true)),
                    missing: (!missing.none()).then_some(missing),
                })
            }
            Shape::Ints => Self::Ints(Ints::from_options(values.iter().map(Value::as_int))),
            Shape::Floats => Self::Floats(Floats::from_options(values.iter().map(|v| match v {
                Value::Number(n) => Some(*n),
                _ => None,
            }))),
            Shape::Texts if values.iter().any(|v| matches!(v, Value::List(_))) => {
                Self::Lists(values.to_vec())
            }
            Shape::Texts | Shape::RowOnly => {
                Self::Texts(Texts::from_options(values.iter().map(|v| match v {
                    Value::Text(text) => Some(&**text),
                    _ => None,
                })))
            }
            Shape::Pair => Self::Pair(
                Ints::from_options(values.iter().map(|v| v.as_pair().map(|pair| pair.0))),
                Ints::from_options(values.iter().map(|v| v.as_pair().map(|pair| pair.1))),
            ),
            Shape::Tags => {
                let mut sets = BTreeMap::new();
                for (at, value) in values.iter().enumerate() {
                    let Value::Tags(codes) = value else { continue };
                    for &code in codes.iter() {
                        sets.entry(code)
                            .or_insert_with(|| Bitset::new(values.len()))
                            .set(at, true);
                    }
                }
                Self::Tags(Tags {
                    sets,
                    len: values.len(),
                })
            }
        }
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        const ITSELF: usize = 96;
        let set = |set: &Bitset| set.len() / 8;
        ITSELF
            + match self {
                Self::Bits(bits) => set(&bits.data) + bits.missing.as_ref().map_or(0, set),
                Self::Ints(ints) => ints.bytes(),
                Self::Pair(a, b) => a.bytes() + b.bytes(),
                Self::Floats(Floats::Values(values)) => 8 * values.len(),
                Self::Floats(Floats::Constant { .. }) => 0,
                Self::Texts(texts) => texts.bytes(),
                Self::Tags(tags) => tags.sets.values().map(|bits| ITSELF + set(bits)).sum(),
                Self::Lists(lists) => ITSELF * lists.len(),
            }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bits(bits) => bits.data.len(),
            Self::Ints(ints) | Self::Pair(ints, _) => ints.len(),
            Self::Floats(floats) => floats.len(),
            Self::Texts(texts) => texts.len(),
            Self::Tags(tags) => tags.len,
            Self::Lists(lists) => lists.len(),
        }
    }

    /// Whether it holds values of this shape.
    pub(crate) fn is_of(&self, shape: Shape) -> bool {
        matches!(
            (self, shape),
            (Self::Bits(_), Shape::Bits)
                | (Self::Ints(_), Shape::Ints)
                | (Self::Floats(_), Shape::Floats)
                | (Self::Texts(_), Shape::Texts | Shape::RowOnly)
                | (Self::Pair(..), Shape::Pair)
                | (Self::Tags(_), Shape::Tags)
        )
    }

    /// The value at a slot, as a value of type `ty`, which must have this vector's shape.
    pub(crate) fn value(&self, ty: &FieldType, at: usize) -> Value {
        match self {
            Self::Bits(bits) => {
                if bits.missing.as_ref().is_some_and(|m| m.get(at)) {
                    Value::Missing
                } else {
                    Value::Boolean(bits.data.get(at))
                }
            }
            Self::Ints(ints) => ints
                .get(at)
                .map_or(Value::Missing, |n| Value::from_int(ty, n)),
            Self::Floats(floats) => floats.get(at).map_or(Value::Missing, Value::Number),
            Self::Texts(texts) => texts.get(at).map_or(Value::Missing, Value::text),
            Self::Pair(a, b) => match (a.get(at), b.get(at)) {
                (Some(a), Some(b)) => Value::from_pair(ty, a, b),
                _ => Value::Missing,
            },
            Self::Tags(tags) => {
                let codes: Vec<_> = tags
                    .sets
                    .iter()
                    .filter(|(_, set)| set.get(at))
                    .map(|(&code, _)| code)
                    .collect();
                if codes.is_empty() {
                    Value::Missing
                } else {
                    Value::Tags(codes.into())
                }
            }
            Self::Lists(lists) => lists[at].clone(),
        }
    }

    /// The slots without a value.
    pub(crate) fn missing_slots(&self) -> Bitset {
        match self {
            Self::Bits(bits) => bits
                .missing
                .clone()
                .unwrap_or_else(|| Bitset::new(bits.data.len())),
            Self::Ints(ints) | Self::Pair(ints, _) => ints.missing(),
            Self::Floats(floats) => floats.missing(),
            Self::Texts(texts) => texts.missing(),
            Self::Tags(tags) => {
                let mut any = Bitset::new(tags.len);
                tags.sets.values().for_each(|set| any.or(set));
                any.not();
                any
            }
            Self::Lists(lists) => Bitset::from_fn(lists.len(), |at| lists[at].is_missing()),
        }
    }

    /// The slots `slots`, in that order; a slot of nothing gives a missing value.
    pub(crate) fn gather(&self, slots: &[Option<u32>]) -> Self {
        let ints = |ints: &Ints| {
            Ints::from_options(
                slots
                    .iter()
                    .map(|at| at.and_then(|at| ints.get(at as usize))),
            )
        };
        let pick = |set: &Bitset| {
            Bitset::from_fn(slots.len(), |at| {
                slots[at].is_some_and(|at| set.get(at as usize))
            })
        };
        match self {
            Self::Bits(bits) => {
                let missing = Bitset::from_fn(slots.len(), |at| {
                    slots[at]
                        .is_none_or(|at| bits.missing.as_ref().is_some_and(|m| m.get(at as usize)))
                });
                Self::Bits(Bits {
                    data: pick(&bits.data),
                    missing: (!missing.none()).then_some(missing),
                })
            }
            Self::Ints(values) => Self::Ints(ints(values)),
            Self::Floats(floats) => Self::Floats(Floats::from_options(
                slots
                    .iter()
                    .map(|at| at.and_then(|at| floats.get(at as usize))),
            )),
            Self::Texts(texts) => Self::Texts(gather_texts(texts, slots)),
            Self::Pair(a, b) => Self::Pair(ints(a), ints(b)),
            Self::Tags(tags) => Self::Tags(Tags {
                sets: tags
                    .sets
                    .iter()
                    .map(|(&code, set)| (code, pick(set)))
                    .collect(),
                len: slots.len(),
            }),
            Self::Lists(lists) => Self::Lists(
                slots
                    .iter()
                    .map(|at| at.map_or(Value::Missing, |at| lists[at as usize].clone()))
                    .collect(),
            ),
        }
    }
}

fn gather_texts(texts: &Texts, slots: &[Option<u32>]) -> Texts {
    let mut block = TextBlock::default();
    let mut missing = Bitset::new(slots.len());
    for (to, at) in slots.iter().enumerate() {
        match at.and_then(|at| texts.get(at as usize)) {
            Some(text) => block.push(text),
            None => {
                missing.set(to, true);
                block.push("");
            }
        }
    }
    Texts::plain(block, (!missing.none()).then_some(missing))
}
