//! Data folders made for a measurement, through the store itself.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use registration::{
    Claim, ClaimHistory, ClaimPhase, ClientId, NameReview, NumberRecord, PhoneNumber,
    PhoneNumberId, Platform, Registration, RegistrationKey, TextId as _, Timestamp, VerifiedName,
    WabaId,
};
use service::clients::{DEFAULT, FirstPassword};
use service::directory::{Client, Entity, Role, User};
use service::hashing::{HashCost, Hasher};
use service::keys::{KeyRing, MasterKeys};
use service::login::ADMIN;
use service::ports::rehearsal::NoRehearsal;
use service::ports::{Clock as _, EntityWrite, EntropyExt as _, NumberWrite, Store as _, Unit};
use service::{Policy, Ports, Service};
use store::sqlite::{SqliteOptions, SqliteStore};

use crate::clock::SystemClock;
use crate::data_dir::{DataDir, MasterKeySource};
use crate::entropy::OsEntropy;

/// Records in one unit: large enough that the flush does not count.
const UNIT: usize = 1000;

/// First of the numbers used; `+1 555` belongs to nobody.
const FIRST_NUMBER: u64 = 15_550_000_000;

/// An open folder with its store and use cases.
struct Folder {
    // Held until the store is closed.
    _lock: DataDir,
    store: Arc<SqliteStore>,
    service: Service,
    waba: WabaId,
}

/// A client with the token of its admin.
pub(in crate::cli) struct Token {
    /// Name of the client.
    pub(in crate::cli) client: String,
    /// Bearer token.
    pub(in crate::cli) token: String,
}

/// The number with this place in the run: country code and national part.
pub(in crate::cli) fn number(place: usize) -> (&'static str, String) {
    ("1", (FIRST_NUMBER + place as u64 - 10_000_000_000).to_string())
}

/// Makes a folder with `count` clients, and a token for each.
pub(in crate::cli) async fn clients(path: &Path, count: usize) -> anyhow::Result<Vec<Token>> {
    let folder = Folder::make(path).await?;
    let mut tokens = Vec::with_capacity(count);
    let mut unit = Unit::default();
    for place in 0..count {
        let (client, user) = folder.client(place)?;
        let (token, session) = folder.service.mint_token(&client, ADMIN);
        tokens.push(Token { client: client.id.to_string(), token: token.token });
        let entities = [Entity::Client(client), Entity::User(user), Entity::Session(session)];
        unit.entities.extend(entities.map(|entity| EntityWrite::Put { expected: 0, entity }));
        if unit.entities.len() >= UNIT || place + 1 == count {
            folder.store.commit(core::mem::take(&mut unit)).await?;
        }
    }
    folder.close().await?;
    Ok(tokens)
}

/// Makes a folder with `count` registered numbers, and clients that can register more.
pub(in crate::cli) async fn registered(
    path: &Path,
    count: usize,
    clients: usize,
) -> anyhow::Result<Vec<Token>> {
    let tokens = self::clients(path, clients).await?;
    let folder = Folder::make(path).await?;
    let name = VerifiedName::parse("Lucky Shrub")?;
    let mut unit = Unit::default();
    for place in 0..count {
        // Counted down from the end of the range, away from those that will be registered.
        let number = PhoneNumber::parse(&(FIRST_NUMBER + 9_999_999 - place as u64).to_string())?;
        let record = folder.registered(number, &name)?;
        unit.numbers.push(NumberWrite { expected: 0, record });
        if unit.numbers.len() >= UNIT || place + 1 == count {
            folder.store.commit(core::mem::take(&mut unit)).await?;
        }
    }
    folder.close().await?;
    Ok(tokens)
}

impl Folder {
    async fn make(path: &Path) -> anyhow::Result<Self> {
        let lock = DataDir::open(path)?;
        let text = lock.master_key(MasterKeySource::Folder, || {
            MasterKeys::generate(&OsEntropy).to_text().to_string()
        })?;
        let keys = KeyRing::new(&MasterKeys::parse(&text)?);
        let store = SqliteStore::open(&lock.file("rollcall.db"), &SqliteOptions::default())?;
        let store = Arc::new(store);
        let entropy = Arc::new(OsEntropy);
        let hasher = Hasher::new(keys.clone(), Arc::clone(&entropy) as _, HashCost::LOGIN, 1, 1);
        let ports = Ports {
            store: Arc::clone(&store) as _,
            clock: Arc::new(SystemClock::new()),
            entropy,
            delivery: Arc::new(outbound::delivery::InboxDelivery),
            rehearsal: Arc::new(NoRehearsal),
        };
        let service = Service::new(ports, keys, hasher, Policy::default());
        let first = FirstPassword { password: "secret".to_owned(), must_change: true };
        let waba = WabaId::parse(&OsEntropy.node_id()).context("a random id")?;
        service.first_start(&waba, &first).await?;
        let default = ClientId::parse(DEFAULT).context("the default name is an id")?;
        let client = service.client(&default).await?.context("there is a default client")?;
        Ok(Self { _lock: lock, store, service, waba: client.waba })
    }

    async fn close(self) -> anyhow::Result<()> {
        Ok(self.store.close().await?)
    }

    fn client(&self, place: usize) -> anyhow::Result<(Client, User)> {
        let id = ClientId::parse(&format!("bench{place:06}")).context("a bench name is an id")?;
        let created_at = SystemClock::new().now();
        let client = Client {
            id: id.clone(),
            account: registration::AccountId::parse(DEFAULT).context("an id")?,
            waba: self.waba.clone(),
            host: None,
            retired: false,
            api_key_sha256: None,
            shards: 1,
            restarting_until: Timestamp::default(),
            created_at,
        };
        let user = User {
            client: id,
            name: ADMIN.to_owned(),
            role: Role::Admin,
            // No password logs in: the run works with tokens.
            password: String::new(),
            must_change_password: false,
            created_at,
        };
        Ok((client, user))
    }

    fn registered(&self, number: PhoneNumber, name: &VerifiedName) -> anyhow::Result<NumberRecord> {
        let since = SystemClock::new().now();
        let id = PhoneNumberId::parse(&number.digits()).context("digits are an id")?;
        let mut record = NumberRecord::absent(number);
        record.claims.push(Claim {
            id: id.clone(),
            waba: self.waba.clone(),
            name: name.clone(),
            name_review: NameReview::Approved { at: since },
            new_name: None,
            certificate_serial: Some(number.as_u64()),
            added_at: since,
            phase: ClaimPhase::Unverified,
            history: ClaimHistory { migrating_since: None, registered_at: Some(since) },
        });
        record.registration = Some(Registration {
            claim: id,
            waba: self.waba.clone(),
            platform: Platform::CloudApi,
            since,
            restarting_until: since,
            key: RegistrationKey(OsEntropy.id128()),
        });
        Ok(record)
    }
}
