//! What a caller may ask of a number.

use crate::{
    ChallengeId, ClientId, CodeMethod, Locale, NameVerdict, NumberKind, PhoneNumberId, PinVerifier,
    Platform, Reach, Refusal, RegistrationKey, Timestamp, VerificationCode, VerifiedName, WabaId,
};

/// A request to the rules. Everything that costs I/O, CPU or chance was obtained before and is in here.
#[derive(Debug, Clone)]
pub enum Command {
    /// Claim the number for a WABA.
    AddNumber(AddNumber),
    /// Claim the number for a WABA to move it there from wherever it is registered.
    StartMigration(AddNumber),
    /// A later step of a migration: the command, refused unless the claim of `waba` is migrating.
    WhileMigrating {
        /// Whose claim.
        waba: WabaId,
        /// What to do.
        then: Box<Command>,
    },
    /// Send a code.
    RequestCode(RequestCode),
    /// Confirm a code and, in the dialects that do both in one call, register.
    VerifyCode(VerifyCode),
    /// Register a number whose code was confirmed before.
    Register(Register),
    /// Move a registration to another client with a backup.
    Restore(Restore),
    /// Give the registration up.
    Deregister {
        /// Who asks; `None` is the operator.
        waba: Option<WabaId>,
    },
    /// The client that asks has taken another number: this one is let go.
    Release {
        /// The client.
        client: ClientId,
    },
    /// Replace the display name of a live registration (a new certificate for the same number).
    ChangeName {
        /// Whose claim.
        waba: WabaId,
        /// The new name.
        name: VerifiedName,
        /// Serial of the certificate that carried it.
        certificate_serial: Option<u64>,
    },
    /// Ask for another display name; a registered number shows it after its next registration.
    RequestName {
        /// Whose claim.
        waba: WabaId,
        /// The new name.
        name: VerifiedName,
        /// Approved at once, and to be registered until then; `None` leaves it to the operator.
        until: Option<Timestamp>,
    },
    /// The operator approves or declines a display name.
    ReviewName {
        /// Of whose claim.
        waba: WabaId,
        /// The name that was looked at: nothing is said about another one. `None` means whichever it is.
        name: Option<VerifiedName>,
        /// What is said about it.
        verdict: NameVerdict,
    },
    /// Switch two-step verification on, or change its PIN.
    SetTwoStep {
        /// Who asks; must hold the registration. `None` is the operator.
        holder: Option<Holding>,
        /// The hash of the new PIN.
        verifier: PinVerifier,
    },
    /// Switch two-step verification off.
    ClearTwoStep {
        /// Who asks; must hold the registration. `None` is the operator.
        holder: Option<Holding>,
    },
    /// Show the PIN for a change beside the number's record (shard count).
    ProvePin {
        /// Who asks; must hold the registration. `None` is a client that runs no number yet.
        holder: Option<Holding>,
        /// Verdict on the PIN.
        pin: PinCheck,
    },
    /// An operator lifts the lock that too many wrong guesses set.
    Unlock,
    /// A registrar upstream was asked and said no: keep what that tells about the number.
    Heed(Heed),
    /// A registrar upstream was read back and has done already what was asked: keep up with it.
    Adopt(Adopt),
    /// A message that was ordered could not be handed to anybody while its code lived: its step of the
    /// ladder is given back.
    GiveBack {
        /// By which channel it was to go.
        method: CodeMethod,
        /// When it was ordered.
        ordered_at: Timestamp,
    },
}

impl Command {
    /// The verb, as it stands in the audit trail.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AddNumber(_) => "add_number",
            Self::StartMigration(_) => "start_migration",
            Self::WhileMigrating { then, .. } => then.name(),
            Self::RequestCode(_) => "request_code",
            Self::VerifyCode(_) => "verify_code",
            Self::Register(_) => "register",
            Self::Restore(_) => "restore",
            Self::Deregister { .. } => "deregister",
            Self::Release { .. } => "release",
            Self::ChangeName { .. } => "change_name",
            Self::RequestName { .. } => "request_name",
            Self::ReviewName { .. } => "review_name",
            Self::SetTwoStep { .. } => "set_two_step",
            Self::ClearTwoStep { .. } => "clear_two_step",
            Self::ProvePin { .. } => "prove_pin",
            Self::Unlock => "unlock",
            Self::Heed(heed) => heed.operation.name(),
            Self::Adopt(_) => "adopt",
            Self::GiveBack { .. } => "give_back",
        }
    }
}

