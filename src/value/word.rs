//! The words of a text, and how near one of them is to a word somebody looks for. Not patterns:
//! `~` and `like` compare whole texts.

use super::{FieldType, fold};
use crate::error::edit_distance;
use std::ops::Range;
use unicode_normalization::char::canonical_combining_class;

/// Words are known by at most this many bytes of their folded text.
const WORD_BYTES: usize = 64;

/// Letters from which a word may differ in one edit, and in two.
const ONE_EDIT: usize = 4;
const TWO_EDITS: usize = 8;

/// How near a word of a text is to the one looked for, the nearest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Closeness {
    TwoEdits,
    OneEdit,
    /// The word begins with the one looked for.
    Prefix,
    Exact,
}

/// Calls `each` with the words of `text`, folded, and where each stands in it. Whatever is
/// neither letter nor digit, nor a mark that belongs to one, parts words.
fn each_word(text: &str, mut each: impl FnMut(Range<usize>, &str)) {
    if text.is_ascii() {
        let mut start = 0;
        let mut lower = String::new();
        for part in text.split(|c: char| !c.is_ascii_alphanumeric()) {
            let end = start + part.len();
            if part.bytes().any(|b| b.is_ascii_uppercase()) {
                lower.clear();
                lower.extend(part.chars().map(|c| c.to_ascii_lowercase()));
                each(start..end, cut(&lower));
            } else if !part.is_empty() {
                each(start..end, cut(part));
            }
            start = end + 1;
        }
        return;
    }
    let mut start = 0;
    for part in text.split_inclusive(|c| !is_part(c)) {
        let word = part.trim_end_matches(|c| !is_part(c));
        let folded = fold(word);
        for piece in folded.split(|c| !is_letter(c)) {
            if !piece.is_empty() {
                each(start..start + word.len(), cut(piece));
            }
        }
        start += part.len();
    }
}

/// Calls `each` with the words of a field's text. A phone number is also one word of all its
/// digits, and one of those behind its country code.
pub(crate) fn each_word_of(ty: &FieldType, text: &str, mut each: impl FnMut(Range<usize>, &str)) {
    each_word(text, &mut each);
    if *ty != FieldType::Phone {
        return;
    }
    // An extension or a remark ends the number.
    let mut groups: Vec<(Range<usize>, String)> = Vec::new();
    let mut ended = false;
    each_word(text, |place, word| {
        ended |= !word.bytes().all(|b| b.is_ascii_digit());
        if !ended {
            groups.push((place, word.to_owned()));
        }
    });
    let mut joined = |groups: &[(Range<usize>, String)]| {
        if let [(first, _), .., (last, _)] = groups {
            let digits: String = groups.iter().map(|(_, digits)| digits.as_str()).collect();
            each(first.start..last.end, cut(&digits));
        }
    };
    joined(&groups);
    if text.trim_start().starts_with('+') {
        joined(groups.get(1..).unwrap_or_default());
    }
}

/// Whether a character of a folded text belongs to a word.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || canonical_combining_class(c) != 0
}

/// Whether a character of a text as written belongs to a word.
fn is_part(c: char) -> bool {
    let mut bytes = [0; 4];
    is_letter(c) || !c.is_ascii() && fold(c.encode_utf8(&mut bytes)).chars().any(is_letter)
}

fn cut(word: &str) -> &str {
    &word[..word.floor_char_boundary(WORD_BYTES)]
}

/// How many letters a word has, if it has no digit: only such words are met with a typo.
pub(crate) fn letters(word: &str) -> Option<usize> {
    (!word.chars().any(char::is_numeric)).then(|| word.chars().count())
}

/// The length of a text of so many words, in eight steps.
pub(crate) fn length_band(words: usize) -> u8 {
    match words {
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 3,
        5..=6 => 4,
        7..=10 => 5,
        11..=20 => 6,
        _ => 7,
    }
}

/// A word looked for.
#[derive(Clone, Debug)]
pub(crate) struct Sought {
    pub text: String,
    /// Whether longer words that begin so are meant, too.
    pub prefix: bool,
    letters: Vec<char>,
    /// The edits by which a word may differ.
    pub edits: usize,
}

impl Sought {
    /// The words of a text looked for, each once; the last one may be the beginning of a word.
    pub(crate) fn all(text: &str) -> Vec<Self> {
        let mut words: Vec<String> = Vec::new();
        each_word(text, |_, word| {
            words.retain(|known| known != word);
            words.push(word.to_owned());
        });
        let last = words.len().saturating_sub(1);
        let sought = |(at, text): (usize, String)| {
            let edits = match letters(&text) {
                Some(TWO_EDITS..) => 2,
                Some(ONE_EDIT..) => 1,
                _ => 0,
            };
            Self {
                letters: text.chars().collect(),
                text,
                prefix: at == last,
                edits,
            }
        };
        words.into_iter().enumerate().map(sought).collect()
    }

    /// How near `word` is, if it is near enough. A swap of neighbours is one edit.
    pub(crate) fn closeness(&self, word: &str) -> Option<Closeness> {
        if word == self.text {
            return Some(Closeness::Exact);
        }
        if self.prefix && word.starts_with(&self.text) {
            return Some(Closeness::Prefix);
        }
        if self.edits == 0 || letters(word)?.abs_diff(self.letters.len()) > self.edits {
            return None;
        }
        let word: Vec<char> = word.chars().collect();
        match distance(&self.letters, &word, self.edits)? {
            1 => Some(Closeness::OneEdit),
            _ => Some(Closeness::TwoEdits),
        }
    }

