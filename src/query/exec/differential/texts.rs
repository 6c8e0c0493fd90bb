//! Generated queries, as text.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

pub(super) fn some(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    select(texts).prop_map(str::to_owned).boxed()
}

pub(super) fn combined(atoms: BoxedStrategy<String>) -> BoxedStrategy<String> {
    atoms
        .prop_recursive(2, 6, 3, |inner| {
            prop_oneof![
                vec(inner.clone(), 2..4).prop_map(|list| format!("({})", list.join(" and "))),
                vec(inner.clone(), 2..4).prop_map(|list| format!("({})", list.join(" or "))),
                inner.prop_map(|one| format!("not ({one})")),
            ]
        })
        .boxed()
}

/// What the reference runs anew for every record: for small books.
fn costly_condition() -> BoxedStrategy<String> {
    combined(some(&[
        "exists(account.deals where amount > outer.amount)",
        "count(account.deals where close <= outer.close and stage = outer.stage) > 1",
        "count_of in (accounts where employees > outer.count_of select employees)",
        "amount >= (deals where account = outer.account select max(amount))",
        "count(account.subtree.deals) > 4",
        "sum(account.subtree.deals.amount where count_of > outer.count_of) > 900",
        "account in (accounts where count(deals) > 3)",
        "(accounts where parent under outer.account and employees > 2 select count()) > 0",
        "exists(account.children where this above outer.about)",
        "(stages where position < count(outer.account.deals) select count()) > 2",
        "(stages where position < count(outer.account.deals where count_of > outer.position) \
         select max(position) - min(outer.account.deals.count_of)) > 1",
        "exists(account.deals where amount > 700)",
        "count(account.deals) > 3",
        "matches(stage.gate)",
        "not matches(stage.gate)",
        "matches(account.rule, account)",
        "matches(account.parent.rule, account)",
        "value(account.worth) > 2",
        "value(account.parent.worth) < 300",
        "matches((stages where position = 4 select gate))",
        "(stages where matches(gate, outer) and position > 1 select sum(position)) > 3",
        "stage = (stages where matches(gate, outer) order by position desc limit 1)",
        "(stages where not matches(gate, outer) select count()) = 3",
    ]))
}

/// The same for columns.
fn costly_columns() -> BoxedStrategy<String> {
    some(&[
        "(stages where matches(gate, outer) select name order by name limit 1) as first, \
         (stages where matches(gate, outer) select count() * 2 + max(position)) as score",
        "matches(stage.gate) as gated, value(account.worth) as worth, \
         matches(account.rule, account) as ruled",
    ])
}

