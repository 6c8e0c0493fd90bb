//! What an execution did, by the part of the plan that did it: a query, a nested list, a
//! collection, what is asked of a referred record.

use foldhash::HashMap;
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// What one part did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Work {
    /// Chunks read.
    pub chunks: u64,
    /// Chunks that summaries ruled out.
    pub skipped: u64,
    /// Entries of the text index read.
    pub postings: u64,
    /// Records looked at.
    pub records: u64,
    /// Records that met the conditions.
    pub passed: u64,
    /// Threads that worked at once; none where one did.
    pub threads: u64,
    pub groups: u64,
    /// Rows given.
    pub rows: u64,
    /// Times that it ran, for a part that runs more than once.
    pub runs: u64,
    /// What finding the records took.
    pub finding: Duration,
    /// What the part took in all.
    pub all: Duration,
}

/// The work of all parts. A part is known by its address in the folded tree, which stays in place
/// while the query runs.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    /// Whether to look at the clock at every batch.
    pub(super) timed: bool,
    parts: RefCell<HashMap<usize, Work>>,
    /// The part that scans belong to.
    current: Cell<usize>,
}

/// By what a part is known.
pub(crate) fn part<T>(of: &T) -> usize {
    std::ptr::from_ref(of).addr()
}

impl Work {
    fn add(&mut self, more: &Self) {
        self.chunks += more.chunks;
        self.skipped += more.skipped;
        self.postings += more.postings;
        self.records += more.records;
        self.passed += more.passed;
        self.threads = self.threads.max(more.threads);
        self.groups += more.groups;
        self.rows += more.rows;
        self.runs += more.runs;
        self.finding += more.finding;
        self.all += more.all;
    }
}

impl Profile {
    /// Nothing yet; the part at hand stays.
    pub(super) fn fork(&self) -> Self {
        Self {
            timed: self.timed,
            parts: RefCell::default(),
            current: self.current.clone(),
        }
    }

    /// Adds what others did.
    pub(super) fn merge(&self, other: &Self) {
        for (&part, work) in &*other.parts.borrow() {
            self.add(part, |own| own.add(work));
        }
    }

    /// What a part did, if it did anything.
    pub(crate) fn of(&self, part: usize) -> Option<Work> {
        self.parts.borrow().get(&part).copied()
    }

    pub(super) fn add(&self, part: usize, add: impl FnOnce(&mut Work)) {
        add(self.parts.borrow_mut().entry(part).or_default());
    }

    /// Adds to the part at hand.
    pub(super) fn add_here(&self, add: impl FnOnce(&mut Work)) {
        self.add(self.current.get(), add);
    }

    /// Runs a part: its scans are its own, and so is its time.
    pub(super) fn run<T>(&self, part: usize, work: impl FnOnce() -> T) -> T {
        let around = self.current.replace(part);
        let started = Instant::now();
        let done = work();
        self.add(part, |own| own.all += started.elapsed());
        self.current.set(around);
        done
    }

    /// Runs a step and gives what it took, if anybody wants to know.
    pub(super) fn clocked<T>(&self, step: impl FnOnce() -> T) -> (T, Duration) {
        if !self.timed {
            return (step(), Duration::ZERO);
        }
        let started = Instant::now();
        let done = step();
        (done, started.elapsed())
    }
}
