//! Numbers: the list, a number's page, what may be done with one.

pub(super) mod act;
pub(super) mod export;
pub(super) mod list;
pub(super) mod show;
mod view;

pub(super) use view::{Budget, Details, Summary};

use serde::Deserialize;

use super::Console;
use super::trouble::Trouble;

/// A page of a list, as the operator's API gives it.
#[derive(Debug, Deserialize)]
pub(super) struct PageOf<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

/// Somewhere a number can be registered: `client:NAME` or `waba:ID`.
#[derive(Debug, Clone)]
pub(super) struct Destination {
    pub value: String,
    pub label: String,
    pub waba: String,
}

/// Most clients and WABAs that a choice offers; with more, an id is typed into the address.
const CHOICES_MAX: usize = 200;

/// Everywhere a number can be registered, clients first.
pub(super) async fn destinations(
    console: &Console,
    t: &'static super::texts::Texts,
) -> Result<Vec<Destination>, Trouble> {
    #[derive(Deserialize)]
    struct Client {
        id: String,
        waba: String,
    }
    #[derive(Deserialize)]
    struct Waba {
        id: String,
        name: String,
    }
    let limit = format!("?limit={CHOICES_MAX}");
    let clients: PageOf<Client> = console.inside.get(&format!("/clients{limit}")).await?;
    let wabas: PageOf<Waba> = console.inside.get(&format!("/wabas{limit}")).await?;
    let clients = clients.items.into_iter().map(|it| Destination {
        value: format!("client:{}", it.id),
        label: super::shape::fill(t.register.to_client, &it.id),
        waba: it.waba,
    });
    let wabas = wabas.items.into_iter().map(|it| {
        let named = if it.name == it.id {
            it.id.clone()
        } else {
            format!("{} · {}", super::shape::isolated(&it.name), it.id)
        };
        Destination {
            value: format!("waba:{}", it.id),
            label: super::shape::fill(t.register.to_waba, named),
            waba: it.id,
        }
    });
    Ok(clients.chain(wabas).collect())
}

/// Puts a destination into an order of the operator's API.
pub(super) fn put_destination(order: &mut serde_json::Value, destination: &str) {
    match destination.split_once(':') {
        Some(("client", id)) => order["client"] = id.into(),
        Some(("waba", id)) => order["waba"] = id.into(),
        _ => {}
    }
}
