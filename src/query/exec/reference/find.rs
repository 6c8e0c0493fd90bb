//! `find` as defined: every record, every field and every word, one after the other.

use super::{Line, Reference};
use crate::error::edit_distance;
use crate::query::bind::Find;
use crate::query::exec::snippet::snippet;
use crate::value::{FieldId, ObjectId, RecordId, Sought, Value, each_word_of};

/// A record with what each word finds in each field, fields without text aside.
struct Candidate {
    object: ObjectId,
    id: RecordId,
    /// By word and field.
    worth: Vec<Vec<(FieldId, f64)>>,
}

impl Reference<'_> {
    pub(super) fn find(&self, find: &Find) -> Vec<Line> {
        let Some(Value::Text(text)) = find.text.as_constant() else {
            panic!("a search without words");
        };
        let words = Sought::all(text);
        let mut all = 0;
        let mut candidates = Vec::new();
        for object in &find.objects {
            for (id, row) in &self.records[object] {
                all += 1;
                let definition = self.context.catalog.object(*object);
                let mut worth = vec![Vec::new(); words.len()];
                for field in definition.live_fields().filter(|f| f.ty.is_text()) {
                    let Value::Text(text) = row.get(field.id) else {
                        continue;
                    };
                    let mut own = Vec::new();
                    each_word_of(&field.ty, text, |_, word| own.push(word.to_owned()));
                    let short = match own.len() {
                        0..=1 => 1.0,
                        2 => 0.95,
                        3 => 0.9,
                        4 => 0.85,
                        5..=6 => 0.8,
                        7..=10 => 0.7,
                        11..=20 => 0.6,
                        _ => 0.5,
                    };
                    let naming = if field.label { 2.0 } else { 1.0 };
                    for (sought, worth) in words.iter().zip(&mut worth) {
                        let near = own.iter().map(|word| nearness(sought, word));
                        let near = near.fold(0.0, f64::max);
                        if near > 0.0 {
                            worth.push((field.id, near * naming * short));
                        }
                    }
                }
                candidates.push(Candidate {
                    object: *object,
                    id: *id,
                    worth,
                });
            }
        }
        let weights: Vec<f64> = (0..words.len())
            .map(|word| {
                let with = candidates.iter().filter(|c| !c.worth[word].is_empty());
                (1.0 + f64::from(all) / with.count().max(1) as f64).ln()
            })
            .collect();
        candidates
            .iter()
            .filter(|candidate| candidate.worth.iter().all(|worth| !worth.is_empty()))
            .map(|candidate| self.line(find, candidate, &weights, &words))
            .collect()
    }

    fn line(&self, find: &Find, found: &Candidate, weights: &[f64], words: &[Sought]) -> Line {
        let object = self.context.catalog.object(found.object);
        let weighed = || found.worth.iter().zip(weights);
        let best = |(worth, weight): (&Vec<(FieldId, f64)>, &f64)| {
            worth
                .iter()
                .map(|(_, worth)| worth * weight)
                .fold(0.0, f64::max)
        };
        let score: f64 = weighed().map(best).sum();
        let total = |id: FieldId| -> f64 {
            weighed()
                .flat_map(|(worth, weight)| worth.iter().map(move |(of, w)| (*of, w * weight)))
                .filter(|(of, _)| *of == id)
                .map(|(_, worth)| worth)
                .sum()
        };
        let mut field = None;
        for other in object.live_fields() {
            let total = total(other.id);
            if field.as_ref().is_none_or(|(_, most)| total > *most) {
                field = Some((other, total));
            }
        }
        let (field, _) = field.unwrap();
        let text = match self.row(found.object, found.id).unwrap().get(field.id) {
            Value::Text(text) => snippet(&field.ty, text, words),
            other => panic!("{other:?} is no text"),
        };
        let record = if find.objects.len() == 1 {
            Value::Reference(found.id)
        } else {
            Value::AnyReference(found.object, found.id)
        };
        Line::Slots(vec![
            Value::text(&object.name),
            record,
            Value::text(&field.name),
            Value::text(text),
            Value::Number((score * 100.0).round() / 100.0),
        ])
    }
}

/// What a word counts by how near it is to the one looked for.
fn nearness(sought: &Sought, word: &str) -> f64 {
    let digits = |text: &str| text.chars().any(char::is_numeric);
    let (a, b): (Vec<char>, Vec<char>) = (sought.text.chars().collect(), word.chars().collect());
    if sought.text == word {
        return 1.0;
    }
    if sought.prefix && word.starts_with(&sought.text) {
        return 0.5;
    }
    match edit_distance(&a, &b) {
        _ if digits(&sought.text) || digits(word) => 0.0,
        1 if a.len() >= 4 => 0.25,
        2 if a.len() >= 8 => 0.125,
        _ => 0.0,
    }
}
