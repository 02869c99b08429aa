//! Words of the overview, of access, audit and settings.

super::texts! {
    /// The overview.
    Overview {
        welcome: "Three minutes to your first number", "Drei Minuten bis zur ersten Nummer";
        first_register: "Register a number", "Nummer registrieren";
        first_register_how: "Type it, get a code, confirm it.", "Eintippen, Code bekommen, bestätigen.";
        first_sandbox: "Look at the sandbox phone", "Aufs Sandkasten-Telefon sehen";
        first_sandbox_how: "Codes arrive there; the clock can be turned.", "Dort kommen Codes an; die Uhr lässt sich drehen.";
        first_access: "Point your program here", "Ihr Programm hierher richten";
        first_access_how: "Clients, accounts and policies are under Access.", "Clients, Konten und Richtlinien stehen unter Zugang.";
        by_state: "Numbers by state", "Nummern nach Zustand";
        codes: "Codes requested", "Codes angefordert";
        registrations: "Registrations", "Registrierungen";
        refusals: "Refusals", "Ablehnungen";
        chart: "The last 24 hours", "Die letzten 24 Stunden";
        cut: "Drawn from the latest {} events.", "Gezeichnet aus den letzten {} Ereignissen.";
        by_rule: "Refusals by rule", "Ablehnungen nach Regel";
        nothing_refused: "Nothing was refused in the last 24 hours.", "In den letzten 24 Stunden wurde nichts abgelehnt.";
        health: "Health", "Befinden";
        version: "Version", "Version";
        production: "Production", "Betrieb";
        started: "Started", "Gestartet";
        store: "Store", "Speicher";
        serves: "serves", "läuft";
        keys: "Master keys", "Hauptschlüssel";
        sender: "Sender", "Sender";
        went: "sent", "gesendet";
        failed: "failed", "gescheitert";
        latest: "Latest", "Zuletzt";
        money: "Money", "Geld";
        fuses_enforce: "Budgets refuse what goes beyond them.", "Budgets lehnen ab, was über sie hinausgeht.";
        fuses_shadow: "Budgets only count.", "Budgets zählen nur.";
        fuses_off: "Budgets are off.", "Budgets sind aus.";
        nothing_spent: "Nothing was spent in the present day or hour.", "Am heutigen Tag und in dieser Stunde wurde nichts ausgegeben.";
        of_account: "Account {}, today", "Konto {}, heute";
        of_country: "Country +{}, this hour", "Land +{}, diese Stunde";
        resets: "until", "bis";
        stopped: "No codes to numbers that begin with {}: too few codes were used.",
            "Keine Codes an Nummern mit dem Anfang {}: Zu wenige Codes wurden benutzt.";
        upstream: "Registrar of", "Registrar von";
        upstream_check: "Check", "Prüfen";
        upstream_reached: "The registrar upstream is reached and takes our credentials.",
            "Der vorgelagerte Registrar ist erreichbar und nimmt unsere Zugangsdaten an.";
        upstream_not_reached: "The registrar upstream is not reached.", "Der vorgelagerte Registrar ist nicht erreichbar.";
    }

    /// The audit trail.
    Audit {
        lead: "Everything that happened, in a chain that shows every later change.",
            "Alles, was geschah, in einer Kette, die jede spätere Änderung zeigt.";
        verify: "Verify the chain", "Kette prüfen";
        holds: "The chain holds, all {} entries.", "Die Kette hält, alle {} Einträge.";
        broken: "The chain is broken after entry {}.", "Die Kette ist nach Eintrag {} gebrochen.";
        head: "Note the last hash down; a later check must still pass through it:",
            "Notieren Sie den letzten Hash; eine spätere Prüfung muss ihn noch enthalten:";
        empty: "Whatever anybody does with numbers, clients or policies is written here.",
            "Was immer jemand mit Nummern, Clients oder Richtlinien tut, steht hier.";
        place: "No.", "Nr.";
        when: "When", "Wann";
        what: "What", "Was";
        about: "About", "Worüber";
        who: "Who", "Wer";
        hash: "Hash", "Hash";
        older: "Older entries", "Ältere Einträge";
    }

    /// Accounts and what is below them.
    Access {
        accounts: "Accounts", "Konten";
        spaces: "Spaces", "Spaces";
        wabas: "WABAs", "WABAs";
        clients: "Clients", "Clients";
        users: "RAM users", "RAM-Benutzer";
        groups: "Groups", "Gruppen";
        policies: "Policies", "Richtlinien";
        keys: "Access keys", "AccessKeys";
        graph_tokens: "Graph tokens", "Graph-Tokens";
        operators: "Console logins", "Konsolenzugänge";
        reset: "New password", "Neues Passwort";
        operator_once: "The password is shown this once: {}", "Das Passwort wird nur dieses Mal gezeigt: {}";
        empty: "None yet", "Noch keine";
        empty_how: "Add the first one below.", "Legen Sie unten die erste an.";
        add: "Add", "Anlegen";
        add_account: "Add an account", "Konto anlegen";
        add_space: "Add a space", "Space anlegen";
        add_waba: "Add a WABA", "WABA anlegen";
        add_client: "Add a client", "Client anlegen";
        add_user: "Add a RAM user", "RAM-Benutzer anlegen";
        add_group: "Add a group", "Gruppe anlegen";
        add_policy: "Add a policy", "Richtlinie anlegen";
        add_key: "Add an access key", "AccessKey anlegen";
        add_operator: "Add a console login", "Konsolenzugang anlegen";
        add_graph_token: "Add a Graph token", "Graph-Token anlegen";
        remove: "Remove", "Entfernen";
        remove_ask: "Everything below it goes too.", "Alles darunter geht mit.";
        remove_yes: "Yes, remove", "Ja, entfernen";
        done_made: "Added.", "Angelegt.";
        done_removed: "Removed.", "Entfernt.";
        done_changed: "Changed.", "Geändert.";
        disable: "Disable", "Abschalten";
        enable: "Enable", "Einschalten";
        rotate: "Rotate", "Erneuern";
        secret_once: "Its secret is shown this once: {}", "Sein Secret wird nur dieses Mal gezeigt: {}";
        token_once: "The token is shown this once: {}", "Das Token wird nur dieses Mal gezeigt: {}";
        password_once: "The password of its admin is shown this once: {}",
            "Das Passwort seines admin wird nur dieses Mal gezeigt: {}";
        simulate: "What would be allowed?", "Was wäre erlaubt?";
        simulate_hint: "Decides a request that nobody makes, and says which statement decides.",
            "Entscheidet eine Anfrage, die niemand stellt, und sagt, welche Anweisung entscheidet.";
        simulate_do: "Simulate", "Simulieren";
        allowed: "Allowed", "Erlaubt";
        denied: "Denied", "Verweigert";
    }

    /// The settings.
    Settings {
        lead: "What is in force, and where it was written. Change it in the file or the environment, then restart.",
            "Was gilt, und wo es geschrieben steht. Ändern Sie es in der Datei oder der Umgebung und starten Sie neu.";
        empty: "This process was started without settings.", "Dieser Prozess wurde ohne Einstellungen gestartet.";
        general: "General", "Allgemein";
        key: "Setting", "Einstellung";
        value: "Value", "Wert";
        origin: "Written in", "Geschrieben in";
        default: "default", "Standard";
    }
}
