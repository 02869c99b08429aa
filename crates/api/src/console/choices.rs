//! What a form can offer where it asks for something that is there already.

use std::collections::HashMap;

use serde::Deserialize;

use super::Console;
use super::numbers::PageOf;

/// Most that is offered of a kind.
const OFFERED_MAX: usize = 100;

/// Ids by the name of the field that asks for them.
pub(super) async fn offered(
    console: &Console,
    fields: impl Iterator<Item = &'static str>,
) -> HashMap<&'static str, Vec<String>> {
    #[derive(Deserialize)]
    struct There {
        id: String,
    }
    let mut offered = HashMap::new();
    for field in fields {
        let kind = match field {
            "account" => "accounts",
            "space" => "spaces",
            "waba" => "wabas",
            _ => continue,
        };
        let path = format!("/{kind}?limit={OFFERED_MAX}");
        // A form without offers is a form still.
        if let Ok(found) = console.inside.get::<PageOf<There>>(&path).await {
            offered.insert(field, found.items.into_iter().map(|it| it.id).collect());
        }
    }
    offered
}
