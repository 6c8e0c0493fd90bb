//! Statements, made up. Numbers pick among what there is.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample;

/// A statement. New kinds of statements go here, into [`op`] and into `Model::apply`.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    AddFirm(Option<i64>, Option<usize>),
    AddPerson(Option<u8>, Option<usize>, Option<usize>),
    AddOrders(usize, Option<usize>, i64),
    /// Who, and what of a field that was added.
    AddVisit(Option<usize>, usize),
    Resize(usize, Option<i64>),
    /// Only if nobody changed the firm since a transaction.
    ResizeUnchanged(usize, i64, usize),
    Grow(i64, i64),
    Charge(i64, i64),
    MoveFirm(usize, Option<usize>),
    MovePerson(usize, Option<usize>, Option<usize>),
    MoveOrder(usize, Option<usize>),
    Call(usize, usize, Option<usize>),
    /// Two records get each other's names.
    Swap(usize, usize, usize),
    Delete(usize, usize),
    DeleteFirms(i64),
    DeleteOrders(i64),
    /// What the record of an object that was deleted last referred to.
    DeleteReferred(usize, usize),
    Upsert(Vec<(Option<usize>, Option<i64>)>),
    UpsertPeople(Vec<(u8, Option<usize>)>),
    UpsertOrders(Vec<(usize, i64)>),
    /// An order for each firm of a size.
    UpsertFrom(i64, i64),
    /// Lines of names and sizes; -1 is no number.
    Import(Vec<(Option<usize>, Option<i64>)>),
    /// Lines of addresses, names, and firms that perhaps come with them.
    ImportPeople(Vec<(Option<u8>, Option<usize>, Option<usize>)>),
    /// By label, often the one of the object that was deleted last, or by a size that they had, or all.
    Restore(usize, Option<usize>),
    RestoreFirms(i64),
    /// The source, the target, what is kept, and what of single fields.
    Merge(usize, usize, usize, u8, Vec<(usize, u8)>),
    Undo,
    UndoNumber(usize),
    Redo,
    SetField(usize, usize, usize, Option<usize>),
    /// The same for all records of an object.
    SetFields(usize, usize, Option<usize>),
    /// A field with labels, a record and the label.
    SetLabel(usize, usize, usize, usize),
    /// All records that have a label of a field lose it.
    EmptyLabel(usize, usize, usize),
    Unknown,
    DryRun(Box<Op>),
    /// Of an object.
    Alter(usize, Alter),
    CreateVisits,
    /// One that all others refer to, or one that may go.
    DropObject(usize),
    /// Of an object and a field, what it shows.
    CreateView(usize, usize, u8),
    DropView(usize),
}

