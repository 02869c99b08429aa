//! `rollcall call`

use std::process::ExitCode;

use anyhow::Context as _;
use api::cams::signature::Family;
use api::cams::signing::{Order, SignWith, sign};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use service::ports::{Clock as _, EntropyExt as _};

use super::client::{Client, Connection};
use super::{Context, FAILURE, print};
use crate::clock::SystemClock;
use crate::entropy::OsEntropy;

const EXAMPLES: &str = "\
Examples:
  rollcall call cams GetChatappOpenStatus
  rollcall call cams ChatappVerifyAndRegister CustSpaceId=default PhoneNumber=447700900123 VerifyCode=123456
  rollcall call onprem POST /v1/account/verify --body '{\"code\":\"123-456\"}'
  rollcall call graph GET '/v25.0/102290129340398/phone_numbers?fields=status'

Who calls is read from the environment, so that no secret stands on a command line:
  cams    ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET, and for a temporary key
          ALIBABA_CLOUD_SECURITY_TOKEN
  onprem  ROLLCALL_ONPREM_TOKEN; for the login ROLLCALL_ONPREM_USER and ROLLCALL_ONPREM_PASSWORD
  graph   ROLLCALL_GRAPH_TOKEN

Prints the body of the answer. Exit codes: 0 an answer of 2xx, 1 another one.";

/// Call an operation of a dialect, signed, as a program of a customer does
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    dialect: Dialect,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Dialect {
    /// An operation of the CAMS dialect
    Cams(Cams),
    /// A request of the On-Premises dialect
    Onprem(Plain),
    /// A request of the Graph dialect
    Graph(Plain),
}

#[derive(Debug, Args)]
struct Cams {
    /// The operation, such as `ChatappVerifyAndRegister`
    action: String,
    /// Its parameters
    #[arg(value_name = "NAME=VALUE", value_parser = pair)]
    parameters: Vec<(String, String)>,
    /// How to sign
    #[arg(long, value_enum, default_value_t = Signature::Acs3)]
    signature: Signature,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Signature {
    /// ACS3-HMAC-SHA256
    Acs3,
    /// RPC style, HMAC-SHA1
    Rpc,
}

#[derive(Debug, Args)]
struct Plain {
    /// GET, POST, PUT, PATCH or DELETE
    method: Method,
    /// Path and query
    path: String,
    /// The body, as text
    #[arg(long, conflicts_with = "body_base64", allow_hyphen_values = true)]
    body: Option<String>,
    /// The body, in base64
    #[arg(long, value_name = "BASE64")]
    body_base64: Option<String>,
    /// What the body is
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    content_type: String,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.connection, context)?;
    let request = match &arguments.dialect {
        Dialect::Cams(cams) => signed(&client, cams, context)?,
        Dialect::Onprem(plain) => onprem(&client, plain, context)?,
        Dialect::Graph(plain) => {
            let token = needed(context, "ROLLCALL_GRAPH_TOKEN")?;
            described(&client, plain)?.bearer_auth(token)
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (status, body) = client.raw(request).await?;
        print(&format!("{}\n", String::from_utf8_lossy(&body)))?;
        if status.is_success() {
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!("the server answered {status}");
        Ok(ExitCode::from(FAILURE))
    })
}

/// A variable that has to be there.
fn needed<'c>(context: &Context<'c>, name: &str) -> anyhow::Result<&'c str> {
    let value = context.environment.value(name);
    value.with_context(|| format!("{name} is not set; see `rollcall call --help`"))
}

fn signed(
    client: &Client,
    cams: &Cams,
    context: &Context<'_>,
) -> anyhow::Result<reqwest::RequestBuilder> {
    let base = client.base();
    let host = base.host_str().unwrap_or_default();
    let host = base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let nonce = hex::encode(OsEntropy.bytes::<16>());
    let order = Order {
        host: &host,
        action: &cams.action,
        query: &cams.parameters,
        form: &[],
        nonce: &nonce,
        now: SystemClock::new().now(),
    };
    let with = SignWith {
        key: needed(context, "ALIBABA_CLOUD_ACCESS_KEY_ID")?,
        secret: needed(context, "ALIBABA_CLOUD_ACCESS_KEY_SECRET")?,
        token: context.environment.value("ALIBABA_CLOUD_SECURITY_TOKEN"),
        family: match cams.signature {
            Signature::Acs3 => Family::V3,
            Signature::Rpc => Family::V1,
        },
    };
    let signed = sign(order, with).context("action or key has characters that cannot be sent")?;
    let mut request = client.request(Method::POST, &signed.target)?;
    for (name, value) in signed.headers {
        request = request.header(name, value);
    }
    Ok(request.body(signed.body))
}

fn onprem(
    client: &Client,
    plain: &Plain,
    context: &Context<'_>,
) -> anyhow::Result<reqwest::RequestBuilder> {
    let request = described(client, plain)?;
    if plain.path.trim_end_matches('/').ends_with("/users/login") {
        let user = needed(context, "ROLLCALL_ONPREM_USER")?;
        let password = needed(context, "ROLLCALL_ONPREM_PASSWORD")?;
        return Ok(request.basic_auth(user, Some(password)));
    }
    Ok(request.bearer_auth(needed(context, "ROLLCALL_ONPREM_TOKEN")?))
}

fn described(client: &Client, plain: &Plain) -> anyhow::Result<reqwest::RequestBuilder> {
    let request = client.request(plain.method.clone(), &plain.path)?;
    let body = match (&plain.body, &plain.body_base64) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(text)) => STANDARD.decode(text).context("--body-base64 is no base64")?,
        (None, None) => return Ok(request),
    };
    Ok(request.header("content-type", &plain.content_type).body(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_cut_at_its_first_equals_sign() {
        assert_eq!(pair("Code=a=b"), Ok(("Code".to_owned(), "a=b".to_owned())));
        assert!(pair("Code").is_err());
    }
}
