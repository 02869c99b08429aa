//! One row, from wherever its number stands to registered.
//!
//! Each step begins with what the server says about the number. So an answer that was lost, a run that was
//! killed, or a hand that was quicker than ours changes nothing but the step that comes next; a code that
//! is on its way is waited for and never ordered again.

use serde_json::{Value, json};

use super::super::output::text;
use super::super::terminal::Secret;
use super::check::Row;
use super::codes::Wanted;
use super::desk::{Desk, Trouble};
use super::journal::{Ending, Outcome, What};
use crate::cli::numbers::path;

/// Most codes ordered for one row in one run: the first may have expired before it came.
const CODES_MAX: u32 = 3;

/// Most steps of one row in one run, so that no row goes in circles.
const STEPS_MAX: u32 = 40;

/// Wrong codes of one row in one run: some guesses are left to whoever looks into it.
const WRONG_MAX: u32 = 2;

/// Refusals that concern a whole country.
const OF_COUNTRY: [&str; 2] = ["country-limit", "spend-limit"];

/// Where a number stands for the party of a row.
#[derive(Debug, PartialEq, Eq)]
enum Stands {
    /// Registered for the party.
    Registered { claim: String, since: String },
    /// Registered for another.
    Elsewhere(String),
    /// A code of the party is on its way.
    Awaiting { claim: String, expires_at: String },
    /// The party has confirmed its code.
    Verified,
    /// Nothing of the party is under way.
    Nowhere,
}

/// A row under way.
struct UnderWay<'a> {
    desk: &'a Desk<'a>,
    row: &'a Row,
    path: String,
    /// Codes ordered in this run.
    codes: u32,
    /// Whether this import, now or in an earlier run, had a part in it.
    took_part: bool,
    /// Codes that were wrong.
    wrong: u32,
    /// Whether nobody had claimed the number before.
    fresh: bool,
    /// A code whose answer is still missing.
    held: Option<Secret>,
}

/// What comes after a step.
enum Next {
    /// The next step, with the number as it was last seen, if the answer showed it.
    Step(Option<Value>),
    End(Ending),
}

/// Registers the number of a row, for which earlier runs ordered `codes_before`; writes down how it ended.
/// Also gives how many codes were ordered in all.
pub(super) async fn onboard(desk: &Desk<'_>, row: &Row, codes_before: u32) -> (Ending, u32) {
    let mut under_way = UnderWay {
        desk,
        row,
        path: path(&row.number.to_string()),
        codes: 0,
        took_part: codes_before > 0,
        wrong: 0,
        fresh: false,
        held: None,
    };
    let ending = under_way.run().await;
    if ending.outcome != Outcome::Interrupted {
        desk.note(row, What::Ended(ending.clone())).await;
    }
    desk.progress.ended(ending.outcome);
    (ending, codes_before + under_way.codes)
}

