//! Views: `create view` and `drop view`.

use super::Definer;
use super::name::{check, made, taken};
use crate::catalog::{View, ViewParameter, same_name};
use crate::error::{Code, Error, Result};
use crate::query::bind::Binder;
use crate::query::syntax::{self, CreateView, Expr, Name, TypeName};

impl Definer<'_, '_> {
    pub(super) fn create_view(&mut self, tree: &CreateView) -> Result<String> {
        self.check_free(&tree.name)?;
        let mut parameters: Vec<ViewParameter> = Vec::new();
        for parameter in &tree.parameters {
            if parameters
                .iter()
                .any(|p| same_name(&p.name, &parameter.name))
            {
                return Err(taken(
                    &tree.name,
                    &format!("two parameters `{}` in the view", parameter.name),
                ));
            }
            parameters.push(ViewParameter {
                name: parameter.name.clone(),
                ty: parameter.ty.to_string(),
                default: parameter.default.as_ref().map(Expr::to_string),
            });
        }
        Binder::new(&self.catalog, self.environment.clock).view(tree)?;
        self.catalog.views.push(View {
            name: tree.name.text.clone(),
            parameters,
            text: tree.query.to_string(),
        });
        self.store()?;
        Ok(format!("created view {}", tree.name.text))
    }

    pub(super) fn drop_view(&mut self, name: &Name) -> Result<String> {
        check(name)?;
        let views = &mut self.catalog.views;
        let before = views.len();
        views.retain(|view| !same_name(&view.name, &name.text));
        if self.catalog.views.len() == before {
            let names = self.catalog.views.iter().map(|view| view.name.as_str());
            return Err(Error::new(
                Code::UnknownObject,
                format!("there is no view `{}`", name.text),
            )
            .at(name.span.clone())
            .near(&name.text, names));
        }
        self.check_texts(name)?;
        self.store()?;
        Ok(format!("dropped view {}", name.text))
    }
}

/// The statement that makes a view.
pub(super) fn tree(view: &View) -> Result<CreateView> {
    let mut parameters = Vec::new();
    for parameter in &view.parameters {
        let default = parameter.default.as_deref();
        parameters.push(syntax::ViewParameter {
            name: parameter.name.clone(),
            ty: match parameter.ty.strip_prefix("ref ") {
                Some(object) => TypeName::Reference(made(&syntax::spoken_name(object))),
                None => TypeName::Plain(made(&parameter.ty)),
            },
            default: default.map(syntax::parse_expression).transpose()?,
        });
    }
    Ok(CreateView {
        name: made(&view.name),
        parameters,
        query: syntax::parse_query(&view.text)?,
    })
}
