//! The program as a user runs it: arguments, streams, formats, exit codes.

#![expect(
    clippy::unwrap_used,
    reason = "what a test needs and does not find fails it"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a run gave.
struct Run {
    code: i32,
    output: String,
    messages: String,
}

const TWO: &str = "create object notes (body text label, size integer, price money);
    add notes (body = \"a, b\", size = 1, price = 2.5), (body = \"x|y\")";

fn run_in(directory: &Path, arguments: &[&str], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fieldbook"))
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        output: String::from_utf8(output.stdout).unwrap(),
        messages: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run(arguments: &[&str], input: &str) -> Run {
    let directory = tempfile::tempdir().unwrap();
    run_in(directory.path(), arguments, input.as_bytes())
}

#[test]
fn the_demo_answers_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let statement = "opportunities where territory=SW and stage>=proposal";
    let run = run_in(directory.path(), &["--demo", statement], b"");
    assert_eq!((run.code, run.messages.as_str()), (0, ""));
    assert!(run.output.lines().count() > 3, "{}", run.output);
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
}

#[test]
fn results_and_messages_go_apart() {
    let run = run(&["new.fieldbook", "--bare", TWO, "notes select body"], "");
    assert_eq!(run.code, 0, "{}", run.messages);
    assert_eq!(run.output, "body\n----\na, b\nx|y\n");
    assert!(run.messages.contains("2 notes added"), "{}", run.messages);
}

#[test]
fn quiet_prints_results_only() {
    let run = run(
        &[
            "new.fieldbook",
            "--bare",
            "--quiet",
            TWO,
            "notes select size",
        ],
        "",
    );
    assert_eq!((run.code, run.messages.as_str()), (0, ""));
}

#[test]
fn each_format_prints_the_same_rows() {
    let query = "notes select body, size, price";
    for (format, wanted) in [
        (
            "table",
            "body  size  price\n----  ----  -----\na, b     1   2.50\nx|y\n",
        ),
        ("csv", "body,size,price\n\"a, b\",1,2.50\nx|y,,\n"),
        (
            "json",
            "[\n  {\"body\":\"a, b\",\"size\":1,\"price\":2.5},\n  \
             {\"body\":\"x|y\",\"size\":null,\"price\":null}\n]\n",
        ),
        (
            "jsonl",
            "{\"body\":\"a, b\",\"size\":1,\"price\":2.5}\n\
             {\"body\":\"x|y\",\"size\":null,\"price\":null}\n",
        ),
        (
            "markdown",
            "| body | size | price |\n| --- | ---: | ---: |\n| a, b | 1 | 2.50 |\n\
             | x\\|y |  |  |\n",
        ),
        (
            "line",
            " body = a, b\n size = 1\nprice = 2.50\n\n body = x|y\n size =\nprice =\n",
        ),
    ] {
        let run = run(
            &["new.fieldbook", "--bare", "--format", format, TWO, query],
            "",
        );
        assert_eq!(run.code, 0, "{}", run.messages);
        assert_eq!(run.output, wanted, "{format}");
    }
    let none = [
        "new.fieldbook",
        "--bare",
        "--format",
        "json",
        TWO,
        "notes where size > 5",
    ];
    assert_eq!(run(&none, "").output, "[]\n");
}

#[test]
fn nested_records_show_in_each_format() {
    let script = "create object firms (name text label); \
        create object people (name text label, firm ref firms, role text); \
        create object calls (about ref people, what text); \
        add firms (name = \"Acme\"), (name = \"Borealis\"); \
        add people (name = \"Paz\", firm = \"Acme\", role = \"a|b\"), (name = \"Tom\", firm = \"Acme\"); \
        add calls (about = \"Paz\", what = \"hello\")";
    let query = "firms select name, people { name, role, calls { what } } as team, \
        people { name } as names";
    for (format, wanted) in [
        (
            "line",
            "name = Acme\nteam:\n    name = Paz\n    role = a|b\n    calls:\n        \
             what = hello\n\n    name = Tom\n    role =\n    calls: (none)\nnames:\n    \
             name = Paz\n\n    name = Tom\n\nname = Borealis\nteam: (none)\nnames: (none)\n",
        ),
        (
            "markdown",
            "| name | team | names |\n| --- | --- | --- |\n\
             | Acme | name: Paz; role: a\\|b; calls: (hello)<br>name: Tom | Paz<br>Tom |\n\
             | Borealis |  |  |\n",
        ),
    ] {
        let run = run(
            &["new.fieldbook", "--bare", "--format", format, script, query],
            "",
        );
        assert_eq!(run.code, 0, "{}", run.messages);
        assert_eq!(run.output, wanted, "{format}");
    }
}

#[test]
fn a_script_asks_for_page_after_page() {
    let directory = tempfile::tempdir().unwrap();
    let make = "create object notes (body text label, size integer); add notes \
        (body = \"a\", size = 3), (body = \"b\", size = 1), (body = \"c\", size = 2)";
    let made = run_in(directory.path(), &["new.fieldbook", "--bare", make], b"");
    assert_eq!(made.code, 0, "{}", made.messages);
    let mut cursor = String::new();
    let mut bodies = Vec::new();
    loop {
        let given = format!("cursor={cursor}");
        let query = "notes select body order by size limit 2 after $cursor";
        let arguments = [
            "--format",
            "csv",
            "--param",
            &given,
            "new.fieldbook",
            query,
            ".cursor",
        ];
        let page = run_in(directory.path(), &arguments, b"");
        assert_eq!(page.code, 0, "{}", page.messages);
        let mut lines: Vec<&str> = page.output.lines().skip(1).collect();
        cursor = lines.pop().unwrap().to_owned();
        bodies.extend(lines.into_iter().map(str::to_owned));
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(bodies, ["b", "c", "a"]);
}

#[test]
fn statements_come_from_standard_input() {
    let script = format!("{TWO};\n-- how many\nnotes\n  select count()\n;");
    let run = run(&["new.fieldbook", "--bare", "--format", "csv"], &script);
    assert_eq!(run.code, 0, "{}", run.messages);
    assert!(run.output.ends_with("\n2\n"), "{}", run.output);
}

#[test]
fn commands_stand_between_statements() {
    let input = format!("{TWO};\n.objects\nnotes select size;\n.help p25\nnotes where x = 1");
    let ran = run(&["new.fieldbook", "--bare", "--quiet"], &input);
    assert_eq!(ran.code, 1);
    let before = "object  records\n------  -------\nnotes         2\nsize\n----\n   1\n\n`median";
    assert!(ran.output.starts_with(before), "{}", ran.output);
    assert!(
        ran.messages.contains("6 | notes where x = 1"),
        "{}",
        ran.messages
    );
    let input = "-- what there is\n.objects\na where name = \";\n.quit\"";
    let ran = run(&["new.fieldbook", "--bare"], input);
    assert_eq!(ran.code, 1);
    assert!(ran.messages.contains("`a`"), "{}", ran.messages);
    let ran = run(&["new.fieldbook", "--bare"], ".quit\nnonsense");
    assert_eq!((ran.code, ran.output.as_str()), (0, ""));
    let ran = run(&["new.fieldbook", "--bare"], ".tables");
    assert_eq!(ran.code, 1);
    assert!(
        ran.messages.contains("did you mean `.objects`"),
        "{}",
        ran.messages
    );
}

#[test]
fn commands_take_names_in_quotes() {
    let view = "create view `two words` as notes select size";
    for name in ["`two words`", "\"Two words\"", "'two words'", "two words"] {
        let input = format!("{TWO}; {view};\n.schema {name}\n.describe {name}");
        let ran = run(&["new.fieldbook", "--bare", "--quiet"], &input);
        let told = format!("{view};\ncolumn  type\n------  -------\nsize    integer\n");
        assert_eq!(ran.output, told, "{}", ran.messages);
    }
    let ran = run(&["new.fieldbook", "--bare"], ".schema `");
    assert!(ran.messages.contains("no object"), "{}", ran.messages);
}

#[test]
fn a_failing_statement_stops_the_batch() {
    let arguments = ["new.fieldbook", "--bare", TWO, "notes select bdy", "notes"];
    let run = run(&arguments, "");
    assert_eq!((run.code, run.output.as_str()), (1, ""));
    assert!(
        run.messages.contains("error[unknown-field]"),
        "{}",
        run.messages
    );
    assert!(
        run.messages.contains("did you mean `body`?"),
        "{}",
        run.messages
    );
    assert!(run.messages.contains("^^^"), "{}", run.messages);
}

#[test]
fn atomic_is_all_or_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| run_in(directory.path(), arguments, b"");
    assert_eq!(run(&["a.fieldbook", "--bare", TWO]).code, 0);
    let add = "add notes (body = \"c\")";
    let bad = "add notes (size = \"much\")";
    let failed = run(&["a.fieldbook", "--atomic", add, bad]);
    assert_eq!(failed.code, 1);
    let told = "the open transaction is rolled back";
    assert!(failed.messages.contains(told), "{}", failed.messages);
    let count = [
        "a.fieldbook",
        "--format",
        "csv",
        "notes select count() as n",
    ];
    assert_eq!(run(&count).output, "n\n2\n");
    let failed = run(&["a.fieldbook", add, bad]);
    assert_eq!(failed.code, 1);
    assert!(!failed.messages.contains(told), "{}", failed.messages);
    assert_eq!(run(&count).output, "n\n3\n");
    for statement in ["commit", "begin", "prune journal before 2020-01-01"] {
        let failed = run(&["a.fieldbook", "--atomic", add, statement]);
        assert_eq!(failed.code, 1);
        let hint = "`--atomic` makes all statements one transaction";
        assert!(failed.messages.contains(hint), "{}", failed.messages);
    }
    assert_eq!(run(&["a.fieldbook", "--atomic", add, add]).code, 0);
    assert_eq!(run(&count).output, "n\n5\n");
}

#[test]
fn a_transaction_left_open_is_rolled_back() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| run_in(directory.path(), arguments, b"");
    assert_eq!(run(&["a.fieldbook", "--bare", TWO]).code, 0);
    let open = run(&["a.fieldbook", "begin; delete notes where true"]);
    assert_eq!(open.code, 1);
    assert!(open.messages.contains("rolled back"), "{}", open.messages);
    let failed = run(&["a.fieldbook", "begin; delete notes where true; none"]);
    assert_eq!(failed.code, 1);
    let told = "the open transaction is rolled back";
    assert!(failed.messages.contains(told), "{}", failed.messages);
    let count = run(&[
        "a.fieldbook",
        "--format",
        "csv",
        "notes select count() as n",
    ]);
    assert_eq!(count.output, "n\n2\n");
}