impl UnderWay<'_> {
    async fn run(&mut self) -> Ending {
        let mut seen: Option<Value> = None;
        let mut steps = 0;
        while steps < STEPS_MAX {
            if self.desk.is_stopping() {
                return Ending::saying(Outcome::Interrupted, "the import was stopped");
            }
            let number = match seen.take() {
                Some(number) => number,
                None => match self.read().await {
                    Ok(number) => number,
                    Err(Next::Step(_)) => continue,
                    Err(Next::End(ending)) => return ending,
                },
            };
            // An outage is bounded by its own patience, so only steps on a known number count.
            steps += 1;
            let next = match stands(self.row, &number) {
                Stands::Registered { claim, since } => return self.registered(claim, since),
                Stands::Elsewhere(holder) if !self.desk.behaviour.take_over => {
                    let problem = format!("it is registered for {holder}; --take-over moves it");
                    return Ending::saying(Outcome::Refused, problem);
                }
                Stands::Verified => self.register().await,
                Stands::Awaiting { claim, expires_at } => self.confirm(&claim, &expires_at).await,
                Stands::Elsewhere(_) | Stands::Nowhere => self.order().await,
            };
            match next {
                Next::Step(number) => seen = number,
                Next::End(ending) => return ending,
            }
        }
        Ending::saying(Outcome::Failed, "the number went in circles; see its story: rollcall watch")
    }

    fn registered(&self, claim: String, since: String) -> Ending {
        let outcome = if self.took_part { Outcome::Registered } else { Outcome::AlreadyRegistered };
        Ending {
            claim: Some(claim),
            since: Some(since),
            ..Ending::with_error(outcome, &Value::Null)
        }
    }

    /// The number as the server knows it; `null` if it does not.
    async fn read(&mut self) -> Result<Value, Next> {
        let answer = self.desk.client.get(&self.path, &[]).await;
        match self.desk.sorted(answer).await {
            Err(Trouble::No(_, error)) if error["code"] == "not_found" => {
                self.fresh = true;
                Ok(Value::Null)
            }
            Ok(number) => Ok(number),
            Err(trouble) => Err(self.trouble(trouble).await),
        }
    }

    /// Orders a code.
    async fn order(&mut self) -> Next {
        if self.codes >= CODES_MAX {
            return Next::End(Ending::saying(Outcome::Failed, "its codes expired unused"));
        }
        let lane = self.desk.turn(self.row);
        let _turn = match &lane {
            Some(lane) => Some(lane.lock().await),
            None => None,
        };
        self.desk.note(self.row, What::Ordering).await;
        if self.desk.is_stopping() {
            return Next::Step(None);
        }
        self.took_part = true;
        let order = format!("{}/request-code", self.path);
        let answer = self.desk.client.post(&order, self.code_request()).await;
        match self.desk.sorted(answer).await {
            Ok(mut answer) => {
                if answer["outcome"] == "code_sent" {
                    self.codes += 1;
                    self.desk.note(self.row, What::Ordered).await;
                }
                Next::Step(Some(answer["number"].take()))
            }
            Err(Trouble::NotYet(error)) => {
                if OF_COUNTRY.iter().any(|it| error["refusal"] == **it) {
                    self.desk.narrow(self.row);
                }
                // Somebody, perhaps we before a crash, ordered one a moment ago: look again first.
                if error["refusal"] == "code-too-soon" && self.is_awaited().await {
                    return Next::Step(None);
                }
                self.trouble(Trouble::NotYet(error)).await
            }
            Err(trouble) => self.trouble(trouble).await,
        }
    }

    async fn is_awaited(&mut self) -> bool {
        let number = self.read().await.unwrap_or(Value::Null);
        matches!(stands(self.row, &number), Stands::Awaiting { .. } | Stands::Registered { .. })
    }

    /// Waits for the code and confirms it, which registers the number.
    async fn confirm(&mut self, claim: &str, expires_at: &str) -> Next {
        let code = match self.held.take() {
            Some(code) => code,
            None => match self.code(claim, expires_at).await {
                Ok(code) => code,
                Err(next) => return next,
            },
        };
        let mut body = self.party();
        body["code"] = json!(code.reveal());
        let answer = self.desk.client.post(&format!("{}/verify-code", self.path), body).await;
        match self.desk.sorted(answer).await {
            Ok(mut answer) => {
                self.took_part = true;
                Next::Step(Some(answer["number"].take()))
            }
            // The code is good, but its time has not come, or its answer is missing.
            Err(trouble @ (Trouble::Lost | Trouble::NotYet(_))) => {
                self.held = Some(code);
                self.trouble(trouble).await
            }
            // Another code may come, or a new one has to be ordered: the number tells.
            Err(Trouble::No(_, error)) if is_about_code(&error) && self.wrong < WRONG_MAX => {
                self.wrong += 1;
                self.fresh = false;
                self.desk.progress.say(&format!(
                    "{}: {}",
                    self.row.number,
                    text(&error["message"])
                ));
                Next::Step(None)
            }
            Err(trouble) => self.trouble(trouble).await,
        }
    }

    async fn code(&self, claim: &str, expires_at: &str) -> Result<Secret, Next> {
        let wanted = Wanted {
            number: self.row.number,
            claim,
            expires_at,
            method: self.row.method.as_str(),
            first: self.fresh,
        };
        let patience = self.desk.behaviour.code_timeout;
        let next = self.desk.codes.next(&wanted, patience, self.desk.progress);
        let found = tokio::select! {
            found = next => found,
            () = self.desk.stopped() => return Err(Next::Step(None)),
        };
        match found {
            Ok(Some(code)) => Ok(code),
            Ok(None) => Err(Next::End(Ending::saying(Outcome::Failed, "no code came"))),
            Err(failure) => match self.desk.sorted(Err(failure)).await {
                Err(trouble) => Err(self.trouble(trouble).await),
                Ok(_) => Err(Next::Step(None)),
            },
        }
    }

    /// Registers a number whose code was confirmed before.
    async fn register(&mut self) -> Next {
        let answer = self.desk.client.post(&format!("{}/register", self.path), self.party()).await;
        match self.desk.sorted(answer).await {
            Ok(mut answer) => {
                self.took_part = true;
                Next::Step(Some(answer["number"].take()))
            }
            Err(trouble) => self.trouble(trouble).await,
        }
    }

    /// What comes after trouble: another look at the number, or the end of the row.
    async fn trouble(&self, trouble: Trouble) -> Next {
        match trouble {
            Trouble::Lost => Next::Step(None),
            Trouble::NotYet(error) => {
                if self.desk.wait(&error).await || self.desk.is_stopping() {
                    return Next::Step(None);
                }
                Next::End(Ending::with_error(Outcome::Postponed, &error))
            }
            Trouble::No(outcome, error) => Next::End(Ending::with_error(outcome, &error)),
        }
    }

    /// For whom, and the PINs of the row.
    fn party(&self) -> Value {
        let mut body = json!({});
        let pin = self.row.pin.as_ref().map(Secret::reveal);
        let set_pin = self.row.set_pin.as_ref().map(Secret::reveal);
        for (name, value) in [
            ("waba", self.row.waba.as_deref()),
            ("client", self.row.client.as_deref()),
            ("pin", pin),
            ("set_pin", set_pin),
        ] {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        body
    }

    fn code_request(&self) -> Value {
        let mut body = self.party();
        if let Some(members) = body.as_object_mut() {
            members.remove("set_pin");
        }
        body["method"] = json!(self.row.method.as_str());
        body["name"] = json!(self.row.name);
        if let Some(locale) = &self.row.locale {
            body["locale"] = json!(locale);
        }
        body
    }
}

