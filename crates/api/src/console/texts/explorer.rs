//! Words of the API explorer.

super::texts! {
    /// The API explorer.
    Explorer {
        lead: "Every operation of the three dialects: fill it in, send it, see both sides of the wire, take it along as code.",
            "Jede Operation der drei Dialekte: ausfüllen, senden, beide Seiten der Leitung sehen, als Code mitnehmen.";
        dialect: "Dialect", "Dialekt";
        operator: "Operator", "Betreiber";
        operator_lead: "The operator's API under /admin/v1: what the console and the command line do, and nothing more.",
            "Die API des Betreibers unter /admin/v1: was Konsole und Kommandozeile tun, und nichts sonst.";
        operator_call: "A call", "Ein Aufruf";
        operator_hint: "The audit trail, as it happens. The operator's token stands in operator.token of the data folder; put it into ROLLCALL_TOKEN. Every field of every operation:",
            "Der Prüfpfad, während er entsteht. Das Token des Betreibers steht in operator.token im Datenordner; legen Sie es in ROLLCALL_TOKEN. Alle Felder aller Operationen:";
        operation: "Operation", "Operation";
        does: "What it does", "Was sie tut";
        not_served: "not served here", "hier nicht bedient";
        no_fields: "This operation takes no values.", "Diese Operation nimmt keine Werte.";
        party: "Call as", "Aufrufen als";
        party_key: "Signed with a temporary key of this party that ends by itself after 15 minutes. It is made in your name and stands in the audit trail; lasting secrets stay sealed.",
            "Signiert mit einem vorübergehenden Schlüssel dieser Partei, der nach 15 Minuten von selbst endet. Er entsteht in Ihrem Namen und steht im Prüfpfad; dauerhafte Geheimnisse bleiben versiegelt.";
        party_token: "With a token of this party that ends by itself after 15 minutes. It is made in your name and stands in the audit trail.",
            "Mit einem Token dieser Partei, das nach 15 Minuten von selbst endet. Es entsteht in Ihrem Namen und steht im Prüfpfad.";
        signature: "Signature", "Signatur";
        own_key: "Sign with a key of your own instead", "Stattdessen mit einem eigenen Schlüssel signieren";
        own_token: "Use a token of your own instead", "Stattdessen ein eigenes Token benutzen";
        key_id: "AccessKey id", "AccessKey-Id";
        security_token: "Security token", "Security-Token";
        token: "Token", "Token";
        user: "User", "Benutzer";
        password: "Password", "Passwort";
        send: "Send", "Senden";
        only_code: "Only the code", "Nur den Code";
        real: "This is no sandbox: the call is real.", "Dies ist kein Sandkasten: Der Aufruf ist echt.";
        unsendable: "This cannot be sent. Please check the value named.", "Das lässt sich nicht senden. Bitte prüfen Sie den genannten Wert.";
        answer: "Answer", "Antwort";
        request: "Request", "Anfrage";
        dropped: "no answer", "keine Antwort";
        dropped_hint: "The connection was closed without an answer, as a fault of the sandbox asks for.",
            "Die Verbindung wurde ohne Antwort geschlossen, wie eine Störung des Sandkastens es verlangt.";
        steps: "How it was signed", "Wie signiert wurde";
        parameters: "Canonical parameters", "Kanonische Parameter";
        parameters_hint: "All parameters but the signature, escaped, sorted by name.",
            "Alle Parameter außer der Signatur, maskiert, nach Namen sortiert.";
        canonical_hint: "Method, path, query, signed headers, their names, SHA-256 of the body: each on its line.",
            "Methode, Pfad, Abfrage, signierte Kopfzeilen, deren Namen, SHA-256 des Inhalts: jedes auf seiner Zeile.";
        to_sign_acs3: "The algorithm, and SHA-256 of step 1.", "Das Verfahren und SHA-256 von Schritt 1.";
        to_sign_rpc: "The method, the path and step 1, both escaped.", "Die Methode, der Pfad und Schritt 1, beide maskiert.";
        signed: "Signature", "Signatur";
        signed_acs3: "HMAC-SHA256 of step 2 with the secret, in hexadecimal.", "HMAC-SHA256 von Schritt 2 mit dem Secret, hexadezimal.";
        signed_rpc: "HMAC-SHA1 of step 2 with the secret and an ampersand, in base64.", "HMAC-SHA1 von Schritt 2 mit dem Secret und einem Et-Zeichen, in Base64.";
        debug: "Compare with your own program", "Mit dem eigenen Programm vergleichen";
        code: "The same call as code", "Derselbe Aufruf als Code";
        variables: "Runs as pasted. It reads from the environment:", "Läuft wie eingefügt. Aus der Umgebung liest er:";
        get_key: "Make a key", "Schlüssel erzeugen";
        clock_turned: "The clock of this sandbox is turned. Programs sign with the time of their machine and will be refused as too early or too late.",
            "Die Uhr dieses Sandkastens ist verstellt. Programme signieren mit der Zeit ihres Rechners und werden als zu früh oder zu spät abgelehnt.";
    }
}
