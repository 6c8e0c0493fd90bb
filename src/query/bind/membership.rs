//! Membership: `in` lists, periods and queries, `is`, `under` and `has`.

use super::aggregate::path_of;
use super::binder::{Binder, cast};
use super::compare::compare_node;
use super::joined::only_to;
use super::scope::{Scope, correlated};
use super::{ColumnValue, Expr, Meant, Node, Query, Type};
use crate::column::Comparison;
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, ExprKind};
use crate::value::{FieldType, Value};
use std::cell::RefCell;

impl Binder<'_> {
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
            ExprKind::List(items) => (items.as_slice(), rows_alone(items)),
            ExprKind::Query(query) => (&[][..], Some(&**query)),
            _ => (std::slice::from_ref(list), None),
        };
        if let Some(query) = query {
            return self.in_query(scope, bound, query, span);
        }
        if let Some(within) = self.within(scope, &bound, list, span)? {
            return Ok(within);
        }
        let mut equal = Vec::new();
        let mut others = Vec::new();
        for item in items {
            let listed = matches!(list.kind, ExprKind::List(_));
            // A parameter alone after `in` is a period.
            let meant = if bound.ty.is_time() && !listed && bound.ty != Type::Fiscal {
                &Type::PERIOD
            } else {
                &bound.ty
            };
            let tree = item;
            let item = self.opposite(scope, item, meant)?;
            if listed {
                let item = self.retype(item.clone(), &bound.ty);
                let trees = [value, tree];
                self.check_possible(syntax::BinaryOp::Equal, trees, [&bound, &item])?;
            }
            if item.ty.is_period() && !(listed && bound.ty.is_period()) {
                others.push(self.in_period(bound.clone(), item, span)?);
                continue;
            }
            if !matches!(list.kind, ExprKind::List(_)) && item.ty != Type::Missing {
                let is = self.describe(&item.ty);
                let error = Error::new(Code::TypeMismatch, format!("`{list}` is {is}"))
                    .at(item.span)
                    .expected("a list in parentheses, a period or a query")
                    .hint(match bound.ty.is_time() {
                        true => "periods are 2026, 2026-Q3, 2026-07, `this quarter`, `last 6 \
                                 months`"
                            .to_owned(),
                        false => format!("for one value write `{value} = {list}`"),
                    });
                let hierarchy = match &bound.ty {
                    Type::Plain(FieldType::Reference(object)) => {
                        self.object(*object).hierarchy_field().is_some()
                    }
                    _ => false,
                };
                return Err(match hierarchy {
                    true => error.hint(format!("with all below it: `{value} under {list}`")),
                    false => error,
                });
            }
            if matches!(item.node, Node::Constant(Value::Missing)) {
                others.push(self.comparison(
                    scope,
                    Comparison::Equal,
                    bound.clone(),
                    item,
                    span,
                )?);
                continue;
            }
            let plain =
                |ty: &Type| matches!(ty, Type::Plain(FieldType::Date | FieldType::DateTime));
            if item.ty != bound.ty && plain(&item.ty) && plain(&bound.ty) {
                others.push(self.comparison(
                    scope,
                    Comparison::Equal,
                    bound.clone(),
                    item,
                    span,
                )?);
                continue;
            }
            let tags = matches!(bound.ty, Type::Tags(..));
            let unified = self.unify(scope, bound.clone(), item, span);
            let (one, item) = unified.map_err(|error| match tags {
                true => {
                    let each: Vec<_> = items.iter().map(|i| format!("{value} has {i}")).collect();
                    error.hint(format!("tags are many: write `{}`", each.join(" or ")))
                }
                false => error,
            })?;
            let constant = !matches!(
                item.node,
                Node::Column(_)
                    | Node::Slot(_)
                    | Node::Follow { .. }
                    | Node::Collect(_)
                    | Node::Correlated { .. }
            );
            let same = one.ty == bound.ty && item.ty.field_type() == bound.ty.field_type();
            if constant && same && bound.ty != Type::MONEY {
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

    pub(super) fn in_period(&self, value: Expr, period: Expr, span: &Span) -> Result<Expr> {
        if !value.ty.is_time() {
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

    pub(super) fn in_query(
        &self,
        scope: &Scope<'_>,
        value: Expr,
        query: &syntax::Query,
        span: &Span,
    ) -> Result<Expr> {
        let given = RefCell::default();
        let (mut bound, ty, frames) = self.one_column(scope, &given, query, span)?;
        let mut value = self.to_base(scope, value);
        self.columns_to_base(&mut bound, &frames);
        use FieldType as F;
        let numeric = |ty: &F| matches!(ty, F::Integer | F::Number | F::Percent);
        let time = |ty: &F| matches!(ty, F::Date | F::DateTime);
        // Both sides in the wider, or coarser, of two types of one quantity.
        let common = match (&ty, &value.ty) {
            (Type::List(_), _) => None,
            (a, b) if a == b || a.is_period() && b.is_period() => Some(None),
            (Type::Plain(a), Type::Plain(b)) if a.is_text() && b.is_text() => Some(None),
            (Type::Plain(a), Type::Plain(b)) if numeric(a) && numeric(b) => {
                Some(Some(Type::NUMBER))
            }
            (Type::Plain(a), Type::Plain(b)) if time(a) && time(b) => Some(Some(Type::DATE)),
            // Of a reference to any of several, those to the one object.
            (Type::Plain(F::Reference(one)), Type::Plain(F::AnyReference(any)))
            | (Type::Plain(F::AnyReference(any)), Type::Plain(F::Reference(one)))
                if any.contains(one) =>
            {
                Some(Some(Type::Plain(F::Reference(*one))))
            }
            _ => None,
        };
        if let Some(Some(common)) = &common {
            value = common_form(value, common);
            map_column(&mut bound, &|column| common_form(column, common));
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
        Ok(correlated(Expr::new(node, Type::BOOLEAN, span), given))
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
                format!("`is {}` means nothing here", what.text),
            )
            .at(self.at(&what.span))
            .expected("`empty`; or an object, after a reference to any of several")
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
        self.mention(Meant::Object(object.id), &what.span);
        let node = Node::IsObject {
            value: Box::new(bound),
            object: object.id,
        };
        Ok(Expr::new(node, Type::BOOLEAN, span))
    }

    /// Remembers what holds where a condition holds: `about is opportunity` lets the path
    /// `about.amount` be that of an opportunity.
    pub(super) fn learn(&self, scope: &Scope<'_>, tree: &syntax::Expr) {
        match &tree.kind {
            ExprKind::Binary {
                op: syntax::BinaryOp::And,
                left,
                right,
            } => {
                self.learn(scope, left);
                self.learn(scope, right);
            }
            ExprKind::Is {
                value,
                what,
                negated: false,
            } => {
                if let (Some(names), Some(object)) =
                    (path_of(value), self.catalog.find_object(&what.text))
                {
                    scope.learn(names, object.id);
                }
            }
            _ => {}
        }
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
        let mut bound = self.expr(scope, value)?;
        if let (Type::Plain(FieldType::AnyReference(_)), Some(path)) = (&bound.ty, path_of(value))
            && let Some(object) = scope.known(path)
        {
            bound = only_to(bound, object);
        }
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
        let object = target.id;
        let mut root = self.opposite(scope, root, &bound.ty)?;
        if matches!(&root.ty, Type::Plain(FieldType::AnyReference(any)) if any.contains(&object)) {
            root = only_to(root, object);
        }
        if root.ty != bound.ty {
            let message = format!(
                "{} cannot lie {verb} {}",
                self.describe(&bound.ty),
                self.describe(&root.ty)
            );
            return Err(Error::new(Code::TypeMismatch, message).at(root.span));
        }
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
}

/// A value as what both sides of `in` are.
fn common_form(value: Expr, ty: &Type) -> Expr {
    match (&value.ty, ty) {
        (Type::Plain(FieldType::AnyReference(_)), Type::Plain(FieldType::Reference(object))) => {
            only_to(value, *object)
        }
        _ => cast(value, ty.clone()),
    }
}

/// The one column of a query, and of those stacked below it, as `form` says.
fn map_column(query: &mut Query, form: &impl Fn(Expr) -> Expr) {
    if let Some(ColumnValue::Expr(column)) = query.columns.first_mut().map(|c| &mut c.value) {
        *column = form(column.clone());
    }
    query
        .unions
        .iter_mut()
        .for_each(|union| map_column(union, form));
}

/// The query that stands alone in parentheses, of a source of many words.
fn rows_alone(items: &[syntax::Expr]) -> Option<&syntax::Query> {
    let [one] = items else {
        return None;
    };
    let ExprKind::Query(query) = &one.kind else {
        return None;
    };
    let is_rows = matches!(
        query.source,
        syntax::Source::Duplicates { .. } | syntax::Source::History { .. }
    );
    is_rows.then_some(query)
}