/// Who says to hold the registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// This client runs the number.
    Client(ClientId),
    /// The number is registered for this WABA, wherever it runs.
    Waba(WabaId),
}

/// Verdict of a PIN check, made before the decision because hashing is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinCheck {
    /// The caller gave no PIN.
    Absent,
    /// The PIN given is the right one.
    Right,
    /// The PIN given is not the right one.
    Wrong,
    /// A PIN was given and not checked, because the record asked for no check.
    Unchecked,
    /// A PIN was given that only the registrar upstream can check; it passes here unless tries are closed.
    ForUpstream,
    /// No PIN was given, none is in force here, and the registrar upstream demands one.
    OwedToUpstream,
}

/// A claim that comes into being with the command if the WABA has none yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClaim {
    /// Identifier for it.
    pub id: PhoneNumberId,
    /// Its display name; an existing claim takes this name too.
    pub name: VerifiedName,
    /// Serial of the certificate that carried the name.
    pub certificate_serial: Option<u64>,
    /// Whether somebody has to look at the name before it counts as approved.
    pub needs_review: bool,
}

/// Claim the number for a WABA.
#[derive(Debug, Clone)]
pub struct AddNumber {
    /// Who claims.
    pub waba: WabaId,
    /// The claim.
    pub claim: NewClaim,
    /// Refuse a number that the WABA has added already or that is registered for another one (Graph),
    /// instead of taking the name for the existing claim.
    pub only_new: bool,
}

/// Who asks for a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requester {
    /// Whose claim.
    pub waba: WabaId,
    /// The On-Premises client, if one asks.
    pub client: Option<ClientId>,
}

/// Send a code.
#[derive(Debug, Clone)]
pub struct RequestCode {
    /// Who asks.
    pub requester: Requester,
    /// The claim to make if there is none (On-Premises); without it an unclaimed number is refused.
    pub claim: Option<NewClaim>,
    /// Who makes the code and sends it.
    pub made_by: CodeMaker,
    /// SMS or voice.
    pub method: CodeMethod,
    /// What the numbering plan says the number is.
    pub kind: NumberKind,
    /// Language of the message.
    pub locale: Locale,
    /// Verdict on the PIN. `None`: this dialect asks for no PIN with a code request.
    pub pin: Option<PinCheck>,
    /// Identifier for the challenge, should a new one be made.
    pub fresh_challenge: ChallengeId,
    /// Key epoch for the challenge, should a new one be made.
    pub key_epoch: u32,
    /// Refuse if the claim needs no code, because it is verified or registered (Graph).
    pub only_unproven: bool,
    /// Register at once where no code is needed, instead of sending one (On-Premises 201).
    pub register: Option<Register>,
    /// What is known of the way to the number.
    pub reach: Reach,
    /// The challenge of a message by the same method that was ordered earlier and has found no sender
    /// yet: it will still go out, so the same code is neither sent nor charged again.
    pub waiting: Option<ChallengeId>,
}

/// Who makes codes, sends them and knows which is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeMaker {
    /// This installation: a new code goes out as an effect.
    Here,
    /// A registrar upstream, which has sent it: nothing goes out from here, and each code is a new one.
    Upstream,
}

/// The code that would be right, so that the comparison happens inside the decision that pays for it.
#[derive(Debug, Clone)]
pub enum CodeProof {
    /// No challenge was found to derive a code from.
    None,
    /// The code of this challenge.
    Expected(ChallengeId, VerificationCode),
    /// Who made the code was asked, and says this.
    ProviderSays(CodeVerdict),
}

