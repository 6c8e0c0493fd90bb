//! The order of lines that name each other: each behind those it stands on, else as in the file.

use std::collections::HashMap;

/// Lines of one name that count: two make it ambiguous already.
const SAME_NAME: usize = 2;

/// What ties one line to others; texts that are the same name are equal here.
#[derive(Default)]
pub(super) struct Links {
    /// Names that its record will have.
    pub names: Vec<String>,
    /// Names of records that it refers to.
    pub wants: Vec<String>,
    /// The key by which it finds its record; lines of one key keep their order.
    pub key: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub line: usize,
    /// Steps that must be done before.
    pub behind: usize,
    /// Whether it comes before a line it refers to, because they refer to each other.
    pub loose: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    /// The number of steps with this one.
    Done(usize),
}

/// All lines, each once.
pub(super) fn order(lines: &[Links]) -> Vec<Step> {
    let needs = needs(lines);
    let mut states = vec![State::New; lines.len()];
    let mut steps = Vec::with_capacity(lines.len());
    let mut open: Vec<(usize, usize, bool)> = Vec::new();
    for first in 0..lines.len() {
        if states[first] == State::New {
            states[first] = State::Open;
            open.push((first, 0, false));
        }
        while let Some((line, next, loose)) = open.last_mut() {
            let line = *line;
            if let Some(&(need, named)) = needs[line].get(*next) {
                *next += 1;
                match states[need] {
                    State::New => {
                        states[need] = State::Open;
                        open.push((need, 0, false));
                    }
                    State::Open => *loose |= named,
                    State::Done(_) => {}
                }
                continue;
            }
            let done = needs[line]
                .iter()
                .filter_map(|(need, _)| match states[*need] {
                    State::Done(count) => Some(count),
                    _ => None,
                });
            steps.push(Step {
                line,
                behind: done.max().unwrap_or(0),
                loose: *loose,
            });
            states[line] = State::Done(steps.len());
            open.pop();
        }
    }
    steps
}

/// The lines that each line needs, and whether it names them.
fn needs(lines: &[Links]) -> Vec<Vec<(usize, bool)>> {
    let mut named: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut keys: HashMap<&str, (usize, usize)> = HashMap::new();
    let mut needs: Vec<Vec<(usize, bool)>> = vec![Vec::new(); lines.len()];
    for (at, line) in lines.iter().enumerate() {
        let mut first = at;
        if let Some(key) = &line.key {
            let (earliest, last) = keys.entry(key).or_insert((at, at));
            if *last != at {
                needs[at].push((*last, false));
            }
            first = *earliest;
            *last = at;
        }
        for name in &line.names {
            let found = named.entry(name).or_default();
            // A later line of the same record brings no other record.
            if found.len() < SAME_NAME && !found.contains(&first) {
                found.push(first);
            }
        }
    }
    for (at, line) in lines.iter().enumerate() {
        let wanted = line.wants.iter().filter_map(|name| named.get(&**name));
        needs[at].extend(wanted.flatten().map(|need| (*need, true)));
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as `name>wanted`, with `=key` behind.
    fn ordered(text: &str) -> String {
        let lines: Vec<_> = text
            .split(' ')
            .map(|line| {
                let (line, key) = line.split_once('=').unwrap_or((line, ""));
                let (name, wants) = line.split_once('>').unwrap_or((line, ""));
                let texts = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
                Links {
                    names: texts(name).into_iter().collect(),
                    wants: texts(wants).into_iter().collect(),
                    key: texts(key),
                }
            })
            .collect();
        let shown = order(&lines).into_iter().map(|step| {
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
        let lines: Vec<_> = (0..200_000)
            .map(|n| Links {
                names: vec![n.to_string()],
                wants: vec![(n + 1).to_string()],
                key: None,
            })
            .collect();
        assert_eq!(order(&lines)[0].line, 199_999);
    }
}
