//! The library as a program uses it: typed rows, transactions, several threads, bad files.

use fieldbook::{Book, Code, Date, DateTime, Durability, Kind, Outcome, RecordId, Value, params};
use serde::{Deserialize, Serialize};

fn assert_shared<T: Send + Sync>() {}

#[test]
fn handles_cross_threads() {
    assert_shared::<Book>();
    assert_shared::<fieldbook::ReadTransaction>();
    assert_shared::<fieldbook::Prepared>();
    assert_shared::<fieldbook::Rows>();
    assert_shared::<fieldbook::Error>();
}

#[test]
fn a_struct_goes_in_and_comes_out() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Visit {
        name: String,
        account: String,
        kind: Option<String>,
        topics: Vec<String>,
        on: Date,
        at: Option<DateTime>,
        cost: Option<f64>,
        minutes: Option<i64>,
        done: bool,
    }
    let book = Book::in_memory().unwrap();
    // `on` is a reserved word, so the field stands in back-quotes.
    book.execute(
        "create object visits (
           name text label, account ref accounts required, kind picklist (call, lunch),
           topics tags, `on` date, at datetime, cost money, minutes integer, done boolean);
         add accounts (name = \"Acme\")",
    )
    .unwrap();
    let full = Visit {
        name: "first".to_owned(),
        account: "Acme".to_owned(),
        kind: Some("lunch".to_owned()),
        topics: vec!["price".to_owned(), "terms".to_owned()],
        on: Date::from_ymd(2026, 2, 28).unwrap(),
        at: Some(DateTime::from_micros(1_772_280_000_000_000)),
        cost: Some(12.5),
        minutes: Some(90),
        done: true,
    };
    let bare = Visit {
        name: "second".to_owned(),
        kind: None,
        topics: Vec::new(),
        at: None,
        cost: None,
        minutes: None,
        done: false,
        ..full.clone()
    };
    assert_eq!(book.add("visits", &full).unwrap(), RecordId(0));
    assert_eq!(book.add("visit", &bare).unwrap(), RecordId(1));
    let visits: Vec<Visit> = book.query("visits").unwrap().deserialize().unwrap();
    assert_eq!(visits, [full.clone(), bare]);
    let read = book.read().unwrap();
    let one: Visit = read
        .get("visits", RecordId(0))
        .unwrap()
        .unwrap()
        .one()
        .unwrap();
    assert_eq!(one, full);
    assert!(read.get("visits", RecordId(2)).unwrap().is_none());
}

#[test]
fn a_record_that_breaks_a_rule_is_not_added() {
    #[derive(Serialize)]
    struct Account {
        nmae: &'static str,
    }
    let book = Book::in_memory().unwrap();
    let error = book.add("accounts", &Account { nmae: "Acme" }).unwrap_err();
    assert_eq!(error.code(), Code::UnknownField);
    assert!(error.report().contains("`name`"), "{}", error.report());
    let empty: [(&str, &str); 0] = [];
    let nameless = std::collections::BTreeMap::from(empty);
    let error = book.add("accounts", &nameless).unwrap_err();
    assert_eq!(error.code(), Code::Required);
    assert_eq!(book.query("accounts").unwrap().len(), 0);
}

#[test]
fn readers_keep_their_state_while_a_writer_commits() {
    let book = Book::in_memory().unwrap();
    book.execute("add accounts (name = \"Acme\")").unwrap();
    let before = book.read().unwrap();
    let mut write = book.write().unwrap();
    write.execute("add accounts (name = \"Borealis\")").unwrap();
    assert_eq!(write.query("accounts").unwrap().len(), 2);
    assert_eq!(book.query("accounts").unwrap().len(), 1);
    write.commit().unwrap();
    assert_eq!(before.query("accounts").unwrap().len(), 1);
    assert_eq!(book.query("accounts").unwrap().len(), 2);
}

#[test]
fn the_second_of_two_writers_of_a_record_conflicts() {
    let book = Book::in_memory().unwrap();
    book.execute("add accounts (name = \"Acme\", employees = 1)")
        .unwrap();
    let mut first = book.write().unwrap();
    let mut second = book.write().unwrap();
    first
        .execute("update accounts where true set employees = employees + 1")
        .unwrap();
    second
        .execute("update accounts where true set employees = employees + 1")
        .unwrap();
    first.commit().unwrap();
    let error = second.commit().unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.is_conflict());
    let employees: i64 = book
        .query("accounts select employees")
        .unwrap()
        .one()
        .unwrap();
    assert_eq!(employees, 2);
}

