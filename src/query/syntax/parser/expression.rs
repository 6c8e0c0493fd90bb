//! Expressions: flat runs of the grammar to trees with precedence.
//!
//! `or` < `and` < `not` < comparison < `+ -` < `* /` < unary minus. Runs of `and` and `or` become
//! balanced trees, so that a thousand of them are ten levels high; arithmetic leans left.

use super::literal::{business_unit, unit as unit_of};
use super::{Node, Reader, Rule, first, only, parts};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::ast::{BinaryOp, Call, Expr, ExprKind, HistoryKind, Literal, Name};

impl Reader {
    // This recursion has plain loops for iterator chains: unoptimised, each link of a chain is a
    // frame, and the deepest statement must fit a thread's stack.
    pub(super) fn expression(self, node: Node) -> Result<Expr> {
        let mut alternatives: Vec<Vec<Vec<Node>>> = vec![vec![vec![]]];
        for part in node.into_inner() {
            let conjunction = last(&mut alternatives);
            match part.as_rule() {
                Rule::or => {
                    self.refuse(&part, "||", "or")?;
                    alternatives.push(vec![vec![]]);
                }
                Rule::and => {
                    self.refuse(&part, "&&", "and")?;
                    conjunction.push(vec![]);
                }
                _ => last(conjunction).push(part),
            }
        }
        let by = alternatives.len().ilog2() as usize + usize::from(alternatives.len() > 1);
        let anchor = alternatives[0][0][0].clone();
        let reader = self.deeper(by, &anchor)?;
        let mut operands = Vec::with_capacity(alternatives.len());
        for terms in alternatives {
            let by = terms.len().ilog2() as usize + usize::from(terms.len() > 1);
            let reader = reader.deeper(by, &anchor)?;
            let mut conjunction = Vec::with_capacity(terms.len());
            for term in terms {
                conjunction.push(reader.term(term)?);
            }
            operands.push(balance(BinaryOp::And, conjunction));
        }
        Ok(balance(BinaryOp::Or, operands))
    }

    /// `not a = b`: any `not`s, a sum, and at most one comparison.
    fn term(self, nodes: Vec<Node>) -> Result<Expr> {
        let nots = nodes
            .iter()
            .take_while(|node| node.as_rule() == Rule::not)
            .count();
        for not in &nodes[..nots] {
            self.refuse(not, "!", "not")?;
        }
        let starts: Vec<usize> = nodes[..nots]
            .iter()
            .map(|not| self.span(not).start)
            .collect();
        let mut rest = nodes.into_iter().skip(nots);
        let sum = first(&mut rest);
        let reader = self.deeper(nots, &sum)?;
        let mut expr = match rest.next() {
            None => reader.sum(sum)?,
            Some(tail) => {
                let reader = reader.deeper(1, &sum)?;
                let value = reader.sum(sum)?;
                reader.tail(value, tail)?
            }
        };
        if let Some(second) = rest.next() {
            return Err(Error::new(Code::Syntax, "comparisons do not chain")
                .at(self.span(&second))
                .hint("join two with `and`, as in `a < b and b < c`, or use `between`"));
        }
        for start in starts.into_iter().rev() {
            let span = start..expr.span.end;
            expr = Expr {
                kind: ExprKind::Not(Box::new(expr)),
                span,
            };
        }
        Ok(expr)
    }

    /// The comparison that follows `value`.
    fn tail(self, value: Expr, node: Node) -> Result<Expr> {
        let rule = node.as_rule();
        let end = self.span(&node).end;
        let mut parts = parts(node).peekable();
        let negated = parts
            .next_if(|part| part.as_rule() == Rule::negated)
            .is_some();
        let next = first(&mut parts);
        let span = value.span.start..end;
        let value = Box::new(value);
        let kind = match rule {
            Rule::comparison => {
                let op = self.comparator(&next)?;
                let right = Box::new(self.sum(first(&mut parts))?);
                ExprKind::Binary {
                    op,
                    left: value,
                    right,
                }
            }
            Rule::matching => {
                let op = word_operator(next.as_str(), negated);
                let right = Box::new(self.sum(first(&mut parts))?);
                ExprKind::Binary {
                    op,
                    left: value,
                    right,
                }
            }
            Rule::membership => ExprKind::In {
                value,
                list: Box::new(self.list(next)?),
                negated,
            },
            Rule::between => {
                let low = Box::new(self.sum(next)?);
                let and = first(&mut parts);
                self.refuse(&and, "&&", "and")?;
                let high = Box::new(self.sum(first(&mut parts))?);
                ExprKind::Between {
                    value,
                    low,
                    high,
                    negated,
                }
            }
            _ => {
                let what = self.being(&next)?;
                ExprKind::Is {
                    value,
                    what,
                    negated,
                }
            }
        };
        Ok(Expr { kind, span })
    }