pub(super) fn deal_condition() -> BoxedStrategy<String> {
    combined(some(&[
        "stage = won",
        "stage >= proposal",
        "stage < won",
        "stage != qualify",
        "stage in (won, lost)",
        "stage.position > 1",
        "account.industry = finance",
        "account.industry >= finance",
        "account.industry in (retail, health)",
        "account.parent.name = \"A1\"",
        "account.parent.industry = health",
        "account.name ~ \"a2\"",
        "account.active",
        "not account.active",
        "account.tags has vip",
        "account.employees > 3 and account.employees < 8",
        "account = \"A3\"",
        "account != \"A3\"",
        "account = #2",
        "account under \"A1\"",
        "account above \"A3\"",
        "account under account.parent.parent",
        "account.parent above this.account",
        "about is account and about under this.account",
        "account above this.about",
        "account in (accounts where employees > 4)",
        "account.industry is empty",
        "account is empty",
        "account.parent is not empty",
        "amount > 300",
        "amount between 100 and 600",
        "amount * 2 > 700",
        "amount = 500",
        "amount >= account.employees",
        "convert(amount, EUR) < 400",
        "greatest(amount, 300) < 600",
        "amount in (100, 200, 300)",
        "amount in (deals where stage = won select amount)",
        "abs(-amount) > 300",
        "amount is empty",
        "close in 2026-Q2",
        "close <= 2026-05-01",
        "close > 2026-05",
        "close in last 3 weeks",
        "close < today + 7 days",
        "close + count_of * 1 week > today",
        "at - 2 * count_of * 1 month < at - if(stage = won, 40 days, 2 months)",
        "close + if(count_of > 3, 1 month, 2 weeks + 1 day) >= close + account.employees * 3 days",
        "month(close) = 2026-05",
        "close = 2026-05-20",
        "at in this month",
        "at <= 2026-05-15",
        "at >= 2026-05-20",
        "about is account",
        "about in (accounts where employees > 4)",
        "about is account and exists(about.deals where amount > 300)",
        "about is account and count(about.subtree.deals) > 1",
        "about not in (stages where position > 1)",
        "business_hours(at, now) > 20 hours",
        "business_hours(close, at) / 1 hour < 4",
        "at + 6 business hours > now",
        "at - 6 business hours > close - 2 days",
        "close + 3 business days >= today",
        "close - count_of * 1 business day >= today",
        "at + count_of * 2 business hours > now",
        "at - 2 business days < 2026-05-10",
        "at in last 20 business hours",
        "at in next 30 hours",
        "close in 5 business days",
        "fiscal_quarter(at) = this fiscal quarter",
        "note ~ \"X\"",
        "note is empty",
        "name like \"a*\"",
        "name = \"ab\"",
        "name > \"a\"",
        "name ~ \"ä\"",
        "length(name) > 2",
        "chance >= 50%",
        "count_of = 2",
        "count_of in (1, 3)",
        "count_of >= 2",
        "count_of + 1 = 3",
        "if(stage = won, amount, 0) > 100",
        "coalesce(amount, 500) > 400",
        "amount / count_of > 200",
        "days(close, today) > 10",
        "amount >= (accounts where employees > 2 select employees limit 1)",
    ]))
}

fn account_condition() -> BoxedStrategy<String> {
    combined(some(&[
        "industry = finance",
        "industry < health",
        "employees > 3",
        "employees is empty",
        "size > -0.5",
        "tags has vip",
        "tags is empty",
        "active",
        "active = false",
        "founded in last 6 months",
        "parent is empty",
        "parent under \"A1\"",
        "parent.parent.employees > 2",
        "site ~ \"b\"",
        "visit > 3 minutes",
        "name in (\"A1\", \"A2\")",
        "count(deals) > 3",
        "count(deals where stage >= proposal) >= 2",
        "sum(deals.amount where stage = won) > 500",
        "exists(deals where close in this quarter)",
        "not exists(deals where amount > 300)",
        "avg(deals.amount) > 400",
        "min(deals.close) < 2026-05-01",
        "max(deals.amount) = 900",
        "count(children) > 0",
        "count(distinct deals.stage) > 2",
        "exists(children where exists(deals where stage = won))",
        "matches(rule)",
        "matches(parent.rule)",
        "not matches(rule) and rule is not empty",
        "matches(rule, parent)",
        "count(deals where matches(outer.rule, account)) > 1",
        "sum(deals.count_of where matches(stage.gate)) > 3",
        "count(subtree) > 2",
        "sum(subtree.deals.amount where stage = won) > 500",
        "exists(subtree.deals where close in this quarter)",
        "count(children.subtree) > 1",
        "median(subtree.deals.count_of) > 1",
        "count(distinct subtree.deals.stage) > 2",
        "max(subtree.employees) > 6",
        "exists(mentions where account = outer.parent)",
        "this in (deals where amount > 300 select about)",
        "exists(deals where amount > avg(outer.deals.amount))",
        "count(children where employees < count(outer.deals where amount > outer.size * 100)) > 0",
    ]))
}

