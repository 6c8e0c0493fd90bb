//! Comparisons: which side is a label, which types meet, what order means for them.

use super::binder::{Binder, SpokenLabel, cast, negate_if, to_base};
use super::scope::Scope;
use super::{ColumnValue, Expr, Node, OrderKey, Type, sort_keys};
use crate::column::Comparison;
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, BinaryOp, ExprKind, Literal};
use crate::value::{FieldId, FieldType, ObjectId, Period, RecordId, Shape, Unit, Value, fold};
use std::sync::Arc;

impl Binder<'_> {
    /// `left op right` for `= != < <= > >=`.
    pub(super) fn compare(
        &self,
        scope: &Scope<'_>,
        op: BinaryOp,
        left: &syntax::Expr,
        right: &syntax::Expr,
        span: &Span,
    ) -> Result<Expr> {
        let (bound_left, bound_right) = self.operands(scope, left, right)?;
        let negated = op == BinaryOp::NotEqual;
        let comparison = match op {
            BinaryOp::Less => Comparison::Less,
            BinaryOp::LessEqual => Comparison::LessEqual,
            BinaryOp::Greater => Comparison::Greater,
            BinaryOp::GreaterEqual => Comparison::GreaterEqual,
            _ => Comparison::Equal,
        };
        let bound = self.comparison(comparison, bound_left, bound_right, span)?;
        Ok(negate_if(bound, negated))
    }

    /// Both sides bound, a bare word or string opposite a label taken as one.
    fn operands(
        &self,
        scope: &Scope<'_>,
        left: &syntax::Expr,
        right: &syntax::Expr,
    ) -> Result<(Expr, Expr)> {
        if !is_open(left) {
            match self.expr(scope, left) {
                Ok(bound) => {
                    let other = self.opposite(scope, right, &bound.ty)?;
                    return Ok((self.retype(bound, &other.ty), other));
                }
                Err(error) if word(left).is_none() => return Err(error),
                Err(error) => {
                    // An unknown word may still be a label of what stands opposite.
                    match self.expr(scope, right) {
                        Ok(bound) if is_labelled(&bound.ty) => {
                            return Ok((self.opposite(scope, left, &bound.ty)?, bound));
                        }
                        _ => return Err(error),
                    }
                }
            }
        }
        if is_open(right) {
            let (left, right) = (self.expr(scope, left)?, self.expr(scope, right)?);
            let right = self.retype(right, &left.ty);
            return Ok((self.retype(left, &right.ty), right));
        }
        let bound = self.expr(scope, right)?;
        Ok((self.opposite(scope, left, &bound.ty)?, bound))
    }

    /// `tree` as it is meant opposite a value of type `ty`: as a label, else as itself.
    pub(super) fn opposite(
        &self,
        scope: &Scope<'_>,
        tree: &syntax::Expr,
        ty: &Type,
    ) -> Result<Expr> {
        let span = &self.at(&tree.span);
        if let (ExprKind::Literal(Literal::Record(id)), Type::Plain(FieldType::Reference(_))) =
            (&tree.kind, ty)
        {
            return Ok(Expr::constant(
                Value::Reference(RecordId(*id)),
                ty.clone(),
                span,
            ));
        }
        if is_labelled(ty) {
            if let Some(label) = self.label_text(scope, tree) {
                return self.label(label, ty, span);
            }
            // Cells of an import are text, which the writer looks up.
            if let ExprKind::Call(call) = &tree.kind
                && !scope.columns_first
                && let Some(bound) = self.labelled_call(scope, call, ty, span)?
            {
                return Ok(bound);
            }
        }
        let bound = self.expr(scope, tree)?;
        if let (Node::Constant(Value::Text(text)), Type::Plain(FieldType::Email)) =
            (&bound.node, ty)
        {
            // Addresses are folded when written.
            let folded = Value::text(text.to_lowercase());
            return Ok(Expr::constant(folded, bound.ty.clone(), span));
        }
        Ok(self.retype(bound, ty))
    }

    /// The text of a tree that names a label: a string, a parameter, a bare word.
    fn label_text(&self, scope: &Scope<'_>, tree: &syntax::Expr) -> Option<Expr> {
        let span = &self.at(&tree.span);
        match &tree.kind {
            ExprKind::Literal(Literal::Text(text)) => {
                Some(Expr::constant(Value::text(text), Type::TEXT, span))
            }
            ExprKind::Literal(Literal::Integer(n)) => {
                Some(Expr::constant(Value::text(n.to_string()), Type::TEXT, span))
            }
            ExprKind::Parameter(name) => match self.parameter(name, span) {
                bound @ Expr {
                    ty: Type::Missing, ..
                } if bound.as_constant().is_none() => Some(Expr {
                    ty: Type::TEXT,
                    ..bound
                }),
                bound if bound.ty == Type::TEXT => Some(bound),
                _ => None,
            },
            _ => {
                let name = word(tree)?;
                if scope.columns_first && self.knows(scope, name) {
                    return None;
                }
                Some(Expr::constant(Value::text(&name.text), Type::TEXT, span))
            }
        }
    }

    /// The label `text` of a picklist, tags field or referred object.
    pub(super) fn label(&self, text: Expr, ty: &Type, span: &Span) -> Result<Expr> {
        match ty {
            Type::Plain(FieldType::Reference(object)) => {
                if let (Some(Value::Text(name)), None) = (text.as_constant(), &*self.place.borrow())
                {
                    self.labels.borrow_mut().push(SpokenLabel {
                        object: *object,
                        text: name.to_string(),
                        span: span.clone(),
                    });
                }
                let node = Node::Lookup {
                    object: *object,
                    label: Box::new(text),
                };
                Ok(Expr::new(node, ty.clone(), span))
            }
            Type::Label(object, field) | Type::Tags(object, field) => {
                let Some(Value::Text(name)) = text.as_constant() else {
                    return Ok(Expr {
                        ty: Type::Label(*object, *field),
                        ..text
                    });
                };
                let known = self.object(*object).field(*field);
                match known.find_label(name) {
                    Some(label) => Ok(Expr::constant(
                        Value::Label(label.code),
                        Type::Label(*object, *field),
                        span,
                    )),
                    None => {
                        let names = || known.labels.iter().map(|label| label.name.as_str());
                        let all: Vec<_> = names().take(12).collect();
                        Err(Error::new(
                            Code::UnknownLabel,
                            format!("`{}` has no label `{name}`", known.name),
                        )
                        .at(span.clone())
                        .near(name, names())
                        .hint(format!(
                            "labels of `{}`: {}",
                            known.name,
                            all.join(", ")
                        )))
                    }
                }
            }
            Type::Plain(FieldType::AnyReference(objects)) => {
                let example = objects
                    .first()
                    .map_or("accounts", |id| &self.object(*id).name);
                Err(Error::new(
                    Code::TypeMismatch,
                    "a label alone does not say which object",
                )
                .at(span.clone())
                .hint(format!("name it: ({example} \"Acme\")")))
            }
            _ => Ok(text),
        }
    }

    /// An expression without a type of its own takes the other side's.
    fn retype(&self, value: Expr, ty: &Type) -> Expr {
        let span = value.span.clone();
        match (&value.node, ty) {
            (Node::Parameter(_), _) if value.ty == Type::Missing && *ty != Type::Missing => {
                let ty = match ty {
                    Type::Tags(object, field) => Type::Label(*object, *field),
                    other => other.clone(),
                };
                Expr { ty, ..value }
            }
            (
                Node::Constant(Value::Integer(n)),
                Type::Plain(FieldType::Date | FieldType::DateTime | FieldType::Period),
            ) => match Period::of_year(*n) {
                Some(period) => Expr::period(period, &span),
                None => value,
            },
            (Node::Constant(Value::Duration(d)), Type::Plain(FieldType::Integer))
                if d.seconds() % 86_400 == 0 =>
            {
                Expr::constant(Value::Integer(d.seconds() / 86_400), Type::INTEGER, &span)
            }
            _ => value,
        }
    }

    /// A comparison of two bound sides.
    pub(super) fn comparison(
        &self,
        comparison: Comparison,
        left: Expr,
        right: Expr,
        span: &Span,
    ) -> Result<Expr> {
        for (value, other) in [(&left, &right), (&right, &left)] {
            if matches!(value.node, Node::Constant(Value::Missing)) {
                if comparison != Comparison::Equal {
                    return Err(
                        Error::new(Code::NotOrdered, "nothing is above or below `empty`")
                            .at(value.span.clone())
                            .hint("ask `is empty` or `is not empty`"),
                    );
                }
                let node = Node::IsMissing(Box::new(other.clone()));
                return Ok(Expr::new(node, Type::BOOLEAN, span));
            }
        }
        let right = self.retype(right, &left.ty);
        let left = self.retype(left, &right.ty);
        if let Some(timed) = self.compare_time(comparison, &left, &right, span)? {
            return Ok(timed);
        }
        let (left, right) = self.unify(left, right, span)?;
        let (left, right) = if comparison == Comparison::Equal {
            (left, right)
        } else {
            (self.orderly(left)?, self.orderly(right)?)
        };
        Ok(compare_node(comparison, left, right, span))
    }

    /// Dates, moments and periods: the finer is compared at the coarser.
    fn compare_time(
        &self,
        comparison: Comparison,
        left: &Expr,
        right: &Expr,
        span: &Span,
    ) -> Result<Option<Expr>> {
        let (Type::Plain(l), Type::Plain(r)) = (&left.ty, &right.ty) else {
            return Ok(None);
        };
        let fineness = |ty: &FieldType| match ty {
            FieldType::DateTime => Some(0),
            FieldType::Date => Some(1),
            FieldType::Period => Some(2),
            _ => None,
        };
        let (Some(fine_left), Some(fine_right)) = (fineness(l), fineness(r)) else {
            return Ok(None);
        };
        if fine_left == 2 && fine_right == 2 && comparison != Comparison::Equal {
            return Ok(Some(compare_periods(comparison, left, right, span)));
        }
        if fine_left == fine_right {
            return Ok(None);
        }
        let (fine, coarse, comparison) = if fine_left < fine_right {
            (left, right, comparison)
        } else {
            (right, left, comparison.flipped())
        };
        let period = if coarse.ty == Type::DATE {
            let node = Node::Bucket {
                unit: Unit::Day,
                value: Box::new(coarse.clone()),
            };
            Expr::new(node, Type::PERIOD, &coarse.span)
        } else {
            coarse.clone()
        };
        if comparison == Comparison::Equal {
            let node = Node::InPeriod {
                value: Box::new(fine.clone()),
                period: Box::new(period),
            };
            return Ok(Some(Expr::new(node, Type::BOOLEAN, span)));
        }
        // Before the period, up to its end, from its start, or after it.
        let (edge, comparison) = match comparison {
            Comparison::Less => (super::Function::PeriodStart, Comparison::Less),
            Comparison::LessEqual => (super::Function::PeriodEnd, Comparison::Less),
            Comparison::GreaterEqual => (super::Function::PeriodStart, Comparison::GreaterEqual),
            _ => (super::Function::PeriodEnd, Comparison::GreaterEqual),
        };
        let edge = Expr::new(
            Node::Function {
                function: edge,
                arguments: vec![period],
            },
            Type::DATE,
            &coarse.span,
        );
        let edge = cast(edge, fine.ty.clone());
        Ok(Some(compare_node(comparison, fine.clone(), edge, span)))
    }

    /// Both sides in one form, or an error that names both.
    fn unify(&self, left: Expr, right: Expr, span: &Span) -> Result<(Expr, Expr)> {
        use FieldType as F;
        if left.ty == right.ty && left.ty != Type::MONEY {
            return Ok((left, right));
        }
        let numeric = |ty: &F| matches!(ty, F::Integer | F::Number | F::Percent);
        match (&left.ty, &right.ty) {
            (Type::Missing, _) => {
                let ty = right.ty.clone();
                Ok((cast(left, ty), right))
            }
            (_, Type::Missing) => {
                let ty = left.ty.clone();
                Ok((left, cast(right, ty)))
            }
            (Type::Plain(F::Money), Type::Plain(r)) if numeric(r) || *r == F::Money => {
                Ok((to_base(left), to_base(cast(right, Type::MONEY))))
            }
            (Type::Plain(l), Type::Plain(F::Money)) if numeric(l) => {
                Ok((to_base(cast(left, Type::MONEY)), to_base(right)))
            }
            (Type::Plain(l), Type::Plain(r)) if numeric(l) && numeric(r) => {
                Ok((cast(left, Type::NUMBER), cast(right, Type::NUMBER)))
            }
            (Type::Plain(l), Type::Plain(r)) if l.is_text() && r.is_text() => Ok((left, right)),
            (Type::Plain(F::AnyReference(any)), Type::Plain(F::Reference(one)))
                if any.contains(one) =>
            {
                let ty = left.ty.clone();
                Ok((left, cast(right, ty)))
            }
            (Type::Plain(F::Reference(one)), Type::Plain(F::AnyReference(any)))
                if any.contains(one) =>
            {
                let ty = right.ty.clone();
                Ok((cast(left, ty), right))
            }
            (l, r) => {
                let message = format!(
                    "{} cannot be compared with {}",
                    self.describe(l),
                    self.describe(r)
                );
                let error = Error::new(Code::TypeMismatch, message).at(span.clone());
                let time = |ty: &Type| matches!(ty, Type::Plain(F::Date | F::DateTime | F::Period));
                Err(match (l, r) {
                    (t, Type::Plain(F::Text)) | (Type::Plain(F::Text), t) if time(t) => {
                        error.hint("dates are written without quotes: 2026-05-15")
                    }
                    (Type::Plain(ty), Type::Plain(F::Text)) if numeric(ty) || *ty == F::Money => {
                        error.hint("numbers are written without quotes: 100000 or 100k")
                    }
                    _ => error,
                })
            }
        }
    }

    /// The form of a value that `<` and `>` compare, and results sort by.
    fn orderly(&self, value: Expr) -> Result<Expr> {
        let span = value.span.clone();
        match &value.ty {
            Type::Label(..) => Ok(Expr::new(Node::Rank(Box::new(value)), Type::INTEGER, &span)),
            Type::Plain(FieldType::Reference(object)) => {
                let target = self.object(*object);
                match target.ordered_by {
                    Some(field) => Ok(self.follow_field(value, target.id, field)),
                    None => Err(Error::new(
                        Code::NotOrdered,
                        format!("{} have no order", target.name),
                    )
                    .at(span)
                    .hint("compare with = or !=, or a field of it: account.name > \"M\"")),
                }
            }
            Type::Plain(FieldType::Boolean | FieldType::AnyReference(_) | FieldType::Tags)
            | Type::Tags(..)
            | Type::List(_)
            | Type::Nested => {
                let is = self.describe(&value.ty);
                Err(Error::new(Code::NotOrdered, format!("{is} has no order"))
                    .at(span)
                    .expected("a number, an amount, text, a time or an ordered label"))
            }
            _ => Ok(value),
        }
    }

    /// The keys by which results are sorted by a value.
    pub(super) fn order_keys(&self, value: Expr, descending: bool) -> Result<Vec<OrderKey>> {
        if matches!(
            value.ty,
            Type::Plain(FieldType::Tags) | Type::Tags(..) | Type::List(_) | Type::Nested
        ) {
            let is = self.describe(&value.ty);
            let message = format!("{is} cannot be sorted by");
            return Err(Error::new(Code::NotOrdered, message).at(value.span));
        }
        let keys = sort_keys(&to_base(value), self.catalog);
        Ok(keys
            .into_iter()
            .map(|value| OrderKey { value, descending })
            .collect())
    }

    /// A field of the record that `reference` points to.
    pub(super) fn follow_field(&self, reference: Expr, object: ObjectId, field: FieldId) -> Expr {
        let span = reference.span.clone();
        let inner = self.column(object, field, &span);
        let ty = inner.ty.clone();
        let node = Node::Follow {
            reference: Box::new(reference),
            object,
            inner: Arc::new(inner),
        };
        Expr::new(node, ty, &span)
    }

    /// `value in list`: a list, a period, or a sub-query of one column.
    pub(super) fn membership(
        &self,
        scope: &Scope<'_>,
        value: &syntax::Expr,
        list: &syntax::Expr,
        span: &Span,
    ) -> Result<Expr> {
        let bound = self.expr(scope, value)?;
        let (items, query) = match &list.kind {
            ExprKind::List(items) => (items.as_slice(), None),
            ExprKind::Query(query) => (&[][..], Some(query)),
            _ => (std::slice::from_ref(list), None),
        };
        if let Some(query) = query {
            return self.in_query(scope, bound, query, span);
        }
        let mut equal = Vec::new();
        let mut others = Vec::new();
        for item in items {
            let time = matches!(
                bound.ty,
                Type::Plain(FieldType::Date | FieldType::DateTime | FieldType::Period)
            );
            let listed = matches!(list.kind, ExprKind::List(_));
            // A parameter alone after `in` is a period.
            let meant = if time && !listed {
                &Type::PERIOD
            } else {
                &bound.ty
            };
            let item = self.opposite(scope, item, meant)?;
            if item.ty == Type::PERIOD && !(listed && bound.ty == Type::PERIOD) {
                others.push(self.in_period(bound.clone(), item, span)?);
                continue;
            }
            if !matches!(list.kind, ExprKind::List(_)) && item.ty != Type::Missing {
                let is = self.describe(&item.ty);
                return Err(Error::new(Code::TypeMismatch, format!("`{list}` is {is}"))
                    .at(item.span)
                    .expected("a list in parentheses, a period or a query")
                    .hint(format!("for one value write `{value} = {list}`")));
            }
            if matches!(item.node, Node::Constant(Value::Missing)) {
                others.push(self.comparison(Comparison::Equal, bound.clone(), item, span)?);
                continue;
            }
            let plain =
                |ty: &Type| matches!(ty, Type::Plain(FieldType::Date | FieldType::DateTime));
            if item.ty != bound.ty && plain(&item.ty) && plain(&bound.ty) {
                others.push(self.comparison(Comparison::Equal, bound.clone(), item, span)?);
                continue;
            }
            let (one, item) = self.unify(bound.clone(), item, span)?;
            let constant = !matches!(
                item.node,
                Node::Column(_) | Node::Slot(_) | Node::Follow { .. } | Node::Collect(_)
            );
            if constant && one.ty == bound.ty && item.ty == bound.ty && bound.ty != Type::MONEY {
                equal.push(item);
            } else {
                others.push(compare_node(Comparison::Equal, one, item, span));
            }
        }
        if !equal.is_empty() || others.is_empty() {
            let node = Node::InList {
                value: Box::new(bound),
                list: equal,
            };
            others.insert(0, Expr::new(node, Type::BOOLEAN, span));
        }
        if others.len() == 1 {
            return Ok(others.remove(0));
        }
        Ok(Expr::new(Node::Or(others), Type::BOOLEAN, span))
    }

    fn in_period(&self, value: Expr, period: Expr, span: &Span) -> Result<Expr> {
        if !matches!(
            value.ty,
            Type::Plain(FieldType::Date | FieldType::DateTime | FieldType::Period)
        ) {
            let is = self.describe(&value.ty);
            return Err(
                Error::new(Code::TypeMismatch, format!("{is} cannot lie in a period"))
                    .at(value.span)
                    .expected("a date, a moment or a period before `in`"),
            );
        }
        let node = Node::InPeriod {
            value: Box::new(value),
            period: Box::new(period),
        };
        Ok(Expr::new(node, Type::BOOLEAN, span))
    }

    fn in_query(
        &self,
        scope: &Scope<'_>,
        value: Expr,
        query: &syntax::Query,
        span: &Span,
    ) -> Result<Expr> {
        let (mut bound, ty) = self.one_column(scope, query, span)?;
        let mut value = value;
        use FieldType as F;
        let numeric = |ty: &F| matches!(ty, F::Integer | F::Number | F::Percent);
        let time = |ty: &F| matches!(ty, F::Date | F::DateTime);
        // Both sides in the wider, or coarser, of two types of one quantity.
        let common = match (&ty, &value.ty) {
            (a, b) if a == b => Some(None),
            (Type::Plain(a), Type::Plain(b)) if a.is_text() && b.is_text() => Some(None),
            (Type::Plain(a), Type::Plain(b)) if numeric(a) && numeric(b) => {
                Some(Some(Type::NUMBER))
            }
            (Type::Plain(a), Type::Plain(b)) if time(a) && time(b) => Some(Some(Type::DATE)),
            _ => None,
        };
        if let Some(Some(common)) = &common {
            value = cast(value, common.clone());
            if let Some(ColumnValue::Expr(column)) = bound.columns.first_mut().map(|c| &mut c.value)
            {
                *column = cast(column.clone(), common.clone());
            }
        }
        if common.is_none() {
            let message = format!(
                "{} cannot be among {}",
                self.describe(&value.ty),
                self.describe(&ty)
            );
            return Err(Error::new(Code::TypeMismatch, message).at(span.clone()));
        }
        let node = Node::InQuery {
            value: Box::new(value),
            query: Box::new(bound),
        };
        Ok(Expr::new(node, Type::BOOLEAN, span))
    }

    /// `value is empty`, `value is opportunity`
    pub(super) fn is(
        &self,
        scope: &Scope<'_>,
        value: &syntax::Expr,
        what: &syntax::Name,
        span: &Span,
    ) -> Result<Expr> {
        let bound = self.expr(scope, value)?;
        if what.text.eq_ignore_ascii_case("empty") {
            return Ok(Expr::new(
                Node::IsMissing(Box::new(bound)),
                Type::BOOLEAN,
                span,
            ));
        }
        let Type::Plain(FieldType::AnyReference(objects)) = &bound.ty else {
            return Err(Error::new(
                Code::Misplaced,
                format!(
                    "`is {}` asks which object a reference to several points to",
                    what.text
                ),
            )
            .at(self.at(&what.span))
            .hint(format!("to compare write `{value} = {}`", what.text)));
        };
        let object = self
            .catalog
            .find_object(&what.text)
            .filter(|o| objects.contains(&o.id));
        let Some(object) = object else {
            let names: Vec<_> = objects
                .iter()
                .map(|id| self.object(*id).singular.as_str())
                .collect();
            return Err(Error::new(
                Code::UnknownObject,
                format!("`{value}` never points to `{}`", what.text),
            )
            .at(self.at(&what.span))
            .expected(format!("one of {}", names.join(", "))));
        };
        let node = Node::IsObject {
            value: Box::new(bound),
            object: object.id,
        };
        Ok(Expr::new(node, Type::BOOLEAN, span))
    }

    /// `value under root`, `value above root`
    pub(super) fn under(
        &self,
        scope: &Scope<'_>,
        value: &syntax::Expr,
        root: &syntax::Expr,
        above: bool,
        span: &Span,
    ) -> Result<Expr> {
        let bound = self.expr(scope, value)?;
        let verb = if above { "above" } else { "under" };
        let hierarchy = match &bound.ty {
            Type::Plain(FieldType::Reference(object)) => {
                let target = self.object(*object);
                target.hierarchy_field().map(|_| target)
            }
            _ => None,
        };
        let Some(target) = hierarchy else {
            let is = self.describe(&bound.ty);
            return Err(Error::new(Code::TypeMismatch, format!("`{value}` is {is}"))
                .at(bound.span)
                .expected(format!("a reference to a hierarchy before `{verb}`")));
        };
        let root = self.opposite(scope, root, &bound.ty)?;
        if root.ty != bound.ty {
            let message = format!(
                "{} cannot lie {verb} {}",
                self.describe(&bound.ty),
                self.describe(&root.ty)
            );
            return Err(Error::new(Code::TypeMismatch, message).at(root.span));
        }
        let object = target.id;
        let node = Node::Under {
            value: Box::new(bound),
            root: Box::new(root),
            object,
            above,
        };
        Ok(Expr::new(node, Type::BOOLEAN, span))
    }

    /// `tags has label`
    pub(super) fn has(
        &self,
        scope: &Scope<'_>,
        tags: &syntax::Expr,
        label: &syntax::Expr,
        span: &Span,
    ) -> Result<Expr> {
        let bound = self.expr(scope, tags)?;
        let Type::Tags(..) = bound.ty else {
            let is = self.describe(&bound.ty);
            return Err(Error::new(Code::TypeMismatch, format!("`{tags}` is {is}"))
                .at(bound.span)
                .expected("a tags field before `has`")
                .hint("for text write `~`"));
        };
        let label = self.opposite(scope, label, &bound.ty)?;
        let Some(Value::Label(code)) = label.as_constant() else {
            return Err(
                Error::new(Code::Misplaced, "`has` needs one of the field's labels").at(label.span),
            );
        };
        let node = Node::Has {
            value: Box::new(bound),
            label: *code,
        };
        Ok(Expr::new(node, Type::BOOLEAN, span))
    }

    /// `value ~ pattern`, `value like pattern`; labels and references by their text.
    pub(super) fn text_match(
        &self,
        scope: &Scope<'_>,
        op: BinaryOp,
        value: &syntax::Expr,
        pattern: &syntax::Expr,
        span: &Span,
    ) -> Result<Expr> {
        let bound = self.expr(scope, value)?;
        let pattern = self.opposite(scope, pattern, &Type::TEXT)?;
        if !matches!(&pattern.ty, Type::Plain(ty) if ty.is_text()) {
            let is = self.describe(&pattern.ty);
            return Err(
                Error::new(Code::TypeMismatch, format!("{is} is no text to look for"))
                    .at(pattern.span)
                    .expected("text in quotes"),
            );
        }
        if let Type::Label(object, field) = bound.ty {
            let Some(Value::Text(text)) = pattern.as_constant() else {
                return Err(
                    Error::new(Code::Misplaced, "labels are matched with plain text")
                        .at(pattern.span),
                );
            };
            let text = fold(text).into_owned();
            let fits = |name: &str| match op {
                BinaryOp::Contains => fold(name).contains(&text),
                _ => crate::value::matches_like(&fold(name), &text),
            };
            let labels = self.object(object).field(field).labels.iter();
            let list = labels
                .filter(|label| fits(&label.name))
                .map(|label| Expr::constant(Value::Label(label.code), bound.ty.clone(), span))
                .collect();
            let node = Node::InList {
                value: Box::new(bound),
                list,
            };
            return Ok(Expr::new(node, Type::BOOLEAN, span));
        }
        let text = self.text_of(bound, value)?;
        let (text, pattern) = (Box::new(text), Box::new(pattern));
        let node = match op {
            BinaryOp::Contains => Node::Contains {
                value: text,
                pattern,
            },
            _ => Node::Like {
                value: text,
                pattern,
            },
        };
        Ok(Expr::new(node, Type::BOOLEAN, span))
    }

    /// A value as text: itself, or the label of the record it refers to.
    pub(super) fn text_of(&self, bound: Expr, tree: &syntax::Expr) -> Result<Expr> {
        match &bound.ty {
            Type::Plain(ty) if ty.is_text() => Ok(bound),
            Type::Plain(FieldType::Reference(object)) => {
                let target = self.object(*object);
                match target.label_field() {
                    Some(label) => Ok(self.follow_field(bound, target.id, label.id)),
                    None => Err(Error::new(
                        Code::TypeMismatch,
                        format!("{} have no label to search", target.name),
                    )
                    .at(bound.span)),
                }
            }
            Type::Missing => Ok(Expr {
                ty: Type::TEXT,
                ..bound
            }),
            other => {
                let is = self.describe(other);
                Err(Error::new(Code::TypeMismatch, format!("`{tree}` is {is}"))
                    .at(bound.span)
                    .expected("text"))
            }
        }
    }
}

