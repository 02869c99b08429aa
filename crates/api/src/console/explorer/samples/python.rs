//! Python: the official SDK for CAMS, `requests` for the others.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{
    Call, GRAPH_TOKEN, KEY, ONPREM_TOKEN, PASSWORD, SECRET, USER, body_text, literal, snake, texts,
};
use crate::cams::gateway::VERSION;
use crate::cams::signature::Family;
use crate::console::explorer::data::{Auth, Dialect, Field, Kind};

pub(super) fn write(call: &Call) -> Option<String> {
    match call.operation.dialect {
        Dialect::Cams => Some(typed(call).unwrap_or_else(|| general(call))),
        Dialect::Onprem | Dialect::Graph => requests(call),
    }
}

/// The client, set up.
fn client(call: &Call) -> String {
    let (host, scheme) = (literal(call.host()), literal(call.scheme()));
    let family = match call.family {
        Family::V3 => "",
        Family::V1 => "        signature_algorithm=\"v2\",\n",
    };
    format!(
        r#"client = Client(
    Config(
        access_key_id=os.environ["{KEY}"],
        access_key_secret=os.environ["{SECRET}"],
        endpoint={host},
        protocol={scheme},
{family}    )
)
"#
    )
}

/// The operation's own method; `None` if the SDK has none, or a value has no form there.
fn typed(call: &Call) -> Option<String> {
    let name = &call.operation.id;
    if !call.operation.typed.iter().any(|it| it == "python") {
        return None;
    }
    let pair = |(field, value): &(&Field, String)| {
        Some(format!("        {}={},\n", snake(&field.name), argument(field, value)?))
    };
    let arguments = call.values.iter().map(pair).collect::<Option<String>>()?;
    let arguments = if arguments.is_empty() { arguments } else { format!("\n{arguments}    ") };
    Some(format!(
        r"import os

from alibabacloud_cams20200606 import models
from alibabacloud_cams20200606.client import Client
from alibabacloud_tea_openapi.utils_models import Config

{}answer = client.{}(
    models.{name}Request({arguments})
)
print(answer.body.to_map())
",
        client(call),
        snake(name),
    ))
}

fn argument(field: &Field, value: &str) -> Option<String> {
    match field.kind {
        Kind::Text | Kind::Json => Some(literal(value)),
        Kind::Number => value.parse::<i64>().ok().map(|number| number.to_string()),
        Kind::Boolean => {
            value.parse().ok().map(|flag: bool| if flag { "True" } else { "False" }.to_owned())
        }
        Kind::List => texts(value).map(|texts| {
            let texts: Vec<_> = texts.iter().map(|text| literal(text)).collect();
            format!("[{}]", texts.join(", "))
        }),
    }
}

/// The SDK's general call.
fn general(call: &Call) -> String {
    let name = literal(&call.operation.id);
    let scheme = literal(&call.scheme().to_ascii_uppercase());
    let pair = |(field, value): &(&Field, String)| {
        format!("            {}: {},\n", literal(&field.name), literal(value))
    };
    let pairs: String = call.values.iter().map(pair).collect();
    let pairs = if pairs.is_empty() { pairs } else { format!("\n{pairs}        ") };
    format!(
        r#"import os

from alibabacloud_cams20200606.client import Client
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

{}answer = client.call_api(
    Params(
        action={name},
        version="{VERSION}",
        protocol={scheme},
        pathname="/",
        method="POST",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    ),
    OpenApiRequest(
        query={{{pairs}}},
    ),
    RuntimeOptions(),
)
print(answer["body"])
"#,
        client(call),
    )
}

fn requests(call: &Call) -> Option<String> {
    let mut imports = "import os\n".to_owned();
    let url = literal(&format!("{}{}", call.base, call.target()));
    let method = literal(&call.operation.method);
    let mut headers = Vec::new();
    let mut more = String::new();
    match (call.operation.dialect, call.operation.auth) {
        (_, Some(Auth::Basic)) => {
            more = format!("    auth=(os.environ[\"{USER}\"], os.environ[\"{PASSWORD}\"]),\n");
        }
        (dialect, None) => {
            let name = if dialect == Dialect::Graph { GRAPH_TOKEN } else { ONPREM_TOKEN };
            headers.push(format!("\"Authorization\": \"Bearer \" + os.environ[\"{name}\"]"));
        }
    }
    if let Some((body, kind)) = call.body().ok()? {
        headers.push(format!("\"Content-Type\": {}", literal(kind)));
        let data = if let Some(text) = body_text(&body) {
            format!("{}.encode()", literal(text))
        } else {
            imports.insert_str(0, "import base64\n");
            format!("base64.b64decode({})", literal(&STANDARD.encode(&body)))
        };
        more.extend(["    data=", &data, ",\n"]);
    }
    let headers = headers.join(", ");
    Some(format!(
        r"{imports}
import requests

answer = requests.request(
    {method},
    {url},
    headers={{{headers}}},
{more}    timeout=30,
)
print(answer.status_code, answer.text)
"
    ))
}
