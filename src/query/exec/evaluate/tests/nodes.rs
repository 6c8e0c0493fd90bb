//! Tests of nodes and functions over frames, against values worked out by hand.

use super::*;
use proptest::prelude::*;

#[test]
fn conditions_know_two_truth_values() {
    let columns = [(&Type::INTEGER, vec![int(1), int(5), NONE])];
    let x = || slot(0, &Type::INTEGER);
    let three = || is(int(3), &Type::INTEGER);
    let less = || compare(Comparison::Less, x(), three());
    check(&columns, &less(), &truths(&[true, false, false]));
    let not = expr(Node::Not(Box::new(less())), Type::BOOLEAN);
    check(&columns, &not, &truths(&[false, true, true]));
    let flipped = compare(Comparison::Less, three(), x());
    check(&columns, &flipped, &truths(&[false, true, false]));
    let same = compare(Comparison::Equal, x(), x());
    check(&columns, &same, &truths(&[true, true, false]));
    let empty = || expr(Node::IsMissing(Box::new(x())), Type::BOOLEAN);
    check(&columns, &empty(), &truths(&[false, false, true]));
    let either = expr(Node::Or(vec![less(), empty()]), Type::BOOLEAN);
    check(&columns, &either, &truths(&[true, false, true]));
    let both = expr(Node::And(vec![not, empty()]), Type::BOOLEAN);
    check(&columns, &both, &truths(&[false, false, true]));
    let list = expr(
        Node::InList {
            value: Box::new(x()),
            list: vec![is(int(7), &Type::INTEGER), is(int(5), &Type::INTEGER)],
        },
        Type::BOOLEAN,
    );
    check(&columns, &list, &truths(&[false, true, false]));
}

#[test]
fn what_is_settled_before_is_not_computed_after() {
    let columns = [(&Type::INTEGER, vec![int(1), int(i64::MAX)])];
    let x = || slot(0, &Type::INTEGER);
    let next = calc(
        Arithmetic::Add,
        x(),
        is(int(1), &Type::INTEGER),
        Type::INTEGER,
    );
    assert_eq!(code_of(&columns, &next), Code::Overflow);
    let small = compare(Comparison::Less, x(), is(int(9), &Type::INTEGER));
    let two = compare(Comparison::Equal, next.clone(), is(int(2), &Type::INTEGER));
    let both = expr(Node::And(vec![small.clone(), two]), Type::BOOLEAN);
    check(&columns, &both, &truths(&[true, false]));
    let choice = call(
        Function::If,
        vec![small, next, is(NONE, &Type::INTEGER)],
        Type::INTEGER,
    );
    check(&columns, &choice, &[int(2), NONE]);
}

#[test]
fn arithmetic_of_each_type() {
    use Arithmetic::{Add, Divide, Multiply, Subtract};
    let n = &Type::NUMBER;
    let columns = [
        (n, vec![num(6.0), num(1.0), NONE]),
        (n, vec![num(4.0), num(0.0), num(2.0)]),
    ];
    let of = |operator| calc(operator, slot(0, n), slot(1, n), Type::NUMBER);
    check(&columns, &of(Add), &[num(10.0), num(1.0), NONE]);
    check(&columns, &of(Subtract), &[num(2.0), num(1.0), NONE]);
    check(&columns, &of(Multiply), &[num(24.0), num(0.0), NONE]);
    check(&columns, &of(Divide), &[num(1.5), NONE, NONE]);
    let columns = [(n, vec![num(1e300)])];
    let square = calc(Multiply, slot(0, n), slot(0, n), Type::NUMBER);
    assert_eq!(code_of(&columns, &square), Code::Overflow);

    let money = &Type::MONEY;
    let columns = [
        (money, vec![usd(30_001), usd(-30_001), NONE]),
        (n, vec![num(0.5), num(0.5), num(2.0)]),
        (money, vec![usd(10_000), usd(0), usd(1)]),
    ];
    let by = |operator, right, ty| calc(operator, slot(0, money), right, ty);
    let product = by(Multiply, slot(1, n), Type::MONEY);
    check(&columns, &product, &[usd(15_001), usd(-15_001), NONE]);
    let quotient = by(Divide, is(num(2.0), n), Type::MONEY);
    check(&columns, &quotient, &[usd(15_001), usd(-15_001), NONE]);
    let ratio = by(Divide, slot(2, money), Type::NUMBER);
    check(&columns, &ratio, &[num(3.0001), NONE, NONE]);
    let sum = by(Add, slot(2, money), Type::MONEY);
    check(&columns, &sum, &[usd(40_001), usd(-30_001), NONE]);
    let negative = expr(Node::Negate(Box::new(slot(0, money))), Type::MONEY);
    check(&columns, &negative, &[usd(-30_001), usd(30_001), NONE]);

    let moments = [moment("2026-03-29T01:30"), moment("2026-03-30T01:30"), NONE];
    let seconds = |n| Value::Duration(Duration::from_seconds(n));
    let columns = [
        (&Type::DATETIME, moments.to_vec()),
        (
            &Type::DURATION,
            vec![seconds(86_400), seconds(60), seconds(1)],
        ),
    ];
    let at = || slot(0, &Type::DATETIME);
    let moved = calc(Add, at(), slot(1, &Type::DURATION), Type::DATETIME);
    // A day of seconds over the spring change ends an hour later by the clock.
    let expected = [moment("2026-03-30T02:30"), moment("2026-03-30T01:31"), NONE];
    check(&columns, &moved, &expected);
    let back = calc(Subtract, moved, at(), Type::DURATION);
    check(&columns, &back, &[seconds(86_400), seconds(60), NONE]);
}

