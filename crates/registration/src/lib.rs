//! The rules of registration: values in, values out.
//!
//! This crate decides what happens to a phone number and knows nothing else. It has no I/O, no async,
//! no clock, no random source, no logging and no serialisation. Time, fresh identifiers, the expected
//! code and the verdict of a PIN check arrive as values, so equal input gives equal output and a
//! decision can be taken again after a lost compare-and-set.
//!
//! ```text
//!             add_number            request_code             verify_code            register
//!  (absent) ────────────▶ unverified ──────────▶ awaiting code ─────────▶ verified ─────────▶ registered
//!                             ▲                       │ expired, out of guesses │ 14 days idle      │ deregister
//!                             └───────────────────────┴─────────────────────────┘◀──────────────────┘
//! ```
//!
//! Start reading at [`decide()`]; the data it works on is [`NumberRecord`], its numbers are in [`Limits`],
//! its answers in [`Accepted`] and [`Refusal`].
//!
//! Invariants kept here (the property tests in `tests/it` try to break them):
//! a code is compared at most as often as its guess budget and the guess is spent in the same decision;
//! a code is accepted once; a number has at most one registration; a refusal sends nothing.

mod account;
mod budget;
mod command;
mod decide;
mod destination;
mod display_name;
mod effect;
mod limits;
mod phone_number;
mod record;
mod refusal;
mod timestamp;
mod two_step_pin;
mod verification_code;

pub use account::{
    AccountId, ClientId, CustomerSpaceId, PhoneNumberId, TextId, VerifiedName, VerifiedNameError,
    WabaId,
};
pub use budget::{Budgets, Ladder, PinBudget, Window};
pub use command::{
    AddNumber, Adopt, BackupProof, CodeMaker, CodeProof, CodeVerdict, Command, Forwarded, Heed,
    Holding, NewClaim, PinCheck, Register, RequestCode, Requester, Restore, VerifyCode,
};
pub use decide::{Accepted, Decision, decide};
pub use destination::{Closed, Destinations, Fuse, Reach};
pub use display_name::{NameFault, NameReview, NameVerdict, NewName};
pub use effect::{CodeMethod, CodeSend, Effect, Fact, Locale};
pub use limits::Limits;
pub use phone_number::{Channels, NumberKind, PhoneNumber, PhoneNumberError};
pub use record::{
    Challenge, ChallengeId, Claim, ClaimHistory, ClaimPhase, DoubtfulGuesses, NumberRecord,
    PinQuestion, Platform, Registration, RegistrationKey,
};
pub use refusal::{ForeignWords, Refusal, RefusalId};
pub use timestamp::Timestamp;
pub use two_step_pin::{PinVerifier, TwoStep, TwoStepPin, TwoStepPinError};
pub use verification_code::{VerificationCode, VerificationCodeError};