    fn comparator(self, node: &Node) -> Result<BinaryOp> {
        self.refuse(node, "==", "=")?;
        self.refuse(node, "<>", "!=")?;
        Ok(match node.as_str() {
            "=" => BinaryOp::Equal,
            "!=" => BinaryOp::NotEqual,
            "<" => BinaryOp::Less,
            "<=" => BinaryOp::LessEqual,
            ">" => BinaryOp::Greater,
            ">=" => BinaryOp::GreaterEqual,
            "~" => BinaryOp::Contains,
            _ => BinaryOp::ContainsNot,
        })
    }

    /// What stands after `is`.
    fn being(self, node: &Node) -> Result<Name> {
        let what = self.name(node);
        let error = Error::new(
            Code::Syntax,
            format!("`is {}` means nothing here", node.as_str()),
        )
        .at(what.span.clone())
        .expected("`empty`, or the name of an object");
        match node.as_str().to_ascii_lowercase().as_str() {
            "null" | "missing" | "none" | "nil" | "blank" | "undefined" => {
                Err(error.hint("a missing value is `empty`: write `is empty`"))
            }
            word @ ("true" | "false") => Err(error.hint(format!("write `= {word}`"))),
            _ => Ok(what),
        }
    }

    /// What stands after `in`: a parenthesis there is a list, or a query.
    fn list(self, node: Node) -> Result<Expr> {
        let mut inner = node.clone().into_inner();
        match (inner.next(), inner.next()) {
            (Some(only), None) if only.as_rule() == Rule::parenthesis => {
                let span = self.span(&only);
                if parts(only.clone()).any(|part| part.as_rule() != Rule::expression) {
                    return self.parenthesis(only);
                }
                let reader = self.deeper(1, &only)?;
                let mut members = Vec::new();
                for part in parts(only) {
                    members.push(reader.expression(part)?);
                }
                Ok(Expr {
                    kind: ExprKind::List(members),
                    span,
                })
            }
            _ => self.sum(node),
        }
    }

    /// What stands after `=` in an assignment: an expression, or a list of tags.
    pub(super) fn assigned(self, node: Node) -> Result<Expr> {
        let mut inner = node.clone().into_inner();
        if let (Some(sum), None) = (inner.next(), inner.next())
            && sum.as_rule() == Rule::sum
        {
            let mut inner = sum.clone().into_inner();
            if let (Some(only), None) = (inner.next(), inner.next())
                && only.as_rule() == Rule::parenthesis
                && parts(only).count() > 1
            {
                return self.list(sum);
            }
        }
        self.expression(node)
    }

    pub(super) fn sum(self, node: Node) -> Result<Expr> {
        let by = node
            .clone()
            .into_inner()
            .filter(|n| n.as_rule() == Rule::arithmetic)
            .count();
        let mut reader = self.deeper(by, &node)?;
        let mut inner = node.into_inner();
        // `total` waits for `+` and `-` while `product` gathers `*` and `/`.
        let mut total: Option<(Expr, BinaryOp)> = None;
        let mut product = reader.unary(&mut inner)?;
        while let Some(sign) = inner.next() {
            reader.height -= 1;
            let right = reader.unary(&mut inner)?;
            let op = match sign.as_str() {
                "+" => BinaryOp::Add,
                "-" => BinaryOp::Subtract,
                "*" => BinaryOp::Multiply,
                _ => BinaryOp::Divide,
            };
            product = if matches!(op, BinaryOp::Multiply | BinaryOp::Divide) {
                binary(op, product, right)
            } else {
                let sum = match total.take() {
                    Some((left, op)) => binary(op, left, product),
                    None => product,
                };
                total = Some((sum, op));
                right
            };
        }
        Ok(match total {
            Some((left, op)) => binary(op, left, product),
            None => product,
        })
    }

