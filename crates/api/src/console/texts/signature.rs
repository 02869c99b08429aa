//! Words of the page that finds the byte in which signatures differ.

super::texts! {
    /// The signature debugger.
    Signature {
        lead: "SignatureDoesNotMatch? Paste the request; every step of signing is shown, and the byte that differs.",
            "SignatureDoesNotMatch? Fügen Sie die Anfrage ein; jeder Schritt des Signierens wird gezeigt, und das Byte, das abweicht.";
        request: "CAMS request, as on the wire", "CAMS-Anfrage, wie auf der Leitung";
        request_hint: "Request line, headers, an empty line, body. Both ACS3-HMAC-SHA256 and the RPC style are understood.",
            "Anfragezeile, Kopfzeilen, Leerzeile, Inhalt. ACS3-HMAC-SHA256 und der RPC-Stil werden verstanden.";
        secret: "AccessKey secret", "AccessKey-Secret";
        secret_hint: "Used for this one answer and kept nowhere.", "Wird nur für diese Antwort benutzt und nirgends aufbewahrt.";
        own: "What your program signed", "Was Ihr Programm signiert hat";
        own_hint: "Its canonical request or its string to sign. With it the differing byte is named.",
            "Seine kanonische Anfrage oder sein zu signierender Text. Damit wird das abweichende Byte benannt.";
        check: "Sign it step by step", "Schritt für Schritt signieren";
        unreadable: "This is no HTTP request: request line, headers, an empty line, body.",
            "Das ist keine HTTP-Anfrage: Anfragezeile, Kopfzeilen, Leerzeile, Inhalt.";
        no_claims: "Nothing can be checked: {}.", "Nichts ist zu prüfen: {}.";
        matches: "The signature matches.", "Die Signatur stimmt.";
        differs: "The signature does not match.", "Die Signatur stimmt nicht.";
        content: "x-acs-content-sha256 names another body. This one has the digest",
            "x-acs-content-sha256 nennt einen anderen Inhalt. Dieser hat die Prüfsumme";
        parts: "The two texts part at byte {}.", "Die beiden Texte trennen sich bei Byte {}.";
        line: "Line {}.", "Zeile {}.";
        ours: "Here", "Hier";
        theirs: "Your program", "Ihr Programm";
        same: "Both sign the same text, so the secret or the HMAC differs.",
            "Beide signieren denselben Text, also weicht das Secret oder das HMAC ab.";
        compare: "Compare the steps below with what your program makes, or paste its text to find the byte.",
            "Vergleichen Sie die Schritte unten mit denen Ihres Programms, oder fügen Sie dessen Text ein, um das Byte zu finden.";
        steps: "Step by step", "Schritt für Schritt";
        canonical: "Canonical request", "Kanonische Anfrage";
        to_sign: "String to sign", "Zu signierender Text";
        made: "The signature that this secret makes", "Die Signatur, die dieses Secret ergibt";
        given: "The signature in the request", "Die Signatur in der Anfrage";
    }
}
