//! Registrars upstream, for operators: which WABA has one, what is known there, the PINs that were drawn.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use registration::{ClientId, NumberRecord, PhoneNumber, TextId as _, TwoStepPin, WabaId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use crate::caller::Caller;
use crate::directory::{Document, Entity, EntityKind, EntityRef, Upstream, UpstreamNumber};
use crate::error::{ServiceError, Unavailable};
use crate::forward::seen;
use crate::ports::{
    CommitError, Credentials, EntityWrite, ForeignBackup, Link, Pace, Registrar, Subject, Unit,
    UpstreamState,
};
use crate::seed::SecretText;
use crate::service::{Service, committed};
use crate::upkeep::Removed;

/// Tries before giving up because others change the same upstream at this very moment.
const ATTEMPTS_MAX: u32 = 8;

/// Document of a client that holds a backup made elsewhere, sealed.
const FOREIGN_BACKUP: &str = "foreign_backup";

/// How setting an upstream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamSet {
    /// It looks like this now.
    Done(Upstream),
    /// There is no such WABA.
    NoWaba,
    /// It must not be called, for this reason.
    NotAllowed(String),
}

/// What an upstream answered to a look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamLook {
    /// Its numbers.
    Numbers(Vec<UpstreamState>),
    /// It says no or nothing, for this reason.
    Failed(String),
    /// The WABA has no upstream.
    Unknown,
}

/// The secrets of a link, as they are sealed.
#[derive(Serialize, Deserialize)]
struct Secrets {
    /// Meta: the token. Alibaba: the secret of the key.
    main: String,
    /// Meta: the app's secret. Alibaba: the security token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    second: Option<String>,
}

/// A client's backup made elsewhere, as it is sealed.
#[derive(Serialize, Deserialize)]
struct SavedBackup {
    data: String,
    password: String,
}

