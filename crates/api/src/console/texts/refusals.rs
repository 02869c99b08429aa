//! Refusals in plain words: English from the service's own explanations, German here.

use service::explain::{Explanation, catalogue, in_words};

/// The German words of a kind of refusal.
#[derive(Debug, Clone, Copy)]
pub(in crate::console) struct Words {
    id: &'static str,
    pub title: &'static str,
    pub rule: &'static str,
    pub works: &'static str,
}

/// The English words.
pub(in crate::console) fn english(id: &str) -> Option<Explanation> {
    catalogue().iter().find(|refusal| refusal.id() == id).map(in_words)
}

/// The German words.
pub(in crate::console) fn german(id: &str) -> Option<Words> {
    GERMAN.iter().find(|words| words.id == id).copied()
}

const fn row(
    id: &'static str,
    title: &'static str,
    rule: &'static str,
    works: &'static str,
) -> Words {
    Words { id, title, rule, works }
}

const GERMAN: &[Words] = &[
    row(
        "code-too-soon",
        "Eben wurde schon ein Code gesendet.",
        "Codes an eine Nummer gehen in wachsenden Abständen hinaus, damit niemand sie überfluten kann.",
        "Nehmen Sie den Code, der unterwegs ist: eine neue Anforderung während seiner Lebenszeit sendet denselben. Oder warten Sie.",
    ),
    row(
        "sms-exhausted",
        "Alle SMS dieser Nummer sind vorerst verbraucht.",
        "Fünf SMS je Nummer; dann ruht die Leiter bis einen Tag nach ihrer ersten Stufe.",
        "Fordern Sie den Code als Anruf an, oder warten Sie.",
    ),
    row(
        "voice-exhausted",
        "Alle Anrufe dieser Nummer sind vorerst verbraucht.",
        "Drei Anrufe je Nummer; dann ruht die Leiter bis einen Tag nach ihrer ersten Stufe.",
        "Warten Sie, oder nehmen Sie den gesendeten Code, wenn er jünger als zehn Minuten ist.",
    ),
    row(
        "channel-impossible",
        "Diese Art von Nummer kann auf diesem Weg keinen Code empfangen.",
        "Der Nummernplan sagt, was eine Nummer ist: Mobilnummern nehmen SMS und Anrufe; Festnetz, gebührenfreie und Internetnummern nur Anrufe; Mehrwert-, geteilte und persönliche Nummern keins von beiden.",
        "Festnetz, gebührenfrei oder Internet: wählen Sie den Anruf. Sonst registrieren Sie eine andere Nummer.",
    ),
    row(
        "code-mismatch",
        "Der Code ist falsch.",
        "Jeder falsche Versuch wird gezählt, bevor er beantwortet wird; nach fünf ist der Code tot.",
        "Geben Sie den Code der neuesten Nachricht ein; 123456, 123-456 und 123 456 sind dasselbe.",
    ),
    row(
        "code-missing",
        "Es gibt keinen Code zu bestätigen.",
        "Ein Code lebt zehn Minuten, gilt einmal und gehört zu dem Anspruch, der ihn angefordert hat.",
        "Fordern Sie einen Code an und bestätigen Sie ihn binnen zehn Minuten.",
    ),
    row(
        "guess-too-soon",
        "Der nächste Versuch ist noch nicht offen.",
        "Nach drei falschen Versuchen öffnen sich die nächsten in wachsenden Abständen.",
        "Warten Sie, dann geben Sie den Code der neuesten Nachricht ein.",
    ),
    row(
        "out-of-guesses",
        "Alle Versuche für diesen Code sind verbraucht.",
        "Fünf Versuche je Code; danach ist er tot.",
        "Fordern Sie einen neuen Code an.",
    ),
    row(
        "guesses-exhausted",
        "Zu viele falsche Codes für diese Nummer an einem Tag.",
        "Zwanzig falsche Versuche je Nummer in 24 Stunden, über alle Codes und Aufrufer.",
        "Warten Sie.",
    ),
    row(
        "number-locked",
        "Die Nummer ist gesperrt.",
        "Hundert falsche Versuche in Folge sperren eine Nummer, gleich wie lange sie dauerten.",
        "Ein Betreiber hebt die Sperre auf der Seite der Nummer auf.",
    ),
    row(
        "pin-required",
        "Die Zwei-Schritt-Bestätigung ist an, und es kam keine PIN.",
        "Solange sie an ist, braucht jede Registrierung die PIN. Sie wird geprüft, bevor ein Code gesendet wird.",
        "Geben Sie die sechsstellige PIN mit an. Ist sie verloren, schalten Sie die Zwei-Schritt-Bestätigung aus und wieder ein.",
    ),
    row(
        "pin-mismatch",
        "Die PIN ist falsch.",
        "Zehn falsche PINs, danach ein Versuch am Tag.",
        "Geben Sie die zuletzt gesetzte PIN an. Ist sie verloren, schalten Sie die Zwei-Schritt-Bestätigung aus und wieder ein.",
    ),
    row(
        "pin-locked",
        "Zu viele falsche PINs.",
        "Nach zehn falschen PINs gibt es einen Versuch am Tag.",
        "Warten Sie, oder schalten Sie die Zwei-Schritt-Bestätigung aus.",
    ),
    row(
        "register-limit",
        "Zu viele Registrierungen dieser Nummer.",
        "Je zehn Registrierungen und Abmeldungen je Nummer in 72 Stunden.",
        "Warten Sie. Früheres Wiederholen hilft nicht.",
    ),
    row(
        "not-verified",
        "Die Nummer ist nicht bestätigt.",
        "Eine Nummer wird binnen 14 Tagen nach Bestätigung ihres Codes registriert.",
        "Fordern Sie einen Code an und bestätigen Sie ihn.",
    ),
    row(
        "not-claimed",
        "Dieses Konto hat die Nummer nicht hinzugefügt.",
        "Eine Nummer wird einem WhatsApp Business Account hinzugefügt, bevor Codes für sie angefordert werden.",
        "Fügen Sie die Nummer zuerst hinzu.",
    ),
    row(
        "not-registered",
        "Sie halten keine Registrierung dieser Nummer.",
        "Nur wer eine Registrierung hält, darf ihre PIN ändern, sie sichern oder aufgeben.",
        "Registrieren Sie die Nummer zuerst.",
    ),
    row(
        "backup-outdated",
        "Die Sicherung ist von einer Registrierung, die es nicht mehr gibt.",
        "Eine Sicherung trägt eine Registrierung. Wurde die Nummer neu registriert, sind ältere ungültig.",
        "Machen Sie eine neue Sicherung auf dem Client, der die Nummer hält, oder registrieren Sie mit einem Code.",
    ),
    row(
        "destination-closed",
        "Auf diesem Weg gehen dorthin keine Codes.",
        "Jedes Konto erreicht die Länder, die ein Betreiber geöffnet hat, per SMS und per Anruf getrennt. Satellitentelefone und weltweite Sonderrufnummern werden nie erreicht.",
        "Nehmen Sie das andere Verfahren oder eine andere Nummer. Ein Betreiber öffnet Ziele in [destinations] oder [accounts.NAME].",
    ),
    row(
        "low-conversion",
        "Codes an diesen Nummernbereich sind vorerst gestoppt.",
        "Von den letzten Codes an Nummern mit diesem Anfang wurden zu wenige benutzt; so sieht Betrug aus.",
        "Warten Sie, oder nehmen Sie eine andere Nummer. Ein Betreiber sieht und öffnet Bereiche: rollcall limits status, rollcall limits reset ANFANG.",
    ),
    row(
        "spend-limit",
        "Das Budget für Codes ist verbraucht.",
        "Ein Konto darf am Tag so viel ausgeben, alle Konten zusammen in der Stunde so viel für ein Land.",
        "Warten Sie, bis es neu beginnt. Ein Betreiber sieht den Rest: rollcall limits status.",
    ),
    row(
        "country-limit",
        "Zu viele Codes in dieses Land.",
        "Sendungen je Land und Konto sind begrenzt, damit gestohlene Zugangsdaten keine Rechnung auftürmen.",
        "Warten Sie. Ein Betreiber kann limits.country_burst und limits.country_per_minute erhöhen.",
    ),
    row(
        "too-many-requests",
        "Zu viele Anfragen.",
        "Jeder Aufrufer hat eine stetige Rate mit Raum für einen Stoß.",
        "Langsamer; wann es öffnet, steht in Retry-After.",
    ),
    row(
        "not-admin",
        "Dieser Benutzer darf das nicht.",
        "Registrierung, Einstellungen und Benutzer gehören dem Benutzer admin.",
        "Melden Sie sich als admin an.",
    ),
    row(
        "retired",
        "Die On-Premises-Registrierung ist für diesen Client abgeschaltet.",
        "Meta hat sie am 1. Juli 2024 eingestellt; dieser Client antwortet so, wie Metas Dienst es heute tut.",
        "Setzen Sie onprem.retired = false oder den Schalter des Clients, um wieder zu registrieren.",
    ),
    row(
        "certificate-refused",
        "Das Zertifikat wurde gelesen und abgelehnt.",
        "Ein Zertifikat muss von dieser Installation stammen, höchstens 14 Tage alt sein und die Nummer nennen; fremde gelten nur, wo es so eingestellt ist.",
        "Stellen Sie auf der Seite der Nummer ein neues aus.",
    ),
    row(
        "backup-unreadable",
        "Die Sicherung ließ sich nicht öffnen.",
        "Eine Sicherung ist mit ihrem Passwort versiegelt; ein einziges geändertes Byte macht sie unlesbar.",
        "Prüfen Sie das Passwort und ob der Text ganz kopiert wurde. Nichts wurde geändert.",
    ),
    row(
        "foreign-space",
        "In diesem Konto gibt es keinen solchen Space.",
        "Spaces anderer Konten werden weder gezeigt noch geändert.",
        "Prüfen Sie CustSpaceId und den Zugriffsschlüssel.",
    ),
    row(
        "not-subscribed",
        "Das Konto hat das Produkt nicht abonniert.",
        "Jedes Konto hat einen Schalter für das Produkt Chat App.",
        "Ein Betreiber schaltet es ein.",
    ),
    row(
        "upstream",
        "Die übergeordnete Registrierungsstelle hat abgelehnt.",
        "Die Stelle, die für dieses Konto zuständig ist, hat aus einem Grund abgelehnt, der hier keinen Namen hat; ihre eigenen Worte und ihr Code stehen in der Antwort.",
        "Folgen Sie den Worten der Stelle; ihr Support kann den Vorgang nachschlagen.",
    ),
    row(
        "already-added",
        "Dieses WhatsApp-Konto hat die Nummer schon.",
        "Eine Nummer wird je WABA nur einmal hinzugefügt; jede weitere Anfrage fände dieselbe.",
        "Fahren Sie mit der vorhandenen Nummer fort, oder ändern Sie ihren Namen.",
    ),
    row(
        "held-elsewhere",
        "Die Nummer ist für ein anderes WhatsApp-Konto registriert.",
        "Graph fügt keine Nummer hinzu, die ein anderes Konto registriert hat.",
        "Melden Sie sie dort zuerst ab, oder ziehen Sie sie um (migrate_phone_number).",
    ),
    row(
        "already-verified",
        "Die Nummer ist bestätigt und braucht keinen Code.",
        "Graph schickt keinen Code an eine Nummer, deren Code schon bestätigt ist.",
        "Registrieren Sie die Nummer; das geht 14 Tage lang ohne neuen Code.",
    ),
    row(
        "name-declined",
        "Der Anzeigename wurde abgelehnt.",
        "Unter einem abgelehnten Namen wird keine Nummer registriert; eine registrierte behält den Namen, den sie hat.",
        "Beantragen Sie einen anderen Namen, oder bitten Sie den Betreiber, ihn noch einmal anzusehen.",
    ),
    row(
        "not-migrating",
        "Die Nummer wird nicht zu diesem Space umgezogen.",
        "Ein Umzug hat eine feste Reihenfolge: beginnen, Code anfordern, Code bestätigen, registrieren.",
        "Beginnen Sie den Umzug mit CreateChatappMigrationInitiate.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_refusal_has_german_words() {
        for refusal in catalogue() {
            assert!(german(refusal.id()).is_some(), "{}", refusal.id());
        }
        assert_eq!(GERMAN.len(), catalogue().len());
    }
}