#[test]
fn single_statements_of_many_threads_all_count() {
    let book = Book::in_memory().unwrap();
    book.execute("add accounts (name = \"Acme\", employees = 0)")
        .unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    book.execute("update accounts where true set employees = employees + 1")
                        .unwrap();
                }
            });
        }
    });
    let employees: i64 = book
        .query("accounts select employees")
        .unwrap()
        .one()
        .unwrap();
    assert_eq!(employees, 20);
}

#[test]
fn savepoints_and_dropping_undo() {
    let book = Book::in_memory().unwrap();
    let mut write = book.write().unwrap();
    write.execute("add accounts (name = \"Acme\")").unwrap();
    let place = write.savepoint().unwrap();
    write.execute("add accounts (name = \"Borealis\")").unwrap();
    write.roll_back_to(place).unwrap();
    assert_eq!(
        write.execute("commit").unwrap_err().code(),
        Code::TransactionState
    );
    write.commit().unwrap();
    let mut dropped = book.write().unwrap();
    dropped.execute("add accounts (name = \"Cactus\")").unwrap();
    dropped.rollback();
    let names: Vec<String> = book
        .query("accounts select name")
        .unwrap()
        .deserialize()
        .unwrap();
    assert_eq!(names, ["Acme"]);
}

#[test]
fn a_failed_statement_leaves_its_transaction_as_it_was() {
    let book = Book::in_memory().unwrap();
    let mut write = book.write().unwrap();
    write.execute("add accounts (name = \"Acme\")").unwrap();
    let error = write
        .execute("add accounts (name = \"Borealis\"), (industry = retail)")
        .unwrap_err();
    assert_eq!(error.code(), Code::Required);
    write.commit().unwrap();
    assert_eq!(book.query("accounts").unwrap().len(), 1);
}

#[test]
fn prepared_statements_see_new_fields() {
    let book = Book::in_memory().unwrap();
    let large = book
        .prepare("accounts where size >= $min select name")
        .unwrap();
    assert_eq!(
        large.query(params! { min: 1 }).unwrap_err().code(),
        Code::UnknownField
    );
    book.execute(
        "alter object accounts add field size integer;
         add accounts (name = \"Acme\", size = 5), (name = \"Borealis\", size = 9)",
    )
    .unwrap();
    let names = |min: i64| -> Vec<String> {
        large
            .query(params! { min: min })
            .unwrap()
            .deserialize()
            .unwrap()
    };
    assert_eq!(names(6), ["Borealis"]);
    assert_eq!(names(1), ["Acme", "Borealis"]);
    let missing = large.query(params! {}).unwrap_err();
    assert_eq!(missing.code(), Code::MissingParameter);
}

#[test]
fn queries_only_read_and_are_one() {
    let book = Book::in_memory().unwrap();
    for text in [
        "add accounts (name = \"Acme\")",
        "accounts; contacts",
        "begin",
    ] {
        assert_eq!(
            book.query(text).unwrap_err().code(),
            Code::Misplaced,
            "{text}"
        );
    }
    let plan = book
        .query("explain accounts where industry = retail")
        .unwrap();
    assert_eq!(plan.columns()[0].name(), "plan");
    assert!(!plan.is_empty());
}

#[test]
fn history_is_loaded_oldest_first() {
    let book = Book::in_memory().unwrap();
    let outcomes = book
        .execute("begin at 2022-01-01; add accounts (name = \"Acme\"); commit")
        .unwrap();
    assert!(matches!(&outcomes[1], Outcome::Changed { added: 1, .. }));
    let error = book.execute("begin at 2021-12-31").unwrap_err();
    assert_eq!(error.code(), Code::ClockBackwards);
}

#[test]
fn the_actor_is_me() {
    let book = Book::in_memory().unwrap();
    book.execute("add reps (name = \"Dee\"), (name = \"Ana\")")
        .unwrap();
    let mut session = book.session();
    session.act_as("Ana").unwrap();
    session
        .execute("add accounts (name = \"Acme\", owner = me)")
        .unwrap();
    let owner: String = book.query("accounts select owner").unwrap().one().unwrap();
    assert_eq!(owner, "Ana");
    session
        .execute("begin as \"Dee\"; add accounts (name = \"B\", owner = me); commit")
        .unwrap();
    let rows = book
        .query("accounts where name = \"B\" select owner")
        .unwrap();
    assert_eq!(rows.one::<String>().unwrap(), "Dee");
    assert_eq!(
        session.act_as("Nobody").unwrap_err().code(),
        Code::UnknownLabel
    );
}

#[test]
fn a_book_in_a_file_is_there_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.fieldbook");
    let book = Book::open(&path).unwrap();
    book.execute("add accounts (name = \"Acme\")").unwrap();
    book.close().unwrap();
    let book = Book::options().read_only(true).open(&path).unwrap();
    assert_eq!(book.query("accounts").unwrap().len(), 1);
    let error = book.execute("add accounts (name = \"B\")").unwrap_err();
    assert_eq!(error.code(), Code::ReadOnly);
    book.close().unwrap();
    let book = Book::open(&path).unwrap();
    let copy = directory.path().join("b.fieldbook");
    book.backup(&copy).unwrap();
    assert!(book.check().unwrap().faults.is_empty());
    let copy = Book::open(&copy).unwrap();
    assert_eq!(copy.query("accounts").unwrap().len(), 1);
}