#[test]
fn money_of_another_currency_needs_a_rate() {
    let eur = Value::Money(Money::from_units(5, Currency::new("EUR").unwrap()));
    let money = &Type::MONEY;
    let base = |at| {
        let value = Box::new(slot(at, money));
        expr(Node::ToBase { value, on: None }, Type::MONEY)
    };
    let columns = [(money, vec![usd(7), NONE]), (money, vec![usd(1), eur])];
    check(&columns, &base(0), &[usd(7), NONE]);
    assert_eq!(code_of(&columns, &base(1)), Code::MissingRate);
}

#[test]
fn functions() {
    use Function as F;
    let n = &Type::NUMBER;
    let pair = [
        (n, vec![num(2.5), NONE, NONE]),
        (n, vec![num(-1.0), num(3.0), NONE]),
    ];
    let both = |function| call(function, vec![slot(0, n), slot(1, n)], Type::NUMBER);
    check(&pair, &both(F::Coalesce), &[num(2.5), num(3.0), NONE]);
    check(&pair, &both(F::Least), &[num(-1.0), num(3.0), NONE]);
    check(&pair, &both(F::Greatest), &[num(2.5), num(3.0), NONE]);

    let rounded = |function, ty: &Type, digits: Option<i64>, value: Value, expected: Value| {
        let mut arguments = vec![slot(0, ty)];
        arguments.extend(digits.map(|d| is(int(d), &Type::INTEGER)));
        let call = call(function, arguments, ty.clone());
        check(&[(ty, vec![value, NONE])], &call, &[expected, NONE]);
    };
    rounded(F::Round, n, None, num(-2.5), num(-3.0));
    rounded(F::Round, n, Some(1), num(2.25), num(2.3));
    rounded(F::Round, n, Some(-2), num(1250.0), num(1300.0));
    rounded(F::Floor, n, None, num(-2.5), num(-3.0));
    rounded(F::Ceil, n, None, num(-2.5), num(-2.0));
    rounded(F::Abs, n, None, num(-2.5), num(2.5));
    rounded(F::Round, &Type::INTEGER, Some(-2), int(-1250), int(-1300));
    rounded(F::Round, &Type::MONEY, None, usd(15_000), usd(20_000));
    rounded(F::Round, &Type::MONEY, Some(2), usd(12_349), usd(12_300));
    rounded(F::Floor, &Type::MONEY, None, usd(-1), usd(-10_000));

    let text = &Type::TEXT;
    let columns = [(text, vec![Value::text("\u{c4}b"), NONE])];
    let of = |function, ty: &Type| call(function, vec![slot(0, text)], ty.clone());
    check(
        &columns,
        &of(F::Lower, text),
        &[Value::text("\u{e4}b"), NONE],
    );
    check(
        &columns,
        &of(F::Upper, text),
        &[Value::text("\u{c4}B"), NONE],
    );
    check(&columns, &of(F::Length, &Type::INTEGER), &[int(2), NONE]);
    let joined = call(
        F::Concat,
        vec![slot(0, text), is(Value::text("!"), text)],
        Type::TEXT,
    );
    check(
        &columns,
        &joined,
        &[Value::text("\u{c4}b!"), Value::text("!")],
    );

    let days = [(&Type::DATE, vec![day("2026-05-15"), NONE])];
    let date = || slot(0, &Type::DATE);
    let whole = |function, arguments| call(function, arguments, Type::INTEGER);
    // 2026-05-15 is a Friday.
    check(&days, &whole(F::Weekday, vec![date()]), &[int(5), NONE]);
    check(&days, &whole(F::MonthOfYear, vec![date()]), &[int(5), NONE]);
    let until = is(day("2026-06-01"), &Type::DATE);
    check(
        &days,
        &whole(F::Days, vec![date(), until]),
        &[int(17), NONE],
    );
    let spans = [(
        &Type::PERIOD,
        vec![period("2026-01-01", "2026-02-01"), NONE],
    )];
    let span = || vec![slot(0, &Type::PERIOD)];
    check(&spans, &whole(F::DaysOf, span()), &[int(31), NONE]);
    let start = call(F::PeriodStart, span(), Type::DATE);
    check(&spans, &start, &[day("2026-01-01"), NONE]);
    let end = call(F::PeriodEnd, span(), Type::DATE);
    check(&spans, &end, &[day("2026-02-01"), NONE]);
}

