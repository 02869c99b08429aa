//! Nodes that are asked for, and the numbers of a WABA (§2.1, §2.3).

use serde_json::Value;

use super::call::{Call, Node};
use super::failure::Failure;
use super::list::Wanted;
use super::{node, webhooks};

/// `GET /{id}`: a number or a WABA.
pub(super) async fn node(call: &Call) -> Result<Value, Failure> {
    let fields = call.fields()?;
    let waba = match call.node().await? {
        Node::Phone(phone) => {
            let mut shown = node::phone(call, &phone, &fields);
            // Kept apart from the number, so that it is looked up where it is asked for.
            for field in fields.iter().filter(|field| field.name == "webhook_configuration") {
                let all = webhooks::configuration(call, &phone).await?;
                shown[&field.name] = field.of_it.of(all);
            }
            return Ok(shown);
        }
        Node::Waba(waba) => waba,
    };
    let mut shown = node::waba(&waba, &fields);
    for field in fields.iter().filter(|field| field.name == "phone_numbers") {
        let wanted = Wanted::inside(field.of_it.clone(), field.modifier("limit"));
        shown.insert("phone_numbers".to_owned(), wanted.page(call, &waba.id).await?);
    }
    Ok(Value::Object(shown))
}

/// `GET /{waba}/phone_numbers`.
pub(super) async fn phone_numbers(call: &Call) -> Result<Value, Failure> {
    let waba = call.waba().await?;
    let wanted = Wanted::read(&call.parameters, call.fields()?)?;
    wanted.page(call, &waba.id).await
}
