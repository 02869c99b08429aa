//! What is done with a number from its page. Each form leads back to the page: on success by a redirect,
//! so that loading it again repeats nothing; refused, with the reason on top.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::super::Console;
use super::super::frame::Frame;
use super::super::guard::Fields;
use super::super::trouble::Trouble;
use super::put_destination;
use super::show::{self, Certificate, number_path};

/// `POST /numbers/{number}/register`: of a number whose code was confirmed before.
pub(in crate::console) async fn register(
    State(console): State<Console>,
    frame: Frame,
    Path(number): Path<String>,
    fields: Fields,
) -> Response {
    let mut order = json!({});
    put_destination(&mut order, fields.get("to").unwrap_or_default());
    if let Some(pin) = fields.get("pin") {
        order["pin"] = pin.into();
    }
    carry_out(&console, frame, &number, Method::POST, "/register", Some(order), "registered").await
}

/// `POST /numbers/{number}/deregister`.
pub(in crate::console) async fn deregister(
    State(console): State<Console>,
    frame: Frame,
    Path(number): Path<String>,
) -> Response {
    carry_out(&console, frame, &number, Method::POST, "/deregister", None, "deregistered").await
}

/// `POST /numbers/{number}/unlock`.
pub(in crate::console) async fn unlock(
    State(console): State<Console>,
    frame: Frame,
    Path(number): Path<String>,
) -> Response {
    carry_out(&console, frame, &number, Method::POST, "/unlock", None, "unlocked").await
}

/// `POST /numbers/{number}/pin`: sets or changes it.
pub(in crate::console) async fn set_pin(
    State(console): State<Console>,
    frame: Frame,
    Path(number): Path<String>,
    fields: Fields,
) -> Response {
    let (pin, again) = (fields.get("pin"), fields.get("again"));
    if pin != again {
        let trouble = Trouble::field("pin", frame.t.numbers.pin_differ);
        return back(&console, frame, &number, &trouble).await;
    }
    let order = json!({ "pin": pin.unwrap_or_default() });
    carry_out(&console, frame, &number, Method::PUT, "/two-step", Some(order), "pin_set").await
}

/// `POST /numbers/{number}/pin/clear`.
pub(in crate::console) async fn clear_pin(
    State(console): State<Console>,
    frame: Frame,
    Path(number): Path<String>,
) -> Response {
    carry_out(&console, frame, &number, Method::DELETE, "/two-step", None, "pin_cleared").await
}

/// `POST /numbers/{number}/pin/link`: mails the link that resets it, in the language of the page.
pub(in crate::console) async fn mail_reset_link(
    State(console): State<Console>,
    frame: Frame,
    Path(number): Path<String>,
) -> Response {
    let order = Some(json!({ "locale": frame.language.as_str() }));
    let path = "/two-step/reset-link";
    carry_out(&console, frame, &number, Method::POST, path, order, "pin_link").await
}

/// `POST /numbers/{number}/certificate`: makes one and shows it, this once.
pub(in crate::console) async fn certificate(
    State(console): State<Console>,
    frame: Frame,
    Path(number): Path<String>,
    fields: Fields,
) -> Response {
    let digits = number_path(&number);
    let mut order = json!({
        "number": format!("+{digits}"),
        "name": fields.get("name").unwrap_or_default(),
    });
    if let Some(waba) = fields.get("waba") {
        order["waba"] = waba.into();
    }
    match console.inside.send(Method::POST, "/certificates", Some(order)).await {
        Ok(made) => {
            let made: Option<Certificate> = serde_json::from_value(made).ok();
            show::of_number(&console, frame, &digits, StatusCode::OK, made).await
        }
        Err(trouble) => back(&console, frame, &number, &trouble).await,
    }
}

/// `POST /certificate.txt`: gives a certificate that is on the page back as a file.
pub(in crate::console) async fn download(fields: Fields) -> Response {
    let text: String = fields.raw("certificate").chars().filter(|c| is_base64(*c)).collect();
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"certificate.txt\""),
    ];
    (headers, text).into_response()
}

const fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_')
}

async fn carry_out(
    console: &Console,
    frame: Frame,
    number: &str,
    method: Method,
    order: &str,
    body: Option<Value>,
    done: &str,
) -> Response {
    let digits = number_path(number);
    match console.inside.send(method, &format!("/numbers/{digits}{order}"), body).await {
        Ok(answer) => {
            let done = match answer["outcome"].as_str() {
                Some(outcome @ "already_registered") => outcome,
                _ => done,
            };
            Redirect::to(&format!("/console/numbers/{digits}?done={done}")).into_response()
        }
        Err(trouble) => back(console, frame, number, &trouble).await,
    }
}

/// The page again, with the reason on top.
async fn back(console: &Console, frame: Frame, number: &str, trouble: &Trouble) -> Response {
    let notice = trouble.notice(&frame);
    let digits = number_path(number);
    show::of_number(console, frame.with(notice), &digits, trouble.status, None).await
}