#[test]
fn parameters_and_today_come_from_the_command_line() {
    let run = run(
        &[
            "new.fieldbook",
            "--bare",
            "--format",
            "csv",
            "--param",
            "min=1",
            "--param",
            "name=a, b",
            "--today",
            "2026-05-15",
            TWO,
            "notes where size >= $min and body = $name select body, today as day",
        ],
        "",
    );
    assert_eq!(run.code, 0, "{}", run.messages);
    assert_eq!(run.output, "body,day\n\"a, b\",2026-05-15\n");
}

#[test]
fn scripts_run_before_statements_with_paths_next_to_them() {
    let directory = tempfile::tempdir().unwrap();
    let scripts = directory.path().join("scripts");
    std::fs::create_dir(&scripts).unwrap();
    std::fs::write(scripts.join("notes.csv"), "body,size\nq,7\n").unwrap();
    std::fs::write(scripts.join("load.fb"), "import notes from \"notes.csv\"").unwrap();
    std::fs::write(directory.path().join("make.fb"), TWO).unwrap();
    let run = run_in(
        directory.path(),
        &[
            "a.fieldbook",
            "--bare",
            "--format",
            "csv",
            "notes where size = 7 select body",
            "-f",
            "make.fb",
            "-f",
            "scripts/load.fb",
        ],
        b"",
    );
    assert_eq!(
        (run.code, run.output.as_str()),
        (0, "body\nq\n"),
        "{}",
        run.messages
    );
}

