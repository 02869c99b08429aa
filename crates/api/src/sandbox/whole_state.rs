//! The whole state at once: first start, reset, snapshots.
//!
//! While a reset runs, requests find an empty installation for some milliseconds; nothing waits for it.

use axum::Json;
use axum::extract::{Path, State};
use registration::{ClientId, TextId, WabaId};
use serde_json::{Value, json};
use service::clients::{DEFAULT, FirstPassword};
use service::directory::EntityRef;
use service::key_marks::UnknownKeys;
use service::ports::{EntropyExt as _, is_snapshot_name};
use service::seed::{FIRST_PASSWORD, SeedTally, Seeded};
use service::{Caller, Service, ServiceError};

use super::Tools;
use super::body::Problem;
use super::clock::face;
use super::seed::tally_json;
use crate::state::App;

/// Why an installation could not be put into its first state.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The use cases failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The start seed contradicts itself or what is there, for each of these reasons.
    #[error("the seed cannot be applied: {}", .0.join("; "))]
    Clash(Vec<String>),
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Service(error) => error.into(),
            StartError::Clash(clashes) => Self::conflict(clashes),
        }
    }
}

impl Tools {
    /// Makes what exists from the first start, then applies the start seed. Does nothing where an
    /// installation exists: what was built on it is kept, and a reset begins anew.
    ///
    /// The default client's admin is `admin` with password `secret`, to be changed at the first login.
    pub async fn first_start(&self, service: &Service) -> Result<(), StartError> {
        let _turn = self.start.turn.lock().await;
        let default = ClientId::parse(DEFAULT);
        if let Some(default) = &default
            && service.client(default).await?.is_some()
        {
            return Ok(());
        }
        match self.begin(service, None).await {
            Err(StartError::Clash(clashes)) => {
                // Without the default client the next start, with a better seed, is a first start again.
                if let Some(default) = default {
                    let default = EntityRef::client(&default);
                    service.delete_entity(&Caller::system(), &default).await?;
                }
                Err(StartError::Clash(clashes))
            }
            other => other.map(drop),
        }
    }

    /// Back to the first start and the start seed: all data is gone, the clock shows real time and
    /// runs, faults are off. The default WABA keeps its id. Named snapshots stay.
    pub async fn reset(&self, service: &Service) -> Result<SeedTally, StartError> {
        let _turn = self.start.turn.lock().await;
        let waba = default_waba(service).await?;
        self.rehearsal.clear();
        self.clock.reset();
        service.clear().await?;
        let tally = self.begin(service, waba).await?;
        service.wake_worker();
        Ok(tally)
    }

    /// Keeps all data under a name, and what the clock shows. Faults are no part of it.
    async fn save(&self, service: &Service, name: &str) -> Result<(), ServiceError> {
        let _turn = self.start.turn.lock().await;
        let shown = (self.clock.now(), self.clock.is_frozen());
        service.save_snapshot(name).await?;
        self.start.clocks().insert(name.to_owned(), shown);
        Ok(())
    }

    /// Brings back what was kept under a name; `false` if there is none.
    ///
    /// The clock goes back with the data, so that what was alive then is alive again. It stays as it is
    /// if the snapshot was made before this process began.
    /// One that was made with other master keys would be of no use now, and nothing would start on it:
    /// the first state takes its place.
    async fn restore(&self, service: &Service, name: &str) -> Result<bool, Problem> {
        let turn = self.start.turn.lock().await;
        match service.load_snapshot(name).await {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(UnknownKeys::Service(error)) => return Err(error.into()),
            Err(unknown @ (UnknownKeys::Other(_) | UnknownKeys::Missing(_))) => {
                drop(turn);
                self.reset(service).await?;
                let words = "The snapshot cannot be used, and the sandbox was reset";
                return Err(Problem::conflict(format!("{words}: {unknown}")));
            }
        }
        let kept = self.start.clocks().get(name).copied();
        if let Some((shown, frozen)) = kept {
            if frozen {
                self.clock.freeze();
            } else {
                self.clock.resume();
            }
            self.clock.set(shown);
        }
        service.wake_worker();
        Ok(true)
    }

    async fn begin(
        &self,
        service: &Service,
        waba: Option<WabaId>,
    ) -> Result<SeedTally, StartError> {
        let first = FirstPassword { password: FIRST_PASSWORD.to_owned(), must_change: true };
        let drawn = || WabaId::parse(&service.entropy().node_id());
        let waba = waba.or_else(drawn).ok_or_else(|| {
            StartError::Service(ServiceError::Bug("a node id is no identifier".to_owned()))
        })?;
        service.first_start(&waba, &first).await?;
        let Some(seed) = &self.start.seed else { return Ok(SeedTally::default()) };
        match service.apply_seed(seed).await? {
            Seeded::Done(tally) => Ok(tally),
            Seeded::Clash(clashes) => Err(StartError::Clash(clashes)),
        }
    }
}

/// `POST /reset`: answers when everything is back.
pub(super) async fn reset(State(app): State<App>, tools: Tools) -> Result<Json<Value>, Problem> {
    let work = async move {
        let tally = tools.reset(&app.service).await?;
        Ok(json!({ "seeded": tally_json(&tally), "clock": face(&tools) }))
    };
    to_the_end(work).await.map(Json)
}

/// `POST /snapshots/{name}`: keeps everything under the name; an older one of that name is gone.
pub(super) async fn save(
    State(app): State<App>,
    tools: Tools,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    check(&name)?;
    tools.save(&app.service, &name).await?;
    Ok(Json(json!({ "snapshot": name, "clock": face(&tools) })))
}

/// `POST /snapshots/{name}/restore`.
pub(super) async fn restore(
    State(app): State<App>,
    tools: Tools,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    check(&name)?;
    let work = async move {
        if tools.restore(&app.service, &name).await? {
            Ok(json!({ "snapshot": name, "clock": face(&tools) }))
        } else {
            Err(Problem::not_found("There is no snapshot of this name"))
        }
    };
    to_the_end(work).await.map(Json)
}

/// Does the work even if the caller hangs up meanwhile: half of it would leave no installation.
async fn to_the_end(
    work: impl Future<Output = Result<Value, Problem>> + Send + 'static,
) -> Result<Value, Problem> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|_| Err(Problem::bug("a change of the whole state broke off")))
}

fn check(name: &str) -> Result<(), Problem> {
    if is_snapshot_name(name) {
        return Ok(());
    }
    Err(Problem::invalid(
        "a snapshot is named with 1 to 64 letters, digits, hyphens, underscores or dots, \
         no dot in front",
    ))
}

/// The WABA that the first start made, unless the default client was given another one.
async fn default_waba(service: &Service) -> Result<Option<WabaId>, ServiceError> {
    let Some(default) = ClientId::parse(DEFAULT) else { return Ok(None) };
    let Some(client) = service.client(&default).await? else { return Ok(None) };
    let found = service.entity(&EntityRef::waba(&client.waba)).await?;
    let waba = found.and_then(|found| found.value.into_waba());
    Ok(waba.filter(|waba| waba.space.as_str() == DEFAULT).map(|waba| waba.id))
}
