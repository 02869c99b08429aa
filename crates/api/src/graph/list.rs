//! A WABA's numbers: filtered, sorted, in pages (§2.3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registration::{TextId as _, Timestamp, WabaId};
use serde_json::{Map, Value, json};
use service::ports::{ClaimMoment, ClaimQuery};

use super::call::{Call, Phone};
use super::failure::Failure;
use super::fields::Fields;
use super::node;
use super::parameters::Parameters;
use crate::cams::parameters::{Parameters as Pairs, encode_into};

/// Entries on a page.
const LIMIT: usize = 25;
const LIMIT_MAX: usize = 100;

/// What of a list a caller wants to see.
pub(super) struct Wanted {
    fields: Fields,
    sort: Sort,
    filters: Vec<Filter>,
    limit: usize,
    after: Option<Place>,
    before: Option<Place>,
    total: bool,
}

/// By which moment, and whether the oldest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sort {
    by: ClaimMoment,
    ascending: bool,
}

/// One condition of `filtering`.
struct Filter {
    field: String,
    is_equal: bool,
    values: Vec<String>,
}

/// Where an entry stands: its moment, then its id. A cursor is that in base64, so that it stays good while
/// numbers come and go.
type Place = (i64, String);

type Page = Vec<(Place, Phone)>;

impl Wanted {
    /// Reads the parameters of a list.
    pub(super) fn read(parameters: &Parameters, fields: Fields) -> Result<Self, Failure> {
        let limit = match parameters.text("limit") {
            None => LIMIT,
            Some(text) => {
                let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                limit.ok_or_else(|| Failure::invalid("limit", "must be a number from 1 to 100"))?
            }
        };
        let cursor = |name: &str| match parameters.text(name) {
            None => Ok(None),
            Some(text) => place(&text)
                .map(Some)
                .ok_or_else(|| Failure::invalid(name, "is no cursor of this list")),
        };
        let summary = parameters.text("summary").unwrap_or_default();
        Ok(Self {
            fields,
            sort: sort(parameters)?,
            filters: filters(parameters)?,
            limit,
            after: cursor("after")?,
            before: cursor("before")?,
            total: summary.contains("total_count") || summary == "true" || summary == "1",
        })
    }

    /// The first page of an edge inside a node's fields.
    pub(super) fn inside(fields: Fields, limit: Option<&str>) -> Self {
        let limit = limit.and_then(|limit| limit.parse().ok()).unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
        let sort = Sort { by: ClaimMoment::Onboarded, ascending: false };
        let (after, before, filters) = (None, None, Vec::new());
        Self { fields, sort, filters, limit, after, before, total: false }
    }

    /// The page.
    pub(super) async fn page(&self, call: &Call, waba: &WabaId) -> Result<Value, Failure> {
        let holds = self.filters.iter().all(Filter::holds);
        let (page, more, earlier) =
            if holds { self.read_page(call, waba).await? } else { (Vec::new(), false, false) };
        let data = page.iter().map(|(_, phone)| node::phone(call, phone, &self.fields)).collect();
        let mut body = Map::new();
        body.insert("data".to_owned(), data);
        if let (Some((first, _)), Some((last, _))) = (page.first(), page.last()) {
            let (before, after) = (cursor(first), cursor(last));
            let mut paging = json!({ "cursors": { "before": before, "after": after } });
            if more {
                paging["next"] = json!(link(call, "after", &after));
            }
            if earlier {
                paging["previous"] = json!(link(call, "before", &before));
            }
            body.insert("paging".to_owned(), paging);
        }
        if self.total {
            let total = if holds { call.app.service.claim_count(waba).await } else { Ok(0) };
            let total = total.map_err(|error| call.failure(error))?;
            body.insert("summary".to_owned(), json!({ "total_count": total }));
        }
        Ok(Value::Object(body))
    }

    /// What is on the page, and whether something comes after it and before it.
    async fn read_page(&self, call: &Call, waba: &WabaId) -> Result<(Page, bool, bool), Failure> {
        let (backwards, from) = match (&self.after, &self.before) {
            (Some(after), _) => (false, Some(after)),
            (None, Some(before)) => (true, Some(before)),
            (None, None) => (false, None),
        };
        let mut page = self.entries(call, waba, from, backwards, self.limit + 1).await?;
        let further = page.len() > self.limit;
        page.truncate(self.limit);
        if backwards {
            page.reverse();
        }
        let edge = if backwards { page.last() } else { page.first() };
        let other = match edge {
            // Nothing is before the beginning of the list.
            Some((edge, _)) if from.is_some() => {
                !self.entries(call, waba, Some(edge), !backwards, 1).await?.is_empty()
            }
            Some(_) | None => false,
        };
        Ok(if backwards { (page, other, further) } else { (page, further, other) })
    }

