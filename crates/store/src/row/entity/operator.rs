//! Who may log in to the console.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use service::directory::{EndedLogin, Operator, OperatorRole};

use super::super::{BadRow, to_json};
use super::{Reader, at};

#[derive(Serialize, Deserialize)]
struct OperatorTwin<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    password: Cow<'a, str>,
    changed_at: i64,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct EndedTwin {
    expires_at: i64,
}

/// The body of an operator.
pub(super) fn operator_body(it: &Operator) -> String {
    to_json(&OperatorTwin {
        role: it.role.as_str().into(),
        password: (&it.password).into(),
        changed_at: it.changed_at.as_millis(),
        at: it.created_at.as_millis(),
    })
}

/// The body of a login that was ended.
pub(super) fn ended_body(it: &EndedLogin) -> String {
    to_json(&EndedTwin { expires_at: it.expires_at.as_millis() })
}

impl Reader<'_> {
    pub(super) fn operator(&self) -> Result<Operator, BadRow> {
        let twin: OperatorTwin<'_> = self.twin()?;
        Ok(Operator {
            name: self.id.to_owned(),
            role: self.place.ok("body", OperatorRole::parse(&twin.role))?,
            password: twin.password.into_owned(),
            changed_at: at(twin.changed_at),
            created_at: at(twin.at),
        })
    }

    pub(super) fn ended_login(&self) -> Result<EndedLogin, BadRow> {
        let twin: EndedTwin = self.twin()?;
        Ok(EndedLogin { id: self.id.to_owned(), expires_at: at(twin.expires_at) })
    }
}
