//! Backup and restore of a client: its settings and its registration, sealed with a password.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use registration::{
    BackupProof, Command, NumberRecord, PhoneNumber, PhoneNumberId, Refusal, RegistrationKey,
    Restore, TextId, Timestamp, WabaId,
};
use serde::{Deserialize, Serialize};

use crate::caller::Caller;
use crate::directory::{Client, Document, Entity, EntityKind, EntityRef};
use crate::error::ServiceError;
use crate::execute::{Committed, Proposal, Step};
use crate::forward::Shown;
use crate::numbers::RegisterOrder;
use crate::ports::{EntityWrite, ForeignBackup, Subject, Versioned};
use crate::proposals::release;
use crate::sealing::{BackupError, is_of_the_original};
use crate::seed::SecretText;
use crate::service::Service;

/// Most documents a client has; what a backup may carry.
const DOCUMENTS_MAX: usize = 64;

/// Settings are small; pictures and certificates beyond this are not part of a backup.
const DOCUMENT_BYTES_MAX: usize = 8 * 1024;

/// A backup as it came with a request.
pub struct GivenBackup<'a> {
    /// What it was sealed with.
    pub password: &'a str,
    /// The sealed text, as base64.
    pub data: &'a str,
}

/// What a backup carries. Its form is ours and versioned; old versions stay readable.
#[derive(Serialize, Deserialize)]
struct Contents {
    version: u32,
    made_at: i64,
    account: String,
    client: String,
    number: u64,
    claim: String,
    /// The registration's key, as hexadecimal digits.
    key: String,
    shards: u8,
    documents: Vec<SavedDocument>,
}

#[derive(Serialize, Deserialize)]
struct SavedDocument {
    name: String,
    content_type: String,
    /// Base64.
    body: String,
}

impl Service {
    /// Seals a client's registration and settings. Only a client that holds a number has a backup.
    pub async fn backup(
        &self,
        caller: &Caller,
        client: &Client,
        password: &str,
    ) -> Result<Vec<u8>, ServiceError> {
        let subject = Subject::Entity(EntityRef::client(&client.id));
        let record = self.number_of_client(&client.id).await?;
        let held = record.as_ref().and_then(|record| {
            record.registration.as_ref().map(|registration| (record.number, registration))
        });
        let Some((number, registration)) = held else {
            return Err(self.refuse(caller, subject, "backup", Refusal::NotRegistered).await);
        };
        let parent = EntityRef::client(&client.id);
        let documents = self
            .entities(EntityKind::Document, Some(&parent), None, DOCUMENTS_MAX)
            .await?
            .into_iter()
            .filter_map(Entity::into_document)
            .filter(|document| document.body.len() <= DOCUMENT_BYTES_MAX)
            .map(|document| SavedDocument {
                name: document.name,
                content_type: document.content_type,
                body: STANDARD.encode(document.body),
            })
            .collect();
        let contents = Contents {
            version: 1,
            made_at: self.now().as_millis(),
            account: client.account.to_string(),
            client: client.id.to_string(),
            number: number.as_u64(),
            claim: registration.claim.to_string(),
            key: format!("{:032x}", registration.key.0),
            shards: client.shards,
            documents,
        };
        let plain = serde_json::to_vec(&contents).map_err(|error| bug(&error))?;
        let sealed = self.hasher.seal_backup(password, &plain).await.map_err(backup_error)?;
        let event = self.event(caller, subject, "backup_made", &serde_json::json!({}));
        self.commit(crate::ports::Unit { events: vec![event], ..Default::default() }).await?;
        Ok(sealed)
    }

    /// Moves registration and settings of a backup to this client. A wrong password, a damaged or an
    /// outdated backup changes nothing.
    pub async fn restore(
        &self,
        caller: &Caller,
        client: &Client,
        password: &str,
        sealed: Vec<u8>,
    ) -> Result<Committed, ServiceError> {
        let opened = self.opened_backup(password, sealed).await?;
        self.restore_opened(caller, client, opened).await
    }

    async fn restore_opened(
        &self,
        caller: &Caller,
        client: &Client,
        opened: Option<Restorable>,
    ) -> Result<Committed, ServiceError> {
        let subject = Subject::Entity(EntityRef::client(&client.id));
        let Some(backup) = opened else {
            return Err(self.refuse(caller, subject, "restore", Refusal::BackupUnreadable).await);
        };
        // A backup moves a number between clients of one account, never into another's hands.
        if backup.account != client.account.as_str() {
            return Err(self.refuse(caller, subject, "restore", Refusal::BackupOutdated).await);
        }
        self.rehearse(caller, "restore", Some(backup.number)).await?;
        self.execute(caller, backup.number, &Restoring { client, backup: &backup }).await
    }

    /// The same for whatever a client calls its backup: one that another installation made, be it the retired
    /// original, is kept for the next registration with Meta, if the client's WABA has that registrar.
    pub async fn import_backup(
        &self,
        caller: &Caller,
        client: &Client,
        password: &str,
        sealed: Vec<u8>,
    ) -> Result<(), ServiceError> {
        let is_original = is_of_the_original(&sealed);
        let opened = self.opened_backup(password, sealed.clone()).await?;
        if self.takes_foreign_backups(&client.waba).await?
            && (is_original || self.is_made_elsewhere(opened.as_ref()).await?)
        {
            return self.keep_foreign_backup(caller, client, &sealed, password).await;
        }
        self.restore_opened(caller, client, opened).await.map(drop)
    }

