//! `find`: the records in whose text every word is met, how well they fit, and what is shown of
//! them.

use super::rows::Rows;
use super::run::Answer;
use super::snippet::snippet;
use super::{Context, Evaluator, Executor, Frame};
use crate::column::Vector;
use crate::error::{Code, Error, Result};
use crate::query::bind::{ColumnValue, Expr, Find, Node, Query};
use crate::storage::TextHit;
use crate::value::{Closeness, FieldId, ObjectId, RecordId, Shape, Sought, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Words of a search at most.
const WORDS_MAX: usize = 32;

/// What counts of a word by how near it is, from exact down.
const EXACT: f64 = 1.0;
const PREFIX: f64 = 0.5;
const ONE_EDIT: f64 = 0.25;
const TWO_EDITS: f64 = 0.125;

/// A field that names its record counts so many times.
const LABEL: f64 = 2.0;

/// What counts of a word in a field by the field's length, from one word up.
const SHORTNESS: [f64; 8] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5];

/// A search that was made.
pub(crate) struct Search {
    pub words: Vec<Met>,
    /// By object and record.
    pub hits: Vec<Hit>,
}

/// A word looked for and what it was met by.
pub(crate) struct Met {
    pub sought: Sought,
    /// Words of the index that are near enough.
    pub spellings: u64,
    /// Entries of the index read.
    pub postings: u64,
    /// Records with such a word.
    pub records: u64,
}

/// A record found.
pub(crate) struct Hit {
    pub object: ObjectId,
    pub id: RecordId,
    /// The field that fits best.
    pub field: FieldId,
    pub score: f64,
}

/// The words of a search whose text is folded.
pub(super) fn words(find: &Find) -> Result<Vec<Sought>> {
    let words = match find.text.as_constant() {
        Some(Value::Text(text)) => Sought::all(text),
        _ => Vec::new(),
    };
    let span = find.text.span.clone();
    if words.is_empty() {
        return Err(Error::new(Code::BadLiteral, "there is no word to find")
            .at(span)
            .expected("a text with letters or digits"));
    }
    if words.len() > WORDS_MAX {
        return Err(Error::new(
            Code::Limit,
            format!(
                "`find` takes at most {WORDS_MAX} words, and these are {}",
                words.len()
            ),
        )
        .at(span)
        .hint("leave out the common ones"));
    }
    Ok(words)
}

/// Looks a folded search up in the text index.
pub(crate) fn search(
    find: &Find,
    context: &Context<'_>,
    evaluator: &Evaluator<'_>,
) -> Result<Search> {
    let mut met: Vec<Met> = words(find)?
        .into_iter()
        .map(|sought| Met {
            sought,
            spellings: 0,
            postings: 0,
            records: 0,
        })
        .collect();
    let mut candidates = Vec::new();
    let mut all = 0;
    let (mut charged, mut kept) = (0, 0);
    for &object in &find.objects {
        all += context.snapshot.record_count(object);
        let mut hits = Vec::with_capacity(met.len());
        for word in &mut met {
            let mut met = |hits: usize| {
                context.interrupt.check()?;
                let bytes = (kept + hits) * size_of::<TextHit>();
                let more = bytes.saturating_sub(charged);
                charged += more;
                evaluator.memory.charge(more, "find")
            };
            let found = context.snapshot.find_word(object, &word.sought, &mut met)?;
            kept += found.hits.len();
            word.spellings += found.spellings;
            word.postings += found.postings;
            word.records += records(&found.hits).count() as u64;
            hits.push(found.hits);
        }
        candidates.push((object, hits));
    }
    // A word that few records have says more.
    let weights: Vec<f64> = met
        .iter()
        .map(|word| (1.0 + all as f64 / word.records.max(1) as f64).ln())
        .collect();
    let mut hits = Vec::new();
    for (object, by_word) in candidates {
        let label = context.catalog.object(object).label_field().map(|f| f.id);
        join(&by_word, |id, by_word| {
            let (field, score) = rate(by_word, &weights, label);
            hits.push(Hit {
                object,
                id,
                field,
                score,
            });
        });
    }
    evaluator.memory.release(charged);
    Ok(Search { words: met, hits })
}

/// The hits of each record, which are sorted by it.
fn records(hits: &[TextHit]) -> impl Iterator<Item = &[TextHit]> {
    hits.chunk_by(|a, b| a.id == b.id)
}

/// Calls `each` with the records that every word has hits in, and those hits.
fn join(by_word: &[Vec<TextHit>], mut each: impl FnMut(RecordId, &[&[TextHit]])) {
    let Some((first, others)) = by_word.split_first() else {
        return;
    };
    let mut rest: Vec<&[TextHit]> = others.iter().map(Vec::as_slice).collect();
    'records: for hits in records(first) {
        let id = hits[0].id;
        let mut found = vec![hits];
        for rest in &mut rest {
            let start = rest.partition_point(|hit| hit.id < id);
            *rest = &rest[start..];
            let len = rest.iter().take_while(|hit| hit.id == id).count();
            if len == 0 {
                continue 'records;
            }
            found.push(&rest[..len]);
        }
        each(id, &found);
    }
}

