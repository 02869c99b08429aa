//! What belongs to RAM.

use std::borrow::Cow;

use registration::TextId as _;
use serde::{Deserialize, Serialize};
use service::directory::{CustomPolicy, Group, RamUser};
use service::ram::RamName;

use super::super::{BadRow, to_json};
use super::{Reader, at};

#[derive(Serialize, Deserialize)]
struct RamUserTwin<'a> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    display_name: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    policies: Vec<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Cow<'a, str>>,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct GroupTwin<'a> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    display_name: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    policies: Vec<Cow<'a, str>>,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct CustomPolicyTwin<'a> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    document: Cow<'a, str>,
    at: i64,
    updated_at: i64,
}

/// The body of a RAM user.
pub(super) fn user_body(it: &RamUser) -> String {
    to_json(&RamUserTwin {
        account: it.account.as_str().into(),
        name: it.name.as_str().into(),
        display_name: (&it.display_name).into(),
        policies: texts(&it.policies),
        groups: texts(&it.groups),
        at: it.created_at.as_millis(),
    })
}

/// The body of a group.
pub(super) fn group_body(it: &Group) -> String {
    to_json(&GroupTwin {
        account: it.account.as_str().into(),
        name: it.name.as_str().into(),
        display_name: (&it.display_name).into(),
        policies: texts(&it.policies),
        at: it.created_at.as_millis(),
    })
}

/// The body of a policy.
pub(super) fn policy_body(it: &CustomPolicy) -> String {
    to_json(&CustomPolicyTwin {
        account: it.account.as_str().into(),
        name: it.name.as_str().into(),
        document: (&it.document).into(),
        at: it.created_at.as_millis(),
        updated_at: it.updated_at.as_millis(),
    })
}

impl Reader<'_> {
    fn names(&self, texts: &[Cow<'_, str>]) -> Result<Vec<RamName>, BadRow> {
        texts.iter().map(|text| self.id_in_body(text)).collect()
    }

    pub(super) fn ram_user(&self) -> Result<RamUser, BadRow> {
        let twin: RamUserTwin<'_> = self.twin()?;
        Ok(RamUser {
            account: self.id_in_body(&twin.account)?,
            name: self.id_in_body(&twin.name)?,
            display_name: twin.display_name.into_owned(),
            policies: self.names(&twin.policies)?,
            groups: self.names(&twin.groups)?,
            created_at: at(twin.at),
        })
    }

    pub(super) fn group(&self) -> Result<Group, BadRow> {
        let twin: GroupTwin<'_> = self.twin()?;
        Ok(Group {
            account: self.id_in_body(&twin.account)?,
            name: self.id_in_body(&twin.name)?,
            display_name: twin.display_name.into_owned(),
            policies: self.names(&twin.policies)?,
            created_at: at(twin.at),
        })
    }

    pub(super) fn custom_policy(&self) -> Result<CustomPolicy, BadRow> {
        let twin: CustomPolicyTwin<'_> = self.twin()?;
        Ok(CustomPolicy {
            account: self.id_in_body(&twin.account)?,
            name: self.id_in_body(&twin.name)?,
            document: twin.document.into_owned(),
            created_at: at(twin.at),
            updated_at: at(twin.updated_at),
        })
    }
}

fn texts(names: &[RamName]) -> Vec<Cow<'_, str>> {
    names.iter().map(|name| name.as_str().into()).collect()
}
