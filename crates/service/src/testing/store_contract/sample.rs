//! Records, events and sends for the checks; all numbers are fictitious (Ofcom's range for drama).

use core::time::Duration;
use std::sync::Arc;

use registration::{
    Budgets, Challenge, ChallengeId, Claim, ClaimHistory, ClaimPhase, CodeMethod, CodeSend,
    DoubtfulGuesses, Ladder, Locale, NameFault, NameReview, NewName, NumberRecord, PhoneNumber,
    PinBudget, PinVerifier, Platform, Registration, RegistrationKey, TextId, Timestamp, TwoStep,
    VerifiedName, Window,
};

use crate::directory::{
    AccessKey, Account, Client, CustomPolicy, GraphScopes, GraphSubscription, GraphToken, Group,
    RamUser, Role, Session, Space, TemporaryKey, User, Waba, Webhook, WebhookScope,
};
use crate::ports::{
    Callback, CallbackId, CallbackState, CommitError, Entity, EntityWrite, Event, EventId,
    NumberWrite, OnceKey, Send, SendId, Spend, Store, Subject, Take, Unit, Version,
};

/// The `n`th number, below 1000.
#[must_use]
pub fn number(n: u64) -> PhoneNumber {
    PhoneNumber::parse(&(447_700_900_000 + n).to_string()).expect("a British mobile number")
}

#[must_use]
pub fn id<T: TextId>(text: &str) -> T {
    T::parse(text).expect("an identifier")
}

#[must_use]
pub fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

/// Account, space and the WABAs `waba-1`, `waba-2`: what claims need.
pub async fn seed(store: &dyn Store) {
    let entities = vec![account("default"), space("default"), waba("waba-1"), waba("waba-2")];
    put_all(store, entities).await.expect("an empty directory");
}

/// Creates `entities` in one unit.
pub async fn put_all(store: &dyn Store, entities: Vec<Entity>) -> Result<(), CommitError> {
    let put = |entity| EntityWrite::Put { expected: 0, entity };
    commit(store, Unit { entities: entities.into_iter().map(put).collect(), ..Unit::default() })
        .await
}

pub async fn commit(store: &dyn Store, unit: Unit) -> Result<(), CommitError> {
    store.commit(unit).await
}

/// Writes `record` over version `expected`.
pub async fn write(
    store: &dyn Store,
    expected: Version,
    record: NumberRecord,
) -> Result<(), CommitError> {
    commit(store, Unit { numbers: vec![NumberWrite { expected, record }], ..Unit::default() }).await
}

/// Commits all units at once and returns the outcomes in their order.
pub async fn commit_in_parallel(
    store: &Arc<dyn Store>,
    units: Vec<Unit>,
) -> Vec<Result<(), CommitError>> {
    let spawn = |unit| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.commit(unit).await })
    };
    let tasks: Vec<_> = units.into_iter().map(spawn).collect();
    let mut outcomes = Vec::with_capacity(tasks.len());
    for task in tasks {
        outcomes.push(task.await.expect("a commit does not panic"));
    }
    outcomes
}

#[must_use]
pub fn is_conflict(outcome: &Result<(), CommitError>) -> bool {
    matches!(outcome, Err(CommitError::Conflict))
}

#[must_use]
pub fn account(name: &str) -> Entity {
    Entity::Account(Account {
        id: id(name),
        name: "Default".into(),
        subscribed: true,
        created_at: at(1),
    })
}

#[must_use]
pub fn space(name: &str) -> Entity {
    Entity::Space(Space {
        id: id(name),
        account: id("default"),
        name: "A \"customer\"".into(),
        created_at: at(2),
    })
}

#[must_use]
pub fn waba(name: &str) -> Entity {
    Entity::Waba(Waba {
        id: id(name),
        account: id("default"),
        space: id("default"),
        name: "Größe".into(),
        contact_email: Some("owner@shop.example".into()),
        created_at: at(3),
    })
}

#[must_use]
pub fn client(name: &str, host: Option<&str>) -> Entity {
    Entity::Client(Client {
        id: id(name),
        account: id("default"),
        waba: id("waba-1"),
        host: host.map(str::to_owned),
        retired: true,
        api_key_sha256: Some([7; 32]),
        shards: 32,
        restarting_until: at(4),
        created_at: at(5),
    })
}

