//! What went wrong, in words for whoever typed the command.

/// The error and what led to it, without what only programmers read: numbers of the operating system, the
/// layers of a library, the same said twice.
pub(super) fn in_words(error: &anyhow::Error) -> String {
    let mut told: Vec<String> = Vec::new();
    let mut causes = error.chain().peekable();
    while let Some(cause) = causes.next() {
        // Of a client's layers only the innermost says something: "connection refused".
        if cause.is::<reqwest::Error>() && causes.peek().is_some() {
            let innermost = causes.last().map(ToString::to_string).unwrap_or_default();
            told.push(plain(&innermost));
            break;
        }
        let words = plain(&cause.to_string());
        if told.last().is_none_or(|before| !before.contains(&words)) {
            told.push(words);
        }
    }
    told.join(": ")
}

/// One cause without the numbers that its library adds.
pub(super) fn plain(words: &str) -> String {
    let words = match words.strip_prefix("Error code ").and_then(|rest| rest.split_once(": ")) {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => words,
    };
    let words = match words.split_once(" (os error ") {
        Some((words, number)) => match number.split_once(')') {
            Some((_, rest)) => format!("{words}{rest}"),
            None => words.to_owned(),
        },
        None => words.to_owned(),
    };
    if words == "entity not found" { "No such file or directory".to_owned() } else { words }
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::anyhow;

    use super::*;

    #[test]
    fn an_error_is_told_without_numbers_and_repetitions() {
        let io = |number| io::Error::from_raw_os_error(number);
        for (error, words) in [
            (anyhow!("x"), "x"),
            (anyhow!(io(2)).context("cannot read a"), "cannot read a: No such file or directory"),
            (
                anyhow!(io::Error::from(io::ErrorKind::NotFound)).context("no token"),
                "no token: No such file or directory",
            ),
            (
                anyhow!("Error code 26: file is not a database")
                    .context("file is not a database")
                    .context("cannot open the database"),
                "cannot open the database: file is not a database",
            ),
            (anyhow!("a: b (os error 98): c"), "a: b: c"),
        ] {
            assert_eq!(in_words(&error), words);
        }
    }

    #[tokio::test]
    async fn of_a_client_only_the_innermost_cause_is_told() {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let refused = reqwest::Client::builder().no_proxy().build().unwrap();
        let error = refused.get("http://127.0.0.1:1/").send().await.unwrap_err();
        let error = anyhow::Error::new(error).context("no server answers");
        assert_eq!(in_words(&error), "no server answers: Connection refused");
    }
}