pub(super) fn deal_columns() -> BoxedStrategy<String> {
    some(&[
        "name, account, stage, amount",
        "name, account.name, account.industry, stage.position, close, at",
        "account.parent.name, about, note, chance, count_of",
        "month(close) as m, amount * 2 as twice, amount / count_of as each, \
         stage >= proposal as far",
        "if(account.active, 1, 2) as n, coalesce(name, \"none\") as called, close - today as away",
        "count_of, rank() as place, running(amount) as run, total(count_of) as all_of",
        "business_hours(at, now) as w, at + 5 business hours as a, close - 1 business days as c",
        "amount, convert(amount, EUR) as e, convert(amount * chance, USD) as u, \
         amount + 10 as more",
        "amount, previous(amount) as before, growth(amount) as grown",
        "amount / total(amount) as part, count_of - previous(count_of) as change, \
         round(growth(amount), 3) as grown, quartile(chance) as quarter",
        "previous(account) as before, coalesce(running(count_of), 0) + 1 as run, \
         quartile(amount) + rank() as n, if(rank() > 1, total(chance), 0) as t",
        "similar(name, account.name) as alike, similar(name, \"ab\") as to_ab, \
         currency(amount) as code, has(account.tags, vip) as vip",
    ])
}

pub(super) fn order() -> BoxedStrategy<String> {
    prop_oneof![
        Just(String::new()),
        (
            vec(
                select(
                    &[
                        "amount",
                        "close",
                        "name",
                        "stage",
                        "account",
                        "account.industry",
                        "at",
                        "chance",
                        "count_of",
                        "account.size",
                        "amount / total(amount)",
                        "quartile(count_of)",
                    ][..]
                ),
                1..3,
            ),
            any::<bool>(),
        )
            .prop_map(|(keys, down)| {
                format!(
                    " order by {}{}",
                    keys.join(", "),
                    if down { " desc" } else { "" }
                )
            }),
    ]
    .boxed()
}

fn limit() -> BoxedStrategy<String> {
    prop_oneof![
        Just(String::new()),
        (0usize..9).prop_map(|n| format!(" limit {n}")),
        (0usize..9).prop_map(|n| format!(" limit {n} with ties")),
        (0usize..9, 0usize..5).prop_map(|(n, skip)| format!(" limit {n} offset {skip}")),
        (
            1usize..4,
            select(&["stage", "account.industry", "account"][..]),
            any::<bool>()
        )
            .prop_map(|(n, per, ties)| {
                format!(
                    " limit {n} per {per}{}",
                    if ties { " with ties" } else { "" }
                )
            }),
    ]
    .boxed()
}

