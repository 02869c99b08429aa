//! `/admin/v1/fuses`: what guards the money, what is left, and when it starts anew.

use axum::Json;
use axum::extract::State;
use registration::{Fuse, TextId as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service::Caller;
use service::ports::Subject;
use service::spending::{FuseMode, fuse_of};
use utoipa::ToSchema;

use super::failure::{Failure, Failures};
use super::input::Body;
use super::wire::At;
use crate::state::App;

/// All fuses at this moment. Amounts are in millionths of the currency.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Fuses {
    /// `enforce`, `shadow` (they only count) or `off`.
    mode: &'static str,
    #[schema(example = "EUR")]
    currency: String,
    now: At,
    /// Budgets that something was spent from.
    budgets: Vec<BudgetView>,
    /// Ranges of numbers that codes were sent to lately, the stopped ones first.
    ranges: Vec<RangeView>,
    /// How often each rule that only counts would have refused, since the server started.
    would_refuse: std::collections::BTreeMap<&'static str, u64>,
}

/// A budget of the present day or hour.
#[derive(Debug, Serialize, ToSchema)]
struct BudgetView {
    /// `account-day` or `country-hour`.
    fuse: &'static str,
    /// The account, or the country's calling code.
    of: String,
    spent: u64,
    /// None if there is no limit any more.
    limit: Option<u64>,
    left: Option<u64>,
    /// Orders that it would have refused, had it been in force.
    would_refuse: u64,
    resets_at: At,
}

/// Numbers that begin alike.
#[derive(Debug, Serialize, ToSchema)]
struct RangeView {
    #[schema(example = "+447700")]
    prefix: String,
    /// Codes looked at.
    sent: u32,
    /// How many of them were used.
    used: u32,
    /// Until when codes to it are refused.
    stopped_until: Option<At>,
}

/// Which range to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reset {
    /// How its numbers begin, as the list shows it.
    #[schema(example = "+447700")]
    prefix: String,
}

/// Shows what guards the money
#[utoipa::path(get, path = "/fuses", tag = "sends",
    responses((status = 200, body = Fuses), Failures))]
pub(crate) async fn show(State(app): State<App>) -> Result<Json<Fuses>, Failure> {
    view(&app).await.map(Json)
}

/// Opens a stopped range of numbers again
///
/// Codes sent to it before this moment count no more.
#[utoipa::path(post, path = "/fuses/reset", tag = "sends", request_body = Reset,
    responses((status = 200, body = Fuses), Failures))]
pub(crate) async fn reset(
    State(app): State<App>,
    Body(wanted): Body<Reset>,
) -> Result<Json<Fuses>, Failure> {
    let prefix = wanted.prefix.strip_prefix('+').unwrap_or(&wanted.prefix);
    if prefix.is_empty() || prefix.len() > 15 || !prefix.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Failure::invalid("prefix", "is no beginning of a number such as +447700"));
    }
    app.service.reset_range(prefix).await?;
    let details = json!({ "prefix": prefix });
    app.service.record(&Caller::operator(), Subject::System, "range_reset", &details).await?;
    view(&app).await.map(Json)
}

async fn view(app: &App) -> Result<Fuses, Failure> {
    let policy = app.service.policy();
    let spending = &policy.spending;
    let mut budgets = Vec::new();
    for it in app.service.budgets().await? {
        let Some((fuse, of)) = fuse_of(&it.key) else { continue };
        let limit = match fuse {
            Fuse::AccountDay => {
                let own = spending.accounts.iter().find(|(account, _)| account.as_str() == of);
                own.and_then(|(_, rules)| rules.day).or(spending.account_day)
            }
            Fuse::CountryHour => spending.country_hour,
        };
        budgets.push(BudgetView {
            fuse: fuse.as_str(),
            of: of.to_owned(),
            spent: it.spent,
            limit,
            left: limit.map(|limit| limit.saturating_sub(it.spent)),
            would_refuse: it.would_refuse,
            resets_at: it.resets_at.into(),
        });
    }
    let ranges = app.service.ranges().into_iter().map(|it| RangeView {
        prefix: format!("+{}", it.prefix),
        sent: it.sent,
        used: it.used,
        stopped_until: it.stopped_until.map(At::from),
    });
    Ok(Fuses {
        mode: match spending.mode {
            FuseMode::Off => "off",
            FuseMode::Shadow => "shadow",
            FuseMode::Enforce => "enforce",
        },
        currency: spending.currency.clone(),
        now: app.service.now().into(),
        budgets,
        ranges: ranges.collect(),
        would_refuse: app.service.would_refuse(),
    })
}
