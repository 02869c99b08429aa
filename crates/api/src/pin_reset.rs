//! `/two-step/reset/{token}`: the page behind a mailed link.
//!
//! Opening it changes nothing and looks nothing up: programs that read mail open links, too. Only the
//! button does. A link that does not count is answered alike, whether it is spent, too old or made up.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;

use crate::bare_page::page;
use crate::state::App;

/// `GET`: the question.
pub async fn ask() -> Response {
    page(
        StatusCode::OK,
        "Reset the PIN",
        "<p>This switches two-step verification of your number off. Afterwards you can set a new PIN.</p>\
         <form method=\"post\"><button>Switch two-step verification off</button></form>",
    )
}

/// `POST`: the answer to it.
pub async fn confirm(State(app): State<App>, Path(token): Path<String>) -> Response {
    match app.service.confirm_pin_reset(&token).await {
        Ok(true) => page(
            StatusCode::OK,
            "Two-step verification is off",
            "<p>You can set a new PIN now, which switches it on again.</p>",
        ),
        Ok(false) => page(
            StatusCode::NOT_FOUND,
            "This link does not count",
            "<p>A link counts once, for 24 hours, and only until a new PIN is set. Ask for another one.</p>",
        ),
        Err(error) => {
            tracing::warn!(%error, "a PIN could not be reset");
            page(
                StatusCode::SERVICE_UNAVAILABLE,
                "Not at the moment",
                "<p>A part of the server is missing at the moment. Please try the same link again.</p>",
            )
        }
    }
}
