//! Another display name: asked for upstream, where it is looked at.

use registration::{Command, Forwarded, PhoneNumber, VerifiedName, WabaId};
use serde_json::json;

use super::Settled;
use super::code::is_unclear;
use super::settle::has_name;
use crate::caller::Caller;
use crate::directory::Call;
use crate::error::ServiceError;
use crate::execute::Committed;
use crate::ports::Link;
use crate::service::Service;

impl Service {
    /// Asks upstream for another display name, unless it is the one there or asked for already: each starts a
    /// review, and there are few of them.
    pub(crate) async fn forward_name(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        name: VerifiedName,
        link: Link,
    ) -> Result<Committed, ServiceError> {
        let mut trip = self.trip(caller, waba, number, link).await?;
        if let Settled::Named(done) = &trip.settled
            && done.record.claim_of(waba).is_some_and(|claim| claim.name == name)
        {
            return Ok(done.clone());
        }
        let command = Command::ChangeName {
            waba: waba.clone(),
            name: name.clone(),
            certificate_serial: None,
        };
        self.dry_run(caller, number, &command).await?;
        if !trip.link.registrar().takes_names() {
            return trip.commit(&command, None).await;
        }
        // A number that is new there is added under the new name.
        trip.meet(&name, None).await?;
        let state = match trip.port.read_back(trip.errand()).await {
            Ok(state) => state,
            Err(error) => return Err(trip.failed(Forwarded::ChangeName, error).await),
        };
        trip.saw_or_lost(state.as_ref());
        if state.is_some_and(|state| has_name(&state, &name)) {
            let told = json!({ "operation": "change_name", "outcome": "known there" });
            return trip.named(name, told).await;
        }
        trip.begin(Call::ChangeName { name: name.clone() }).await?;
        match trip.port.change_name(trip.errand(), &name).await {
            Ok(()) => {
                let told = trip.told(Forwarded::ChangeName, None);
                trip.named(name, told).await
            }
            Err(error) => {
                let unclear = is_unclear(&error);
                let failure = trip.failed(Forwarded::ChangeName, error).await;
                match if unclear { trip.settle().await } else { Err(failure) } {
                    Ok(Settled::Named(done)) => Ok(done),
                    Ok(Settled::Nothing | Settled::Registered(_) | Settled::Deregistered(_)) => {
                        Err(not_asked())
                    }
                    Err(failure) => Err(failure),
                }
            }
        }
    }
}

fn not_asked() -> ServiceError {
    let reason = "the display name was not asked for there".to_owned();
    crate::error::Unavailable::Upstream { reason }.into()
}
