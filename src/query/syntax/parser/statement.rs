//! Statements that change records, transactions and settings, and the choice among all.

use super::{Node, Reader, Rule, first, only, parts};
use crate::error::{Code, Error, Result};
use crate::query::syntax::ast::{
    Add, Delete, Dialect, DropKind, Import, Merge, Restore, Setting, Side, Statement, Undo, Update,
    Upsert,
};

impl Reader {
    pub(super) fn statement(self, node: Node) -> Result<Statement> {
        match node.as_rule() {
            Rule::query => self.query(node).map(Statement::Query),
            Rule::explain => self.explain(node),
            Rule::sql => {
                let mut inner = parts(node).peekable();
                let dialect = inner.next_if(|part| part.as_rule() == Rule::for_dialect);
                Ok(Statement::Sql {
                    dialect: dialect.map(dialect_of).unwrap_or_default(),
                    query: self.query(first(&mut inner))?,
                })
            }
            Rule::dry_run => {
                let inner = self.statement(only(node))?;
                Ok(Statement::DryRun(Box::new(inner)))
            }
            Rule::export_relational => {
                let mut inner = parts(node);
                Ok(Statement::ExportRelational {
                    file: self.text(&first(&mut inner)),
                    dialect: inner.next().map(dialect_of).unwrap_or_default(),
                })
            }
            Rule::add
            | Rule::update
            | Rule::upsert
            | Rule::delete
            | Rule::merge
            | Rule::restore => self.change(node),
            Rule::undo => self.undo(node).map(Statement::Undo),
            Rule::redo => Ok(Statement::Undo(Undo::Redo)),
            Rule::import => self.import(node).map(Statement::Import),
            Rule::export => {
                let mut inner = parts(node);
                let query = self.query(first(&mut inner))?;
                let file = self.text(&only(first(&mut inner)));
                Ok(Statement::Export { query, file })
            }
            Rule::create_object => self.create_object(node).map(Statement::CreateObject),
            Rule::create_index => Ok(self.create_index(node)),
            Rule::create_view => self.create_view(node).map(Statement::CreateView),
            Rule::alter_object => self.alter_object(node),
            Rule::drop => Ok(self.drop_statement(only(node))),
            Rule::prune => Ok(Statement::Prune {
                before: self.sum(only(node))?,
            }),
            Rule::begin => self.begin(node),
            Rule::commit => Ok(Statement::Commit),
            Rule::rollback => {
                let name = parts(node).next();
                Ok(Statement::Rollback(name.map(|name| self.name(&name))))
            }
            Rule::savepoint => Ok(Statement::Savepoint(self.name(&only(node)))),
            _ => self.set(node),
        }
    }

    fn explain(self, node: Node) -> Result<Statement> {
        let mut inner = parts(node).peekable();
        let analyze = inner
            .next_if(|part| part.as_rule() == Rule::analyze)
            .is_some();
        Ok(Statement::Explain {
            analyze,
            query: self.query(first(&mut inner))?,
        })
    }

    /// A statement that changes records, and what it returns.
    fn change(self, node: Node) -> Result<Statement> {
        let last = parts(node.clone()).last();
        let returning = last.filter(|last| last.as_rule() == Rule::returning);
        let change = match node.as_rule() {
            Rule::add => Statement::Add(self.add(node)?),
            Rule::update => Statement::Update(self.update(node)?),
            Rule::upsert => Statement::Upsert(self.upsert(node)?),
            Rule::merge => Statement::Merge(self.merge(node)?),
            Rule::restore => Statement::Restore(self.restore(node)?),
            _ => Statement::Delete(self.delete(node)?),
        };
        let Some(returning) = returning else {
            return Ok(change);
        };
        let select = parts(returning).map(|item| self.item(item));
        Ok(Statement::Returning {
            change: Box::new(change),
            select: select.collect::<Result<_>>()?,
        })
    }

    fn add(self, node: Node) -> Result<Add> {
        let mut inner = said(node);
        let object = self.name(&first(&mut inner));
        let records = inner
            .map(|record| self.bindings(record))
            .collect::<Result<_>>()?;
        Ok(Add { object, records })
    }

    fn update(self, node: Node) -> Result<Update> {
        let mut inner = said(node);
        let object = self.name(&first(&mut inner));
        let mut update = Update {
            object,
            key: None,
            filter: None,
            set: Vec::new(),
            unchanged: None,
        };
        for part in inner {
            match part.as_rule() {
                Rule::key => update.key = Some(self.key(part)?),
                Rule::where_clause => update.filter = Some(self.expression(only(part))?),
                Rule::unchanged => update.unchanged = Some(self.sum(only(part))?),
                _ => update.set = self.bindings(part)?,
            }
        }
        Ok(update)
    }

