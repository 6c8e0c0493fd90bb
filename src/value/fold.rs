//! Folding of text: the form in which case and accents do not count.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// The version of the folding below; a book folded otherwise has its text indexes rebuilt.
pub(crate) const FOLDING_VERSION: u32 = 1;

/// `text` in lower case and without accents, so that texts that differ in these alone are equal.
///
/// Compatibility decomposition (ligatures, wide letters), lower case, accents and vowel points
/// dropped; marks that are letters of their script (Indic vowels, kana voicing) stay. Letters with
/// a stroke and the like count as accented. Folding a folded text changes nothing.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    // Lower case may bring marks and decomposable letters of its own.
    let lower = text.nfkd().flat_map(char::to_lowercase).nfkd();
    let mut folded = String::with_capacity(text.len());
    for c in lower.filter(|c| !is_accent(*c)) {
        match plain_letters(c) {
            Some(letters) => folded.push_str(letters),
            None => folded.push(c),
        }
    }
    Cow::Owned(folded)
}

/// By combining class: overlays, Hebrew and Arabic points, everything above, below or attached.
fn is_accent(c: char) -> bool {
    matches!(canonical_combining_class(c), 1 | 10..=36 | 200..)
}

/// The letters people type for `c` where Unicode does not decompose it.
fn plain_letters(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{df}' => "ss",            // sharp s
        '\u{e6}' => "ae",            // ae ligature
        '\u{153}' => "oe",           // oe ligature
        '\u{f8}' => "o",             // o with stroke
        '\u{142}' => "l",            // l with stroke
        '\u{111}' | '\u{f0}' => "d", // d with stroke, eth
        '\u{fe}' => "th",            // thorn
        '\u{127}' => "h",            // h with stroke
        '\u{167}' => "t",            // t with stroke
        '\u{131}' => "i",            // dotless i
        '\u{3c2}' => "\u{3c3}",      // final sigma
        _ => return None,
    })
}

/// Whether `text` fits `pattern`, both folded: `*` is any text, `?` any one character.
pub(crate) fn matches_like(text: &str, pattern: &str) -> bool {
    if text.is_ascii() && pattern.is_ascii() {
        return fits(text.as_bytes(), pattern.as_bytes(), b'*', b'?');
    }
    let text: Vec<char> = text.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    fits(&text, &pattern, '*', '?')
}

fn fits<T: PartialEq + Copy>(text: &[T], pattern: &[T], any: T, one: T) -> bool {
    let (mut t, mut p) = (0, 0);
    // The last star and where its text ends for now; only that one is ever tried again.
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(&c) if c == any => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == one || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((star_p, star_t)) => {
                    star = Some((star_p, star_t + 1));
                    p = star_p + 1;
                    t = star_t + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == any)
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    #[test]
    fn folding_drops_case_and_accents() {
        for (text, folded) in [
            ("Éclair ZÜRICH", "eclair zurich"),
            ("acme", "acme"),
            ("İstanbul ISPARTA ılıca", "istanbul isparta ilica"),
            ("Straße STRASSE STRAẞE", "strasse strasse strasse"),
            ("Ærø Łódź Đorđe Œuvre", "aero lodz dorde oeuvre"),
            ("ﬁnance Ｗｉｄｅ ①", "finance wide 1"),
            ("ΣΊΣΥΦΟΣ σίσυφος", "σισυφοσ σισυφοσ"),
            ("Йод", "иод"),
            ("שָׁלוֹם", "שלום"),
        ] {
            assert_eq!(fold(text), folded);
        }
        // Vowel signs are letters, not accents.
        assert_ne!(fold("कि"), fold("का"));
        assert_ne!(fold("が"), fold("か"));
    }

    #[test]
    fn folding_a_letter_twice_changes_nothing() {
        for c in '\u{80}'..=char::MAX {
            let text = c.to_string();
            let once = fold(&text);
            assert_eq!(fold(&once), once, "{c:?}");
        }
    }

    #[test]
    fn like_has_star_and_question_mark() {
        assert!(matches_like("acme renewal", "acme*"));
        assert!(matches_like("acme", "a?me"));
        assert!(matches_like("abcabc", "*abc"));
        assert!(matches_like("", "**"));
        assert!(matches_like("\u{3c3}x", "?x"));
        assert!(!matches_like("acme", "a?e"));
        assert!(!matches_like("", "?"));
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC*") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
        }
    }
}
