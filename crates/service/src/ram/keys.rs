//! Whether a key may do what a request asks for.

use std::sync::Arc;

use registration::TextId as _;

use super::denied::{AccessDeniedDetail, authorize};
use super::evaluate::{PolicyType, RamPolicy};
use super::name::RamName;
use super::request::{Identity, Principal, Request};
use crate::directory::AccessKey;
use crate::error::ServiceError;
use crate::service::Service;

impl AccessKey {
    /// Whether no policy binds it: a key of the account itself without a session policy.
    #[must_use]
    pub fn is_unrestricted(&self) -> bool {
        self.user.is_none() && self.session_policy().is_none()
    }

    fn session_policy(&self) -> Option<&String> {
        self.temporary.as_ref().and_then(|it| it.session_policy.as_ref())
    }

    /// `acs:MFAPresent`: no key but a temporary one made after a second factor has it. Said in so many
    /// words, since a Deny of everybody without a second factor must find the key.
    #[must_use]
    pub fn mfa_present(&self) -> bool {
        self.temporary.as_ref().is_some_and(|it| it.mfa_present)
    }
}

impl Service {
    /// Decides a request signed with `key`: the session policy of a temporary key narrows what the
    /// policies of its owner allow.
    ///
    /// Fails closed: a policy that cannot be read, or a user that is gone, allows nothing.
    pub async fn authorize_key(
        &self,
        key: &AccessKey,
        request: &Request<'_>,
    ) -> Result<Result<(), AccessDeniedDetail>, ServiceError> {
        if key.is_unrestricted() {
            return Ok(Ok(()));
        }
        let mut policies = match key.user.as_deref().map(RamName::parse) {
            None => Vec::new(),
            // A user that was removed meanwhile, or that no user can be: nothing is allowed.
            Some(name) => {
                let Some(name) = name else { return Ok(decide(key, request, &[])) };
                self.policies_of_user(&key.account, &name).await?.unwrap_or_default()
            }
        };
        if let Some(text) = key.session_policy() {
            policies.push(self.session_policy_ready(key, text)?);
        }
        Ok(decide(key, request, &policies))
    }

    fn session_policy_ready(&self, key: &AccessKey, text: &str) -> Result<RamPolicy, ServiceError> {
        // It was checked when the key was made.
        let document = self
            .compiled_policies
            .document(format!("session/{}", key.id), text.to_owned())
            .map_err(|it| ServiceError::Bug(format!("session policy of {}: {it}", key.id)))?;
        let name = Arc::from("session policy");
        Ok(RamPolicy { name, policy_type: PolicyType::Session, document })
    }
}

fn decide(
    key: &AccessKey,
    request: &Request<'_>,
    policies: &[RamPolicy],
) -> Result<(), AccessDeniedDetail> {
    let identity = match &key.user {
        None => Identity::Owner,
        Some(name) => Identity::User { name },
    };
    let principal = Principal { account: &key.account, identity };
    authorize(&principal, request, policies).map(drop)
}
