//! What happened, as sentences: the audit trail in plain words.

use serde_json::Value;

use super::Language;

/// A sentence and how it is felt: `good`, `bad`, `plain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::console) struct Sentence {
    pub text: String,
    pub tone: &'static str,
}

/// What an event of this kind means, in a language.
pub(in crate::console) fn sentence(language: Language, kind: &str, details: &Value) -> Sentence {
    let text = |key: &str| details[key].as_str().unwrap_or_default();
    let voice = text("method") == "voice";
    let row = ROWS.iter().find(|row| row.0 == kind);
    let (_, tone, english, german) = row.copied().unwrap_or((kind, "plain", kind, kind));
    let words = match language {
        Language::English => english,
        Language::German => german,
    };
    let gap = match kind {
        "number_added" | "holder_logged_off" => text("waba").to_owned(),
        "name_changed" => text("name").to_owned(),
        "restored" => text("client").to_owned(),
        "registered" => holder(text("platform"), text("client")),
        "code_requested" => match (language, voice) {
            (Language::English, true) => "voice call".to_owned(),
            (Language::German, true) => "Anruf".to_owned(),
            (_, false) => "SMS".to_owned(),
        },
        "refused" => return refused(language, details),
        _ => String::new(),
    };
    let mut text = words.replacen("{}", &gap, 1);
    if kind == "code_requested" && details["resend"] == Value::Bool(true) {
        text.push_str(match language {
            Language::English => " (the same code again)",
            Language::German => " (derselbe Code noch einmal)",
        });
    }
    Sentence { text, tone }
}

fn holder(platform: &str, client: &str) -> String {
    match platform {
        "CLOUD_API" => "Cloud API".to_owned(),
        _ => format!("On-Premises, {client}"),
    }
}

fn refused(language: Language, details: &Value) -> Sentence {
    let title = refusal_title(language, details["refusal"].as_str().unwrap_or_default());
    let prefix = match language {
        Language::English => "Refused",
        Language::German => "Abgelehnt",
    };
    Sentence { text: format!("{prefix}: {title}"), tone: "bad" }
}

/// What a kind of refusal is called.
pub(in crate::console) fn refusal_title(language: Language, id: &str) -> String {
    let title = match language {
        Language::English => super::refusals::english(id).map(|words| words.title),
        Language::German => super::refusals::german(id).map(|words| words.title.to_owned()),
    };
    title.unwrap_or_else(|| id.to_owned())
}

/// Kind, tone, English, German.
const ROWS: &[(&str, &str, &str, &str)] = &[
    ("number_added", "plain", "Added to WABA {}", "Zu WABA {} hinzugefügt"),
    ("name_changed", "plain", "New display name “{}”", "Neuer Anzeigename „{}“"),
    ("code_requested", "plain", "Code requested by {}", "Code angefordert per {}"),
    ("code_confirmed", "good", "Code confirmed", "Code bestätigt"),
    ("registered", "good", "Registered ({})", "Registriert ({})"),
    (
        "holder_logged_off",
        "plain",
        "The holder in WABA {} was logged off",
        "Der Halter in WABA {} wurde abgemeldet",
    ),
    ("deregistered", "plain", "Deregistered", "Abgemeldet"),
    (
        "restored",
        "plain",
        "Restored from a backup on client {}",
        "Aus einer Sicherung auf Client {} wiederhergestellt",
    ),
    ("two_step_set", "good", "Two-step PIN set", "Zwei-Schritt-PIN gesetzt"),
    ("two_step_cleared", "plain", "Two-step PIN turned off", "Zwei-Schritt-PIN ausgeschaltet"),
    (
        "locked",
        "bad",
        "Locked after too many wrong codes",
        "Nach zu vielen falschen Codes gesperrt",
    ),
    ("unlocked", "good", "Unlocked by an operator", "Von einem Betreiber entsperrt"),
    ("certificate_issued", "plain", "Certificate issued", "Zertifikat ausgestellt"),
    ("seeded", "plain", "Seeded", "Aus der Startdatei angelegt"),
    ("logged_in", "plain", "Logged in", "Angemeldet"),
    ("logged_out", "plain", "Logged out", "Abgemeldet"),
    ("user_created", "plain", "User created", "Benutzer angelegt"),
    ("user_deleted", "plain", "User deleted", "Benutzer gelöscht"),
    ("password_changed", "plain", "Password changed", "Passwort geändert"),
    ("admin_password_set", "plain", "New password for the admin", "Neues Passwort für admin"),
    ("document_changed", "plain", "Settings changed", "Einstellungen geändert"),
    ("waba_bound", "plain", "Bound to another WABA", "An einen anderen WABA gebunden"),
    ("account_created", "plain", "Account created", "Konto angelegt"),
    ("space_created", "plain", "Space created", "Space angelegt"),
    ("waba_created", "plain", "WABA created", "WABA angelegt"),
    ("client_created", "plain", "Client created", "Client angelegt"),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_reads_as_a_sentence() {
        let resend = json!({ "method": "voice", "resend": true });
        let english = sentence(Language::English, "code_requested", &resend);
        assert_eq!(english.text, "Code requested by voice call (the same code again)");
        let refused = json!({ "refusal": "code-mismatch" });
        let german = sentence(Language::German, "refused", &refused);
        assert_eq!((german.text.as_str(), german.tone), ("Abgelehnt: Der Code ist falsch.", "bad"));
        assert_eq!(sentence(Language::German, "brand_new", &json!({})).text, "brand_new");
    }
}
