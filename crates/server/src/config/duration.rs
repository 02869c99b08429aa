//! Durations as people write them: `250ms`, `10s`, `10m`, `72h`, `14d`, `1h 30m`.

use core::time::Duration;

const UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads a duration, or says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(complaint(text));
    }
    let mut total_ms: u64 = 0;
    while !rest.is_empty() {
        let (count, after) = split_where(rest, |c| !c.is_ascii_digit());
        let (unit, after) = split_where(after.trim_start(), |c| !c.is_ascii_alphabetic());
        let (_, unit_ms) =
            UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(|| complaint(text))?;
        let count: u64 = count.parse().map_err(|_| complaint(text))?;
        total_ms = count
            .checked_mul(*unit_ms)
            .and_then(|ms| ms.checked_add(total_ms))
            .ok_or_else(|| format!("`{text}` is too long"))?;
        rest = after.trim_start();
    }
    Ok(Duration::from_millis(total_ms))
}

/// Writes a duration the way [`parse`] reads it, with the largest unit that fits without remainder.
pub(super) fn display(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let fits = |unit_ms: u64| ms >= unit_ms && ms.is_multiple_of(unit_ms);
    UNITS
        .iter()
        .rev()
        .find(|(_, unit_ms)| fits(*unit_ms))
        .map_or_else(|| "0s".to_owned(), |(unit, unit_ms)| format!("{}{unit}", ms / unit_ms))
}

fn split_where(text: &str, boundary: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(boundary).unwrap_or(text.len()))
}

fn complaint(text: &str) -> String {
    format!("`{text}` is no duration; write number and unit (ms, s, m, h, d), for example \"10m\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, ms, written) in [
            ("0s", 0, "0s"),
            ("250ms", 250, "250ms"),
            ("90s", 90_000, "90s"),
            ("600s", 600_000, "10m"),
            ("1h 30m", 5_400_000, "90m"),
            (" 72h ", 259_200_000, "3d"),
            ("2 d", 172_800_000, "2d"),
        ] {
            let duration = parse(text).unwrap();
            assert_eq!(duration, Duration::from_millis(ms), "{text}");
            assert_eq!(display(duration), written);
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in
            ["", " ", "10", "s", "10 minutes", "1.5h", "-1s", "10s!", "99999999999999999999s"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("300000000000d").unwrap_err().contains("too long"));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(ms in 0..u64::MAX) {
            let duration = Duration::from_millis(ms);
            proptest::prop_assert_eq!(parse(&display(duration)), Ok(duration));
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,40}") {
            let _ = parse(&text);
        }
    }
}
