//! The policies that exist in every account.

use std::sync::{Arc, LazyLock};

use super::document::PolicyDocument;

/// A policy that every account has and nobody can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemPolicy {
    /// Everything in Chat App.
    CamsFullAccess,
    /// What is called `Get…` or `List…`. As at Alibaba Cloud that covers operations with effects, such as
    /// `GetChatappVerifyCode`, and leaves out every `Query…`.
    CamsReadOnlyAccess,
}

impl SystemPolicy {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::CamsFullAccess, Self::CamsReadOnlyAccess];

    /// How the names of system policies begin; no custom policy may be called so.
    pub const PREFIX: &str = "Aliyun";

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CamsFullAccess => "AliyunCamsFullAccess",
            Self::CamsReadOnlyAccess => "AliyunCamsReadOnlyAccess",
        }
    }

    /// The one called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Its text.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::CamsFullAccess => {
                r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cams:*","Resource":"*"}]}"#
            }
            Self::CamsReadOnlyAccess => {
                r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cams:Get*","cams:List*"],"Resource":"*"}]}"#
            }
        }
    }

    /// The policy, read once.
    #[must_use]
    pub fn document(self) -> Arc<PolicyDocument> {
        static FULL: LazyLock<Arc<PolicyDocument>> =
            LazyLock::new(|| read(SystemPolicy::CamsFullAccess));
        static READ_ONLY: LazyLock<Arc<PolicyDocument>> =
            LazyLock::new(|| read(SystemPolicy::CamsReadOnlyAccess));
        match self {
            Self::CamsFullAccess => Arc::clone(&FULL),
            Self::CamsReadOnlyAccess => Arc::clone(&READ_ONLY),
        }
    }
}

fn read(policy: SystemPolicy) -> Arc<PolicyDocument> {
    Arc::new(PolicyDocument::parse(policy.text()).expect("a test reads both texts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_policy_is_sound_and_found_by_its_reserved_name() {
        for policy in SystemPolicy::ALL {
            assert_eq!(policy.document().to_string(), read(policy).to_string());
            assert_eq!(SystemPolicy::parse(policy.name()), Some(policy));
            assert!(policy.name().starts_with(SystemPolicy::PREFIX));
        }
    }
}