/// The field that fits best and the score of a record: for each word what its best field gives.
fn rate(by_word: &[&[TextHit]], weights: &[f64], label: Option<FieldId>) -> (FieldId, f64) {
    let mut fields: BTreeMap<FieldId, f64> = BTreeMap::new();
    let mut score = 0.0;
    for (hits, weight) in by_word.iter().zip(weights) {
        let mut best: f64 = 0.0;
        for hit in *hits {
            let nearness = match hit.closeness {
                Closeness::Exact => EXACT,
                Closeness::Prefix => PREFIX,
                Closeness::OneEdit => ONE_EDIT,
                Closeness::TwoEdits => TWO_EDITS,
            };
            let naming = if label == Some(hit.field) { LABEL } else { 1.0 };
            let worth = weight * nearness * naming * SHORTNESS[usize::from(hit.band & 7)];
            *fields.entry(hit.field).or_default() += worth;
            best = best.max(worth);
        }
        score += best;
    }
    let best = fields.iter().rev().max_by(|a, b| a.1.total_cmp(b.1));
    let field = best.map_or(FieldId(0), |(field, _)| *field);
    (field, (score * 100.0).round() / 100.0)
}

/// Whether an expression over what is found shows the text around it.
pub(super) fn reads_snippet(expr: &Expr) -> bool {
    let mut found = false;
    expr.visit(&mut |part| found |= matches!(part.node, Node::Slot(Find::SNIPPET)));
    found
}

impl Executor<'_> {
    /// The rows of a query over what is found. Snippets, which cost a row each, are made for all
    /// only if the rows to show depend on them.
    pub(super) fn found_rows(&self, query: &Query, find: &Find) -> Result<Answer> {
        let columns = || {
            query
                .columns
                .iter()
                .filter_map(|column| match &column.value {
                    ColumnValue::Expr(expr) => Some(expr),
                    ColumnValue::Nested(_) => None,
                })
        };
        let per = query.limit.iter().flat_map(|limit| &limit.per);
        let early = query
            .filter
            .iter()
            .chain(&query.having)
            .chain(query.order.iter().map(|key| &key.value))
            .chain(per)
            .chain(columns().filter(|expr| expr.is_over_rows()))
            .any(reads_snippet);
        let mut answer = self.of_frame(query, self.found(find, early)?)?;
        if let Rows::Slots(frame) = &mut answer.rows
            && !early
            && columns().any(reads_snippet)
        {
            self.add_snippets(find, frame)?;
        }
        Ok(answer)
    }

    /// What is found, with or without snippets.
    pub(super) fn found(&self, find: &Find, snippets: bool) -> Result<Frame> {
        let profile = &self.evaluator.profile;
        let (found, took) = profile.clocked(|| search(find, self.context, &self.evaluator));
        let found = found?;
        let len = found.hits.len();
        self.evaluator.memory.charge(len * 128, "find")?;
        profile.add_here(|own| {
            own.finding += took;
            own.postings += found.words.iter().map(|word| word.postings).sum::<u64>();
        });
        let mut names: BTreeMap<(ObjectId, FieldId), Arc<str>> = BTreeMap::new();
        let mut columns: [Vec<Value>; 4] = Default::default();
        for hit in found.hits {
            let object = self.context.catalog.object(hit.object);
            // No field has this number: it stands for the object's own name.
            let of_object = names
                .entry((hit.object, FieldId(u16::MAX)))
                .or_insert_with(|| object.name.as_str().into());
            columns[0].push(Value::Text(Arc::clone(of_object)));
            columns[1].push(match find.objects.as_slice() {
                [_] => Value::Reference(hit.id),
                _ => Value::AnyReference(hit.object, hit.id),
            });
            let of_field = names
                .entry((hit.object, hit.field))
                .or_insert_with(|| object.field(hit.field).name.as_str().into());
            columns[2].push(Value::Text(Arc::clone(of_field)));
            columns[3].push(Value::Number(hit.score));
        }
        let [objects, records, fields, scores] = columns;
        let mut frame = Frame {
            columns: vec![
                Vector::from_values(Shape::Texts, &objects),
                Vector::from_values(find.record().shape(), &records),
                Vector::from_values(Shape::Texts, &fields),
                Vector::missing(Shape::Texts, len),
                Vector::from_values(Shape::Floats, &scores),
            ],
            len,
        };
        if snippets {
            self.add_snippets(find, &mut frame)?;
        }
        Ok(frame)
    }

    /// Fills the snippets of what is found in.
    fn add_snippets(&self, find: &Find, frame: &mut Frame) -> Result<()> {
        let words = words(find)?;
        let ty = find.record().field_type();
        let mut snippets = Vec::with_capacity(frame.len);
        for at in 0..frame.len {
            self.context.interrupt.check()?;
            let (object, id) = match frame.columns[Find::RECORD].value(&ty, at) {
                Value::AnyReference(object, id) => (object, id),
                Value::Reference(id) => (find.objects[0], id),
                _ => continue,
            };
            let Some(row) = self.context.snapshot.row(object, id)? else {
                return Err(Error::new(
                    Code::Corrupt,
                    format!("the text index names record `{id}`, which does not exist"),
                )
                .hint("run a check of the book"));
            };
            let definition = self.context.catalog.object(object);
            let name = frame.columns[Find::FIELD].value(&crate::value::FieldType::Text, at);
            let field = match &name {
                Value::Text(name) => definition.find_field(name),
                _ => None,
            };
            let text = field.map(|field| (field, row.get(field.id)));
            snippets.push(match text {
                Some((field, Value::Text(text))) => Value::text(snippet(&field.ty, text, &words)),
                _ => Value::Missing,
            });
        }
        frame.columns[Find::SNIPPET] = Vector::from_values(Shape::Texts, &snippets);
        Ok(())
    }
}
