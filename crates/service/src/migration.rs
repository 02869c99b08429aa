//! Moving a number to a WABA from wherever it is registered, step by step.

use async_trait::async_trait;
use registration::{
    AddNumber, ChallengeId, Command, NumberRecord, PhoneNumber, Refusal, RegistrationKey,
    Timestamp, WabaId,
};

use crate::caller::Caller;
use crate::error::ServiceError;
use crate::execute::{Committed, Proposal, Step};
use crate::numbers::{ClaimName, CodeAnswer, CodeOrder, RegisterOrder};
use crate::ports::{EntropyExt as _, Subject};
use crate::proposals::{CodeRequest, Confirmation};
use crate::service::Service;

impl Service {
    /// Begins to move a number to a WABA. `name` is the display name until the number arrives and brings
    /// its own; a claim that exists keeps its name so long.
    pub async fn start_migration(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        name: &ClaimName,
    ) -> Result<Committed, ServiceError> {
        self.not_forwarded(caller, waba, number, "add_number").await?;
        self.rehearse(caller, "add_number", Some(number)).await?;
        let add = AddNumber { waba: waba.clone(), claim: self.new_claim(name), only_new: false };
        self.execute(caller, number, &Command::StartMigration(add)).await
    }

    /// Sends the code of a migration.
    pub async fn request_migration_code(
        &self,
        caller: &Caller,
        order: &CodeOrder,
    ) -> Result<Committed, ServiceError> {
        let number = order.planned.number;
        self.not_forwarded(caller, &order.waba, number, "request_code").await?;
        self.rehearse_code(caller, number, order.method).await?;
        let request = CodeRequest {
            order,
            claim: None,
            fresh_challenge: ChallengeId(self.entropy.id128()),
            key: RegistrationKey(self.entropy.id128()),
            abroad: None,
        };
        let proposal = WhileMigrating { waba: &order.waba, then: &request };
        self.execute(caller, number, &proposal).await
    }

    /// Confirms the code of a migration; the number stays where it is until it is registered.
    pub async fn confirm_migration(
        &self,
        caller: &Caller,
        answer: &CodeAnswer,
    ) -> Result<Committed, ServiceError> {
        self.not_forwarded(caller, &answer.waba, answer.number, "verify_code").await?;
        self.rehearse(caller, "verify_code", Some(answer.number)).await?;
        let confirmation = Confirmation { answer, register: None, said: None };
        let proposal = WhileMigrating { waba: &answer.waba, then: &confirmation };
        self.execute(caller, answer.number, &proposal).await
    }

    /// Registers a number that was migrated: its old holder is logged off.
    pub async fn register_migrated(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        order: &RegisterOrder,
    ) -> Result<Committed, ServiceError> {
        self.not_forwarded(caller, waba, number, "register").await?;
        self.rehearse(caller, "register", Some(number)).await?;
        let registering = self.registering(waba, order);
        self.execute(caller, number, &WhileMigrating { waba, then: &registering }).await
    }
}

impl Service {
    /// Refuses for a WABA whose authority is a registrar upstream: a number moves there by its own means, and
    /// is added here when it has arrived.
    async fn not_forwarded(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        operation: &str,
    ) -> Result<(), ServiceError> {
        if self.link_of(waba).await?.is_none() {
            return Ok(());
        }
        let subject = Subject::Number(number);
        Err(self.refuse(caller, subject, operation, Refusal::NotMigrating).await)
    }
}

/// A step that only a migration under way allows.
struct WhileMigrating<'a> {
    waba: &'a WabaId,
    then: &'a dyn Proposal,
}

#[async_trait]
impl Proposal for WhileMigrating<'_> {
    async fn step(
        &self,
        service: &Service,
        record: &NumberRecord,
        now: Timestamp,
    ) -> Result<Step, ServiceError> {
        let mut step = self.then.step(service, record, now).await?;
        step.command =
            Command::WhileMigrating { waba: self.waba.clone(), then: Box::new(step.command) };
        Ok(step)
    }
}
