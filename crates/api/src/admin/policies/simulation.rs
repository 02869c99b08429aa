//! What the policies of a user come to, for a request that nobody makes.

use std::collections::BTreeMap;

use registration::{AccountId, TextId as _};
use serde::{Deserialize, Serialize};
use service::directory::EntityRef;
use service::ram::{
    Considered, Context, Decision, Denial, Explanation, Finding, Identity, Permit, PolicyType,
    Principal, RamName, RamPolicy, Request, ResourceName, StatementRef, explain,
};
use utoipa::ToSchema;

use super::super::failure::Failure;
use super::super::wire::{Address, Id, Moment};
use super::faulty;
use crate::state::App;

/// The region that a resource is in if none is named: the one where CAMS is.
const REGION: &str = "ap-southeast-1";

/// Who would ask for what, and under which circumstances.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SimulationRequest {
    #[schema(value_type = String, example = "default")]
    account: Id<AccountId>,
    /// Which RAM user; the account itself if absent.
    #[schema(value_type = Option<String>, example = "ci")]
    user: Option<Id<RamName>>,
    /// Service and operation.
    #[schema(example = "cams:ChatappVerifyAndRegister")]
    action: String,
    /// All of the action's service in the account if absent.
    #[schema(example = "acs:cams:ap-southeast-1:default:*")]
    resource: Option<String>,
    /// `acs:SourceIp`; a request without one if absent.
    #[schema(value_type = Option<String>, example = "192.0.2.9")]
    source_ip: Option<Address>,
    /// `acs:CurrentTime`; now if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    time: Option<Moment>,
    /// `acs:SecureTransport`; yes if absent.
    secure_transport: Option<bool>,
    /// `acs:MFAPresent`; a request without one if absent.
    mfa_present: Option<bool>,
    /// Other keys and their values.
    #[serde(default)]
    context: BTreeMap<String, String>,
    /// The policy of a temporary key, as JSON text.
    session_policy: Option<String>,
}

/// What the policies say about a request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Simulation {
    allowed: bool,
    /// `allowed`, `explicit_deny` or `implicit_deny`.
    decision: &'static str,
    /// The decision in words.
    reason: String,
    /// The type of the policies that decide; `null` where none bind.
    policy_type: Option<&'static str>,
    /// The statement that decides; `null` where none matches.
    deciding: Option<StatementName>,
    /// The resource that was asked for.
    resource: String,
    /// Every statement of every policy of the user, and what it has to do with the decision.
    statements: Vec<StatementView>,
}

/// Names a statement.
#[derive(Debug, Serialize, ToSchema)]
struct StatementName {
    policy: String,
    /// Its place in the policy, from 0.
    statement: usize,
}

/// A statement and what it has to do with the decision.
#[derive(Debug, Serialize, ToSchema)]
struct StatementView {
    policy: String,
    /// Its place in the policy, from 0.
    statement: usize,
    policy_type: &'static str,
    /// `Allow` or `Deny`.
    effect: &'static str,
    /// `decides`, `matches` (but another decides) or `differs`.
    finding: &'static str,
    /// Why it does not match.
    reasons: Vec<String>,
}

/// Decides the request and explains the decision.
pub(super) async fn run(app: &App, asked: SimulationRequest) -> Result<Simulation, Failure> {
    let Id(account) = asked.account;
    let user = asked.user.as_ref().map(|it| &it.0);
    let mut policies = policies(app, &account, user).await?;
    if let Some(text) = &asked.session_policy {
        let policy = RamPolicy::parse("session policy", PolicyType::Session, text);
        policies.push(policy.map_err(|error| faulty("session_policy", &error))?);
    }
    let more: Vec<_> =
        asked.context.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let request = Request {
        action: &asked.action,
        resource: resource(&asked.action, asked.resource.as_deref(), &account)?,
        context: Context {
            current_time: asked.time.map_or_else(|| app.service.now(), |it| it.0),
            secure_transport: asked.secure_transport.unwrap_or(true),
            source_ip: asked.source_ip.map(|it| it.0),
            mfa_present: asked.mfa_present,
            more: &more,
        },
    };
    let identity = user.map_or(Identity::Owner, |name| Identity::User { name: name.as_str() });
    let principal = Principal { account: &account, identity };
    Ok(view(&request, &explain(&principal, &request, &policies)))
}

