//! The policies of a user, ready to be evaluated.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::try_join_all;
use registration::{AccountId, TextId as _};

use super::document::PolicyDocument;
use super::evaluate::{PolicyType, RamPolicy};
use super::name::RamName;
use super::parse::PolicyError;
use super::system::SystemPolicy;
use crate::directory::{EntityRef, RamUser};
use crate::error::ServiceError;
use crate::service::Service;

/// Tries before giving up because others change the same user at this very moment.
const ATTEMPTS_MAX: u32 = 4;

/// Most policies kept ready; with texts of 6 KB and what is made of them some 10 MB.
const COMPILED_MAX: usize = 512;

impl Service {
    /// The policies of a user: its own, then those of its groups, each once. `None`: no such user.
    ///
    /// Reads user, groups and policies each time, so a change counts from the next request on, on every
    /// node; only reading their texts is spared.
    pub async fn policies_of_user(
        &self,
        account: &AccountId,
        user: &RamName,
    ) -> Result<Option<Vec<RamPolicy>>, ServiceError> {
        for _ in 0..ATTEMPTS_MAX {
            let found = self.store.entity(&EntityRef::ram_user(account, user)).await?;
            let Some(user) = found.and_then(|found| found.value.into_ram_user()) else {
                return Ok(None);
            };
            // What is missing was detached and removed since the user was read.
            if let Some(policies) = self.policies_named_by(&user).await? {
                return Ok(Some(policies));
            }
        }
        Err(ServiceError::Bug(format!("{account}/{user} names a policy or group that is missing")))
    }

    async fn policies_named_by(
        &self,
        user: &RamUser,
    ) -> Result<Option<Vec<RamPolicy>>, ServiceError> {
        let groups = user.groups.iter().map(async |group| {
            let found = self.store.entity(&EntityRef::group(&user.account, group)).await?;
            Ok::<_, ServiceError>(found.and_then(|found| found.value.into_group()))
        });
        let mut names = user.policies.clone();
        for group in try_join_all(groups).await? {
            let Some(group) = group else { return Ok(None) };
            let more = group.policies.into_iter().filter(|it| !names.contains(it));
            names.extend(more.collect::<Vec<_>>());
        }
        let policies = names.iter().map(|name| self.policy_ready(&user.account, name));
        Ok(try_join_all(policies).await?.into_iter().collect())
    }

    async fn policy_ready(
        &self,
        account: &AccountId,
        name: &RamName,
    ) -> Result<Option<RamPolicy>, ServiceError> {
        let ready = |document| RamPolicy {
            name: name.as_str().into(),
            policy_type: PolicyType::Account,
            document,
        };
        if let Some(policy) = SystemPolicy::parse(name.as_str()) {
            return Ok(Some(ready(policy.document())));
        }
        let key = EntityRef::custom_policy(account, name);
        let found = self.store.entity(&key).await?;
        let Some(policy) = found.and_then(|found| found.value.into_custom_policy()) else {
            return Ok(None);
        };
        let document = self.compiled_policies.document(key.id, policy.document);
        // It was checked when it was saved.
        let document = document.map_err(|it| ServiceError::Bug(format!("policy {name}: {it}")))?;
        Ok(Some(ready(document)))
    }
}

/// Policies whose text was read before, by id. A text that changed is read again: a version would not
/// tell, since a policy that is removed and made again starts over.
#[derive(Debug, Default)]
pub struct CompiledPolicies(Mutex<HashMap<String, (String, Arc<PolicyDocument>)>>);

impl CompiledPolicies {
    pub(super) fn document(
        &self,
        id: String,
        text: String,
    ) -> Result<Arc<PolicyDocument>, PolicyError> {
        // An entry is put in whole, so a panic elsewhere spoils nothing here.
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((kept, document)) = lock().get(&id)
            && *kept == text
        {
            return Ok(Arc::clone(document));
        }
        let document = Arc::new(PolicyDocument::parse(&text)?);
        let mut compiled = lock();
        if compiled.len() >= COMPILED_MAX {
            compiled.clear();
        }
        compiled.insert(id, (text, Arc::clone(&document)));
        Ok(document)
    }
}
