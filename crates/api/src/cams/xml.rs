//! The XML form of an answer (§5): members become elements, a list repeats its element, `null` is left out.

use serde_json::{Map, Value};

/// A document with this root.
pub(super) fn document(root: &str, members: &Map<String, Value>) -> String {
    let mut text = "<?xml version='1.0' encoding='UTF-8'?>".to_owned();
    open(&mut text, root);
    for (name, value) in members {
        element(&mut text, name, value);
    }
    close(&mut text, root);
    text
}

fn element(text: &mut String, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| element(text, name, item)),
        Value::Object(members) => {
            open(text, name);
            for (name, value) in members {
                element(text, name, value);
            }
            close(text, name);
        }
        Value::String(content) if name == "Recommend" => {
            open(text, name);
            text.push_str("<![CDATA[");
            // The only thing that would end the section early.
            text.push_str(&content.replace("]]>", ""));
            text.push_str("]]>");
            close(text, name);
        }
        Value::String(content) => {
            open(text, name);
            escape_into(text, content);
            close(text, name);
        }
        Value::Bool(_) | Value::Number(_) => {
            open(text, name);
            text.push_str(&value.to_string());
            close(text, name);
        }
    }
}

fn open(text: &mut String, name: &str) {
    text.push('<');
    text.push_str(name);
    text.push('>');
}

fn close(text: &mut String, name: &str) {
    text.push_str("</");
    text.push_str(name);
    text.push('>');
}

/// Markup is escaped; characters that XML 1.0 cannot hold are left out (§2.2 of its specification).
fn escape_into(text: &mut String, content: &str) {
    for c in content.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '\t' | '\n' | '\r' => text.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c < ' ' => {}
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_become_elements() {
        let answer = json!({
            "Code": "a<b>&c\u{0}",
            "Success": false,
            "Data": null,
            "PhoneNumbers": [{ "Status": "PENDING" }, { "Status": "CONNECTED" }],
            "Recommend": "https://host/?a=1&b=2",
        });
        let Value::Object(members) = answer else { panic!("an object") };
        let expected = "<?xml version='1.0' encoding='UTF-8'?><Error><Code>a&lt;b&gt;&amp;c</Code>\
                        <Success>false</Success><PhoneNumbers><Status>PENDING</Status></PhoneNumbers>\
                        <PhoneNumbers><Status>CONNECTED</Status></PhoneNumbers>\
                        <Recommend><![CDATA[https://host/?a=1&b=2]]></Recommend></Error>";
        assert_eq!(document("Error", &members), expected);
    }
}