/// A change of the definitions.
#[derive(Clone, Debug)]
pub(crate) enum Alter {
    AddField(u8),
    DropField(usize),
    RenameField(usize),
    RenameObject,
    Retype(usize, u8),
    /// Perhaps one that was there before.
    AddLabel(usize, bool),
    RenameLabel(usize, usize),
    DropLabel(usize, usize),
    Reorder(usize, usize),
    AddIndex(usize, bool),
    /// That a number is not above one.
    AddCheck(i64),
    DropIndex(usize),
    /// An index over two fields.
    AddJoint(usize, usize, bool),
    DropJoint(usize),
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let at = || 0..64_usize;
    let maybe = || option::of(0..64_usize);
    let number = || 0..6_i64;
    let object = || 0..4_usize;
    let lines = |low| vec((maybe(), option::of(low..6_i64)), 1..5);
    let adding = prop_oneof![
        4 => (option::of(number()), maybe()).prop_map(|(a, b)| Op::AddFirm(a, b)),
        4 => (option::of(0..9_u8), maybe(), option::weighted(0.9, at()))
            .prop_map(|(a, b, c)| Op::AddPerson(a, b, c)),
        4 => (1..3_usize, option::weighted(0.9, at()), -1..5_i64)
            .prop_map(|(a, b, c)| Op::AddOrders(a, b, c)),
        1 => at().prop_map(|a| Op::AddOrders(90, Some(a), 3)),
        2 => lines(0).prop_map(Op::Upsert),
        2 => (vec((0..9_u8, maybe()), 1..4), any::<bool>())
            .prop_map(|(rows, twice)| Op::UpsertPeople(first_again(rows, twice))),
        2 => (vec((at(), number()), 1..4), any::<bool>())
            .prop_map(|(rows, twice)| Op::UpsertOrders(first_again(rows, twice))),
        1 => (number(), number()).prop_map(|(a, b)| Op::UpsertFrom(a, b)),
        2 => lines(-1).prop_map(Op::Import),
        2 => vec((option::weighted(0.9, 0..9_u8), option::weighted(0.3, at()), maybe()), 1..5)
            .prop_map(Op::ImportPeople),
        6 => (option::weighted(0.9, at()), at()).prop_map(|(a, b)| Op::AddVisit(a, b)),
    ];
    let changing = prop_oneof![
        3 => (at(), option::of(number())).prop_map(|(a, b)| Op::Resize(a, b)),
        1 => (at(), number(), at()).prop_map(|(a, b, c)| Op::ResizeUnchanged(a, b, c)),
        2 => (number(), number()).prop_map(|(a, b)| Op::Grow(a, b)),
        2 => (number(), number()).prop_map(|(a, b)| Op::Charge(a, b)),
        3 => (at(), maybe()).prop_map(|(a, b)| Op::MoveFirm(a, b)),
        2 => (at(), maybe(), maybe()).prop_map(|(a, b, c)| Op::MovePerson(a, b, c)),
        2 => (at(), option::weighted(0.7, at())).prop_map(|(a, b)| Op::MoveOrder(a, b)),
        3 => (object(), at(), maybe()).prop_map(|(a, b, c)| Op::Call(a, b, c)),
        1 => (object(), at(), at()).prop_map(|(a, b, c)| Op::Swap(a, b, c)),
        6 => (object(), at(), at(), maybe()).prop_map(|(a, b, c, d)| Op::SetField(a, b, c, d)),
        4 => (object(), at(), option::weighted(0.9, at())).prop_map(|(a, b, c)| Op::SetFields(a, b, c)),
        1 => Just(Op::Unknown),
    ];
    let deleting = prop_oneof![
        6 => (object(), at()).prop_map(|(a, b)| Op::Delete(a, b)),
        1 => number().prop_map(Op::DeleteFirms),
        1 => number().prop_map(Op::DeleteOrders),
    ];
    let returning = prop_oneof![
        6 => (object(), maybe()).prop_map(|(a, b)| Op::Restore(a, b)),
        1 => number().prop_map(Op::RestoreFirms),
        8 => Just(Op::Undo),
        3 => at().prop_map(Op::UndoNumber),
        4 => Just(Op::Redo),
    ];
    let side = || 0..3_u8;
    let merging = (object(), at(), at(), 0..4_u8, vec((at(), side()), 0..4))
        .prop_map(|(a, b, c, d, e)| Op::Merge(a, b, c, d, e));
    let plain =
        prop_oneof![9 => adding, 9 => changing, 5 => deleting, 8 => returning, 5 => merging]
            .boxed();
    let dry = plain.clone().prop_map(|op| Op::DryRun(Box::new(op)));
    let defining = define().boxed();
    let no_dry = defining.clone().prop_map(|op| Op::DryRun(Box::new(op)));
    prop_oneof![60 => plain, 4 => dry, 18 => defining, 1 => no_dry]
}

/// A statement about objects, fields, labels, indexes and views.
pub(crate) fn define() -> impl Strategy<Value = Op> {
    let at = || 0..64_usize;
    let object = || 0..4_usize;
    let defining = prop_oneof![
        6 => (0..15_u8).prop_map(Alter::AddField),
        1 => at().prop_map(Alter::DropField),
        3 => at().prop_map(Alter::RenameField),
        2 => Just(Alter::RenameObject),
        8 => (at(), 0..9_u8).prop_map(|(a, b)| Alter::Retype(a, b)),
        3 => (at(), any::<bool>()).prop_map(|(a, b)| Alter::AddLabel(a, b)),
        1 => (at(), at()).prop_map(|(a, b)| Alter::RenameLabel(a, b)),
        3 => (at(), at()).prop_map(|(a, b)| Alter::DropLabel(a, b)),
        3 => (at(), at()).prop_map(|(a, b)| Alter::Reorder(a, b)),
        2 => (at(), prop::bool::weighted(0.3)).prop_map(|(a, b)| Alter::AddIndex(a, b)),
        1 => at().prop_map(Alter::DropIndex),
        3 => (at(), at(), prop::bool::weighted(0.3))
            .prop_map(|(a, b, c)| Alter::AddJoint(a, b, c)),
        1 => at().prop_map(Alter::DropJoint),
        1 => (6..40_i64).prop_map(Alter::AddCheck),
    ];
    prop_oneof![
        12 => (object(), defining).prop_map(|(a, b)| Op::Alter(a, b)),
        3 => Just(Op::CreateVisits),
        2 => prop_oneof![1 => Just(0), 2 => Just(3)].prop_map(Op::DropObject),
        4 => (object(), at(), 0..4_u8).prop_map(|(a, b, c)| Op::CreateView(a, b, c)),
        1 => at().prop_map(Op::DropView),
    ]
}

/// Rows of which the last one may have the key of the first.
fn first_again<T: Clone>(mut rows: Vec<T>, twice: bool) -> Vec<T> {
    let first = rows.first().filter(|_| twice).cloned();
    rows.extend(first);
    rows
}