#[test]
fn wrong_usage_is_2() {
    for arguments in [
        &["--no-such-option"][..],
        &["--format", "xml", "a.fieldbook"],
        &["--demo", "--today", "tomorrow", "accounts"],
        &["a.fieldbook", "-f", "no-such-script.fb"],
        &["accounts where industry = retail"],
    ] {
        let run = run(arguments, "");
        assert_eq!((run.code, run.output.as_str()), (2, ""), "{arguments:?}");
        assert!(!run.messages.is_empty());
    }
    assert_eq!(run(&["--help"], "").code, 0);
    assert!(run(&["--version"], "").output.starts_with("fieldbook "));
}

#[test]
fn a_message_does_not_steer_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.csv"), "na\u{1b}[31mme\na\n").unwrap();
    let statement = "import accounts from \"a.csv\"";
    let run = run_in(directory.path(), &["a.fieldbook", statement], b"");
    assert_eq!(run.code, 1);
    assert!(!run.messages.contains('\u{1b}'), "{}", run.messages);
    assert!(
        run.messages.contains("`na\\u{1b}[31mme`"),
        "{}",
        run.messages
    );
}

#[test]
fn a_book_that_cannot_be_opened_is_3() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("text"),
        "a text, which is no book of records",
    )
    .unwrap();
    std::fs::create_dir(directory.path().join("folder")).unwrap();
    for arguments in [
        &["text", "accounts"][..],
        &["folder", "accounts"],
        &["none.fieldbook", "--readonly", "accounts"],
        &["none/none.fieldbook", "accounts"],
        &["--demo", "--save", "text", "accounts"],
    ] {
        let run = run_in(directory.path(), arguments, b"");
        assert_eq!((run.code, run.output.as_str()), (3, ""), "{arguments:?}");
        assert!(!run.messages.contains("panicked"), "{}", run.messages);
    }
    assert!(!directory.path().join("none.fieldbook").exists());
}

