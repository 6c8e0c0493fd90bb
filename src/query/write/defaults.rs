//! Defaults: expressions over a new record that fill the fields nobody assigned.

use super::rules::{DefaultRule, Rules};
use super::writer::Writer;
use crate::catalog::Object;
use crate::error::{Code, Error, Result};
use crate::query::bind::{self, Node};
use crate::query::exec::Batch;
use crate::query::syntax::{self, Expr, ExprKind};
use crate::storage::Row;
use crate::value::{FieldId, FieldType, ObjectId, Value};
use std::sync::Arc;

/// The fields with defaults, each after those its own default reads.
pub(crate) fn order(object: &Object) -> Result<Vec<FieldId>> {
    let mut waiting = Vec::new();
    for field in object.live_fields() {
        if let Some(text) = &field.default {
            let mut words = Vec::new();
            heads(&syntax::parse_expression(text)?, &mut words);
            let needs: Vec<_> = words
                .iter()
                .filter_map(|word| object.find_field(word))
                .filter(|needed| needed.default.is_some())
                .map(|needed| needed.id)
                .collect();
            waiting.push((field.id, needs));
        }
    }
    let mut ready = Vec::new();
    while !waiting.is_empty() {
        let free = |(_, needs): &(FieldId, Vec<FieldId>)| needs.iter().all(|f| ready.contains(f));
        let Some(at) = waiting.iter().position(free) else {
            let name = &object.field(waiting[0].0).name;
            return Err(Error::new(
                Code::Recursive,
                format!("the default of `{name}` reaches itself"),
            ));
        };
        ready.push(waiting.remove(at).0);
    }
    Ok(ready)
}

/// The first words of the paths in an expression that belong to the record at hand.
fn heads(expr: &Expr, words: &mut Vec<String>) {
    match &expr.kind {
        ExprKind::Path(names) => {
            let own = names
                .iter()
                .find(|name| !name.text.eq_ignore_ascii_case("this"));
            words.extend(own.map(|name| name.text.clone()));
        }
        ExprKind::Call(call) => call.filter.iter().for_each(|filter| heads(filter, words)),
        _ => {}
    }
    let children = expr.children().into_iter();
    children.for_each(|child| heads(child, words));
}

impl Writer<'_, '_> {
    /// Refuses a default that no record could take, as far as it is constant. The records that it
    /// names, and what a rule in it names, may come later.
    pub(crate) fn check_default(
        &mut self,
        object: ObjectId,
        field: FieldId,
        expr: &bind::Expr,
    ) -> Result<()> {
        let named = matches!(
            self.catalog.object(object).field(field).ty,
            FieldType::Reference(_)
                | FieldType::AnyReference(_)
                | FieldType::Filter(_)
                | FieldType::Expression(_)
        );
        let mut constant = !named;
        expr.visit_all(&mut |expr| {
            constant &= matches!(
                expr.node,
                Node::Constant(_) | Node::Negate(_) | Node::Arithmetic { .. } | Node::Cast(_)
            );
        });
        if !constant {
            return Ok(());
        }
        match self.fold(expr)?.as_constant() {
            Some(value) => self
                .convert(object, field, Some(&expr.ty), value.clone())
                .map(drop),
            None => Ok(()),
        }
    }

    /// Fills the defaults of fields that are not among a row's `assigned` ones.
    pub(super) fn complete(
        &mut self,
        rules: &Rules,
        rows: &mut [Arc<Row>],
        assigned: &[Vec<FieldId>],
    ) -> Result<()> {
        for rule in &rules.defaults {
            let field = rule.field;
            let wanting: Vec<_> = (0..rows.len())
                .filter(|at| !assigned[*at].contains(&field))
                .collect();
            if wanting.is_empty() {
                continue;
            }
            let expr = self
                .folded(&rule.expr, &rule.folded)
                .map_err(|error| self.of_default(rules.object, rule, error))?;
            let ty = expr.ty.field_type();
            let vector = match expr.as_constant() {
                Some(_) => None,
                None => {
                    let object = rules.object;
                    let batch = Batch::Rows {
                        object,
                        rows,
                        ids: None,
                    };
                    let values = self.evaluate(expr, &batch);
                    Some(values.map_err(|error| self.of_default(object, rule, error))?)
                }
            };
            for at in wanting {
                let value = match &vector {
                    Some(vector) => vector.value(&ty, at),
                    None => expr.as_constant().cloned().unwrap_or(Value::Missing),
                };
                if !value.is_missing() {
                    let value = self
                        .convert(rules.object, field, Some(&expr.ty), value)
                        .map_err(|error| self.of_default(rules.object, rule, error))?;
                    Arc::make_mut(&mut rows[at]).set(field, value);
                }
            }
        }
        Ok(())
    }

    /// An error of a default, whose text the statement does not show.
    fn of_default(&self, object: ObjectId, rule: &DefaultRule, error: Error) -> Error {
        let field = self.catalog.object(object).field(rule.field);
        let text = field.default.as_deref().unwrap_or_default();
        let hint = format!("`{text}` is the default of `{}`", field.name);
        match error.span() {
            Some(_) => error.in_text(text).hint(hint),
            None => error.hint(hint),
        }
    }
}
