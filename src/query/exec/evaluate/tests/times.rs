//! Tests of casts and of time, against values worked out by hand.

use super::*;

#[test]
fn casts() {
    let cast = |from: &Type, to: &Type, value: Value, expected: Value| {
        let cast = expr(Node::Cast(Box::new(slot(0, from))), to.clone());
        check(&[(from, vec![value, NONE])], &cast, &[expected, NONE]);
    };
    let percent = &Type::Plain(FieldType::Percent);
    let n = &Type::NUMBER;
    cast(&Type::INTEGER, n, int(3), num(3.0));
    cast(&Type::INTEGER, &Type::MONEY, int(3), usd(30_000));
    cast(n, &Type::MONEY, num(1.23456), usd(12_346));
    cast(&Type::MONEY, n, usd(12_345), num(1.2345));
    cast(percent, n, num(0.4), num(0.4));
    cast(
        &Type::DATE,
        &Type::DATETIME,
        day("2026-07-01"),
        moment("2026-07-01T00:00"),
    );
    cast(
        &Type::DATETIME,
        &Type::DATE,
        moment("2026-07-01T00:10"),
        day("2026-07-01"),
    );
    cast(&Type::TEXT, n, Value::text("1,200"), num(1200.0));
    cast(&Type::TEXT, n, Value::text(" "), NONE);
    let any = &Type::Plain(FieldType::AnyReference(vec![ACCOUNTS, DEALS]));
    let deal = &Type::Plain(FieldType::Reference(DEALS));
    let reference = Value::Reference(RecordId(4));
    cast(
        deal,
        any,
        reference,
        Value::AnyReference(DEALS, RecordId(4)),
    );
    let bad = expr(Node::Cast(Box::new(slot(0, &Type::TEXT))), Type::NUMBER);
    assert_eq!(
        code_of(&[(&Type::TEXT, vec![Value::text("x")])], &bad),
        Code::BadValue
    );
}

#[test]
fn time_in_periods() {
    let inside = |ty: &Type, value: Value, expected: bool| {
        let quarter = period("2026-07-01", "2026-10-01");
        let columns = [
            (ty, vec![value, NONE]),
            (&Type::PERIOD, vec![quarter.clone(), quarter.clone()]),
        ];
        for other in [is(quarter.clone(), &Type::PERIOD), slot(1, &Type::PERIOD)] {
            let (value, period) = (Box::new(slot(0, ty)), Box::new(other));
            let test = expr(Node::InPeriod { value, period }, Type::BOOLEAN);
            check(&columns, &test, &truths(&[expected, false]));
        }
    };
    inside(&Type::DATE, day("2026-06-30"), false);
    inside(&Type::DATE, day("2026-07-01"), true);
    inside(&Type::DATE, day("2026-10-01"), false);
    inside(&Type::DATETIME, moment("2026-06-30T23:59"), false);
    inside(&Type::DATETIME, moment("2026-07-01T00:00"), true);
    inside(&Type::DATETIME, moment("2026-09-30T23:59"), true);
    inside(&Type::DATETIME, moment("2026-10-01T00:00"), false);
    inside(&Type::PERIOD, period("2026-07-01", "2026-08-01"), true);
    inside(&Type::PERIOD, period("2026-07-01", "2026-10-02"), false);

    let days = [
        day("2026-01-31"),
        day("2026-12-31"),
        day("2300-02-28"),
        NONE,
    ];
    let columns = [(&Type::DATE, days.to_vec())];
    let bucket = |unit| {
        let value = Box::new(slot(0, &Type::DATE));
        expr(Node::Bucket { unit, value }, Type::PERIOD)
    };
    let months = [
        period("2026-01-01", "2026-02-01"),
        period("2026-12-01", "2027-01-01"),
        period("2300-02-01", "2300-03-01"),
        NONE,
    ];
    check(&columns, &bucket(Unit::Month), &months);
    check(
        &[(&Type::DATE, days[..2].to_vec())],
        &bucket(Unit::Month),
        &months[..2],
    );
    let shift = |months, days, seconds, ty: &Type| {
        let value = Box::new(slot(0, ty));
        expr(
            Node::Shift {
                times: None,
                value,
                months,
                days,
                seconds,
            },
            ty.clone(),
        )
    };
    let moved = [
        day("2026-02-28"),
        day("2027-01-31"),
        day("2300-03-28"),
        NONE,
    ];
    check(&columns, &shift(1, 0, 0, &Type::DATE), &moved);
    // A calendar day over the spring change keeps the time of day.
    let columns = [(&Type::DATETIME, vec![moment("2026-03-28T12:00")])];
    check(
        &columns,
        &shift(0, 1, 60, &Type::DATETIME),
        &[moment("2026-03-29T12:01")],
    );
}
