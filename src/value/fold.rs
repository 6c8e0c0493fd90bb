//! Folding of text: the form in which case and accents do not count.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The version of the folding below; a book folded otherwise has its text indexes rebuilt.
pub(crate) const FOLDING_VERSION: u32 = 1;

/// `text` in lower case and without accents (compatibility decomposition, marks dropped).
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if text
        .bytes()
        .all(|b| b.is_ascii() && !b.is_ascii_uppercase())
    {
        return Cow::Borrowed(text);
    }
    if text.is_ascii() {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    let marked = text.nfkd().filter(|c| !is_combining_mark(*c));
    Cow::Owned(
        marked
            .flat_map(char::to_lowercase)
            .filter(|c| !is_combining_mark(*c))
            .collect(),
    )
}

/// Whether `text` fits `pattern`, both folded: `*` is any text, `?` any one character.
pub(crate) fn matches_like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    let (mut t, mut p) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
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
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_drops_case_and_accents() {
        assert_eq!(fold("Éclair ZÜRICH"), "eclair zurich");
        assert_eq!(fold("acme"), "acme");
        assert_eq!(fold("İstanbul"), "istanbul");
    }

    #[test]
    fn like_has_star_and_question_mark() {
        assert!(matches_like("acme renewal", "acme*"));
        assert!(matches_like("acme", "a?me"));
        assert!(matches_like("abcabc", "*abc"));
        assert!(!matches_like("acme", "a?e"));
    }
}
