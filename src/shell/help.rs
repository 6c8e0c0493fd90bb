//! What `.help WORD` says of the language: the entry of that word in `docs/query-language.md`.

/// The reference; `# ` begins a part of it, `### ` an entry with its words.
const PAGE: &str = include_str!("../../docs/query-language.md");

/// An entry of the reference.
pub(super) struct Entry {
    /// The part of the reference that it stands in: `functions`.
    pub(super) part: &'static str,
    pub(super) words: Vec<&'static str>,
    text: &'static str,
}

/// Every entry, in the order of the page.
pub(super) fn entries() -> Vec<Entry> {
    let mut found = Vec::new();
    for part in PAGE.split("\n# Reference: ").skip(1) {
        let (name, part) = part.split_once('\n').unwrap_or((part, ""));
        for entry in part.split("\n### ").skip(1) {
            let (words, text) = entry.split_once('\n').unwrap_or((entry, ""));
            found.push(Entry {
                part: name,
                words: words.split(", ").collect(),
                text: text.trim(),
            });
        }
    }
    found
}

/// The entry of a word.
pub(super) fn find(word: &str) -> Option<Entry> {
    let percentile = word
        .strip_prefix(['p', 'P'])
        .and_then(|rank| rank.parse().ok());
    let word = match percentile {
        Some(1..=99_u8) => "percentile",
        _ => word,
    };
    let same = |known: &&str| known.eq_ignore_ascii_case(word);
    entries()
        .into_iter()
        .find(|entry| entry.words.iter().any(same))
}

impl Entry {
    /// The entry for a terminal: paragraphs are filled, examples indented instead of fenced.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut paragraph = Vec::new();
        let mut example = false;
        for line in self.text.lines().chain([""]) {
            let fence = line.starts_with("```");
            if fence || line.is_empty() || line.starts_with("- ") {
                text.push_str(&fill(&paragraph));
                paragraph.clear();
            }
            if fence {
                example = !example;
            } else if example {
                text.push_str(&format!("  {line}\n"));
            } else if line.is_empty() {
                text.push('\n');
            } else {
                paragraph.extend(line.split_whitespace());
            }
        }
        text
    }
}

/// Words in lines of at most 80 characters.
pub(super) fn fill(words: &[&str]) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in words {
        let long = word.chars().count();
        if width > 0 && width + 1 + long > 80 {
            text.push('\n');
            width = 0;
        } else if width > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += long;
    }
    if width > 0 {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query;

    #[test]
    fn every_function_and_reserved_word_has_an_entry() {
        let without: Vec<_> = query::words().filter(|word| find(word).is_none()).collect();
        assert!(without.is_empty(), "no entry for {without:?}");
        assert!(find("no such word").is_none());
    }

    #[test]
    fn no_word_has_two_entries() {
        let entries = entries();
        let mut words: Vec<_> = entries.iter().flat_map(|entry| &entry.words).collect();
        let all = words.len();
        words.sort();
        words.dedup();
        assert_eq!(words.len(), all);
        assert!(
            entries
                .iter()
                .all(|entry| entry.text.contains("```fieldbook"))
        );
    }
}
