//! Commands in short form, as they stand in a table.

use registration::{
    ClientId, CodeMethod, Holding, NumberKind, PhoneNumberId, PinCheck, Platform, RegistrationKey,
    TextId, WabaId,
};

/// Who acts: a WABA, and the On-Premises client it acts through, or none where it acts hosted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Party {
    pub(crate) waba: &'static str,
    pub(crate) client: Option<&'static str>,
}

/// WABA A through the hosted platform.
pub(crate) const A: Party = Party { waba: "a", client: None };
/// WABA A through its first On-Premises client.
pub(crate) const A1: Party = Party { waba: "a", client: Some("a-1") };
/// WABA A through its second On-Premises client.
pub(crate) const A2: Party = Party { waba: "a", client: Some("a-2") };
/// WABA B, another tenant, through the hosted platform.
pub(crate) const B: Party = Party { waba: "b", client: None };
/// WABA B through its On-Premises client.
pub(crate) const B1: Party = Party { waba: "b", client: Some("b-1") };
/// WABA B through the client that otherwise works for WABA A.
pub(crate) const B_BY_A1: Party = Party { waba: "b", client: Some("a-1") };
/// WABA C, a tenant that has not claimed the number yet.
pub(crate) const C: Party = Party { waba: "c", client: None };
/// WABA C through its On-Premises client.
pub(crate) const C1: Party = Party { waba: "c", client: Some("c-1") };

impl Party {
    pub(crate) fn waba(self) -> WabaId {
        WabaId::parse(self.waba).expect("an identifier")
    }

    pub(crate) fn client(self) -> Option<ClientId> {
        self.client.map(|client| ClientId::parse(client).expect("an identifier"))
    }

    pub(crate) fn claim(self) -> PhoneNumberId {
        PhoneNumberId::parse(&format!("number-of-{}", self.waba)).expect("an identifier")
    }

    pub(crate) fn platform(self) -> Platform {
        self.client().map_or(Platform::CloudApi, |client| Platform::OnPremise { client })
    }

    pub(crate) fn holding(self) -> Holding {
        self.client().map_or_else(|| Holding::Waba(self.waba()), Holding::Client)
    }
}

/// The code that is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// That of the claim's own challenge.
    Right,
    /// One that is right for no challenge.
    Wrong,
    /// None.
    Empty,
    /// That of somebody else's challenge.
    Of(Party),
    /// That of this challenge, which the caller also says to be the one expected.
    Replayed(u128),
}

/// A command in short form.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask {
    Add(Party, &'static str),
    Code(CodeAsk),
    Verify {
        by: Party,
        code: Code,
        register: Option<RegisterAsk>,
    },
    Register(Party, RegisterAsk),
    /// With a backup that carries this key, or that of the present registration.
    Restore {
        to: Party,
        of: Party,
        key: Option<RegistrationKey>,
    },
    Deregister(Option<Party>),
    Release(Party),
    Rename(Party, &'static str),
    SetPin(Option<Party>),
    ClearPin(Option<Party>),
    Unlock,
}

/// A code request in short form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeAsk {
    pub(crate) by: Party,
    pub(crate) method: CodeMethod,
    pub(crate) kind: NumberKind,
    pub(crate) pin: Option<PinCheck>,
    /// The name of the claim to make or rename.
    pub(crate) name: Option<&'static str>,
}

/// What a registration brings along.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RegisterAsk {
    pub(crate) pin: PinCheck,
    pub(crate) set_pin: bool,
    pub(crate) restart: bool,
}

impl RegisterAsk {
    /// No PIN, a client that held no number.
    pub(crate) const PLAIN: Self = Self { pin: PinCheck::Absent, set_pin: false, restart: false };
}

fn code(by: Party, method: CodeMethod) -> Ask {
    // On-Premises sends a certificate and has a place for a PIN; the hosted dialects have neither.
    let onprem = by.client.is_some();
    Ask::Code(CodeAsk {
        by,
        method,
        kind: NumberKind::Mobile,
        pin: onprem.then_some(PinCheck::Absent),
        name: onprem.then_some("Lucky Shrub"),
    })
}

pub(crate) fn add(by: Party) -> Ask {
    Ask::Add(by, "Lucky Shrub")
}

pub(crate) fn sms(by: Party) -> Ask {
    code(by, CodeMethod::Sms)
}

pub(crate) fn voice(by: Party) -> Ask {
    code(by, CodeMethod::Voice)
}

pub(crate) fn verify(by: Party, code: Code) -> Ask {
    Ask::Verify { by, code, register: None }
}

pub(crate) fn verify_and_register(by: Party, code: Code) -> Ask {
    Ask::Verify { by, code, register: Some(RegisterAsk::PLAIN) }
}

pub(crate) fn register(by: Party) -> Ask {
    Ask::Register(by, RegisterAsk::PLAIN)
}

pub(crate) fn deregister(by: Party) -> Ask {
    Ask::Deregister(Some(by))
}

impl Ask {
    /// The same, with this verdict on a PIN.
    pub(crate) fn pin(mut self, verdict: PinCheck) -> Self {
        if let Self::Code(ask) = &mut self {
            ask.pin = Some(verdict);
        } else if let Some(ask) = self.registration() {
            ask.pin = verdict;
        } else {
            panic!("{self:?} has no PIN");
        }
        self
    }

    /// The same code request, for a number of this kind.
    pub(crate) fn kind(mut self, kind: NumberKind) -> Self {
        let Self::Code(ask) = &mut self else { panic!("{self:?} asks for no code") };
        ask.kind = kind;
        self
    }

    /// The same code request, naming the claim.
    pub(crate) fn name(mut self, name: &'static str) -> Self {
        let Self::Code(ask) = &mut self else { panic!("{self:?} asks for no code") };
        ask.name = Some(name);
        self
    }

    /// The same registration, bringing this along.
    pub(crate) fn with(mut self, register: RegisterAsk) -> Self {
        let Some(ask) = self.registration() else { panic!("{self:?} registers nothing") };
        *ask = register;
        self
    }

    fn registration(&mut self) -> Option<&mut RegisterAsk> {
        if let Self::Register(_, ask) | Self::Verify { register: Some(ask), .. } = self {
            Some(ask)
        } else {
            None
        }
    }
}
