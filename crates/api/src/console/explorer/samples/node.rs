//! Node: the official SDK for CAMS, the built-in `fetch` for the others.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{
    Call, GRAPH_TOKEN, KEY, ONPREM_TOKEN, PASSWORD, SECRET, USER, body_text, literal, lowered,
    texts,
};
use crate::cams::gateway::VERSION;
use crate::cams::signature::Family;
use crate::console::explorer::data::{Auth, Dialect, Field, Kind};

pub(super) fn write(call: &Call) -> Option<String> {
    match call.operation.dialect {
        Dialect::Cams => Some(typed(call).unwrap_or_else(|| general(call))),
        Dialect::Onprem | Dialect::Graph => fetch(call),
    }
}

/// The client, set up.
fn client(call: &Call) -> String {
    let (host, scheme) = (literal(call.host()), literal(call.scheme()));
    let family = match call.family {
        Family::V3 => "",
        Family::V1 => "  signatureAlgorithm: \"v2\",\n",
    };
    format!(
        r"const client = new Client(new Config({{
  accessKeyId: process.env.{KEY},
  accessKeySecret: process.env.{SECRET},
  endpoint: {host},
  protocol: {scheme},
{family}}}));
"
    )
}

/// The operation's own method; `None` if the SDK has none, or a value has no form there.
fn typed(call: &Call) -> Option<String> {
    let name = &call.operation.id;
    if !call.operation.typed.iter().any(|it| it == "node") {
        return None;
    }
    let pair = |(field, value): &(&Field, String)| {
        Some(format!("  {}: {},\n", lowered(&field.name), member(field, value)?))
    };
    let members = call.values.iter().map(pair).collect::<Option<String>>()?;
    let members = if members.is_empty() { members } else { format!("\n{members}") };
    Some(format!(
        r#"const {{ default: Client, {name}Request }} = require("@alicloud/cams20200606");
const {{ Config }} = require("@alicloud/openapi-client");

{}client.{}(new {name}Request({{{members}}}))
  .then((answer) => console.log(JSON.stringify(answer.body.toMap())));
"#,
        client(call),
        lowered(name),
    ))
}

fn member(field: &Field, value: &str) -> Option<String> {
    match field.kind {
        Kind::Text | Kind::Json => Some(literal(value)),
        Kind::Number => value.parse::<i64>().ok().map(|number| number.to_string()),
        Kind::Boolean => value.parse::<bool>().ok().map(|flag| flag.to_string()),
        Kind::List => texts(value).map(|texts| serde_json::Value::from(texts).to_string()),
    }
}

/// The SDK's general call.
fn general(call: &Call) -> String {
    let name = literal(&call.operation.id);
    let scheme = literal(&call.scheme().to_ascii_uppercase());
    let pair = |(field, value): &(&Field, String)| {
        format!("  {}: {},\n", literal(&field.name), literal(value))
    };
    let pairs: String = call.values.iter().map(pair).collect();
    let pairs = if pairs.is_empty() { pairs } else { format!("\n{pairs}") };
    format!(
        r#"const {{ default: Client }} = require("@alicloud/cams20200606");
const {{ Config, OpenApiRequest, Params }} = require("@alicloud/openapi-client");
const {{ RuntimeOptions }} = require("@alicloud/tea-util");

{}const call = new Params({{
  action: {name},
  version: "{VERSION}",
  protocol: {scheme},
  pathname: "/",
  method: "POST",
  authType: "AK",
  style: "RPC",
  reqBodyType: "formData",
  bodyType: "json",
}});
const request = new OpenApiRequest({{ query: {{{pairs}}} }});
client.callApi(call, request, new RuntimeOptions({{}}))
  .then((answer) => console.log(JSON.stringify(answer.body)));
"#,
        client(call),
    )
}

fn fetch(call: &Call) -> Option<String> {
    let url = literal(&format!("{}{}", call.base, call.target()));
    let mut headers = vec![match (call.operation.dialect, call.operation.auth) {
        (_, Some(Auth::Basic)) => {
            let both = format!("`${{process.env.{USER}}}:${{process.env.{PASSWORD}}}`");
            format!("authorization: \"Basic \" + Buffer.from({both}).toString(\"base64\")")
        }
        (Dialect::Graph, None) => format!("authorization: `Bearer ${{process.env.{GRAPH_TOKEN}}}`"),
        (_, None) => format!("authorization: `Bearer ${{process.env.{ONPREM_TOKEN}}}`"),
    }];
    let mut data = String::new();
    if let Some((body, kind)) = call.body().ok()? {
        headers.push(format!("\"content-type\": {}", literal(kind)));
        data = match body_text(&body) {
            Some(text) => format!("  body: {},\n", literal(text)),
            None => {
                format!("  body: Buffer.from({}, \"base64\"),\n", literal(&STANDARD.encode(&body)))
            }
        };
    }
    Some(format!(
        r"fetch({url}, {{
  method: {},
  headers: {{ {} }},
{data}}}).then(async (answer) => console.log(answer.status, await answer.text()));
",
        literal(&call.operation.method),
        headers.join(", "),
    ))
}
