//! The order of lines that name each other: each behind those it stands on, else as in the file.

use foldhash::HashMap;
use std::hash::{BuildHasher, RandomState};

/// What ties one line to others; texts that are the same name are equal here.
#[derive(Default)]
pub(super) struct Link {
    /// Names that its record will have.
    pub names: Vec<String>,
    /// Names of records that it refers to.
    pub wants: Vec<String>,
    /// The key by which it finds its record; lines of one key keep their order.
    pub key: Option<String>,
}

/// The links of all lines, some tens of bytes a line: of the texts only digests. Two that agree by
/// chance put one line behind another without need.
#[derive(Default)]
pub(super) struct Links {
    hasher: RandomState,
    digests: Vec<u64>,
    lines: Vec<Ends>,
    keys: Vec<u64>,
}

/// Where a line's names and wants end among the digests.
struct Ends {
    names: u32,
    wants: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub line: u32,
    /// Steps that must be done before.
    pub behind: u32,
    /// Whether it comes before a line it refers to, because they refer to each other.
    pub loose: bool,
}

/// No line.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    /// The number of steps with this one.
    Done(u32),
}

impl Links {
    pub(super) fn push(&mut self, link: &Link) {
        let digest = |text: &String| self.hasher.hash_one(text);
        self.digests.extend(link.names.iter().map(digest));
        let names = count(self.digests.len());
        self.digests.extend(link.wants.iter().map(digest));
        let wants = count(self.digests.len());
        self.lines.push(Ends { names, wants });
        if let Some(key) = &link.key {
            // The lines before it without a key have none.
            self.keys.resize(self.lines.len() - 1, 0);
            self.keys.push(digest(key).max(1));
        }
    }

    fn names(&self, line: usize) -> &[u64] {
        let start = line.checked_sub(1).map_or(0, |last| self.lines[last].wants);
        &self.digests[start as usize..self.lines[line].names as usize]
    }

    fn wants(&self, line: usize) -> &[u64] {
        let ends = &self.lines[line];
        &self.digests[ends.names as usize..ends.wants as usize]
    }

    /// All lines, each once.
    pub(super) fn order(self) -> Vec<Step> {
        let needs = Needs::new(self);
        let lines = needs.links.lines.len();
        let mut states = vec![State::New; lines];
        let mut steps = Vec::with_capacity(lines);
        let mut open: Vec<(usize, usize, bool)> = Vec::new();
        for first in 0..lines {
            if states[first] == State::New {
                states[first] = State::Open;
                open.push((first, 0, false));
            }
            while let Some((line, next, loose)) = open.last_mut() {
                let line = *line;
                if *next < needs.most(line) {
                    let need = needs.get(line, *next);
                    *next += 1;
                    match need.map(|need| (need, states[need])) {
                        Some((need, State::New)) => {
                            states[need] = State::Open;
                            open.push((need, 0, false));
                        }
                        // What comes first is the earlier line of the key.
                        Some((_, State::Open)) => *loose |= *next > 1,
                        Some((_, State::Done(_))) | None => {}
                    }
                    continue;
                }
                let all = (0..needs.most(line)).filter_map(|at| needs.get(line, at));
                let done = all.filter_map(|need| match states[need] {
                    State::Done(count) => Some(count),
                    _ => None,
                });
                steps.push(Step {
                    line: count(line),
                    behind: done.max().unwrap_or(0),
                    loose: *loose,
                });
                states[line] = State::Done(count(steps.len()));
                open.pop();
            }
        }
        steps
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The lines that each line needs.
struct Needs {
    links: Links,
    /// The line before of the same key, where any has a key.
    before: Vec<u32>,
    /// The first two lines of each name that is wanted: two make it ambiguous already.
    named: HashMap<u64, [u32; 2]>,
}

impl Needs {
    fn new(links: Links) -> Self {
        let mut named: HashMap<u64, [u32; 2]> = HashMap::default();
        for line in 0..links.lines.len() {
            named.extend(links.wants(line).iter().map(|name| (*name, [NONE; 2])));
        }
        let mut keys: HashMap<u64, (u32, u32)> = HashMap::default();
        let mut before = Vec::new();
        for line in 0..links.lines.len() {
            let at = count(line);
            let mut first = at;
            if let Some(key) = links.keys.get(line).filter(|key| **key > 0) {
                let (earliest, last) = keys.entry(*key).or_insert((at, NONE));
                first = *earliest;
                before.resize(line, NONE);
                before.push(std::mem::replace(last, at));
            }
            for name in links.names(line) {
                // A later line of the same record brings no other record.
                if let Some(found) = named.get_mut(name)
                    && !found.contains(&first)
                    && let Some(free) = found.iter_mut().find(|line| **line == NONE)
                {
                    *free = first;
                }
            }
        }
        Self {
            links,
            before,
            named,
        }
    }

    /// No line has needs at so many places.
    fn most(&self, line: usize) -> usize {
        1 + 2 * self.links.wants(line).len()
    }

    /// What a line needs at a place: at the first one a line of the same key, then those it names.
    fn get(&self, line: usize, at: usize) -> Option<usize> {
        let need = match at.checked_sub(1) {
            None => *self.before.get(line)?,
            Some(at) => self.named.get(&self.links.wants(line)[at / 2])?[at % 2],
        };
        (need != NONE).then_some(need as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as `name>wanted`, with `=key` behind.
    fn ordered(text: &str) -> String {
        let mut links = Links::default();
        text.split(' ').for_each(|line| {
            let (line, key) = line.split_once('=').unwrap_or((line, ""));
            let (name, wants) = line.split_once('>').unwrap_or((line, ""));
            let texts = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            links.push(&Link {
                names: texts(name).into_iter().collect(),
                wants: texts(wants).into_iter().collect(),
                key: texts(key),
            });
        });
        let shown = links.order().into_iter().map(|step| {
            let loose = if step.loose { "~" } else { "" };
            format!("{loose}{}/{}", step.line, step.behind)
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lines_stand_behind_those_they_name() {
        assert_eq!(ordered("a b c"), "0/0 1/0 2/0");
        assert_eq!(ordered("a b>a c>b d"), "0/0 1/1 2/2 3/0");
        assert_eq!(ordered("c>b x b>a a"), "3/0 2/1 0/2 1/0");
        assert_eq!(ordered("b>a a a"), "1/0 2/0 0/2");
        assert_eq!(ordered("b>nobody"), "0/0");
    }

    #[test]
    fn circles_have_one_loose_line() {
        assert_eq!(ordered("a>a"), "~0/0");
        assert_eq!(ordered("x>a a>b b>a"), "~2/0 1/1 0/2");
    }

    #[test]
    fn lines_of_one_key_keep_their_order() {
        assert_eq!(ordered("a>b=1 b=2 a=1"), "1/0 0/1 2/2");
        assert_eq!(ordered("c>a=3 a=1 a>z=1 z=4"), "1/0 0/1 3/0 2/3");
    }

    #[test]
    fn a_long_chain_takes_no_stack() {
        let mut links = Links::default();
        for n in 0..200_000 {
            links.push(&Link {
                names: vec![n.to_string()],
                wants: vec![(n + 1).to_string()],
                key: None,
            });
        }
        assert_eq!(links.order()[0].line, 199_999);
    }
}
