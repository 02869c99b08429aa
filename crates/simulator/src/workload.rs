//! What the tenants ask, and what they are answered.

use core::fmt;
use std::sync::Arc;

use registration::{
    CodeMethod, Holding, Locale, NameFault, Platform, TwoStepPin, VerificationCode, VerifiedName,
    WabaId,
};
use service::execute::Committed;
use service::numbering::Planned;
use service::numbers::{ClaimName, CodeAnswer, CodeOrder, PinInput, RegisterOrder};
use service::{Caller, Refused, Service, ServiceError};

use crate::tenants::Party;

/// All PINs in use: few, so that one tenant's is often another's.
pub const PINS: [&str; 3] = ["271828", "314159", "161803"];

/// All display names in use.
pub const NAMES: [&str; 3] = ["Lucky Shrub", "Jasper's Market", "Wind & Wool"];

/// The password of all backups.
pub const PASSWORD: &str = "Backup-Password-1!";

/// One call.
#[derive(Clone)]
pub struct Call {
    /// Who calls; `None` is the operator.
    pub party: Option<Party>,
    /// About which number.
    pub number: Planned,
    /// What is asked.
    pub ask: Ask,
}

/// What a call asks.
#[derive(Clone)]
pub enum Ask {
    /// Claim the number under one of the names.
    Add(&'static str),
    /// Another display name.
    RequestName(&'static str),
    /// A verdict on the display name of a WABA, by the operator: approved without a fault.
    ReviewName {
        /// Whose.
        waba: WabaId,
        /// What is wrong with it.
        fault: Option<NameFault>,
    },
    /// A code.
    RequestCode {
        /// SMS or voice.
        method: CodeMethod,
        /// The PIN that comes along.
        pin: Pin,
        /// Claims the number if need be.
        claims: bool,
    },
    /// Confirm a code, and register if something is brought for that.
    Verify {
        /// What is submitted.
        code: Option<String>,
        /// Where it comes from, for the log.
        origin: &'static str,
        /// What is brought for a registration.
        register: Option<Bring>,
    },
    /// Register.
    Register(Bring),
    /// Deregister.
    Deregister,
    /// Set this PIN.
    SetPin(&'static str),
    /// Switch two-step verification off.
    ClearPin,
    /// Lift the lock.
    Unlock,
    /// Make a backup.
    Backup,
    /// Restore this backup, with the right password or another.
    Restore(Arc<Vec<u8>>, &'static str),
}

/// What a registration brings along.
#[derive(Debug, Clone, Copy)]
pub struct Bring {
    /// The PIN.
    pub pin: Pin,
    /// The PIN to set if there is none.
    pub set_pin: Option<&'static str>,
}

/// A PIN in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// The dialect has no place for it.
    NotAsked,
    /// Left empty.
    Absent,
    /// This one.
    Given(&'static str),
}

/// What a call was answered.
#[derive(Debug)]
pub enum Answer {
    /// Yes.
    Accepted(Box<Committed>),
    /// A backup.
    Backup(Vec<u8>),
    /// No.
    Refused(Refused),
    /// Not now.
    Unavailable(String),
    /// An invariant does not hold, says the service itself.
    Bug(String),
}

impl Call {
    /// Asks `service` and waits for the answer.
    pub async fn perform(&self, service: &Service) -> Answer {
        let answer = match self.party.as_ref() {
            Some(party) => self.tenant_asks(service, party).await,
            None => self.operator_asks(service).await,
        };
        match answer {
            Ok(answer) => answer,
            Err(ServiceError::Refused(refused)) => Answer::Refused(refused),
            Err(ServiceError::Unavailable(error)) => Answer::Unavailable(error.to_string()),
            Err(ServiceError::Bug(what)) => Answer::Bug(what),
        }
    }

    async fn operator_asks(&self, service: &Service) -> Result<Answer, ServiceError> {
        let (caller, number) = (Caller::operator(), self.number.number);
        match &self.ask {
            Ask::Deregister => service.deregister(&caller, None, number).await,
            Ask::SetPin(pin) => service.set_two_step(&caller, number, None, &parsed(pin)).await,
            Ask::ClearPin => service.clear_two_step(&caller, number, None).await,
            Ask::ReviewName { waba, fault: None } => {
                service.approve_name(&caller, waba, number, None).await
            }
            Ask::ReviewName { waba, fault: Some(why) } => {
                service.decline_name(&caller, waba, number, None, *why).await
            }
            Ask::Unlock
            | Ask::Add(_)
            | Ask::RequestName(_)
            | Ask::RequestCode { .. }
            | Ask::Verify { .. }
            | Ask::Register(_)
            | Ask::Backup
            | Ask::Restore(..) => service.unlock(&caller, number).await,
        }
        .map(accepted)
    }

    async fn tenant_asks(&self, service: &Service, party: &Party) -> Result<Answer, ServiceError> {
        let (caller, number, waba) = (party.caller(), self.number.number, &party.waba);
        match &self.ask {
            Ask::Add(_) => service.add_number(&caller, waba, number, &self.claim_name()).await,
            Ask::RequestName(_) => {
                service.request_name(&caller, waba, number, self.brought_name()).await
            }
            Ask::ReviewName { .. } => {
                return Err(ServiceError::Bug("a tenant judges no names".to_owned()));
            }
            Ask::RequestCode { method, pin, claims } => {
                let order = CodeOrder {
                    payer: party.account.clone(),
                    waba: waba.clone(),
                    client: party.client.clone(),
                    planned: self.number,
                    method: *method,
                    locale: Locale::english(),
                    pin: pin.input(),
                    claim: claims.then(|| self.claim_name()),
                    only_unproven: false,
                };
                service.request_code(&caller, &order).await
            }
            Ask::Verify { code, register, .. } => {
                let answer = CodeAnswer {
                    waba: waba.clone(),
                    number,
                    code: code.as_ref().and_then(|code| VerificationCode::parse(code).ok()),
                    register: register.map(|bring| party.order(&bring)),
                };
                service.verify_code(&caller, &answer).await
            }
            Ask::Register(bring) => {
                service.register(&caller, waba, number, &party.order(bring)).await
            }
            Ask::Deregister | Ask::Unlock => service.deregister(&caller, Some(waba), number).await,
            Ask::SetPin(pin) => {
                let holder = Some(party.holding());
                service.set_two_step(&caller, number, holder, &parsed(pin)).await
            }
            Ask::ClearPin => service.clear_two_step(&caller, number, Some(party.holding())).await,
            Ask::Backup | Ask::Restore(..) => {
                let Some(client) = party.client_entity() else {
                    return Err(ServiceError::Bug("a backup without a client".to_owned()));
                };
                if let Ask::Restore(blob, password) = &self.ask {
                    service.restore(&caller, &client, password, blob.to_vec()).await
                } else {
                    return service.backup(&caller, &client, PASSWORD).await.map(Answer::Backup);
                }
            }
        }
        .map(accepted)
    }

    /// Whether the name that comes along needs no look: it came in a certificate.
    #[must_use]
    pub fn vouches(&self) -> bool {
        self.party.as_ref().is_some_and(|party| party.client.is_some())
    }

    /// The name that comes along with a claim, or is asked for.
    pub(crate) fn brought_name(&self) -> VerifiedName {
        let name = match self.ask {
            Ask::Add(name) | Ask::RequestName(name) => name,
            Ask::RequestCode { .. }
            | Ask::ReviewName { .. }
            | Ask::Verify { .. }
            | Ask::Register(_)
            | Ask::Deregister
            | Ask::SetPin(_)
            | Ask::ClearPin
            | Ask::Unlock
            | Ask::Backup
            | Ask::Restore(..) => NAMES[0],
        };
        VerifiedName::parse(name).expect("the names above are display names")
    }

    fn claim_name(&self) -> ClaimName {
        let (name, is_vouched_for) = (self.brought_name(), self.vouches());
        ClaimName { name, certificate_serial: None, is_vouched_for }
    }

    /// The PIN that this call submits, if it submits one.
    #[must_use]
    pub fn submitted_pin(&self) -> Option<&'static str> {
        let pin = match &self.ask {
            Ask::RequestCode { pin, .. } => *pin,
            Ask::Register(bring) | Ask::Verify { register: Some(bring), .. } => bring.pin,
            Ask::Add(_)
            | Ask::RequestName(_)
            | Ask::ReviewName { .. }
            | Ask::Verify { register: None, .. }
            | Ask::Deregister
            | Ask::SetPin(_)
            | Ask::ClearPin
            | Ask::Unlock
            | Ask::Backup
            | Ask::Restore(..) => Pin::NotAsked,
        };
        if let Pin::Given(pin) = pin { Some(pin) } else { None }
    }

    /// The PIN that this call puts in force if two-step verification comes on by it.
    #[must_use]
    pub fn new_pin(&self) -> Option<&'static str> {
        match &self.ask {
            Ask::SetPin(pin) => Some(pin),
            Ask::Register(bring) | Ask::Verify { register: Some(bring), .. } => bring.set_pin,
            Ask::Add(_)
            | Ask::RequestName(_)
            | Ask::ReviewName { .. }
            | Ask::RequestCode { .. }
            | Ask::Verify { register: None, .. }
            | Ask::Deregister
            | Ask::ClearPin
            | Ask::Unlock
            | Ask::Backup
            | Ask::Restore(..) => None,
        }
    }
}

impl Party {
    fn caller(&self) -> Caller {
        let dialect = if self.client.is_some() { "onprem" } else { "graph" };
        let actor = format!("{dialect}:{}", self.waba);
        Caller { account: Some(self.account.clone()), dialect, actor }
    }

    fn order(&self, bring: &Bring) -> RegisterOrder {
        let platform = match &self.client {
            Some(client) => Platform::OnPremise { client: client.clone() },
            None => Platform::CloudApi,
        };
        RegisterOrder { platform, pin: bring.pin.input(), set_pin: bring.set_pin.map(parsed) }
    }

    fn holding(&self) -> Holding {
        match &self.client {
            Some(client) => Holding::Client(client.clone()),
            None => Holding::Waba(self.waba.clone()),
        }
    }
}

impl Pin {
    fn input(self) -> PinInput {
        match self {
            Self::NotAsked => PinInput::NotAsked,
            Self::Absent => PinInput::Absent,
            Self::Given(pin) => PinInput::Given(parsed(pin)),
        }
    }
}

/// No code and no PIN is shown: traces end up in reports.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.party {
            Some(Party { waba, client: Some(client), .. }) => write!(f, "{waba}/{client}")?,
            Some(Party { waba, client: None, .. }) => write!(f, "{waba}")?,
            None => f.write_str("operator")?,
        }
        write!(f, " on {}: ", self.number.number)?;
        match &self.ask {
            Ask::Add(_) => f.write_str("add"),
            Ask::RequestName(name) => write!(f, "ask for the name {name}"),
            Ask::ReviewName { waba, fault: None } => write!(f, "approve the name of {waba}"),
            Ask::ReviewName { waba, fault: Some(_) } => write!(f, "decline the name of {waba}"),
            Ask::RequestCode { method, pin, claims } => {
                write!(f, "request code by {}, {pin}, claims: {claims}", method.as_str())
            }
            Ask::Verify { origin, register: None, .. } => write!(f, "verify {origin} code"),
            Ask::Verify { origin, register: Some(bring), .. } => {
                write!(f, "verify {origin} code and register, {}", bring.pin)
            }
            Ask::Register(bring) => write!(f, "register, {}", bring.pin),
            Ask::Deregister => f.write_str("deregister"),
            Ask::SetPin(_) => f.write_str("set PIN"),
            Ask::ClearPin => f.write_str("clear PIN"),
            Ask::Unlock => f.write_str("unlock"),
            Ask::Backup => f.write_str("backup"),
            Ask::Restore(_, password) if *password == PASSWORD => f.write_str("restore"),
            Ask::Restore(..) => f.write_str("restore with a wrong password"),
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAsked => "no place for a PIN",
            Self::Absent => "no PIN",
            Self::Given(_) => "with a PIN",
        })
    }
}

fn accepted(committed: Committed) -> Answer {
    Answer::Accepted(Box::new(committed))
}

fn parsed(pin: &str) -> TwoStepPin {
    TwoStepPin::parse(pin).expect("the PINs above have six digits")
}
