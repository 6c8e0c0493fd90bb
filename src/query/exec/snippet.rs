//! Snippets: the part of a text in which words were found, each in brackets.

use crate::value::{FieldType, Sought, each_word_of};
use std::ops::Range;

/// Characters of a snippet at most, marks and dots aside.
const WIDTH: usize = 80;

/// Characters shown before the first word found, where the text is cut.
const LEAD: usize = 20;

/// The part of `text` that has the most of the words, on one line.
pub(super) fn snippet(ty: &FieldType, text: &str, words: &[Sought]) -> String {
    let mut found: Vec<(Range<usize>, u32)> = Vec::new();
    each_word_of(ty, text, |place, word| {
        let met = words.iter().enumerate();
        let met = met.filter(|(_, sought)| sought.closeness(word).is_some());
        let bits = met.fold(0, |bits, (at, _)| bits | 1 << at);
        if bits > 0 {
            found.push((place, bits));
        }
    });
    found.sort_by_key(|(place, _)| (place.start, std::cmp::Reverse(place.end)));
    let shown = window(text, &found);
    let mut out = String::new();
    if shown.start > 0 {
        out.push_str("...");
    }
    let mut at = shown.start;
    for (place, _) in &found {
        // Words lie within each other where a phone number is one word of all its digits.
        if place.start >= at && place.end <= shown.end {
            add(&mut out, &text[at..place.start]);
            out.push('[');
            add(&mut out, &text[place.clone()]);
            out.push(']');
            at = place.end;
        }
    }
    add(&mut out, &text[at..shown.end]);
    if shown.end < text.len() {
        out.push_str("...");
    }
    out
}

/// Adds text with every run of blanks and line ends as one blank.
fn add(out: &mut String, text: &str) {
    for c in text.chars() {
        if !c.is_whitespace() && !c.is_control() {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
}

/// The place of the snippet.
fn window(text: &str, found: &[(Range<usize>, u32)]) -> Range<usize> {
    let ahead = |from: usize, characters| {
        let mut places = text[from..].char_indices();
        places
            .nth(characters)
            .map_or(text.len(), |(at, _)| from + at)
    };
    if ahead(0, WIDTH) == text.len() {
        return 0..text.len();
    }
    let mut best = (0, 0);
    for (first, (place, _)) in found.iter().enumerate() {
        let end = ahead(place.start, WIDTH - LEAD);
        let within = found[first..].iter().take_while(|(p, _)| p.end <= end);
        let kinds = within.fold(0, |all, (_, bits)| all | bits).count_ones();
        if kinds > best.0 {
            best = (kinds, place.start);
        }
    }
    let before: Vec<(usize, char)> = text[..best.1].char_indices().rev().take(LEAD).collect();
    let start = match before.last() {
        Some((0, _)) | None => 0,
        // From a whole word on, if one begins there.
        Some(_) => {
            let blank = before.iter().rfind(|(_, c)| c.is_whitespace());
            blank.map_or(best.1, |(at, c)| at + c.len_utf8())
        }
    };
    let end = ahead(start, WIDTH);
    let inside = found.iter().rfind(|(place, _)| place.end <= end);
    let least = inside.map_or(best.1, |(place, _)| place.end).max(start);
    let blank = text[least.min(end)..end].rfind(char::is_whitespace);
    match blank {
        Some(at) if end < text.len() => start..least + at,
        _ => start..end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str, words: &str) -> String {
        snippet(&FieldType::Text, text, &Sought::all(words))
    }

    #[test]
    fn words_found_stand_in_brackets() {
        assert_eq!(of("Mesa Tools", "mesa tols"), "[Mesa] [Tools]");
        assert_eq!(of("Cr\u{e8}me\n\tde  la", "creme"), "[Cr\u{e8}me] de la");
        assert_eq!(of("paz@acme.example", "acme"), "paz@[acme].example");
        let phone = |words| snippet(&FieldType::Phone, "+1 (602) 555-0134", &Sought::all(words));
        assert_eq!(phone("6025550134"), "+1 ([602) 555-0134]");
        assert_eq!(phone("555"), "+1 (602) [555]-0134");
    }

    #[test]
    fn long_texts_are_cut_around_the_words() {
        let long = format!(
            "{}met Mesa and its tools there {}",
            "so on ".repeat(40),
            "and on ".repeat(40)
        );
        assert_eq!(
            of(&long, "tools mesa"),
            "...on so on so on met [Mesa] and its [tools] there and on and on and on and on and on..."
        );
        let unbroken = "x".repeat(60) + " acme " + &"y".repeat(200);
        assert_eq!(of(&unbroken, "acme"), "...[acme]...");
    }

    proptest! {
        #[test]
        fn a_snippet_is_never_long(text in "\\PC{0,300}", words in "[a-z]{1,9}") {
            let plain = of(&text, &words).replace(['[', ']'], "");
            prop_assert!(plain.chars().count() <= WIDTH + 6);
        }

        #[test]
        fn a_word_that_is_met_is_marked(
            before in "[ab ]{0,200}",
            after in "[ab ]{0,200}",
        ) {
            let found = of(&format!("{before} mesa {after}"), "mesa");
            prop_assert!(found.contains("[mesa]"), "{found}");
        }
    }
}