/// The bare word a tree consists of, if it is one that may be a label.
pub(super) fn word(tree: &syntax::Expr) -> Option<&syntax::Name> {
    match &tree.kind {
        ExprKind::Path(names) => match names.as_slice() {
            [name] if !is_special(&name.text) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// Words with a meaning of their own everywhere.
pub(super) fn is_special(word: &str) -> bool {
    ["today", "now", "me", "this", "outer"]
        .iter()
        .any(|w| w.eq_ignore_ascii_case(word))
}

/// Whether a bare word opposite this type is a label.
pub(super) fn is_labelled(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Label(..)
            | Type::Tags(..)
            | Type::Plain(FieldType::Reference(_) | FieldType::AnyReference(_))
    )
}

fn compare_node(comparison: Comparison, left: Expr, right: Expr, span: &Span) -> Expr {
    debug_assert!(
        left.ty.shape() == right.ty.shape()
            || left.ty.shape() == Shape::RowOnly
            || right.ty.shape() == Shape::RowOnly
    );
    let node = Node::Compare {
        comparison,
        left: Box::new(left),
        right: Box::new(right),
    };
    Expr::new(node, Type::BOOLEAN, span)
}

/// Whether a tree has no type of its own: strings, parameters, `#42` and `empty`.
fn is_open(tree: &syntax::Expr) -> bool {
    matches!(
        tree.kind,
        ExprKind::Literal(Literal::Text(_) | Literal::Record(_) | Literal::Empty)
            | ExprKind::Parameter(_)
    )
}

/// Two periods: the left one wholly before or after the right one, or up to its end or from its
/// start.
fn compare_periods(comparison: Comparison, left: &Expr, right: &Expr, span: &Span) -> Expr {
    use super::Function::{PeriodEnd, PeriodStart};
    let edge = |function, period: &Expr| {
        let node = Node::Function {
            function,
            arguments: vec![period.clone()],
        };
        Expr::new(node, Type::DATE, &period.span)
    };
    let (of_left, comparison, of_right) = match comparison {
        Comparison::Less => (PeriodEnd, Comparison::LessEqual, PeriodStart),
        Comparison::Greater => (PeriodStart, Comparison::GreaterEqual, PeriodEnd),
        Comparison::GreaterEqual => (PeriodStart, Comparison::GreaterEqual, PeriodStart),
        _ => (PeriodEnd, Comparison::LessEqual, PeriodEnd),
    };
    compare_node(comparison, edge(of_left, left), edge(of_right, right), span)
}
