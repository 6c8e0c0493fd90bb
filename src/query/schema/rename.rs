//! Renaming: objects, fields and labels get other names, and stored texts that say them follow.
//!
//! Nothing is searched for names: every text is bound, and what the binder says is meant is
//! replaced where it stands.

use super::usage::{Place, places, still_used};
use super::{Definer, name};
use crate::catalog::{Catalog, same_name, singular};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Binder, Meant, Mention, usual_rule, usual_view};
use crate::query::syntax::{self, Literal, Name, Spoken, spoken_name};
use crate::value::{FieldId, LabelCode, ObjectId, Value};

/// A definition with its old name and its new one.
pub(super) enum Renaming<'n> {
    /// With plural and singular, and what the view with its usual rule for duplicates was and is
    /// called.
    Object(ObjectId, [&'n str; 2], [&'n str; 2], Option<[&'n str; 2]>),
    Field(ObjectId, FieldId, &'n str, &'n str),
    Formula(ObjectId, &'n str, &'n str),
    Label(ObjectId, FieldId, LabelCode, &'n str),
}

impl Renaming<'_> {
    /// Whether a text may say the old name; most do not, and need not be bound.
    fn may_be_in(&self, text: &str, catalog: &Catalog) -> bool {
        let text = text.to_lowercase();
        let says = |old: &str| {
            // What is doubled in quotes is not found so.
            old.contains(['`', '"', '\'']) || text.contains(&old.to_lowercase())
        };
        match self {
            Self::Object(_, old, ..) => old.iter().any(|old| says(old)),
            Self::Field(_, _, old, _) | Self::Formula(_, old, _) => says(old),
            Self::Label(id, field, code, _) => {
                let field = catalog.object(*id).field(*field);
                field.label_name(*code).is_some_and(says)
            }
        }
    }

    /// What is said instead of `said`, if that is what gets another name.
    fn replacement(&self, meant: &Meant, said: &str) -> Option<String> {
        let name = |text: &str| Some(name::made(text).to_string());
        let says = |old: &str| same_name(&spoken_name(said), old);
        match (self, meant) {
            (Self::Object(id, old, new, _), Meant::Object(of)) if id == of => {
                let which = old.iter().position(|old| says(old))?;
                name(new[which])
            }
            (Self::Object(_, _, _, Some([old, new])), Meant::View(of))
                if same_name(of, old) && says(old) =>
            {
                name(new)
            }
            (Self::Field(id, field, old, new), Meant::Field(of, at))
                if (id, field) == (of, at) && says(old) =>
            {
                name(new)
            }
            (Self::Formula(id, old, new), Meant::Formula(of, at))
                if id == of && same_name(at, old) && says(old) =>
            {
                name(new)
            }
            (Self::Label(id, field, code, new), Meant::Label(of, at, label))
                if (id, field, code) == (of, at, label) =>
            {
                let quoted = said.starts_with(['"', '\'']);
                Some(match quoted {
                    true => Literal::Text((*new).to_owned()).to_string(),
                    false => Spoken(new).to_string(),
                })
            }
            _ => None,
        }
    }

    /// The text with the new name, if it says the old one. A column that was called by it is
    /// still called so, as others may ask for it.
    fn rewrite(&self, text: &str, mentions: &[Mention]) -> Option<String> {
        let mut rewritten = String::new();
        let mut done = 0;
        for mention in mentions {
            let Some(said) = text.get(mention.span.clone()) else {
                continue;
            };
            let Some(new) = self.replacement(&mention.meant, said) else {
                continue;
            };
            if mention.span.start < done {
                continue;
            }
            rewritten.push_str(&text[done..mention.span.start]);
            rewritten.push_str(&new);
            let heading =
                |other: &Mention| other.meant == Meant::Heading && other.span == mention.span;
            if mentions.iter().any(heading) && !matches!(mention.meant, Meant::Label(..)) {
                rewritten.push_str(" as ");
                rewritten.push_str(said);
            }
            done = mention.span.end;
        }
        if done == 0 {
            return None;
        }
        rewritten.push_str(&text[done..]);
        Some(rewritten)
    }
}

impl Definer<'_, '_> {
    /// Gives a definition its new name by `apply` and has all stored texts say that. `blame` is
    /// the old name in the statement.
    pub(super) fn carry_name(
        &mut self,
        renaming: &Renaming<'_>,
        blame: &Name,
        apply: impl FnOnce(&mut Catalog),
    ) -> Result<()> {
        let clock = self.environment.clock;
        let recorder = || {
            let binder = Binder::new(&self.catalog, clock);
            binder.keep_mentions();
            binder
        };
        let mut texts: Vec<(Place, String)> = Vec::new();
        for place in places(&self.catalog) {
            if !renaming.may_be_in(place.text(&self.catalog), &self.catalog) {
                continue;
            }
            let binder = recorder();
            if place.bind(&binder, &self.catalog).is_ok()
                && let Some(text) = renaming.rewrite(place.text(&self.catalog), &binder.mentions())
            {
                texts.push((place, text));
            }
        }
        let mut rules = Vec::new();
        self.each_rule(|object, field, on, id, text| {
            let key = (object.id, field.id, id);
            let text = self.rewritten.get(&key).map_or(text, |text| text);
            if !renaming.may_be_in(text, &self.catalog) {
                return;
            }
            let binder = recorder();
            if let Ok(tree) = syntax::parse_expression(text)
                && binder.record_expression(on, &tree).is_ok()
                && let Some(text) = renaming.rewrite(text, &binder.mentions())
            {
                rules.push((key, text));
            }
        })?;
        apply(&mut self.catalog);
        self.rewritten.extend(rules);
        for (place, text) in &texts {
            place.set_text(&mut self.catalog, text.clone());
        }
        if let Renaming::Object(_, old, [new, _], _) = renaming {
            self.carry_types(old, new);
        }
        self.check_rewritten(&texts, blame)
    }

    /// Refuses a name that takes the meaning from a text that says it.
    fn check_rewritten(&self, texts: &[(Place, String)], blame: &Name) -> Result<()> {
        let binder = || Binder::new(&self.catalog, self.environment.clock);
        let lost = texts
            .iter()
            .filter(|(place, _)| place.bind(&binder(), &self.catalog).is_err());
        let users: Vec<String> = lost.map(|(place, _)| place.what(&self.catalog)).collect();
        match users.is_empty() {
            true => Ok(()),
            false => Err(Error::new(
                Code::NameTaken,
                format!("the new name means something else in {}", users.join(", ")),
            )
            .at(blame.span.clone())
            .hint("choose another name, or change those first")),
        }
    }

    /// View parameters that are records of the object.
    fn carry_types(&mut self, old: &[&str; 2], new: &str) {
        let views = self.catalog.views.iter_mut();
        for parameter in views.flat_map(|view| &mut view.parameters) {
            let of = parameter.ty.strip_prefix("ref ").map(spoken_name);
            if of.is_some_and(|of| old.iter().any(|old| same_name(&of, old))) {
                parameter.ty = format!("ref {}", name::made(new));
            }
        }
    }

    pub(super) fn rename_field(&mut self, id: ObjectId, from: &Name, to: &Name) -> Result<()> {
        name::check(to)?;
        let object = self.catalog.object(id);
        let other =
            object.find_field(&to.text).is_some() || object.find_formula(&to.text).is_some();
        if other && !same_name(&from.text, &to.text) {
            let by = format!("{} have already something", object.name);
            return Err(name::taken(to, &by));
        }
        let place = id.0 as usize;
        let formula = |object: &crate::catalog::Object| {
            let mut formulas = object.formulas.iter();
            formulas.position(|formula| same_name(&formula.name, &from.text))
        };
        let (old, new) = (from.text.as_str(), to.text.as_str());
        if let Some(at) = formula(object) {
            self.carry_name(&Renaming::Formula(id, old, new), from, |catalog| {
                catalog.objects[place].formulas[at].name = new.to_owned();
            })?;
        } else {
            let field = self.field(id, from)?;
            let object = self.catalog.object(id);
            if let Some(user) =
                super::alter::role_use(object, field).filter(|_| !same_name(old, new))
            {
                return Err(still_used(from, &[user]));
            }
            self.carry_name(&Renaming::Field(id, field, old, new), from, |catalog| {
                // Dropped ones too: by the name it is known which field took the place of one.
                let fields = catalog.objects[place].fields.iter_mut();
                for field in fields.filter(|field| same_name(&field.name, old)) {
                    new.clone_into(&mut field.name);
                }
            })?;
        }
        for shown in &mut self.object_mut(id).show {
            if same_name(shown, old) {
                new.clone_into(shown);
            }
        }
        Ok(())
    }

    pub(super) fn rename(&mut self, tree: &Name, id: ObjectId, to: &Name) -> Result<()> {
        let object = self.catalog.object(id).clone();
        if !same_name(&object.name, &to.text) {
            self.check_free(to)?;
        }
        let one = match object.singular == singular(&object.name) {
            true => singular(&to.text),
            false => object.singular.clone(),
        };
        let rule = usual_rule(&self.catalog, &object);
        let rule = rule.map(|view| [view.name.clone(), usual_view(&to.text)]);
        if let Some([old, new]) = &rule
            && !same_name(old, new)
        {
            let name = Name {
                text: new.clone(),
                span: to.span.clone(),
            };
            self.check_free(&name).map_err(|error| {
                error.hint(format!(
                    "view `{old}`, their usual rule for duplicates, would be called so: choose \
                     another name, or drop one of the two"
                ))
            })?;
        }
        let renaming = Renaming::Object(
            id,
            [&object.name, &object.singular],
            [&to.text, &one],
            rule.as_ref().map(|[old, new]| [old.as_str(), new]),
        );
        self.carry_name(&renaming, tree, |catalog| {
            let object = &mut catalog.objects[id.0 as usize];
            object.name.clone_from(&to.text);
            object.singular.clone_from(&one);
            for view in &mut catalog.views {
                if let Some([_, new]) = rule.as_ref().filter(|[old, _]| *old == view.name) {
                    view.name.clone_from(new);
                }
            }
        })
    }

    /// Writes the rules of records that say something else now.
    pub(super) fn write_rules(&mut self) -> Result<()> {
        for ((object, field, id), text) in std::mem::take(&mut self.rewritten) {
            if let Some(old) = self.transaction.row(object, id)? {
                let mut row = (*old).clone();
                row.set(field, Value::text(text));
                self.transaction.replace(object, id, old, row)?;
            }
        }
        Ok(())
    }
}
