//! What happened, as sentences: the audit trail in plain words.

use serde_json::Value;

use super::Language;
use crate::console::shape::isolated;

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
    let (tone, words) = match row {
        Some((_, tone, english, german)) => (*tone, language.choose(english, german).to_owned()),
        None => ("plain", composed(language, kind)),
    };
    let gap = match kind {
        "number_added" | "migration_started" | "holder_logged_off" => text("waba").to_owned(),
        "name_changed" | "name_submitted" | "name_approved" | "name_declined" => {
            isolated(text("name"))
        }
        "restored" => text("client").to_owned(),
        "registered" => holder(text("platform"), text("client")),
        "code_requested" | "code_awaited" | "code_not_sent" => match (language, voice) {
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

/// What is said of a part of the installation: its kind, and what became of it.
fn composed(language: Language, kind: &str) -> String {
    let (part, what) = kind.rsplit_once('_').unwrap_or((kind, ""));
    let word = |rows: &[(&str, &'static str, &'static str)], word: &str| {
        let row = rows.iter().find(|row| row.0 == word)?;
        Some(language.choose(row.1, row.2))
    };
    match (word(PARTS, part), word(FATES, what)) {
        (Some(part), Some(fate)) => format!("{part} {fate}"),
        _ => kind.replace('_', " "),
    }
}

/// What a part of the installation is called.
pub(in crate::console) fn part_words(language: Language, kind: &str) -> &'static str {
    let row = PARTS.iter().find(|row| row.0 == kind);
    row.map_or("", |row| language.choose(row.1, row.2))
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
    ("migration_started", "plain", "Migration to WABA {} started", "Umzug zu WABA {} begonnen"),
    ("name_changed", "plain", "New display name “{}”", "Neuer Anzeigename „{}“"),
    ("name_submitted", "plain", "Display name “{}” asked for", "Anzeigename „{}“ gewünscht"),
    ("name_approved", "good", "Display name “{}” approved", "Anzeigename „{}“ genehmigt"),
    ("name_declined", "bad", "Display name “{}” declined", "Anzeigename „{}“ abgelehnt"),
    ("code_requested", "plain", "Code requested by {}", "Code angefordert per {}"),
    (
        "code_awaited",
        "plain",
        "Upstream sends a code by {}",
        "Vorgelagert wird ein Code per {} gesendet",
    ),
    ("code_not_sent", "bad", "The code by {} was not sent", "Der Code per {} wurde nicht gesendet"),
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
    (
        "pin_reset_asked",
        "plain",
        "A link to reset the PIN was asked for",
        "Link zum Zurücksetzen der PIN gewünscht",
    ),
    (
        "pin_revealed",
        "plain",
        "The PIN kept for upstream was shown",
        "Die für vorgelagert verwahrte PIN wurde gezeigt",
    ),
    ("token_lent", "plain", "A token lent to the explorer", "Token an den Erkunder geliehen"),
    (
        "temporary_key_created",
        "plain",
        "Temporary access key created",
        "Befristeter AccessKey angelegt",
    ),
    ("policy_attached", "plain", "Policy attached", "Richtlinie angehängt"),
    ("policy_detached", "plain", "Policy detached", "Richtlinie abgehängt"),
    ("group_joined", "plain", "Joined a group", "Einer Gruppe beigetreten"),
    ("group_left", "plain", "Left a group", "Eine Gruppe verlassen"),
    ("signup_completed", "good", "Signup completed", "Anmeldung abgeschlossen"),
    ("backup_made", "plain", "Backup made", "Sicherung angelegt"),
    (
        "foreign_backup_kept",
        "plain",
        "A backup from upstream was kept",
        "Eine vorgelagerte Sicherung wurde verwahrt",
    ),
    ("webhook_set", "plain", "Webhook set", "Webhook gesetzt"),
    (
        "webhook_off",
        "bad",
        "Webhook switched off after long failure",
        "Webhook nach langem Scheitern abgeschaltet",
    ),
    ("upstream_set", "plain", "Registrar upstream set", "Vorgelagerter Registrar gesetzt"),
    ("upstream_called", "plain", "Upstream was asked", "Vorgelagert wurde gefragt"),
    ("upstream_drift", "bad", "Upstream says otherwise", "Vorgelagert steht es anders"),
    ("upstream_agrees", "good", "Upstream agrees again", "Vorgelagert stimmt wieder überein"),
    ("master_key_rotated", "plain", "New master key", "Neuer Hauptschlüssel"),
    ("range_reset", "plain", "Range of numbers opened again", "Nummernbereich wieder geöffnet"),
    (
        "form_sent",
        "plain",
        "A form of the console was sent",
        "Ein Formular der Konsole wurde gesendet",
    ),
];

/// Parts of the installation, by the words in kinds of events.
const PARTS: &[(&str, &str, &str)] = &[
    ("account", "Account", "Konto"),
    ("space", "Space", "Space"),
    ("waba", "WABA", "WABA"),
    ("client", "Client", "Client"),
    ("user", "User", "Benutzer"),
    ("session", "Login", "Anmeldung"),
    ("document", "Settings", "Einstellungen"),
    ("ram_user", "RAM user", "RAM-Benutzer"),
    ("group", "Group", "Gruppe"),
    ("policy", "Policy", "Richtlinie"),
    ("access_key", "Access key", "AccessKey"),
    ("upstream", "Registrar upstream", "Vorgelagerter Registrar"),
    ("upstream_number", "Number upstream", "Vorgelagerte Nummer"),
    ("graph_token", "Graph token", "Graph-Token"),
    ("graph_subscription", "Graph subscription", "Graph-Abonnement"),
    ("operator", "Console login", "Konsolenzugang"),
    ("reply", "Answer kept", "Verwahrte Antwort"),
    ("system", "Installation", "Installation"),
];

/// What becomes of them.
const FATES: &[(&str, &str, &str)] = &[
    ("created", "created", "angelegt"),
    ("changed", "changed", "geändert"),
    ("deleted", "removed", "entfernt"),
    ("enabled", "enabled", "eingeschaltet"),
    ("disabled", "disabled", "abgeschaltet"),
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
        assert_eq!(sentence(Language::German, "brand_new", &json!({})).text, "brand new");
        let named = json!({ "name": "\u{202e}\u{2069}Pay" });
        let turned = sentence(Language::English, "name_changed", &named);
        assert_eq!(turned.text, "New display name “\u{2068}\u{fffd}\u{fffd}Pay\u{2069}”");
        let made = sentence(Language::German, "ram_user_created", &json!({}));
        assert_eq!(made.text, "RAM-Benutzer angelegt");
    }

    #[test]
    fn whatever_the_rules_report_has_words() {
        let source = include_str!("../../../../registration/src/effect.rs");
        let (_, kinds) = source.split_once("pub const fn kind(&self)").expect("kinds of facts");
        let kinds: Vec<_> = kinds.split('"').skip(1).step_by(2).collect();
        assert!(kinds.contains(&"name_declined"), "{kinds:?}");
        for kind in kinds.into_iter().filter(|kind| *kind != "refused") {
            assert!(ROWS.iter().any(|row| row.0 == kind), "{kind}");
        }
    }
}
