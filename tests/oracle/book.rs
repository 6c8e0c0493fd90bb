//! Small books: references two levels deep, hierarchies, every type of field, and missing values,
//! ties, accents and negative numbers everywhere.

use super::Random;
use std::fmt::Write;

pub(crate) const SCHEMA: &str = r#"
create object stages (
  name text label unique required, position integer, outcome picklist (open, won, lost),
  probability percent
) ordered by position;
create object regions (
  code text label unique required, parent ref regions hierarchy collection children
);
create object people (
  name text label required, boss ref people hierarchy collection reports, region ref regions,
  skills tags (falcon, osprey, kite), hired date, active boolean
) singular person actors;
create object companies (
  name text label, parent ref companies hierarchy collection children,
  industry picklist (retail, finance, health), size integer, score number, founded date,
  active boolean, region ref regions, owner ref people, tags tags (vip, risky, partner),
  plan period, visit duration, city text, email email unique,
  big formula (size > 5), per_head formula (score / size)
) singular company;
create object deals (
  name text label, company ref companies, stage ref stages, owner ref people, amount money dated by closed,
  cost money, opened date, closed date, touched datetime, chance percent, units integer,
  source picklist (web, event, partner),
  open formula (stage.outcome = open), won formula (stage.outcome = won),
  weighted formula (amount * chance), age formula (if(won, closed, today) - opened)
);
create object tasks (
  subject text label, deal ref deals, company ref companies, person ref people collection tasks,
  due datetime, done datetime, minutes integer, kind picklist (call, demo, visit), urgent boolean
);
create object notes (
  about ref any (companies, deals, people), body longtext, written date, stars integer
);
create object rates (currency text required, valid_on date required, rate number required) rates;
create view open_deals as deals where open;
create view large($min money) as deals where amount >= $min select name, company, amount;
"#;

/// Names with what text may hold.
pub(crate) const NAMES: &[&str] = &[
    "acme",
    "Acme Ltd",
    "\u{c5}cme",
    "Z\u{fc}rich AG",
    "stra\u{df}e",
    "O'Neil",
    "100% fit_x",
    "b\\c",
    "\u{e9}clair",
    "ECLAIR",
    "delta",
    "Delta",
    "\u{3a3}\u{3af}\u{3c3}\u{3c5}",
    "x",
    "caf\u{e9} *",
    "zed",
];

pub(crate) struct Sizes {
    pub(crate) people: usize,
    pub(crate) companies: usize,
    pub(crate) deals: usize,
    pub(crate) tasks: usize,
    pub(crate) notes: usize,
}