/// Transactions about one thing, one after the other, each by the first or the second of two.
pub(crate) fn story() -> impl Strategy<Value = Vec<(usize, Vec<Op>)>> {
    let at = || 0..64_usize;
    let flag = any::<bool>;
    let comes_back = |object| Op::Restore(object, Some(0));
    prop_oneof![
        // Twice gone, and another one in between.
        2 => (1..4_usize, at(), at(), at()).prop_map(move |(o, k, field, value)| {
            let gone = (0, vec![Op::Delete(o, k)]);
            let back = vec![comes_back(o), Op::SetField(o, field, k, Some(value))];
            vec![gone.clone(), (0, back), gone]
        }),
        // Back without what it refers to.
        3 => (sample::select(vec![1, 1, 1, 2, 3, 3_usize]), at(), at()).prop_map(move |(o, k, nth)| {
            let gone = vec![Op::DeleteReferred(o, nth)];
            vec![(0, vec![Op::Delete(o, k)]), (0, gone), (1, vec![comes_back(o)])]
        }),
        // A label goes and comes, and so does who had it.
        3 => (0..4_usize, at(), at(), at(), (flag(), flag())).prop_map(
            move |(o, field, k, label, (dies, again))| {
                let mut all = vec![(0, vec![Op::SetLabel(o, field, k, label)])];
                if dies {
                    all.push((0, vec![Op::Delete(o, k)]));
                }
                all.push((1, vec![Op::EmptyLabel(o, field, label)]));
                all.push((0, vec![Op::Alter(o, Alter::DropLabel(field, label))]));
                all.push((0, vec![Op::Alter(o, Alter::AddLabel(field, again))]));
                all.push((1, vec![if dies { comes_back(o) } else { Op::Undo }]));
                all
            },
        ),
        // What one did is undone, and what another did to the same record is not.
        2 => (0..4_usize, at(), at(), at()).prop_map(|(o, field, k, value)| {
            let first = vec![Op::SetField(o, field, k, Some(value))];
            let second = vec![Op::SetField(o, field + 1, k, Some(value / 2))];
            vec![(0, first), (1, second), (0, vec![Op::Undo])]
        }),
        // The value that was set last wins, also after its record came back.
        2 => (sample::select(vec![0, 1, 3_usize]), at(), (at(), at()), (at(), at()), flag())
            .prop_map(move |(o, field, (a, b), (one, other), dies)| {
                let mut all = vec![(0, vec![Op::SetField(o, field, a, Some(one))])];
                if dies {
                    all.push((0, vec![Op::SetField(o, field, b, Some(other)), Op::Delete(o, a)]));
                    all.push((0, vec![comes_back(o)]));
                } else {
                    all.push((1, vec![Op::SetField(o, field, b, Some(other))]));
                }
                all.push((0, vec![Op::Merge(o, a, b, 2, Vec::new())]));
                all
            }),
    ]
}

/// A record is changed, goes and comes back, perhaps to be changed again.
pub(crate) fn churn() -> impl Strategy<Value = Vec<Op>> {
    let at = 0..64_usize;
    (0..4_usize, at, any::<bool>()).prop_map(|(object, at, again)| {
        let mut ops = vec![
            Op::SetField(object, at, at, Some(at)),
            Op::Delete(object, at),
            Op::Restore(object, Some(0)),
        ];
        if again {
            ops.extend([
                Op::SetField(object, at, at, Some(at / 2)),
                Op::Delete(object, at),
            ]);
        }
        ops
    })
}

/// Statements about a record or two, so that they may not go together.
pub(crate) fn clash() -> impl Strategy<Value = [Vec<Op>; 2]> {
    (0..64_usize, 0..64_usize, 0..5_u8).prop_flat_map(|(k, m, theme)| {
        let mail = 4 + k as u8 % 5;
        let ops = match theme {
            0 => vec![Op::MoveFirm(k, Some(m)), Op::MoveFirm(m, Some(k))],
            1 => vec![
                Op::AddPerson(Some(mail), Some(k), None),
                Op::UpsertPeople(vec![(mail, Some(m))]),
                Op::AddPerson(Some(mail), None, Some(k)),
            ],
            2 => vec![
                Op::Delete(0, k),
                Op::AddOrders(1, Some(k), 2),
                Op::AddPerson(None, Some(k), None),
                Op::Merge(0, k, m, 0, Vec::new()),
                Op::Resize(k, Some(3)),
            ],
            3 => vec![
                Op::Delete(1, k),
                Op::AddVisit(Some(k), m),
                Op::MovePerson(m, None, Some(k)),
                Op::Merge(1, k, m, 0, Vec::new()),
            ],
            _ => vec![
                Op::Undo,
                Op::UndoNumber(k),
                Op::Redo,
                Op::Restore(1, Some(k)),
            ],
        };
        let one = sample::select(ops).prop_map(|op| vec![op]);
        [one.clone(), one]
    })
}
