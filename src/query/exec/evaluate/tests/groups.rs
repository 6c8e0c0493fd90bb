//! Tests of aggregates over groups, against values worked out by hand.

use super::*;

/// The values of one aggregate over rows of group and value.
fn grouped(aggregate: &Aggregate, ty: &Type, rows: &[(u32, Value)], count: usize) -> Vec<Value> {
    let groups: Vec<u32> = rows.iter().map(|row| row.0).collect();
    let values: Vec<Value> = rows.iter().map(|row| row.1.clone()).collect();
    let all = frame(&[(ty, values)]);
    with(|evaluator, context| {
        let mut accumulator = Accumulator::new(aggregate, context).unwrap();
        let among = Bitset::full(rows.len());
        accumulator
            .update(evaluator, &Batch::Slots(&all), &among, &groups, count)
            .unwrap();
        let vector = accumulator.finish(count, evaluator).unwrap();
        assert_eq!(vector.len(), count);
        (0..count)
            .map(|at| vector.value(&aggregate.ty.field_type(), at))
            .collect()
    })
}

#[test]
fn aggregates_of_groups() {
    use AggregateFunction as A;
    let n = Type::NUMBER;
    let rows = |values: &[(u32, Option<f64>)]| -> Vec<_> {
        values
            .iter()
            .map(|&(group, n)| (group, n.map_or(NONE, num)))
            .collect()
    };
    let rows = rows(&[
        (0, Some(2.0)),
        (2, None),
        (0, Some(4.0)),
        (3, Some(7.0)),
        (0, Some(4.0)),
        (0, Some(9.0)),
    ]);
    let of = |function, ty: &Type| {
        let aggregate = aggregate(function, Some(slot(0, &n)), ty.clone());
        grouped(&aggregate, &n, &rows, 4)
    };
    assert_eq!(
        of(A::Count, &Type::INTEGER),
        [int(4), int(0), int(0), int(1)]
    );
    assert_eq!(of(A::Sum, &n), [num(19.0), num(0.0), num(0.0), num(7.0)]);
    assert_eq!(of(A::Average, &n), [num(4.75), NONE, NONE, num(7.0)]);
    assert_eq!(of(A::Minimum, &n), [num(2.0), NONE, NONE, num(7.0)]);
    assert_eq!(of(A::Maximum, &n), [num(9.0), NONE, NONE, num(7.0)]);
    assert_eq!(of(A::Percentile(0.5), &n), [num(4.0), NONE, NONE, num(7.0)]);
    assert_eq!(of(A::Percentile(0.9), &n), [num(7.5), NONE, NONE, num(7.0)]);
    assert_eq!(of(A::First, &n), [num(2.0), NONE, NONE, num(7.0)]);
    assert_eq!(of(A::Last, &n), [num(9.0), NONE, NONE, num(7.0)]);
    // Squares from the mean 4.75: 7.5625, 0.5625, 0.5625, 18.0625; together 26.75, of three.
    let [Value::Number(deviation), ..] = of(A::Deviation, &n)[..] else {
        panic!("no number");
    };
    assert!((deviation - (26.75_f64 / 3.0).sqrt()).abs() < 1e-12);
    assert_eq!(of(A::Deviation, &n)[1..], [NONE, NONE, NONE]);
    let mut listed = aggregate(A::List, Some(slot(0, &n)), Type::List(Box::new(n.clone())));
    let list = |values: &[f64]| Value::List(values.iter().map(|&n| num(n)).collect());
    let found = grouped(&listed, &n, &rows, 4);
    assert_eq!(
        found,
        [list(&[2.0, 4.0, 4.0, 9.0]), NONE, NONE, list(&[7.0])]
    );
    listed.distinct = true;
    listed.order.push(OrderKey {
        value: slot(0, &n),
        descending: true,
    });
    assert_eq!(grouped(&listed, &n, &rows, 4)[0], list(&[9.0, 4.0, 2.0]));
    let mut counted = aggregate(A::Count, Some(slot(0, &n)), Type::INTEGER);
    counted.distinct = true;
    assert_eq!(
        grouped(&counted, &n, &rows, 4),
        [int(3), int(0), int(0), int(1)]
    );
}

#[test]
fn aggregates_of_truth_money_text_and_time() {
    use AggregateFunction as A;
    let on = Value::Boolean;
    let truth = &Type::BOOLEAN;
    let rows = [
        (0, on(true)),
        (0, NONE),
        (0, on(false)),
        (0, on(true)),
        (1, on(false)),
    ];
    let of = |function, ty| {
        grouped(
            &aggregate(function, Some(slot(0, truth)), ty),
            truth,
            &rows,
            3,
        )
    };
    assert_eq!(of(A::Count, Type::INTEGER), [int(2), int(0), int(0)]);
    assert_eq!(of(A::Share, Type::NUMBER), [num(2.0 / 3.0), num(0.0), NONE]);
    assert_eq!(of(A::Maximum, Type::BOOLEAN), [on(true), on(false), NONE]);

    let money = &Type::MONEY;
    let rows = [(0, usd(5)), (0, usd(2)), (1, usd(-5)), (1, usd(-2))];
    let of = |function| {
        let aggregate = aggregate(function, Some(slot(0, money)), Type::MONEY);
        grouped(&aggregate, money, &rows, 3)
    };
    assert_eq!(of(A::Sum), [usd(7), usd(-7), usd(0)]);
    assert_eq!(of(A::Average), [usd(4), usd(-4), NONE]);
    assert_eq!(of(A::Maximum), [usd(5), usd(-2), NONE]);
    assert_eq!(of(A::Percentile(0.5)), [usd(4), usd(-3), NONE]);

    let text = &Type::TEXT;
    let rows = [(0, Value::text("b")), (0, Value::text("a")), (0, NONE)];
    let smallest = aggregate(A::Minimum, Some(slot(0, text)), Type::TEXT);
    assert_eq!(grouped(&smallest, text, &rows, 1), [Value::text("a")]);

    let date = &Type::DATE;
    let rows = [(0, day("2026-01-01")), (0, day("2026-01-04"))];
    let middle = aggregate(A::Percentile(0.5), Some(slot(0, date)), Type::DATE);
    assert_eq!(grouped(&middle, date, &rows, 1), [day("2026-01-03")]);
}

#[test]
fn sums_beyond_their_type_are_errors() {
    let whole = &Type::INTEGER;
    let sum = aggregate(AggregateFunction::Sum, Some(slot(0, whole)), Type::INTEGER);
    let all = frame(&[(whole, vec![int(i64::MAX), int(1), int(-1)])]);
    with(|evaluator, context| {
        let mut accumulator = Accumulator::new(&sum, context).unwrap();
        let (batch, groups) = (Batch::Slots(&all), [0, 0, 0]);
        let two = Bitset::from_fn(3, |at| at < 2);
        accumulator
            .update(evaluator, &batch, &two, &groups, 1)
            .unwrap();
        assert_eq!(
            accumulator.finish(1, evaluator).unwrap_err().code(),
            Code::Overflow
        );
        let mut accumulator = Accumulator::new(&sum, context).unwrap();
        accumulator
            .update(evaluator, &batch, &Bitset::full(3), &groups, 1)
            .unwrap();
        assert_eq!(
            accumulator
                .finish(1, evaluator)
                .unwrap()
                .value(&FieldType::Integer, 0),
            int(i64::MAX)
        );
    });
}
