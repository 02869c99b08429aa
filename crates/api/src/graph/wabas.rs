//! WABAs: the node, its numbers, its webhook subscription (§2.1, §2.3).

use registration::TextId as _;
use serde_json::{Value, json};
use service::directory::{Entity, EntityRef, GraphSubscription};

use super::call::{Call, Node};
use super::failure::Failure;
use super::list::Wanted;
use super::node;
use super::reply::done;
use super::tokens::app_id;

/// `GET /{id}`: a number or a WABA.
pub(super) async fn node(call: &Call) -> Result<Value, Failure> {
    let fields = call.fields()?;
    let waba = match call.node().await? {
        Node::Phone(phone) => return Ok(node::phone(call, &phone, &fields)),
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

/// `GET /{waba}/subscribed_apps`: the app of the account, if it wants the WABA's webhooks.
pub(super) async fn subscribed_apps(call: &Call) -> Result<Value, Failure> {
    let waba = call.waba().await?;
    let found = call.app.service.entity(&EntityRef::graph_subscription(&waba.id)).await;
    let found = found.map_err(|error| call.failure(error))?;
    let subscription = found.and_then(|found| found.value.into_graph_subscription());
    let app = subscription.map(|_| {
        let (id, name) = (app_id(call), call.token.account.as_str());
        let link = format!("https://www.facebook.com/games/?app_id={id}");
        let data = json!({ "id": id, "name": name, "link": link });
        json!({ "id": id, "name": name, "whatsapp_business_api_data": data })
    });
    Ok(json!({ "data": app.into_iter().collect::<Vec<_>>() }))
}

/// `POST /{waba}/subscribed_apps`.
pub(super) async fn subscribe(call: &Call) -> Result<Value, Failure> {
    let waba = call.waba().await?;
    let subscription = Entity::GraphSubscription(GraphSubscription {
        waba: waba.id.clone(),
        created_at: call.app.service.now(),
    });
    let put = call.app.service.put_entity(&call.caller(), subscription).await;
    put.map_err(|error| call.failure(error))?;
    Ok(done())
}

/// `DELETE /{waba}/subscribed_apps`: also where there is none.
pub(super) async fn unsubscribe(call: &Call) -> Result<Value, Failure> {
    let waba = call.waba().await?;
    let key = EntityRef::graph_subscription(&waba.id);
    let gone = call.app.service.remove_entity(&call.caller(), &key).await;
    gone.map_err(|error| call.failure(error))?;
    Ok(done())
}