    /// Entries behind a place, in the order of the list or against it.
    async fn entries(
        &self,
        call: &Call,
        waba: &WabaId,
        behind: Option<&Place>,
        backwards: bool,
        limit: usize,
    ) -> Result<Page, Failure> {
        let query = ClaimQuery {
            waba: waba.clone(),
            by: self.sort.by,
            ascending: self.sort.ascending != backwards,
            behind: behind.map(|(at, id)| (Timestamp::from_millis(*at), id.clone())),
            limit,
        };
        let found = call.app.service.claimed(&query).await.map_err(|error| call.failure(error))?;
        let found = found.into_iter().filter_map(|record| {
            let claim = record.claim_of(waba).cloned()?;
            let at = self.sort.by.of(&record, &claim).as_millis();
            Some(((at, claim.id.as_str().to_owned()), Phone { record, claim }))
        });
        Ok(found.collect())
    }
}

impl Filter {
    /// What can be filtered by is the same for all numbers here.
    fn holds(&self) -> bool {
        let value = node::common_field(&self.field).unwrap_or_default();
        self.values.contains(&text(&value)) == self.is_equal
    }
}

/// Both documented notations: `['last_onboarded_time_ascending']` and `last_onboarded_time.asc`.
fn sort(parameters: &Parameters) -> Result<Sort, Failure> {
    let text = match parameters.nested("sort") {
        Ok(Some(Value::Array(items))) => items.first().and_then(Value::as_str).map(str::to_owned),
        Ok(Some(_)) => None,
        Ok(None) | Err(_) => parameters.text("sort"),
    };
    let text = text.unwrap_or_default();
    let word = text.trim_matches(|c: char| matches!(c, '[' | ']' | '\'' | '"' | ' '));
    let known =
        [("last_onboarded_time", ClaimMoment::Onboarded), ("creation_time", ClaimMoment::Added)];
    if word.is_empty() {
        return Ok(Sort { by: ClaimMoment::Onboarded, ascending: false });
    }
    for (name, by) in known {
        match word.strip_prefix(name) {
            Some(".asc" | "_ascending") => return Ok(Sort { by, ascending: true }),
            Some("" | ".desc" | "_descending") => return Ok(Sort { by, ascending: false }),
            Some(_) | None => {}
        }
    }
    let known = "must be one of {creation_time.asc, creation_time.desc, last_onboarded_time.asc, \
                 last_onboarded_time.desc}";
    Err(Failure::invalid("sort", known))
}

/// `[{"field":"account_mode","operator":"EQUAL","value":"LIVE"}]`, also in single quotes (§2.3).
fn filters(parameters: &Parameters) -> Result<Vec<Filter>, Failure> {
    let invalid = |problem: &str| Failure::invalid("filtering", problem);
    let list = match parameters.nested("filtering") {
        Ok(list) => list,
        Err(failure) => {
            let text = parameters.text("filtering").unwrap_or_default().replace('\'', "\"");
            Some(serde_json::from_str(&text).map_err(|_| failure)?)
        }
    };
    let Some(list) = list else { return Ok(Vec::new()) };
    let items = list.as_array().ok_or_else(|| invalid("must be a JSON list"))?;
    let read = |item: &Value| {
        let field = item["field"].as_str().unwrap_or_default();
        let known = ["account_mode", "messaging_limit_tier", "is_official_business_account"];
        if !known.contains(&field) {
            return Err(invalid(
                "can be by account_mode, messaging_limit_tier or \
                                is_official_business_account",
            ));
        }
        let is_equal = match item["operator"].as_str().unwrap_or("EQUAL") {
            "EQUAL" | "IN" => true,
            "NOT_EQUAL" | "NOT_IN" => false,
            _ => return Err(invalid("has the operators EQUAL, NOT_EQUAL, IN and NOT_IN")),
        };
        let value = &item["value"];
        let values = value
            .as_array()
            .map_or_else(|| vec![text(value)], |all| all.iter().map(text).collect());
        Ok(Filter { field: field.to_owned(), is_equal, values })
    };
    items.iter().map(read).collect()
}

/// A text as it stands, anything else as its JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn cursor((at, id): &Place) -> String {
    URL_SAFE_NO_PAD.encode(format!("{at}/{id}"))
}

fn place(cursor: &str) -> Option<Place> {
    let text =
        String::from_utf8(URL_SAFE_NO_PAD.decode(cursor.trim_end_matches('=')).ok()?).ok()?;
    let (at, id) = text.split_once('/')?;
    Some((at.parse().ok()?, id.to_owned()))
}

/// The address of another page: this request's, from another place on.
fn link(call: &Call, direction: &str, cursor: &str) -> String {
    let mut url = call.url.clone();
    let pairs = Pairs::parse(call.query.as_bytes(), b"").unwrap_or_default();
    let kept = pairs.query.iter().filter(|pair| !matches!(&*pair.name, "after" | "before"));
    let mut glue = '?';
    for (name, value) in kept.map(|pair| (&*pair.name, &*pair.value)).chain([(direction, cursor)]) {
        url.push(glue);
        encode_into(&mut url, name);
        url.push('=');
        encode_into(&mut url, value);
        glue = '&';
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_names_a_place_and_other_texts_name_none() {
        let entry = (1_795_321_769_000, "106540352242922".to_owned());
        assert_eq!(place(&cursor(&entry)), Some(entry));
        for text in ["x", "MQ", "QVFIUjNpUWpVWmRBd0dn", "💥", &"A".repeat(10_000)] {
            assert_eq!(place(text), None, "{text}");
        }
    }
}