    /// How many letters the words have that are near by edits.
    pub(crate) fn lengths(&self) -> Range<usize> {
        match self.edits {
            0 => 0..0,
            edits => self.letters.len() - edits..self.letters.len() + edits + 1,
        }
    }
}

/// The edit distance of two different words if it is at most `most`, 1 or 2.
fn distance(mut a: &[char], mut b: &[char], most: usize) -> Option<usize> {
    while let ([x, a_rest @ ..], [y, b_rest @ ..]) = (a, b)
        && x == y
    {
        (a, b) = (a_rest, b_rest);
    }
    while let ([a_rest @ .., x], [b_rest @ .., y]) = (a, b)
        && x == y
    {
        (a, b) = (a_rest, b_rest);
    }
    let found = match (a, b) {
        ([] | [_], [] | [_]) => 1,
        ([p, q], [r, s]) if p == s && q == r => 1,
        _ if most == 1 => return None,
        _ => edit_distance(a, b),
    };
    (found <= most).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(ty: &FieldType, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        each_word_of(ty, text, |place, word| {
            assert!(text.get(place).is_some());
            found.push(word.to_owned());
        });
        found
    }

    #[test]
    fn words_are_folded_and_parted() {
        let text = |text: &str| words(&FieldType::Text, text);
        assert_eq!(text("Mesa Tools, Inc."), ["mesa", "tools", "inc"]);
        assert_eq!(text("  O'Brien--x2 "), ["o", "brien", "x2"]);
        assert_eq!(text("paz@acme.example"), ["paz", "acme", "example"]);
        assert_eq!(text("Cr\u{e8}me Stra\u{df}e"), ["creme", "strasse"]);
        assert_eq!(text("cre\u{300}me \u{fb01}n"), ["creme", "fin"]);
        assert_eq!(text("2\u{bd} \u{2121}"), ["21", "2", "tel"]);
        assert_eq!(text("\u{915}\u{94d}\u{937}"), ["\u{915}\u{94d}\u{937}"]);
        assert_eq!(text("-- \u{2014} !"), Vec::<String>::new());
        assert_eq!(text(&"x".repeat(80)), ["x".repeat(64)]);
        assert_eq!(text(&"\u{4e2d}".repeat(30)), ["\u{4e2d}".repeat(21)]);
    }

    #[test]
    fn phones_are_digits_too() {
        let phone = |text: &str| words(&FieldType::Phone, text);
        assert_eq!(
            phone("+1 (602) 555-0134"),
            ["1", "602", "555", "0134", "16025550134", "6025550134"]
        );
        assert_eq!(phone("602.555 x12"), ["602", "555", "x12", "602555"]);
        assert_eq!(phone("6025550134"), ["6025550134"]);
        assert_eq!(phone("call me"), ["call", "me"]);
    }

    #[test]
    fn the_words_sought_are_each_there_once() {
        let sought = Sought::all("Mesa tols MESA");
        let form: Vec<_> = sought
            .iter()
            .map(|w| (w.text.as_str(), w.prefix, w.edits))
            .collect();
        assert_eq!(form, [("tols", false, 1), ("mesa", true, 1)]);
        assert!(Sought::all(" -- ").is_empty());
    }

    #[test]
    fn near_words_are_met() {
        let near = |sought: &str, word| Sought::all(sought)[0].closeness(word);
        assert_eq!(near("tols", "tols"), Some(Closeness::Exact));
        assert_eq!(near("tols", "tolstoy"), Some(Closeness::Prefix));
        for word in ["tools", "tol", "tosl", "pols"] {
            assert_eq!(near("tols", word), Some(Closeness::OneEdit), "{word}");
        }
        assert_eq!(near("tols", "tot"), None);
        assert_eq!(near("tols", "tool"), None);
        assert_eq!(near("tol", "tal"), None);
        assert_eq!(near("7001", "7002"), None);
        assert_eq!(near("acme", "acm2"), None);
        assert_eq!(near("northwnid", "northwind"), Some(Closeness::OneEdit));
        assert_eq!(near("norhtwnid", "northwind"), Some(Closeness::TwoEdits));
        assert_eq!(near("orthwinds", "northwind"), Some(Closeness::TwoEdits));
    }

    proptest! {
        #[test]
        fn the_short_way_to_a_distance_is_right(a in "[abc]{2,9}", b in "[abc]{2,9}") {
            prop_assume!(a != b);
            let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
            for most in [1, 2] {
                let full = Some(edit_distance(&a, &b)).filter(|n| *n <= most);
                prop_assert_eq!(distance(&a, &b, most), full);
            }
        }

        #[test]
        fn places_hold_the_words(text in "\\PC*") {
            let ty = FieldType::Text;
            each_word_of(&ty, &text, |place, word| {
                let inside = words(&ty, &text[place]);
                assert!(inside.iter().any(|w| w == word), "{word:?} {inside:?}");
            });
        }

        #[test]
        fn folding_first_changes_no_word(text in "[a-cA-C \u{e9}\u{df}\u{130}-]*") {
            let ty = FieldType::Text;
            prop_assert_eq!(words(&ty, &fold(&text)), words(&ty, &text));
        }
    }
}
