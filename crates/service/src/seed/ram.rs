//! The RAM policies and users of a seed.

use super::SeedAccount;
use super::apply::Draft;
use crate::directory::{CustomPolicy, Entity, RamUser};
use crate::error::ServiceError;
use crate::ram::{PolicyDocument, RamName, SystemPolicy};
use crate::service::Service;
use registration::TextId as _;

impl Service {
    /// Policies first, then the users who name them. A user gets exactly the policies that the seed names.
    pub(super) async fn draft_ram(
        &self,
        draft: &mut Draft<'_>,
        account: &SeedAccount,
    ) -> Result<(), ServiceError> {
        for policy in &account.credentials.policies {
            if let Err(error) = PolicyDocument::parse(&policy.document) {
                draft.clash(format!("policy {}: {error}", policy.name.escape_debug()));
            }
            if policy.name.starts_with(SystemPolicy::PREFIX) {
                draft
                    .clash(format!("policy {}: the name is kept for system policies", policy.name));
            }
            let Some(name) = name(draft, "policy", &policy.name) else { continue };
            let policy = CustomPolicy {
                account: account.id.clone(),
                name,
                document: policy.document.clone(),
                created_at: draft.now,
                updated_at: draft.now,
            };
            self.draft_entity(draft, Entity::CustomPolicy(policy)).await?;
        }
        for user in &account.credentials.users {
            let Some(user_name) = name(draft, "user", &user.name) else { continue };
            let policies = user.policies.iter();
            let user = RamUser {
                account: account.id.clone(),
                name: user_name,
                display_name: user.name.clone(),
                policies: policies.filter_map(|it| name(draft, "policy", it)).collect(),
                groups: Vec::new(),
                created_at: draft.now,
            };
            self.draft_entity(draft, Entity::RamUser(user)).await?;
        }
        Ok(())
    }
}

fn name(draft: &mut Draft<'_>, kind: &str, text: &str) -> Option<RamName> {
    let name = RamName::parse(text);
    if name.is_none() {
        let text = text.escape_debug();
        draft.clash(format!("{kind} {text}: a name has 1 to 64 letters, digits, '-', '_', '.'"));
    }
    name
}
