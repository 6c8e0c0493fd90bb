//! Tests of writes: what values become, which rules hold, and what imports do with bad lines.

use crate::error::Code;
use crate::query::outcome::{ImportReport, Outcome};
use crate::query::trial::Trial;

const SCHEMA: &str = "
    create object stages (name text label unique, position integer) ordered by position;
    create object accounts (name text, parent ref accounts hierarchy collection children,
        tier picklist (bronze, silver), skills tags, employees integer);
    create object deals (title text label required unique, account ref accounts,
        stage ref stages required default \"open\", amount money, share percent, opened date default 2026-01-01,
        rule filter on accounts, about ref any (accounts, stages), mail email, note longtext,
        check (not (share > 1)));
    add stages (name = \"open\", position = 1), (name = \"won\", position = 2)";

fn refused(report: &ImportReport) -> Vec<(u64, Option<&str>)> {
    let lines = report.refused.iter();
    lines
        .map(|line| (line.line, line.field.as_deref()))
        .collect()
}

#[test]
fn values_become_values_of_their_fields() {
    let trial = Trial::new(SCHEMA);
    trial
        .run(
            "add accounts (name = \"Acme\", tier = silver, skills = \"sql, field work\", employees = \"12\"),
                (name = \"Sub\", parent = acme, skills = \"SQL; new\");
             add deals (title = \"d\", account = \"ACME\", amount = 5, share = 1, about = \"stages:won\",
                mail = \"Paz@ACME.example\", note = \"a\nb\", rule = \"parent = Acme or name = 'x'\")",
        )
        .unwrap();
    assert_eq!(
        trial.dump("accounts"),
        "#0|Acme||silver|sql+field work|12\n#1|Sub|#0||sql+new|\n"
    );
    assert_eq!(
        trial.dump("deals"),
        "#0|d|#0|#0|5|1|2026-01-01|parent = #0 or name = \"x\"|stages:#1|paz@acme.example|a\nb\n"
    );
}

#[test]
fn broken_rules_are_refused() {
    let trial = Trial::new(SCHEMA);
    trial
        .run(
            "add accounts (name = \"A\"), (name = \"B\", parent = a), (name = \"b\");
             add deals (title = \"d\", account = a)",
        )
        .unwrap();
    let before = (trial.dump("accounts"), trial.dump("deals"));
    for (script, code) in [
        ("add deals (title = \"d\")", Code::NotUnique),
        ("add deals (amount = 1)", Code::Required),
        ("add deals (title = \"e\", stage = empty)", Code::Required),
        ("add deals (title = \"e\", share = 2)", Code::CheckFailed),
        (
            "add deals (title = \"e\", account = none)",
            Code::UnknownLabel,
        ),
        (
            "add deals (title = \"e\", account = b)",
            Code::AmbiguousLabel,
        ),
        (
            "add deals (title = \"e\", account = #7)",
            Code::UnknownRecord,
        ),
        (
            "add deals (title = \"e\", rule = \"nonsense = 1\")",
            Code::UnknownField,
        ),
        ("add deals (title = \"e\tf\")", Code::BadValue),
        (
            "add deals (title = \"e\"), (title = \"e\")",
            Code::NotUnique,
        ),
        (
            "add accounts (name = \"C\", tier = gold)",
            Code::UnknownLabel,
        ),
        (
            "add accounts (name = \"C\", employees = \"many\")",
            Code::BadValue,
        ),
        ("update accounts \"A\" set parent = #1", Code::Cycle),
        ("update deals where true set title = empty", Code::Required),
        ("delete accounts \"A\"", Code::StillReferenced),
        ("upsert accounts on name (name = empty)", Code::Required),
    ] {
        assert_eq!(trial.refused(script).code(), code, "{script}");
        let after = (trial.dump("accounts"), trial.dump("deals"));
        assert_eq!(after, before, "{script}");
    }
}

#[test]
fn updates_see_old_values_and_may_swap_keys() {
    let trial = Trial::new(SCHEMA);
    trial
        .run(
            "alter object stages add field rank integer unique;
             update stages where true set rank = position;
             update stages where true set rank = 3 - rank, position = rank;",
        )
        .unwrap();
    assert_eq!(trial.dump("stages"), "#0|open|1|2\n#1|won|2|1\n");
    let same = trial
        .run("update stages where true set rank = 3 - position")
        .unwrap();
    assert!(
        matches!(same, Outcome::Changed { updated: 0, .. }),
        "{same:?}"
    );
}

#[test]
fn upserts_find_add_and_see_earlier_rows() {
    let trial = Trial::new(SCHEMA);
    let done = trial
        .run(
            "upsert accounts on name (name = \"A\", employees = 1), (name = \"A\", employees = 2),
                (name = \"B\", employees = 1);
             upsert accounts on name from (accounts where name = \"A\") (name = name, employees = employees + 5)",
        )
        .unwrap();
    assert!(
        matches!(
            done,
            Outcome::Changed {
                added: 0,
                updated: 1,
                ..
            }
        ),
        "{done:?}"
    );
    assert_eq!(trial.dump("accounts"), "#0|A||||7\n#1|B||||1\n");
    trial.run("add accounts (name = \"B\")").unwrap();
    let error = trial.refused("upsert accounts on name (name = \"B\")");
    assert_eq!(error.code(), Code::AmbiguousKey);
}

#[test]
fn deletes_of_one_statement_may_refer_to_each_other() {
    let trial = Trial::new(SCHEMA);
    trial.run("add accounts (name = \"A\"), (name = \"B\", parent = \"A\"); delete accounts where true").unwrap();
    assert_eq!(trial.dump("accounts"), "");
}

#[test]
fn imports_blame_lines_and_keep_the_rest() {
    let mut trial = Trial::new(SCHEMA);
    let report = trial
        .import(
            "import accounts from \"a.csv\"",
            "Name,parent,tier,employees\n\
             Child,Root,silver,1\n\
             Root,,,2\n\
             Bad,,gold,3\n\
             Orphan,Nobody,,4\n\
             Under,Orphan,,5\n\
             Many,Root,,lots\n\
             ragged\n\
             Loop,Loop,,6\n",
        )
        .unwrap();
    assert_eq!(
        refused(&report),
        [
            (4, Some("tier")),
            (5, Some("parent")),
            (6, Some("parent")),
            (7, Some("employees")),
            (8, None),
            (9, Some("parent")),
        ]
    );
    assert_eq!(report.added, 2);
    assert_eq!(trial.dump("accounts").lines().count(), 2);
    let rejects = report.rejects.unwrap();
    let rejects = rejects.to_str().unwrap();
    assert!(
        rejects.starts_with("Name,parent,tier,employees,reason\n"),
        "{rejects}"
    );
    assert!(rejects.contains("\nBad,,gold,3,"), "{rejects}");
    assert_eq!(rejects.lines().count(), 7);
}

#[test]
fn imports_compute_update_and_default() {
    let mut trial = Trial::new(SCHEMA);
    trial.run("add deals (title = \"d1\", amount = 1)").unwrap();
    let report = trial
        .import(
            "import deals from \"a.csv\" on title (title = deal, amount = price * 2, stage = phase)",
            "deal;price;phase\nd1;3,5;won\nd1;4;WON\nd2;5;\n;6;\n",
        )
        .unwrap();
    // `3,5` is no number; the second line with a key updates the record of the first.
    assert_eq!(refused(&report), [(2, Some("amount")), (5, Some("title"))]);
    assert_eq!((report.added, report.updated), (1, 1));
    let amounts: Vec<_> = trial
        .dump("deals")
        .lines()
        .map(|line| line.split('|').take(5).collect::<Vec<_>>().join("|"))
        .collect();
    assert_eq!(amounts, ["#0|d1||#1|8", "#1|d2||#0|10"]);
}

/// Lines of which some are refused, each for another reason, some because of lines far before.
fn many_lines() -> String {
    let mut text = "title,account,amount,share,labels\n".to_owned();
    for n in 0..8_500 {
        let account = ["Acme", "acme", "#1", ""][n % 4];
        text += &match n % 1_000 {
            7 => format!("d{n},nowhere,1,0.5,\n"),
            8 => format!("d{n},Acme,many,0.5,\n"),
            9 => format!("d{n},Acme,1,2,\n"),
            10 => format!("d{},Acme,1,0.5,\n", n / 2),
            11 => format!("d{},Acme,1,0.5,\n", n.saturating_sub(990)),
            12 => "before,,,,\n".to_owned(),
            13 => "one\n".to_owned(),
            14 => ",,,,\n".to_owned(),
            15 => format!("d{n},,,,\"t{n}; t{}\"\n", n / 2_000),
            _ => format!("d{n},{account},{n},0.{},\n", n % 10),
        };
    }
    text
}

#[test]
fn imports_in_runs_are_as_those_in_memory() {
    let text = many_lines();
    let run = |alone: bool| {
        let mut trial = Trial::new(SCHEMA);
        trial.alone = alone;
        trial
            .run(
                "alter object deals add field labels tags;
                 add accounts (name = \"Acme\"), (name = \"Borealis\");
                 add deals (title = \"before\")",
            )
            .unwrap();
        let report = trial.import("import deals from \"a.csv\"", &text).unwrap();
        let lines: Vec<_> = report
            .refused
            .iter()
            .map(|l| (l.line, l.reason.clone()))
            .collect();
        let told = (report.added, lines, report.rejects);
        trial.run("add deals (title = \"after\")").unwrap();
        trial.atomic = true;
        let atomic = trial
            .import("import deals from \"a.csv\"", &text)
            .unwrap_err();
        (told, trial.dump("deals"), atomic.report())
    };
    let (loaded, in_memory) = (run(true), run(false));
    assert_eq!(loaded.0.0, in_memory.0.0);
    assert_eq!(loaded.0.1, in_memory.0.1);
    assert_eq!(loaded.0.1.len(), 9 * 8);
    assert!(loaded == in_memory);
    assert_eq!(loaded.1.lines().count() as u64, loaded.0.0 + 2);
}

#[test]
fn atomic_imports_are_all_or_nothing() {
    let mut trial = Trial::new(SCHEMA);
    trial.atomic = true;
    let error = trial
        .import("import stages from \"a.csv\"", "name,position\na,1\nb,x\n")
        .unwrap_err();
    assert_eq!(error.code(), Code::Rejected);
    assert!(
        error.report().contains("line 3, position"),
        "{}",
        error.report()
    );
    assert_eq!(trial.dump("stages").lines().count(), 2);
    let error = trial.refused("import stages from \"nowhere.csv\"");
    assert_eq!(error.code(), Code::NoSuchFile);
}

#[test]
fn a_long_chain_goes_in_one_piece() {
    let mut trial = Trial::new(
        "create object nodes (name text label unique, \
         parent ref nodes hierarchy collection children on delete cascade); \
         create object notes (name text, about ref any (nodes, notes) collection notes \
         on delete cascade); add nodes (name = \"0\")",
    );
    let mut text = "name,parent\n0,\n".to_owned();
    for at in 1..3_000 {
        text.push_str(&format!("{at},{}\n", at - 1));
    }
    trial
        .import("import nodes from \"a.csv\" on name", &text)
        .unwrap();
    trial
        .run("upsert notes on name from (nodes) (name = name, about = this)")
        .unwrap();
    let gone = trial.run("delete nodes \"1\"").unwrap();
    assert!(
        matches!(
            gone,
            Outcome::Changed {
                deleted: 1,
                cascaded: 5_997,
                emptied: 0,
                ..
            }
        ),
        "{gone:?}"
    );
    assert_eq!(trial.dump("nodes"), "#0|0|\n");
    assert_eq!(trial.dump("notes"), "#0|0|nodes:#0\n");
}
