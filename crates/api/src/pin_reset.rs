//! `/two-step/reset/{token}`: the page behind a mailed link.
//!
//! Opening it changes nothing and looks nothing up: programs that read mail open links, too. Only the
//! button does. A link that does not count is answered alike, whether it is spent, too old or made up.

use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use http::{StatusCode, header};

use crate::state::App;

/// No script, no request to anywhere but back to this page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

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

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <style>:root{{color-scheme:light dark}}\
         body{{font:1.1em/1.5 system-ui;max-width:32em;margin:12vh auto 0;padding:0 1.2em;\
         background:light-dark(#f6f6f3,#121315);color:light-dark(#1b1d1f,#ecedee)}}\
         main{{padding:1.5em;border:1px solid light-dark(#e2e2dc,#2d3136);border-radius:10px;\
         background:light-dark(#fff,#1a1c1f)}}h1{{margin:0;font-size:1.4em;line-height:1.2}}\
         button{{font:inherit;font-weight:600;width:100%;padding:.6em 1em;border:0;border-radius:8px;\
         background:light-dark(#0b6b53,#55cfab);color:light-dark(#fff,#06241b);cursor:pointer}}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>\n"
    );
    // The address holds the token: nobody may keep it or pass it on.
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(html)).into_response()
}
