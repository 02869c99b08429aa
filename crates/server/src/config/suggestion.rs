//! "Did you mean …?"

/// The known name that `unknown` was most likely meant to be, if one is close enough.
pub(crate) fn closest<'a>(
    unknown: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // A third of the letters wrong is still a slip; more is another word.
    let tolerance = (unknown.len() / 3).max(1);
    let leaf = last_part(unknown);
    known
        .into_iter()
        .map(|name| {
            // The right name in the wrong section counts as one slip.
            let misplaced = if last_part(name) == leaf { 1 } else { usize::MAX };
            (distance(unknown, name).min(misplaced), name)
        })
        .filter(|(distance, _)| *distance <= tolerance)
        .min()
        .map(|(_, name)| name)
}

fn last_part(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// Letters to insert, remove or replace to turn one text into the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_misplaced_names_are_recognised_and_strangers_are_not() {
        let known = ["listen.http", "listen.body_max", "limits.sms_waits", "mode"];
        for (unknown, expected) in [
            ("listen.htp", Some("listen.http")),
            ("listen.max_body", None),
            ("body_max", Some("listen.body_max")),
            ("limits.sms_wait", Some("limits.sms_waits")),
            ("mod", Some("mode")),
            ("colour", None),
        ] {
            assert_eq!(closest(unknown, known), expected, "{unknown}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
