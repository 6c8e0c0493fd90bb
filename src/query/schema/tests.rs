//! Tests of definitions: what is refused and why, and that descriptions make the same again.

use crate::error::Code;
use crate::query::schema::{describe_book, describe_object, describe_view};
use crate::query::trial::Trial;
use crate::value::Clock;

const SCHEMA: &str = "
    create object stages (name text label unique, position integer, outcome picklist (open, won, lost))
        ordered by position;
    create object accounts (name text, parent ref accounts hierarchy collection children,
        tier picklist (bronze, silver), skills tags, rule filter on accounts, email email unique,
        `odd name` integer default 3, check (`odd name` > 0)) show name, tier;
    create object deals (title text label required, account ref accounts, stage ref stages default open,
        close_date date, amount money dated by close_date, won formula (stage.outcome = won),
        about ref any (accounts, stages) collection mentions, worth formula (if(won, amount, 0))) singular deal;
    create index on deals (close_date, account) unique;
    create view hot($min money default 5, $of ref accounts) as deals where amount >= $min and account = $of";

#[test]
fn descriptions_make_the_same_object() {
    let trial = Trial::new(SCHEMA);
    let catalog = trial.catalog();
    let mut script = String::new();
    for object in catalog.live_objects() {
        script += &describe_object(&catalog, object).unwrap();
    }
    for view in &catalog.views {
        script += &describe_view(view).unwrap();
    }
    let again = Trial::new(&script).catalog();
    // Formulas come after the fields, and index numbers follow the order of creation.
    assert_eq!(*again, *catalog, "{script}");
}

#[test]
fn refusals_tell_the_code() {
    let trial = Trial::new(SCHEMA);
    for (script, code) in [
        ("create object deals (name text)", Code::NameTaken),
        ("create object account (name text)", Code::NameTaken),
        ("create object hot (name text)", Code::NameTaken),
        ("create object x (a ref nothing)", Code::UnknownObject),
        ("create object x (a text, A text)", Code::NameTaken),
        (
            "create object x (children text, a ref x collection children)",
            Code::NameTaken,
        ),
        (
            "create object x (name text, deals ref accounts collection deals)",
            Code::NameTaken,
        ),
        (
            "create object x (a ref accounts hierarchy)",
            Code::Misplaced,
        ),
        ("create object x (a tags unique)", Code::Misplaced),
        ("create object x (a integer label)", Code::Misplaced),
        ("create object x (a picklist (b, B))", Code::NameTaken),
        (
            "create object x (a formula (b), b formula (a))",
            Code::Recursive,
        ),
        (
            "create object x (a integer default b, b integer default a)",
            Code::Recursive,
        ),
        (
            "create object x (a integer default \"b\" + 1)",
            Code::TypeMismatch,
        ),
        ("create object x (a integer, check (a))", Code::TypeMismatch),
        ("create object x (a text) ordered by a", Code::Misplaced),
        ("create object x (a text) show b", Code::UnknownField),
        ("create object x (a money dated by b)", Code::UnknownField),
        (
            "alter object accounts add field deals integer",
            Code::NameTaken,
        ),
        ("alter object deals drop field stage", Code::StillUsed),
        ("alter object deals drop field close_date", Code::StillUsed),
        ("alter object deals drop field amount", Code::StillUsed),
        ("alter object deals drop field won", Code::StillUsed),
        ("alter object stages drop field position", Code::StillUsed),
        ("alter object accounts drop field tier", Code::StillUsed),
        (
            "alter object accounts add label tier Silver",
            Code::NameTaken,
        ),
        (
            "alter object accounts add label name gold",
            Code::TypeMismatch,
        ),
        (
            "alter object accounts alter field tier order (silver)",
            Code::BadValue,
        ),
        (
            "alter object accounts alter field tier order (silver, bronze, silver)",
            Code::NameTaken,
        ),
        (
            "alter object accounts drop label tier gold",
            Code::UnknownLabel,
        ),
        (
            "alter object accounts rename label tier silver to BRONZE",
            Code::NameTaken,
        ),
        (
            "alter object stages drop label outcome won",
            Code::StillUsed,
        ),
        (
            "alter object deals rename field amount to account",
            Code::NameTaken,
        ),
        ("drop object accounts", Code::StillUsed),
        ("drop view cold", Code::UnknownObject),
        (
            "create index on deals (close_date, account) unique",
            Code::NameTaken,
        ),
        ("create index on accounts (skills)", Code::TypeMismatch),
        ("drop index on deals (stage)", Code::UnknownObject),
        ("create view accounts as deals", Code::NameTaken),
        (
            "create view v as deals where nothing = 1",
            Code::UnknownField,
        ),
        ("set zone = \"Nowhere/Land\"", Code::BadValue),
        ("set fiscal year = 13", Code::BadValue),
    ] {
        let before = trial.catalog();
        assert_eq!(trial.refused(script).code(), code, "{script}");
        assert_eq!(*before, *trial.catalog(), "{script}");
    }
}

#[test]
fn alterations_take_effect() {
    let trial = Trial::new(SCHEMA);
    trial
        .run(
            "alter object accounts add label tier gold, show name;
             alter object accounts drop field tier, rename field email to mail;
             alter object stages rename to steps;
             drop view hot; drop index on deals (close_date, account);
             drop object deals; drop object steps; set base currency = EUR; set zone = UTC",
        )
        .unwrap();
    let catalog = trial.catalog();
    let accounts = catalog.find_object("account").unwrap();
    let fields: Vec<_> = accounts.live_fields().map(|f| f.name.as_str()).collect();
    assert_eq!(
        fields,
        ["name", "parent", "skills", "rule", "mail", "odd name"]
    );
    assert_eq!(catalog.live_objects().count(), 1);
}

/// Definitions that refer to later ones, each in another way.
const TANGLED: &str = "
    create object stages (name text label, worth formula (1), kept formula (2));
    create object reps (name text label, size integer, check (size > 0)) show name, size;
    create object deals (title text label, stage ref stages, day date, rep ref reps);
    alter object stages add field lead ref reps, add field note text, show name, lead;
    alter object stages add field deal_count formula (count(deals));
    alter object stages add field double formula (deal_count * 2);
    alter object reps add field best ref deals collection praised, add field size2 integer default 5,
        add field since date default today, add field rule filter on deals,
        add check (best.title is not empty or best is empty);
    create index on reps (size2, best) unique;
    create object gone (name text);
    drop object gone;
    alter object deals drop field day;
    alter object reps alter field best on delete cascade,
        add field worst ref deals collection blamed on delete empty;
    create view leads as deals where stage.lead is not empty;
    create view big as leads where stage.double > 2";

#[test]
fn the_script_of_a_book_makes_the_same_book() {
    for schema in [SCHEMA, TANGLED] {
        let trial = Trial::new(schema);
        let clock = Clock::system();
        let script = describe_book(&trial.catalog(), &clock).unwrap();
        let copy = Trial::new(&script).catalog();
        assert_eq!(describe_book(&copy, &clock).unwrap(), script);
        if schema == TANGLED {
            assert!(script.contains("on delete cascade") && script.contains("on delete empty"));
        }
        for object in trial.catalog().live_objects() {
            let again = copy.find_object(&object.name).unwrap();
            assert_eq!(
                describe_object(&copy, again).unwrap(),
                describe_object(&trial.catalog(), object).unwrap()
            );
        }
        assert_eq!(copy.views, trial.catalog().views, "{script}");
    }
}
