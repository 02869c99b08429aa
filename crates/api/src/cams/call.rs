//! What an operation is given: an authenticated, permitted request.

use registration::{AccountId, Refusal};
use service::directory::AccessKey;
use service::ports::Subject;
use service::{Caller, ServiceError};

use super::failure::Failure;
use super::parameters::Parameters;
use super::permission::Origin;
use crate::state::App;

/// A request whose signature was proven.
pub struct Call {
    /// Shared state.
    pub app: App,
    /// The key that signed it.
    pub key: AccessKey,
    /// Its parameters.
    pub parameters: Parameters,
    /// Where it came from.
    pub origin: Origin,
}

impl Call {
    /// The caller as the use cases know it.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller {
            account: Some(self.key.account.clone()),
            dialect: "cams",
            actor: format!("cams:{}", self.key.id),
        }
    }

    /// In whose account it acts.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.key.account
    }

    /// A parameter that was checked to be there.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.parameters.value(name).unwrap_or_default()
    }

    /// A failed use case as a failure of this dialect.
    #[must_use]
    pub fn failure(&self, error: ServiceError) -> Failure {
        Failure::of(&self.app, error)
    }

    /// Records a refusal that no number's record decided.
    pub async fn refuse(&self, subject: Subject, operation: &str, refusal: Refusal) -> Failure {
        let error = self.app.service.refuse(&self.caller(), subject, operation, refusal).await;
        self.failure(error)
    }
}