/// The statements that fill a book.
pub(crate) fn records(random: &mut Random) -> (String, Sizes) {
    let sizes = Sizes {
        people: 3 + random.below(4),
        companies: 4 + random.below(8),
        deals: 10 + random.below(25),
        tasks: random.below(30),
        notes: random.below(10),
    };
    let mut out = String::from(
        "add stages (name = \"prospect\", position = 1, outcome = open, probability = 10%),
           (name = \"proposal\", position = 3, outcome = open, probability = 50%),
           (name = \"qualify\", position = 2, outcome = open),
           (name = \"won\", position = 5, outcome = won, probability = 100%),
           (name = \"lost\", outcome = lost), (name = \"parked\");
         add regions (code = \"World\");
         add regions (code = \"West\", parent = \"World\"), (code = \"East\", parent = \"World\");
         add regions (code = \"SW\", parent = \"West\"), (code = \"NW\", parent = \"West\"),
           (code = \"Mars\");
         add rates (currency = \"EUR\", valid_on = 2000-01-01, rate = 1.25),
           (currency = \"EUR\", valid_on = 2025-06-30, rate = 1.1),
           (currency = \"GBP\", valid_on = 2000-01-01, rate = 1.3);\n",
    );
    for id in 0..sizes.people {
        let mut record = Record::new("people");
        record.always("name", quoted(&format!("{}{id}", random.pick(NAMES))));
        record.some(random, "boss", 60, |random| earlier(random, id));
        record.some(random, "region", 70, region);
        record.some(random, "skills", 60, |random| {
            tags(random, &["falcon", "osprey", "kite"])
        });
        record.some(random, "hired", 80, date);
        record.some(random, "active", 70, boolean);
        record.end(&mut out);
    }
    for id in 0..sizes.companies {
        let mut record = Record::new("companies");
        record.some(random, "name", 85, name);
        record.some(random, "parent", 50, |random| earlier(random, id));
        record.some(random, "industry", 75, |random| {
            quoted(random.pick(&["retail", "finance", "health"]))
        });
        record.some(random, "size", 75, |random| small(random, 12));
        record.some(random, "score", 75, |random| {
            format!(
                "{}.{}",
                small(random, 9),
                random.pick(&["0", "25", "5", "7", "125"])
            )
        });
        record.some(random, "founded", 70, date);
        record.some(random, "active", 70, boolean);
        record.some(random, "region", 75, region);
        record.some(random, "owner", 75, |random| any(random, sizes.people));
        record.some(random, "tags", 60, |random| {
            tags(random, &["vip", "risky", "partner"])
        });
        record.some(random, "plan", 60, period);
        record.some(random, "visit", 60, |random| {
            let unit = random.pick(&["minutes", "hours", "days"]);
            format!("{} {unit}", 1 + random.below(40))
        });
        record.some(random, "city", 60, name);
        record.some(random, "email", 50, move |_| {
            quoted(&format!("c{id}@x.example"))
        });
        record.end(&mut out);
    }
    for _ in 0..sizes.deals {
        let mut record = Record::new("deals");
        record.some(random, "name", 80, name);
        record.some(random, "company", 85, |random| any(random, sizes.companies));
        record.some(random, "stage", 85, |random| any(random, 6));
        record.some(random, "owner", 75, |random| any(random, sizes.people));
        record.some(random, "amount", 80, foreign);
        record.some(random, "cost", 60, foreign);
        record.some(random, "opened", 80, date);
        record.some(random, "closed", 75, date);
        record.some(random, "touched", 70, moment);
        record.some(random, "chance", 70, |random| {
            format!("{}%", random.pick(&["0", "10", "25", "33.3", "50", "100"]))
        });
        record.some(random, "units", 75, |random| small(random, 7));
        record.some(random, "source", 75, |random| {
            quoted(random.pick(&["web", "event", "partner"]))
        });
        record.end(&mut out);
    }
    for _ in 0..sizes.tasks {
        let mut record = Record::new("tasks");
        record.some(random, "subject", 80, name);
        record.some(random, "deal", 75, |random| any(random, sizes.deals));
        record.some(random, "company", 75, |random| any(random, sizes.companies));
        record.some(random, "person", 75, |random| any(random, sizes.people));
        record.some(random, "due", 75, moment);
        record.some(random, "done", 60, moment);
        record.some(random, "minutes", 75, |random| small(random, 90));
        record.some(random, "kind", 75, |random| {
            quoted(random.pick(&["call", "demo", "visit"]))
        });
        record.some(random, "urgent", 60, boolean);
        record.end(&mut out);
    }
    for _ in 0..sizes.notes {
        let mut record = Record::new("notes");
        record.some(random, "about", 80, |random| match random.below(3) {
            0 => format!("(companies {})", any(random, sizes.companies)),
            1 => format!("(deals {})", any(random, sizes.deals)),
            _ => format!("(people {})", any(random, sizes.people)),
        });
        record.some(random, "body", 80, |random| {
            format!("\"{}\ntwo\"", random.pick(NAMES))
        });
        record.some(random, "written", 80, date);
        record.some(random, "stars", 70, |random| small(random, 5));
        record.end(&mut out);
    }
    (out, sizes)
}

struct Record {
    object: &'static str,
    values: Vec<String>,
}

impl Record {
    fn new(object: &'static str) -> Self {
        Self {
            object,
            values: Vec::new(),
        }
    }

    fn always(&mut self, field: &str, value: String) {
        self.values.push(format!("{field} = {value}"));
    }

    fn some(
        &mut self,
        random: &mut Random,
        field: &str,
        percent: usize,
        value: impl Fn(&mut Random) -> String,
    ) {
        let value = value(random);
        if random.chance(percent) && !value.is_empty() {
            self.always(field, value);
        }
    }

    fn end(self, out: &mut String) {
        writeln!(out, "add {} ({});", self.object, self.values.join(", ")).unwrap();
    }
}

pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

pub(crate) fn name(random: &mut Random) -> String {
    quoted(random.pick(NAMES))
}

fn earlier(random: &mut Random, id: usize) -> String {
    match id {
        0 => String::new(),
        _ => format!("#{}", random.below(id)),
    }
}

fn any(random: &mut Random, count: usize) -> String {
    format!("#{}", random.below(count))
}

fn region(random: &mut Random) -> String {
    quoted(random.pick(&["World", "West", "East", "SW", "NW", "Mars"]))
}

fn tags(random: &mut Random, all: &[&'static str]) -> String {
    let some: Vec<&str> = all.iter().copied().filter(|_| random.chance(45)).collect();
    match some.is_empty() {
        true => String::new(),
        false => quoted(&some.join(", ")),
    }
}

fn boolean(random: &mut Random) -> String {
    random.pick(&["true", "false"]).to_owned()
}

pub(crate) fn small(random: &mut Random, below: usize) -> String {
    match random.below(5) {
        0 => format!("-{}", random.below(below)),
        _ => random.below(below).to_string(),
    }
}

pub(crate) fn money(random: &mut Random) -> String {
    match random.below(6) {
        0 => format!("-{}", random.below(500)),
        1 => format!("{}.{:02}", random.below(900), random.below(100)),
        2 => format!("{}.{:04}", random.below(90), random.below(10_000)),
        _ => (100 * random.below(10)).to_string(),
    }
}

/// An amount, at times in another currency.
fn foreign(random: &mut Random) -> String {
    match random.below(5) {
        0 => format!("\"{} {}\"", random.below(900), random.pick(&["EUR", "GBP"])),
        _ => money(random),
    }
}

/// Days around the one it is, ends of months and leap days among them.
pub(crate) fn date(random: &mut Random) -> String {
    match random.below(4) {
        0 => random
            .pick(&[
                "2026-01-31",
                "2024-02-29",
                "2026-05-15",
                "2025-12-31",
                "2026-05-31",
            ])
            .to_owned(),
        _ => format!(
            "202{}-{:02}-{:02}",
            4 + random.below(3),
            1 + random.below(12),
            1 + random.below(28)
        ),
    }
}

pub(crate) fn moment(random: &mut Random) -> String {
    format!(
        "{}T{:02}:{:02}",
        date(random),
        random.below(24),
        random.below(60)
    )
}

pub(crate) fn period(random: &mut Random) -> String {
    match random.below(3) {
        0 => format!("202{}", 4 + random.below(3)),
        1 => format!("202{}-Q{}", 4 + random.below(3), 1 + random.below(4)),
        _ => format!("202{}-{:02}", 4 + random.below(3), 1 + random.below(12)),
    }
}
