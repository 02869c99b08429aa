//! Patterns: `*` stands for any characters or none, `?` for exactly one.

use core::fmt;
use core::str::Chars;

/// How characters are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// As they are.
    Exact,
    /// ASCII letters without regard to case.
    Ignored,
}

/// A text with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    case: Case,
}

impl Pattern {
    /// The pattern that stands in `text`; every text is one.
    #[must_use]
    pub fn new(text: &str, case: Case) -> Self {
        Self { text: text.into(), case }
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether all of `text` fits. Takes at most pattern length × text length steps and no memory.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match self.case {
            Case::Exact => fits(&self.text, text, |one, other| one == other),
            Case::Ignored => fits(&self.text, text, |one, other| one.eq_ignore_ascii_case(&other)),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Only the last `*` has to be reconsidered: what an earlier one takes more, the last one takes less.
fn fits(pattern: &str, text: &str, same: impl Fn(char, char) -> bool) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut last_star: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        let (mut pattern_rest, mut text_rest) = (pattern.clone(), text.clone());
        match (pattern_rest.next(), text_rest.next()) {
            (Some('*'), _) => {
                if pattern_rest.as_str().is_empty() {
                    return true;
                }
                last_star = Some((pattern_rest.clone(), text.clone()));
                pattern = pattern_rest;
            }
            (Some(wanted), Some(found)) if wanted == '?' || same(wanted, found) => {
                (pattern, text) = (pattern_rest, text_rest);
            }
            (None, None) => return true,
            (Some(_) | None, _) => {
                let Some((behind_star, taken_to)) = &mut last_star else { return false };
                if taken_to.next().is_none() {
                    return false;
                }
                (pattern, text) = (behind_star.clone(), taken_to.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, with a branch for each choice of `*`.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => {
                naive(rest, text) || (!text.is_empty() && naive(pattern, &text[1..]))
            }
            (['?', rest @ ..], [_, text @ ..]) => naive(rest, text),
            ([wanted, rest @ ..], [found, text @ ..]) => wanted == found && naive(rest, text),
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_pattern_matches_what_its_definition_says(
            pattern in "[ab*?ä]{0,9}",
            text in "[abä]{0,9}",
        ) {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = naive(&chars(&pattern), &chars(&text));
            prop_assert_eq!(Pattern::new(&pattern, Case::Exact).matches(&text), expected);
        }

        #[test]
        fn case_is_ignored_where_it_should_be(pattern in "[aB*?]{0,6}", text in "[abAB]{0,6}") {
            let exact = Pattern::new(&pattern.to_lowercase(), Case::Exact);
            let ignoring = Pattern::new(&pattern, Case::Ignored);
            prop_assert_eq!(ignoring.matches(&text), exact.matches(&text.to_lowercase()));
        }
    }

    #[test]
    fn many_stars_do_not_take_forever() {
        let pattern = Pattern::new(&format!("{}b", "*a".repeat(2_000)), Case::Exact);
        assert!(!pattern.matches(&"a".repeat(4_000)));
    }
}
