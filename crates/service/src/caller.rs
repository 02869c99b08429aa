//! Who asks, as far as the use cases need to know.

use registration::AccountId;

/// The party behind a request, authenticated by its dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who pays; `None` is the operator.
    pub account: Option<AccountId>,
    /// `onprem`, `cams`, `graph`, `admin` or `sandbox`.
    pub dialect: &'static str,
    /// As it stands in the audit trail: `onprem:default/admin`, `cams:LTAI…`, `operator`.
    pub actor: String,
}

impl Caller {
    /// The operator, through the admin API or the command line.
    #[must_use]
    pub fn operator() -> Self {
        Self { account: None, dialect: "admin", actor: "operator".to_owned() }
    }

    /// The installation itself: first start, worker.
    #[must_use]
    pub fn system() -> Self {
        Self { account: None, dialect: "admin", actor: "system".to_owned() }
    }
}