    /// What is in a backup; `None` if it cannot be opened.
    async fn opened_backup(
        &self,
        password: &str,
        sealed: Vec<u8>,
    ) -> Result<Option<Restorable>, ServiceError> {
        match self.hasher.open_backup(password, sealed).await {
            Ok(plain) => Ok(Restorable::read(&plain)),
            Err(BackupError::Hash(error)) => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    /// Whether a backup is of a claim that is not known here: another installation made it.
    async fn is_made_elsewhere(&self, backup: Option<&Restorable>) -> Result<bool, ServiceError> {
        let Some(backup) = backup else { return Ok(false) };
        Ok(self.load(backup.number).await?.value.claim(&backup.claim).is_none())
    }

    /// Registers on the hosted platform with the backup of the On-Premises client that runs the number: it
    /// stands for a code. A wrong password, a damaged or an outdated backup, a wrong PIN change nothing. One
    /// that was made elsewhere is handed to the registrar upstream as it came, and not kept.
    pub async fn register_with_backup(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        order: &RegisterOrder,
        given: GivenBackup<'_>,
    ) -> Result<Committed, ServiceError> {
        let subject = Subject::Number(number);
        let sealed = STANDARD.decode(given.data).unwrap_or_default();
        let is_original = is_of_the_original(&sealed);
        let opened = self.opened_backup(given.password, sealed).await?;
        if self.takes_foreign_backups(waba).await?
            && (is_original || self.is_made_elsewhere(opened.as_ref()).await?)
            && let Some(link) = self.link_of(waba).await?
        {
            let shown = Shown::There(ForeignBackup {
                data: SecretText::new(given.data),
                password: SecretText::new(given.password),
            });
            return self.forward_register(caller, waba, number, order, Some(shown), link).await;
        }
        let Some(backup) = opened else {
            return Err(self.refuse(caller, subject, "register", Refusal::BackupUnreadable).await);
        };
        let is_callers = caller.account.as_ref().is_some_and(|it| it.as_str() == backup.account);
        if !is_callers || backup.number != number {
            return Err(self.refuse(caller, subject, "register", Refusal::BackupOutdated).await);
        }
        if let Some(link) = self.link_of(waba).await? {
            let shown = Some(Shown::Here(backup.key));
            return self.forward_register(caller, waba, number, order, shown, link).await;
        }
        self.rehearse(caller, "register", Some(number)).await?;
        let mut proposal = self.registering(waba, order);
        proposal.by_backup = Some(BackupProof::Key(backup.key));
        self.execute(caller, number, &proposal).await
    }

    async fn document_writes(
        &self,
        client: &Client,
        backup: &Restorable,
        now: Timestamp,
    ) -> Result<Vec<EntityWrite>, ServiceError> {
        let mut writes = Vec::new();
        for (name, content_type, body) in &backup.documents {
            let key = EntityRef::document(&client.id, name);
            let expected = self.entity(&key).await?.map_or(0, |found| found.version);
            let entity = Entity::Document(Document {
                client: client.id.clone(),
                name: name.clone(),
                content_type: content_type.clone(),
                body: body.clone(),
                updated_at: now,
            });
            writes.push(EntityWrite::Put { expected, entity });
        }
        let found = self.entity(&EntityRef::client(&client.id)).await?;
        if let Some(Versioned { version, value: Entity::Client(mut stored) }) = found
            && stored.shards != backup.shards
        {
            stored.shards = backup.shards;
            writes.push(EntityWrite::Put { expected: version, entity: Entity::Client(stored) });
        }
        Ok(writes)
    }
}

struct Restoring<'a> {
    client: &'a Client,
    backup: &'a Restorable,
}

#[async_trait]
impl Proposal for Restoring<'_> {
    async fn step(
        &self,
        service: &Service,
        record: &NumberRecord,
        now: Timestamp,
    ) -> Result<Step, ServiceError> {
        let (client, backup) = (self.client, self.backup);
        let other = service.other_number_of(Some(&client.id), record, now).await?;
        let mut step = Step::new(Command::Restore(Restore {
            client: client.id.clone(),
            claim: backup.claim.clone(),
            key: backup.key,
        }));
        step.if_registered = release(Some(&client.id), other);
        step.entities = service.document_writes(client, backup, now).await?;
        Ok(step)
    }
}

/// A backup that was opened and understood.
struct Restorable {
    account: String,
    number: PhoneNumber,
    claim: PhoneNumberId,
    key: RegistrationKey,
    shards: u8,
    documents: Vec<(String, String, Vec<u8>)>,
}

impl Restorable {
    fn read(plain: &[u8]) -> Option<Self> {
        let contents: Contents = serde_json::from_slice(plain).ok()?;
        if contents.version != 1 || contents.documents.len() > DOCUMENTS_MAX {
            return None;
        }
        let documents = contents
            .documents
            .into_iter()
            .map(|saved| {
                let body = STANDARD.decode(&saved.body).ok()?;
                Some((saved.name, saved.content_type, body))
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self {
            account: contents.account,
            number: PhoneNumber::parse(&contents.number.to_string()).ok()?,
            claim: PhoneNumberId::parse(&contents.claim)?,
            key: RegistrationKey(u128::from_str_radix(&contents.key, 16).ok()?),
            shards: contents.shards,
            documents,
        })
    }
}

fn bug(error: &serde_json::Error) -> ServiceError {
    ServiceError::Bug(error.to_string())
}

fn backup_error(error: BackupError) -> ServiceError {
    match error {
        BackupError::Hash(error) => error.into(),
        BackupError::NotABackup | BackupError::WrongPasswordOrDamaged | BackupError::TooLarge => {
            ServiceError::Bug(error.to_string())
        }
    }
}