/// Where `number` stands for the party of `row`.
fn stands(row: &Row, number: &Value) -> Stands {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let held = &number["registration"];
    // A client's WABA need not be named: then the client alone tells.
    let of_party = |waba: &Value, client: &Value| {
        row.waba.as_deref().is_none_or(|own| *waba == own)
            && row.client.as_deref() == client.as_str()
    };
    if held.is_object() {
        if of_party(&held["waba"], &held["client"]) {
            return Stands::Registered { claim: word(&held["claim"]), since: word(&held["since"]) };
        }
        // A code of ours that is on its way goes on; else nothing was begun.
        if let Some(awaiting) = awaiting(row, number) {
            return awaiting;
        }
        return Stands::Elsewhere(match held["client"].as_str() {
            Some(client) => format!("client {client}"),
            None => format!("waba {}", word(&held["waba"])),
        });
    }
    if let Some(awaiting) = awaiting(row, number) {
        return awaiting;
    }
    let verified = claims(number).iter().any(|claim| {
        claim["phase"] == "verified" && row.waba.as_deref().is_some_and(|own| claim["waba"] == own)
    });
    if verified { Stands::Verified } else { Stands::Nowhere }
}

/// The code of the party that is on its way.
fn awaiting(row: &Row, number: &Value) -> Option<Stands> {
    let own = |claim: &&Value| {
        let code = &claim["code"];
        let waba = row.waba.as_deref().is_none_or(|own| claim["waba"] == own);
        let client = row.waba.is_some() || row.client.as_deref() == code["client"].as_str();
        // A claim that holds the number already may have one as well: for another platform.
        code.is_object() && waba && client
    };
    claims(number).iter().find(own).map(|claim| Stands::Awaiting {
        claim: text(&claim["id"]),
        expires_at: text(&claim["code"]["expires_at"]),
    })
}