#[must_use]
pub fn ram_user(name: &str) -> Entity {
    Entity::RamUser(RamUser {
        account: id("default"),
        name: id(name),
        display_name: "A \"robot\"".into(),
        policies: vec![id("AliyunCamsReadOnlyAccess"), id("office-only")],
        groups: vec![id("robots")],
        created_at: at(10),
    })
}

#[must_use]
pub fn group(name: &str) -> Entity {
    Entity::Group(Group {
        account: id("default"),
        name: id(name),
        display_name: "Robots".into(),
        policies: vec![id("office-only")],
        created_at: at(11),
    })
}

#[must_use]
pub fn custom_policy(name: &str) -> Entity {
    Entity::CustomPolicy(CustomPolicy {
        account: id("default"),
        name: id(name),
        document: "{\n  \"Version\": \"1\"\n}".into(),
        created_at: at(12),
        updated_at: at(13),
    })
}

#[must_use]
pub fn user(client: &str, name: &str) -> Entity {
    Entity::User(User {
        client: id(client),
        name: name.into(),
        role: Role::Admin,
        password: "$argon2id$v=19$fictitious".into(),
        must_change_password: true,
        created_at: at(6),
    })
}

#[must_use]
pub fn session(client: &str, user: &str, token: &str, expires_at: Timestamp) -> Entity {
    Entity::Session(Session { id: token.into(), client: id(client), user: user.into(), expires_at })
}

