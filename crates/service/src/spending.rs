//! Money: what a code costs, which budgets pay for it, and where codes may go.

use core::time::Duration;
use std::collections::BTreeMap;

use registration::{
    AccountId, Closed, CodeMethod, Destinations, Fuse, PhoneNumber, Reach, Timestamp,
};

use crate::numbering::Planned;
use crate::ports::{Budget, Send, Spend};
use crate::queries::INBOX;
use crate::service::Service;

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);

/// Whether rules about money refuse, only count, or are not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FuseMode {
    /// Not asked.
    Off,
    /// Counts what it would have refused, and lets it pass.
    Shadow,
    /// Refuses.
    #[default]
    Enforce,
}

/// The operator's rules about money. Amounts are in millionths of the currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    /// What the rules do.
    pub mode: FuseMode,
    /// Three letters, for people.
    pub currency: String,
    /// What messages and calls cost.
    pub prices: Prices,
    /// What one account may spend in a day (UTC); none is without limit.
    pub account_day: Option<u64>,
    /// What all accounts may spend on one country in an hour; none is without limit.
    pub country_hour: Option<u64>,
    /// Where codes may go, for accounts without rules of their own.
    pub destinations: Destinations,
    /// Rules of single accounts.
    pub accounts: BTreeMap<AccountId, AccountRules>,
    /// When a range of numbers is stopped because nobody uses the codes.
    pub conversion: Option<Conversion>,
}

/// Rules of one account, in the place of those that all have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountRules {
    /// What it may spend in a day.
    pub day: Option<u64>,
    /// Beginnings of the numbers that it may reach by SMS.
    pub sms: Option<Vec<String>>,
    /// Beginnings of the numbers that it may reach by voice call.
    pub voice: Option<Vec<String>>,
}

/// A range of numbers is stopped while fewer than `percent` of its last `of` codes within `window` were
/// used. Sends that cannot be judged yet, because their codes live, do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    /// Least share of used codes.
    pub percent: u32,
    /// How many codes are looked at; fewer prove nothing.
    pub of: u32,
    /// How old they may be: what is older than this is forgotten, and the range is tried again.
    pub window: Duration,
    /// How many digits make a range.
    pub digits: usize,
}

/// What messages and calls cost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prices {
    /// One price a row; of several that fit, the one with the longest prefix counts.
    pub rows: Vec<Price>,
    /// What a sender without a price is taken to cost.
    pub unknown: u64,
}

/// What one sender takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The sender.
    pub sender: String,
    /// For a message, or for a call.
    pub method: CodeMethod,
    /// To numbers whose digits begin like this.
    pub prefix: String,
    /// In millionths of the currency.
    pub amount: u64,
}

impl Default for Spending {
    /// Everything is open and nothing costs anything: a sandbox.
    fn default() -> Self {
        Self {
            mode: FuseMode::Enforce,
            currency: "EUR".to_owned(),
            prices: Prices::default(),
            account_day: None,
            country_hour: None,
            destinations: Destinations::everywhere(),
            accounts: BTreeMap::new(),
            conversion: None,
        }
    }
}

impl Prices {
    /// What `sender` takes for a code to `number`.
    #[must_use]
    pub fn of(&self, sender: &str, method: CodeMethod, number: PhoneNumber) -> u64 {
        let digits = number.digits();
        let fits = |price: &&Price| {
            price.sender == sender && price.method == method && digits.starts_with(&price.prefix)
        };
        let found = self.rows.iter().filter(fits).max_by_key(|price| price.prefix.len());
        let unknown = if sender == INBOX { 0 } else { self.unknown };
        found.map_or(unknown, |price| price.amount)
    }
}

impl Spending {
    /// What must be in the budgets for a code: the most that any of its senders takes.
    #[must_use]
    pub fn most(&self, senders: &[String], method: CodeMethod, number: PhoneNumber) -> u64 {
        senders.iter().map(|it| self.prices.of(it, method, number)).max().unwrap_or(0)
    }