async fn policies(
    app: &App,
    account: &AccountId,
    user: Option<&RamName>,
) -> Result<Vec<RamPolicy>, Failure> {
    if app.service.entity(&EntityRef::account(account)).await?.is_none() {
        return Err(Failure::invalid("account", format!("there is no account {account}")));
    }
    let Some(user) = user else { return Ok(Vec::new()) };
    let missing = || Failure::invalid("user", format!("there is no user {user} in {account}"));
    app.service.policies_of_user(account, user).await?.ok_or_else(missing)
}

fn resource<'a>(
    action: &'a str,
    named: Option<&'a str>,
    account: &'a AccountId,
) -> Result<ResourceName<'a>, Failure> {
    let parts = action.split_once(':').filter(|(service, name)| {
        !service.is_empty() && !name.is_empty() && !action.contains(['*', '?'])
    });
    let Some((service, _)) = parts else {
        return Err(Failure::invalid("action", "has the form cams:GetChatappVerifyCode"));
    };
    let Some(named) = named else {
        return Ok(ResourceName::everything(service, REGION, account.as_str()));
    };
    let form = "has the form acs:service:region:account:relative-id";
    ResourceName::parse(named).ok_or_else(|| Failure::invalid("resource", form))
}

fn view(request: &Request<'_>, explanation: &Explanation<'_>) -> Simulation {
    let decision = &explanation.decision;
    let word = match decision {
        Decision::Allowed(_) => "allowed",
        Decision::Denied(Denial { by: Some(_), .. }) => "explicit_deny",
        Decision::Denied(Denial { by: None, .. }) => "implicit_deny",
    };
    Simulation {
        allowed: decision.is_allowed(),
        decision: word,
        reason: reason(decision),
        policy_type: decision.policy_type().map(PolicyType::as_str),
        deciding: decision
            .deciding()
            .map(|it| StatementName { policy: it.policy.to_owned(), statement: it.index }),
        resource: request.resource.to_string(),
        statements: explanation.statements.iter().map(statement).collect(),
    }
}

fn statement(it: &Considered<'_>) -> StatementView {
    let (finding, reasons) = match &it.finding {
        Finding::Decides => ("decides", Vec::new()),
        Finding::Matches => ("matches", Vec::new()),
        Finding::Differs(reasons) => ("differs", reasons.iter().map(ToString::to_string).collect()),
    };
    StatementView {
        policy: it.statement.policy.to_owned(),
        statement: it.statement.index,
        policy_type: it.policy_type.as_str(),
        effect: it.effect.as_str(),
        finding,
        reasons,
    }
}

fn reason(decision: &Decision<'_>) -> String {
    let place = |it: &StatementRef<'_>| format!("Statement {} of {}", it.index, it.policy);
    match decision {
        Decision::Allowed(Permit::Owner) => {
            "The account itself asks; its users' policies do not bind it.".to_owned()
        }
        Decision::Allowed(Permit::Statement(it, _)) => {
            format!("{} allows it, and nothing denies it.", place(it))
        }
        Decision::Denied(Denial { by: Some(it), .. }) => format!("{} denies it.", place(it)),
        Decision::Denied(Denial { by: None, policy_type }) => match policy_type {
            PolicyType::Control => "No control policy of the account allows it.",
            PolicyType::Session => "The policy of the temporary key does not allow it.",
            PolicyType::Account | PolicyType::ResourceGroup => {
                "No policy of the user or its groups allows it."
            }
        }
        .to_owned(),
    }
}
