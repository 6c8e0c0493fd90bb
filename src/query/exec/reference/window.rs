//! Functions over all rows: every value from the rows of its group anew.

use super::aggregate::sum;
use super::grouping::Grouping;
use super::{Line, Reference, number, plain_order};
use crate::query::bind::{Expr, Node, Query, Window, WindowFunction};
use crate::query::plan::map_operands;
use crate::value::Value;

impl Reference<'_> {
    /// The values by which each line is ordered; what depends on all lines is put in its place.
    pub(super) fn order_over(
        &self,
        query: &Query,
        lines: &[Line],
        per: &[Expr],
        grouping: Option<&Grouping>,
    ) -> Vec<Vec<Value>> {
        let unordered = vec![Vec::new(); lines.len()];
        let columns: Vec<Vec<Value>> = query
            .order
            .iter()
            .map(|key| self.over(&key.value, lines, &unordered, per, grouping))
            .collect();
        (0..lines.len())
            .map(|at| columns.iter().map(|column| column[at].clone()).collect())
            .collect()
    }

    /// An expression's value for each line, `order` being the lines' sort values.
    pub(super) fn over(
        &self,
        expr: &Expr,
        lines: &[Line],
        order: &[Vec<Value>],
        per: &[Expr],
        grouping: Option<&Grouping>,
    ) -> Vec<Value> {
        if !expr.is_over_rows() {
            return lines
                .iter()
                .map(|line| self.value(expr, line.at()))
                .collect();
        }
        let group = |line: &Line| -> Vec<Value> {
            per.iter().map(|key| self.value(key, line.at())).collect()
        };
        let groups: Vec<Vec<Value>> = lines.iter().map(group).collect();
        (0..lines.len())
            .map(|at| {
                let peers: Vec<usize> = (0..lines.len())
                    .filter(|&other| groups[other] == groups[at])
                    .collect();
                // Rows that others hold count for no total.
                let is_top =
                    |peer: &usize| grouping.is_none_or(|g| g.is_top(self, lines, &peers, *peer));
                let expr = self.without(expr, &|window, ty| {
                    let mut peers = peers.clone();
                    if window.function == WindowFunction::Total {
                        peers.retain(is_top);
                    }
                    self.window(window, ty, at, &peers, lines, order)
                });
                self.value(&expr, lines[at].at())
            })
            .collect()
    }

    /// The expression with the value in place of each function over the rows.
    fn without(&self, expr: &Expr, value: &dyn Fn(&Window, &Expr) -> Value) -> Expr {
        if let Node::Window(window) = &expr.node {
            return Expr::constant(value(window, expr), expr.ty.clone(), &expr.span);
        }
        let node = map_operands(&expr.node, |operand| Ok(self.without(operand, value))).unwrap();
        Expr::new(node, expr.ty.clone(), &expr.span)
    }

    fn window(
        &self,
        window: &Window,
        expr: &Expr,
        at: usize,
        peers: &[usize],
        lines: &[Line],
        order: &[Vec<Value>],
    ) -> Value {
        let value = |at: usize| match &window.argument {
            Some(argument) => self.value(argument, lines[at].at()),
            None => Value::Missing,
        };
        let before: Vec<usize> = peers.iter().copied().filter(|&peer| peer < at).collect();
        let values =
            |peers: &[usize]| -> Vec<Value> { peers.iter().map(|&at| value(at)).collect() };
        match window.function {
            WindowFunction::Rank => {
                let tied = |peer: &usize| {
                    let same = |(a, b): (&Value, &Value)| plain_order(a, b).is_eq();
                    !order[at].is_empty() && order[*peer].iter().zip(&order[at]).all(same)
                };
                let first = before.iter().position(tied);
                Value::Integer(first.unwrap_or(before.len()) as i64 + 1)
            }
            WindowFunction::Previous => before.last().map_or(Value::Missing, |&at| value(at)),
            WindowFunction::Growth => {
                let last = before.last().and_then(|&at| number(&value(at)));
                match (number(&value(at)), last.filter(|n| *n != 0.0)) {
                    (Some(now), Some(before)) => Value::Number((now - before) / before),
                    _ => Value::Missing,
                }
            }
            WindowFunction::Total => sum(&expr.ty, &values(peers), self.context.clock),
            WindowFunction::Running => {
                let upto = [before.as_slice(), &[at]].concat();
                sum(&expr.ty, &values(&upto), self.context.clock)
            }
            WindowFunction::Quartile => {
                let mut numbers: Vec<f64> = values(peers).iter().filter_map(number).collect();
                numbers.sort_by(f64::total_cmp);
                let Some(own) = number(&value(at)) else {
                    return Value::Missing;
                };
                let edge = |part: f64| {
                    let place = part * (numbers.len() - 1) as f64;
                    let (low, high) = (place.floor() as usize, place.ceil() as usize);
                    numbers[low] + (numbers[high] - numbers[low]) * (place - place.floor())
                };
                let above = [0.25, 0.5, 0.75].iter().filter(|&&part| own > edge(part));
                Value::Integer(1 + above.count() as i64)
            }
        }
    }
}