    /// The budgets that pay for a code.
    #[must_use]
    pub fn spends(
        &self,
        account: &AccountId,
        country_code: u16,
        amount: u64,
        now: Timestamp,
    ) -> Vec<Spend> {
        if amount == 0 || self.mode == FuseMode::Off {
            return Vec::new();
        }
        let enforced = self.mode == FuseMode::Enforce;
        let own = self.accounts.get(account).and_then(|rules| rules.day);
        let limits = [
            (Fuse::AccountDay, account.to_string(), DAY, own.or(self.account_day)),
            (Fuse::CountryHour, country_code.to_string(), HOUR, self.country_hour),
        ];
        let spend = |(fuse, whose, span, limit): (Fuse, String, Duration, Option<u64>)| {
            let (number, resets_at) = window(now, span);
            let key = format!("{}/{whose}/{number}", fuse.as_str());
            Some(Spend { key, amount, limit: limit?, resets_at, enforced })
        };
        limits.into_iter().filter_map(spend).collect()
    }

    fn destination(&self, account: &AccountId, method: CodeMethod, number: PhoneNumber) -> bool {
        let own = self.accounts.get(account);
        let own = own.and_then(|rules| match method {
            CodeMethod::Sms => rules.sms.as_ref(),
            CodeMethod::Voice => rules.voice.as_ref(),
        });
        match own {
            Some(open) => {
                let digits = number.digits();
                open.iter().any(|beginning| digits.starts_with(beginning.as_str()))
            }
            None => self.destinations.allow(method, number),
        }
    }
}

impl Service {
    /// Whether anything stands against a code to this number, before any cost.
    pub(crate) fn reach(
        &self,
        payer: &AccountId,
        planned: &Planned,
        method: CodeMethod,
        now: Timestamp,
    ) -> Reach {
        let number = planned.number;
        if self.delivery.candidates(method, number).is_some_and(|it| it.is_empty()) {
            return Reach::Closed(Closed::NoSender);
        }
        let policy = self.policy();
        let spending = &policy.spending;
        let reach = if spending.mode == FuseMode::Off {
            Reach::Open
        } else if !spending.destination(payer, method, number) {
            Reach::Closed(Closed::NotOpened)
        } else {
            let stop = spending.conversion.and_then(|rule| self.stopped(&rule, number, now));
            stop.map_or(Reach::Open, |opens_at| Reach::Stopped { opens_at })
        };
        if reach != Reach::Open && spending.mode == FuseMode::Shadow {
            let rule =
                if matches!(reach, Reach::Stopped { .. }) { "conversion" } else { "destination" };
            tracing::info!(rule, number = ?number, "would be refused");
            self.tallies.would_refuse(rule);
            return Reach::Open;
        }
        reach
    }

    /// Reserves what `send` may cost; the budgets decide in the unit whether they have it.
    pub(crate) fn reserve(&self, send: &mut Send, country_code: u16, now: Timestamp) -> Vec<Spend> {
        let policy = self.policy();
        let method = send.what.method;
        let senders = self.delivery.candidates(method, send.number).unwrap_or_default();
        let amount = policy.spending.most(&senders, method, send.number);
        let spends = policy.spending.spends(&send.account, country_code, amount, now);
        send.charged = amount;
        send.budgets = spends.iter().map(|spend| spend.key.clone()).collect();
        spends
    }

    /// The budgets of the present day and hour that have paid for anything.
    pub async fn budgets(&self) -> Result<Vec<Budget>, crate::ServiceError> {
        let now = self.now();
        let mut budgets = Vec::new();
        for fuse in [Fuse::AccountDay, Fuse::CountryHour] {
            budgets.extend(self.store.budgets(&format!("{}/", fuse.as_str())).await?);
        }
        budgets.retain(|it| it.resets_at > now);
        Ok(budgets)
    }
}

/// The fuse and the owner that the key of a budget names.
#[must_use]
pub fn fuse_of(key: &str) -> Option<(Fuse, &str)> {
    let (name, rest) = key.split_once('/')?;
    let (owner, _) = rest.rsplit_once('/')?;
    let fuses = [Fuse::AccountDay, Fuse::CountryHour];
    fuses.into_iter().find(|fuse| fuse.as_str() == name).map(|fuse| (fuse, owner))
}

/// Which span of this length `now` is in, counted from the Unix epoch, and when the next one begins.
pub(crate) fn window(now: Timestamp, span: Duration) -> (i64, Timestamp) {
    let length = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    let number = now.as_millis().div_euclid(length);
    (number, Timestamp::from_millis((number.saturating_add(1)).saturating_mul(length)))
}
