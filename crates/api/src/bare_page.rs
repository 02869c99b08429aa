//! A page by itself, for those who are not in the console: no script, no file, nothing to know of anybody.

use axum::response::{Html, IntoResponse as _, Response};
use http::{StatusCode, header};

/// No script, no request to anywhere but back to this page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// The page; `body` is HTML, `title` has no character that HTML reads.
pub(crate) fn page(status: StatusCode, title: &str, body: &str) -> Response {
    page_in("en", status, title, body)
}

/// The same in another language.
pub(crate) fn page_in(language: &str, status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>{title}</title>\
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
    // The address may hold a token: nobody may keep it or pass it on.
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(html)).into_response()
}
