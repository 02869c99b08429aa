//! Words of the sandbox's page.

super::texts! {
    /// The sandbox.
    Sandbox {
        lead: "Everything as in production, but no message leaves this machine.",
            "Alles wie im Betrieb, nur verlässt keine Nachricht diesen Rechner.";
        inbox: "Messages", "Nachrichten";
        inbox_empty: "Codes arrive here, live. Register a number to see one.",
            "Hier kommen Codes an, sofort. Registrieren Sie eine Nummer, um einen zu sehen.";
        open_link: "Open the link", "Link öffnen";
        play: "Listen to the call", "Anruf anhören";
        clock_hint: "Every limit, code and token follows this clock. Turn it to see a budget reopen.",
            "Jede Frist, jeder Code, jedes Token folgt dieser Uhr. Drehen Sie sie, um ein Budget sich öffnen zu sehen.";
        day: "day", "Tag";
        days: "days", "Tage";
        freeze: "Freeze", "Anhalten";
        resume: "Let it run", "Weiterlaufen";
        set_clock: "Set the clock", "Uhr stellen";
        set_label: "Moment, in UTC", "Zeitpunkt, in UTC";
        magic: "Magic numbers", "Magische Nummern";
        magic_hint: "Each gives one documented error in every API, always. Try one here, or use it in your own tests.",
            "Jede gibt in jeder API immer denselben dokumentierten Fehler. Probieren Sie eine hier, oder nehmen Sie sie in eigenen Tests.";
        outcome: "What happens", "Was geschieht";
        try_it: "Try it", "Probieren";
        tried: "Tried: {}", "Probiert: {}";
        tried_worked: "It worked this time: nothing was refused.", "Diesmal ging es: nichts wurde abgelehnt.";
        faults: "Faults", "Störungen";
        faults_hint: "Trouble on demand, for testing how your client takes it.",
            "Ärger auf Bestellung, um zu prüfen, wie Ihr Client damit umgeht.";
        faults_empty: "None. Everything works.", "Keine. Alles läuft.";
        struck: "struck", "getroffen";
        fault_add: "Add a fault", "Störung hinzufügen";
        fault_off: "Switch off", "Abschalten";
        effect: "Effect", "Wirkung";
        effect_unavailable: "Unavailable (503)", "Nicht verfügbar (503)";
        effect_drop: "Connection lost", "Verbindung bricht ab";
        effect_slow: "Only slow", "Nur langsam";
        latency: "Delay in ms", "Verzögerung in ms";
        probability: "Probability in %", "Wahrscheinlichkeit in %";
        dialect: "API", "API";
        operation: "Operation", "Operation";
        any: "any", "jede";
        whole: "The whole state", "Der ganze Zustand";
        snapshot: "Snapshot name", "Name des Schnappschusses";
        snapshot_save: "Keep", "Aufheben";
        snapshot_restore: "Bring back", "Zurückholen";
        seed: "Apply a seed file", "Startdatei anwenden";
        seed_label: "Seed file (TOML)", "Startdatei (TOML)";
        reset: "Reset everything", "Alles zurücksetzen";
        reset_ask: "All numbers, messages and settings go back to the start. Snapshots stay.",
            "Alle Nummern, Nachrichten und Einstellungen gehen auf Anfang. Schnappschüsse bleiben.";
        reset_yes: "Yes, reset", "Ja, zurücksetzen";
        done_clock: "The clock is turned.", "Die Uhr ist gestellt.";
        done_reset: "Everything is back at the start.", "Alles ist wieder am Anfang.";
        done_seed: "The seed is applied.", "Die Startdatei ist angewandt.";
        done_saved: "The snapshot is kept.", "Der Schnappschuss ist aufgehoben.";
        done_restored: "The snapshot is back.", "Der Schnappschuss ist zurück.";
        done_fault: "The fault is on.", "Die Störung ist an.";
        done_calm: "Switched off.", "Abgeschaltet.";
    }
}