    /// Any minuses and an operand. A minus before a number is part of it.
    fn unary<'a>(self, nodes: &mut impl Iterator<Item = Node<'a>>) -> Result<Expr> {
        let mut starts = Vec::new();
        let mut node = first(nodes);
        while node.as_rule() == Rule::minus {
            starts.push(self.span(&node).start);
            node = first(nodes);
        }
        let reader = self.deeper(starts.len(), &node)?;
        let negative = matches!(node.as_rule(), Rule::number | Rule::duration);
        let negative = negative && !is_counted(&node);
        let sign = if negative { starts.pop() } else { None };
        let mut expr = reader.operand(node, sign.is_some())?;
        if let Some(start) = sign {
            expr.span.start = start;
        }
        for start in starts.into_iter().rev() {
            let span = start..expr.span.end;
            expr = Expr {
                kind: ExprKind::Negate(Box::new(expr)),
                span,
            };
        }
        Ok(expr)
    }

    pub(super) fn operand(self, node: Node, negative: bool) -> Result<Expr> {
        let span = self.span(&node);
        let kind = match node.as_rule() {
            Rule::parenthesis => return self.parenthesis(node),
            Rule::history => ExprKind::Query(self.history(node)),
            Rule::compare => ExprKind::Query(self.compare(node)?),
            Rule::duplicates => ExprKind::Query(self.duplicates(node)?),
            Rule::life => ExprKind::Query(self.life(node)?),
            Rule::call => ExprKind::Call(self.call(node)?),
            Rule::duration if is_counted(&node) => self.counted(node)?,
            Rule::relative if parts(node.clone()).any(|p| p.as_rule() == Rule::parameter) => {
                self.counted_span(node)?
            }
            Rule::parameter => ExprKind::Parameter(node.as_str()[1..].to_owned()),
            Rule::path => {
                if node.as_str().eq_ignore_ascii_case("null") {
                    return Err(Error::new(Code::Syntax, "there is no `null`")
                        .at(span)
                        .hint("a missing value is `empty`: write `is empty` or `= empty`"));
                }
                ExprKind::Path(self.names(node))
            }
            _ => ExprKind::Literal(self.literal(node, negative)?),
        };
        Ok(Expr { kind, span })
    }

    /// `$n days`: so many times a day.
    fn counted(self, node: Node) -> Result<ExprKind> {
        let mut parts = parts(node);
        let count = self.operand(first(&mut parts), false)?;
        let unit = first(&mut parts);
        let literal = match unit.as_rule() {
            Rule::business_unit => Literal::Business {
                count: 1,
                unit: business_unit(unit.as_str()),
            },
            _ => Literal::Duration {
                count: 1,
                unit: unit_of(unit.as_str()),
            },
        };
        let unit = Expr {
            kind: ExprKind::Literal(literal),
            span: self.span(&unit),
        };
        Ok(binary(BinaryOp::Multiply, count, unit).kind)
    }

    /// `last $n months`: so many times the last month.
    fn counted_span(self, node: Node) -> Result<ExprKind> {
        let span = self.span(&node);
        let mut parts = parts(node);
        let forward = match first(&mut parts).as_str().to_ascii_lowercase().as_str() {
            "last" => false,
            "next" => true,
            _ => {
                return Err(Error::new(Code::BadLiteral, "`this` takes no number")
                    .at(span)
                    .hint("write `last $n months` or `next $n months`"));
            }
        };
        let count = self.operand(first(&mut parts), false)?;
        let unit = first(&mut parts);
        let literal = match unit.as_rule() {
            Rule::business_unit => Literal::BusinessSpan {
                count: 1,
                unit: business_unit(unit.as_str()),
                forward,
            },
            _ => Literal::Span {
                count: 1,
                unit: unit_of(unit.as_str()),
                forward,
            },
        };
        let unit = Expr {
            kind: ExprKind::Literal(literal),
            span: self.span(&unit),
        };
        Ok(binary(BinaryOp::Multiply, count, unit).kind)
    }

    /// `(a)` or `(query)`; a list stands after `in`, and as a record's tags.
    fn parenthesis(self, node: Node) -> Result<Expr> {
        let span = self.span(&node);
        let mut members = 0;
        let mut is_query = false;
        for part in parts(node.clone()) {
            match part.as_rule() {
                Rule::expression => members += 1,
                _ => is_query = true,
            }
            if members > 1 {
                let what = if is_query { "a query" } else { "an expression" };
                return Err(
                    Error::new(Code::Syntax, format!("`,` after {what} in parentheses"))
                        .at(self.span(&part))
                        .hint("a list in parentheses stands after `in`, or as a record's tags"),
                );
            }
        }
        if is_query {
            let query = self.parenthesised_query(node)?;
            return Ok(Expr {
                kind: ExprKind::Query(query),
                span,
            });
        }
        self.expression(only(node))
    }

    fn call(self, node: Node) -> Result<Call> {
        let reader = self.deeper(1, &node)?;
        let mut inner = parts(node);
        let name = self.name(&first(&mut inner));
        let mut call = Call {
            name,
            arguments: Vec::new(),
            distinct: false,
            filter: None,
            order: Vec::new(),
            member: Vec::new(),
        };
        for part in parts(first(&mut inner)) {
            match part.as_rule() {
                Rule::distinct => call.distinct = true,
                Rule::where_clause => {
                    call.filter = Some(Box::new(reader.expression(only(part))?));
                }
                Rule::by_clause => call.order = reader.order_keys(part)?,
                _ => call.arguments.push(reader.expression(part)?),
            }
        }
        if let Some(member) = inner.find(|part| part.as_rule() == Rule::member) {
            if HistoryKind::named(&call.name.text).is_none() {
                let message = format!("`{}` gives a value, which has no fields", call.name.text);
                return Err(Error::new(Code::Syntax, message).at(self.span(&member)));
            }
            call.member = self.names(member);
        }
        Ok(call)
    }

    /// Refuses another language's spelling.
    fn refuse(self, node: &Node, theirs: &str, ours: &str) -> Result<()> {
        if node.as_str() == theirs {
            return Err(
                Error::new(Code::Syntax, format!("`{theirs}` is no operator here"))
                    .at(self.span(node))
                    .hint(match theirs {
                        "||" => format!("write `{ours}`; to join texts, `concat(a, b)`"),
                        _ => format!("write `{ours}`"),
                    }),
            );
        }
        Ok(())
    }
}