fn grouped() -> BoxedStrategy<String> {
    let keys = select(
        &[
            ("stage", "stage"),
            ("account", "account"),
            ("account.industry as k", "k"),
            ("month(close) as k", "k"),
            ("count_of", "count_of"),
            ("name", "name"),
            ("chance", "chance"),
            ("account.active as k", "k"),
            ("amount", "amount"),
        ][..],
    );
    let aggregates = select(
        &[
            "count() as n",
            "sum(amount) as a, avg(amount) as b",
            "sum(count_of) as a, avg(count_of) as b, min(count_of) as c, max(count_of) as d",
            "count(amount) as a, count(distinct count_of) as b",
            "sum(amount where stage = won) as a, count(stage = won) as b",
            "min(close) as a, max(close) as b",
            "median(count_of) as a, share(stage = won) as b",
            "min(account.employees) as a, sum(account.size) as b",
            "sum(amount) / count() as a",
            "sum(amount) / total(sum(amount)) as a, running(count()) as b, rank() as c",
            "sum(count_of) - previous(sum(count_of)) as a, quartile(count()) as b",
            "corr(count_of, amount) as a, slope(chance, amount) as b",
            "stddev(count_of) as a, list(distinct count_of) as b, p90(amount) as c",
            "share(amount > 300) as a, sum(amount where chance > 20%) as b",
            "median(amount) as a, p90(amount) as b, p90(distinct count_of) as c, \
             sum(amount where stage = won) as d, avg(amount where stage = won) as e, \
             median(count_of) as f, p90(count_of) as g",
            "sum(amount * chance) as a, max(coalesce(amount, count_of)) as b",
            "sum(business_hours(at, now)) as a, avg(business_hours(close, now)) as b",
            "first(amount by close, name) as a, count(distinct amount) as b",
            "sum(account.deals.amount) as a, count(account.deals where chance > 20%) as b",
            "median(account.deals.count_of) as a, avg(account.deals.amount) as b, \
             count(distinct account.deals.stage) as c",
            "first(account.deals.count_of by close desc, amount) as a, \
             list(account.subtree.deals.count_of where amount > 200) as b",
            "count(account.subtree) as a, \
             sum(account.subtree.deals.amount where stage = won) as b, \
             exists(account.children where employees > 4) as c",
            "max(account.parent.children.employees) as a, stddev(account.mentions.count_of) as b, \
             share(account.mentions.amount > 300) as c, exists(account.mentions) as d",
            "list(distinct account.children.subtree.deals.stage by stage) as a, \
             corr(account.deals.count_of, account.deals.amount) as b, \
             min(account.deals.stage) as c, max(account.deals.account.industry) as d",
        ][..],
    );
    let tail = some(&["", " with totals"]);
    let having = some(&["", " having count() > 1", " having sum(amount) > 500"]);
    let order = some(&[
        "",
        " order by count() desc",
        " order by sum(amount) desc limit 3",
        " order by count() / total(count()) desc, quartile(sum(amount))",
    ]);
    (vec(keys, 0..3), aggregates, tail, having, order)
        .prop_map(|(mut keys, aggregates, tail, having, order)| {
            keys.dedup_by_key(|key| key.1);
            if keys.len() == 2 && keys[0].1 == keys[1].1 {
                keys.pop();
            }
            let names: String = keys.iter().map(|key| format!("{}, ", key.1)).collect();
            let by: Vec<_> = keys.iter().map(|key| key.0).collect();
            let group = if by.is_empty() {
                String::new()
            } else {
                format!(" group by {}{tail}", by.join(", "))
            };
            let having = if by.is_empty() { "" } else { &having };
            let order = if by.is_empty() { "" } else { &order };
            format!("{group}{having} select {names}{aggregates}{order}")
        })
        .boxed()
}

/// Groups with subtotals, hierarchies and empty groups.
fn rolled() -> BoxedStrategy<String> {
    let keys = select(
        &[
            ("account", "account"),
            ("account, stage", "account, stage"),
            ("stage, account", "stage, account"),
            ("account.industry as k, account", "k, account"),
            ("month(close) as k, account", "k, account"),
            ("account, account.active as k", "account, k"),
            ("account.parent as k, account", "k, account"),
            (
                "stage, account.active as k, quarter(close) as q",
                "stage, k, q",
            ),
        ][..],
    );
    let aggregates = some(&[
        "count() as n",
        "sum(amount) as a, avg(count_of) as b",
        "count(distinct count_of) as a, median(count_of) as b",
        "min(close) as a, max(amount) as b, share(stage = won) as c",
        "first(count_of by amount) as a, last(count_of by close desc) as b",
        "count() as n, total(count()) as t",
        "count(account.subtree) as a, sum(account.deals.amount) as b, \
         exists(account.children where employees > 4) as c",
        "median(account.subtree.deals.count_of) as a, count(distinct account.deals.stage) as b, \
         last(account.mentions.count_of by amount) as c",
    ]);
    let tail = some(&[
        "rollup",
        "totals, rollup",
        "rollup, empty",
        "totals, rollup, empty",
        "totals, empty",
    ]);
    let having = some(&["", " having count() > 1"]);
    let order = some(&[
        "",
        " order by count() desc",
        " order by sum(amount) desc limit 3",
        " order by avg(count_of), median(amount) desc",
        " order by total(count()) - count()",
        " limit 2 per stage",
        " order by min(close) limit 1 per account",
        " order by count() desc limit 2 per k",
    ]);
    (keys, aggregates, tail, having, order)
        .prop_map(|((by, names), aggregates, tail, having, order)| {
            let per = order.split_once(" per ").map_or("", |(_, per)| per);
            let first = names.starts_with(&format!("{per}, "));
            let order = match per.is_empty() || first || per == "stage" && names.contains(per) {
                true => &order,
                false => "",
            };
            let totals = aggregates.contains("total(") || order.contains("total(");
            let parted = order.contains("per k");
            let having = match by.contains("parent") && totals && !parted {
                true => "",
                false => &having,
            };
            format!(" group by {by} with {tail}{having} select {names}, {aggregates}{order}")
        })
        .boxed()
}

