//! `GET /numbers.csv`: all numbers of a search as a table, streamed page by page.

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::header;

use super::super::Console;
use super::super::trouble::Trouble;
use super::list::Wanted;
use super::{PageOf, Summary};

/// Rows read at once: the most that the operator's API gives.
const STRIDE: usize = 200;

const HEAD: &str = "number,international,state,display_name,platform,client,waba,registered_since,two_step,locked\r\n";

/// The table; a store that fails on the way breaks the download off, so that it is not taken for whole.
pub(in crate::console) async fn csv(
    State(console): State<Console>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let first = wanted.query(STRIDE);
    let state = Some((first.clone(), first, true));
    let pages = stream::try_unfold(state, move |state| {
        let console = console.clone();
        async move {
            let Some((query, base, begins)) = state else { return Ok(None) };
            let page: Result<PageOf<Summary>, Trouble> = console.inside.get(&query).await;
            let page = page.map_err(|trouble| broken(&trouble))?;
            let mut text = if begins { HEAD.to_owned() } else { String::new() };
            page.items.iter().for_each(|number| line(&mut text, number));
            let rest = page.next.map(|next| {
                (format!("{base}&after={}", super::super::shape::digits(&next)), base, false)
            });
            Ok::<_, std::io::Error>(Some((Bytes::from(text), rest)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"rollcall-numbers.csv\""),
    ];
    (headers, Body::from_stream(pages)).into_response()
}

fn broken(trouble: &Trouble) -> std::io::Error {
    std::io::Error::other(format!("the list ended with status {}", trouble.status))
}

fn line(text: &mut String, number: &Summary) {
    let held = number.registration.as_ref();
    let since = held.map(|held| held.since.iso()).unwrap_or_default();
    let cells = [
        number.number.as_str(),
        number.international.as_str(),
        number.state.as_str(),
        number.name.as_deref().unwrap_or_default(),
        held.map_or("", |held| held.platform.as_str()),
        held.and_then(|held| held.client.as_deref()).unwrap_or_default(),
        held.map_or("", |held| held.waba.as_str()),
        &since,
        if number.two_step { "yes" } else { "no" },
        if number.locked { "yes" } else { "no" },
    ];
    let cells = cells.iter().enumerate().map(|(place, cell)| quoted(cell, place < 2));
    text.push_str(&cells.collect::<Vec<_>>().join(","));
    text.push_str("\r\n");
}

/// A cell in quotes where it needs them (RFC 4180). A text that a spreadsheet would take for a formula
/// gets an apostrophe in front; numbers, whose `+` we put there ourselves, stay as they are.
fn quoted(cell: &str, is_number: bool) -> String {
    let formula = !is_number && cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) || cell.starts_with(' ') {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_neither_broken_nor_a_formula() {
        for (cell, written) in [
            ("Lucky Shrub", "Lucky Shrub"),
            ("a, \"b\"", "\"a, \"\"b\"\"\""),
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("@sum", "'@sum"),
            ("", ""),
        ] {
            assert_eq!(quoted(cell, false), written);
        }
        assert_eq!(quoted("+44 7700 900123", true), "+44 7700 900123");
    }
}
