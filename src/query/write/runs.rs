//! Imports of many lines, whose records go into the file in runs, beside the same in memory and
//! beside statements for one line each.

use crate::query::outcome::{ImportReport, Outcome};
use crate::query::syntax::{self, Statement};
use crate::query::trial::Trial;
use proptest::prelude::*;
use std::collections::BTreeSet;

const SCHEMA: &str = "
    create object shops (name text label unique, size integer, check (not (size > 90)));
    create object items (code text, name text label, mail email unique, n integer,
        shop ref shops, parent ref items hierarchy collection below, labels tags, note longtext,
        check (not (n > 90)), check (count(below) < 9));
    add shops (name = \"s1\"), (name = \"s2\"), (name = \"s3\"), (name = \"s4\"), (name = \"s5\");
    add items (code = \"1\", name = \"i1\", n = 1, shop = s1),
        (code = \"2\", name = \"i2\", mail = \"m2@acme.example\", note = \"two\",
            labels = \"a, b\"),
        (code = \"3\", name = \"i3\", parent = i1, n = 7),
        (code = \"3\", name = \"i3b\"), (name = \"i4\")";

/// One line's cells; each number picks one of a few values, good or not.
#[derive(Clone, Debug)]
struct Cells {
    code: u8,
    mail: u8,
    n: u8,
    shop: u8,
    above: u8,
    labels: u8,
}

fn cells() -> impl Strategy<Value = Cells> {
    let all = (0..40_u8, 0..60_u8, 0..98_u8, 0..9_u8, 0..44_u8, 0..7_u8);
    all.prop_map(|(code, mail, n, shop, above, labels)| Cells {
        code,
        mail,
        n,
        shop,
        above,
        labels,
    })
}

impl Cells {
    /// Its cells by column; nothing in blank ones.
    fn texts(&self) -> [(&'static str, Option<String>); 8] {
        let some = |blank: bool, text: String| Some(text).filter(|_| !blank);
        [
            ("code", some(self.code == 39, self.code.to_string())),
            ("name", Some(format!("i{}", self.code))),
            (
                "mail",
                some(self.mail > 20, format!("m{}@acme.example", self.mail)),
            ),
            (
                "n",
                match self.n {
                    97 => Some("many".to_owned()),
                    n => some(n > 93, n.to_string()),
                },
            ),
            ("shop", some(self.shop > 6, format!("s{}", self.shop))),
            ("parent", some(self.above > 40, format!("i{}", self.above))),
            (
                "labels",
                some(self.labels > 4, format!("a; l{}", self.labels)),
            ),
            (
                "note",
                some(
                    self.n.is_multiple_of(3),
                    format!("{} of {}", self.n, self.code),
                ),
            ),
        ]
    }
}

/// A file of some columns.
fn file(lines: &[Cells], columns: &[&str]) -> String {
    let mut text = columns.join(",") + "\n";
    for line in lines {
        let texts = line.texts();
        let of = |column: &&str| {
            let found = texts.iter().find(|(name, _)| name == column);
            found.and_then(|(_, text)| text.clone()).unwrap_or_default()
        };
        text += &columns.iter().map(of).collect::<Vec<_>>().join(",");
        text += "\n";
    }
    text
}

fn told(report: &ImportReport) -> Vec<(u64, String)> {
    let lines = report.refused.iter();
    lines.map(|line| (line.line, line.reason.clone())).collect()
}

/// Imports in runs and in memory do the same, and can be undone.
fn assert_same(statement: &str, text: &str, rest: &str) {
    let run = |alone: bool| {
        let mut trial = Trial::new(SCHEMA);
        trial.run(rest).unwrap();
        trial.fold();
        let before = trial.image();
        trial.alone = alone;
        let report = trial.import(statement, text).unwrap();
        trial.fold();
        let after = (trial.image(), trial.dump("items"), trial.dump("shops"));
        if report.added + report.updated > 0 {
            trial.run("undo").unwrap();
        }
        trial.fold();
        let (image, first) = (trial.image(), before.iter());
        let other = first.zip(&image).find(|(before, after)| before != after);
        assert!(image == before, "{other:?}, {alone}");
        let counts = (report.added, report.updated, report.created.clone());
        (told(&report), counts, report.rejects.clone(), after)
    };
    let (runs, memory) = (run(true), run(false));
    assert_eq!(runs.0, memory.0);
    assert_eq!(runs.1, memory.1);
    assert_eq!(runs.2, memory.2);
    assert_eq!(runs.3.1, memory.3.1);
    assert_eq!(runs.3.2, memory.3.2);
    assert!(runs.3 == memory.3);
}

/// The labels of `items.labels`, in whatever order they came.
fn labels(trial: &Trial) -> BTreeSet<String> {
    let catalog = trial.catalog();
    let items = catalog.find_object("items").unwrap();
    let labels = &items.find_field("labels").unwrap().labels;
    labels.iter().map(|label| label.name.clone()).collect()
}

const PLAIN: &[&str] = &["code", "name", "mail", "n", "shop", "labels", "note"];
const LINKED: &[&str] = &["code", "name", "n", "parent", "mail"];

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12,
        max_shrink_iters: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_bulk_upsert_is_many_upserts(lines in prop::collection::vec(cells(), 1..160), index: bool) {
        let mut trial = Trial::new(SCHEMA);
        let one_by_one = Trial::new(SCHEMA);
        if index {
            for trial in [&trial, &one_by_one] {
                trial.run("create index on items (code)").unwrap();
            }
        }
        let statement = "import items from \"a.csv\" on code";
        let report = trial.import(statement, &file(&lines, PLAIN)).unwrap();
        let mut refused = Vec::new();
        for (line, at) in lines.iter().zip(2..) {
            let value = |text: &Option<String>| match text {
                Some(text) => format!("\"{text}\""),
                None => "empty".to_owned(),
            };
            let texts = line.texts();
            let set: Vec<_> = texts.iter().filter(|(name, _)| PLAIN.contains(name))
                .map(|(name, text)| format!("{name} = {}", value(text)))
                .collect();
            let statement = format!("upsert items on code ({})", set.join(", "));
            if let Err(error) = one_by_one.run(&statement) {
                refused.push((at, error.message().to_owned()));
            }
        }
        let told: Vec<_> = told(&report);
        prop_assert_eq!(told.len(), refused.len());
        for ((line, reason), (at, message)) in told.iter().zip(&refused) {
            prop_assert_eq!(line, at);
            prop_assert!(reason.starts_with(message.as_str()), "{} {}", reason, message);
        }
        prop_assert_eq!(trial.dump("items"), one_by_one.dump("items"));
        prop_assert_eq!(labels(&trial), labels(&one_by_one));
    }

    #[test]
    fn runs_are_as_memory(lines in prop::collection::vec(cells(), 1..400)) {
        assert_same("import items from \"a.csv\" on code", &file(&lines, PLAIN), "");
        let index = "alter object items drop field mail; create index on items (name, n)";
        let columns = &["name", "n", "note", "code"];
        assert_same("import items from \"a.csv\" on n, name", &file(&lines, columns), index);
    }

    #[test]
    fn linked_runs_are_as_memory(lines in prop::collection::vec(cells(), 1..400)) {
        let text = file(&lines, LINKED);
        assert_same("import items from \"a.csv\" on code", &text, "");
        assert_same("import items from \"a.csv\"", &text, "delete items where true");
    }

    #[test]
    fn what_is_created_in_runs_is_as_in_memory(lines in prop::collection::vec(cells(), 1..400)) {
        let text = file(&lines, PLAIN);
        assert_same("import items from \"a.csv\" creating shops", &text, "");
        assert_same("import items from \"a.csv\" on code creating shops", &text, "");
    }
}

#[test]
fn keys_are_those_of_the_state_that_a_run_moves_onto() {
    let mut trial = Trial::new(SCHEMA);
    let directory = tempfile::tempdir().unwrap();
    trial.directory = directory.path().to_owned();
    let new = (100..400).map(|code| format!("{code},i{code}\n"));
    let text = format!(
        "code,name\n{}2,i2 again\n77,i77 again\n",
        new.collect::<String>()
    );
    std::fs::write(directory.path().join("a.csv"), text).unwrap();
    let statements = syntax::parse_script("import items from \"a.csv\" on code").unwrap();
    let Statement::Import(import) = &statements[0].0 else {
        panic!("an import");
    };
    let catalog = trial.catalog();
    let outcome = trial.with(|transaction, environment| {
        trial.run("delete items where name = \"i2\"")?;
        trial.run("add items (code = \"77\", name = \"i77\")")?;
        super::import(import, transaction, &catalog, environment)
    });
    let Outcome::Imported(report) = outcome.unwrap() else {
        panic!("a report");
    };
    assert_eq!(told(&report), []);
    assert_eq!((report.added, report.updated), (301, 1));
}