pub(super) fn query() -> BoxedStrategy<String> {
    let deal_condition = || prop_oneof![5 => deal_condition(), 2 => costly_condition()];
    let deal_columns = || prop_oneof![5 => deal_columns(), 1 => costly_columns()];
    let deals = || (deal_condition(), deal_columns(), order(), limit());
    let plain = deals().prop_map(|(filter, columns, order, limit)| {
        format!("deals where {filter} select {columns}{order}{limit}")
    });
    let groups = (deal_condition(), grouped())
        .prop_map(|(filter, tail)| format!("deals where {filter}{tail}"));
    let subtotals = (deal_condition(), rolled())
        .prop_map(|(filter, tail)| format!("deals where {filter}{tail}"));
    let accounts = (
        account_condition(),
        some(&[
            "name, industry, tags, active",
            "name, parent, employees, size, founded, plan, visit, site",
            "name, count(deals) as n, sum(deals.amount) as won, exists(deals where stage = won) \
              as any",
            "name, min(deals.close) as first, avg(deals.count_of where chance > 10%) as mean",
            "name, corr(deals.count_of, deals.amount) as fit, \
             slope(deals.chance, deals.amount) as rise, count(distinct deals.count_of) as n",
            "name, count(subtree) as n, sum(subtree.deals.amount) as s, \
             first(subtree.deals.count_of by close, amount desc) as f",
            "name, count(deals where close > outer.founded) as n, \
             count(subtree.deals where close > outer.founded) as m, \
             (deals where amount > 300 and account = outer.this select count()) as k",
            "name, exists(parent.deals where amount > 300) as e, not exists(parent.children) as n, \
             count(parent.children) as c",
        ]),
        some(&[
            "",
            " order by employees desc",
            " order by parent, size",
            " order by count(deals) desc limit 3",
        ]),
    )
        .prop_map(|(filter, columns, order)| {
            format!("accounts where {filter} select {columns}{order}")
        });
    let together = (
        account_condition(),
        some(&[
            "",
            " group by industry as k",
            " group by parent as k",
            " group by active as k, industry with rollup",
            " group by parent as k with totals, rollup, empty",
            " group by month(founded) as k with totals",
        ]),
        some(&[
            "count() as n, count(deals) as a, sum(subtree.deals.amount) as b",
            "sum(deals.amount where close > outer.founded) as a, avg(subtree.employees) as b",
            "exists(deals where stage = won) as a, median(deals.amount) as b, \
             list(children.subtree.employees) as c",
            "p90(parent.deals.count_of) as a, \
             count(distinct parent.parent.subtree.industry) as b, \
             count(mentions) as c",
            "first(subtree.deals.amount by close, count_of desc) as a, count(subtree) as b, \
             sum(parent.mentions.count_of) as c",
        ]),
    )
        .prop_map(|(filter, by, aggregates)| {
            let k = if by.is_empty() { "" } else { "k, " };
            format!("accounts where {filter}{by} select {k}{aggregates}")
        });
    let path = some(&[
        "deals",
        "subtree.deals",
        "children.subtree.deals",
        "mentions",
        "parent.deals",
        "parent.parent.subtree.deals",
        "this.parent.mentions",
    ]);
    let nested = (account_condition(), deal_condition(), path).prop_map(|(outer, inner, path)| {
        format!(
            "accounts where {outer} select name, {path} where {inner} \
             {{ count_of, amount, close order by amount desc, close limit 2 }} as some"
        )
    });
    let stacked = (account_condition(), deal_condition()).prop_map(|(a, b)| {
        format!(
            "(accounts where {a} select name, employees as n) union \
             (deals where {b} select name, count_of as n order by n desc limit 4)"
        )
    });
    let tail = some(&["", " with totals, rollup", " with rollup, empty"]);
    let end = some(&["", " order by s desc limit 4"]);
    let by = some(&["account.industry", "account"]);
    let over = (deal_condition(), by, tail, end).prop_map(|(filter, by, tail, end)| {
        format!(
            "(deals where {filter} group by {by} as i, stage{tail} select i, stage, \
              sum(amount) as s, count() as n{end}) \
             where n != 1 select i, stage, s order by s desc"
        )
    });
    let within = deal_condition().prop_map(|filter| {
        format!(
            "(deals where {filter} select name, amount, amount * 2 as b order by count_of \
             limit 20) \
             where b > 700 select name, amount, running(b) as r order by amount desc, name"
        )
    });
    prop_oneof![
        4 => plain, 4 => groups, 3 => subtotals, 3 => accounts, 2 => together, 1 => nested,
        2 => referred(),
        1 => stacked, 1 => over, 1 => within, 3 => found(), 2 => duplicates()
    ]
    .boxed()
}