#[test]
fn a_new_book_is_a_small_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.fieldbook");
    let size = || path.metadata().unwrap().len();
    let book = Book::open(&path).unwrap();
    assert!(size() < 100 << 10, "{} while open", size());
    book.close().unwrap();
    assert!(size() < 100 << 10, "{} when closed", size());
    Book::open(&path).unwrap().close().unwrap();
    assert!(size() < 100 << 10, "{} when opened again", size());
    assert_eq!(directory.path().read_dir().unwrap().count(), 1);
}

#[test]
fn several_may_make_the_same_book() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.fieldbook");
    let add = || {
        let book = Book::open(&path)?;
        book.execute("add accounts (name = \"Acme\")")?;
        book.close()
    };
    let added = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(add)).collect();
        let ends = threads.into_iter().map(|thread| thread.join().unwrap());
        ends.filter(|end| match end {
            Ok(()) => true,
            Err(error) => {
                assert_eq!(error.code(), Code::Locked, "{error}");
                false
            }
        })
        .count()
    });
    let book = Book::open(&path).unwrap();
    assert!(added > 0);
    assert_eq!(book.query("accounts").unwrap().len(), added);
    assert_eq!(directory.path().read_dir().unwrap().count(), 1);
}

#[test]
fn a_commit_that_finds_the_book_locked_can_be_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.fieldbook");
    let book = Book::options().shared(true).open(&path).unwrap();
    book.rest().unwrap();
    let mut session = book.session();
    session
        .execute("begin; add accounts (name = \"Acme\")")
        .unwrap();
    let other = Book::open(&path).unwrap();
    let locked = session.execute("commit").unwrap_err();
    assert_eq!(locked.code(), Code::Locked);
    assert!(locked.report().contains("try again"), "{}", locked.report());
    assert_eq!(
        book.execute("add accounts (name = \"B\")")
            .unwrap_err()
            .code(),
        Code::Locked
    );
    assert!(session.in_transaction());
    other
        .execute("update reps where true set active = true")
        .unwrap();
    other.close().unwrap();
    session.execute("commit").unwrap();
    assert_eq!(book.query("accounts").unwrap().len(), 1);
}

#[test]
fn a_conflict_names_the_record() {
    let book = Book::in_memory().unwrap();
    book.execute("add accounts (name = \"Acme\")").unwrap();
    let mut session = book.session();
    session
        .execute("begin; update accounts \"Acme\" set employees = 1")
        .unwrap();
    book.execute("update accounts \"Acme\" set employees = 2")
        .unwrap();
    let error = session.execute("commit").unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert_eq!(
        error.message(),
        "accounts \"Acme\" was changed by another transaction"
    );
    assert!(!session.in_transaction());
}

#[test]
fn a_bare_book_stays_bare() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.fieldbook");
    Book::options()
        .bare(true)
        .open(&path)
        .unwrap()
        .close()
        .unwrap();
    let book = Book::open(&path).unwrap();
    assert!(book.schema().unwrap().objects.is_empty());
}

