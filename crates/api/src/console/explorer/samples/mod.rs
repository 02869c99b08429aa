//! A call as code that runs as pasted. Keys, tokens and passwords come from the environment: nothing secret
//! stands in a sample. `tests/sdks` runs every one of them.

mod curl;
mod node;
mod python;
mod rollcall;

use super::call::Call;
use super::data::{Auth, Dialect};

/// A sample.
pub(super) struct Sample {
    /// Its word in addresses of the page.
    pub id: &'static str,
    pub title: &'static str,
    pub text: String,
}

/// All samples of a call; without those whose body cannot be written down.
pub(super) fn of(call: &Call) -> Vec<Sample> {
    let is_cams = call.operation.dialect == Dialect::Cams;
    let (python, node) = if is_cams { ("Python SDK", "Node SDK") } else { ("Python", "Node") };
    let all = [
        ("curl", "curl", curl::write(call)),
        ("python", python, python::write(call)),
        ("node", node, node::write(call)),
        ("rollcall", "rollcall", rollcall::write(call)),
    ];
    let written = all.into_iter().filter_map(|(id, title, text)| Some((id, title, text?)));
    written.map(|(id, title, text)| Sample { id, title, text }).collect()
}

/// Variables that the samples read.
pub(super) const fn variables(dialect: Dialect, auth: Option<Auth>) -> &'static [&'static str] {
    match (dialect, auth) {
        (Dialect::Cams, _) => &[KEY, SECRET],
        (Dialect::Onprem, Some(Auth::Basic)) => &[USER, PASSWORD],
        (Dialect::Onprem, None) => &[ONPREM_TOKEN],
        (Dialect::Graph, _) => &[GRAPH_TOKEN],
    }
}

/// As Alibaba Cloud's own tools call them.
const KEY: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
const SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
const USER: &str = "ROLLCALL_ONPREM_USER";
const PASSWORD: &str = "ROLLCALL_ONPREM_PASSWORD";
const ONPREM_TOKEN: &str = "ROLLCALL_ONPREM_TOKEN";
const GRAPH_TOKEN: &str = "ROLLCALL_GRAPH_TOKEN";

/// A text in quotes of a POSIX shell, within which nothing has a meaning.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text as Python and JavaScript both write it: as JSON does, whose escapes both read alike.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The body as text; `None` for bytes that are none.
fn body_text(body: &[u8]) -> Option<&str> {
    core::str::from_utf8(body).ok()
}

/// `CustSpaceId` as `cust_space_id`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut before = None::<char>;
    for letter in name.chars() {
        if letter.is_ascii_uppercase()
            && before.is_some_and(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
        {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
        before = Some(letter);
    }
    snake
}

/// `CustSpaceId` as `custSpaceId`.
fn lowered(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| {
        format!("{}{}", first.to_ascii_lowercase(), letters.as_str())
    })
}

/// The values of a JSON list of texts.
fn texts(value: &str) -> Option<Vec<String>> {
    serde_json::from_str(value).ok()
}

#[cfg(test)]
mod tests {
    use super::super::call::tests::call;
    use super::*;

    #[test]
    fn names_are_written_as_each_language_does() {
        assert_eq!(snake("GetPreValidatePhoneId"), "get_pre_validate_phone_id");
        assert_eq!(snake("Cc"), "cc");
        assert_eq!(lowered("CustSpaceId"), "custSpaceId");
    }

    #[test]
    fn nothing_that_is_typed_leaves_its_quotes() {
        assert_eq!(shell("a'b $(c) `d`"), r"'a'\''b $(c) `d`'");
        assert_eq!(literal("\"\n\\</script>"), r#""\"\n\\</script>""#);
    }

    #[test]
    fn every_operation_has_a_sample_for_each_tool() {
        for dialect in Dialect::ALL {
            for operation in super::super::data::of(dialect) {
                let made = of(&call(dialect, &operation.id, &[]));
                let ids: Vec<_> = made.iter().map(|it| it.id).collect();
                assert_eq!(ids, ["curl", "python", "node", "rollcall"], "{}", operation.id);
                for variable in variables(dialect, operation.auth) {
                    // The command line reads them itself.
                    let missing =
                        made.iter().find(|it| it.id != "rollcall" && !it.text.contains(variable));
                    assert!(missing.is_none(), "{} {variable}", operation.id);
                }
            }
        }
    }
}