    fn upsert(self, node: Node) -> Result<Upsert> {
        let mut inner = said(node);
        let object = self.name(&first(&mut inner));
        let on = self.names(only(first(&mut inner)));
        let mut upsert = Upsert {
            object,
            on,
            from: None,
            records: Vec::new(),
        };
        for part in inner {
            match part.as_rule() {
                Rule::from_query => upsert.from = Some(*self.source_parenthesis(only(part))?),
                _ => upsert.records.push(self.bindings(part)?),
            }
        }
        Ok(upsert)
    }

    fn delete(self, node: Node) -> Result<Delete> {
        let mut inner = said(node);
        let object = self.name(&first(&mut inner));
        let mut delete = Delete {
            object,
            key: None,
            filter: None,
        };
        for part in inner {
            match part.as_rule() {
                Rule::key => delete.key = Some(self.key(part)?),
                _ => delete.filter = Some(self.expression(only(part))?),
            }
        }
        Ok(delete)
    }

    fn merge(self, node: Node) -> Result<Merge> {
        let mut inner = said(node);
        let object = self.name(&first(&mut inner));
        let source = self.key(first(&mut inner))?;
        let target = self.key(first(&mut inner))?;
        let (mut keep, mut fields) = (None, Vec::new());
        for part in inner {
            match part.as_rule() {
                Rule::keep => keep = Some(side(&only(part))),
                _ => {
                    fields.extend(parts(part).map(|field| {
                        let mut inner = parts(field);
                        let name = self.name(&first(&mut inner));
                        (name, side(&first(&mut inner)))
                    }));
                }
            }
        }
        Ok(Merge {
            object,
            source,
            target,
            keep,
            fields,
        })
    }

    fn restore(self, node: Node) -> Result<Restore> {
        let Delete {
            object,
            key,
            filter,
        } = self.delete(node)?;
        Ok(Restore {
            object,
            key,
            filter,
        })
    }

    fn undo(self, node: Node) -> Result<Undo> {
        let Some(number) = parts(node).next() else {
            return Ok(Undo::Last);
        };
        let span = self.span(&number);
        let text = number.as_str();
        let number = text.parse().map_err(|_| {
            let message = format!("`{text}` is no number of a transaction");
            Error::new(Code::BadLiteral, message).at(span.clone())
        })?;
        Ok(Undo::Transaction { number, span })
    }

    fn import(self, node: Node) -> Result<Import> {
        let mut inner = parts(node);
        let object = self.name(&first(&mut inner));
        let file = self.text(&only(first(&mut inner)));
        let mut import = Import {
            object,
            file,
            on: Vec::new(),
            creating: Vec::new(),
            fields: Vec::new(),
        };
        for part in inner {
            match part.as_rule() {
                Rule::on => import.on = self.names(only(part)),
                Rule::creating => import.creating = self.names(only(part)),
                _ => import.fields = self.bindings(part)?,
            }
        }
        Ok(import)
    }

    fn drop_statement(self, node: Node) -> Statement {
        let kind = match node.as_rule() {
            Rule::drop_object => DropKind::Object,
            Rule::drop_view => DropKind::View,
            _ => DropKind::Index,
        };
        let mut inner = parts(node);
        let name = self.name(&first(&mut inner));
        let fields = inner.next().map_or(Vec::new(), |names| self.names(names));
        Statement::Drop { kind, name, fields }
    }

    fn begin(self, node: Node) -> Result<Statement> {
        let (mut at, mut actor) = (None, None);
        for part in parts(node) {
            match part.as_rule() {
                Rule::begin_at => at = Some(self.sum(only(part))?),
                _ => actor = Some(self.sum(only(part))?),
            }
        }
        Ok(Statement::Begin { at, actor })
    }

    fn set(self, node: Node) -> Result<Statement> {
        let mut inner = parts(node);
        let setting = match first(&mut inner).as_str().as_bytes()[0].to_ascii_lowercase() {
            b'b' => Setting::BaseCurrency,
            b'z' => Setting::Zone,
            _ => Setting::FiscalYear,
        };
        Ok(Statement::Set {
            setting,
            value: self.sum(first(&mut inner))?,
        })
    }
}

/// The parts of a change, without what it returns.
fn said(node: Node) -> impl Iterator<Item = Node> {
    parts(node).filter(|part| part.as_rule() != Rule::returning)
}

fn side(node: &Node) -> Side {
    let same = |side: &Side| side.word().eq_ignore_ascii_case(node.as_str());
    Side::ALL.into_iter().find(same).unwrap_or(Side::Target)
}

fn dialect_of(node: Node) -> Dialect {
    match only(node).as_str().as_bytes()[0].to_ascii_lowercase() {
        b'd' => Dialect::DuckDb,
        _ => Dialect::Sqlite,
    }
}
