//! Words of the frame, of the way in, and of values that many pages show.

super::texts! {
    /// Words that many pages share.
    Common {
        skip: "Skip to content", "Zum Inhalt springen";
        copy: "Copy", "Kopieren";
        copied: "Copied", "Kopiert";
        download: "Download", "Herunterladen";
        yes: "Yes", "Ja";
        no: "No", "Nein";
        more: "More", "Mehr";
        next_page: "Next page", "Nächste Seite";
        first_page: "First page", "Erste Seite";
        optional: "optional", "freiwillig";
        since: "Since", "Seit";
        why: "Why? The rule in full", "Warum? Die Regel im Ganzen";
        opens: "Opens", "Offen";
        works_now: "What works now", "Was jetzt geht";
        check_the_form: "Please check what you entered.", "Bitte prüfen Sie die Eingabe.";
        too_large: "That is too large.", "Das ist zu groß.";
        unreadable_remedy: "Go back, correct it and send it again. Nothing was changed.",
            "Gehen Sie zurück, berichtigen Sie die Eingabe und senden Sie sie erneut. Nichts wurde geändert.";
        not_done: "That was not done.", "Das wurde nicht getan.";
        unavailable: "A part of the server is missing at the moment.",
            "Ein Teil des Servers fehlt im Augenblick.";
        unavailable_remedy: "Nothing was changed. Try again in a few seconds.",
            "Nichts wurde geändert. Versuchen Sie es in einigen Sekunden erneut.";
        broken: "Something is broken.", "Etwas ist kaputt.";
        broken_remedy: "The server's log says what. Nothing that was confirmed is lost.",
            "Das Protokoll des Servers sagt, was. Nichts Bestätigtes ist verloren.";
        not_found: "There is nothing here.", "Hier ist nichts.";
        not_found_remedy: "Check the address, or go on from the navigation.",
            "Prüfen Sie die Adresse oder gehen Sie über die Navigation weiter.";
        forbidden: "That is not possible.", "Das geht nicht.";
        forbidden_remedy: "Nothing was changed. Go back, load the page again and repeat it from there.",
            "Nichts wurde geändert. Gehen Sie zurück, laden Sie die Seite neu und wiederholen Sie es dort.";
        form_is_stale: "The form did not come from a page of this login.",
            "Das Formular stammt nicht von einer Seite dieser Anmeldung.";
        auditor_only_reads: "An auditor looks at everything and changes nothing.",
            "Ein Prüfer sieht alles und ändert nichts.";
        back_home: "To the overview", "Zur Übersicht";
        working: "Working …", "Einen Augenblick …";
        details: "Details", "Einzelheiten";
        now: "now", "jetzt";
    }

    /// The navigation and the tools around it.
    Nav {
        label: "Main", "Hauptnavigation";
        overview: "Overview", "Übersicht";
        numbers: "Numbers", "Nummern";
        names: "Names", "Namen";
        register: "Register a number", "Nummer registrieren";
        register_short: "Register", "Registrieren";
        sandbox: "Sandbox", "Sandkasten";
        explorer: "API explorer", "API-Erkunder";
        signature: "Signatures", "Signaturen";
        access: "Access", "Zugang";
        audit: "Audit", "Prüfpfad";
        settings: "Settings", "Einstellungen";
        logout: "Log out", "Abmelden";
        theme: "Theme", "Farben";
        theme_auto: "System colours", "Systemfarben";
        theme_light: "Light", "Hell";
        theme_dark: "Dark", "Dunkel";
        other_language: "Deutsch", "English";
        sandbox_badge: "Sandbox", "Sandkasten";
        clock: "Clock", "Uhr";
        frozen: "stands still", "steht still";
        operator: "Operator", "Betreiber";
        auditor: "Auditor (reads only)", "Prüfer (liest nur)";
    }

    /// The way in.
    Login {
        title: "Log in", "Anmelden";
        lead: "The console of this Rollcall server.", "Die Konsole dieses Rollcall-Servers.";
        token: "Operator token", "Betreiber-Token";
        token_hint: "It is in the file operator.token of the data folder.",
            "Es steht in der Datei operator.token des Datenordners.";
        button: "Log in", "Anmelden";
        wrong: "That is not this server's operator token.",
            "Das ist nicht das Betreiber-Token dieses Servers.";
        wrong_remedy: "Copy the whole line from operator.token in the data folder this server was started with.",
            "Kopieren Sie die ganze Zeile aus operator.token im Datenordner, mit dem dieser Server gestartet wurde.";
        name: "Name", "Name";
        password: "Password", "Passwort";
        by_token: "With the operator token instead", "Stattdessen mit dem Betreiber-Token";
        by_name: "With a name and a password instead", "Stattdessen mit Name und Passwort";
        wrong_password: "Name or password is wrong.", "Name oder Passwort ist falsch.";
        wrong_password_remedy: "Try again. Whoever runs this server gives out a new password with rollcall operators reset NAME.",
            "Versuchen Sie es erneut. Wer diesen Server betreibt, vergibt mit rollcall operators reset NAME ein neues Passwort.";
        too_often: "Too many wrong passwords.", "Zu viele falsche Passwörter.";
        too_often_remedy: "Wait a few minutes, then try again.", "Warten Sie einige Minuten und versuchen Sie es dann erneut.";
        easier: "Easier: a link that logs you in", "Einfacher: ein Link, der Sie anmeldet";
        easier_how: "On the server's machine, run this and open the address it prints. It works once, for ten minutes.",
            "Auf dem Rechner des Servers ausführen und die ausgegebene Adresse öffnen. Sie gilt einmal, zehn Minuten lang.";
        enter_title: "Welcome", "Willkommen";
        enter_lead: "This link logs you in as the operator of this server. It works once.",
            "Dieser Link meldet Sie als Betreiber dieses Servers an. Er gilt einmal.";
        enter_button: "Open the console", "Konsole öffnen";
        link_is_used: "This link has been used or is too old.",
            "Dieser Link wurde schon benutzt oder ist zu alt.";
        link_is_used_remedy: "Get a fresh one with rollcall console, or log in with the operator token.",
            "Holen Sie einen neuen mit rollcall console, oder melden Sie sich mit dem Betreiber-Token an.";
    }

    /// States of a number.
    States {
        unverified: "Unverified", "Unbestätigt";
        awaiting: "Awaiting code", "Wartet auf Code";
        verified: "Verified", "Bestätigt";
        registered: "Registered", "Registriert";
        locked: "Locked", "Gesperrt";
        two_step: "Two-step PIN", "Zwei-Schritt-PIN";
        decided: "Waiting to be sent", "Wartet auf Versand";
        claimed: "Being sent", "Wird gesendet";
        handed_over: "Handed over", "Übergeben";
        delivered: "Delivered", "Zugestellt";
        failed: "Failed", "Gescheitert";
        on_premise: "On-Premises", "On-Premises";
        cloud: "Cloud API", "Cloud API";
        sms: "SMS", "SMS";
        voice: "Voice call", "Anruf";
    }

    /// The page that explains a refusal.
    Explain {
        refused_at: "Refused at", "Abgelehnt";
    }

    /// Kinds of numbers.
    Kinds {
        mobile: "Mobile", "Mobil";
        fixed_line: "Landline", "Festnetz";
        fixed_line_or_mobile: "Landline or mobile", "Festnetz oder mobil";
        toll_free: "Toll-free", "Gebührenfrei";
        premium_rate: "Premium rate", "Mehrwertdienst";
        shared_cost: "Shared cost", "Geteilte Kosten";
        voip: "Internet telephone", "Internettelefon";
        personal_number: "Personal number", "Persönliche Nummer";
        pager: "Pager", "Funkruf";
        universal_access: "Universal access", "Einheitsnummer";
        voicemail: "Voicemail", "Sprachspeicher";
        unknown: "Unknown kind", "Unbekannte Art";
    }

    /// Fields of forms.
    Fields {
        number: "Phone number", "Telefonnummer";
        name: "Display name", "Anzeigename";
        code: "Code", "Code";
        pin: "Two-step PIN", "Zwei-Schritt-PIN";
        waba: "WABA", "WABA";
        client: "Client", "Client";
        prefix: "Digits", "Ziffern";
        locale: "Language of the message", "Sprache der Nachricht";
        method: "Channel", "Weg";
        certificate: "Certificate", "Zertifikat";
        id: "ID", "ID";
        account: "Account", "Konto";
        space: "Space", "Space";
        display_name: "Name for people", "Name für Menschen";
        subscribed: "Chat App subscribed", "Chat App abonniert";
        created_at: "Made", "Angelegt";
        updated_at: "Written", "Geschrieben";
        host: "Host name", "Hostname";
        retired: "Answers as retired", "Antwortet als eingestellt";
        policies: "Policies", "Richtlinien";
        groups: "Groups", "Gruppen";
        kind: "Kind", "Art";
        document: "Policy (JSON)", "Richtlinie (JSON)";
        admin_password: "Password of its admin", "Passwort seines admin";
        user: "RAM user", "RAM-Benutzer";
        action: "Action", "Aktion";
        resource: "Resource", "Ressource";
        source_ip: "Source address", "Quelladresse";
        role: "Role", "Rolle";
        changed_at: "Password or role set", "Passwort oder Rolle gesetzt";
        active: "Active", "Aktiv";
        temporary: "Ends by itself", "Endet von selbst";
        scopes: "May", "Darf";
        expires_at: "Ends", "Endet";
    }
}