fn claims(number: &Value) -> &[Value] {
    number["claims"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Whether an error says that the code, and only the code, is not right.
fn is_about_code(error: &Value) -> bool {
    let refusal = error["refusal"].as_str().unwrap_or_default();
    let form = error["details"].as_array().is_some_and(|details| {
        !details.is_empty() && details.iter().all(|detail| detail["field"] == "code")
    });
    matches!(refusal, "code-mismatch" | "code-missing" | "out-of-guesses") || form
}

#[cfg(test)]
mod tests {
    use registration::{CodeMethod, PhoneNumber};

    use super::*;

    fn row(waba: &str, client: Option<&str>) -> Row {
        Row {
            line: 2,
            number: PhoneNumber::parse("+447700900123").unwrap(),
            country_code: 44,
            name: "Acme".to_owned(),
            waba: Some(waba.to_owned()),
            client: client.map(str::to_owned),
            method: CodeMethod::Sms,
            locale: None,
            pin: None,
            set_pin: None,
        }
    }

    fn claim(waba: &str, phase: &str) -> Value {
        let code = json!({ "expires_at": "2027-01-15T08:10:00Z", "client": null });
        let code = if phase == "awaiting_code" { code } else { Value::Null };
        json!({ "id": "9", "waba": waba, "phase": phase, "code": code })
    }

    /// A claim that holds the number and has asked for a code nevertheless.
    fn moving(waba: &str) -> Value {
        let mut claim = claim(waba, "awaiting_code");
        claim["phase"] = json!("registered");
        claim
    }

    fn held(waba: &str, client: Option<&str>) -> Value {
        json!({ "claim": "9", "waba": waba, "client": client, "since": "2027-01-15T08:00:00Z" })
    }

    fn awaiting() -> Stands {
        Stands::Awaiting { claim: "9".to_owned(), expires_at: "2027-01-15T08:10:00Z".to_owned() }
    }

    fn registered() -> Stands {
        Stands::Registered { claim: "9".to_owned(), since: "2027-01-15T08:00:00Z".to_owned() }
    }

    #[test]
    fn the_next_step_follows_from_where_the_number_stands_for_the_party() {
        let elsewhere = |holder: &str| Stands::Elsewhere(holder.to_owned());
        let own = row("1", None);
        for (claims, registration, expected) in [
            (json!([]), Value::Null, Stands::Nowhere),
            (json!([claim("2", "awaiting_code")]), Value::Null, Stands::Nowhere),
            (json!([claim("2", "verified")]), Value::Null, Stands::Nowhere),
            (json!([claim("1", "unverified")]), Value::Null, Stands::Nowhere),
            (json!([claim("1", "awaiting_code")]), Value::Null, awaiting()),
            (
                json!([claim("2", "verified"), claim("1", "verified")]),
                Value::Null,
                Stands::Verified,
            ),
            (json!([claim("1", "registered")]), held("1", None), registered()),
            (json!([]), held("2", None), elsewhere("waba 2")),
            (json!([]), held("1", Some("berlin")), elsewhere("client berlin")),
            (json!([claim("1", "awaiting_code")]), held("2", None), awaiting()),
            (json!([moving("1")]), held("1", Some("berlin")), awaiting()),
        ] {
            let number = json!({ "claims": claims, "registration": registration });
            assert_eq!(stands(&own, &number), expected, "{number}");
        }
        assert_eq!(stands(&own, &Value::Null), Stands::Nowhere);
        let number = json!({ "claims": [], "registration": held("1", Some("berlin")) });
        assert_eq!(stands(&row("1", Some("berlin")), &number), registered());
        assert_eq!(stands(&row("1", Some("paris")), &number), elsewhere("client berlin"));
    }
}