#[test]
fn a_locked_book_is_3_and_readable() {
    let directory = tempfile::tempdir().unwrap();
    let book = fieldbook::Book::open(directory.path().join("a.fieldbook")).unwrap();
    let write = run_in(directory.path(), &["a.fieldbook", "accounts"], b"");
    assert_eq!(write.code, 3, "{}", write.messages);
    assert!(
        write.messages.contains("error[locked]"),
        "{}",
        write.messages
    );
    let read = run_in(
        directory.path(),
        &["a.fieldbook", "--readonly", "accounts"],
        b"",
    );
    assert_eq!(read.code, 0, "{}", read.messages);
    drop(book);
}

#[test]
fn bad_input_is_an_error_and_no_crash() {
    let directory = tempfile::tempdir().unwrap();
    let deep = format!(
        "accounts where {}1{}",
        "(".repeat(10_000),
        ")".repeat(10_000)
    );
    let long = format!("accounts where name = \"{}\"", "x".repeat(2 << 20));
    for (input, wanted) in [
        (b"accounts \xff".to_vec(), "byte 9"),
        (b"accounts \0 where".to_vec(), "error["),
        (deep.into_bytes(), "error[too-deep]"),
        (long.into_bytes(), "error[too-long]"),
        (b"accounts where name = \"x".to_vec(), "error[unterminated]"),
    ] {
        let run = run_in(directory.path(), &["a.fieldbook"], &input);
        assert_eq!(run.code, 1, "{}", run.messages);
        assert!(run.messages.contains(wanted), "{wanted}: {}", run.messages);
        assert!(run.messages.len() < 2_000, "{}", run.messages);
    }
}

#[test]
fn the_sample_book_can_be_kept() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| run_in(directory.path(), arguments, b"");
    let made = run(&["--demo", "--save", "s.fieldbook", "--scale", "50"]);
    assert_eq!(made.code, 0, "{}", made.messages);
    let count = "opportunities select count() as n";
    let count = run(&["s.fieldbook", "--format", "csv", count]);
    assert_eq!(count.output, "n\n50\n", "{}", count.messages);
}

#[test]
fn a_book_is_measured_and_compacted() {
    let directory = tempfile::tempdir().unwrap();
    let book = ["book.fieldbook", "--bare", "--exclusive"];
    let made = run_in(directory.path(), &[&book[..], &[TWO]].concat(), b"");
    assert_eq!(made.code, 0, "{}", made.messages);
    let said = [&book[..], &[".compact", ".size", "notes select body"]].concat();
    let run = run_in(directory.path(), &said, b"");
    assert_eq!(run.code, 0, "{}", run.messages);
    let compacted = run.output.lines().next().unwrap();
    let numbers: Vec<&str> = compacted.split(' ').collect();
    let [before, _, _, after, _] = numbers[..] else {
        unreachable!("{compacted}")
    };
    let bytes = |text: &str| text.parse::<u64>().unwrap();
    assert!(bytes(after) < bytes(before), "{compacted}");
    for part in ["records", "columns", "indexes", "text", "journal"] {
        assert!(run.output.contains(part), "{}", run.output);
    }
    let all = run.output.lines().find(|line| line.starts_with("all"));
    assert!(all.unwrap().ends_with(after), "{}", run.output);
    assert!(run.output.ends_with("a, b\nx|y\n"));
    assert_eq!(directory.path().read_dir().unwrap().count(), 1);
}
