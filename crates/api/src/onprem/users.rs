//! `/v1/users`: login, logout, users (On-Premises reference §2).

use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use registration::Timestamp;
use serde_json::{Value, json};
use service::directory::Role;
use service::login::{IssuedToken, LoginOutcome, PASSWORD_SPECIALS, UserChange};

use super::call::{AdminCall, Call, RawBody, Visit, object, text};
use super::reply::{Backing, Fault, done, success};
use crate::state::App;

/// `POST /v1/users/login`: Basic credentials; the first login brings a new password.
pub async fn login(State(app): State<App>, visit: Visit, body: RawBody) -> Result<Response, Fault> {
    let body = object(&app, &body)?;
    let new_password = match body.get("new_password") {
        None | Some(Value::Null) => None,
        Some(Value::String(password)) => Some(password.as_str()),
        Some(_) => return Err(Fault::invalid(&app, "new_password must be a string")),
    };
    let (user, password) = visit.basic().ok_or_else(|| challenge(&app))?;
    let outcome = app
        .service
        .login(&visit.client, &user, &password, new_password, visit.from)
        .await
        .map_err(|error| visit.fault(error))?;
    match outcome {
        LoginOutcome::Token(token) => Ok(token_reply(&app, &token)),
        LoginOutcome::WrongCredentials => Err(challenge(&app)),
        LoginOutcome::PasswordChangeRequired => Err(Fault::new(
            &app,
            StatusCode::UNAUTHORIZED,
            1024,
            "Password change required",
            "Password must be changed",
        )),
        LoginOutcome::PasswordTooWeak => Err(weak(&app)),
    }
}

/// `POST /v1/users/logout`: ends the presented token.
pub async fn logout(State(app): State<App>, call: Call) -> Result<Response, Fault> {
    app.service
        .logout(&call.visit.client, &call.who)
        .await
        .map_err(|error| call.visit.fault(error))?;
    Ok(done(&app, StatusCode::OK, Backing::Webapp))
}

/// `POST /v1/users`: makes a user.
pub async fn create(
    State(app): State<App>,
    AdminCall(call): AdminCall,
    body: RawBody,
) -> Result<Response, Fault> {
    let body = object(&app, &body)?;
    let name = text(&app, &body, "username")?;
    let password = text(&app, &body, "password")?;
    let client = &call.visit.client.id;
    let change = app
        .service
        .create_user(&call.caller(), client, name, password)
        .await
        .map_err(|error| call.visit.fault(error))?;
    answer(&app, &call, name, change, StatusCode::CREATED).await
}

/// `GET /v1/users/{username}`: role and name; the role's key is in upper case.
pub async fn show(State(app): State<App>, call: Call) -> Result<Response, Fault> {
    let name = call.visit.param("username");
    if call.who.role != Role::Admin && call.who.user != name {
        return Err(call.not_admin("users").await);
    }
    let user = app
        .service
        .user(&call.visit.client.id, name)
        .await
        .map_err(|error| call.visit.fault(error))?
        .ok_or_else(|| Fault::not_found(&app, "No such user"))?;
    let role = match user.value.role {
        Role::Admin => "ROLE_ADMIN",
        Role::User => "ROLE_USER",
    };
    let payload = json!({ "users": [{ "ROLES": role, "username": name }] });
    Ok(success(&app, StatusCode::OK, Backing::Webapp, payload))
}

/// `PUT /v1/users/{username}`: another password; the admin for anyone, a user for itself.
pub async fn change(State(app): State<App>, call: Call, body: RawBody) -> Result<Response, Fault> {
    let name = call.visit.param("username");
    if call.who.role != Role::Admin && call.who.user != name {
        return Err(call.not_admin("users").await);
    }
    let body = object(&app, &body)?;
    let password = text(&app, &body, "password")?;
    let change = app
        .service
        .change_password(&call.caller(), &call.visit.client.id, name, password)
        .await
        .map_err(|error| call.visit.fault(error))?;
    answer(&app, &call, name, change, StatusCode::OK).await
}

/// `DELETE /v1/users/{username}`: removes a user and its tokens; never the admin.
pub async fn delete(State(app): State<App>, AdminCall(call): AdminCall) -> Result<Response, Fault> {
    let name = call.visit.param("username");
    let change = app
        .service
        .delete_user(&call.caller(), &call.visit.client.id, name)
        .await
        .map_err(|error| call.visit.fault(error))?;
    answer(&app, &call, name, change, StatusCode::OK).await
}

async fn answer(
    app: &App,
    call: &Call,
    name: &str,
    change: UserChange,
    done: StatusCode,
) -> Result<Response, Fault> {
    match change {
        UserChange::Done => {
            let payload = json!({ "users": [{ "username": name }] });
            Ok(success(app, done, Backing::Webapp, payload))
        }
        UserChange::Unknown => Err(Fault::not_found(app, "No such user")),
        UserChange::Taken => Err(Fault::new(
            app,
            StatusCode::INTERNAL_SERVER_ERROR,
            1014,
            "Internal error",
            "Unable to create user. Already exist?",
        )),
        UserChange::BadName => Err(Fault::invalid(app, "username must have 4 to 32 characters")),
        UserChange::BadCharacter => Err(Fault::invalid(
            app,
            "username must have no colon, no slash and no control characters",
        )),
        UserChange::PasswordTooWeak => Err(weak(app)),
        UserChange::Protected => Err(call.not_admin("users").await),
    }
}

/// 401 with the Basic challenge and no body (§2.4).
fn challenge(app: &App) -> Fault {
    Fault::unauthorized(app)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Secured\""))
}

fn weak(app: &App) -> Fault {
    Fault::invalid(
        app,
        format!(
            "Password doesn't meet complexity requirements: length between 8 and 64 characters, at least 1 each \
             of upper-case character, lower-case character, digit, special character ({PASSWORD_SPECIALS}) are \
             required"
        ),
    )
}

fn token_reply(app: &App, token: &IssuedToken) -> Response {
    let payload = json!({ "users": [{
        "token": token.token,
        "expires_after": expires_after(token.expires_at),
    }] });
    success(app, StatusCode::OK, Backing::Webapp, payload)
}

/// `2018-03-01 15:29:26+00:00`: a space, not a `T`; strict clients parse exactly that (§0, fact 10).
fn expires_after(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.as_seconds())
        .map(|at| at.strftime("%Y-%m-%d %H:%M:%S+00:00").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_in_the_form_that_strict_clients_parse() {
        let at = Timestamp::from_millis(1_519_918_166_000);
        assert_eq!(expires_after(at), "2018-03-01 15:29:26+00:00");
    }
}