#[test]
fn text_tags_and_labels() {
    let text = &Type::TEXT;
    let texts = vec![Value::text("Caf\u{e9} Noir"), Value::text("tea"), NONE];
    let columns = [
        (text, texts),
        (
            text,
            vec![Value::text("cafe"), Value::text("?EA"), Value::text("*")],
        ),
    ];
    let value = || Box::new(slot(0, text));
    let constant = |pattern: &str| Box::new(is(Value::text(pattern), text));
    let contains = |pattern| {
        expr(
            Node::Contains {
                value: value(),
                pattern,
            },
            Type::BOOLEAN,
        )
    };
    let like = |pattern| {
        expr(
            Node::Like {
                value: value(),
                pattern,
            },
            Type::BOOLEAN,
        )
    };
    check(
        &columns,
        &contains(constant("FE n")),
        &truths(&[true, false, false]),
    );
    check(
        &columns,
        &contains(Box::new(slot(1, text))),
        &truths(&[true, false, false]),
    );
    check(
        &columns,
        &like(constant("CAFE*")),
        &truths(&[true, false, false]),
    );
    check(
        &columns,
        &like(Box::new(slot(1, text))),
        &truths(&[false, true, false]),
    );
    let after = compare(
        Comparison::Greater,
        slot(0, text),
        is(Value::text("a"), text),
    );
    check(&columns, &after, &truths(&[false, true, false]));

    let tags = &Type::Tags(ACCOUNTS, FieldId(2));
    let set = |codes: &[u32]| Value::Tags(codes.iter().map(|&code| LabelCode(code)).collect());
    let columns = [(tags, vec![set(&[1, 4]), set(&[2]), NONE])];
    let label = LabelCode(4);
    let has = expr(
        Node::Has {
            value: Box::new(slot(0, tags)),
            label,
        },
        Type::BOOLEAN,
    );
    check(&columns, &has, &truths(&[true, false, false]));

    let tier = &Type::Label(ACCOUNTS, FieldId(2));
    let label = |code| Value::Label(LabelCode(code));
    let rank = expr(Node::Rank(Box::new(slot(0, tier))), Type::INTEGER);
    let columns = [(tier, vec![label(9), label(7), NONE])];
    check(&columns, &rank, &[int(0), int(2), NONE]);
}

#[test]
fn sets_and_objects() {
    let any = &Type::Plain(FieldType::AnyReference(vec![ACCOUNTS, DEALS]));
    let to = |object, id| Value::AnyReference(object, RecordId(id));
    let columns = [(any, vec![to(ACCOUNTS, 1), to(DEALS, 1), NONE])];
    let value = || Box::new(slot(0, any));
    let object = DEALS;
    let deal = expr(
        Node::IsObject {
            value: value(),
            object,
        },
        Type::BOOLEAN,
    );
    check(&columns, &deal, &truths(&[false, true, false]));
    let size = follow(slot(0, any), ACCOUNTS, field(1, Type::INTEGER));
    check(&columns, &size, &[int(3), NONE, NONE]);

    let account = &Type::Plain(FieldType::Reference(ACCOUNTS));
    let id = |id| Value::Reference(RecordId(id));
    let columns = [(account, vec![id(1), id(2), NONE])];
    let value = || Box::new(slot(0, account));
    let set = Arc::new(Bitset::from_fn(3, |at| at == 2));
    let test = expr(
        Node::InRecords {
            value: value(),
            set,
        },
        Type::BOOLEAN,
    );
    check(&columns, &test, &truths(&[false, true, false]));
    let set = Arc::from([1, 5]);
    let test = expr(
        Node::InIntegers {
            value: value(),
            set,
        },
        Type::BOOLEAN,
    );
    check(&columns, &test, &truths(&[true, false, false]));
}

proptest! {
    #[test]
    fn rows_do_not_depend_on_each_other(
        rows in proptest::collection::vec(
            (proptest::option::of(-40i64..40), proptest::option::of(-40i64..40)), 1..200),
        low in -40i64..40,
    ) {
        let whole = &Type::INTEGER;
        let value = |n: Option<i64>| n.map_or(NONE, Value::Integer);
        let columns = [
            (whole, rows.iter().map(|row| value(row.0)).collect()),
            (whole, rows.iter().map(|row| value(row.1)).collect()),
        ];
        let (a, b) = (|| slot(0, whole), || slot(1, whole));
        let product = calc(Arithmetic::Multiply, a(), b(), Type::INTEGER);
        let expected: Vec<_> =
            rows.iter().map(|row| value(row.0.zip(row.1).map(|(a, b)| a * b))).collect();
        check(&columns, &product, &expected);
        let below = compare(Comparison::LessEqual, product, is(int(low), whole));
        let choice = call(Function::If, vec![below, a(), b()], Type::INTEGER);
        let expected: Vec<_> = rows
            .iter()
            .map(|&(a, b)| match a.zip(b) {
                Some((x, y)) if x * y <= low => value(a),
                _ => value(b),
            })
            .collect();
        check(&columns, &choice, &expected);
    }
}
