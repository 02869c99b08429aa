//! Words of the page of a registrar upstream.

super::texts! {
    /// A registrar upstream and its numbers.
    Upstream {
        lead: "Its numbers are registered there. Here stands what was seen there last, and what differs.",
            "Seine Nummern sind dort registriert. Hier steht, was dort zuletzt gesehen wurde und was abweicht.";
        compare: "Compare now", "Jetzt vergleichen";
        compared: "Compared.", "Verglichen.";
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
        empty: "No number is known there yet", "Noch ist dort keine Nummer bekannt";
        empty_how: "Numbers come here once they are registered through this WABA, or after a comparison.",
            "Nummern erscheinen hier, sobald sie über diesen WABA registriert werden, oder nach einem Vergleich.";
        cut: "The first {}; what differs comes first.", "Die ersten {}; was abweicht, steht vorn.";
    }
}