/// Collections of accounts that rows refer to which are no records themselves.
fn referred() -> BoxedStrategy<String> {
    // The rows; the way from them to an account; a column of theirs.
    let rows = some(&[
        "deals where (IF) group by account: account: count() as n",
        "deals where (IF) group by account, stage with totals, rollup: account: count() as n",
        "deals where (IF) group by stage, account.parent: account.parent: count() as n",
        "(deals where (IF) group by account as k) where count > 1: k: count",
        "(accounts group by parent) let up = parent.parent: up: count",
        "(deals where (IF) limit 9 with ties) let up = account.parent: up: count_of",
        "find \"ab\" in deals: record.account: score",
        "find \"a\" where record is account: record: score",
        "find \"xy\" where record is deal: record.account: score",
        "duplicates of deals where same(stage): first.account: size",
        "duplicates of (deals where (IF)) where same(account) group by record: record.account: \
         count() as n",
    ]);
    let having = some(&[
        "",
        " having count(WAY.deals) > 2",
        " having exists(WAY.parent.mentions)",
    ]);
    let items = some(&[
        "WAY.deals { count_of, amount, close order by amount desc, close limit 2 } as some",
        "WAY.parent.subtree.deals where (IF) { count_of, close limit 4 } as some",
        "WAY.children { name, subtree { name order by name desc limit 2 } as all_of limit 2 }",
        "WAY.mentions { amount limit 2 }, \
         WAY.subtree.deals where amount > 300 { amount, chance limit 3 }",
        "count(WAY.deals where (IF)) as c, sum(WAY.subtree.deals.amount) as s, \
         exists(WAY.children where employees > 4) as e",
        "max(WAY.deals.count_of * WAY.deals.amount) as m, \
         first(WAY.parent.subtree.deals.amount by close, amount) as f",
    ]);
    (rows, having, items, deal_condition(), deal_condition())
        .prop_map(|(rows, having, items, outer, inner)| {
            let parts: Vec<&str> = rows.split(": ").collect();
            let [rows, way, column] = parts[..] else {
                panic!("{rows}");
            };
            let rest = format!("{having} select {column}, {items}").replace("WAY", way);
            rows.replace("IF", &outer) + &rest.replace("IF", &inner)
        })
        .boxed()
}

