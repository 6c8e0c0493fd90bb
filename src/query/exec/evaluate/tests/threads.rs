//! Tests of steps on several threads.

use super::*;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

fn on<R>(most: usize, run: impl FnOnce(&Evaluator<'_>) -> R) -> R {
    with(|_, context| {
        let mut evaluator = Evaluator::new(context);
        evaluator.threads = Threads {
            most,
            worth: Duration::ZERO,
        };
        run(&evaluator)
    })
}

/// What is taken of steps that all take some time, the first of a bundle the longest.
fn taken(
    most: usize,
    count: usize,
    fails: impl Fn(usize) -> bool + Sync,
    end: usize,
) -> (Vec<usize>, Result<()>) {
    let mut taken = Vec::new();
    let step = |_: &Evaluator<'_>, at: usize| {
        thread::sleep(Duration::from_micros(if at.is_multiple_of(5) {
            900
        } else {
            50
        }));
        match fails(at) {
            true => Err(Error::new(Code::Limit, format!("step {at}"))),
            false => Ok(at),
        }
    };
    let done = on(most, |evaluator| {
        evaluator.in_order(count, step, |at| {
            taken.push(at);
            Ok(match at == end {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        })
    });
    (taken, done)
}

#[test]
fn steps_are_taken_in_order_until_one_breaks_off_or_fails() {
    for most in [1, 2, 3, 8] {
        for count in [0, 1, 2, 7, 100] {
            let (all, done) = taken(most, count, |_| false, usize::MAX);
            assert_eq!(all, (0..count).collect::<Vec<_>>());
            done.unwrap();
        }
        let (some, done) = taken(most, 100, |at| at > 57, 40);
        assert_eq!(some, (0..=40).collect::<Vec<_>>());
        done.unwrap();
        let (some, done) = taken(most, 100, |at| at >= 57, usize::MAX);
        assert_eq!(some, (0..57).collect::<Vec<_>>());
        assert_eq!(done.unwrap_err().to_string(), "limit: step 57");
    }
}

#[test]
fn several_threads_work_at_once() {
    let seen = Mutex::new(HashSet::new());
    let step = |_: &Evaluator<'_>, _: usize| {
        seen.lock().unwrap().insert(thread::current().id());
        thread::sleep(Duration::from_millis(5));
        Ok(())
    };
    on(3, |evaluator| {
        evaluator
            .in_order(60, step, |()| Ok(ControlFlow::Continue(())))
            .unwrap();
    });
    assert!((2..=3).contains(&seen.into_inner().unwrap().len()));
}

#[test]
fn a_panic_of_another_thread_is_handed_on() {
    for most in [1, 2, 4] {
        let step = |_: &Evaluator<'_>, at: usize| {
            thread::sleep(Duration::from_micros(100));
            assert_ne!(at, 33, "the step that panics");
            Ok(at)
        };
        let run = || {
            on(most, |evaluator| {
                evaluator.in_order(100, step, |_| Ok(ControlFlow::Continue(())))
            })
        };
        let panic = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(message.contains("the step that panics"), "{message}");
    }
}