#[test]
fn what_is_no_book_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name| directory.path().join(name);
    let options = || Book::options().durability(Durability::Committed);
    let error = options().create(false).open(path("none")).unwrap_err();
    assert_eq!(error.code(), Code::NoSuchFile);
    let error = options().read_only(true).open(path("none")).unwrap_err();
    assert_eq!(error.code(), Code::NoSuchFile);
    std::fs::write(path("text"), "not a book, only a longer line of text").unwrap();
    let error = options().open(path("text")).unwrap_err();
    assert_eq!(error.code(), Code::NotABook);
    assert!(!path("none").exists());
}

#[test]
fn the_schema_describes_itself() {
    let book = Book::in_memory().unwrap();
    let schema = book.schema().unwrap();
    assert_eq!(
        schema.object("acount").unwrap_err().code(),
        Code::UnknownObject
    );
    let accounts = schema.object("account").unwrap();
    let parent = accounts
        .fields
        .iter()
        .find(|field| field.name == "parent")
        .unwrap();
    assert_eq!(parent.targets, ["accounts"]);
}

#[test]
fn rows_tell_what_they_lack() {
    let book = Book::in_memory().unwrap();
    book.execute("add accounts (name = \"Acme\")").unwrap();
    let rows = book.query("accounts select name, employees").unwrap();
    assert_eq!(rows.columns()[1].type_name(), "integer");
    let row = rows.row(0).unwrap();
    assert_eq!(row.value("EMPLOYEES"), Some(&Value::Missing));
    assert_eq!(
        row.get::<i64>("employes").unwrap_err().code(),
        Code::UnknownField
    );
    let error = row.get::<i64>("employees").unwrap_err();
    assert_eq!(error.code(), Code::BadValue);
    assert!(error.message().contains("`Option`"), "{error}");
    assert_eq!(row.get::<Option<i64>>("employees").unwrap(), None);
    let none = book.query("contacts").unwrap().one::<i64>().unwrap_err();
    assert_eq!(none.code(), Code::UnknownRecord);
}

#[test]
fn a_raised_flag_stops_a_statement() {
    let book = Book::demo(10).unwrap();
    let mut session = book.session();
    let interrupt = session.interrupt();
    interrupt.stop();
    for statement in [
        "opportunities where amount > 1 select count()",
        "update accounts where name != \"x\" set employees = 1",
    ] {
        let error = session.execute(statement).unwrap_err();
        assert_eq!(error.code(), Code::Interrupted);
    }
    interrupt.reset();
    session.execute("opportunities select count()").unwrap();
    let changed: i64 = book
        .query("accounts where employees = 1 select count()")
        .unwrap()
        .one()
        .unwrap();
    assert_eq!(changed, 0);
}

#[test]
fn limits_are_told() {
    let book = Book::in_memory().unwrap();
    let columns = |count: usize| format!("accounts select {}", vec!["name"; count].join(", "));
    let lets = |count: usize| {
        let names: Vec<_> = (0..count).map(|at| format!("n{at} = {at}")).collect();
        format!("accounts let {} select name", names.join(", "))
    };
    let note = |bytes: usize| format!("add accounts (name = \"{}\")", "x".repeat(bytes));
    for (within, beyond, limit) in [
        (columns(1_000), columns(1_001), "1000 columns"),
        (lets(1_000), lets(1_001), "1000 names"),
        (note(64 << 10), note((64 << 10) + 1), "65536 bytes"),
    ] {
        book.execute(&within).unwrap();
        let error = book.execute(&beyond).unwrap_err();
        assert_eq!(error.code(), Code::Limit, "{error}");
        assert!(error.message().contains(limit), "{error}");
    }
}

#[test]
fn runs_of_a_sub_query_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (0..=100_000).map(|n| format!("{n}\n")).collect();
    std::fs::write(folder.path().join("things.csv"), format!("n\n{lines}")).unwrap();
    let book = Book::options().bare(true).in_memory().unwrap();
    let mut session = book.session();
    session.set_directory(folder.path());
    session
        .execute("create object things (n integer); import things from \"things.csv\"")
        .unwrap();
    let query = "things select (things where n = outer.n select count()) as c";
    let error = session.execute(query).unwrap_err();
    assert_eq!(error.code(), Code::Limit, "{error}");
    assert!(error.message().contains("100001 different"), "{error}");
    session
        .execute("things where n < 9 select (things where n = outer.n select count()) as c")
        .unwrap();
}

