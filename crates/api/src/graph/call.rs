//! What a handler is given: an authenticated request, and the objects it may see.

use std::sync::Arc;

use registration::{Claim, NumberRecord, PhoneNumberId, Refusal, TextId as _, WabaId};
use service::directory::{EntityRef, GraphToken, Waba};
use service::graph_usage::GraphParty;
use service::ports::{NumberKey, NumberQuery, Subject};
use service::{Caller, ServiceError};

use super::failure::Failure;
use super::fields::Fields;
use super::parameters::Parameters;
use super::usage::Counted;
use crate::state::App;

/// A request whose token was found good.
pub struct Call {
    /// Shared state.
    pub app: App,
    /// The token.
    pub token: GraphToken,
    /// Its parameters.
    pub parameters: Parameters,
    /// `get`, `post` or `delete`, as error texts say it.
    pub verb: &'static str,
    /// The node that the path names.
    pub node: String,
    /// Where this request came in, without query: links to other pages begin with it.
    pub url: String,
    /// The query as it came.
    pub query: String,
    /// For whom the call counts.
    pub counted: Arc<Counted>,
}

/// A number as a WABA claims it.
pub struct Phone {
    /// The number's record.
    pub record: NumberRecord,
    /// The claim that the id names.
    pub claim: Claim,
}

/// What an id names.
pub enum Node {
    /// A WABA.
    Waba(Waba),
    /// A number of a WABA.
    Phone(Box<Phone>),
}

impl Call {
    /// The caller as the use cases know it.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller {
            account: Some(self.token.account.clone()),
            dialect: "graph",
            actor: format!("graph:{}", self.token.id),
        }
    }

    /// A failed use case as a failure of this dialect.
    #[must_use]
    pub fn failure(&self, error: ServiceError) -> Failure {
        let failure = Failure::of(&self.app, error);
        if failure.is_no_object() { failure.about_object(self.verb, &self.node) } else { failure }
    }

    /// 100/33 for the node of the path: it does not exist, is another's, or of another kind.
    #[must_use]
    pub fn no_object(&self) -> Failure {
        Failure::no_object(self.verb, &self.node)
    }

    /// The fields asked for.
    pub fn fields(&self) -> Result<Fields, Failure> {
        let text = self.parameters.text("fields").unwrap_or_default();
        Fields::parse(&text)
            .map_err(|fault| Failure::from(super::codes::SYNTAX).with_message(fault.to_string()))
    }

    /// What the id in the path names, if the caller may see it. A call on a WABA, or on a number of it,
    /// counts for the WABA.
    pub async fn node(&self) -> Result<Node, Failure> {
        match PhoneNumberId::parse(&self.node) {
            Some(id) => match self.phone_of(&id).await? {
                Some(phone) => Ok(Node::Phone(Box::new(phone))),
                None => Ok(Node::Waba(self.waba().await?)),
            },
            None => Err(self.no_object()),
        }
    }

    /// The number that the path names.
    pub async fn phone(&self) -> Result<Phone, Failure> {
        let id = PhoneNumberId::parse(&self.node).ok_or_else(|| self.no_object())?;
        self.phone_of(&id).await?.ok_or_else(|| self.no_object())
    }

    /// The WABA that the path names.
    pub async fn waba(&self) -> Result<Waba, Failure> {
        let id = WabaId::parse(&self.node).ok_or_else(|| self.no_object())?;
        let waba = self.own_waba(&id).await?.ok_or_else(|| self.no_object())?;
        let query = NumberQuery {
            wabas: Some(vec![id.clone()]),
            registered: Some(true),
            limit: 1,
            ..NumberQuery::default()
        };
        let found = self.app.service.numbers(&query).await.map_err(|error| self.failure(error))?;
        self.admit(&id, !found.is_empty())?;
        Ok(waba)
    }

    async fn phone_of(&self, id: &PhoneNumberId) -> Result<Option<Phone>, Failure> {
        let service = &self.app.service;
        let found = service.find_number(&NumberKey::Claim(id.clone())).await;
        let Some(number) = found.map_err(|error| self.failure(error))? else { return Ok(None) };
        let record = service.number(number).await.map_err(|error| self.failure(error))?;
        let claim = record.as_ref().and_then(|record| record.claim(id)).cloned();
        let Some((record, claim)) = record.zip(claim) else { return Ok(None) };
        if self.own_waba(&claim.waba).await?.is_none() {
            return Ok(None);
        }
        let is_registered = record.registration.as_ref().is_some_and(|it| it.waba == claim.waba);
        self.admit(&claim.waba, is_registered)?;
        Ok(Some(Phone { record, claim }))
    }

    /// A WABA of the token's account that the token reaches.
    async fn own_waba(&self, id: &WabaId) -> Result<Option<Waba>, Failure> {
        let found = self.app.service.entity(&EntityRef::waba(id)).await;
        let found = found.map_err(|error| self.failure(error))?;
        let waba = found.and_then(|found| found.value.into_waba());
        Ok(waba.filter(|waba| waba.account == self.token.account && self.token.reaches(id)))
    }

    /// Takes the call from what the app may do on the WABA, and lets the answer say how much that was.
    fn admit(&self, waba: &WabaId, is_registered: bool) -> Result<(), Failure> {
        let service = &self.app.service;
        let limits = service.policy().graph;
        let calls_max =
            if is_registered { limits.registered_waba_calls } else { limits.waba_calls };
        let party = GraphParty::OnWaba(self.token.account.clone(), waba.clone());
        self.counted.on_waba(party.clone(), calls_max);
        service.admit_graph(&party, calls_max).map_err(|opens_at| {
            self.counted.opens_at(opens_at);
            Failure::of_refusal(&self.app, Refusal::TooManyRequests { opens_at })
        })
    }

    /// Records a refusal that no number's record decided.
    pub async fn refuse(&self, subject: Subject, operation: &str, refusal: Refusal) -> Failure {
        let error = self.app.service.refuse(&self.caller(), subject, operation, refusal).await;
        self.failure(error)
    }
}