impl Service {
    /// Makes a registrar upstream the authority for a WABA, or changes how it is reached.
    pub async fn set_upstream(
        &self,
        caller: &Caller,
        waba: &WabaId,
        link: &Link,
    ) -> Result<UpstreamSet, ServiceError> {
        let allowed = match &self.upstream {
            Some(port) => port.check(link),
            None => Err("this server does not forward to registrars upstream".to_owned()),
        };
        if let Err(reason) = allowed {
            return Ok(UpstreamSet::NotAllowed(reason));
        }
        if self.store.entity(&EntityRef::waba(waba)).await?.is_none() {
            return Ok(UpstreamSet::NoWaba);
        }
        let upstream = self.sealed_upstream(waba, link);
        let key = EntityRef::upstream(waba);
        let details = json!({
            "registrar": upstream.registrar.as_str(),
            "base_url": upstream.base_url,
            "remote_id": upstream.remote_id,
        });
        for _ in 0..ATTEMPTS_MAX {
            let expected = self.store.entity(&key).await?.map_or(0, |found| found.version);
            let put =
                EntityWrite::Put { expected, entity: Entity::Upstream(Box::new(upstream.clone())) };
            let event = self.event(caller, Subject::Entity(key.clone()), "upstream_set", &details);
            let unit = Unit { entities: vec![put], events: vec![event], ..Unit::default() };
            match self.store.commit(unit).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other).map(|()| UpstreamSet::Done(upstream)),
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    /// The upstream of a WABA, with its secrets sealed.
    pub async fn upstream(&self, waba: &WabaId) -> Result<Option<Upstream>, ServiceError> {
        let found = self.store.entity(&EntityRef::upstream(waba)).await?;
        Ok(found.and_then(|found| found.value.into_upstream()))
    }

    /// Makes this installation the authority for a WABA again. What was known there, PINs included, is
    /// forgotten; nothing changes upstream. `false` if there was no upstream.
    pub async fn remove_upstream(
        &self,
        caller: &Caller,
        waba: &WabaId,
    ) -> Result<bool, ServiceError> {
        Ok(self.remove_entity(caller, &EntityRef::upstream(waba)).await? == Removed::Done)
    }

    /// What is known about the numbers of a WABA upstream, in order of the numbers.
    pub async fn upstream_numbers(
        &self,
        waba: &WabaId,
    ) -> Result<Vec<UpstreamNumber>, ServiceError> {
        let below = EntityRef::upstream(waba);
        let found = self.entities_below(EntityKind::UpstreamNumber, &below).await?;
        Ok(found.into_iter().filter_map(Entity::into_upstream_number).collect())
    }

    /// How fast an upstream may be called now, as far as this node was told.
    pub async fn upstream_pace(&self, waba: &WabaId) -> Result<Option<Pace>, ServiceError> {
        let (Some(link), Some(port)) = (self.link_of(waba).await?, &self.upstream) else {
            return Ok(None);
        };
        Ok(port.pace(&link, self.now()))
    }

    /// Asks an upstream for its numbers: shows whether it is reached and takes our credentials.
    pub async fn look_upstream(&self, waba: &WabaId) -> Result<UpstreamLook, ServiceError> {
        let (Some(link), Some(port)) = (self.link_of(waba).await?, &self.upstream) else {
            return Ok(UpstreamLook::Unknown);
        };
        Ok(match port.numbers(&link, self.now()).await {
            Ok(numbers) => UpstreamLook::Numbers(numbers),
            Err(error) => UpstreamLook::Failed(error.to_string()),
        })
    }

    /// The two-step PIN with which a number is registered upstream, where this installation knows it. Each
    /// look is recorded.
    pub async fn reveal_pin(
        &self,
        caller: &Caller,
        number: PhoneNumber,
    ) -> Result<Option<TwoStepPin>, ServiceError> {
        let record = self.load(number).await?.value;
        let held = record.registration.as_ref().map(|held| held.waba.clone());
        let claimed = record.claims.iter().map(|claim| claim.waba.clone());
        for waba in held.into_iter().chain(claimed) {
            let mirror = self.mirror(&waba, number).await?.value;
            let sealed = mirror.sealed_pin.as_ref().or(mirror.sealed_candidate.as_ref());
            let Some(sealed) = sealed else { continue };
            let kept = self.open_pin(&mirror, sealed)?;
            let details = json!({ "waba": waba.as_str() });
            self.record(caller, Subject::Number(number), "pin_revealed", &details).await?;
            return Ok(Some(kept.pin));
        }
        Ok(None)
    }

    /// Whether any WABA has an upstream; the addresses that `check` forbids, each with the reason.
    pub async fn upstreams_in_use(&self) -> Result<(bool, Vec<String>), ServiceError> {
        let (mut any, mut forbidden) = (false, Vec::new());
        let mut after: Option<String> = None;
        loop {
            let page = self.entities(EntityKind::Upstream, None, after.as_deref(), 500).await?;
            after = page.last().map(|it| it.key().id);
            let is_last = page.len() < 500;
            for upstream in page.into_iter().filter_map(Entity::into_upstream) {
                any = true;
                let link = self.opened(&upstream)?;
                if let Some(Err(reason)) = self.upstream.as_ref().map(|port| port.check(&link)) {
                    forbidden.push(format!("WABA {}: {reason}", upstream.waba));
                }
            }
            if is_last {
                return Ok((any, forbidden));
            }
        }
    }

    /// Compares every number of every upstream with what stands here. What differs is kept and recorded;
    /// nothing is changed, here or there.
    pub async fn compare_upstreams(&self) -> Result<(), ServiceError> {
        let mut after: Option<String> = None;
        loop {
            let page = self.entities(EntityKind::Upstream, None, after.as_deref(), 100).await?;
            after = page.last().map(|it| it.key().id);
            let is_last = page.len() < 100;
            for upstream in page.into_iter().filter_map(Entity::into_upstream) {
                self.compare_upstream(&upstream).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// The same for one upstream; `false` if it could not be read.
    pub async fn compare_upstream(&self, upstream: &Upstream) -> Result<bool, ServiceError> {
        let Some(port) = &self.upstream else { return Ok(false) };
        let link = self.opened(upstream)?;
        let states = match port.numbers(&link, self.now()).await {
            Ok(states) => states,
            Err(error) => {
                let waba = upstream.waba.as_str();
                tracing::warn!(waba, %error, "the registrar upstream was not read");
                return Ok(false);
            }
        };
        for known in self.upstream_numbers(&upstream.waba).await? {
            let digits = known.number.digits();
            let state = states.iter().find(|state| state.digits == digits);
            self.compare_number(&known, state).await?;
        }
        Ok(true)
    }

    async fn compare_number(
        &self,
        known: &UpstreamNumber,
        state: Option<&UpstreamState>,
    ) -> Result<(), ServiceError> {
        let _turn = self.turns.take(known.number).await;
        let found = self.mirror(&known.waba, known.number).await?;
        let mut mirror = found.value;
        if found.version == 0 || mirror.under_way.is_some() {
            return Ok(());
        }
        let record = self.load(known.number).await?.value;
        let here = record.registration.as_ref().is_some_and(|held| held.waba == known.waba);
        let before = mirror.drift.take();
        mirror.drift = drift(here, state).or_else(|| {
            let (two_step, known) = (record.two_step.is_some(), mirror.sealed_pin.is_some());
            state.filter(|_| here).and_then(|state| drift_of_pin(two_step, known, state))
        });
        if let Some(state) = state {
            mirror.seen = Some(seen(state, self.now()));
        }
        let mut unit = Unit::default();
        if mirror.drift != before {
            let kind = if mirror.drift.is_some() { "upstream_drift" } else { "upstream_agrees" };
            let details = json!({ "waba": known.waba.as_str(), "drift": mirror.drift });
            let subject = Subject::Number(known.number);
            unit.events.push(self.event(&Caller::system(), subject, kind, &details));
        }
        let entity = Entity::UpstreamNumber(Box::new(mirror));
        unit.entities.push(EntityWrite::Put { expected: found.version, entity });
        match self.store.commit(unit).await {
            // Somebody works on the number: it is compared again at the next turn.
            Err(CommitError::Conflict) => Ok(()),
            other => committed(other),
        }
    }

    /// How the registrar upstream of a WABA is reached; `None` if this installation is the authority.
    pub(crate) async fn link_of(&self, waba: &WabaId) -> Result<Option<Link>, ServiceError> {
        if self.upstream.is_none() {
            return Ok(None);
        }
        match self.upstream(waba).await? {
            Some(upstream) => self.opened(&upstream).map(Some),
            None => Ok(None),
        }
    }

    /// The same for the WABA that a number is registered for.
    pub(crate) async fn link_of_holder(
        &self,
        number: PhoneNumber,
    ) -> Result<Option<(WabaId, Link)>, ServiceError> {
        if self.upstream.is_none() {
            return Ok(None);
        }
        let record = self.load(number).await?.value;
        let Some(holder) = record.registration.map(|held| held.waba) else { return Ok(None) };
        Ok(self.link_of(&holder).await?.map(|link| (holder, link)))
    }

    /// Whether a WABA's registrar upstream takes backups: Meta alone does.
    pub(crate) async fn takes_foreign_backups(&self, waba: &WabaId) -> Result<bool, ServiceError> {
        let upstream = self.upstream(waba).await?;
        Ok(self.upstream.is_some() && upstream.is_some_and(|it| it.registrar == Registrar::Meta))
    }

    /// Keeps a backup that was made elsewhere for the client's next registration upstream.
    pub(crate) async fn keep_foreign_backup(
        &self,
        caller: &Caller,
        client: &crate::directory::Client,
        data: &[u8],
        password: &str,
    ) -> Result<(), ServiceError> {
        let saved = SavedBackup { data: STANDARD.encode(data), password: password.to_owned() };
        let plain = Zeroizing::new(serde_json::to_vec(&saved).map_err(|error| bug(&error))?);
        let sealed = self.keys.seal(&backup_context(&client.id), &plain, &*self.entropy);
        let key = EntityRef::document(&client.id, FOREIGN_BACKUP);
        let expected = self.entity(&key).await?.map_or(0, |found| found.version);
        let entity = Entity::Document(Document {
            client: client.id.clone(),
            name: FOREIGN_BACKUP.to_owned(),
            content_type: "application/octet-stream".to_owned(),
            body: sealed.into_bytes(),
            updated_at: self.now(),
        });
        let subject = Subject::Entity(EntityRef::client(&client.id));
        let event = self.event(caller, subject, "foreign_backup_kept", &json!({}));
        let entities = vec![EntityWrite::Put { expected, entity }];
        self.commit(Unit { entities, events: vec![event], ..Unit::default() }).await
    }

    /// The backup made elsewhere that a client has given, unless it was used or refused.
    pub(crate) async fn foreign_backup(
        &self,
        client: &ClientId,
    ) -> Result<Option<ForeignBackup>, ServiceError> {
        let found = self.entity(&EntityRef::document(client, FOREIGN_BACKUP)).await?;
        let Some(document) = found.and_then(|found| found.value.into_document()) else {
            return Ok(None);
        };
        let sealed = core::str::from_utf8(&document.body).map_err(|error| bug(&error))?;
        let plain = self.keys.open(&backup_context(client), sealed).map_err(|error| bug(&error))?;
        let saved: SavedBackup = serde_json::from_slice(&plain).map_err(|error| bug(&error))?;
        Ok(Some(ForeignBackup {
            data: SecretText::new(&saved.data),
            password: SecretText::new(&saved.password),
        }))
    }

    /// Drops the backup once a registration has used it, or it was refused.
    pub(crate) async fn drop_foreign_backup(&self, client: &ClientId) -> Result<(), ServiceError> {
        let key = EntityRef::document(client, FOREIGN_BACKUP);
        let Some(found) = self.entity(&key).await? else { return Ok(()) };
        let delete = EntityWrite::Delete { expected: found.version, entity: key };
        self.commit(Unit { entities: vec![delete], ..Unit::default() }).await
    }

    /// The upstream with its secrets sealed.
    pub(crate) fn sealed_upstream(&self, waba: &WabaId, link: &Link) -> Upstream {
        let (secrets, version, access_key_id) = match &link.credentials {
            Credentials::Meta { token, app_secret, version } => {
                (secrets(token, app_secret.as_ref()), Some(version.clone()), None)
            }
            Credentials::Alibaba { access_key_id, access_key_secret, security_token } => {
                let secrets = secrets(access_key_secret, security_token.as_ref());
                (secrets, None, Some(access_key_id.clone()))
            }
        };
        let plain = Zeroizing::new(serde_json::to_vec(&secrets).unwrap_or_default());
        Upstream {
            waba: waba.clone(),
            registrar: link.registrar(),
            base_url: link.base_url.clone(),
            remote_id: link.remote_id.clone(),
            version,
            access_key_id,
            sealed: self.keys.seal(&context(waba, &link.base_url), &plain, &*self.entropy),
            created_at: self.now(),
        }
    }

    /// The secret of the app at Meta that a WABA's upstream is called with, if it was given.
    pub(crate) async fn app_secret_of(
        &self,
        waba: &WabaId,
    ) -> Result<Option<SecretText>, ServiceError> {
        Ok(match self.link_of(waba).await?.map(|link| link.credentials) {
            Some(Credentials::Meta { app_secret, .. }) => app_secret,
            Some(Credentials::Alibaba { .. }) | None => None,
        })
    }

    /// What is known about one number upstream, through each WABA that claims it.
    pub async fn upstream_of(
        &self,
        record: &NumberRecord,
    ) -> Result<Vec<UpstreamNumber>, ServiceError> {
        let mut found = Vec::new();
        for claim in &record.claims {
            let mirror = self.mirror(&claim.waba, record.number).await?;
            if mirror.version > 0 {
                found.push(mirror.value);
            }
        }
        Ok(found)
    }

    fn opened(&self, upstream: &Upstream) -> Result<Link, ServiceError> {
        let named = |what: &dyn core::fmt::Display| {
            ServiceError::Bug(format!("the upstream of {}: {what}", upstream.waba))
        };
        let context = context(&upstream.waba, &upstream.base_url);
        let plain = self.keys.open(&context, &upstream.sealed).map_err(|error| named(&error))?;
        let secrets: Secrets = serde_json::from_slice(&plain).map_err(|error| named(&error))?;
        let (main, second) =
            (SecretText::new(&secrets.main), secrets.second.as_deref().map(SecretText::new));
        let credentials = match upstream.registrar {
            Registrar::Meta => Credentials::Meta {
                token: main,
                app_secret: second,
                version: upstream.version.clone().unwrap_or_default(),
            },
            Registrar::Alibaba => Credentials::Alibaba {
                access_key_id: upstream.access_key_id.clone().unwrap_or_default(),
                access_key_secret: main,
                security_token: second,
            },
        };
        let (base_url, remote_id) = (upstream.base_url.clone(), upstream.remote_id.clone());
        Ok(Link { base_url, remote_id, credentials })
    }
}

/// What differs between there and here, in words.
fn drift(registered_here: bool, state: Option<&UpstreamState>) -> Option<String> {
    match (registered_here, state.map(|state| state.registered)) {
        (true, None) => Some("registered here; not in the account upstream any more".to_owned()),
        (true, Some(Some(false))) => Some(match state.and_then(|it| it.status.as_deref()) {
            Some(status) => format!("registered here; upstream it is not ({status})"),
            None => "registered here; upstream it is not".to_owned(),
        }),
        (false, Some(Some(true))) => Some("registered upstream; not here".to_owned()),
        (true, Some(Some(true) | None)) | (false, None | Some(Some(false) | None)) => None,
    }
}

/// The same for two-step verification of a number that is registered here and there.
fn drift_of_pin(is_on_here: bool, pin_is_known: bool, state: &UpstreamState) -> Option<String> {
    let told = match (is_on_here, state.pin_enabled?) {
        (true, false) => "two-step verification is on here; upstream it is off",
        (false, true) if !pin_is_known => {
            "two-step verification is on upstream with a PIN that is not known here"
        }
        (true, true) | (false, _) => return None,
    };
    Some(told.to_owned())
}

fn secrets(main: &SecretText, second: Option<&SecretText>) -> Secrets {
    Secrets {
        main: main.reveal().to_owned(),
        second: second.map(|second| second.reveal().to_owned()),
    }
}

/// Where sealed secrets belong. The address takes part: a changed row sends no token elsewhere.
fn context(waba: &WabaId, base_url: &str) -> String {
    format!("upstream/{waba}/{base_url}")
}

fn backup_context(client: &ClientId) -> String {
    format!("foreign-backup/{client}")
}

fn bug(error: &dyn core::fmt::Display) -> ServiceError {
    ServiceError::Bug(error.to_string())
}
