//! Tests of references and collections over a stored book, against plain loops.

use super::*;

#[test]
fn rows_not_stored_are_read() {
    let row: Row = [(FieldId(1), int(4))].into_iter().collect();
    let rows = [Arc::new(row), Arc::new(Row::default())];
    let batch = Batch::Rows {
        object: ACCOUNTS,
        rows: &rows,
        ids: None,
    };
    with(|evaluator, _| {
        let sizes = values(evaluator, &field(1, Type::INTEGER), &batch).unwrap();
        assert_eq!(sizes, [int(4), NONE]);
        let count = collect(AggregateFunction::Count, Type::INTEGER, None);
        assert_eq!(values(evaluator, &count, &batch).unwrap(), [int(0), int(0)]);
    });
}

fn collect(function: AggregateFunction, ty: Type, filter: Option<Expr>) -> Expr {
    let counts = matches!(
        function,
        AggregateFunction::Count | AggregateFunction::Exists
    );
    let argument = (!counts).then(|| field(1, Type::INTEGER));
    let aggregate = aggregate(function, argument, ty.clone());
    let owner = field(0, Type::Plain(FieldType::Reference(ACCOUNTS)));
    let object = DEALS;
    let collect = Collect {
        object,
        owner,
        subtree: None,
        filter,
        aggregate,
    };
    expr(Node::Collect(Arc::new(collect)), ty)
}

#[test]
fn paths_give_the_same_by_column_and_by_record() {
    let size = || field(1, Type::INTEGER);
    let account = || field(0, Type::Plain(FieldType::Reference(ACCOUNTS)));
    let sizes = follow(account(), ACCOUNTS, size());
    let big = compare(Comparison::Greater, size(), is(int(150), &Type::INTEGER));
    let big = follow(account(), ACCOUNTS, big);
    let chunk = crate::value::ChunkId(1);
    let first = CHUNK_RECORDS as i64;
    with(|evaluator, context| {
        let len = context.snapshot.live(DEALS, chunk).unwrap().len();
        let object = DEALS;
        let all = Batch::Chunk { object, chunk, len };
        let deals: Vec<i64> = (first..DEAL_COUNT).collect();
        let size = |&deal: &i64| account_of(deal).and_then(size_of);
        let expected: Vec<_> = deals
            .iter()
            .map(|deal| size(deal).map_or(NONE, Value::Integer))
            .collect();
        assert_eq!(values(evaluator, &sizes, &all).unwrap(), expected);
        let expected: Vec<_> = deals.iter().filter(|d| size(d) > Some(150)).collect();
        let hits = evaluator.test(&big, &all).unwrap();
        assert_eq!(
            hits.ones().map(|at| &deals[at]).collect::<Vec<_>>(),
            expected
        );
        // Few, and many out of order, over both chunks.
        for count in [3, 20, 500] {
            let some: Vec<i64> = (0..count).map(|at| at * 3989 % DEAL_COUNT).collect();
            let ids: Vec<_> = some.iter().map(|&id| RecordId(id as u64)).collect();
            let batch = Batch::Records { object, ids: &ids };
            for fresh in [true, false] {
                let own = Evaluator::new(context);
                let evaluator = if fresh { &own } else { evaluator };
                let found = values(evaluator, &sizes, &batch).unwrap();
                let expected: Vec<_> = some
                    .iter()
                    .map(|d| size(d).map_or(NONE, Value::Integer))
                    .collect();
                assert_eq!(found, expected);
                let hits = evaluator.test(&big, &batch).unwrap();
                let expected = Bitset::from_fn(some.len(), |at| size(&some[at]) > Some(150));
                assert_eq!(hits, expected);
            }
        }
    });
}

#[test]
fn collections_give_the_same_as_a_loop() {
    use AggregateFunction as A;
    let late = compare(
        Comparison::GreaterEqual,
        field(1, Type::INTEGER),
        is(int(4000), &Type::INTEGER),
    );
    let cases = [
        (A::Count, Type::INTEGER),
        (A::Exists, Type::BOOLEAN),
        (A::Sum, Type::INTEGER),
        (A::Maximum, Type::INTEGER),
        (A::Average, Type::NUMBER),
    ];
    for (function, ty) in cases {
        let expr = collect(function, ty, Some(late.clone()));
        let expected = |account: i64| {
            let own: Vec<i64> = (4000..DEAL_COUNT)
                .filter(|&deal| account_of(deal) == Some(account))
                .collect();
            let sum: i64 = own.iter().sum();
            match function {
                A::Count => int(own.len() as i64),
                A::Exists => Value::Boolean(!own.is_empty()),
                A::Sum => int(sum),
                A::Maximum => own.iter().max().map_or(NONE, |&n| int(n)),
                _ if own.is_empty() => NONE,
                _ => num(sum as f64 / own.len() as f64),
            }
        };
        with(|evaluator, _| {
            let object = ACCOUNTS;
            let few: Vec<i64> = vec![99, 0, 3, 99];
            let many: Vec<i64> = (0..100).rev().collect();
            for ids in [&few, &many, &few] {
                let expected: Vec<_> = ids.iter().map(|&id| expected(id)).collect();
                let ids: Vec<_> = ids.iter().map(|&id| RecordId(id as u64)).collect();
                let batch = Batch::Records { object, ids: &ids };
                assert_eq!(
                    values(evaluator, &expr, &batch).unwrap(),
                    expected,
                    "{function:?}"
                );
            }
        });
    }
}
