//! Words of the page of a registrar upstream.

super::texts! {
    /// A registrar upstream and its numbers.
    Upstream {
        lead: "Its numbers are registered there. Here stands what was seen there last, and what differs.",
            "Seine Nummern sind dort registriert. Hier steht, was dort zuletzt gesehen wurde und was abweicht.";
        compare: "Compare now", "Jetzt vergleichen";
        compared: "Compared.", "Verglichen.";
        not_compared: "Nothing was compared; below stands what was seen before. The log says why.",
            "Nichts wurde verglichen; unten steht, was zuvor gesehen wurde. Das Protokoll nennt den Grund.";
        limit: "Its own limit", "Sein eigenes Limit";
        limit_unheard: "nothing heard lately", "zuletzt nichts gehört";
        limit_used: "{} % used", "zu {} % verbraucht";
        limit_slowed: "Slowed down", "Gebremst";
        limit_closed: "Its own limit is all but reached: no calls are made until then.",
            "Sein eigenes Limit ist so gut wie erreicht: Bis dahin wird nichts aufgerufen.";
        known: "Numbers", "Nummern";
        differ: "Differ", "Weichen ab";
        unsettled: "Without an answer", "Ohne Antwort";
        place: "Where", "Wo";
        registrar: "Registrar", "Registrar";
        remote_id: "Account there", "Konto dort";
        address: "Address", "Adresse";
        seen: "Last seen", "Zuletzt gesehen";
        never: "never", "nie";
        there: "There", "Dort";
        difference: "Difference", "Abweichung";
        agrees: "none", "keine";
        waits: "A call has no answer yet; the next request about the number settles it.",
            "Ein Aufruf hat noch keine Antwort; die nächste Anfrage zu der Nummer klärt es.";
        drift_gone: "registered here; not in the account upstream any more",
            "hier registriert; im Konto dort nicht mehr vorhanden";
        drift_not_there: "registered here; upstream it is not", "hier registriert; dort nicht";
        drift_not_here: "registered upstream; not here", "dort registriert; hier nicht";
        drift_pin_off: "two-step verification is on here; upstream it is off",
            "Zwei-Schritt-Bestätigung ist hier an, dort aus";
        drift_pin_unknown: "two-step verification is on upstream with a PIN that is not known here",
            "Zwei-Schritt-Bestätigung ist dort an, mit einer PIN, die hier nicht bekannt ist";
        empty: "No number is known there yet", "Noch ist dort keine Nummer bekannt";
        empty_how: "Numbers come here once they are registered through this WABA, or after a comparison.",
            "Nummern erscheinen hier, sobald sie über diesen WABA registriert werden, oder nach einem Vergleich.";
        cut: "The first {}; what differs comes first.", "Die ersten {}; was abweicht, steht vorn.";
    }
}