/// Rules of which each alternative says which records to compare.
fn pair_rule() -> BoxedStrategy<String> {
    let same = select(
        &[
            "name",
            "account",
            "stage",
            "amount",
            "close",
            "at",
            "about",
            "note",
            "chance",
            "count_of",
            "month(close)",
            "account.industry",
            "account.plan",
            "account.active",
            "lower(name)",
            "account.employees",
        ][..],
    );
    let alike = (
        select(&["name", "note", "account", "account.site"][..]),
        select(
            &[
                ">= 0.2",
                ">= 0.4",
                "> 0.5",
                ">= 0.5",
                ">= 0.667",
                ">= 0.8",
                ">= 0.95",
                "= 1",
                "> 0",
                "between 0.3 and 0.7",
            ][..],
        ),
    )
        .prop_map(|(of, least)| format!("similar({of}) {least}"));
    let finding = prop_oneof![
        same.clone().prop_map(|of| format!("same({of})")),
        alike.clone(),
        (alike.clone(), same.clone()).prop_map(|(alike, of)| format!("{alike} and same({of})")),
    ];
    let unlike = select(
        &[
            "similar(note) < 0.5",
            "similar(name) + similar(note) > 0.9",
            "similar(name) != similar(note)",
            "similar(note) is empty",
            "1 <= 2",
        ][..],
    );
    let any = combined(
        prop_oneof![
            same.prop_map(|of| format!("same({of})")),
            alike,
            unlike.prop_map(str::to_owned),
        ]
        .boxed(),
    );
    let one = prop_oneof![
        2 => finding.clone(),
        2 => (finding.clone(), any.clone()).prop_map(|(a, b)| format!("{a} and {b}")),
        1 => (finding.clone(), any.clone()).prop_map(|(a, b)| format!("not (not ({a}) or {b})")),
        1 => (finding.clone(), finding, any).prop_map(|(a, b, c)| format!("({a} or {b}) and {c}")),
    ];
    vec(one, 1..3)
        .prop_map(|list| format!("({})", list.join(") or (")))
        .boxed()
}

pub(super) fn duplicates() -> BoxedStrategy<String> {
    let tail = some(&[
        "",
        "",
        " select group, record, match, size, first",
        " where size > 2 select record, record.name as name, similar(record.name, first.name) as s",
        " where record != this.first order by record.amount desc, size limit 5",
        " group by match select match, count() as n, count(distinct group) as groups",
        " group by record.stage as k select k, max(size) as n",
        " select group, record, rank() as place limit 2 per group",
    ]);
    let of = prop_oneof![
        3 => Just("deals".to_owned()),
        1 => deal_condition().prop_map(|filter| format!("(deals where {filter})")),
        1 => Just("(deals order by amount limit 20)".to_owned()),
    ];
    let alone = (of.clone(), pair_rule(), tail)
        .prop_map(|(of, rule, tail)| format!("duplicates of {of} where {rule}{tail}"));
    let inside = (of, pair_rule(), deal_condition()).prop_map(|(of, rule, filter)| {
        format!(
            "deals where this in (duplicates of {of} where {rule}) and {filter} select name, note"
        )
    });
    prop_oneof![4 => alone, 1 => inside].boxed()
}

fn found() -> BoxedStrategy<String> {
    let word = || {
        select(
            &[
                "a", "ab", "\u{c4}b", "x", "xy", "xyxy", "yyxx", "xxyyxyyx", "A1", "1", "cb",
                "b-x", "zzzz", "prosepct", "won", "qualfiy",
            ][..],
        )
    };
    let tail = some(&[
        "",
        " in deals",
        " in accounts, stage",
        " where score > 2",
        " where record is account or field = \"note\" limit 5",
        " where snippet ~ \"[x\" select record, snippet, score",
        " order by field, snippet limit 3",
        " group by object, field select object, field, count() as n, max(score) as best",
        " in deals where record.amount > 300 select record, record.account as of, snippet",
        " limit 2 with ties",
        " select record, rank() as place, total(score) as all_of limit 3",
    ]);
    let found = (vec(word(), 1..3), tail)
        .prop_map(|(words, tail)| format!("find \"{}\"{tail}", words.join(" ")));
    let inside = (word(), deal_condition()).prop_map(|(word, filter)| {
        format!("deals where this in (find \"{word}\" in deals) and {filter} select name, note")
    });
    prop_oneof![4 => found, 1 => inside].boxed()
}