/// What a registrar upstream says about a code that it made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeVerdict {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong,
    /// It is not taken: wrong, too old, out of guesses or tried too soon. Which of them, is not said.
    NotTaken,
}

/// Confirm a code.
#[derive(Debug, Clone)]
pub struct VerifyCode {
    /// Who answers.
    pub requester: Requester,
    /// What was submitted; `None` when the field was empty.
    pub submitted: Option<VerificationCode>,
    /// What would be right.
    pub proof: CodeProof,
    /// Register in the same step.
    pub register: Option<Register>,
}

/// Register a number.
#[derive(Debug, Clone)]
pub struct Register {
    /// Whose claim.
    pub waba: WabaId,
    /// Where the number will run.
    pub platform: Platform,
    /// Verdict on the PIN.
    pub pin: PinCheck,
    /// Key for backups of this registration, should it come about.
    pub key: RegistrationKey,
    /// The client held another number until now, so its Coreapp restarts.
    pub restart: bool,
    /// Hash of a PIN to set if two-step verification is off (Graph `register` demands one).
    pub set_pin: Option<PinVerifier>,
    /// A backup that stands for a code.
    pub by_backup: Option<BackupProof>,
}

/// What a backup proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupProof {
    /// It carries this key: that of the present registration proves as much as a code.
    Key(RegistrationKey),
    /// Only a registrar upstream can open it. Every other rule holds here all the same.
    ForUpstream,
}

/// Move a registration to another client with a backup.
#[derive(Debug, Clone)]
pub struct Restore {
    /// The client that restores.
    pub client: ClientId,
    /// The claim that the backup names.
    pub claim: PhoneNumberId,
    /// The key that the backup carries.
    pub key: RegistrationKey,
}

/// What was asked of a registrar upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forwarded {
    /// To take the number into the account there.
    AddNumber,
    /// To send a code.
    RequestCode,
    /// To confirm a code.
    VerifyCode,
    /// To register.
    Register,
    /// To give the registration up.
    Deregister,
    /// To set the PIN.
    SetTwoStep,
    /// To show another display name.
    ChangeName,
}

impl Forwarded {
    /// The verb, the same as that of the command it came from.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddNumber => "add_number",
            Self::RequestCode => "request_code",
            Self::VerifyCode => "verify_code",
            Self::Register => "register",
            Self::Deregister => "deregister",
            Self::SetTwoStep => "set_two_step",
            Self::ChangeName => "change_name",
        }
    }
}

/// What a registrar upstream refused. The budgets here take over what the refusal tells, so that the
/// same request is refused here, and not there, until it opens again.
#[derive(Debug, Clone)]
pub struct Heed {
    /// Whose claim.
    pub waba: WabaId,
    /// What was asked.
    pub operation: Forwarded,
    /// The answer.
    pub refusal: Refusal,
    /// It is the likeliest of several that the registrar has one word for, or its length was not said. Then
    /// what is known here makes it more exact.
    pub is_vague: bool,
    /// The registrar keeps the PIN, so that what it says of PINs is about the one in force here. Otherwise the
    /// rules here keep their own, and the registrar can neither switch it off nor lock it.
    pub keeps_pins: bool,
}

/// What a registrar upstream has done, although its answer did not arrive.
#[derive(Debug, Clone)]
pub enum Adopt {
    /// The claim's code was confirmed.
    Verified {
        /// Whose claim.
        waba: WabaId,
        /// By a code that came through here; otherwise it changes nothing while another claim holds the
        /// number.
        by_code: bool,
    },
    /// The number was registered.
    Registered {
        /// As whom.
        register: Register,
        /// With a code that was confirmed in the same call.
        by_code: bool,
    },
    /// The registration was given up.
    Deregistered {
        /// Whose claim.
        waba: WabaId,
    },
    /// A code was submitted that was not the right one, and perhaps compared.
    Guessed {
        /// Whose claim.
        waba: WabaId,
        /// When.
        at: Timestamp,
    },
}