#[test]
fn what_a_query_gathers_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.fieldbook");
    let book = Book::options().bare(true).open(&path).unwrap();
    book.execute(
        "create object groups (name text label);
         create object things (name text label, n integer, held ref groups);
         add groups (name = \"all\")",
    )
    .unwrap();
    let things: Vec<_> = (0..2_000)
        .map(|n| format!("(name = \"word {n}\", n = {n}, held = \"all\")"))
        .collect();
    book.execute(&format!("add things {}", things.join(", ")))
        .unwrap();
    book.close().unwrap();
    let book = Book::options().memory_bytes(32 << 10).open(&path).unwrap();
    for (query, clause) in [
        ("things select median(n)", "a percentile"),
        ("things select list(n)", "list"),
        ("things select count(distinct name)", "distinct"),
        ("groups select name, p90(things.n)", "a percentile"),
        ("groups where exists(things) select list(things.n)", "list"),
        ("find \"word\" select count()", "find"),
        ("explain find \"word\"", "find"),
    ] {
        let error = book.execute(query).unwrap_err();
        assert_eq!(error.code(), Code::Limit, "{query}: {error}");
        assert!(error.message().contains(clause), "{query}: {error}");
    }
    book.execute("things where n < 100 select median(n), list(n), count(distinct name)")
        .unwrap();
    book.execute("find \"1234\"; things select count(), sum(n), max(name)")
        .unwrap();
}

#[test]
fn views_are_described() {
    let book = Book::in_memory().unwrap();
    book.execute(
        "create object jottings (body text label, price money);
         create view dear($least money default 2) as jottings where price >= $least",
    )
    .unwrap();
    let schema = book.schema().unwrap();
    let view = schema.view("DEAR").unwrap();
    assert_eq!(view.parameters, ["least money default 2"]);
    let columns = [("body", "text"), ("price", "money")];
    assert_eq!(
        view.columns,
        columns.map(|(name, ty)| (name.to_owned(), ty))
    );
    assert!(schema.view("jottings").is_none());
}

/// Whatever is renamed, all that the built-in book says of it goes on to mean the same.
#[test]
fn everything_can_be_renamed() {
    let today = Date::from_ymd(2026, 5, 15).unwrap();
    let book = Book::options().today(today).demo(200).unwrap();
    let mut session = book.session();
    session.act_as("Ana Reyes").unwrap();
    let schema = session.schema().unwrap();
    let views = |session: &mut fieldbook::Session<'_>| -> Vec<String> {
        let plain = |view: &&fieldbook::ViewDescription| view.parameters.is_empty();
        let all = session.schema().unwrap().views;
        let answers = all.iter().filter(plain).map(|view| {
            let outcome = session.execute(&format!("`{}`", view.name)).unwrap();
            // The usual rules for duplicates are renamed with their objects.
            let name = view.name.replace("duplicate_the ", "duplicate_");
            format!("{name}\n{}", outcome[0])
        });
        answers.collect()
    };
    let before = views(&mut session);
    let mut renamed = 0;
    for object in &schema.objects {
        let mut changes = vec![format!("rename to `the {}`", object.name)];
        // A role needs its fields under their names.
        if object.role.is_none() {
            let names = object.fields.iter().map(|field| &field.name);
            changes.extend(names.map(|name| format!("rename field `{name}` to `{name} then`")));
        }
        renamed += changes.len();
        let statement = format!("alter object {} {}", object.name, changes.join(", "));
        if let Err(error) = session.execute(&statement) {
            panic!("{}", error.report());
        }
    }
    assert!(renamed > 150, "{renamed}");
    let after = views(&mut session);
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(after) {
        assert_eq!(*before, after);
    }
    let schema = session.schema().unwrap();
    assert!(schema.view("duplicate_the leads").is_some());
    let script = session.schema_script().unwrap();
    let copy = Book::options().bare(true).in_memory().unwrap();
    copy.execute(&script).unwrap();
    assert_eq!(copy.session().schema_script().unwrap(), script);
    assert!(book.check().unwrap().faults.is_empty());
}