/// Whether it is a duration whose count is a parameter.
fn is_counted(node: &Node) -> bool {
    let mut inner = node.clone().into_inner();
    inner.next().is_some_and(|n| n.as_rule() == Rule::parameter)
}

fn last<T>(list: &mut [T]) -> &mut T {
    list.last_mut()
        .expect("the list starts with one element and only grows")
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    let span: Span = left.span.start..right.span.end;
    Expr {
        kind: ExprKind::Binary {
            op,
            left: Box::new(left),
            right: Box::new(right),
        },
        span,
    }
}

/// Joins operands into a tree whose left half is as long as the right one, or one longer.
fn balance(op: BinaryOp, mut operands: Vec<Expr>) -> Expr {
    if operands.len() == 1 {
        return operands.remove(0);
    }
    let right = operands.split_off(operands.len().div_ceil(2));
    binary(op, balance(op, operands), balance(op, right))
}

fn word_operator(word: &str, negated: bool) -> BinaryOp {
    match (word.to_ascii_lowercase().as_str(), negated) {
        ("like", false) => BinaryOp::Like,
        ("like", true) => BinaryOp::NotLike,
        ("under", false) => BinaryOp::Under,
        ("under", true) => BinaryOp::NotUnder,
        ("above", false) => BinaryOp::Above,
        ("above", true) => BinaryOp::NotAbove,
        (_, false) => BinaryOp::Has,
        (_, true) => BinaryOp::NotHas,
    }
}