/// A key of the account; a temporary one of the RAM user `ci` if it expires.
#[must_use]
pub fn access_key(name: &str, expires_at: Option<Timestamp>) -> Entity {
    Entity::AccessKey(AccessKey {
        id: name.into(),
        account: id("default"),
        user: expires_at.map(|_| "ci".into()),
        sealed_secret: "sealed1.1.fictitious".into(),
        active: expires_at.is_some(),
        temporary: expires_at.map(|expires_at| TemporaryKey {
            security_token_sha256: [9; 32],
            expires_at,
            session_policy: Some(r#"{"Version":"1","Statement":[]}"#.into()),
            mfa_present: true,
        }),
        created_at: at(7),
    })
}

/// A token of the account; one of a single WABA and scope if it expires.
#[must_use]
pub fn graph_token(name: &str, expires_at: Option<Timestamp>) -> Entity {
    Entity::GraphToken(GraphToken {
        id: name.into(),
        account: id("default"),
        name: "Build robot".into(),
        sha256: format!("{name}-sha256"),
        scopes: GraphScopes { management: true, messaging: expires_at.is_none() },
        wabas: expires_at.map(|_| id("waba-1")).into_iter().collect(),
        expires_at,
        created_at: at(8),
    })
}

#[must_use]
pub fn graph_subscription(waba: &str) -> Entity {
    Entity::GraphSubscription(GraphSubscription { waba: id(waba), created_at: at(10) })
}

/// A record with nothing but one claim of `waba-1` in this phase.
#[must_use]
pub fn claimed(number: PhoneNumber, phase: ClaimPhase) -> NumberRecord {
    let claims = vec![claim(&format!("claim-{}", number.as_u64()), "waba-1", phase)];
    NumberRecord { claims, ..NumberRecord::absent(number) }
}

#[must_use]
pub fn claim(name: &str, waba: &str, phase: ClaimPhase) -> Claim {
    Claim {
        id: id(name),
        waba: id(waba),
        name: VerifiedName::parse("Lucky Shrub").expect("a name"),
        name_review: NameReview::Declined { at: at(12), why: NameFault::Format },
        new_name: Some(NewName {
            name: VerifiedName::parse("Lucky Shrub & Co").expect("a name"),
            asked_at: at(13),
            review: NameReview::Approved { at: at(14) },
            until: at(15),
        }),
        certificate_serial: Some(u64::MAX),
        added_at: at(10),
        phase,
        history: ClaimHistory { migrating_since: Some(at(11)), registered_at: None },
    }
}

/// A code on its way that `client` asked for at this time.
#[must_use]
pub fn awaiting(client: Option<&str>, requested_at: i64) -> ClaimPhase {
    ClaimPhase::AwaitingCode(Challenge {
        id: ChallengeId(u128::MAX - 1),
        key_epoch: 3,
        created_at: at(100),
        first_asked_at: at(100),
        requested_at: at(requested_at),
        guesses: 2,
        last_guess_at: Some(at(101)),
        doubtful: DoubtfulGuesses::default(),
        pin_proven_at: Some(at(102)),
        client: client.map(id),
    })
}

/// `claimed`, and registered to `client`.
#[must_use]
pub fn held_by(number: PhoneNumber, client: &str) -> NumberRecord {
    let mut record = claimed(number, ClaimPhase::Unverified);
    record.registration = Some(Registration {
        claim: record.claims[0].id.clone(),
        waba: id("waba-1"),
        platform: Platform::OnPremise { client: id(client) },
        since: at(200),
        restarting_until: at(201),
        key: RegistrationKey(u128::MAX / 3),
    });
    record
}

/// A record in which every field differs from its default.
#[must_use]
pub fn full(number: PhoneNumber) -> NumberRecord {
    let ladder = |taken| Ladder { taken, first_at: at(11), last_at: at(i64::MAX) };
    let window = |from| Window((from..from + 3).map(at).collect());
    let verified = ClaimPhase::Verified { since: at(20), pin_proven_at: Some(at(21)) };
    let held = held_by(number, "client-1");
    let unverified = held.claims[0].clone();
    NumberRecord {
        budgets: Budgets {
            sms: ladder(1),
            voice: ladder(u32::MAX),
            failed_guesses: window(30),
            failed_in_a_row: 4,
            locked_since: Some(at(31)),
            register_calls: window(40),
            deregister_calls: window(50),
            pin: PinBudget { failures: 9, last_failure_at: at(-1) },
        },
        two_step: Some(TwoStep {
            verifier: PinVerifier::new("$argon2id$fictitious"),
            set_at: at(60),
        }),
        claims: vec![
            unverified,
            claim("claim-w", "waba-2", awaiting(Some("client-2"), 103)),
            claim("claim-v", "waba-1", verified),
        ],
        ..held
    }
}

#[must_use]
pub fn event(n: u128, subject: Subject) -> Event {
    Event {
        id: EventId(n),
        at: at(1_000),
        subject,
        account: Some(id("default")),
        actor: "operator".into(),
        kind: "code_requested".into(),
        details: r#"{"method":"sms"}"#.into(),
    }
}

/// A send that is due from `due_at` on.
#[must_use]
pub fn send(n: u128, number: PhoneNumber, due_at: i64) -> Send {
    let what = CodeSend {
        claim: id("claim-1"),
        waba: id("waba-1"),
        challenge: ChallengeId(5),
        key_epoch: 1,
        method: CodeMethod::Voice,
        locale: Locale::parse("pt_BR").expect("a locale"),
        useless_after: at(600_000),
    };
    Send::decided(SendId(n), number, id("default"), "onprem", what, at(due_at))
}

/// A webhook with nothing left at its default.
#[must_use]
pub fn webhook(scope: WebhookScope) -> Entity {
    Entity::Webhook(Webhook {
        dialect: "cams".into(),
        scope,
        account: id("default"),
        url: "https://callbacks.example/one?a=\"b\"".into(),
        active: true,
        sealed_secret: "sealed1.1.fictitious".into(),
        details: r#"{"queue":"N"}"#.into(),
        failing_since: Some(at(14)),
        off_since: Some(at(15)),
        created_at: at(16),
    })
}

/// A callback that is due from `due_at` on.
#[must_use]
pub fn callback(n: u128, due_at: i64) -> Callback {
    Callback {
        id: CallbackId(n),
        webhook: "cams/space/default".into(),
        account: id("default"),
        kind: "registered".into(),
        body: r#"[{"Status":"CONNECTED"}]"#.into(),
        decided_at: at(due_at),
        state: CallbackState::Due { at: at(due_at) },
        attempt: 0,
        note: None,
    }
}

#[must_use]
pub fn once(key: &str, until_ms: i64) -> OnceKey {
    OnceKey { key: key.into(), until: at(until_ms) }
}

#[must_use]
pub fn take(key: &str, interval: Duration, burst: u32, now: Timestamp) -> Take {
    Take { key: key.into(), interval, burst, now }
}

#[must_use]
pub fn spend(key: &str, amount: u64, limit: u64) -> Spend {
    Spend { key: key.into(), amount, limit, resets_at: at(9_000), enforced: true }
}
