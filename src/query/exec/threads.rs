//! Steps of one execution on several threads. What the steps give is taken in their order, on the
//! thread that asked, so that an answer is the same at any number of threads: its order, its sums
//! of floating-point numbers and its error.

use super::Evaluator;
use super::profile::Profile;
use crate::error::Result;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

/// Bundles of steps that a thread may be ahead of what is taken.
const AHEAD: usize = 4;
/// Steps in a bundle, at most.
const BUNDLE: usize = 8;

/// The threads that an execution may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Threads {
    pub most: usize,
    /// Work that is left when others join in, at least.
    pub worth: Duration,
}

impl Threads {
    pub(crate) const ONE: Self = Self::of(1);

    /// Several, where they pay: to start one and to wait for it may take half a millisecond.
    pub(crate) const fn of(most: usize) -> Self {
        Self {
            most,
            worth: Duration::from_micros(1500),
        }
    }

    /// Whether others are worth their start: after so many steps, which took `work` of `all` the
    /// time, the rest of which was spent on taking what they gave.
    fn pay(self, (work, all): (Duration, Duration), steps: usize, left: usize) -> bool {
        let share = left as f64 / steps.max(1) as f64;
        let enough = work.mul_f64(share) >= self.worth && 2 * work >= all;
        self.most > 1 && (self.worth.is_zero() || steps > 0 && enough)
    }
}

/// What the threads know of each other.
struct Board<R> {
    state: Mutex<State<R>>,
    changed: Condvar,
    bundles: usize,
    ahead: usize,
}

struct State<R> {
    /// The next bundle that nobody works on.
    next: usize,
    /// Bundles before this one were taken.
    taken: usize,
    /// What bundles gave, a panic included.
    done: BTreeMap<usize, thread::Result<R>>,
    stopped: bool,
}

/// Sends the other threads home when the one that takes is through, in whatever way.
struct Stop<'b, R>(&'b Board<R>);

impl<R> Drop for Stop<'_, R> {
    fn drop(&mut self) {
        self.0.lock().stopped = true;
        self.0.changed.notify_all();
    }
}

impl<R> Board<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State<R>>) -> MutexGuard<'s, State<R>> {
        let woken = self.changed.wait(state);
        woken.unwrap_or_else(PoisonError::into_inner)
    }

    /// The next bundle, if it may be worked on yet.
    fn claim(&self, state: &mut State<R>) -> Option<usize> {
        let next = state.next;
        let free = next < self.bundles && next < state.taken + self.ahead;
        state.next += usize::from(free);
        free.then_some(next)
    }

    /// Works on bundles until none is left.
    fn work(&self, bundle: impl Fn(usize) -> R) {
        let mut state = self.lock();
        while !state.stopped && state.next < self.bundles {
            let Some(at) = self.claim(&mut state) else {
                state = self.wait(state);
                continue;
            };
            drop(state);
            let done = catch_unwind(AssertUnwindSafe(|| bundle(at)));
            state = self.lock();
            state.done.insert(at, done);
            if at == state.taken {
                self.changed.notify_all();
            }
        }
    }

    /// What the next bundle gave; works on bundles itself until it is there.
    fn take(&self, bundle: impl Fn(usize) -> R) -> R {
        let mut state = self.lock();
        loop {
            let taken = state.taken;
            if let Some(done) = state.done.remove(&taken) {
                state.taken += 1;
                drop(state);
                self.changed.notify_all();
                return done.unwrap_or_else(|panic| resume_unwind(panic));
            }
            state = match self.claim(&mut state) {
                None => self.wait(state),
                Some(at) => {
                    drop(state);
                    let done = bundle(at);
                    let mut state = self.lock();
                    state.done.insert(at, Ok(done));
                    state
                }
            };
        }
    }
}

impl<'a> Evaluator<'a> {
    /// Takes what `count` steps give, in order, until that breaks off. The first steps run here:
    /// they fill what is kept, and tell whether the others are worth more threads.
    pub(super) fn in_order<T: Send>(
        &self,
        count: usize,
        step: impl Fn(&Self, usize) -> Result<T> + Sync,
        mut take: impl FnMut(T) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let (mut work, mut all) = (Duration::ZERO, Duration::ZERO);
        for at in 0..count {
            let left = count - at;
            if left > 1 && self.threads.pay((work, all), at.saturating_sub(1), left) {
                return self.at_once(at..count, &step, take);
            }
            let started = Instant::now();
            let given = step(self, at)?;
            let worked = started.elapsed();
            let done = take(given)?;
            if at > 0 {
                work += worked;
                all += started.elapsed();
            }
            if done.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn at_once<T: Send>(
        &self,
        steps: Range<usize>,
        step: &(impl Fn(&Self, usize) -> Result<T> + Sync),
        mut take: impl FnMut(T) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let threads = self.threads.most.min(steps.len());
        let size = (steps.len() / (AHEAD * threads)).clamp(1, BUNDLE);
        let bundles = steps.len().div_ceil(size);
        // Steps after one that fails are not asked for.
        let bundle = |evaluator: &Self, at: usize| {
            let first = steps.start + at * size;
            let mut given = Vec::with_capacity(size);
            for at in first..steps.end.min(first + size) {
                let done = step(evaluator, at);
                let failed = done.is_err();
                given.push(done);
                if failed {
                    break;
                }
            }
            given
        };
        let board = Board {
            state: Mutex::new(State {
                next: 0,
                taken: 0,
                done: BTreeMap::new(),
                stopped: false,
            }),
            changed: Condvar::new(),
            bundles,
            ahead: AHEAD * threads,
        };
        let (board, bundle) = (&board, &bundle);
        thread::scope(|scope| {
            // Where no thread can be had, this one does it all.
            let others: Vec<_> = (1..threads)
                .map_while(|_| {
                    let evaluator = self.fork();
                    let work = move || -> Profile {
                        board.work(|at| bundle(&evaluator, at));
                        evaluator.profile
                    };
                    let name = "fieldbook-scan".to_owned();
                    Builder::new().name(name).spawn_scoped(scope, work).ok()
                })
                .collect();
            self.profile.add_here(|own| {
                own.threads = own.threads.max(others.len() as u64 + 1);
            });
            let stop = Stop(board);
            let mut all = || {
                for _ in 0..bundles {
                    for given in board.take(|at| bundle(self, at)) {
                        if take(given?)?.is_break() {
                            return Ok(());
                        }
                    }
                }
                Ok(())
            };
            let done = all();
            drop(stop);
            for other in others {
                // Its panics were handed on with what it did.
                if let Ok(profile) = other.join() {
                    self.profile.merge(&profile);
                }
            }
            done
        })
    }
}
