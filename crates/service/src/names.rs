//! Display names: asked for by callers, looked at by the operator, with a certificate once approved.

use registration::{
    Claim, Command, NameFault, NameReview, NameVerdict, NewName, NumberRecord, PhoneNumber,
    Timestamp, VerifiedName, WabaId,
};

use crate::caller::Caller;
use crate::certificate::NewCertificate;
use crate::error::ServiceError;
use crate::execute::Committed;
use crate::service::Service;

impl Service {
    /// Asks for another display name of a WABA's claim. A registered number shows it after it was approved
    /// and the number registered once more.
    pub async fn request_name(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        name: VerifiedName,
    ) -> Result<Committed, ServiceError> {
        // Whoever is the authority for the WABA looks at its names.
        if let Some(link) = self.link_of(waba).await? {
            return self.forward_name(caller, waba, number, name, link).await;
        }
        let until = (!self.policy().review_names).then(|| self.names_until());
        let command = Command::RequestName { waba: waba.clone(), name, until };
        self.execute(caller, number, &command).await
    }

    /// Approves the name that a claim waits for, else the one it has. For operators. Where `looked_at` is
    /// given and another name was asked for meanwhile, nothing is noted.
    pub async fn approve_name(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        looked_at: Option<VerifiedName>,
    ) -> Result<Committed, ServiceError> {
        let verdict = NameVerdict::Approve { until: self.names_until() };
        let command = Command::ReviewName { waba: waba.clone(), name: looked_at, verdict };
        self.execute(caller, number, &command).await
    }

    /// Declines it, on the same terms.
    pub async fn decline_name(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        looked_at: Option<VerifiedName>,
        why: NameFault,
    ) -> Result<Committed, ServiceError> {
        let verdict = NameVerdict::Decline(why);
        let command = Command::ReviewName { waba: waba.clone(), name: looked_at, verdict };
        self.execute(caller, number, &command).await
    }

    /// The certificate of the name that a claim has, while it is good.
    #[must_use]
    pub fn name_certificate(&self, record: &NumberRecord, claim: &Claim) -> Option<String> {
        self.certificate_of(record.number, &claim.waba, &claim.name, claim.name_review)
    }

    /// The certificate of the name that shall take its place, while it is good.
    #[must_use]
    pub fn new_name_certificate(
        &self,
        record: &NumberRecord,
        claim: &Claim,
        new: &NewName,
    ) -> Option<String> {
        self.certificate_of(record.number, &claim.waba, &new.name, new.review)
    }

    /// The same certificate each time, since the moment of its approval determines it.
    fn certificate_of(
        &self,
        number: PhoneNumber,
        waba: &WabaId,
        name: &VerifiedName,
        review: NameReview,
    ) -> Option<String> {
        let NameReview::Approved { at: issued_at } = review else { return None };
        let is_good = self.now() < issued_at + self.policy().certificate_lifetime;
        let serial = issued_at.as_millis().unsigned_abs();
        let (waba, name) = (waba.clone(), name.clone());
        let new = NewCertificate { number, waba, name, issued_at, serial };
        is_good.then(|| self.keys().authority().issue(&new))
    }

    /// Until when a name that is approved now has to be registered.
    fn names_until(&self) -> Timestamp {
        self.now() + self.policy().certificate_lifetime
    }
}
